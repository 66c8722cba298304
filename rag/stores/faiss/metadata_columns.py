"""The metadata of all rows as one column per key, to evaluate filters. Derived from the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from llama_index.core.vector_stores.types import FilterCondition
from numpy.typing import NDArray

from rag.stores.bm25 import Mask
from rag.stores.filters import Clause, Group, Scalar, satisfies, scalar

MISSING: Final = -1


@dataclass(frozen=True, slots=True)
class MetadataColumn:
    """The values of one key: `codes` (n,) int32 is the number of each row's value in `values`; -1 means missing.

    `values` maps value to number and is ordered by number.
    """

    codes: NDArray[np.int32]
    values: Mapping[Scalar, int]

    def where(self, predicate: Callable[[Scalar | None], bool]) -> Mask:
        """Return (n,) the result of `predicate` for each row's value (None: missing)."""
        results = [predicate(value) for value in self.values]
        return np.array([*results, predicate(None)], np.bool_)[self.codes]  # code -1 selects the last entry

    def updated(self, keep: Mask, values: Sequence[Scalar | None]) -> MetadataColumn:
        """Return the column of the rows where `keep` (n,) is true, followed by new rows with these values."""
        numbers = dict(self.values)
        codes = [MISSING if value is None else numbers.setdefault(value, len(numbers)) for value in values]
        return MetadataColumn(np.concatenate([self.codes[keep], np.array(codes, np.int32)]), numbers)


class StoredColumns(Mapping[str, MetadataColumn]):
    """The columns of a large index, each read when a filter first uses it: a key with many distinct values is large.

    `keys`: the stored columns, which `read` returns for rows 0..n-1. `keep` (n,): which of these rows still exist.
    `added`: the metadata of rows that were written after the columns were stored.
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
        self._cache: dict[str, MetadataColumn] = {}

    def __getitem__(self, key: str) -> MetadataColumn:
        if key not in self._cache:
            self._cache[key] = self.load_column(key)
        return self._cache[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def load_column(self, key: str) -> MetadataColumn:
        """Read a column without caching it. Raises KeyError."""
        self._keys[key]  # raises KeyError
        column = self._read(key) if key in self._stored else empty_column(len(self._keep))
        return column.updated(self._keep, [scalar(row.get(key)) for row in self._added])

    def updated(self, keep: Mask, metadata: Sequence[Mapping[str, Any]]) -> StoredColumns:
        """Return the columns of the rows where `keep` is true, followed by new rows with this metadata."""
        stored = np.flatnonzero(self._keep)
        kept = np.zeros_like(self._keep)
        kept[stored[keep[: len(stored)]]] = True
        added = [row for row, kept_row in zip(self._added, keep[len(stored) :].tolist(), strict=True) if kept_row]
        return StoredColumns(sorted(self._stored), self._read, kept, [*added, *metadata])


class MetadataColumns:
    """The columns of all metadata keys. Immutable."""

    def __init__(self, rows: int, columns: Mapping[str, MetadataColumn]) -> None:
        self._rows = rows
        self._columns = columns

    def updated(self, keep: Mask, metadata: Sequence[Mapping[str, Any]]) -> MetadataColumns:
        """Return the columns of the rows where `keep` is true, followed by new rows with this metadata."""
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
        """The keys of all columns."""
        return list(self._columns)

    def column(self, key: str) -> MetadataColumn:
        """Return a column in order to save it; a stored column is not cached. Raises KeyError."""
        columns = self._columns
        return columns.load_column(key) if isinstance(columns, StoredColumns) else columns[key]

    def strings(self, key: str) -> list[str]:
        """Return the distinct strings under this key, sorted."""
        column = self._columns.get(key)
        if column is None:
            return []
        # `values` still contains the values of deleted rows.
        used = set(np.unique(column.codes).tolist())
        return sorted(str(value) for (kind, value), code in column.values.items() if kind == "string" and code in used)

    def select(self, node: Clause | Group) -> Mask:
        """Return a mask (n,) of the rows that pass."""
        if isinstance(node, Clause):
            column = self._columns.get(node.key)
            if column is None:
                return np.full(self._rows, satisfies(node, None))
            return column.where(lambda value: satisfies(node, value))
        if not node.children:
            return np.ones(self._rows, np.bool_)
        masks = np.stack([self.select(child) for child in node.children])
        match node.condition:
            case FilterCondition.AND:
                return np.asarray(masks.all(axis=0))
            case FilterCondition.OR:
                return np.asarray(masks.any(axis=0))
            case FilterCondition.NOT:
                return np.asarray(~masks.any(axis=0))


def empty_column(rows: int) -> MetadataColumn:
    """Return a column of so many rows without values."""
    return MetadataColumn(np.full(rows, MISSING, np.int32), {})
