"""Vectors of an embedding, checked and brought to unit length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError

Matrix = NDArray[np.float64]


def unit_vectors(vectors: Matrix, count: int, expected: int | None, name: str) -> Matrix:
    """The vectors, [count][expected], at unit length. Raises ModelError for another count or dimension, for zeros and for
    numbers that are not finite, in the name of the endpoint."""
    if len(vectors) != count:
        raise ModelError(f"{name!r} gave {len(vectors)} vectors for {count} texts; is FORMAT right?")
    if expected and vectors.shape[1] != expected:
        raise ModelError(
            f"{name!r} gave vectors of {vectors.shape[1]} numbers, expected {expected}; "
            "check DIMENSION, and whether another model was deployed"
        )
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and lengths.all()):
        raise ModelError(f"{name!r} gave a vector of zeros or of numbers that are not finite")
    unit: Matrix = vectors / lengths
    return unit
