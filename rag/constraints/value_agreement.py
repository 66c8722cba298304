"""Do the values of a question agree with those of a row?

Two kinds of values determine what a question is about: a value of a dimension that the row's question contains, too, and, if it
contains none, ages, grades and terms of a product ("3년 만기", "24개월 할부"). A value that the customer only mentions ("20만원을
잘못 보냈어요", "카드 5개 있는데", "3일째") does not.

A range in the row's question is the scope of the row: the asked value must lie within it. In the row's answer it is enough that
one value equals the asked one or that a range covers it. An age outside a threshold of the answer ("만 65세 이상") is decided by
that threshold, so it neither agrees nor conflicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from rag.constraints.everyday_values import values_of
from rag.constraints.quantities import Quantity

_DAYS = {"month": Decimal("30.4375"), "day": Decimal(1), "second": Decimal(1) / 86400}
_TOLERANCE = Decimal("0.04")
"""Relative difference within which durations in different units are equal: customers use 30일 and 1개월 alike."""
DAYS_OF_MONTH = 31
"""Dates up to here are a day of any month; those of a month are 100 and more."""
_TERM = re.compile(
    r"\s?(?:짜리|만기|정기|자유|적금|예금|청약|상품|약정|거치|예치|상환|할부|고정|변동|납입|대출|융자|플랜"
    r"|치 ?(?:거래|내역|입출금)"
    r"|(?:으?로|동안|간)\s?(?:가입|들|하면|하려|넣|묶|맡|예치|납입|빌리)|(?:쯤|정도)?\s?(?:가입|예치|묶|맡기|넣))"
)
_OF_PRODUCT = re.compile(r"(?:예금|적금|예탁금|부금|대출|융자)(?:을|를|은|는)?\s?$")
_ON_TERM = re.compile(r"\s?(?:은|는|이?면|으?로는?|도)?\s?(?:금리|이율|이자율|이자|얼마|몇|되나|돼요|됩니까|가능)")
"""Precede and follow the term of a product: "정기예금 18개월로는 금리"."""
_DENIED = re.compile(r"\s?[가-힣]{0,4}\s?(?:말고|빼고|제외)")
_PER = re.compile(r"\s?(?:에|당|이체|한도|최대|출금|이용|송금|몇|얼마|\d)")
_YEARLY = re.compile(r"(?:1|일|한)\s?[년해]$")
_INCIDENTAL = re.compile(
    r"\s?(?:이나?|가|을|도)?\s?(?:째(?!\s?(?:이?면|에))|전에|전부터|전\s|만에|동안 안|됐|되었|지났|지나(?![면야도])|넘었|걸렸"
    r"|기다(?!려야|리[면래라])|차(?!$))"
)
_MORE, _MORE_TIMES = re.compile(r"\s?넘게"), re.compile(r"\s?넘게(?!\s\S{1,6}면\s)")
"""Follow a value that is only mentioned, but "500번 넘게 내면 막히나요" asks about that many times."""
_PAST = re.compile(
    r"[을를이가]?\s?(?:\S{1,6}\s)?(?:잘못|갔|보냈|빠져|나갔|냈|썼|샀|빌렸|들어왔|입금됐|결제됐|있는데|있고|밖에"
    r"|뽑았|찾았|넣었|넣어\s?놨|남았|남아|긁었|긁혔|찍혔|부쳤|줬|뽑는데|빼먹|받았는데|낸\s|보낸\s|쓴\s)"
)
_PAST_BEFORE = re.compile(
    r"(?:보낸|낸|받은|넣은|뽑은|찾은|잃어버린|들어온|입금된|빌린|쓴|긁은|결제한|나간|빠진|남은)\s?$"
)
_PAST_SPAN = 8
"""_PAST_BEFORE precedes a value of something that has happened ("잘못 보낸 30만원"), by so many characters at most."""
_EVEN = re.compile(
    r"\s?(?:이나|이|가|을|를)?\s?(?:전\s?(?:\S{0,4}(?:거|것|내역서?|자료|기록|증명서?|명세서?|영수증|서류))?\s?(?:까지|도)|(?:지나|넘어|넘겨|되어|돼|이어|이라|여|전에|후에|뒤에|만에|안에)도"
    r"|(?:만에|전에)\s?(?:받을|나올|찾을|갱신|가입)|전에\s?(?:신청|취소|변경|해지|예약)\S{0,2}(?:도|야|면)\s"
    r"|전\s?(?:의\s?)?(?:\S{2,8}\s){1,2}(?:볼|조회|발급|뽑을|뗄|떼|출력)(?!\S*는데)"
    r"|(?:됐|되었|지났|넘었|흘렀)(?:는데|어도|지만)(?=.*(?:수\s?있|되나|될까|가능|[돼되]요|되죠)))"
)
"""Follows a value in a question whether something is still possible ("45일 지나도 되나요"): such a value is not incidental."""
ASSERTED = re.compile(
    r"\s?(?:으?로\s?(?:늘(?![리려릴])|올[라랐]|오[른르]|바뀌|바뀐|변경(?!하|해|할)|인상|줄(?!이|여|일)|내[려렸](?!\s?주)|낮아|상향|확대|축소"
    r"|조정(?!하|해|할))"
    r"|(?:동안|간|까지)?\s?(?:남아|남는|남나|보관|보존|유지|기록)|까지\s?(?:\S{1,8}\s?(?:거|것|게|는지)\s?)?맞[나아죠는지]|\s?맞[나아죠는지]|이?(?:죠|지요)|인가요)"
)
"""Follows a value that the question asks to confirm: "500만원으로 늘어난다던데", "5년 동안 남아 있나요", "400만원까지 맞나요"."""
_IN_FULL = re.compile(r".{0,20}?(?<![가-힣])(?:다|전부|전액)\s?(?:보상|나오|나와|받|돌려|환급|지급)")
"""Follows an amount in a question whether all of it is paid: such an amount is not incidental."""
_HAPPENED = re.compile(
    r"\s?(?:동안|간|이나|을|를|도|에)?\s?(?:\S{1,5}\s){0,2}?\S{0,3}(?:[았었했됐났렸갔왔샀썼냈졌렀]|밀려)"
)
_FAILED = re.compile(r"\s?(?:이나|도|을)?\s?(?:넘게\s?)?(?:\S{2,4}\s)?(?:틀렸|틀려|틀리니|실패했|눌렀|입력했|했)")
"""Follows how often the customer failed: this is only mentioned, while the count in the row is a rule."""
_PAID = re.compile(r"\s?(?:이나\s?|씩\s?)?(?:냈|빠져|나갔|결제됐|긁혔|찍혔|보냈|이체했|입금됐)")
_ELAPSED = re.compile(r"\s?(?:이|가)?\s?(?:지난|넘은|경과한|지나서|지나면|넘으면)")
_REFUSED = re.compile(
    r"\s?(?:반\s?)?(?:가|이|를|에|이\s)?\s?(?:넘|지나|하려|이체하려).{1,16}?(?:안\s?[되돼댐]|못\s|막[히혀혔]|아니라|불가)"
)
"""Follows the time at which something failed: "밤 11시 넘으니까 안 돼요"."""


def comparable(question: str, quantities: Iterable[Quantity]) -> list[Quantity]:
    """The quantities of a question that can be compared with a row's.

    Left out: phone numbers and numbers without a unit, periods of a limit ("1일 한도"), and values that are ruled out ("1년
    말고").
    """
    return [
        q
        for q in quantities
        if q.dimension not in ("phone", "number") and not _is_period(question, q) and not _DENIED.match(question, q.end)
    ]


def families(quantities: Iterable[Quantity]) -> dict[str, list[Quantity]]:
    """The quantities grouped by what can be compared: durations in one family, money by currency, counts and grades by unit."""
    grouped: dict[str, list[Quantity]] = {}
    for quantity in quantities:
        # Won and dollars, or times and items, never contradict each other; durations in different units (12개월, 1년) do.
        split = quantity.dimension in ("money", "rate", "count", "grade")
        family = f"{quantity.dimension} {quantity.unit}" if split else quantity.dimension
        grouped.setdefault(family, []).append(quantity)
    return grouped


def families_of_row(quantities: Iterable[Quantity]) -> dict[str, list[Quantity]]:
    """The `families` of a row's quantities, with each day of a month both as a date and as a duration.

    A row may list days without the month ("매월 5일, 10일, 25일 중에서"), and a customer may say "25일날" or "25일로".
    """
    grouped = families(quantities)
    durations, dates = grouped.get("duration", []), grouped.get("date", [])
    listed = [q for q in durations if q.unit == "day" and q.text.endswith("일") and q.is_point and not q.side]
    as_dates = [replace(q, dimension="date", unit="date") for q in listed if max(q.ends) <= DAYS_OF_MONTH]
    as_durations = [replace(q, dimension="duration", unit="day") for q in dates if q.text.startswith("매")]
    for name, days in (("date", as_dates), ("duration", as_durations)):
        if days:
            grouped[name] = [*grouped.get(name, []), *days]
    return grouped


def scope(row_question: str, quantities: Iterable[Quantity]) -> list[Quantity]:
    """The values of a row's question as its scope: in "30일이 지난 계약" it is 30일 and more."""
    return [
        replace(q, high=None) if q.dimension == "duration" and q.is_point and _ELAPSED.match(row_question, q.end) else q
        for q in quantities
    ]


def excludes(in_question: Sequence[Quantity], asked: Quantity) -> bool:
    """Whether a value lies outside the ranges of a row's question, which its answer cannot extend."""
    return any(not row.is_point for row in in_question) and all(agrees(asked, row) is False for row in in_question)


def determines(question: str, quantity: Quantity) -> bool:
    """Whether a value determines what is asked even if the row's question has none of its dimension: ages, grades, terms."""
    if quantity.dimension in ("age", "grade"):
        return True
    # Less than a week beside a product is a waiting time ("3일 걸려요 대출"), not a term.
    is_term = quantity.unit == "month" or (quantity.unit == "day" and (quantity.high or quantity.low or 0) >= 7)
    if quantity.dimension != "duration" or not is_term:
        return False
    is_of_product = _OF_PRODUCT.search(question[: quantity.start]) and _ON_TERM.match(question, quantity.end)
    return bool(is_of_product) or _TERM.match(question, quantity.end) is not None


def is_incidental(question: str, quantity: Quantity) -> bool:
    """Whether the customer only mentions a value: "3일째", "20만원을 잘못 보냈", "카드 5개 있는데"."""

    def is_followed_by(*patterns: re.Pattern[str]) -> bool:
        return any(pattern.match(question, quantity.end) for pattern in patterns)

    is_duration, is_money = quantity.dimension == "duration", quantity.dimension == "money"
    if is_followed_by(ASSERTED) or (is_duration and is_followed_by(_EVEN)) or (is_money and is_followed_by(_IN_FULL)):
        return False
    if is_followed_by(_INCIDENTAL) or is_followed_by(_MORE_TIMES if quantity.unit == "회" else _MORE):
        return True
    if is_duration:
        return is_followed_by(_HAPPENED) and not determines(question, quantity)
    if quantity.dimension == "time":
        return is_followed_by(_REFUSED)
    if quantity.unit == "회":
        return is_followed_by(_FAILED, _PAID)
    if not is_money and quantity.dimension != "count":
        return False
    before = question[max(0, quantity.start - _PAST_SPAN) : quantity.start]
    return is_followed_by(_PAST) or _PAST_BEFORE.search(before) is not None


def is_on_values(question: str, row_question: str) -> bool:
    """Whether a row's question names each of a question's values, of which there is one at least, and no range around one."""
    asked = comparable(question, values_of(question))
    own = {(value.dimension, value.unit, value.low, value.high) for value in values_of(row_question)}
    return bool(asked) and all((value.dimension, value.unit, value.low, value.high) in own for value in asked)


def holds(asked: Quantity, row: Sequence[Quantity]) -> bool:
    """Whether a row states the asked value or covers it."""
    return any(agrees(asked, value) is True for value in row)


def stated(asked: Quantity, answer: Sequence[Quantity], *, has_passed: bool = False) -> list[Quantity]:
    """The values of an answer that may state an asked one: nothing beyond a range that the answer gives.

    "6개월 이상 이용하신 회원" covers 120개월, but in the answer on a loan of "3개월 ~ 60개월" it describes the borrower.
    `has_passed`: the asked value is time that has passed, which no span of terms limits.
    """
    if asked.dimension in ("money", "count"):
        # Beside "1일 5억원까지", "1일 1억원을 넘게 올리시려면 …" has 5억원 as its upper end.
        most = max((value.high for value in answer if value.high is not None and not value.is_point), default=None)
        if most is None or asked.low is None or asked.low <= most:
            return list(answer)
        return [value for value in answer if not (value.high is None and value.low is not None and value.low < most)]
    spans = [value for value in answer if not (value.is_point or value.low is None or value.high is None)]
    if asked.dimension != "duration" or not spans or has_passed:
        return list(answer)
    return [value for value in answer if not any(_crosses(value, span) for span in spans)]


def _crosses(value: Quantity, span: Quantity) -> bool:
    """Whether an open range overlaps a span without sharing its end; "31일 이상" is the next tier after "8~30일" and does not."""
    if value.unit != span.unit or span.low is None or span.high is None:
        return False
    if value.high is None and value.low is not None:
        return value.low < span.high and value.low != span.low
    return value.low is None and value.high is not None and value.high > span.low and value.high != span.high


def decides(asked: Quantity, answer: Sequence[Quantity]) -> bool:
    """Whether an answer decides a value that it does not state: an age by a threshold, a time by opening hours."""
    if asked.dimension == "time":
        return any(value.low is not None and value.high is not None and not value.is_point for value in answer)
    single = asked.is_point or asked.text.endswith("대") or asked.text.startswith("미성년")
    return asked.dimension == "age" and single and any(not value.is_point for value in answer)


def agrees(asked: Quantity, row: Quantity) -> bool | None:
    """Whether the asked value equals the row's or lies within it; None if they cannot be compared or overlap only in part."""
    if asked.dimension == "date":
        return _same_date(asked, row)
    if asked.unit != row.unit:
        # Customers say 일 where the bank means 영업일: equal numbers agree, others cannot be compared.
        if "business_day" in (asked.unit, row.unit):
            return True if asked.low == row.low and asked.high == row.high else None
        if asked.dimension == "time":
            # One of the two does not say morning or afternoon: "11시" may be 23:00.
            asked, row = (each.converted("clock12", lambda end: end % 720) for each in (asked, row))
        else:
            asked, row = _in_days(asked), _in_days(row)
    # Equal ends agree even if one is exclusive: a customer's "10만원 이상" is the row's "10만원 초과".
    if row.covers(asked) or (asked.low, asked.high) == (row.low, row.high):
        return True
    # A range with one end agrees with a range that has the same end: "10만원부터" and "10만원부터 5천만원까지".
    if (asked.high is None and asked.low == row.low) or (asked.low is None and asked.high == row.high):
        return True
    # "30번 넘게" is beyond "월 30회까지", which is what the row says on it.
    if asked.unit == "회" and asked.high is None and row.low in (None, row.high) and asked.low == row.high:
        return True
    if asked.dimension == "age" and asked.text.startswith("미성년"):
        return None
    # A group like "중학생" agrees with "만 14세 이상": the row says which members of the group qualify.
    is_group = asked.dimension == "age" and not any(map(str.isdigit, asked.text))
    if is_group and row.high is None and _overlap(asked, row):
        return True
    if row.is_point and not asked.is_point and asked.covers(row):
        return True if row.low in (asked.low, asked.high) else None
    if asked.unit == "days":
        # Months were converted to days, so a tolerance applies; 89일 and 90일 are not converted and differ.
        if asked.is_point and row.is_point:
            return _is_near(asked.low, row.low)
        if asked.low is None and row.low is None:
            return _is_near(asked.high, row.high)
        # "한 달" beside "8~30일", "두 달" beside "최대 60일".
        if asked.is_point:
            return _is_near(asked.low, row.low) or _is_near(asked.low, row.high)
    return False


def has_end_of(asked: Quantity, row: Quantity) -> bool:
    """Whether two values of one kind have an end in common; durations in different units may differ by _TOLERANCE."""
    if asked.ends & row.ends:
        return True
    asked, row = _in_days(asked), _in_days(row)
    return asked.unit == row.unit == "days" and any(_is_near(one, other) for one in asked.ends for other in row.ends)


def is_beyond(asked: Quantity, limit: Quantity, *, over: bool = False) -> bool:
    """Whether a duration is longer than an upper limit; with `over` an equal one is, too ("14일 지났는데")."""
    asked, limit = _in_days(asked), _in_days(limit)
    if asked.low is None or limit.high is None or asked.unit != limit.unit:
        return False
    return over if _is_near(asked.low, limit.high) else asked.low > limit.high


def _is_near(one: Decimal | None, other: Decimal | None) -> bool:
    """Whether two durations differ by at most _TOLERANCE."""
    return one is not None and other is not None and abs(one - other) <= _TOLERANCE * max(one, other)


def _overlap(first: Quantity, second: Quantity) -> bool:
    """Whether two ranges have a value in common."""

    def ends_before(one: Quantity, other: Quantity) -> bool:
        if one.high is None or other.low is None:
            return False
        return one.high < other.low or (one.high == other.low and not (one.high_closed and other.low_closed))

    return not ends_before(first, second) and not ends_before(second, first)


def _is_period(question: str, quantity: Quantity) -> bool:
    """Whether a quantity is the period or unit that a limit or price applies to: "1일 한도", "1회에", "1인"."""
    single = quantity.is_point and quantity.low == (12 if _YEARLY.match(quantity.text) else 1)
    often = (quantity.dimension == "count" and quantity.unit in ("회", "명")) or quantity.unit in ("day", "month")
    return single and often and (quantity.unit == "명" or _PER.match(question, quantity.end) is not None)


def _in_days(quantity: Quantity) -> Quantity:
    factor = _DAYS.get(quantity.unit)
    return quantity if factor is None else quantity.converted("days", lambda end: end * factor)


def _same_date(asked: Quantity, row: Quantity) -> bool | None:
    """Whether two dates agree: by year, and by month if both have one. None if only one has a year.

    Days of any year agree if they are equal or the row's period covers the asked one ("3월 5일" with "3월 2일~4월 20일").
    """
    first, second = asked.low or asked.high, row.low or row.high
    if first is None or second is None or (first < 10000) != (second < 10000):
        return None
    if first < 10000:
        is_period = row.low is not None and row.high is not None
        is_within_month = first // 100 == second // 100 > 0 and not (first % 100 and second % 100)
        return True if is_within_month or (is_period and row.covers(asked)) else None
    if first // 10000 != second // 10000:
        return False
    months = first // 100 % 100, second // 100 % 100
    if not all(months) or months[0] == months[1]:
        return True
    # Another month of the same year agrees with a period that covers it: "2025년 8월" with "2025년 7월 1일부터".
    return (row.high is None and months[0] > months[1]) or (row.low is None and months[0] < months[1])
