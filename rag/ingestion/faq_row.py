"""FaqRow: one entry of an FAQ, as it was read from a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag.ingestion.tables import Value


@dataclass(frozen=True, slots=True)
class FaqRow:
    """One FAQ entry. Dates are ISO or empty. `extra`: additional columns. `file`, `row`: where it was read."""

    id: str
    question: str
    answer: str
    category: str = ""
    bank: str = ""
    source_url: str = ""
    effective_from: str = ""
    effective_until: str = ""
    alternatives: tuple[str, ...] = ()
    extra: Mapping[str, Value] = field(default_factory=dict)
    file: str = ""
    row: int = 0
