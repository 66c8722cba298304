"""Do the values of a question agree with a row's?

Which values pin a question down: a value of a dimension that the row's question holds too (the row is about that value), and,
where the row's question holds none, a value that belongs to what is asked: every age and grade, and a term beside its product
("3년 만기", "24개월 할부"). An incidental value ("20만원을 잘못 보냈어요", "카드 5개 있는데", "3일째") pins nothing.

A range in the row's question is the row's scope: what is asked must lie in it. Values in the answer are enough if one equals the
asked value or a range covers it. An age outside an answer's threshold is decided by that threshold ("만 65세 이상"), so it is
neither agreement nor conflict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from rag.constraints.quantities import Quantity

_DAYS = {"month": Decimal("30.4375"), "day": Decimal(1), "second": Decimal(1) / 86400}
_TOLERANCE = Decimal("0.04")
"""Between units of time: 30일 and 1개월, 90일 and 3개월 mean the same to a customer."""
_TERM = re.compile(
    r"\s?(?:짜리|만기|정기|자유|적금|예금|청약|상품|약정|거치|예치|상환|할부|고정|변동|납입|대출|융자|플랜"
    r"|치 ?(?:거래|내역|입출금)"
    r"|(?:으?로|동안|간)\s?(?:가입|들|하면|하려|넣|묶|맡|예치|납입|빌리)|(?:쯤|정도)?\s?(?:가입|예치|묶|맡기|넣))"
)
_DENIED = re.compile(r"\s?[가-힣]{0,4}\s?(?:말고|빼고|제외)")
_PER = re.compile(r"\s?(?:에|당|이체|한도|최대|출금|이용|송금|몇|얼마|\d)")
_YEARLY = re.compile(r"(?:1|일|한)\s?[년해]$")
_INCIDENTAL = re.compile(
    r"\s?(?:이나?|가|을|도)?\s?(?:째(?!\s?(?:이?면|에))|전에|전부터|전\s|만에|넘게|동안 안|됐|되었|지났|지나|넘었|걸렸"
    r"|기다|차(?!$))"
)
_PAST = re.compile(
    r"[을를이가]?\s?(?:\S{1,6}\s)?(?:잘못|갔|보냈|빠져|나갔|냈|썼|샀|빌렸|들어왔|입금됐|결제됐|있는데|있고|밖에"
    r"|뽑았|찾았|넣었|넣어\s?놨|남았|남아|긁었|긁혔|찍혔|부쳤|줬|뽑는데|빼먹|받았는데|낸\s|보낸\s|쓴\s)"
)
_TOLD_BEFORE = re.compile(
    r"(?:보낸|낸|받은|넣은|뽑은|찾은|잃어버린|들어온|입금된|빌린|쓴|긁은|결제한|나간|빠진|남은)\s?$"
)
"""What a value belongs to that has happened: "잘못 보낸 30만원"."""
_TOLD_SPAN = 8
_EVEN = re.compile(
    r"\s?(?:이나|이|가|을|를)?\s?(?:전\s?(?:거|것|내역|자료|기록)?\s?(?:까지|도)|(?:지나|넘어|넘겨|되어|돼|이어|이라|여|전에|후에|뒤에|만에|안에)도"
    r"|(?:만에|전에)\s?(?:받을|나올|찾을|갱신|가입)"
    r"|(?:됐|되었|지났|넘었|흘렀)(?:는데|어도|지만)(?=.*(?:수\s?있|되나|될까|가능|[돼되]요|되죠)))"
)
"""Asks whether it may still be done at that value: the value decides, told or not ("45일 지나도 되나요")."""
ASSERTED = re.compile(
    r"\s?(?:으?로\s?(?:늘|올[라랐]|오[른르]|바뀌|바뀐|변경|인상|줄|내[려렸]|낮아|상향|확대|축소|조정)|(?:동안|간|까지)?\s?(?:남아|남는|남나|보관|보존|유지|기록))"
)
"""After a value that itself is what a question says or asks for: "500만원으로 늘어난다던데", "5년 동안 남아 있나요"."""
_IN_FULL = re.compile(r".{0,20}?(?<![가-힣])(?:다|전부|전액)\s?(?:보상|나오|나와|받|돌려|환급|지급)")
"""Asks whether all of a sum is paid: then the sum decides, told or not."""
_HAPPENED = re.compile(
    r"\s?(?:동안|간|이나|을|를|도|에)?\s?(?:\S{1,5}\s){0,2}?\S{0,3}(?:[았었했됐났렸갔왔샀썼냈졌렀]|밀려)"
)
_FAILED = re.compile(r"\s?(?:이나|도|을)?\s?(?:넘게\s?)?(?:\S{2,4}\s)?(?:틀렸|틀려|틀리니|실패했|눌렀|입력했|했)")
"""How often a customer says she failed is her story: the row's count is the rule."""
_PAID = re.compile(r"\s?(?:이나\s?|씩\s?)?(?:냈|빠져|나갔|결제됐|긁혔|찍혔|보냈|이체했|입금됐)")
_ELAPSED = re.compile(r"\s?(?:이|가)?\s?(?:지난|넘은|경과한|지나서|지나면|넘으면)")
_REFUSED = re.compile(
    r"\s?(?:반\s?)?(?:가|이|를|에|이\s)?\s?(?:넘|지나|하려|이체하려).{1,16}?(?:안\s?[되돼댐]|못\s|막[히혀혔]|아니라|불가)"
)
"""When something failed: "밤 11시 넘으니까 안 돼요"."""


def comparable(question: str, quantities: Iterable[Quantity]) -> list[Quantity]:
    """The quantities that may pin a question down: no phone or bare numbers, no rates of use ("1일 한도"), none denied."""
    return [
        q
        for q in quantities
        if q.dimension not in ("phone", "number") and not _is_per(question, q) and not _DENIED.match(question, q.end)
    ]


def families(quantities: Iterable[Quantity]) -> dict[str, list[Quantity]]:
    """Quantities by what they can be compared with: terms in one family, money by currency, counts and grades by unit."""
    grouped: dict[str, list[Quantity]] = {}
    for quantity in quantities:
        # Won and dollars, times and items never contradict each other; terms do across their units (12개월 and 1년).
        split = quantity.dimension in ("money", "rate", "count", "grade")
        family = f"{quantity.dimension} {quantity.unit}" if split else quantity.dimension
        grouped.setdefault(family, []).append(quantity)
    return grouped


def scope(row_question: str, quantities: Iterable[Quantity]) -> list[Quantity]:
    """The values of a row's question, where "30일이 지난 계약" is about 30일 and more."""
    return [
        replace(q, high=None) if q.dimension == "duration" and q.is_point and _ELAPSED.match(row_question, q.end) else q
        for q in quantities
    ]


def excludes(in_question: Sequence[Quantity], asked: Quantity) -> bool:
    """Whether the ranges of a row's question leave a value out, whatever values its answer names."""
    return any(not row.is_point for row in in_question) and all(agrees(asked, row) is False for row in in_question)


def pins(question: str, quantity: Quantity) -> bool:
    """Whether a value belongs to what is asked although the row's question holds none of its dimension."""
    if quantity.dimension in ("age", "grade"):
        return True
    # Days below a week beside a product are waiting times ("3일 걸려요 대출"), not terms.
    is_term = quantity.unit == "month" or (quantity.unit == "day" and (quantity.high or quantity.low or 0) >= 7)
    return quantity.dimension == "duration" and is_term and _TERM.match(question, quantity.end) is not None


def is_incidental(question: str, quantity: Quantity) -> bool:
    """Whether a value is only part of the customer's story: "3일째", "20만원을 잘못 보냈", "카드 5개 있는데"."""
    if quantity.dimension == "duration" and _EVEN.match(question, quantity.end):
        return False
    if ASSERTED.match(question, quantity.end) or (
        quantity.dimension == "money" and _IN_FULL.match(question, quantity.end)
    ):
        return False
    if _INCIDENTAL.match(question, quantity.end):
        return True
    if quantity.dimension == "duration":
        return not pins(question, quantity) and _HAPPENED.match(question, quantity.end) is not None
    if quantity.dimension == "time":
        return _REFUSED.match(question, quantity.end) is not None
    if quantity.unit == "회":
        return (_FAILED.match(question, quantity.end) or _PAID.match(question, quantity.end)) is not None
    if quantity.dimension not in ("money", "count"):
        return False
    before = question[max(0, quantity.start - _TOLD_SPAN) : quantity.start]
    return _PAST.match(question, quantity.end) is not None or _TOLD_BEFORE.search(before) is not None


def holds(asked: Quantity, row: Sequence[Quantity]) -> bool:
    """Whether a row states the asked value or covers it."""
    return any(agrees(asked, value) is True for value in row)


def stated(asked: Quantity, answer: Sequence[Quantity]) -> list[Quantity]:
    """The values of an answer that may hold an asked one: where it says from what to what, nothing beyond is stated.

    "6개월 이상 이용하신 회원" covers 120개월, but of a loan for "3개월 ~ 60개월" that is told of its borrower.
    """
    if asked.dimension in ("money", "count"):
        # "1일 1억원을 넘게 올리시려면 …" is no tier without an end beside "1일 5억원까지".
        most = max((value.high for value in answer if value.high is not None and not value.is_point), default=None)
        if most is None or asked.low is None or asked.low <= most:
            return list(answer)
        return [value for value in answer if not (value.high is None and value.low is not None and value.low < most)]
    spans = [value for value in answer if not (value.is_point or value.low is None or value.high is None)]
    if asked.dimension != "duration" or not spans:
        return list(answer)
    return [value for value in answer if not any(_crosses(value, span) for span in spans)]


def _crosses(value: Quantity, span: Quantity) -> bool:
    """Whether an open range begins or ends elsewhere than a span it meets: "31일 이상" is a further tier of "8~30일"."""
    if value.unit != span.unit or span.low is None or span.high is None:
        return False
    if value.high is None and value.low is not None:
        return value.low < span.high and value.low != span.low
    return value.low is None and value.high is not None and value.high > span.low and value.high != span.high


def decides(asked: Quantity, answer: Sequence[Quantity]) -> bool:
    """Whether an answer's threshold says what holds for an age outside it, or its hours for another time."""
    if asked.dimension == "time":
        return any(value.low is not None and value.high is not None and not value.is_point for value in answer)
    single = asked.is_point or asked.text.endswith("대") or asked.text.startswith("미성년")
    return asked.dimension == "age" and single and any(not value.is_point for value in answer)


def agrees(asked: Quantity, row: Quantity) -> bool | None:
    """Whether one value is the other or lies in it; None where they cannot be compared or overlap only in part."""
    if asked.dimension == "date":
        return _same_date(asked, row)
    if asked.unit != row.unit:
        # Customers say 일 where the bank means 영업일: equal numbers agree, others cannot be compared.
        if "business_day" in (asked.unit, row.unit):
            return True if asked.low == row.low and asked.high == row.high else None
        if asked.dimension == "time":
            # One of the two names no half of the day: "11시" may be 23:00.
            asked, row = _on_clock12(asked), _on_clock12(row)
        else:
            asked, row = _in_days(asked), _in_days(row)
    # Equal ends agree from whichever side they are named: a customer's "10만원 이상" is the row's "10만원 초과".
    if row.covers(asked) or (asked.low, asked.high) == (row.low, row.high) or _is_same_end(asked, row):
        return True
    if asked.dimension == "age" and asked.text.startswith("미성년"):
        return None
    # "중학생" beside "만 14세 이상": the row says which of them may.
    is_group = asked.dimension == "age" and not any(map(str.isdigit, asked.text))
    if is_group and row.high is None and _overlap(asked, row):
        return True
    if row.is_point and not asked.is_point and asked.covers(row):
        return True if row.low in (asked.low, asked.high) else None
    if asked.unit == "days":
        # Only between days and what was made of months: 89일 and 90일 are two terms.
        if asked.is_point and row.is_point:
            return _is_near(asked.low, row.low)
        if asked.low is None and row.low is None:
            return _is_near(asked.high, row.high)
        # "한 달" beside "8~30일", "두 달" beside "최대 60일".
        if asked.is_point:
            return _is_near(asked.low, row.low) or _is_near(asked.low, row.high)
    return False


def is_beyond(asked: Quantity, limit: Quantity, *, over: bool = False) -> bool:
    """Whether a length of time is longer than an upper limit; `over`: as long is longer, too ("14일 지났는데")."""
    asked, limit = _in_days(asked), _in_days(limit)
    if asked.low is None or limit.high is None or asked.unit != limit.unit:
        return False
    return over if _is_near(asked.low, limit.high) else asked.low > limit.high


def _is_near(one: Decimal | None, other: Decimal | None) -> bool:
    """Whether two lengths of time are the same to a customer."""
    return one is not None and other is not None and abs(one - other) <= _TOLERANCE * max(one, other)


def _overlap(first: Quantity, second: Quantity) -> bool:
    """Whether some value lies in both ranges."""

    def ends_before(one: Quantity, other: Quantity) -> bool:
        if one.high is None or other.low is None:
            return False
        return one.high < other.low or (one.high == other.low and not (one.high_closed and other.low_closed))

    return not ends_before(first, second) and not ends_before(second, first)


def _is_same_end(asked: Quantity, row: Quantity) -> bool:
    """Whether a bound without another end is that end of a row's range: "10만원부터" of "10만원부터 5천만원까지"."""
    return (asked.high is None and asked.low == row.low) or (asked.low is None and asked.high == row.high)


def _is_per(question: str, quantity: Quantity) -> bool:
    single = quantity.is_point and quantity.low == (12 if _YEARLY.match(quantity.text) else 1)
    often = (quantity.dimension == "count" and quantity.unit in ("회", "명")) or quantity.unit in ("day", "month")
    return single and often and (quantity.unit == "명" or _PER.match(question, quantity.end) is not None)


def _in_days(quantity: Quantity) -> Quantity:
    factor = _DAYS.get(quantity.unit)
    if factor is None:
        return quantity
    low = None if quantity.low is None else quantity.low * factor
    high = None if quantity.high is None else quantity.high * factor
    return replace(quantity, unit="days", low=low, high=high)


def _on_clock12(quantity: Quantity) -> Quantity:
    low = None if quantity.low is None else quantity.low % 720
    high = None if quantity.high is None else quantity.high % 720
    return replace(quantity, unit="clock12", low=low, high=high)


def _same_date(asked: Quantity, row: Quantity) -> bool | None:
    """A row's date names the year or version it is about: years are compared, and months where both name them."""
    first, second = asked.low or asked.high, row.low or row.high
    if first is None or second is None or first < 10000 or second < 10000:
        return None
    if first // 10000 != second // 10000:
        return False
    months = first // 100 % 100, second // 100 % 100
    if not all(months) or months[0] == months[1]:
        return True
    # Within a year, "2025년 6월" lies before what holds from "2025년 7월 1일부터"; of another month a date states nothing.
    return (row.high is None and months[0] > months[1]) or (row.low is None and months[0] < months[1])
