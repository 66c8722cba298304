"""A FAISS index of a small FAQ in a separate folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.stores.faiss.store import FaissStore
from tests.contract.base import FAQ, MANIFEST


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "indexes" / "faq"


@pytest.fixture
def faq(directory: Path) -> Iterator[FaissStore]:
    store = FaissStore.create(directory, MANIFEST)
    store.add(FAQ)
    yield store
    store.close()
