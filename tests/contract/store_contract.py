"""The store contract (rag.stores.base, rag.stores.filters) as tests. A store's test module subclasses `StoreContract`,
overrides the fixture `create`, and may loosen the tolerances for its own rounding."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.schema import QueryBundle, TextNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
)

from tests.contract.base import (
    FAQ,
    Store,
    dense,
    ids,
    lexical,
    where,
)
from tests.contract.filtering import FilteringContract
from tests.contract.reference import DIMENSION, passage
from tests.contract.searching import SearchingContract
from tests.contract.writing import WritingContract


class StoreContract(WritingContract, SearchingContract, FilteringContract):
    """The whole contract; here its last part: inside LlamaIndex, asynchronously, in threads."""

    def test_a_vector_store_index_retrieves_from_it(self, faq: Store) -> None:
        index = VectorStoreIndex.from_vector_store(faq, embed_model=MockEmbedding(embed_dim=DIMENSION))
        index.insert_nodes([passage("added", "나중에", (0, 0, 0, -1), QUESTION="q")])
        retriever = index.as_retriever(similarity_top_k=2, filters=where("question", "OTP를 잃어버렸어요", "!="))
        found = retriever.retrieve(QueryBundle("질문", embedding=[1.0, 0.0, 0.0, 0.0]))
        assert [hit.node.node_id for hit in found] == ["fee", "added"]
        assert found[0].score == pytest.approx(0.6, abs=self.cosine_tolerance)
        index.delete_nodes(["added"])
        index.delete_ref_doc("doc-3")
        assert sorted(faq.states()) == ["card", "limit", "memo", "otp"]

    def test_async_methods_do_what_the_sync_ones_do(self, store: Store) -> None:
        async def use() -> None:
            assert await store.async_add(FAQ) == [node.node_id for node in FAQ]
            results = await asyncio.gather(*(store.aquery(dense((1, 0, 0, 0), k)) for k in range(5)))
            assert [result.ids for result in results] == [ids(store, dense((1, 0, 0, 0), k)) for k in range(5)]
            assert await store.aget_nodes(["fee"]) == store.get_nodes(["fee"])
            await store.adelete("doc-1")
            await store.adelete_nodes(["fee"])
            assert sorted(store.states()) == ["limit", "memo"]
            await store.aclear()
            assert store.count() == 0

        asyncio.run(use())

    def test_no_async_method_is_the_parents_blocking_one(self, store: Store) -> None:
        for name in ("async_add", "aquery", "aget_nodes", "adelete", "adelete_nodes", "aclear"):
            assert getattr(type(store), name) is not getattr(BasePydanticVectorStore, name), name

    def test_readers_see_whole_batches(self, store: Store) -> None:
        def batch(version: int) -> list[TextNode]:
            return [passage(f"n{i}", f"판본 {version}", (1, i, 0, 0), version=version) for i in range(6)]

        store.add(batch(0))
        done = threading.Event()
        seen: set[int] = set()

        def read() -> None:
            while not done.is_set():
                versions = {node.metadata["version"] for node in store.query(dense((1, 0, 0, 0), 6)).nodes}
                assert len(versions) == 1
                seen.update(versions)
                assert len({node.get_content() for node in store.query(lexical("판본", 6)).nodes}) == 1

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read) for _ in range(4)]
            try:
                for version in range(1, 13):
                    store.add(batch(version))
                    while version == 6 and len(seen) < 2 and not any(reader.done() for reader in readers):
                        time.sleep(0.01)
            finally:
                done.set()
            for reader in readers:
                reader.result()
        assert len(seen) > 1, "the readers should have met several versions"

    def test_writers_in_threads_all_land(self, store: Store) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda i: store.add([passage(f"t{i:02}", f"글 {i}")]), range(24)))
        assert sorted(store.states()) == [f"t{i:02}" for i in range(24)]
