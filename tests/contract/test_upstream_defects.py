"""Why `FaissStore` overrides what it overrides: each test asks LlamaIndex's own FAISS stores for the right thing and is
expected to fail. One that passes means the defect is fixed upstream, and the override may go."""

from __future__ import annotations

from pathlib import Path

import faiss
import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters, VectorStoreQuery
from llama_index.vector_stores.faiss import FaissMapVectorStore, FaissVectorStore

from tests.contract.reference import DIMENSION, passage

A = passage("a", "첫째", (1, 0, 0, 0), "doc", bank="x")
B = passage("b", "둘째", (0, 1, 0, 0), "doc", bank="y")
C = passage("c", "셋째", (0, 0, 1, 0), "doc", bank="y")


@pytest.fixture
def flat() -> FaissVectorStore:
    return FaissVectorStore(faiss.IndexFlatL2(DIMENSION))


@pytest.fixture
def mapped() -> FaissMapVectorStore:
    return FaissMapVectorStore(faiss.IndexIDMap2(faiss.IndexFlatL2(DIMENSION)))


def near_a(k: int = 2, filters: MetadataFilters | None = None) -> VectorStoreQuery:
    return VectorStoreQuery(query_embedding=[1.0, 0.1, 0.0, 0.0], similarity_top_k=k, filters=filters)


@pytest.mark.xfail(raises=AssertionError, reason="S1: text is left to a document store")
def test_it_keeps_the_text(flat: FaissVectorStore) -> None:
    flat.add([A])
    assert [node.get_content() for node in flat.query(near_a(1)).nodes or ()] == [A.text]


@pytest.mark.xfail(raises=ValueError, reason="S1: from_vector_store refuses a store without text")
def test_an_index_is_made_from_it(flat: FaissVectorStore) -> None:
    VectorStoreIndex.from_vector_store(flat, embed_model=MockEmbedding(embed_dim=DIMENSION))


@pytest.mark.xfail(raises=AssertionError, reason="S2: squared distances are handed out as similarities")
def test_a_nearer_node_has_a_higher_similarity(flat: FaissVectorStore) -> None:
    flat.add([A, B])
    similarities = flat.query(near_a()).similarities or []
    assert similarities[0] > similarities[1]


@pytest.mark.xfail(raises=AssertionError, reason="S3: ids are running numbers")
def test_ids_are_node_ids(flat: FaissVectorStore) -> None:
    assert flat.add([A, B]) == ["a", "b"]


@pytest.mark.xfail(raises=AssertionError, reason="S3: one add per vector, so a bad one leaves those before it")
def test_a_batch_is_written_whole_or_not_at_all(flat: FaissVectorStore) -> None:
    with pytest.raises(AssertionError):
        flat.add([A, passage("bad", vector=(1, 0))])
    assert flat.client.ntotal == 0


@pytest.mark.xfail(raises=ValueError, reason="S3: no filters")
def test_it_filters(flat: FaissVectorStore) -> None:
    flat.add([A, B])
    flat.query(near_a(2, MetadataFilters(filters=[MetadataFilter(key="bank", value="y")])))


@pytest.mark.xfail(raises=NotImplementedError, reason="S3: no delete")
def test_it_deletes(flat: FaissVectorStore) -> None:
    flat.add([A])
    flat.delete("doc")


@pytest.mark.xfail(raises=NotImplementedError, reason="S3: no get_nodes")
def test_it_gives_nodes(flat: FaissVectorStore) -> None:
    flat.add([A])
    flat.get_nodes(["0"])


@pytest.mark.xfail(raises=AssertionError, reason="S4: an id is the number of vectors, so a deleted one is given twice")
def test_the_map_store_keeps_nodes_apart_after_a_delete(mapped: FaissMapVectorStore) -> None:
    mapped.add([A, B])
    mapped.delete_nodes(["a"])
    mapped.add([C])
    assert sorted(mapped.query(near_a()).ids or ()) == ["b", "c"]


@pytest.mark.xfail(raises=AssertionError, reason="S4: delete compares the document's id with node ids")
def test_the_map_store_deletes_by_document(mapped: FaissMapVectorStore) -> None:
    mapped.add([A, B])
    mapped.delete("doc")
    assert mapped.query(near_a()).ids == []


@pytest.mark.xfail(raises=AssertionError, reason="S4: adding an id again keeps the old vector too")
def test_the_map_store_replaces_a_node(mapped: FaissMapVectorStore) -> None:
    mapped.add([A])
    mapped.add([A])
    assert mapped.client.ntotal == 1


@pytest.mark.xfail(raises=FileNotFoundError, reason="S5: the folder of a bare file name is ''")
def test_it_persists_to_a_bare_name(flat: FaissVectorStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    flat.persist("index")


@pytest.mark.xfail(raises=AssertionError, reason="S5: scores are numpy's float32, which json cannot write")
def test_scores_are_floats(flat: FaissVectorStore) -> None:
    flat.add([A])
    assert [type(score) for score in flat.query(near_a(1)).similarities or ()] == [float]
