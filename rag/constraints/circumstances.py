"""Values of what happened to a customer, in a message that asks for something else: "650만원짜리인데 한도를 어떻게 늘려요".

A clause on what has happened or how things are ("두 번 빠진 건데", "월급날이 21일이라") only says why the customer asks, if the
question is how, where, why or when, or is a wish. A question for an amount, a rate or a count is different: the value may select
one of several ("3년짜리 들었는데 금리 얼마"). So is a question whether something is possible, if the row has such values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.constraints.asked_values import asked_values
from rag.constraints.aspects import ASPECT_OF, asked_aspect
from rag.constraints.contrasts import OPEN, asks_whether
from rag.constraints.quantities import Quantity
from rag.constraints.stated_for import asks_for_span
from rag.constraints.value_agreement import DAYS_OF_MONTH, holds
from rag.korean import syllables_ending_in

_FIRST_YEAR = 10000
"""Dates of a month or day alone are below."""
_DIMENSIONS = ("money", "count", "duration", "rate")
_SELECTED = ("money", "sum", "rate", "count", "age", "grade", "length")
"""Kinds of values asked for that depend on values of the customer's case."""
_SELECTED_ASPECTS = ("수수료", "금리", "한도", "환율", "세금", "우대율", "기간")
_PAST = f"[{re.sub('[있겠]', '', syllables_ending_in('ㅆ'))}]"
"""A syllable with the ending of the past tense."""
_CLAUSE_END = re.compile(
    r"[.?!\n]|[은인건던]데|는데|거든요?|으?니까|더니|지만|네요|나\s?봐요?|(?<=[어아와해라여져려])서(?=[\s,.]|$)|(?<=이)라(?=\s)"
    r"|(?:면|고|대요|[어아와해여져]요|니다)(?=[\s,.!?]|$)"
)
_HAPPENED = re.compile(
    rf"{_PAST}(?:는데|던데|거든요?|으?니까|더니|지만|고|네요?|어요|습니다|대요|다는데|나\s?봐요?)$|[놓둬]고$|고\s?나서$"
)
_DONE = re.compile(
    r"^\S{0,4}\s?(?:\S{1,8}\s)?(?:긁은|끊은|묶인|걸린|빠진|찍힌|받은|보낸|빌린|맡긴|구매한|가입한|이체한|결제한|남은|들어온|들어간"
    r"|나간|나눈|신청한|뽑은|막힌|넣은|(?:넣어|묶어|맡겨|모아)\s?(?:둔|놓은|논)|산|낸|쓴|든|판|번(?=\s?(?:돈|[거건걸게]))|한(?!\s?(?:번|달|명|분|사람|개|장|통|건|주|해|시간|살|곳|가지|푼|도)))(?:\s?[거건걸게]|\s[가-힣])"
)
"""What has happened, in the past tense ("이체해버렸는데") or before a noun ("할부로 긁은 노트북")."""
_STATE = re.compile(
    r"(?:^\s?씩\s?\S{1,6}(?:는데|서|고)|^\s?(?:이|가)?\s?(?:있|남)\S{0,2}(?:는데|던데|서|거든요?)|[에이가을를]\s?\S{1,8}(?:는데|던데|서|거든요?|니까)"
    r"|^\S{0,4}\s?(?:인데|거든요?|라서|이?라|이?니까))$"
)
"""How things are: "통장에 있던데", "650만원짜리인데"."""
_PLANNED = re.compile(r"(?:려|야\s?[하되돼해])(?:는데|고|면)$")
"""What the customer wants to do with an amount: "1억 보내야 되는데"."""
_INTENDED = re.compile(r"(?:려|까지|이상|이하|이내|미만|초과|부터)\S{0,2}(?:는데|니까|고|면)$")
_ON_DAY = re.compile(
    r"^(?:에|\s?날에?)\s?(?:나가|나와|빠[지져]|들어[오와]|출금|결제|이체|받)\S{0,3}(?:는데|서|거든요?|니까|고|요)$"
)
_OWN_DAY = re.compile(r"(?:월급날|급여일|월급|급여|생활비|용돈|연금)(?:이|은|는|가)?\s?(?:매[달월]\s?)?$")
"""Follow and precede a day of the month on which something happens: "9일에 나가는데", "월급날이 21일이라"."""
_ACTION = re.compile(
    r"어떻게(?!\s?[돼되됩])|어케(?!\s?[돼되됨])|어떡|어디|왜|언제|누구|방법|절차|서류|준비물|(?<![가-힣])법(?![가-힣])"
    r"|(?:뭐|뭘|무엇을?|무슨|어떤)\s?(?:\S{1,4}\s)?(?:내|들고|챙|필요|가져|올려|떼|준비|해야|하면)"
    r"|대신\s?(?:\S{1,3}\s)?해\s?(?:주|줘|줄)|(?<!알려)(?<!알려 )(?<!가르쳐)(?:주세요|주실|줘요?(?![가-힣]))|고\s?싶|려고요"
    r"|려[면고]요?[\s?!.~ㅠㅜ]*$"
)
"""Asks how, where, why, when or with which documents, or wishes for something."""
_IN_FULL = re.compile(r"(?<![가-힣])(?:다|전부|전액)\s?(?:보상|나오|나와|돌려|환급|지급|비과세|면제)")
"""Asks whether all of an amount is paid."""
_TARGET = re.compile(r"\s?날?(?:으?로|까지|부터|이후|이전|전에)")
_DAY_WISHED = re.compile(r"\s?날?에?\s?\S{1,6}게\s")
"""Follow what the customer wants to change a date to, and the day on which something shall happen: "10일날 나가게 해 주세요"."""
_REPORT = re.compile(rf"{_PAST}(?:어요|네요?|습니다|대요|음|다)?[\s.~!ㅠㅜ]*$")
_REQUESTED = re.compile(
    r"\s?(?:만|을|를|이|가|씩)?\s?(?:\S{1,3}\s)?(?:떼|뽑|발급|출력|필요|주세요|줘|끊|받|개설|만들|보내|재발급|신청)"
)
_ITEMS = ("장", "통", "개", "부", "건")


def is_circumstance(question: str, value: Quantity, row: Sequence[Quantity]) -> bool:
    """Whether a value only tells what happened to the customer.

    `row`: the values of the same kind in the row's question and answer, notes included.
    """
    if _asks_for_amount(question):
        return False
    end = _CLAUSE_END.search(question, value.end)
    clause, rest = question[value.end : end.end() if end else len(question)], question[end.end() :] if end else ""
    if value.dimension == "date":
        # A month or day of a row may be what is asked about, and "20일로" is what is wished.
        is_day = max(value.ends) <= DAYS_OF_MONTH
        if _TARGET.match(question, value.end) or (is_day and _DAY_WISHED.match(question, value.end)):
            return False
    if _is_day_of_month(question, value, clause) and rest.strip(" ?!."):
        return True
    if value.dimension == "date":
        return max(value.ends) < _FIRST_YEAR and (not row or _ACTION.search(question) is not None)
    if value.dimension not in _DIMENSIONS:
        return False
    if _is_request(question, value, row):
        return True
    if _PLANNED.search(clause) and _ACTION.search(rest):
        return not row or holds(value, row)
    has_happened = _HAPPENED.search(clause) is not None or _DONE.match(question[value.end :]) is not None
    if not has_happened and not (_STATE.search(clause) and not _INTENDED.search(clause)):
        return False
    if _ACTION.search(question):
        return True
    asks_on = not OPEN.search(question) and (asks_whether(question) or _REPORT.search(question) is not None)
    return asks_on and has_happened and not row


def _asks_for_amount(question: str) -> bool:
    if (
        asks_for_span(question)
        or _IN_FULL.search(question)
        or any(each.kind in _SELECTED for each in asked_values(question))
    ):
        return True
    return ASPECT_OF.get(asked_aspect(question)) in _SELECTED_ASPECTS and not _ACTION.search(question)


def _is_request(question: str, value: Quantity, row: Sequence[Quantity]) -> bool:
    """Whether a count is the number of things that the customer wants: "잔액증명서 두 장만 떼주세요"."""
    if value.dimension != "count" or value.unit not in _ITEMS or not value.is_point:
        return False
    if not _REQUESTED.match(question, value.end):
        return False
    return value.low == 1 or not (asks_whether(question) or any(not each.is_point for each in row))


def _is_day_of_month(question: str, value: Quantity, clause: str) -> bool:
    """Whether a value followed by `clause` is a day on which the customer is paid or pays."""
    is_date = value.dimension == "date" and max(value.ends) <= DAYS_OF_MONTH
    if not (is_date or value.unit == "day") or not value.text.endswith("일"):
        return False
    is_own = _STATE.search(clause) is not None and _OWN_DAY.search(question[: value.start]) is not None
    return is_own or _ON_DAY.search(clause) is not None
