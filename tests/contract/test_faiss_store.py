from pathlib import Path
import pytest
from rag.stores.contract import Manifest
from rag.stores.faiss import FaissStore
from tests.contract.store_contract import Create, StoreContract


class TestFaissStore(StoreContract):
    @pytest.fixture
    def create(self, tmp_path: Path) -> Create:
        return lambda manifest: FaissStore.create(tmp_path / "index", manifest)
