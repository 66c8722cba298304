"""Why `OpenSearchStore` overrides what it overrides: each test asks LlamaIndex's own OpenSearch store, on a real server, for the
right thing and is expected to fail. One that passes means the defect is fixed upstream, and the override may go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)
from llama_index.vector_stores.opensearch import OpensearchVectorClient, OpensearchVectorStore

from rag.stores.opensearch.client import Connection
from tests.contract.base import where
from tests.contract.reference import DIMENSION, passage
from tests.opensearch import Server, index_name

A = passage("a", "이체한도", (1, 0, 0, 0), "doc", bank="신한 은행", day="20240101")
B = passage("b", "둘째", (0, 1, 0, 0), "doc", bank="국민 은행", day="20250101")


@pytest.fixture
def connection(opensearch: Server) -> Iterator[Connection]:
    opened = opensearch.connect_as_admin()  # upstream asks for more permissions than it needs
    yield opened
    opened.close()


@pytest.fixture
def client(connection: Connection) -> Iterator[OpensearchVectorClient]:
    index = f"fsi-{index_name()}"
    yield OpensearchVectorClient(
        connection.url,
        index,
        DIMENSION,
        engine="lucene",
        space_type="cosinesimil",
        os_client=connection.client,
        os_async_client=connection.client,
    )
    connection.request("DELETE", f"/{index}", params={"ignore": 404})


@pytest.fixture
def store(client: OpensearchVectorClient) -> OpensearchVectorStore:
    made = OpensearchVectorStore(client)
    made.add([A, B])
    return made


def near_a(**more: Any) -> VectorStoreQuery:
    return VectorStoreQuery(query_embedding=[1.0, 0.0, 0.0, 0.0], similarity_top_k=2, **more)


@pytest.mark.xfail(raises=AssertionError, reason="O1: space_type does not reach the mapping, which stays l2")
def test_the_space_asked_for_is_mapped(client: OpensearchVectorClient) -> None:
    assert client._idx_conf["mappings"]["properties"]["embedding"]["method"]["space_type"] == "cosinesimil"


@pytest.mark.xfail(raises=AssertionError, reason="O1: scores are those of l2")
def test_scores_are_cosines(store: OpensearchVectorStore) -> None:
    assert store.query(near_a()).similarities == pytest.approx([1.0, 0.0], abs=1e-6)


@pytest.mark.xfail(raises=AssertionError, reason="O2: metadata is mapped as it comes, the whole node as English text")
def test_the_mapping_is_closed(
    store: OpensearchVectorStore, connection: Connection, client: OpensearchVectorClient
) -> None:
    (found,) = connection.request("GET", f"/{client._index}/_mapping").values()
    assert found["mappings"].get("dynamic") == "strict"


@pytest.mark.xfail(raises=AssertionError, reason="O3: nin compares with single words of the value")
def test_nin_excludes(store: OpensearchVectorStore) -> None:
    assert store.query(near_a(filters=where("bank", ["신한 은행"], "nin"))).ids == ["b"]


@pytest.mark.xfail(raises=KeyError, reason="O3: `not` is no condition")
def test_not_is_taken(store: OpensearchVectorStore) -> None:
    clause = MetadataFilter(key="bank", value="신한 은행", operator=FilterOperator.EQ)
    store.query(near_a(filters=MetadataFilters(filters=[clause], condition=FilterCondition.NOT)))


@pytest.mark.xfail(raises=AssertionError, reason="O4: node_ids are ignored")
def test_node_ids_restrict(store: OpensearchVectorStore) -> None:
    assert store.query(near_a(node_ids=["b"])).ids == ["b"]


@pytest.mark.xfail(raises=AssertionError, reason="O4: doc_ids are ignored")
def test_doc_ids_restrict(store: OpensearchVectorStore) -> None:
    assert store.query(near_a(doc_ids=["no such document"])).ids == []


@pytest.mark.xfail(raises=NotImplementedError, reason="O4: no get_nodes")
def test_it_gives_nodes(store: OpensearchVectorStore) -> None:
    store.get_nodes(["a"])


@pytest.mark.xfail(raises=AssertionError, reason="O9: an index of another dimension is taken for the one wanted")
def test_another_dimension_is_refused(
    store: OpensearchVectorStore, connection: Connection, client: OpensearchVectorClient
) -> None:
    other = OpensearchVectorClient(
        connection.url, client._index, 8, os_client=connection.client, os_async_client=connection.client
    )
    refused = False
    try:
        other._ensure_initialized()
    except Exception:
        refused = True
    assert refused
