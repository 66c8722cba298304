"""Does a row state what is asked for the particular value in a question: the fee for 70만원, in a row with tiers up to 50만원?

It is not enough that a row covers the value somewhere: "최대 500만원까지" does not state a fee. If some clauses state what is
asked beside values of the same kind, one of these clauses must cover the value. What is asked is the noun before the question
word ("기본금리 몇 프로"), a value ("얼마") or a period ("언제부터 언제까지"). An amount is of the same kind only if its
name is: 연봉 and 소득, but not 시가.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

from rag.constraints.asked_values import AskedValue, asked_values
from rag.constraints.aspects import ASPECT
from rag.constraints.everyday_values import values_of
from rag.constraints.quantities import Quantity
from rag.constraints.value_agreement import families, holds
from rag.data_files import read_table
from rag.korean import compact, sentences

_CONNECTIVE = re.compile(r"(?<=[가-힣])(?:며|고|지만|으나),?\s+")
"""Ends a clause within a sentence. A comma alone does not: it separates the values of a list ("6개월 3.05%, 12개월 3.35%")."""
_NOUN = re.compile(
    r"(?P<noun>[가-힣]{2,10}?)(?:은|는|이|가|을|를|도)?(?:요|\s?좀)?\s?(?:(?:정확히|대략|보통|총|연)\s)?"
    r"(?:얼[마만]|몇|(?:어떻게|어케|어찌)\s?[돼되됨]|뭐|무엇|며칠|언제|알려|궁금|[?？]?\s*$)"
)
_SPAN_ASKED = re.compile(
    r"(?:언제|며칠|몇\s?일|몇\s?월)\S{0,2}부터.{0,12}?(?:언제|며칠|몇\s?일|몇\s?월)\S{0,2}까지|언제\s?(?:쓴|쓰는|사용|이용|결제한|긁은)"
)
_SPAN = re.compile(r"부터[^.\n]{1,20}까지|(?:[월일]|말일)\s?[~∼〜]\s?(?:\S{1,4}\s)?(?:\d|말일)")
_CASE = re.compile(r"면|때|경우|[:：→]|[은는]\s")
"""Stands between two rates of which the first is the condition of the second."""
_NAME = re.compile(r"(?P<name>[가-힣A-Za-z]{2,12}?)(?P<particle>이|가|은|는|을|를|에|도)?\s?$")
_NAME_SPAN = 16
"""Characters before a value in which its name is searched."""
_ADVERB = re.compile(
    r"(?:에서|으로|에게|까지|부터|마다|하고|해서|번에|달에|하루|매[월달년]|최[대소고저]|적어도|겨우|오늘|내일|이번|지난\S*|혹시|저는?|제가|만약"
    r"|[은는한된던할될]지|가입|동안|[면서고데])$"
)
_KINDS = ("money", "sum", "rate")
_FREE = re.compile(r"무료|면제|무이자|없습니다|없으며|없고|않습니다|않으며")


def asks_for_span(question: str) -> bool:
    """Whether a question asks for the first and last day of a period: "언제부터 언제까지 쓴 돈이에요"."""
    return _SPAN_ASKED.search(question) is not None


def is_left_out(question: str, value: Quantity, answer: str) -> bool:
    """Whether an answer covers a value, but states what is asked only for other values.

    For "신용융자 60일 이자율" that is "1~7일 연 4.8%, 8~30일 연 7.2%입니다. 30일을 넘는 연장은 문의해 주세요."
    """
    [family] = families([value])
    parts = [answer[start:end] for start, end in clauses(answer)]
    by_value = [(part, same_kind) for part in parts if (same_kind := families(values_of(part)).get(family))]
    if not any(holds(value, same_kind) for _, same_kind in by_value):
        return False
    asked = [each for each in asked_values(question) if each.kind in _KINDS]
    is_span, noun = asks_for_span(question), asked_noun(question)
    answering = [
        (clause, conditions)
        for clause, same_kind in by_value
        for conditions in (_conditions(clause, same_kind),)
        if any(_states_beside(each, clause, same_kind, conditions) for each in asked)
        or (is_span and _SPAN.search(clause))
        or (noun and not asked and noun in compact(clause))
    ]
    # Clauses that name the noun take precedence: "기본금리" is not "우대금리".
    if noun and (naming := [each for each in answering if noun in compact(each[0])]):
        answering = naming
    if not answering and value.dimension == "money":
        return any(each.kind == "money" for each in asked)
    return bool(answering) and not any(holds(value, same_kind) for _, same_kind in answering)


@lru_cache(maxsize=1024)
def asked_noun(question: str) -> str:
    """The last compound noun before a question word that ends in an aspect ("이용기간"); empty if there is none."""
    nouns = [match["noun"] for match in _NOUN.finditer(question)]
    return next((noun for noun in reversed(nouns) if re.search(rf"{ASPECT}$", noun)), "")


@lru_cache(maxsize=4096)
def clauses(text: str) -> tuple[tuple[int, int], ...]:
    """(start, end) offsets of the clauses of a text, which they cover without gaps."""
    spans = []
    for start, end in sentences(text):
        for match in _CONNECTIVE.finditer(text, start, end):
            spans.append((start, match.end()))
            start = match.end()
        spans.append((start, end))
    return tuple(spans)


def _conditions(clause: str, same_kind: list[Quantity]) -> list[Quantity]:
    """The values of one kind in a clause that it applies to.

    These are all of them, but of several rates the last one is what applies: "20%를 고르면 연 17.5%".
    """
    first, last = same_kind[0], same_kind[-1]
    is_last_stated = first.dimension == "rate" and _CASE.search(clause[first.end : last.start])
    return same_kind[:-1] if is_last_stated else same_kind


def _states_beside(asked: AskedValue, clause: str, same_kind: list[Quantity], conditions: list[Quantity]) -> bool:
    """Whether a clause states a value of the asked kind in addition to the `conditions` among `same_kind`."""
    if _FREE.search(clause):
        return True
    others = [value for value in values_of(clause) if value not in conditions]
    dimensions = ("rate",) if asked.kind == "rate" else ("money", "rate")
    if any(value.dimension in dimensions for value in others):
        return True
    return asked.kind != "rate" and same_kind[0].dimension == "money" and len(same_kind) > 1


def name_before(before: str) -> str:
    """The name of a value: the last word before it, without its particle; empty for an adverb or no word."""
    match = _NAME.search(before)
    if match is None or _ADVERB.search(match["name"] + (match["particle"] or "")) or _ADVERB.search(match["name"]):
        return ""
    return match["name"]


def is_other_sum(question: str, value: Quantity, row: str, held: Quantity) -> bool:
    """Whether the question names the kind of its amount ("연봉 8천만원") and the clause with the row's amount does not."""
    if value.dimension != "money":
        return False
    names = _sum_names().get(name_before(question[max(0, value.start - _NAME_SPAN) : value.start]))
    if names is None:
        return False
    clause = next(row[start:end] for start, end in clauses(row) if start <= held.start < end)
    return not any(name in clause for name in names)


@cache
def _sum_names() -> Mapping[str, Sequence[str]]:
    """Each name in quantity_names.tsv with all names of the same kind of amount."""
    groups = [names.split("|") for (names,) in read_table(__package__, "quantity_names.tsv")]
    return {name: names for names in groups for name in names}
