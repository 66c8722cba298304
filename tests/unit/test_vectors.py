"""Validation of unit vectors, and its messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rag.errors import ModelError, StoreError
from rag.vectors import unit_vectors


def unit(vectors: Any, **expected: int) -> Any:
    return unit_vectors(vectors, source="the model 'm'", error=ModelError, fix="check FORMAT", **expected)


def test_each_row_has_length_one_and_its_direction() -> None:
    rows = unit([[3.0, 4.0], [0.0, -1e-9]], count=2, dimension=2)
    assert rows.dtype == np.float64
    assert rows.tolist() == [[0.6, 0.8], [0.0, -1.0]]
    assert unit(np.ones((3, 5), dtype=np.float32)).shape == (3, 5)
    assert unit([], count=0, dimension=4).shape == (0, 4)


@pytest.mark.parametrize(
    ("vectors", "expected", "words"),
    [
        ([[1.0, 2.0]], {"count": 2}, "1 vectors for 2 texts"),
        ([[1.0, 2.0]] * 3, {"count": 2}, "3 vectors for 2 texts"),
        ([], {"count": 2}, "0 vectors for 2 texts"),
        ([[1.0, 2.0, 3.0]], {"dimension": 2}, "3 numbers, expected 2"),
        ([[1.0, 2.0], [1.0]], {"dimension": 2}, r"\[1, 2\] numbers, expected 2"),
        ([[]], {"dimension": 2}, "0 numbers, expected 2"),
        ([[]], {}, "zeros"),
        ([[0.0, 0.0]], {}, "zeros"),
        ([[1.0, float("nan")]], {}, "not finite"),
        ([[1.0, None]], {}, "not finite"),
        ([[1.0, float("inf")]], {}, "not finite"),
        ([["a", "b"]], {}, "not numbers"),
        ([1.0, 2.0], {}, "a list of vectors"),
    ],
)
def test_what_has_no_direction_or_another_shape_is_refused(vectors: Any, expected: dict[str, int], words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        unit(vectors, **expected)
    assert str(caught.value).startswith("the model 'm': ")
    assert str(caught.value).endswith("; check FORMAT")


def test_the_error_is_the_callers() -> None:
    with pytest.raises(StoreError, match="node 'n': vectors of 1 numbers"):
        unit_vectors([[1.0]], source="node 'n'", error=StoreError, fix="re-embed it", dimension=2)
