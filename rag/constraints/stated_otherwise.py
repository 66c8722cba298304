"""Values that a row covers without stating them in its text: in a note, by a limit on age that it extends, or as an amount of
which it states a rate.

But for a share, and a table that is for any amount, these count only where the customer asks whether something is right or
possible, never where one of several amounts is asked for.
"""

from __future__ import annotations

import re
from decimal import Decimal

from rag.constraints.asked_values import asked_values
from rag.constraints.contrasts import OPEN, asks_whether
from rag.constraints.everyday_values import values_of
from rag.constraints.limit_periods import period_before
from rag.constraints.quantities import Quantity
from rag.constraints.stated_for import clauses
from rag.constraints.tables import is_for_any_sum
from rag.constraints.value_agreement import families, has_end_of, holds
from rag.korean import notes, sentence_texts, tokens, without_notes

_SERVICE = re.compile(r"군대|군\s?복무|병역|제대|전역|현역|입대|군필|(?<![가-힣])군\s?(?:생활|에\s?갔|다녀)")
_FROM_AGE = re.compile(r"(?:나이|연령)(?:에서|를|을)?\s?(?:\S{1,6}\s)?(?:빼|뺍|뺀|제외|차감|공제|줄여|낮춰)")
"""A sentence on military service that says that it is subtracted from the age."""
_BASE = re.compile(r"\s?(?:정도|쯤)?\s?(?:이?면|인데|에서|에|의)\s")
_ASKED_BEFORE = re.compile(r"(?:나요|까요|가요|[돼되]요)\s")
_LIMITS, _LEAST = re.compile("한도"), re.compile("최소|최저|이상|부터")
"""Occur in a sentence on limits, and in one with other than upper limits."""
_NAMED = re.compile(r"(?P<name>[가-힣]{2,8}?)(?:이|가|은|는)?\s?$")
_CONFIRMED = re.compile(r"맞[나아죠지는]|거죠|[는은인]지요|[다라]던데|[다라]면서|[다라]는데|진짜|정말|사실")


def is_stated_otherwise(question: str, value: Quantity, row_question: str, row_answer: str) -> bool:
    """Whether a row covers a value of a question on whether something is right or possible in one of these ways."""
    if value.dimension == "money" and (_is_base_of_share(question, value, row_answer) or is_for_any_sum(row_answer)):
        return True
    if asked_values(question) or not (_asks_whether(question) or _CONFIRMED.search(question)):
        return False
    if value.dimension == "age":
        return _is_age_limited(question, value, row_question, row_answer)
    return (
        _is_noted(question, value, row_answer)
        or _is_base_of_rate(question, value, row_answer)
        or _is_within_limits(question, value, row_answer)
    )


def _asks_whether(question: str) -> bool:
    """Whether a question is answered by yes or no, also if words follow it ("뽑히나요 기계에서")."""
    return asks_whether(question) or (OPEN.search(question) is None and _ASKED_BEFORE.search(question) is not None)


def _is_noted(question: str, value: Quantity, answer: str) -> bool:
    """Whether a note states the very value or covers an amount, and shares a word with a question that asks no confirmation."""
    if value.dimension == "length":
        return False
    (family,) = families([value])
    for note in notes(answer):
        same_kind = families(values_of(note)).get(family, [])
        if not holds(value, same_kind):
            continue
        is_equal = any(has_end_of(value, each) for each in same_kind if holds(value, [each]))
        if is_equal and _CONFIRMED.search(question):
            return True
        if (is_equal or value.dimension in ("money", "date")) and set(tokens(question)) & set(tokens(note)):
            return True
    return False


def _is_within_limits(question: str, value: Quantity, answer: str) -> bool:
    """Whether an amount is at most all limits for the same period in the answer ("한도는 1회 100만원, 1일 600만원")."""
    if value.dimension not in ("money", "count") or value.low is None or not value.is_point:
        return False
    (family,) = families([value])
    period = _period(question, value)
    limits = []
    for sentence in sentence_texts(without_notes(answer)):
        if _LIMITS.search(sentence) and not _LEAST.search(sentence):
            limits += [
                each
                for each in families(values_of(sentence)).get(family, [])
                if each.high is not None and (period is None or _period(sentence, each) == period)
            ]
    return bool(limits) and all(value.low <= each.high for each in limits if each.high is not None)


def _period(text: str, value: Quantity) -> str | None:
    match = period_before(text, value.start)
    return match.lastgroup if match else None


def _is_age_limited(question: str, age: Quantity, row_question: str, answer: str) -> bool:
    """Whether a row on an age limit covers an age with the years of military service that it subtracts from it."""
    if not age.is_point or age.low is None:
        return False
    limits = [each for each in values_of(f"{row_question}\n{answer}") if each.dimension == "age" and not each.is_point]
    for sentence in sentence_texts(answer) if _SERVICE.search(question) else ():
        if not (_SERVICE.search(sentence) and _FROM_AGE.search(sentence)):
            continue
        years = [each.high / 12 for each in values_of(sentence) if each.unit == "month" and each.high is not None]
        most = max(years, default=Decimal(0))
        if any(each.high is not None and each.high < age.low <= each.high + most for each in limits):
            return True
    return False


def _is_base_of_rate(question: str, amount: Quantity, answer: str) -> bool:
    """Whether an amount is what a rate in the question applies to ("이자 30만원이면 15.4% 떼나요") and the answer states that
    rate, and no limit on amounts."""
    if amount.dimension != "money" or not amount.is_point or not _BASE.match(question, amount.end):
        return False
    rates = [each for each in values_of(question) if each.dimension == "rate" and each.start > amount.end]
    held = values_of(answer)
    if not rates or not all(holds(rate, [each for each in held if each.unit == rate.unit]) for rate in rates):
        return False
    by_clause = (values_of(answer[start:end]) for start, end in clauses(answer))
    # "50만원 미만은 연 0.1%" states the rate for other amounts.
    return not any(
        any(holds(rate, [each for each in values if each.unit == rate.unit]) for rate in rates)
        and any(each.dimension == "money" and not each.is_point for each in values)
        for values in by_clause
    )


def _is_base_of_share(question: str, amount: Quantity, answer: str) -> bool:
    """Whether an answer states a share of an amount by the name that the question gives it: "보증금 4억이면 얼마까지" and
    "임차보증금의 80%까지"."""
    kinds = {each.kind for each in asked_values(question)}
    if not amount.is_point or not kinds or not kinds <= {"money", "sum"}:
        return False
    name = _NAMED.search(question[: amount.start])
    return (
        name is not None and re.search(rf"{name['name']}의\s?(?:최[대고]|약)?\s?\d+(?:\.\d+)?\s?%", answer) is not None
    )
