"""Killed ingestions of documents and rows, on both stores: readers keep the old rows, and the next run completes.

Files are read in the process itself: the readers' pool writes nothing, and that it ends with its program is tested with it.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import pytest

from rag.ingestion import sync
from rag.ingestion.documents.reading import Outcome, read_document
from rag.ingestion.embedding import manifest_of
from rag.ingestion.pipeline import IngestReport, StoreOpener, ingest, split_documents, split_rows
from rag.ingestion.sources import read_sources
from rag.stores.base import PassageStore
from rag.stores.faiss.catalog import FaissCatalog
from rag.stores.faiss.store import FaissStore
from rag.stores.opensearch.catalog import OpenSearchCatalog
from rag.stores.opensearch.client import Connection, connect
from tests import fork_server
from tests.document_builders import build
from tests.fakes_embedding import HashedEmbedding
from tests.opensearch import Server, drop, index_name

KILLS = 20
PROCESSES = multiprocessing.get_context("forkserver")
READ_MANY = "rag.ingestion.sources.read_many"


@pytest.fixture(scope="module", autouse=True)
def started_fork_server() -> None:
    fork_server.start_again(__name__)


def read_here(paths: Sequence[Path], **_: Any) -> Iterator[tuple[Path, Outcome]]:
    return ((path, read_document(path)) for path in paths)


class Files:
    """A folder of an FAQ, notices and a Word file, changed from run to run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._choose = random.Random(17)
        self._notices = {f"안내{number}": [self._rate() for _ in range(5)] for number in range(5)}
        self._fees = [self._rate() for _ in range(3)]
        self._rows = [self._rate() for _ in range(8)]
        folder.mkdir()
        self.write()

    def _rate(self) -> str:
        return f"{self._choose.randrange(10**6)}원"

    def change(self) -> None:
        """One article in each of two notices, a cell, a row; a notice deleted, and a new one."""
        for name in self._choose.sample(sorted(self._notices), 2):
            self._notices[name][self._choose.randrange(5)] = self._rate()
        self._fees[self._choose.randrange(3)] = self._rows[self._choose.randrange(8)] = self._rate()
        del self._notices[self._choose.choice(sorted(self._notices))]
        self._notices[f"안내{self._choose.randrange(10, 10**6)}"] = [self._rate() for _ in range(5)]
        self.write()

    def write(self) -> None:
        for old in self.folder.glob("*.md"):
            old.unlink()
        for name, fees in self._notices.items():
            articles = [
                f"## 제{number}조(수수료 {number})\n\n수수료는 {fee}이다." for number, fee in enumerate(fees, 1)
            ]
            (self.folder / f"{name}.md").write_text("\n\n".join([f"# {name}", *articles]), encoding="utf-8")
        table = [["구분", "값"], *([f"창구 {number}", fee] for number, fee in enumerate(self._fees))]
        (self.folder / "요금.docx").write_bytes(build("a.docx", [("h1", "요금"), ("table", table)]))
        rows = [f"{number},질문 {number}번,{text}" for number, text in enumerate(self._rows)]
        (self.folder / "faq.csv").write_text("\n".join(["id,question,answer", *rows]), encoding="utf-8")

    def nodes(self) -> dict[str, str]:
        """The nodes of an index of the files."""
        found, model = read_sources([self.folder]), HashedEmbedding()
        nodes = [*split_rows(found.rows, model), *split_documents(found, model)]
        return {node.node_id: node.get_content() for node in nodes}


def contents(store: PassageStore) -> dict[str, str]:
    return {node.node_id: node.get_content() for node in store.get_nodes()}


def run(opener: StoreOpener, folder: Path, progress: sync.Progress = sync.no_progress) -> IngestReport:
    return ingest([folder], store_opener=opener, embed_model=HashedEmbedding(), progress=progress)


def ingest_in_child(opener_of: Any, folder: Path, parent: Pipe) -> None:
    """In small batches; before each step and each request to a server it asks the parent whether to go on."""
    import rag.ingestion.sources as sources

    sources.read_many = read_here  # type: ignore[attr-defined]
    sync.BATCH = 4
    sent = Connection.request

    def ask(*_: Any) -> None:
        parent.send("step")
        parent.recv()

    def request(self: Connection, *arguments: Any, **options: Any) -> Any:
        ask()
        return sent(self, *arguments, **options)

    Connection.request = request  # type: ignore[method-assign]
    run(opener_of(), folder, lambda *_: ask())
    parent.send("done")


def killed_after(opener_of: Any, folder: Path, steps: int, choose: random.Random) -> int:
    """The number of steps, at most `steps`, after which it was killed."""
    here, there = PROCESSES.Pipe()
    child = PROCESSES.Process(target=ingest_in_child, args=(opener_of, folder, there))
    child.start()
    there.close()
    taken = 0
    while here.recv() != "done" and taken < steps:
        taken += 1
        here.send("go on")
    if choose.random() < 0.5:
        with suppress(BrokenPipeError):
            here.send("go on")  # in the middle of the step
        time.sleep(choose.random() * 0.01)
    child.kill()
    child.join()
    here.close()
    return taken


def kill_many_times(opener_of: Any, reader: Any, folder: Path, *, swapped: bool) -> None:
    choose = random.Random(20)
    files = Files(folder)
    opener: StoreOpener = opener_of()
    run(opener, folder)
    old = files.nodes()
    assert contents(reader()) == old
    files.change()
    whole = killed_after(opener_of, folder, 10**6, choose)
    run(opener, folder)
    old = files.nodes()
    halfway = 0
    for kill in range(KILLS):
        files.change()
        new = files.nodes()
        halfway += killed_after(opener_of, folder, 1 + kill * whole // KILLS, choose) < whole
        left = contents(reader())
        if swapped:
            assert left in (old, new)
        else:
            assert all(text in (old.get(name), new.get(name)) for name, text in left.items())
            assert not old.keys() - left.keys() - new.keys() or new.items() <= left.items(), "what is gone goes last"
            assert old.keys() & new.keys() <= left.keys()
        run(opener, folder)
        assert contents(reader()) == new
        old = new
    again = run(opener, folder).changes
    assert (again.added, again.updated, again.deleted, again.unchanged) == (0, 0, 0, len(old))
    assert halfway > KILLS // 2, "too few kills hit a run halfway: this test shows nothing"


def faiss_opener(folder: Path) -> StoreOpener:
    return partial(FaissCatalog(folder).open_for_ingest, "mine", wait=30.0)


def opensearch_opener(url: str, auth: tuple[str, str] | None, ca_certs: str | None, name: str) -> StoreOpener:
    return partial(OpenSearchCatalog(connect(url, auth=auth, ca_certs=ca_certs)).open_for_ingest, name)


def test_on_faiss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(READ_MANY, read_here)
    manifest = manifest_of(HashedEmbedding())
    kill_many_times(
        partial(faiss_opener, tmp_path),
        lambda: FaissStore.open(tmp_path / "mine", manifest),
        tmp_path / "files",
        swapped=False,
    )


def test_on_opensearch(
    opensearch: Server, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(READ_MANY, read_here)
    name = index_name()
    auth = (opensearch.user, opensearch.password or "") if opensearch.user else None
    manifest = manifest_of(HashedEmbedding())
    try:
        kill_many_times(
            partial(opensearch_opener, opensearch.url, auth, opensearch.ca_certs, name),
            lambda: OpenSearchCatalog(connection).open(name, manifest),
            tmp_path / "files",
            swapped=True,
        )
    finally:
        drop(connection, name)
