"""What a question says of its values: which determine what it is about, and which the customer only mentions.

Two kinds of values determine what a question is about: a value of a dimension that the row's question contains, too, and, if it
contains none, ages, grades and terms of a product ("3년 만기", "24개월 할부"). A value that the customer only mentions ("20만원을
잘못 보냈어요", "카드 5개 있는데", "3일째") does not. How values compare is `rag.constraints.value_agreement`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.constraints.quantities import Quantity

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


def _is_period(question: str, quantity: Quantity) -> bool:
    """Whether a quantity is the period or unit that a limit or price applies to: "1일 한도", "1회에", "1인"."""
    single = quantity.is_point and quantity.low == (12 if _YEARLY.match(quantity.text) else 1)
    often = (quantity.dimension == "count" and quantity.unit in ("회", "명")) or quantity.unit in ("day", "month")
    return single and often and (quantity.unit == "명" or _PER.match(question, quantity.end) is not None)
