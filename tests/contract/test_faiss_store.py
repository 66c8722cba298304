"""FaissStore: the store contract, and opening, the lexical cache and copies of an index on disk."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.embeddings import MockEmbedding

from rag.errors import IndexMismatch, IndexMissing, StoreError
from rag.stores.base import Manifest, PassageStore
from rag.stores.faiss import approximate, loading
from rag.stores.faiss.database import Database
from rag.stores.faiss.store import FaissStore
from tests.contract.base import FAQ, MANIFEST, Create, ids, lexical
from tests.contract.on_disk import found, live_file
from tests.contract.reference import passage
from tests.contract.store_contract import StoreContract


class TestFaissStore(StoreContract):
    @pytest.fixture
    def create(self, directory: Path) -> Create:
        return lambda manifest: FaissStore.create(directory, manifest)


class TestApproximateFaissStore(StoreContract):
    """The same for a large index, searched by an inverted file with search files on disk."""

    @pytest.fixture
    def create(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Create:
        monkeypatch.setattr(approximate, "EXACT_ROWS", 0)
        return lambda manifest: FaissStore.create(directory, manifest)


# Opening


def test_a_closed_store_is_opened_again_as_it_was(faq: FaissStore, directory: Path) -> None:
    before = found(faq)
    faq.close()
    with pytest.raises(StoreError, match="closed"):
        faq.count()
    again = FaissStore.open(directory, MANIFEST)
    assert found(again) == before
    assert again.manifest == MANIFEST


def test_it_is_a_passage_store(faq: FaissStore) -> None:
    store: PassageStore = faq  # checked by mypy
    missing = [name for name in vars(PassageStore) if not name.startswith("_") and not hasattr(type(store), name)]
    assert missing == []


def test_opening_a_missing_index(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match=r"'faq'.*rag ingest PATH --index faq"):
        FaissStore.open(directory)
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexMissing):
        FaissStore.open(tmp_path / "file")
    with pytest.raises(StoreError, match="cannot be written"):
        FaissStore.create(tmp_path / "file", MANIFEST)
    assert not directory.exists()


@pytest.mark.parametrize(
    ("expected", "names"),
    [
        (Manifest(dimension=8, fingerprint="test"), "dimension 4.* 8"),
        (Manifest(dimension=4, fingerprint="other"), "'test'.*'other'"),
        (Manifest(dimension=4, fingerprint="test", analyzer="kiwi"), "'kiwi'"),
    ],
)
def test_opening_another_index_than_expected(faq: FaissStore, directory: Path, expected: Manifest, names: str) -> None:
    with pytest.raises(IndexMismatch, match=names):
        FaissStore.open(directory, expected)
    assert FaissStore.open(directory, None).count() == faq.count()


def test_opening_an_index_of_another_schema(faq: FaissStore, directory: Path) -> None:
    faq.close()
    with sqlite3.connect(live_file(directory)) as connection:
        connection.execute("UPDATE meta SET manifest = ?", (json.dumps({"schema": 99, "unheard": "of"}),))
    connection.close()
    with pytest.raises(IndexMismatch, match=r"schema 99.*ingest"):
        FaissStore.open(directory)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100])
def test_a_damaged_index_is_refused_and_can_be_replaced(faq: FaissStore, directory: Path, content: bytes) -> None:
    faq.close()
    live_file(directory).write_bytes(content)
    with pytest.raises(StoreError, match=r"ingest( its files)? again"):
        FaissStore.open(directory)
    store = FaissStore.create(directory, MANIFEST, replace=True)
    store.add(FAQ)
    assert ids(store, lexical("증액")) == ["limit"]


def test_creating_over_an_index_needs_replace(faq: FaissStore, directory: Path) -> None:
    with pytest.raises(StoreError, match="replace=True"):
        FaissStore.create(directory, MANIFEST)
    assert faq.count() == len(FAQ)
    assert FaissStore.create(directory, MANIFEST, replace=True).count() == 0
    assert faq.count() == 0, "the open store follows"


def test_every_sqlite_error_is_mapped(directory: Path) -> None:
    FaissStore.create(directory, MANIFEST)
    kinds = [kind for kind in vars(sqlite3).values() if isinstance(kind, type) and issubclass(kind, sqlite3.Error)]
    assert len(kinds) >= 9
    for kind in kinds:
        with pytest.raises(StoreError, match="boom"), Database(live_file(directory)).read():
            raise kind("boom")


def test_a_full_disk_keeps_nothing(directory: Path) -> None:
    store = FaissStore.create(directory, MANIFEST)
    database = Database(live_file(directory))

    def write() -> None:
        with database.write(0) as connection:
            connection.execute("PRAGMA max_page_count = 12")
            connection.execute("UPDATE meta SET manifest = ?", ("x" * 100_000,))

    with pytest.raises(StoreError, match="no disk space"):
        write()
    assert store.manifest == MANIFEST


# The lexical cache


def test_a_restart_takes_tokens_from_the_cache(
    faq: FaissStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = found(faq)

    def refuse(*_: Any) -> Any:
        raise AssertionError("tokenised again")

    monkeypatch.setattr(loading, "read_tokens", refuse)
    assert found(FaissStore.open(directory)) == before
    faq.add([passage("new")])
    with pytest.raises(AssertionError, match="tokenised again"):
        found(FaissStore.open(directory))


def _flip(cache: Path) -> None:
    content = bytearray(cache.read_bytes())
    for place in range(200, len(content), 97):
        content[place] ^= 0xFF
    cache.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda cache: cache.write_bytes(b""),
        lambda cache: cache.write_bytes(b"PK\x03\x04 garbage"),
        lambda cache: cache.write_bytes(cache.read_bytes()[: cache.stat().st_size // 2]),
        lambda cache: cache.write_bytes(cache.read_bytes()[:-10]),
        _flip,
        lambda cache: shutil.copy(cache.parent / "stale", cache),
    ],
    ids=["missing", "empty", "garbage", "half", "tail", "flipped", "stale"],
)
def test_a_bad_cache_is_rebuilt(faq: FaissStore, directory: Path, damage: Callable[[Path], Any]) -> None:
    found(faq)
    cache = live_file(directory, ".npz")
    shutil.copy(cache, directory / "stale")
    faq.add([passage("new", "이체한도 새 글", question="이체한도")])
    expected = found(faq)
    cache.unlink()
    assert found(FaissStore.open(directory)) == expected
    good = cache.read_bytes()
    damage(cache)
    assert found(FaissStore.open(directory)) == expected
    assert cache.read_bytes() == good, "and the file is whole again"


def test_a_cache_is_never_unpickled(faq: FaissStore, directory: Path, tmp_path: Path) -> None:
    import numpy as np

    class Bomb:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "exploded",)

    expected = found(faq)
    np.savez(live_file(directory, ".npz"), stamp=np.array([Bomb()], object))
    assert found(FaissStore.open(directory)) == expected
    assert not (tmp_path / "exploded").exists()


def test_a_folder_that_cannot_hold_the_cache_still_searches(faq: FaissStore, directory: Path) -> None:
    live_file(directory, ".npz").mkdir()
    assert ids(faq, lexical("증액")) == ["limit"]
    assert not list(directory.glob("*.tmp"))


# LlamaIndex's way of keeping an index


def test_a_storage_context_persists_and_loads_it(faq: FaissStore, tmp_path: Path) -> None:
    index = VectorStoreIndex.from_vector_store(faq, embed_model=MockEmbedding(embed_dim=4))
    for _ in range(2):
        index.storage_context.persist(str(tmp_path / "storage"))
    copy = FaissStore.from_persist_dir(str(tmp_path / "storage"))
    assert found(copy) == found(faq)
    copy.clear()
    assert faq.count() == len(FAQ)
    context = StorageContext.from_defaults(vector_store=faq)
    assert context.vector_store is faq


def test_persist_to_a_path(faq: FaissStore, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    faq.persist("bare")
    faq.persist(str(directory))
    assert found(FaissStore.from_persist_path("bare")) == found(faq)
    with pytest.raises(IndexMissing):
        FaissStore.from_persist_path("nothing")
    for call in (
        lambda: faq.persist("x", MemoryFileSystem()),
        lambda: FaissStore.from_persist_dir("x", MemoryFileSystem()),
    ):
        with pytest.raises(StoreError, match="local file system"):
            call()


def test_the_client_is_the_faiss_index(faq: FaissStore, tmp_path: Path) -> None:
    assert (faq.client.ntotal, faq.client.d) == (len(FAQ), 4)
    assert FaissStore.create(tmp_path / "lexical", Manifest(dimension=0, fingerprint="none")).client is None
