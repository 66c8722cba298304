"""Killed and concurrent ingestions: readers keep the old rows, and the next run completes.

The children come from a fork server that has imported everything, so that each costs milliseconds.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import VectorStoreQuery

from rag.errors import IndexBusy
from rag.ingestion import sync
from rag.ingestion.embedding import embed_nodes, manifest_of
from rag.ingestion.pipeline import StoreOpener, ingest
from rag.stores.base import WAIT
from rag.stores.faiss.catalog import FaissCatalog
from rag.stores.faiss.store import FaissStore
from tests import fork_server
from tests.fakes_embedding import HashedEmbedding

KILLS = 20
ROWS = 60
PROCESSES = multiprocessing.get_context("forkserver")


@pytest.fixture(scope="module", autouse=True)
def started_fork_server() -> None:
    fork_server.start_again(__name__)


def opener(index: Path, wait: float = WAIT) -> StoreOpener:
    return partial(FaissCatalog(index.parent).open_for_ingest, index.name, wait=wait)


def write(file: Path, contents: dict[str, str]) -> None:
    lines = [f"{name},질문 {name}번,{text}" for name, text in contents.items()]
    file.write_text("\n".join(["id,question,answer", *lines]), encoding="utf-8")


def ingest_in_child(index: Path, file: Path, salt: str, wait: float, lockstep: bool, parent: Connection) -> None:
    """In small batches, each reported (and, in lockstep, answered); at the end `done` or `busy`."""
    sync.BATCH = 4

    def progress(step: str, done: int, total: int) -> None:
        parent.send(step)
        if lockstep:
            parent.recv()

    store_opener = opener(index, wait=wait)
    try:
        ingest([file], store_opener=store_opener, embed_model=HashedEmbedding(salt=salt), progress=progress)
    except IndexBusy:
        parent.send("busy")
    else:
        parent.send("done")


def start(
    index: Path, file: Path, *, salt: str = "", wait: float = 30.0, lockstep: bool = False
) -> tuple[BaseProcess, Connection]:
    here, there = PROCESSES.Pipe()
    child = PROCESSES.Process(target=ingest_in_child, args=(index, file, salt, wait, lockstep, there))
    child.start()
    there.close()
    return child, here


def kill_at_a_random_moment(index: Path, file: Path, salt: str, rng: random.Random) -> None:
    """After some batches, or all, a few milliseconds into the next, the deletions or the swap."""
    child, reports = start(index, file, salt=salt, lockstep=True)
    left = rng.randrange(ROWS // 4 + 1)
    while left and (step := reports.recv()) != "done":
        left -= step != "split"
        reports.send("go on")
    time.sleep(rng.random() * 0.01)
    child.kill()
    child.join()
    reports.close()
    child.close()


def searched(index: Path, salt: str) -> dict[str, str]:
    """Every stored row that a dense search for its own text and a lexical one for its question put first."""
    model = HashedEmbedding(salt=salt)
    store = FaissStore.open(index, manifest_of(model))
    try:
        stored = store.get_nodes()
        vectors = embed_nodes(model, stored)  # type: ignore[arg-type]
        for node, vector in zip(stored, vectors, strict=True):
            dense = store.query(VectorStoreQuery(query_embedding=vector, similarity_top_k=1))
            assert dense.ids == [node.node_id]
            assert node.node_id in found_by_words(store, node)
        return {node.node_id: node.get_content() for node in stored}
    finally:
        store.close()


def found_by_words(store: FaissStore, node: BaseNode) -> set[str]:
    found = store.candidates(query_embedding=None, query_str=str(node.metadata["question"]), size=3)
    return set(found.lexical["tokens"])


def salt_of(index: Path) -> str:
    store = FaissStore.open(index)
    fingerprint = store.manifest.fingerprint
    store.close()
    return next(salt for salt in ("", "other") if manifest_of(HashedEmbedding(salt=salt)).fingerprint == fingerprint)


def test_killed_at_any_moment_every_row_stays_searchable_and_the_next_run_converges(tmp_path: Path) -> None:
    """Three kills while an index is changed in place, then one while another embedder rebuilds it, and so on."""
    rng = random.Random(20)
    index, file = tmp_path / "faq", tmp_path / "faq.csv"
    old = {f"{number:03}": f"{rng.getrandbits(60)} 답변" for number in range(ROWS)}
    write(file, old)
    ingest(
        [file],
        store_opener=opener(index),
        embed_model=HashedEmbedding(),
    )
    partly = 0
    for kill in range(KILLS):
        before = salt_of(index)
        salt = before if kill % 4 else {"": "other", "other": ""}[before]
        gone = set(rng.sample(sorted(old), 5))
        new = {name: text for name, text in old.items() if name not in gone}
        new |= {name: f"{rng.getrandbits(60)} 답변" for name in rng.sample(sorted(new), 40)}
        new |= {f"{kill:03}-{number}": f"{rng.getrandbits(60)} 답변" for number in range(5)}
        write(file, new)

        kill_at_a_random_moment(index, file, salt, rng)
        left = searched(index, salt_of(index))
        assert all(text in (old.get(name), new.get(name)) for name, text in left.items())
        if lost := old.keys() - left.keys():
            assert lost <= gone and new.items() <= left.items()  # rows go last, when all the rest is in
        partly += left not in (old, new)

        ingest(
            [file],
            store_opener=opener(index),
            embed_model=HashedEmbedding(salt=salt),
        )
        assert searched(index, salt) == new
        old = new
    assert partly > KILLS // 4, "too few kills hit a run halfway: this test shows nothing"


def test_two_ingests_at_once_leave_the_whole_of_one(tmp_path: Path) -> None:
    index = tmp_path / "faq"
    versions = [{f"{name}{number}": f"{name} {number} 답변" for number in range(ROWS)} for name in "ab"]
    children = []
    for number, contents in enumerate(versions):
        write(tmp_path / f"{number}.csv", contents)
        children.append(start(index, tmp_path / f"{number}.csv"))
    for child, reports in children:
        while reports.recv() != "done":
            pass
        child.join()
        assert child.exitcode == 0
        reports.close()
        child.close()
    assert searched(index, "") in versions


def test_an_ingest_that_will_not_wait_is_refused(tmp_path: Path) -> None:
    index, file = tmp_path / "faq", tmp_path / "faq.csv"
    write(file, {"a": "답변"})
    with opener(index)(manifest_of(HashedEmbedding()), size=0, dry_run=False):
        child, reports = start(index, file, wait=0.0)
        while (report := reports.recv()) == "split":
            pass
        assert report == "busy"
        child.join()
    reports.close()
    child.close()
