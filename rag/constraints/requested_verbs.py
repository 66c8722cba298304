"""Does a row explain the action that a customer requests in an everyday verb, such as pausing in "자동매수 잠깐 멈추려면"?

The row must contain the verb of the request ("…려면", "…고 싶어요", "… 주세요", "…는 법") or one of the words that banks use for
it (requested_verbs.tsv). A row is also excluded if its question names the opposite action (opposite_verbs.tsv).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from rag.constraints.conjugation import conjugate
from rag.data_files import read_table, read_toml
from rag.korean import compact

MAY_REQUEST = re.compile(
    r"싶|고\s?자|려[면고는구]|기(?=\s|$|[?.!])|게\s?(?:해|하)|는\s?(?:법|방법|메뉴|거)|(?<!할)(?<!할\s)수\s?있|래|게요?(?=\s|$)"
    r"|[ㄱ-힣]\s?방법|주세|주실|주라|주나|주시나|줄\s?수|줘|면\s(?:\S+\s){0,3}?(?:알림|문자|연락|통보)|달라|야\s?[돼되해]|도\s?[돼되]"
)
"""Matches every question that contains a request in a verb of requested_verbs.tsv: a fast first check."""
_PRICE = re.compile(r"(?:매수|매도|매입)\s?(?:평균)?(?:단가|가격|가(?![가-힣]))")
"""Names of prices in an answer, which say nothing of what is done."""
_TOLD = re.compile(r"\S*[았었였했됐랐렸갔왔났졌셨켰뒀줬꿨](?:는데|지만|으니까?|더니|거든요?)(?=[\s,]+\S)")
"""Tells what has happened, before what is asked for: "연봉이 올랐는데 이자 깎아 주세요"."""
_MAX_AFTER = 8
"""Characters after a request, at most, for it to be the end of its question."""
_NOUN_FORMS = ("사다", "파다")
"""Verbs of which the form in -기 is another word: 사기 (fraud), 파기 (destroying data)."""
_VALUE = re.compile(
    r"\d|만\s?원|얼[마만]|언제|몇|며칠|한도|수수료|이율|이자|금리|서류|자격|조건|기준|대상|횟수|혜택|차이|종류|이유|왜|뭐가|무엇이"
    r"|세율|세금|시간|기간|기한"
)
_OFFERED = re.compile(r"주는\s?(?:\S{1,8}\s)?\S{1,10}?\s?(?:있|없)")
"""Asks whether there is something that does it for the customer: "알아서 사 주는 주문 있나요"."""
_HOW = re.compile(
    r"면 .*어떻게 되|어떻게 (?:하|해|신청|받|등록|변경|이용)|방법|절차|려면|수 있|[을를] 신청|신청은|할 수|가능"
)


@cache
def words_by_verb() -> Mapping[str, tuple[str, ...]]:
    """The verbs of requested_verbs.tsv, each with the words that a row may use instead: verbal nouns also as native verbs."""
    native: Mapping[str, list[str]] = read_toml(__package__, "verbal_nouns.toml")["native"]
    return {
        verb: tuple(form for word in words.split() for form in (word, *native.get(word, ())))
        for verb, words in read_table(__package__, "requested_verbs.tsv")
    }


@cache
def _requests() -> re.Pattern[str]:
    """Matches a request; the group that matches is named after its verb."""
    # Longer verbs first, because 앞당기다 contains 당기다.
    verbs = sorted(words_by_verb(), key=lambda verb: -len(verb))
    forms = "|".join(f"(?P<{verb}>{_request_forms(verb)})" for verb in verbs)
    return re.compile(rf"(?:(?<![가-힣])|(?<=[을를은는이가도])|(?<=만)(?!들))(?:{forms})")


def _request_forms(verb: str) -> str:
    """A pattern of the forms of a verb that express a request."""
    forms = conjugate(verb)
    return "|".join(
        (
            rf"{forms.stem}고\s?(?:싶|자\s?하)",
            *(() if verb in _NOUN_FORMS else (rf"{forms.stem}기(?=\s|$|[?.!])(?!\s?(?:전|때문|위))",)),
            rf"{forms.stem}게\s?(?:해|하려|하고\s?싶)",
            rf"{forms.present}는\s?(?:법|방법|메뉴|거\s?(?:어떻|어디|어케|되|돼))",
            rf"{forms.intention}려(?:면|고\s?(?:하|해|합|요|$)|는데|구)",
            rf"{forms.future}\s?(?:수\s?있|래요?|게요?(?=\s|$)|방법)",
            rf"{forms.connective}\s?(?:두|놓|버리)(?:고\s?싶|려면|는\s?(?:법|방법))",
            rf"{forms.intention}면\s(?:\S+\s){{0,3}}?(?:알림|알림톡|문자|연락|통보)[이도은]?\s?(?:가|안\s?가|[가-힣]{{0,2}}\s?간다)",
            rf"{forms.connective}\s?(?:주세|주실|주라|주나|주시나|줄\s?수|줘|달라|야\s?(?:돼|되|해)(?!나)|도\s?[돼되])",
        )
    )


@lru_cache(maxsize=1024)
def requested_verbs(question: str) -> tuple[str, ...]:
    """The everyday verbs in which a question requests an action, in dictionary form and text order.

    In a question that asks for a value only a request at its end counts: "옮기려면 수수료 얼마" asks for an amount.
    """
    asks_value = _VALUE.search(question) is not None
    verbs = []
    for match in _requests().finditer(question):
        after = question[match.end() :]
        if match.lastgroup and not (asks_value and (len(after) > _MAX_AFTER or _VALUE.search(after))):
            verbs.append(match.lastgroup)
    return tuple(verbs)


def lacks_request(question: str, row_question: str, steps: str) -> bool:
    """Whether a question requests actions and a row contains neither a verb of the question nor another word for it.

    `steps`: the part of the row's answer that says what to do. It does not count for a row whose question asks for a value
    ("횟수는 어떻게 되나요"), unless the customer asks for a value, too.
    """
    verbs = requested_verbs(question)
    if not verbs or set(verbs) & set(requested_verbs(row_question)):
        return False
    states_value = _VALUE.search(row_question) and not (_HOW.search(row_question) or _VALUE.search(question))
    row = compact(row_question if states_value else f"{row_question} {steps}")
    if any(word in row for verb in verbs for word in words_by_verb()[verb]):
        return False
    return _verbs_in(steps).isdisjoint(verbs)


@lru_cache(maxsize=4096)
def _verbs_in(steps: str) -> frozenset[str]:
    """The everyday verbs of all requests in a text."""
    return frozenset(match.lastgroup for match in _requests().finditer(steps) if match.lastgroup)


@cache
def _opposites() -> tuple[tuple[re.Pattern[str], ...], ...]:
    """The pairs of opposite_verbs.tsv, each as a pattern per side."""
    return tuple(
        tuple(
            re.compile("|".join(_all_forms(word) if word.endswith("다") else word for word in words.split()))
            for words in sides
        )
        for sides in read_table(__package__, "opposite_verbs.tsv")
    )


def _all_forms(verb: str) -> str:
    """A pattern of all forms of a verb, from the beginning of a word."""
    forms = conjugate(verb)
    patterns = (
        rf"{forms.stem}(?:고\s?싶|기(?=\s|$|[?.])|게\s?(?:해|하)|자마자)",
        rf"{forms.present}는",
        rf"{forms.intention}(?:려|면)",
        rf"{forms.future}\s?(?:수|때|땐|래|게요?(?=\s|$)|까|경우|[거것건걸](?=\s|$))",
        rf"{forms.connective}(?:주|줘|달|서(?=\s)|야|도|두|둘|놓|놨|버리|지)",
        forms.past,
        rf"{forms.modifier}(?=\s|거|것|걸|뒤|후|지|줄)",
    )
    return rf"(?<![가-힣])(?:{'|'.join(patterns)})"


@lru_cache(maxsize=4096)
def _named_sides(text: str) -> frozenset[tuple[int, int]]:
    """(pair, side) for each side of the pairs of opposite_verbs.tsv that a text names; sides are 0 and 1."""
    return frozenset(
        (pair, side)
        for pair, sides in enumerate(_opposites())
        for side, pattern in enumerate(sides)
        if pattern.search(text)
    )


def is_opposite(question: str, row_question: str, row_answer: str) -> bool:
    """Whether a row's question names the opposite of an action in the question, and the row nowhere that action itself.

    A row on 켜다 is the opposite of "끄는 법"; of a question that names both sides no row is.
    """
    if not (asked := _named_sides(_TOLD.sub("", question))):
        return False
    own, answer = _named_sides(row_question), _named_sides(_PRICE.sub("", row_answer))
    # A row whose question names neither side of a request is on the one that the first sentence of its answer names.
    is_request = requested_verbs(question) or _OFFERED.search(question)
    first = _named_sides(row_answer.partition(". ")[0].partition("\n")[0]) if is_request else ()
    own |= {(pair, side) for pair, side in first if not own & {(pair, 0), (pair, 1)}}
    return any(
        (pair, 1 - side) not in asked
        and (pair, 1 - side) in own
        and (pair, side) not in own
        and (pair, side) not in answer
        for pair, side in asked
    )
