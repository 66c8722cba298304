"""Metadata as columns, for filters: each distinct value of a key is judged once, and the verdicts spread over the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from llama_index.core.vector_stores.types import FilterCondition
from numpy.typing import NDArray

from rag.stores.filters import Clause, Group, Scalar, holds, scalar

Mask = NDArray[np.bool_]
_MISSING = -1


@dataclass(frozen=True, slots=True)
class Column:
    """One key: `codes` (n,) int32 number each row's value in `values` (a dictionary kept in that order), -1 is missing."""

    codes: NDArray[np.int32]
    values: Mapping[Scalar, int]

    def where(self, verdict: Callable[[Scalar | None], bool]) -> Mask:
        """(n,) the verdict on each row's value (None: missing)."""
        verdicts = [verdict(value) for value in self.values]
        return np.array([*verdicts, verdict(None)], np.bool_)[self.codes]  # -1 takes the last

    def updated(self, kept: Mask, values: Sequence[Scalar | None]) -> Column:
        """The column of the rows where `kept`, followed by new rows."""
        numbers = dict(self.values)
        codes = [_MISSING if value is None else numbers.setdefault(value, len(numbers)) for value in values]
        return Column(np.concatenate([self.codes[kept], np.array(codes, np.int32)]), numbers)


class Columns:
    """All keys of an index's metadata. Immutable but for the masks it remembers."""

    _REMEMBERED = 256

    def __init__(self, rows: int, columns: Mapping[str, Column]) -> None:
        self._rows = rows
        self._columns = columns
        self._masks: dict[Group, Mask] = {}

    def updated(self, kept: Mask, metadata: Sequence[Mapping[str, Any]]) -> Columns:
        """The columns of the rows where `kept`, followed by new rows with this metadata."""
        rows = int(np.count_nonzero(kept)) + len(metadata)
        keys = dict.fromkeys([*self._columns, *(key for row in metadata for key in row)])
        empty = Column(np.full(self._rows, _MISSING, np.int32), {})
        return Columns(
            rows,
            {
                key: self._columns.get(key, empty).updated(kept, [scalar(row.get(key)) for row in metadata])
                for key in keys
            },
        )

    def select(self, filters: Group) -> Mask | None:
        """(n,) the rows that pass; None for all of them. Do not write into it."""
        if not filters.children:
            return None
        mask = self._masks.get(filters)
        if mask is None:
            if len(self._masks) >= self._REMEMBERED:
                self._masks.clear()
            mask = self._masks[filters] = self._select(filters)
        return mask

    def strings(self, key: str) -> list[str]:
        """The distinct strings some row has under this key, sorted."""
        column = self._columns.get(key)
        if column is None:
            return []
        used = set(column.codes.tolist())
        return sorted(str(value) for (kind, value), code in column.values.items() if kind == "string" and code in used)

    def _select(self, node: Clause | Group) -> Mask:
        if isinstance(node, Clause):
            column = self._columns.get(node.key)
            if column is None:
                return np.full(self._rows, holds(node, None))
            return column.where(lambda value: holds(node, value))
        if not node.children:
            return np.ones(self._rows, np.bool_)
        masks = np.stack([self._select(child) for child in node.children])
        match node.condition:
            case FilterCondition.AND:
                return np.asarray(masks.all(axis=0))
            case FilterCondition.OR:
                return np.asarray(masks.any(axis=0))
            case FilterCondition.NOT:
                return np.asarray(~masks.any(axis=0))
