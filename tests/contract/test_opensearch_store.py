"""OpenSearchStore: the store contract on a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rag.stores.base import Manifest
from rag.stores.opensearch.store import OpenSearchStore
from tests.contract.base import Create, StoreFixtures
from tests.contract.filtering import FilteringContract
from tests.contract.searching import SearchingContract
from tests.contract.store_contract import StoreContract
from tests.opensearch import Server, drop, index_name

Make = Callable[..., OpenSearchStore]


@pytest.fixture
def make(opensearch: Server) -> Iterator[Make]:
    """Indexes that are removed afterwards."""
    connection, names = opensearch.connect(), []

    def create(manifest: Manifest, exact: bool = True) -> OpenSearchStore:
        names.append(index_name())
        return OpenSearchStore.create(connection, names[-1], manifest, exact=exact)

    yield create
    for name in names:
        drop(connection, name)
    connection.close()


class TestOpenSearchStore(StoreContract):
    """The contract, without a graph. The server computes in float32."""

    coverage_tolerance = 1e-5

    @pytest.fixture
    def create(self, make: Make) -> Create:
        return make


class TestOpenSearchGraph(SearchingContract, FilteringContract):
    """The contract with a graph, which has full recall for so few rows."""

    coverage_tolerance = 1e-5

    @pytest.fixture
    def create(self, make: Make) -> Create:
        return lambda manifest: make(manifest, exact=False)


class TestGraphOfCosines(StoreFixtures):
    """An index of an earlier version, with `cosinesimil` instead of inner products."""

    test_scores_are_cosines = SearchingContract.test_scores_are_cosines
    test_scores_stay_within_one = SearchingContract.test_scores_stay_within_one

    @pytest.fixture
    def create(self, make: Make, monkeypatch: pytest.MonkeyPatch) -> Create:
        monkeypatch.setattr("rag.stores.opensearch.mapping.SPACE", "cosinesimil")
        return lambda manifest: make(manifest, exact=False)
