"""Synchronisation: the store has exactly the wanted rows, whatever failed before."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.schema import TextNode

from rag.errors import InputError, ModelError
from rag.ingestion.chunking import nodes as nodes_of
from rag.ingestion.embedding import manifest_of
from rag.ingestion.faq_row import FaqRow
from rag.ingestion.sync import BATCH, Plan, SyncReport, plan, sync
from rag.stores.base import FINGERPRINT, INDEXED_AT, NodeState
from rag.stores.faiss.store import FaissStore
from tests.fakes_embedding import HashedEmbedding, Tamper, Vectors

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)


@pytest.fixture
def model() -> HashedEmbedding:
    return HashedEmbedding()


@pytest.fixture
def store(tmp_path: Path, model: HashedEmbedding) -> Iterator[FaissStore]:
    manifest = manifest_of(model)
    model.texts.clear()
    store = FaissStore.create(tmp_path / "faq", manifest)
    yield store
    store.close()


def rows(*ids: str, version: str = "") -> list[TextNode]:
    faq = [FaqRow(id=name, question=f"질문 {name}", answer=f"{name} 답변{version}") for name in ids]
    return [node for row in faq for node in nodes_of(row, token_count=len, max_tokens=400)]


def contents(store: FaissStore) -> dict[str, str]:
    return {node.node_id: node.get_content() for node in store.get_nodes()}


def counts(report: SyncReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.deleted


def test_only_what_changed_is_embedded(store: FaissStore, model: HashedEmbedding) -> None:
    assert counts(sync(store, rows("a", "b", "c"), model)) == (3, 0, 0, 0)
    model.texts.clear()
    assert counts(sync(store, rows("a", "d") + rows("b", version=" 2"), model)) == (1, 1, 1, 1)
    assert contents(store) == {"a": "a 답변", "b": "b 답변 2", "d": "d 답변"}
    assert set(model.texts) == {"질문 b", "질문 b\nb 답변 2", "질문 d", "질문 d\nd 답변"}
    model.texts.clear()
    assert counts(sync(store, rows("a", "d") + rows("b", version=" 2"), model)) == (0, 0, 3, 0)
    assert model.texts == []


def test_nodes_are_stamped_and_the_callers_stay_as_they_were(store: FaissStore, model: HashedEmbedding) -> None:
    [node] = rows("a")
    report = sync(store, [node], model, clock=lambda: NOW)
    assert report.seconds == 0.0
    [stored] = store.get_nodes()
    assert stored.metadata[FINGERPRINT] == manifest_of(model).fingerprint
    assert stored.metadata[INDEXED_AT] == "2026-01-31T09:00:00+00:00"
    assert stored.ref_doc_id == "a"
    assert node.embedding is None and FINGERPRINT not in node.metadata


def test_progress_reaches_its_total(store: FaissStore, model: HashedEmbedding) -> None:
    seen: list[tuple[str, int, int]] = []
    wanted = rows(*map(str, range(BATCH + 3)))
    sync(store, wanted, model, progress=lambda *step: seen.append(step))
    sync(store, wanted[5:], model, progress=lambda *step: seen.append(step))
    assert seen == [("embed", BATCH, BATCH + 3), ("embed", BATCH + 3, BATCH + 3), ("delete", 5, 5)]


def test_equal_texts_are_embedded_once_longest_first(store: FaissStore, model: HashedEmbedding) -> None:
    faq = [
        FaqRow(id=name, question="같은 질문", answer=answer)
        for name, answer in [("a", "긴 답변" * 5), ("b", "답"), ("c", "답")]
    ]
    sync(store, [node for row in faq for node in nodes_of(row, token_count=len, max_tokens=400)], model)
    assert model.texts == ["같은 질문\n" + "긴 답변" * 5, "같은 질문\n답", "같은 질문"]
    assert store.count() == 3


def test_rows_of_equal_content_are_distinguished(store: FaissStore, model: HashedEmbedding) -> None:
    """LlamaIndex's own pipeline keeps a removed document whose content another one shares."""
    faq = [FaqRow(id=name, question="같은 질문", answer="같은 답변") for name in "ab"]
    both = [node for row in faq for node in nodes_of(row, token_count=len, max_tokens=400)]
    sync(store, both, model)
    assert counts(sync(store, both[1:], model)) == (0, 0, 1, 1)
    assert list(contents(store)) == ["b"]


def test_a_row_that_grows_into_several_nodes(store: FaissStore, model: HashedEmbedding) -> None:
    sync(store, rows("a"), model)
    grown = nodes_of(
        FaqRow(id="a", question="질문", answer="길어진 답변입니다. " * 60), token_count=len, max_tokens=400
    )
    assert len(grown) == 2
    assert counts(sync(store, grown, model)) == (2, 0, 0, 1)
    assert counts(sync(store, rows("a"), model)) == (1, 0, 0, 2)


def test_duplicate_ids_are_refused_before_anything_is_embedded(store: FaissStore, model: HashedEmbedding) -> None:
    with pytest.raises(InputError, match="more than one node: a;"):
        sync(store, rows("a", "b", "a"), model)
    assert model.texts == [] and store.count() == 0


def test_lexical_index_needs_no_model(tmp_path: Path) -> None:
    store = FaissStore.create(tmp_path / "faq", manifest_of(None))
    assert counts(sync(store, rows("a", "b"), None)) == (2, 0, 0, 0)
    assert counts(sync(store, rows("a"), None)) == (0, 0, 1, 1)
    assert store.states()["a"].fingerprint == "none"
    store.close()


def fail_after(calls: int) -> Tamper:
    done = 0

    def tamper(vectors: Vectors) -> Vectors:
        nonlocal done
        done += 1
        if done > calls:
            raise ModelError("the endpoint is gone")
        return vectors

    return tamper


@pytest.mark.parametrize("calls", [0, 1, 17, 30])
def test_a_failing_model_loses_nothing_and_the_next_run_converges(store: FaissStore, calls: int) -> None:
    ids = [f"{number:03}" for number in range(4 * BATCH)]
    sync(store, rows(*ids), HashedEmbedding())
    second = rows(*ids[1:], "new", version=" 2")
    with pytest.raises(ModelError, match="gone"):
        sync(store, second, HashedEmbedding(tamper=fail_after(calls)))
    left = contents(store)
    assert set(ids) <= left.keys()
    assert all(left[name] in (f"{name} 답변", f"{name} 답변 2") for name in ids)
    sync(store, second, HashedEmbedding())
    assert contents(store) == {node.node_id: node.text for node in second}


def test_going_back_after_a_failure_restores_the_first_version(store: FaissStore, model: HashedEmbedding) -> None:
    """LlamaIndex's pipeline has then deleted the row but still records it."""
    sync(store, rows("a"), model)
    with pytest.raises(ModelError):
        sync(store, rows("a", version=" 2"), HashedEmbedding(tamper=fail_after(0)))
    assert counts(sync(store, rows("a"), model)) == (0, 0, 1, 0)
    assert contents(store) == {"a": "a 답변"}


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (lambda vectors: vectors[:-1], "7 vectors for 8 texts"),
        (lambda vectors: [*vectors, vectors[0]], "9 vectors for 8 texts"),
        (lambda vectors: [*vectors[:-1], [math.nan] * 64], "not finite"),
        (lambda vectors: [*vectors[:-1], [math.inf] * 64], "not finite"),
        (lambda vectors: [*vectors[:-1], [0.0] * 64], "zeros"),
        (lambda vectors: [*vectors[:-1], vectors[0][:-1]], r"\[63, 64\] numbers, expected 64"),
        (lambda vectors: [vector[:32] for vector in vectors], "of 32 numbers, expected 64"),
    ],
)
def test_unusable_vectors_are_refused_and_nothing_is_written(
    store: FaissStore, model: HashedEmbedding, tamper: Tamper, problem: str
) -> None:
    """LlamaIndex silently accepts fewer vectors than texts and drops the nodes without one."""
    sync(store, rows("a"), model)
    with pytest.raises(ModelError, match=problem):
        sync(store, rows("b", "c", "d", "e"), HashedEmbedding(tamper=tamper))
    assert contents(store) == {"a": "a 답변"}


STATES = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.builds(NodeState, st.sampled_from("12"), st.sampled_from("xy"), st.sampled_from("pq")),
)


@given(STATES, STATES)
def test_a_plan_carried_out_gives_what_is_wanted(wanted: dict[str, NodeState], states: dict[str, NodeState]) -> None:
    todo = plan(wanted, states)
    result = {name: states[name] for name in todo.keep} | {name: wanted[name] for name in todo.add}
    assert result == wanted
    assert set(todo.keep) | set(todo.delete) <= states.keys()
    assert sorted([*todo.keep, *todo.delete, *(name for name in todo.add if name in states)]) == sorted(states)
    assert plan(wanted, result) == Plan((), tuple(wanted), ())


def fingerprint(model: HashedEmbedding) -> str:
    return manifest_of(model).fingerprint


def test_fingerprint_distinguishes_models_and_is_stable() -> None:
    class Prefixed(HashedEmbedding):
        """An embedding with the same vectors of passages, but other query prefixes."""

        def _get_query_embedding(self, query: str) -> list[float]:
            return super()._get_query_embedding("query: " + query)

    models = [HashedEmbedding(), HashedEmbedding(salt="x"), HashedEmbedding(dimension=128), Prefixed()]
    assert len({fingerprint(model) for model in models}) == len(models)
    assert [fingerprint(model) for model in models] == [fingerprint(model) for model in models]
    assert manifest_of(HashedEmbedding(dimension=128)).dimension == 128


def test_fingerprint_survives_float_noise_and_another_scale() -> None:
    def scaled(vectors: Sequence[Sequence[float]]) -> Vectors:
        return [[7.0 * value + 1e-6 * (-1) ** i for i, value in enumerate(vector)] for vector in vectors]

    models = [HashedEmbedding(salt=str(salt), dimension=384) for salt in range(20)]
    noisy = [HashedEmbedding(salt=str(salt), dimension=384, tamper=scaled) for salt in range(20)]
    assert [fingerprint(model) for model in models] == [fingerprint(model) for model in noisy]
