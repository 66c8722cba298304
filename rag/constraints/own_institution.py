"""A question in the words by which rows refer to their own institution and to others: "당행", "같은 은행", "다른 은행"."""

from __future__ import annotations

import re
from functools import lru_cache

from rag.constraints.compounds import everyday_names
from rag.constraints.contrasts import members_of
from rag.constraints.directions import USED_AT
from rag.constraints.institution_list import MACHINE

_OWN, _OTHERS = ("same_institution", "당행"), ("same_institution", "타행")
_PLACE = rf"(?:{MACHINE}|기계|지점|창구|영업점)"

MAY_NAME_PLACE = re.compile(
    rf"같은|다른|{_PLACE}|{USED_AT.pattern}|(?<![가-힣])(?P<name>[가-힣]{{2}}).*(?<![가-힣])(?P=name)", re.IGNORECASE
)
"""Matches each question in which a name is replaced: a fast first check."""


def in_the_rows_words(question: str, row_question: str, row_answer: str, institution: str) -> str:
    """A question with the names of institutions replaced by the words that rows use, where a comparison depends on them.

    `institution`: the row's, or empty. See `_as_own` and `_as_used_elsewhere`.
    """
    return _as_used_elsewhere(_as_own(question, row_question, row_answer, institution), institution)


def _as_own(question: str, row_question: str, row_answer: str, institution: str) -> str:
    """The question with the name of the row's institution replaced by the words that rows use, after "같은" or before "다른".

    "같은 도담 쓰는" becomes "같은 은행 쓰는", and "도담 다른 고객" begins with "당사"; "도담에서 도담으로" is within one. Before
    a machine or a branch it is replaced for a row on those of others alone, too: "도담 ATM" becomes "당행 ATM".
    """
    name = rf"(?<![가-힣]){re.escape(institution[:2])}[가-힣]{{0,4}}?"
    if _OTHERS in members_of(row_question) and _OTHERS not in members_of(question):
        own = r"(?<![가-힣])(?:여기|이\s?은행)" + (f"|{name}" if institution else "")
        place = re.compile(rf"(?:{own})\s?(?:의\s?)?(?={_PLACE})", re.IGNORECASE)
        if _OWN not in members_of(row_answer) and not place.search(row_answer):
            question = place.sub("당행 ", question)
    is_twice = bool(institution) and question.count(institution[:2]) > 1
    if not institution or not (is_twice or "같은" in question or "다른" in question):
        return question
    question = re.sub(rf"({name}\s?(?:계좌|통장)?에서\s?){name}(?=\s?(?:계좌|통장)?으?로)", r"\1같은 은행", question)
    question = re.sub(rf"같은\s?{name}(?=\s|쓰|이용|고객)", "같은 은행", question)
    return re.sub(rf"{name}\s?(?:의\s?)?(?=다른\s(?!은행|금융|증권|저축|보험|카드사|회사|기관|곳))", "당사 ", question)


@lru_cache(maxsize=4096)
def _as_used_elsewhere(question: str, institution: str) -> str:
    """The question with each other institution where a thing is used as 다른 은행: "OTP 카카오뱅크에 등록".

    `institution`: the row's; where it is empty, any name could be its own, and the question stays as it is.
    """
    if institution and USED_AT.search(question):
        for mention in reversed(everyday_names().find(question)):
            if mention.text[:2] != institution[:2] and USED_AT.match(question, mention.end):
                question = f"{question[: mention.start]}다른 은행{question[mention.end :]}"
    return question
