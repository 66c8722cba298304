"""OpenSearchStore to the store contract, on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.stores.contract import Manifest
from rag.stores.opensearch.store import OpenSearchStore
from tests.contract.base import Create
from tests.contract.store_contract import StoreContract
from tests.opensearch import Server, drop, index_name


class TestOpenSearchStore(StoreContract):
    """The contract. The server computes in float32."""

    coverage_tolerance = 1e-5

    @pytest.fixture
    def create(self, opensearch: Server) -> Iterator[Create]:
        connection, names = opensearch.connect(), []

        def make(manifest: Manifest) -> OpenSearchStore:
            names.append(index_name())
            return OpenSearchStore.create(connection, names[-1], manifest)

        yield make
        for name in names:
            drop(connection, name)
        connection.close()
