"""Both stores give the same results for every bundled question, half of them with filters, on one shard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zlib import crc32

import pytest
from llama_index.core.schema import BaseNode, TextNode
from llama_index.core.vector_stores.types import MetadataFilters

from rag.factory.bundled_vectors import bundled_name
from rag.factory.models import Models
from rag.ingestion.chunking import nodes as nodes_of_row
from rag.ingestion.embedding import embed_nodes
from rag.ingestion.faq_row import FaqRow
from rag.ingestion.phrasings import split_phrasings
from rag.retrieval.hybrid import default_fusion, fuse
from rag.retrieval.query_analysis import expand
from rag.retrieval.rows import row_id
from rag.stores.base import LEXICAL_FIELDS, PHRASING, Candidates, PassageStore
from rag.stores.faiss.snapshot import DenseIndex
from rag.stores.faiss.store import FaissStore
from rag.stores.filters import metadata_filters
from rag.stores.opensearch.store import OpenSearchStore
from rag.types import Filters
from tests.opensearch import Server, drop, index_name
from tests.questions import DATA, questions

SHARE = 0.99
ALTERNATIVES = DATA / "corpora" / "bank_alternatives"
SIZE = 50
FILTERS = (None, Filters({"bank": "새나래은행"}, date(2026, 1, 1)))
"""Each is asked half of the questions, of every style: OpenSearch takes a tenth of a second for one."""


@pytest.fixture(scope="module")
def faiss_store(bundled_root: Path, models: Models) -> Iterator[FaissStore]:
    store = FaissStore.open(bundled_root / bundled_name(models.manifest), models.manifest)
    yield store
    store.close()


@pytest.fixture(scope="module")
def opensearch_store(faiss_store: FaissStore, opensearch: Server) -> Iterator[OpenSearchStore]:
    """The bundled index's own rows and vectors, written at once."""
    connection, name = opensearch.connect(), index_name()
    store = OpenSearchStore.create(connection, name, faiss_store.manifest)
    store.add(with_vectors(faiss_store))
    yield store
    drop(connection, name)
    connection.close()


def with_vectors(store: FaissStore) -> list[BaseNode]:
    nodes = store.get_nodes()
    with store._reader.read() as view:
        snapshot = view.snapshot
        assert isinstance(snapshot.dense, DenseIndex)
        for node in nodes:
            node.embedding = snapshot.dense.vectors[snapshot.row_by_id[node.node_id]].tolist()
    return nodes


@pytest.mark.parametrize(("part", "filters"), list(enumerate(FILTERS)), ids=["all", "one bank"])
def test_the_same_scores_and_the_same_five_rows_first(
    faiss_store: FaissStore,
    opensearch_store: OpenSearchStore,
    cached_models: Models,
    part: int,
    filters: Filters | None,
) -> None:
    """Where the rows differ, the scores of both stores show a tie that rounding decided."""
    wanted = metadata_filters(filters) if filters else None
    asked = [question for question in questions() if crc32(question.encode()) % len(FILTERS) == part]
    different = []
    for question in asked:
        ours, theirs = (candidates(store, cached_models, question, wanted) for store in (faiss_store, opensearch_store))
        assert_same_scores(ours, theirs)
        first, second = (
            [(row_id(hit), hit.score or 0.0) for hit in fuse(found, default_fusion(), size=SIZE, top_k=5)]
            for found in (ours, theirs)
        )
        if [row for row, _ in first] != [row for row, _ in second]:
            different.append((question, first, second))
            assert max(abs(a - b) for (_, a), (_, b) in zip(first, second, strict=True)) < 1e-3, different[-1]
    assert len(asked) > 400
    assert len(different) <= (1 - SHARE) * len(asked), different


def test_phrasings_are_found_alike_and_go_with_their_row(
    faiss_store: FaissStore, opensearch_store: OpenSearchStore, cached_models: Models, tmp_path: Path
) -> None:
    """This test comes last in the file, because it changes the index."""
    faiss_store.persist(str(tmp_path / "copy"))
    ours, theirs = FaissStore.open(tmp_path / "copy"), opensearch_store
    try:
        phrased = phrasing_nodes(faiss_store, cached_models)
        stores: tuple[PassageStore, ...] = (ours, theirs)
        for store in stores:
            store.add(phrased)
        by_phrasing = 0
        for question in [*(str(node.metadata[PHRASING]) for node in phrased), *questions()[::40]]:
            found = [candidates(store, cached_models, question, None) for store in stores]
            assert_same_scores(*found)
            first, second = (fuse(each, default_fusion(), size=SIZE, top_k=5) for each in found)
            assert [row_id(hit) for hit in first] == [row_id(hit) for hit in second]
            assert [hit.node.node_id for hit in first] == [hit.node.node_id for hit in second]
            assert len({row_id(hit) for hit in first}) == 5
            by_phrasing += any(PHRASING in hit.node.metadata for hit in first)
        assert by_phrasing >= len(phrased)
        for store in stores:
            store.delete(str(phrased[0].ref_doc_id))
        assert ours.states() == theirs.states() and phrased[0].node_id not in ours.states()
    finally:
        ours.close()


def phrasing_nodes(store: PassageStore, models: Models) -> list[TextNode]:
    """One phrasing for each of ten bundled rows, with its vector."""
    assert models.embed_model is not None
    written = (ALTERNATIVES / "alternatives.csv").read_text(encoding="utf-8").splitlines()[1:11]
    nodes = []
    for line in written:
        row, _, cell = line.partition(",")
        [own] = store.get_nodes([row])
        texts = FaqRow(row, str(own.metadata["question"]), own.get_content(), alternatives=split_phrasings(cell)[:1])
        node = nodes_of_row(texts, token_count=len, max_tokens=10_000)[1]
        (node.embedding,) = embed_nodes(models.embed_model, [node])
        nodes.append(node)
    return nodes


def candidates(store: PassageStore, models: Models, question: str, filters: MetadataFilters | None) -> Candidates:
    """The candidates, requested as the retriever does."""
    assert models.embed_model is not None
    expanded = expand(question)
    vectors = [models.embed_model.get_query_embedding(text) for text in dict.fromkeys((question, expanded))]
    summed = [sum(column) for column in zip(*vectors, strict=True)]
    return store.candidates(query_embedding=summed, query_str=expanded, size=SIZE, filters=filters)


def assert_same_scores(ours: Candidates, theirs: Candidates) -> None:
    """Compares the rows that are in both lists; the last ones may differ if many scores are equal."""
    for a, b in (
        (ours.dense, theirs.dense),
        *((ours.lexical[field], theirs.lexical[field]) for field in LEXICAL_FIELDS),
    ):
        common = a.keys() & b.keys()
        assert len(common) >= 0.95 * max(len(a), len(b))
        assert all(abs(a[key] - b[key]) < 1e-5 for key in common)
