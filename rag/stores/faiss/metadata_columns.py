"""Metadata of an index as columns, for filters: what each key holds, and which rows pass. Derived from the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from llama_index.core.vector_stores.types import FilterCondition
from numpy.typing import NDArray

from rag.stores.bm25 import Mask
from rag.stores.filters import Clause, Group, Scalar, holds, scalar

MISSING: Final = -1


@dataclass(frozen=True, slots=True)
class MetadataColumn:
    """One key: `codes` (n,) int32 number each row's value in `values` (a dictionary kept in that order), -1 is missing."""

    codes: NDArray[np.int32]
    values: Mapping[Scalar, int]

    def where(self, verdict: Callable[[Scalar | None], bool]) -> Mask:
        """(n,) the verdict on each row's value (None: missing)."""
        verdicts = [verdict(value) for value in self.values]
        return np.array([*verdicts, verdict(None)], np.bool_)[self.codes]  # -1 takes the last

    def updated(self, keep: Mask, values: Sequence[Scalar | None]) -> MetadataColumn:
        """The column of the rows where `keep`, followed by new rows."""
        numbers = dict(self.values)
        codes = [MISSING if value is None else numbers.setdefault(value, len(numbers)) for value in values]
        return MetadataColumn(np.concatenate([self.codes[keep], np.array(codes, np.int32)]), numbers)


class StoredColumns(Mapping[str, MetadataColumn]):
    """The columns of many rows, each read when a filter first asks for it: of a key whose values all differ it is large.

    `keys`: what there is to `read`, over rows 0..n-1; `keep` (n,): which of these are still rows; `added`: the metadata of the
    rows written since.
    """

    def __init__(
        self,
        keys: Sequence[str],
        read: Callable[[str], MetadataColumn],
        keep: Mask,
        added: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._stored = frozenset(keys)
        self._keys = dict.fromkeys([*keys, *(key for row in added for key in row)])
        self._read = read
        self._keep = keep
        self._added = added
        self._known: dict[str, MetadataColumn] = {}

    def __getitem__(self, key: str) -> MetadataColumn:
        if key not in self._known:
            self._known[key] = self.unremembered(key)
        return self._known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def unremembered(self, key: str) -> MetadataColumn:
        """The column, read once more each time. Raises KeyError."""
        self._keys[key]  # raises KeyError
        column = self._read(key) if key in self._stored else empty_column(len(self._keep))
        return column.updated(self._keep, [scalar(row.get(key)) for row in self._added])

    def updated(self, keep: Mask, metadata: Sequence[Mapping[str, Any]]) -> StoredColumns:
        """The columns of the rows where `keep`, followed by new rows with this metadata."""
        stored = np.flatnonzero(self._keep)
        still = np.zeros_like(self._keep)
        still[stored[keep[: len(stored)]]] = True
        added = [row for row, stays in zip(self._added, keep[len(stored) :].tolist(), strict=True) if stays]
        return StoredColumns(sorted(self._stored), self._read, still, [*added, *metadata])


class MetadataColumns:
    """All keys of an index's metadata. Immutable but for the masks it remembers."""

    _REMEMBERED = 256

    def __init__(self, rows: int, columns: Mapping[str, MetadataColumn]) -> None:
        self._rows = rows
        self._columns = columns
        self._masks: dict[Group, Mask] = {}

    def updated(self, keep: Mask, metadata: Sequence[Mapping[str, Any]]) -> MetadataColumns:
        """The columns of the rows where `keep`, followed by new rows with this metadata."""
        rows = int(np.count_nonzero(keep)) + len(metadata)
        if isinstance(self._columns, StoredColumns):
            return MetadataColumns(rows, self._columns.updated(keep, metadata))
        keys = dict.fromkeys([*self._columns, *(key for row in metadata for key in row)])
        empty = empty_column(self._rows)
        return MetadataColumns(
            rows,
            {
                key: self._columns.get(key, empty).updated(keep, [scalar(row.get(key)) for row in metadata])
                for key in keys
            },
        )

    @property
    def keys(self) -> list[str]:
        """Of all columns."""
        return list(self._columns)

    def column(self, key: str) -> MetadataColumn:
        """To write it: a stored one is not kept in memory. Raises KeyError."""
        columns = self._columns
        return columns.unremembered(key) if isinstance(columns, StoredColumns) else columns[key]

    def select(self, filters: Group) -> Mask | None:
        """(n,) the rows that pass; None for all of them. Do not write into it."""
        if not filters.children:
            return None
        mask = self._masks.get(filters)
        if mask is None:
            # Questions share a few filters. Dates are among them, so old masks go out of use: emptied whole when full.
            if len(self._masks) >= self._REMEMBERED:
                self._masks.clear()
            mask = self._masks[filters] = self._select(filters)
        return mask

    def strings(self, key: str) -> list[str]:
        """The distinct strings some row has under this key, sorted."""
        column = self._columns.get(key)
        if column is None:
            return []
        # Values of deleted rows stay numbered.
        used = set(np.unique(column.codes).tolist())
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


def empty_column(rows: int) -> MetadataColumn:
    """A key that none of so many rows has."""
    return MetadataColumn(np.full(rows, MISSING, np.int32), {})
