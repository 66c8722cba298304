"""Shared by the parts of the store contract: fixtures to override, a small FAQ, and short functions for queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.vector_stores.types import (
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

from rag.stores.base import Manifest
from tests.contract.reference import DIMENSION, passage

MANIFEST = Manifest(dimension=DIMENSION, fingerprint="test", extra={"제목": "시험"})
TEXT = VectorStoreQueryMode.TEXT_SEARCH
HYBRID = VectorStoreQueryMode.HYBRID
Store = Any  # a PassageStore that is a LlamaIndex vector store too: Python has no type for both
Create = Callable[[Manifest], Store]

FAQ = [
    passage("otp", "앱에서 일회용비밀번호를 다시 발급합니다.", (1, 0, 0, 0), "doc-1", question="OTP를 잃어버렸어요"),
    passage("card", "고객센터로 분실 신고를 하십시오.", (0, 1, 0, 0), "doc-1", question="카드를 잃어버렸어요"),
    passage("limit", "이체한도는 앱에서 바꿉니다.", (0, 0, 1, 0), "doc-2", question="이체한도 증액"),
    passage("fee", "타행이체 수수료는 없습니다.", (0.6, 0, 0.8, 0), "doc-3", question="수수료 안내"),
    passage("memo", "이체 메모만 있는 글", (0, 0, 0, 1)),
]


def dense(vector: Any, k: int = 5, **more: Any) -> VectorStoreQuery:
    return VectorStoreQuery(query_embedding=list(vector), similarity_top_k=k, **more)


def lexical(text: str, k: int = 5, **more: Any) -> VectorStoreQuery:
    return VectorStoreQuery(query_str=text, similarity_top_k=k, mode=TEXT, **more)


def where(key: str, value: Any, operator: str = "==") -> MetadataFilters:
    return MetadataFilters(filters=[MetadataFilter(key=key, value=value, operator=FilterOperator(operator))])


def ids(store: Store, query: VectorStoreQuery) -> list[str]:
    found: list[str] = store.query(query).ids
    return found


class StoreFixtures:
    """Override `create`."""

    cosine_tolerance = 1e-6
    coverage_tolerance = 1e-6

    @pytest.fixture
    def create(self) -> Create:
        """A function that makes a new, empty store with the given manifest, removed after the test."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, create: Create) -> Store:
        return create(MANIFEST)

    @pytest.fixture
    def faq(self, store: Store) -> Store:
        store.add(FAQ)
        return store


def scores(store: Store, query: VectorStoreQuery) -> dict[str, float]:
    result = store.query(query)
    return dict(zip(result.ids, result.similarities, strict=True))
