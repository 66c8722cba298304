"""Ingestion into a real OpenSearch server: what readers see, and how a second run continues."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.schema import TextNode

from rag.errors import IndexBusy, IndexMismatch, IndexMissing, StoreError
from rag.factory.models import Models
from rag.factory.stores import ingest_files
from rag.ingestion.embedding import manifest_of
from rag.retrieval.confidence import Calibration
from rag.stores.opensearch import aliases
from rag.stores.opensearch import catalog as opensearch_catalog
from rag.stores.opensearch.catalog import OpenSearchCatalog, StagingIndex
from rag.stores.opensearch.client import Connection
from rag.stores.opensearch.lock import INDEX, SECONDS, hold_lease, machine_id
from rag.stores.opensearch.store import OpenSearchStore
from tests.contract.base import MANIFEST, dense
from tests.contract.reference import passage
from tests.fakes_embedding import HashedEmbedding
from tests.opensearch import Server
from tests.small_faq import ROWS, write_faq


@pytest.fixture
def catalog(connection: Connection) -> OpenSearchCatalog:
    return OpenSearchCatalog(connection)


@pytest.fixture
def hashed() -> Models:
    model = HashedEmbedding()
    return Models(model, manifest_of(model))


def live(connection: Connection, name: str) -> str:
    return aliases.look_up(connection, name).index


def versions(connection: Connection, name: str) -> set[str]:
    return set(connection.request("GET", f"/fsi-{name}.v-*/_alias"))


def write(catalog: OpenSearchCatalog, name: str, nodes: list[TextNode]) -> None:
    with catalog.open_for_ingest(name, MANIFEST, size=len(nodes)) as store:
        store.clear()
        store.add(nodes)


def test_an_ingestion_is_seen_whole_and_the_one_before_is_kept(
    catalog: OpenSearchCatalog, connection: Connection, name: str, hashed: Models, tmp_path: Path
) -> None:
    first = ingest_files(catalog, name, hashed, [write_faq(tmp_path / "faq.csv")])
    assert first.changes.added > len(ROWS)
    before = live(connection, name)
    second = ingest_files(catalog, name, hashed, [write_faq(tmp_path / "faq.csv", without=("n-004",))])
    assert (second.changes.added, second.changes.deleted, second.changes.unchanged) == (0, 1, first.changes.added - 1)
    store = catalog.open(name, hashed.manifest)
    assert "n-004" not in store.states() and len(store.states()) == first.changes.added - 1
    assert versions(connection, name) == {before, live(connection, name)} and live(connection, name) != before
    catalog.rollback(name)
    assert live(connection, name) == before and "n-004" in store.states()
    catalog.rollback(name)
    assert "n-004" not in store.states()


def test_only_two_versions_are_kept(catalog: OpenSearchCatalog, connection: Connection, name: str) -> None:
    for number in range(4):
        write(catalog, name, [passage(f"n{number}")])
    assert len(versions(connection, name)) == 2
    assert sorted(catalog.open(name).states()) == ["n3"]


def test_without_changes_nothing_is_written(
    catalog: OpenSearchCatalog, connection: Connection, name: str, hashed: Models, tmp_path: Path
) -> None:
    files = [write_faq(tmp_path / "faq.csv")]
    ingest_files(catalog, name, hashed, files)
    before, embedded = live(connection, name), len(HashedEmbedding().texts)
    again = ingest_files(catalog, name, hashed, files)
    assert (again.changes.added, again.changes.updated, again.changes.deleted) == (0, 0, 0) and embedded == 0
    assert versions(connection, name) == {before}


def test_a_calibration_of_another_version_is_replaced_although_no_row_changes(
    catalog: OpenSearchCatalog, name: str, hashed: Models, tmp_path: Path
) -> None:
    files = [write_faq(tmp_path / "faq.csv")]
    ingest_files(catalog, name, hashed, files)
    store = catalog.open(name)
    store.replace_manifest(store.manifest.with_calibration({"from": "another version"}))
    again = ingest_files(catalog, name, hashed, files).changes
    assert (again.added, again.updated, again.deleted) == (0, 0, 0)
    stored = catalog.open(name).manifest.calibration
    assert stored is not None
    assert Calibration.from_json(stored).origin == "own rows"


def test_a_dry_run_writes_nothing(
    catalog: OpenSearchCatalog, connection: Connection, name: str, hashed: Models, tmp_path: Path
) -> None:
    files = [write_faq(tmp_path / "faq.csv")]
    report = ingest_files(catalog, name, hashed, files, dry_run=True)
    assert report.changes.added > len(ROWS) and versions(connection, name) == set()
    ingest_files(catalog, name, hashed, files)
    files = [write_faq(tmp_path / "faq.csv", without=("n-004",))]
    before = live(connection, name)
    assert ingest_files(catalog, name, hashed, files, dry_run=True).changes.deleted == 1
    assert versions(connection, name) == {before}


def test_another_embedding_is_refused_with_both_values_and_rebuilds(
    catalog: OpenSearchCatalog, name: str, hashed: Models, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = [write_faq(tmp_path / "faq.csv")]
    ingest_files(catalog, name, hashed, files)
    other = HashedEmbedding(salt="x", dimension=32)
    models = Models(other, manifest_of(other))
    with pytest.raises(IndexMismatch, match=rf"dimension 64.* 32.*rag ingest PATH --index {name}"):
        catalog.open(name, models.manifest)
    report = ingest_files(catalog, name, models, files)
    assert report.changes.unchanged == 0 and "rebuilding the index" in caplog.text
    assert catalog.open(name, models.manifest).manifest.dimension == 32
    catalog.rollback(name)
    assert catalog.open(name).manifest.dimension == 64


def test_an_ingestion_that_fails_leaves_the_index_and_is_continued(
    catalog: OpenSearchCatalog, connection: Connection, name: str
) -> None:
    write(catalog, name, [passage("old")])

    def stopped() -> None:
        with catalog.open_for_ingest(name, MANIFEST, size=2) as store:
            store.add([passage("new")])
            raise StoreError("stop")

    with pytest.raises(StoreError, match="stop"):
        stopped()
    reader = catalog.open(name)
    assert sorted(reader.states()) == ["old"]
    with catalog.open_for_ingest(name, MANIFEST, size=2) as store:
        assert sorted(store.states()) == ["new", "old"], "what the first run wrote is still there"
        store.add([passage("newer")])
    assert sorted(reader.states()) == ["new", "newer", "old"]
    assert len(versions(connection, name)) == 2


def test_a_large_index_gets_a_graph(
    catalog: OpenSearchCatalog, connection: Connection, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opensearch_catalog, "EXACT_ROWS", 2)
    nodes = [passage(f"n{i}", vector=(1, i, 0, 0)) for i in range(4)]
    write(catalog, name, nodes[:2])
    assert aliases.look_up(connection, name).exact
    write(catalog, name, nodes)
    assert not aliases.look_up(connection, name).exact
    found = catalog.open(name).query(dense((1, 1, 0, 0), 2))
    assert found.ids == ["n1", "n2"]
    assert found.similarities == pytest.approx([1, 3 / 10**0.5], abs=1e-6)


def test_a_second_ingestion_waits_and_is_refused(catalog: OpenSearchCatalog, name: str) -> None:
    with catalog.open_for_ingest(name, MANIFEST, size=1) as store:
        store.add([passage("a")])
        with pytest.raises(IndexBusy, match=name), catalog.open_for_ingest(name, MANIFEST, size=1, wait=0.3):
            pass
    with catalog.open_for_ingest(name, MANIFEST, size=1, wait=0.3) as store:
        assert sorted(store.states()) == ["a"]


@pytest.mark.parametrize(
    "owner",
    [
        pytest.param({"until": 1.0, "host": "elsewhere", "pid": 1}, id="run out"),
        pytest.param({"host": "HERE", "pid": 2**22 - 1}, id="its process is gone"),
        pytest.param({"host": "HERE", "pid": "OURS"}, id="left behind by this process"),
    ],
)
def test_a_dead_owners_lease_is_taken_over(connection: Connection, name: str, owner: dict[str, object]) -> None:
    with hold_lease(connection, name, 0.0):
        pass  # the index of leases exists
    known = {"HERE": machine_id(), "OURS": os.getpid()}
    held = {"token": "x", "until": time.time() + 60} | {k: known.get(str(v), v) for k, v in owner.items()}
    connection.request("PUT", f"/{INDEX}/_doc/{name}", held)
    with hold_lease(connection, name, 0.0):
        pass


@pytest.mark.parametrize("host", ["elsewhere", socket.gethostname()], ids=["another machine", "a twin of this name"])
def test_a_living_owners_lease_is_not(connection: Connection, name: str, host: str) -> None:
    """Containers with the same name all have a process 1."""
    with hold_lease(connection, name, 0.0):
        pass
    held = {"token": "x", "until": time.time() + 60, "host": host, "pid": os.getpid()}
    connection.request("PUT", f"/{INDEX}/_doc/{name}", held)
    with pytest.raises(IndexBusy, match="another ingestion"), hold_lease(connection, name, 0.3):
        pass
    connection.request("DELETE", f"/{INDEX}/_doc/{name}")


def test_readers_never_see_a_mixture_while_indexes_are_swapped(
    opensearch: Server, catalog: OpenSearchCatalog, name: str
) -> None:
    """Eight of them, without pause, while new versions are swapped in and rolled back."""

    def version(number: int) -> list[TextNode]:
        return [passage(f"v{number}-{i}", f"판본 글 {i}", (1, i / 10, 0, 0), version=number) for i in range(8)]

    write(catalog, name, version(0))
    done = threading.Event()

    def read() -> set[int]:
        connection, seen = opensearch.connect(), set()
        store = OpenSearchCatalog(connection).open(name, MANIFEST)
        while not done.is_set():
            found = store.candidates(query_embedding=[1, 0, 0, 0], query_str="판본 글", size=8)
            versions = {node.metadata["version"] for node in found.nodes.values()}
            assert len(found.dense) == 8 and len(found.lexical["tokens"]) == 8 and len(versions) == 1, versions
            assert len({node.metadata["version"] for node in store.get_nodes()}) == 1
            seen |= versions
        connection.close()
        return seen

    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read) for _ in range(8)]
        try:
            for number in range(1, 7):
                write(catalog, name, version(number))
            for _ in range(6):
                catalog.rollback(name)
        finally:
            done.set()
        seen = set().union(*(reader.result() for reader in readers))
    assert len(seen) > 3, "the readers should have met several versions"


def test_an_index_is_not_created_twice(connection: Connection, name: str) -> None:
    OpenSearchStore.create(connection, name, MANIFEST).add([passage("a")])
    with pytest.raises(StoreError, match="already exists"):
        OpenSearchStore.create(connection, name, MANIFEST)
    assert OpenSearchStore(connection, name).count() == 1


def test_there_is_something_to_go_back_to_or_delete(
    catalog: OpenSearchCatalog, connection: Connection, name: str
) -> None:
    calls: list[Callable[[str], object]] = [catalog.rollback, catalog.delete, catalog.open]
    for call in calls:
        with pytest.raises(IndexMissing, match=name):
            call(name)
    write(catalog, name, [passage("a")])
    with pytest.raises(StoreError, match="no earlier version"):
        catalog.rollback(name)
    assert name in catalog.names()
    write(catalog, name, [passage("b")])
    catalog.delete(name)
    assert name not in catalog.names() and versions(connection, name) == set()


def test_a_draft_answers_from_the_live_index_until_it_is_written_to(
    connection: Connection, name: str, catalog: OpenSearchCatalog
) -> None:
    write(catalog, name, [passage("a")])
    draft = StagingIndex.begin(connection, name, MANIFEST, exact=True)
    assert sorted(draft.states()) == ["a"] and len(versions(connection, name)) == 1
    draft.delete_nodes(["a"])
    assert draft.states() == {} and sorted(catalog.open(name).states()) == ["a"]


def test_a_lease_that_another_took_over_is_let_go_quietly(connection: Connection, name: str) -> None:
    with hold_lease(connection, name, 0.0) as lease:
        other = {"token": "x", "until": time.time() + 60, "host": "elsewhere", "pid": 1}
        connection.request("PUT", f"/{INDEX}/_doc/{name}", other)
    assert not lease.acquire(), "the other one's lease is still there"
    connection.request("DELETE", f"/{INDEX}/_doc/{name}")


def test_a_lease_that_could_not_be_renewed_in_time_is_lost(
    connection: Connection, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hold_lease(connection, name, 0.0) as lease:
        assert not lease.lost
        later = time.time() + SECONDS + 1
        monkeypatch.setattr(time, "time", lambda: later)
        assert lease.lost, "nobody could tell it, but others may have taken it by now"


def test_nothing_is_written_or_published_once_the_lease_is_lost(
    catalog: OpenSearchCatalog, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overslept() -> None:
        with catalog.open_for_ingest(name, MANIFEST, size=2) as store:
            store.add([passage("a")])
            later = time.time() + SECONDS + 1
            monkeypatch.setattr(time, "time", lambda: later)
            with pytest.raises(IndexBusy, match="lost the lease"):
                store.add([passage("b")])

    with pytest.raises(IndexBusy, match="lost the lease"):
        overslept()
    with pytest.raises(IndexMissing):
        catalog.open(name)


def test_a_half_copied_version_is_not_resumed(
    catalog: OpenSearchCatalog, connection: Connection, opensearch: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server continues copying after the client is killed, which would restore deleted rows."""
    write(catalog, name, [passage(f"n{i}") for i in range(20)])
    plain, copying = Connection.request, []

    def killed(self: Connection, method: str, path: str, body: Any = None, **options: Any) -> Any:
        if path == "/_reindex":
            slowly = {"requests_per_second": "0.1", "wait_for_completion": "false"}
            task = plain(self, method, path, {**body, "source": {**body["source"], "size": 2}}, params=slowly)
            copying.append(task["task"])
            raise KeyboardInterrupt
        return plain(self, method, path, body, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "request", killed)
        with pytest.raises(KeyboardInterrupt):
            write(catalog, name, [passage("n0")])
    with catalog.open_for_ingest(name, MANIFEST, size=1) as store:
        store.delete_nodes([each for each in store.states() if each != "n0"])
    administrator = opensearch.connect_as_admin()
    administrator.request("POST", f"/_reindex/{copying[0]}/_rethrottle", params={"requests_per_second": "-1"})
    ended = administrator.request("GET", f"/_tasks/{copying[0]}", params={"wait_for_completion": "true"})
    administrator.close()
    assert ended["completed"]
    connection.request("POST", f"/{live(connection, name)}/_refresh")
    assert sorted(catalog.open(name).states()) == ["n0"]


def test_versions_are_not_exchanged_under_a_running_ingestion(catalog: OpenSearchCatalog, name: str) -> None:
    write(catalog, name, [passage("a")])
    write(catalog, name, [passage("b")])
    with catalog.open_for_ingest(name, MANIFEST, size=2) as store:
        store.add([passage("c")])
        for change in (catalog.rollback, catalog.delete):
            with pytest.raises(IndexBusy, match=name):
                change(name)
        store.add([passage("d")])
    assert sorted(catalog.open(name).states()) == ["b", "c", "d"]


def test_documents_follow_their_files_here_too(
    catalog: OpenSearchCatalog, name: str, hashed: Models, tmp_path: Path
) -> None:
    folder = tmp_path / "문서"
    folder.mkdir()
    (folder / "금리.md").write_text(
        "# 금리 안내\n\n## 제1조(예금)\n\n연 3%\n\n## 제2조(적금)\n\n연 4%\n", encoding="utf-8"
    )
    (folder / "수수료.md").write_text("# 수수료\n\n창구는 600원이다.\n", encoding="utf-8")
    assert ingest_files(catalog, name, hashed, [folder]).changes.added == 3
    (folder / "금리.md").write_text(
        "# 금리 안내\n\n## 제1조(예금)\n\n연 3%\n\n## 제2조(적금)\n\n연 5%\n", encoding="utf-8"
    )
    (folder / "수수료.md").write_bytes(b"")
    report = ingest_files(catalog, name, hashed, [folder])
    assert [error.kind for error in report.errors] == ["empty"]
    assert (report.changes.added, report.changes.unchanged, report.changes.deleted) == (1, 1, 1)
    (folder / "수수료.md").unlink()
    assert ingest_files(catalog, name, hashed, [folder]).changes.deleted == 1
    texts = {str(node.metadata["document"]) + node.get_content() for node in catalog.open(name).get_nodes()}
    assert texts == {"금리.md금리 안내\n제1조(예금)\n연 3%", "금리.md제2조(적금)\n연 5%"}
