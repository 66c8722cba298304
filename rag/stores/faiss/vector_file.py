"""Vectors in a file, read a few at a time to score the candidates of an approximate search."""

from __future__ import annotations

import os
import weakref
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rag.errors import IndexDamaged
from rag.stores.faiss.dense import Vectors

_CHUNK: Final = 1 << 24


class VectorFile:
    """The vectors of an `.npy` file, indexed by arrays like a NumPy array.

    The file is read with `pread` because a memory map of it would count as memory in use.
    """

    def __init__(self, path: Path) -> None:
        """Raises IndexDamaged, OSError or ValueError if the file is not a two-dimensional float32 array."""
        self.path = path
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
            self._start = file.tell()
        if by_columns or dtype != np.float32 or len(shape) != 2:
            raise IndexDamaged(f"{path} is not a two-dimensional float32 array")
        if path.stat().st_size != self._start + 4 * shape[0] * shape[1]:
            raise IndexDamaged(f"the size of {path} does not match its header")
        self.shape: tuple[int, int] = (shape[0], shape[1])
        # Windows has no `pread`; there the file is mapped.
        self._mapped = None if hasattr(os, "pread") else np.memmap(path, np.float32, "r", self._start, self.shape)
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: NDArray[Any]) -> Vectors:
        """Return (len(rows), dimension) the vectors of `rows`, given as numbers or as a mask."""
        numbers = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        if self._mapped is not None:
            return np.asarray(self._mapped[numbers])
        size = 4 * self.shape[1]
        read = b"".join(os.pread(self._file, size, self._start + size * row) for row in numbers.tolist())
        return np.frombuffer(read, np.float32).reshape(len(numbers), self.shape[1])

    def __matmul__(self, query: Vectors) -> Vectors:
        """Return (n,) the inner product of each vector with `query`. Reads the whole file in chunks."""
        step = max(1, _CHUNK // (4 * self.shape[1]))
        starts = range(0, len(self), step)
        parts = [self[np.arange(start, min(start + step, len(self)))] @ query for start in starts]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)
