"""The search files of large indexes: loaded again, updated, and rebuilt when damaged."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_index.core.vector_stores.types import VectorStoreQuery

from rag.errors import IndexDamaged
from rag.stores.faiss import approximate, checksums, reader
from rag.stores.faiss.approximate import VectorFile
from rag.stores.faiss.loading import INDEX, ROWS, VECTORS
from rag.stores.faiss.store import FaissStore
from tests.contract.base import MANIFEST, dense, where
from tests.contract.on_disk import live_file
from tests.contract.reference import DIMENSION, passage

COUNT = 300
Results = dict[str, Any]


def row(number: int, version: int = 0) -> Any:
    vector = np.random.default_rng([number, version]).standard_normal(DIMENSION).tolist()
    texts = {"question": f"질문 {number}", "bank": f"은행 {number % 5}", "수수료": number * 10.5, "version": version}
    return passage(f"row-{number:03}", f"답 {number} 판본 {version}", vector, f"doc-{number // 3}", **texts)


def results(store: FaissStore) -> Results:
    """The results of a few questions."""
    found: Results = {"count": store.count(), "banks": store.values("bank")}
    for number in range(5):
        vector = np.random.default_rng([99, number]).standard_normal(DIMENSION).tolist()
        for name, filters in (("all", None), ("bank", where("bank", "은행 2")), ("fee", where("수수료", 900, "<"))):
            result = store.query(dense(vector, 7, filters=filters))
            found[f"{number} {name}"] = list(zip(result.ids or [], result.similarities or [], strict=True))
        of_document = VectorStoreQuery(query_embedding=vector, similarity_top_k=7, doc_ids=["doc-3", "doc-90"])
        found[f"{number} document"] = store.query(of_document).ids
        candidates = store.candidates(query_embedding=vector, query_str=f"질문 {number}", size=9)
        found[f"{number} candidates"] = (candidates.dense, candidates.documents)
    return found


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "EXACT_ROWS", 10)


@pytest.fixture
def nothing_is_built(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def refuse(*_: Any) -> Any:
        raise AssertionError("built again")

    return lambda: monkeypatch.setattr(approximate, "build_approximate", refuse)


@pytest.fixture
def filled(directory: Path) -> FaissStore:
    store = FaissStore.create(directory, MANIFEST)
    store.add([row(number) for number in range(COUNT)])
    store.add([row(number, 1) for number in range(0, COUNT, 50)])
    return store


def folders(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.is_dir()]


def test_they_find_what_exact_search_finds(
    filled: FaissStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = results(filled)
    monkeypatch.setattr(approximate, "EXACT_ROWS", 1_000)
    shutil.rmtree(folders(directory)[0])
    assert results(FaissStore.open(directory)) == many


def test_a_restart_builds_nothing(filled: FaissStore, directory: Path, nothing_is_built: Callable[[], None]) -> None:
    before = results(filled)
    filled.close()
    nothing_is_built()
    again = FaissStore.open(directory)
    assert results(again) == before
    with again._reader.read() as view:
        assert isinstance(getattr(view.snapshot.dense, "base", None), VectorFile), "the vectors stay on disk"


def test_what_is_written_later_is_carried_on(
    filled: FaissStore, directory: Path, nothing_is_built: Callable[[], None]
) -> None:
    page = filled
    results(page)
    nothing_is_built()
    for version in (1, 2):
        writer = FaissStore.open(directory)
        writer.add([row(number, version) for number in range(3 * version)])
        writer.add([row(COUNT + version)])
        writer.delete("doc-20")
        writer.replace_manifest(writer.manifest.with_calibration({"answered": 0.5 + version}))
        writer.close()
        assert len(folders(directory)) == 1
        assert results(FaissStore.open(directory)) == results(page)
    assert page.count() == COUNT + 2 - 3


def test_a_rebuilt_index_brings_them_along(
    filled: FaissStore, directory: Path, nothing_is_built: Callable[[], None]
) -> None:
    built = FaissStore.create(directory.with_name(".building"), MANIFEST)
    built.add([row(number, 5) for number in range(COUNT)])
    before = results(built)
    built.close()
    nothing_is_built()
    FaissStore.swap_in(directory.with_name(".building"), directory)
    assert results(filled) == before


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 3, len(content), 61):
        content[place] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("name", [VECTORS, INDEX, ROWS])
@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(b"PK\x03\x04 garbage"),
        _flip,
    ],
    ids=["missing", "empty", "half", "garbage", "flipped"],
)
def test_damaged_files_are_built_again(
    filled: FaissStore, directory: Path, name: str, damage: Callable[[Path], Any]
) -> None:
    before = results(filled)
    filled.close()
    (folder,) = folders(directory)
    damage(folder / name)
    again = FaissStore.open(directory)
    try:
        found: Any = results(again)
    except IndexDamaged as exc:
        found = str(exc)
    # Vectors and columns are read when they are needed: who meets the damage is told, and the next finds it mended.
    assert found == before or (name != INDEX and "built again" in found)
    assert results(again) == before
    assert results(FaissStore.open(directory)) == before


def test_verify_removes_what_is_not_of_the_rows(filled: FaissStore, directory: Path) -> None:
    before = results(filled)
    filled.close()
    (folder,) = folders(directory)
    _flip(folder / VECTORS)
    with pytest.raises(IndexDamaged, match="built again"):
        FaissStore.open(directory).verify()
    assert not folder.exists()
    assert FaissStore.open(directory).verify() == (COUNT, 0)
    assert results(FaissStore.open(directory)) == before


def test_a_folder_that_cannot_hold_them_still_searches(
    filled: FaissStore, directory: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    found = results(filled)
    assert "cannot write" in caplog.text
    assert not folders(directory)
    monkeypatch.undo()
    monkeypatch.setattr(approximate, "EXACT_ROWS", 10)
    assert results(FaissStore.open(directory)) == found


def test_a_large_file_is_verified_where_it_is_shown(
    filled: FaissStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.close()
    monkeypatch.setattr(reader, "VERIFY_MAX_BYTES", 0)
    with sqlite3.connect(live_file(directory)) as connection:
        connection.execute("UPDATE nodes SET text = 'x' || text WHERE id = 'row-007'")
        connection.execute("UPDATE nodes SET content_hash = 'x' WHERE id = 'row-008'")
    connection.close()
    store = FaissStore.open(directory)
    assert store.query(dense(row(9).embedding, 1)).ids == ["row-009"]
    for number in (7, 8):
        with pytest.raises(IndexDamaged, match=f"row-00{number}"):
            store.query(dense(row(number).embedding, 1))
    with pytest.raises(IndexDamaged, match="row-007"):
        store.verify()
    assert checksums.VERIFY_MAX_BYTES > 0
