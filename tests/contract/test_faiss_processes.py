"""FaissStore with several processes: readers see other writers' changes and new indexes; killed writers do no harm."""

from __future__ import annotations

import json
import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from rag.errors import IndexBusy, IndexMismatch, IndexMissing, StoreError
from rag.stores.base import Manifest
from rag.stores.faiss.database import Connection, Database
from rag.stores.faiss.files import IndexFiles
from rag.stores.faiss.store import FaissStore
from tests.contract.base import FAQ, MANIFEST, dense, ids, lexical
from tests.contract.on_disk import found, live_file, other_process
from tests.contract.reference import passage

KILLED_WRITER = "import runpy; runpy.run_module('tests.contract.killed_writer', run_name='__main__')"

# Following other writers


def test_a_long_lived_store_finds_what_a_fresh_one_finds(directory: Path) -> None:
    dice = random.Random(5)
    store = FaissStore.create(directory, MANIFEST)
    for step in range(40):
        batch = [
            passage(
                f"n{dice.randrange(30)}",
                " ".join(dice.choices(["이체한도", "증액", "앱에서", "수수료", "카드", ""], k=4)),
                [dice.gauss(0, 1) for _ in range(4)],
                f"doc-{dice.randrange(5)}",
                question=dice.choice(["이체한도 증액", "카드를 잃어버렸어요", ""]),
                bank=dice.choice(["a", "b", 1]),
            )
            for _ in range(dice.randrange(8))
        ]
        match step % 5:
            case 3:
                store.delete(f"doc-{dice.randrange(5)}")
            case 4:
                store.delete_nodes([node.node_id for node in batch])
            case _:
                store.add(batch)
        if step == 25:
            store.clear()
        live_file(directory, ".npz").unlink(missing_ok=True)
        fresh = FaissStore.open(directory)
        assert found(store) == found(fresh), step
        assert store.states() == fresh.states()
        fresh.close()
    assert store.count() > 0


def test_a_node_in_the_place_of_a_deleted_one_is_seen(faq: FaissStore, directory: Path) -> None:
    found(faq)
    other = FaissStore.open(directory)
    other.delete_nodes([FAQ[-1].node_id])
    other.add([passage("other", "아주 다른 글", (0, 0, 0, -1))])
    assert found(faq, "다른 메모") == found(other, "다른 메모")
    assert ids(faq, dense((0, 0, 0, -1), 1)) == ["other"]


def test_two_processes_see_each_others_writes(faq: FaissStore, directory: Path) -> None:
    found(faq)
    script = f"""
from pathlib import Path
from rag.stores.faiss.store import FaissStore
from tests.contract.reference import passage
store = FaissStore.open(Path({str(directory)!r}))
print(sorted(store.candidates(query_embedding=[1, 0, 0, 0], query_str="이체", size=9).dense), flush=True)
input()
print(sorted(store.candidates(query_embedding=[1, 0, 0, 0], query_str="이체", size=9).dense), flush=True)
store.add([passage("theirs", "저쪽 글", (0, 0, 0, -1))])
store.replace_manifest(store.manifest.with_calibration({{"theirs": 1}}))
"""
    with other_process(script) as other:
        assert other.stdout is not None
        before = sorted(node.node_id for node in FAQ)
        assert other.stdout.readline().strip() == str(before)
        faq.delete_nodes(["otp"])
        faq.add([passage("ours", "이쪽 글")])
        output, _ = other.communicate("\n", timeout=240)
        assert output.strip() == str(sorted({*before, "ours"} - {"otp"}))
    assert ids(faq, dense((0, 0, 0, -1), 1)) == ["theirs"]
    assert ids(faq, lexical("저쪽")) == ["theirs"]
    assert faq.manifest.calibration == {"theirs": 1}


def test_a_second_writer_gets_index_busy(faq: FaissStore, directory: Path) -> None:
    hold = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE'); print('held', flush=True)"
    )
    at_once, patient = FaissStore.open(directory, wait=0), FaissStore.open(directory, wait=240)
    with other_process(f"{hold}; input()", str(live_file(directory))) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        for write in (
            lambda: at_once.add(FAQ[:1]),
            lambda: at_once.delete("doc-1"),
            lambda: at_once.replace_manifest(MANIFEST),
            lambda: FaissStore.create(directory, MANIFEST, replace=True, wait=0),
        ):
            with pytest.raises(IndexBusy, match="another process is writing"):
                write()
        assert ids(at_once, dense((1, 0, 0, 0), 1)) == ["otp"], "readers do not wait"
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(patient.add, [passage("patient")])
            other.communicate("\n", timeout=240)
            assert waiting.result(timeout=240) == ["patient"]
    assert at_once.add([passage("later")]) == ["later"]
    assert faq.count() == len(FAQ) + 2


@pytest.mark.parametrize(
    "operation",
    ["add", "delete", "delete_nodes", "clear", "replace_manifest", "replace", "swap_in", "rollback"],
)
def test_a_killed_writer_leaves_the_old_or_the_new(operation: str, tmp_path: Path) -> None:
    with other_process(KILLED_WRITER, str(tmp_path), operation) as other:
        output, _ = other.communicate(timeout=300)
    outcomes = json.loads(output)
    assert set(outcomes) == {"old", "new"}
    assert outcomes == sorted(outcomes, reverse=True), "once new, always new"
    assert len(outcomes) >= 6


# Swapping


def versioned(directory: Path, version: int) -> FaissStore:
    store = FaissStore.create(directory, MANIFEST)
    nodes = [passage(f"n{i}", f"판본 {version} 글", (1, i, version, 0), version=version) for i in range(8 + version)]
    store.add(nodes)
    return store


def test_open_stores_follow_a_swap_without_a_gap(directory: Path, tmp_path: Path) -> None:
    store = versioned(directory, 0)
    done = threading.Event()
    seen: set[int] = set()

    def read() -> None:
        while not done.is_set():
            nodes = store.candidates(query_embedding=[1, 0, 0, 0], query_str="글", size=50).nodes
            (version,) = {node.metadata["version"] for node in nodes.values()}
            assert len(nodes) == 8 + version
            seen.add(version)

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        try:
            for version in range(1, 8):
                versioned(tmp_path / "built", version).close()
                FaissStore.swap_in(tmp_path / "built", directory)
                assert found(store) == found(FaissStore.open(directory))
                while version == 4 and len(seen) < 2 and not any(reader.done() for reader in readers):
                    time.sleep(0.01)
        finally:
            done.set()
        for reader in readers:
            reader.result()
    assert len(seen) > 1, "the readers should have met several versions"
    assert not (tmp_path / "built").exists()
    assert len(list(directory.glob("*.sqlite"))) == 2, "the live one and the one before"


def test_a_write_that_waited_for_a_swap_goes_to_the_new_index(
    faq: FaissStore, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versioned(tmp_path / "built", 1).close()
    plain = Database.lock
    knocked = threading.Event()

    def knock(database: Database, wait: float) -> AbstractContextManager[Connection]:
        if threading.current_thread() is not threading.main_thread():
            knocked.set()
        return plain(database, wait)

    def copy(database: Database, path: Path) -> None:
        writing.append(pool.submit(FaissStore.open(directory, wait=240).add, [passage("waited")]))
        assert knocked.wait(240)  # the writer is at the door of the old index, which the swap keeps locked
        plain_copy(database, path)

    plain_copy = Database.copy
    writing: list[Future[list[str]]] = []
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(Database, "lock", knock)
        monkeypatch.setattr(Database, "copy", copy)
        FaissStore.swap_in(tmp_path / "built", directory)
        assert writing[0].result(240) == ["waited"]
    assert "waited" in FaissStore.open(directory).states()


def test_a_write_after_a_swap_goes_to_the_new_index(faq: FaissStore, directory: Path, tmp_path: Path) -> None:
    versioned(tmp_path / "built", 1).close()
    FaissStore.swap_in(tmp_path / "built", directory)
    faq.add([passage("added")])
    assert sorted(FaissStore.open(directory).states()) == sorted([*(f"n{i}" for i in range(9)), "added"])


def test_a_swapped_in_index_must_be_the_expected_one(directory: Path, tmp_path: Path) -> None:
    FaissStore.create(directory, MANIFEST)
    strict, any_index = FaissStore.open(directory, MANIFEST), FaissStore.open(directory)
    other = FaissStore.create(tmp_path / "built", Manifest(dimension=2, fingerprint="other"))
    other.add([passage("a", vector=(1, 0))])
    FaissStore.swap_in(tmp_path / "built", directory)
    with pytest.raises(IndexMismatch, match=r"dimension 2.* 4"):
        strict.query(dense((1, 0, 0, 0)))
    assert ids(any_index, dense((1, 0))) == ["a"]


def test_a_file_gone_while_it_was_being_opened(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versioned(directory, 0).close()
    gone = live_file(directory).stem
    for version in (1, 2):
        versioned(tmp_path / "built", version).close()
        FaissStore.swap_in(tmp_path / "built", directory)
    answers = [gone]
    plain = IndexFiles.current
    monkeypatch.setattr(IndexFiles, "current", lambda files: answers.pop() if answers else plain(files))
    assert FaissStore.open(directory).count() == 10


def test_an_index_is_not_swapped_with_itself(faq: FaissStore, directory: Path) -> None:
    with pytest.raises(StoreError, match="itself"):
        FaissStore.swap_in(directory / ".." / directory.name, directory)
    assert faq.count() == len(FAQ)


def test_rollback_exchanges_the_index_with_the_one_before(faq: FaissStore, directory: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no earlier version"):
        FaissStore.rollback(directory)
    versioned(tmp_path / "built", 1).close()
    FaissStore.swap_in(tmp_path / "built", directory)
    assert faq.count() == 9
    FaissStore.rollback(directory)
    assert ids(faq, lexical("증액")) == ["limit"]
    FaissStore.rollback(directory)
    assert faq.count() == 9
    with pytest.raises(IndexMissing):
        FaissStore.rollback(tmp_path / "nowhere")
