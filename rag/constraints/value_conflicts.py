"""All checks of the values of a question against those of a row that tell of another value: see the modules that it imports."""

from __future__ import annotations

import re

from rag.constraints.everyday_values import values_of
from rag.constraints.mentioned_values import comparable, determines, is_incidental
from rag.constraints.named_numbers import other_marks, other_numbers
from rag.constraints.pinned_values import other_pinned
from rag.constraints.value_agreement import excludes, families, families_of_row, holds, scope
from rag.constraints.value_sides import other_sides

MAY_COMPARE = re.compile(r"만기|기간|반기|째\s?주|마지막|[A-Za-z]\s?-?(?:클래스|형|타입|등급|코스|플랜)")
"""Matches every question without a value for which `compare_values` finds something: a fast first check."""


def compare_values(
    question: str, part: str, row_question: str, row_answer: str
) -> tuple[list[str], list[tuple[str, str, str]]]:
    """(agreed, conflicts): the asked values that the row's question or answer states, and (dimension, asked, held) for each that
    the row has another value of.

    `part`: the part of the question that asks.
    """
    row = row_question, row_answer
    others = [*other_sides(part, *row), *other_marks(part, "\n".join(row))]
    if not values_of(question):
        return [], others
    agreed, conflicts = _in_scope(part, *row)
    others += [*other_numbers(part, *row), *other_pinned(question, *row)]
    return agreed, [*conflicts, *(each for each in others if each[:2] not in {known[:2] for known in conflicts})]


def _in_scope(question: str, row_question: str, row_answer: str) -> tuple[list[str], list[tuple[str, str, str]]]:
    """(agreed, conflicts) of the values that the row's question or answer states, and of those outside the row's scope."""
    agreed: list[str] = []
    conflicts: list[tuple[str, str, str]] = []
    asked = comparable(question, values_of(question))
    own = families_of_row(scope(row_question, values_of(row_question))) if asked else {}
    answer = families_of_row(values_of(row_answer)) if asked else {}
    for family, values in families(asked).items():
        for value in values:
            # How long ago something happened matters for a row whose scope is such a period ("30일 이내인").
            is_asked = value.dimension == "duration" or not is_incidental(question, value)
            if is_asked and excludes(own.get(family, []), value):
                conflicts.append((value.dimension, value.text, ", ".join(row.text for row in own[family])))
            elif holds(value, own.get(family, [])) or (
                determines(question, value) and holds(value, answer.get(family, []))
            ):
                agreed.append(value.text)
    return agreed, conflicts
