"""Recognises messages that only add the customer's own case to the rows shown: "20일 됐어요", "연봉 2200", "5개월 된 사업자도
되나요".

Such a message cannot be searched for by itself, because many rows contain its value. So the rows shown before are offered
again, unless one of their sentences answers for that value. Small talk with a number ("여자친구랑 100일 됐어요") is different:
beside the value, a message on the customer's case contains only words about customers, or words of the previous question or the
rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.constraints.aspects import ASPECT_OF
from rag.constraints.everyday_values import values_of
from rag.conversation.shown_rows import holds_subject
from rag.conversation.word_rules import nouns, plain, says
from rag.korean import compact, syllables_ending_in
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.rows import row_id
from rag.types import Note, Turn

_OWN = re.compile(
    r"연봉|연?소득|월?급여|월급|수입|매출|나이|신용|점수|평점|등급|재직|직장|회사|입사|취업|사업|창업|개업|경력"
    r"|근속|보증금|전세|시세|집값|주택|차량?$"
    r"|주행|가입|신청|발급|개설|구매|접수|등록|사용|이용|만기|연체|납입|예치|계약|실행|결혼|혼인|자녀|아이$|아들"
    r"|딸$|남편|아내|부모|어머니|아버지|할머니|할아버지"
    r"|엄마|아빠|외국인|학생|군인|주부|직장인|프리랜서|올해|작년|내년|최근|요즘|이번|하루|한달|매달|매월|저는$"
    r"|제가$|나는$|벌써$|이사한|받은|보낸|만든|빌린|넣은|맡긴|갚은|바꾼|한도|법$|규정|제도|기준|정책"
)
"""Beginnings of nouns for the customer's situation and for times."""
_PART = re.compile(r"(?<![가-힣])(?:일부|전액|절반|반만|조금|나눠|나누어|여러\s?번|한\s?번에|중간에|미리|도중에)")
_ASKING = re.compile(
    r"[가-힣]+\s?수\s?[는도가]?\s?[있없][가-힣]*|(?<![가-힣])(?:가능|되[나는죠]|돼|될까|안\s?[되돼])[가-힣]*|(?<![가-힣])[된한산]\s"
    r"|(?<![가-힣])(?:째|쯤|정도|밖에|인데|짜리)[가-힣]*"
)
"""The verbs of such a question, and words after its value."""
_STATED = re.compile(
    rf"\s*(?:정도|쯤|이상|넘게|밖에|째|차|[도이가만])*\s*(?:안|못|다|더|이?\s?조금)?\s*"
    rf"(?:(?:[가-힣]{{0,2}}[{syllables_ending_in('ㅆ')}]|됨|돼가|되가|지남|넘음|남음|다니|이에|예요|이예"
    r"|인데|입니|이요|요|임|이고|이라|거든)[가-힣]*)?[\s?!~.,;ㅜㅠㅋㅎ]*"
)
_CHANGE = re.compile(
    r"(?:바뀌|바뀐|바꼈|변경[되됐된]|달라[지졌진]|오르|오른|올랐|올린|내렸|내린|내리|인상|인하|없어[지졌진]"
    r"|생[기겼긴]|늘[었어]|줄[었어]|폐지|개정|종료|끝[났난나])[가-힣]{0,2}"
    r"(?:던데|는데|다고|다구|대요?|다면서|다며|단데|더라|던가)[가-힣]*(?:\s?(?:들었|하던|하는|그러|해서)[가-힣]*)?[\s?!~.,;ㅜㅠ]*$"
)


def states_case(message: str, before: str = "") -> bool:
    """Whether a message only states a value of the customer's case, or a change that the customer has heard of.

    `before`: the previous question, whose words it may repeat ("대출받은 지 20일 됐어요" after "대출 철회").
    """
    text = plain(message)
    if change := _CHANGE.search(text):
        return _is_own(text[: change.start()], before)
    values = [value for value in values_of(text) if value.dimension not in ("phone", "number")]
    if not values or not _STATED.fullmatch(text[max(value.end for value in values) :]):
        return False
    # Without the verb at the end.
    return _is_own(_without_values(text[: max(value.end for value in values)]), before)


def asks_of_case(message: str, before: str, rows: Sequence[JudgedNode]) -> bool:
    """Whether a message asks about the rows shown before for a value or a part only ("일부만 뺄 수 있나요")."""
    text = plain(message)
    if not (says(message, "asks on") and (values_of(text) or _PART.search(text))):
        return False
    return _is_own(_ASKING.sub(" ", _PART.sub(" ", _without_values(text))), before, rows)


def of_case(message: str) -> bool:
    """Whether a message states a case, or names a value with a unit in a question ("9.5프로 아니었나요?")."""
    values = [value for value in values_of(plain(message)) if value.dimension not in ("phone", "number")]
    is_question = says(message, "asks on") or message.rstrip().endswith(("?", "요"))
    return states_case(message) or bool(values and is_question)


def offer_again(rows: Sequence[JudgedNode], others: Verdict, message: str, last: Turn) -> Verdict:
    """Suggest the rows shown before, followed by those of `others`. `last`: the turn that showed them."""
    by_id = {row_id(hit): hit for hit in (*rows, *(others.ranked if others.status != "declined" else ()))}
    nodes = tuple(hit.judged("suggested") for hit in by_id.values())
    note = Note("already_shown") if last.status == "answered" else None
    return replace(
        others,
        status="suggested",
        reason=None,
        nodes=nodes[:SUGGESTIONS],
        ranked=nodes,
        query=message,
        note=note,
        conflicts=(),
    )


def _without_values(text: str) -> str:
    for value in reversed(values_of(text)):
        text = f"{text[: value.start]} {text[value.end :]}"
    return text


def _is_own(text: str, before: str, rows: Sequence[JudgedNode] = ()) -> bool:
    """Whether all nouns of a text are about the customer's situation, aspects, or in the previous question or the rows."""
    asked = compact(before)
    return all(
        _OWN.match(word)
        or word in ASPECT_OF
        or compact(word) in asked
        or (says(word, "product word") and word[:2] in asked)
        or any(holds_subject(row, word) for row in rows)
        for word in nouns(text)
    )
