"""Checks embedding vectors and scales them to unit length; used by models, ingestion and stores."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rag.errors import RagError

Matrix: TypeAlias = NDArray[np.float64]


def unit_vectors(
    vectors: ArrayLike,
    *,
    source: str,
    error: type[RagError],
    fix: str,
    count: int | None = None,
    dimension: int | None = None,
) -> Matrix:
    """`vectors` as a float64 matrix [n][d] whose rows have length 1; [0][d] for no vectors.

    Raises `error`, whose message has the `source` of the vectors and how to `fix` it, if the number of rows is not `count`
    or the number of columns not `dimension` (None: not checked), if rows differ in length, or if a row is zero or not finite.
    """
    try:
        matrix = np.asarray(vectors, dtype=np.float64)
    except (TypeError, ValueError) as exc:
        raise error(f"{source}: vectors {_problem(vectors, dimension)}; {fix}") from exc
    if not matrix.size:
        matrix = np.zeros((len(matrix), 0 if len(matrix) else dimension or 0))
    if matrix.ndim != 2:
        raise error(f"{source}: expected a list of vectors; got {matrix.ndim} dimensions; {fix}")
    if count is not None and len(matrix) != count:
        raise error(f"{source}: {len(matrix)} vectors for {count} texts; {fix}")
    if dimension and matrix.shape[1] != dimension:
        raise error(f"{source}: vectors of {matrix.shape[1]} numbers, expected {dimension}; {fix}")
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and lengths.all()):
        raise error(f"{source}: a vector is all zeros or not finite; {fix}")
    unit: Matrix = matrix / lengths
    return unit


def _problem(vectors: Any, dimension: int | None) -> str:
    """Why `vectors` cannot be converted to a matrix."""
    try:
        sizes = sorted({len(vector) for vector in vectors})
    except TypeError:
        sizes = []
    if len(sizes) < 2:
        return "that are not numbers"
    return f"of {sizes} numbers, expected {dimension or 'one length'}"
