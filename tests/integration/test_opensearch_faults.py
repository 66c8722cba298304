"""Failures between the program and a real server: a clear error, or recovery."""

from __future__ import annotations

import csv
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.local import opensearch_node
from deploy.local.opensearch_node.process import write_certificate
from rag.errors import (
    IndexMismatch,
    IndexMissing,
    RagError,
    SettingsError,
    StoreRefused,
    StoreUnavailable,
)
from rag.factory.models import Models
from rag.factory.stores import ingest_files
from rag.ingestion.embedding import manifest_of
from rag.stores.base import Manifest
from rag.stores.opensearch import aliases
from rag.stores.opensearch.catalog import OpenSearchCatalog
from rag.stores.opensearch.client import Connection, connect
from rag.stores.opensearch.store import OpenSearchStore
from tests.contract.base import FAQ, MANIFEST, dense, ids, lexical
from tests.fakes_embedding import HashedEmbedding, Vectors
from tests.opensearch import Server, drop, index_name


@pytest.fixture
def name(connection: Connection) -> Iterator[str]:
    chosen = index_name()
    OpenSearchStore.create(connection, chosen, MANIFEST).add(FAQ)
    yield chosen
    drop(connection, chosen)


def opened(connection: Connection, name: str, expected: Manifest | None = MANIFEST) -> OpenSearchStore:
    try:
        return OpenSearchStore(connection, name, expected)
    finally:
        connection.close()


def test_a_wrong_password(opensearch: Server, name: str) -> None:
    wrong = connect(opensearch.url, auth=("faq", "wrong"), ca_certs=opensearch.ca_certs)
    with pytest.raises(StoreRefused, match="FSI_OPENSEARCH__USER, __PASSWORD"):
        opened(wrong, name)


def test_a_certificate_of_another_authority(opensearch: Server, name: str, tmp_path: Path) -> None:
    write_certificate(tmp_path)
    wrong = connect(opensearch.url, auth=("faq", "any"), ca_certs=str(tmp_path / "node.pem"))
    with pytest.raises(StoreRefused, match=r"not trusted.*FSI_OPENSEARCH__CA_CERTS"):
        opened(wrong, name)


def test_plain_http_where_tls_is_spoken(opensearch: Server, name: str) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        opened(connect(opensearch.url.replace("https", "http")), name)


@pytest.mark.parametrize("url", ["https://no-such-host.invalid:9200", "http://127.0.0.1:9"])
def test_an_unreachable_host(url: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"cannot be reached \(.*FSI_OPENSEARCH__URL"):
        opened(connect(url), "any")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("search.example:9200", "set https"),
        ("ftp://search.example", "set https"),
        ("https://:9200", "set https"),
        ("https://search.example:port", "set https"),
        ("https://me:secret@search.example", "FSI_OPENSEARCH__USER and __PASSWORD"),
        ("https://abc.ap-northeast-2.aoss.amazonaws.com", "Serverless"),
    ],
)
def test_an_address_that_cannot_be_meant(url: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as refused:
        connect(url)
    assert "secret" not in str(refused.value)


def test_what_the_role_does_not_allow(connection: Connection, name: str) -> None:
    """The least-privilege user of the tests may touch no other index."""
    with pytest.raises(StoreRefused, match=r"denied the request.*permissions"):
        connection.request("PUT", "/not-ours")


def test_a_missing_index(connection: Connection, name: str) -> None:
    with pytest.raises(IndexMissing, match="rag ingest PATH --index gone"):
        OpenSearchStore(connection, "gone")


def test_an_index_that_goes_away_while_it_serves(connection: Connection, name: str) -> None:
    store = OpenSearchStore(connection, name)
    aliases.delete(connection, name)
    calls: list[Callable[[], object]] = [
        lambda: store.query(dense((1, 0, 0, 0))),
        lambda: store.candidates(query_embedding=None, query_str="이체", size=3),
        lambda: store.add(FAQ),
        store.count,
        store.states,
    ]
    for call in calls:
        with pytest.raises(IndexMissing, match=name):
            call()
    OpenSearchStore.create(connection, name, MANIFEST).add(FAQ[:1])
    assert ids(store, dense((1, 0, 0, 0))) == ["otp"], "and another of that name is found"


def test_another_dimension_or_fingerprint(connection: Connection, name: str) -> None:
    with pytest.raises(IndexMismatch, match=rf"dimension 4.* 5.*--index {name}"):
        OpenSearchStore(connection, name, Manifest(dimension=5, fingerprint="test"))
    with pytest.raises(IndexMismatch, match=r"fingerprint 'test'.* 'other'"):
        OpenSearchStore(connection, name, Manifest(dimension=4, fingerprint="other"))


def test_an_index_of_another_program(connection: Connection, name: str) -> None:
    aliases.delete(connection, name)
    connection.request("PUT", f"/fsi-{name}.v-x", {"aliases": {f"fsi-{name}": {}}})
    with pytest.raises(RagError, match="not created by this program"):
        OpenSearchStore(connection, name)


def test_a_red_index(connection: Connection, name: str) -> None:
    """The shard cannot be allocated: no partial results, and no long wait for a write."""
    aliases.delete(connection, name)
    content = {
        "settings": {"index": {"number_of_replicas": 0, "routing.allocation.require._name": "nowhere"}},
        "mappings": {"_meta": {"manifest": json.dumps(MANIFEST.as_json()), "exact": True}, "properties": {}},
        "aliases": {f"fsi-{name}": {}},
    }
    connection.request("PUT", f"/fsi-{name}.v-x", content, params={"wait_for_active_shards": 0})
    with pytest.raises(StoreUnavailable, match="red"):
        OpenSearchStore(connection, name)


class Busy(BaseHTTPRequestHandler):
    """Answers 429 `refusals` times, then as OpenSearch."""

    refusals = 0

    def do_GET(self) -> None:
        busy, type(self).refusals = type(self).refusals > 0, type(self).refusals - 1
        body = {"error": {"type": "rejected_execution_exception", "reason": "queue"}, "status": 429}
        text = json.dumps(body if busy else {"version": {"number": "3.4.0", "distribution": "opensearch"}}).encode()
        self.send_response(429 if busy else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def busy() -> Iterator[Connection]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Busy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    opened = connect(f"http://127.0.0.1:{server.server_port}")
    yield opened
    opened.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_overloaded_server_is_asked_again(busy: Connection) -> None:
    Busy.refusals = 3
    assert busy.bm25_scale == 1.0
    assert Busy.refusals == -1


def test_a_server_that_stays_overloaded_is_reported_as_such(busy: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.stores.opensearch.client.RETRY_SECONDS", 0.3)
    Busy.refusals = 10**6
    with pytest.raises(StoreUnavailable, match="overloaded"):
        busy.request("GET", "/")


ROWS = 150


def many_rows(file: Path) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("id", "question", "answer"))
        writer.writerows((f"r{i:03}", f"{i}번 질문은 무엇인가요?", f"{i}번 답변입니다.") for i in range(ROWS))
    return file


def test_a_node_killed_in_the_middle_of_an_ingestion(
    opensearch: Server, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Nothing acknowledged is lost, readers have the former version, and the next run does the rest."""
    folder = opensearch.folder or tmp_path_factory.mktemp("own") / "node"
    node = opensearch_node.start(folder, owner=os.getpid())
    connection = connect(node.url, auth=(node.user, node.password), ca_certs=node.ca_certs)
    catalog, name, file = OpenSearchCatalog(connection), index_name(), many_rows(tmp_path / "faq.csv")
    done: list[int] = []

    def kill(vectors: Vectors) -> Vectors:
        if len(done) == 2:  # of five batches two are written
            os.kill(node.pid, signal.SIGKILL)
        return vectors

    clean = HashedEmbedding()
    models = Models(clean, manifest_of(clean))
    with pytest.raises(StoreUnavailable):
        ingest_files(
            catalog,
            name,
            Models(HashedEmbedding(tamper=kill), models.manifest),
            [file],
            progress=lambda step, count, _total: done.append(count) if step == "embed" else None,
        )
    assert done and 0 < done[-1] < ROWS
    opensearch_node.start(folder, port=int(node.url.rpartition(":")[2]), owner=os.getpid())
    kept = OpenSearchStore(connection, name, role="building").states()
    assert len(kept) >= done[-1], "what was acknowledged is there"
    report = ingest_files(catalog, name, models, [file])
    assert (report.changes.unchanged, report.changes.added) == (len(kept), ROWS - len(kept))
    store = catalog.open(name, models.manifest)
    assert len(store.states()) == ROWS
    assert store.query(lexical("149번 질문", 1)).ids == ["r149"]
    drop(connection, name)
    connection.close()
    if opensearch.folder is None:
        opensearch_node.stop(folder)
