"""Search over many rows: the inverted file's results compared with an exact search."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.stores.faiss import approximate
from rag.stores.faiss.approximate import ApproximateIndex, build_approximate, build_index, update_index
from rag.stores.faiss.snapshot import DenseIndex, Vectors, cosines

DIMENSION = 32
ROWS = 6_000
TOPICS = 60


@pytest.fixture(scope="module")
def topics() -> NDArray[np.int64]:
    return np.random.default_rng(1).integers(0, TOPICS, ROWS)


@pytest.fixture(scope="module")
def vectors(topics: NDArray[np.int64]) -> Vectors:
    numbers = np.random.default_rng(2)
    centres = numbers.standard_normal((TOPICS, DIMENSION))
    search = centres[topics] + 0.5 * numbers.standard_normal((ROWS, DIMENSION))
    return np.asarray(search / np.linalg.norm(search, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def index(vectors: Vectors) -> ApproximateIndex:
    return build_approximate(vectors)


@pytest.fixture(autouse=True)
def few_rows_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "SCAN_BUDGET", 600)
    monkeypatch.setattr(approximate, "FILTERED_SCAN_BUDGET", 1_200)


def nearest(
    vectors: Vectors, query: NDArray[np.float64], k: int, allowed: NDArray[np.bool_] | None = None
) -> list[int]:
    scores = cosines(vectors, query)
    if allowed is not None:
        scores = np.where(allowed, scores, -2.0)
    return [int(row) for row in np.lexsort((np.arange(len(scores)), -scores))[:k] if scores[row] > -2]


def search(
    index: ApproximateIndex, query: NDArray[np.float64], k: int, allowed: NDArray[np.bool_] | None = None
) -> list[int]:
    rows = index.candidates(query, k, allowed)
    assert len(set(rows.tolist())) == len(rows)
    return [int(rows[place]) for place in np.lexsort((rows, -index.exact_scores(query, rows)))[:k]]


def questions(vectors: Vectors, count: int = 50) -> list[NDArray[np.float64]]:
    chosen = vectors[::100][:count]
    asked = chosen + 0.1 * np.random.default_rng(3).standard_normal(chosen.shape)
    return list(np.asarray(asked / np.linalg.norm(asked, axis=1, keepdims=True), np.float64))


def recall(index: ApproximateIndex, vectors: Vectors, allowed: NDArray[np.bool_] | None = None) -> float:
    shares = []
    for query in questions(vectors):
        true = nearest(vectors, query, 10, allowed)
        shares.append(len(set(true) & set(search(index, query, 10, allowed))) / len(true))
    return float(np.mean(shares))


def test_it_finds_the_true_ten(index: ApproximateIndex, vectors: Vectors) -> None:
    assert recall(index, vectors) >= 0.98


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
def test_a_filter_by_chance_hides_nothing(index: ApproximateIndex, vectors: Vectors, share: float) -> None:
    allowed = np.random.default_rng(4).random(ROWS) < share
    assert recall(index, vectors, allowed) >= 0.98


@pytest.mark.parametrize("topic", range(0, TOPICS, 17))
def test_nor_does_a_filter_whose_rows_lie_far_from_the_question(
    index: ApproximateIndex, vectors: Vectors, topics: NDArray[np.int64], topic: int
) -> None:
    assert recall(index, vectors, topics == topic) == 1.0


def test_all_rows_that_pass_come_back_where_they_are_few(index: ApproximateIndex, vectors: Vectors) -> None:
    few = np.zeros(ROWS, np.bool_)
    few[[3, 77, 5_999]] = True
    for query in questions(vectors, 10):
        assert sorted(search(index, query, 10, few)) == [3, 77, 5_999]
        assert search(index, query, 10, np.zeros(ROWS, np.bool_)) == []
    assert len(search(index, questions(vectors, 1)[0], 1_500)) == 1_500


def test_scores_are_those_of_exact_search(index: ApproximateIndex, vectors: Vectors) -> None:
    exact, rows = DenseIndex(vectors), np.arange(0, ROWS, 7)
    for query in questions(vectors, 5):
        assert index.exact_scores(query, rows).tolist() == exact.exact_scores(query, rows).tolist()
        assert np.allclose(index.approximate_scores(query), exact.approximate_scores(query), atol=1e-6)


def test_rows_that_tie_are_all_candidates() -> None:
    numbers = np.random.default_rng(5).standard_normal((2_000, DIMENSION))
    numbers[500:1_500] = numbers[0]  # many more than are asked for
    unit = np.asarray(numbers / np.linalg.norm(numbers, axis=1, keepdims=True), np.float32)
    query = unit[0].astype(np.float64)
    assert search(build_approximate(unit), query, 5) == [0, 500, 501, 502, 503]


def test_rows_come_and_go(index: ApproximateIndex, vectors: Vectors, topics: NDArray[np.int64]) -> None:
    numbers = np.random.default_rng(6)
    now, of_topic, changing = vectors, topics, index
    for _ in range(4):
        keep = numbers.random(len(now)) > 0.03
        added = questions(vectors, 40)
        changing = changing.updated(keep, np.asarray(added, np.float32))  # type: ignore[assignment]
        now = np.concatenate([now[keep], np.asarray(added, np.float32)])
        of_topic = np.concatenate([of_topic[keep], np.full(40, 3)])
        assert isinstance(changing, ApproximateIndex)
        assert changing.index is index.index, "built again for a few rows"
        assert len(changing) == len(now)
        assert changing.vectors(np.arange(len(now))).tobytes() == now.tobytes()
        assert recall(changing, now) >= 0.98
        assert recall(changing, now, of_topic == 3) >= 0.98


def test_it_is_built_again_once_a_quarter_has_changed(
    index: ApproximateIndex, vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approximate, "EXACT_ROWS", 1_000)
    none = np.zeros((0, DIMENSION), np.float32)
    smaller = index.updated(np.arange(ROWS) >= ROWS // 3, none)
    assert isinstance(smaller, ApproximateIndex)
    assert smaller.index.ntotal == len(smaller) == ROWS - ROWS // 3
    assert recall(smaller, vectors[ROWS // 3 :]) >= 0.98
    assert isinstance(smaller.updated(np.arange(len(smaller)) < 900, none), DenseIndex)


def test_the_number_of_rows_decides(vectors: Vectors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "EXACT_ROWS", 1_000)
    few = build_index(vectors[:1_000])
    assert isinstance(few, DenseIndex)
    assert isinstance(update_index(few, np.ones(1_000, np.bool_), vectors[1_000:1_001]), ApproximateIndex)
    assert isinstance(update_index(few, np.arange(1_000) > 0, vectors[1_000:1_001]), DenseIndex)


def test_the_same_rows_make_the_same_index(index: ApproximateIndex, vectors: Vectors) -> None:
    import faiss

    again = build_approximate(vectors)
    assert faiss.serialize_index(again.index).tobytes() == faiss.serialize_index(index.index).tobytes()
