"""Which values of a question does a row state, and which not? Values beside a limit: `rag.constraints.bounds`."""

from __future__ import annotations

from rag.constraints.agreement import without_notes
from rag.constraints.asked_values import is_left_out
from rag.constraints.contrasts import members_of
from rag.constraints.everyday_values import values_of
from rag.constraints.quantities import Quantity
from rag.constraints.value_agreement import (
    comparable,
    decides,
    families,
    holds,
    is_incidental,
    pins,
    stated,
)

_EARLY = ("maturity", "만기전")
"""A row on ending something early names how long it was held, and no term of a product ("3년짜리")."""


def share_held(text: str, row_question: str, row_answer: str) -> float:
    """The share of a text's values that a row states or covers, 0..1; 0 without any."""
    asked = comparable(text, values_of(text))
    if not asked:
        return 0.0
    row = families([*values_of(row_question), *values_of(row_answer)])
    held = [holds(value, row.get(family, [])) for family, values in families(asked).items() for value in values]
    return sum(held) / len(held)


def values_not_held(text: str, row_question: str, row_answer: str) -> list[Quantity]:
    """The values a text asks about, not merely tells of, that a row states nowhere but in notes."""
    asked = [value for value in comparable(text, values_of(text)) if not is_incidental(text, value)]
    if not asked:
        return []
    # A note names values of other things ("※ 1만불을 초과하면 국세청에 통보됩니다").
    answer = without_notes(row_answer)
    own, row = (families(values_of(row_text)) for row_text in (row_question, f"{row_question}\n{answer}"))
    names_no_term = _EARLY in members_of(row_question) and _EARLY not in members_of(text)

    def is_held(family: str, value: Quantity) -> bool:
        if names_no_term and value.dimension == "duration" and pins(text, value):
            return False
        if not holds(value, own.get(family, [])) and is_left_out(text, value, answer):
            return False
        values = row.get(family, [])
        return (
            holds(value, stated(value, values))
            # A row need not say how long a number is, unless it has a rule on lengths.
            or (value.dimension == "length" and not values)
            or (value.dimension == "time" and decides(value, values))
        )

    return [value for family, values in families(asked).items() for value in values if not is_held(family, value)]
