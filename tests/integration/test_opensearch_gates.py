"""`ingest --gate` on a real OpenSearch server: the new version is evaluated, and a worse one is not published."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.errors import IndexRejected
from rag.evaluation.gated_ingestion import ingest_gated
from rag.evaluation.gates import read_gates
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.ingestion.embedding import manifest_of
from rag.settings import Settings
from rag.stores.base import PassageStore
from rag.stores.opensearch import aliases
from rag.stores.opensearch.catalog import OpenSearchCatalog, StagingIndex
from rag.stores.opensearch.client import Connection
from tests.fakes_embedding import HashedEmbedding
from tests.small_faq import ROWS, write_faq

ASKED = {row[0]: row[1] for row in ROWS if row[0] in ("g-002", "g-006", "g-007", "g-008", "n-002", "n-003", "n-004")}
GATES = """
[questions]
queries = "queries.jsonl"

[[gate]]
name = "what customers see"
measure = "shown"
"""
Ingest = Callable[[Path], object]


@pytest.fixture
def gates(tmp_path: Path) -> Path:
    lines = [{"id": row, "query": question, "relevant": [row], "style": "own"} for row, question in ASKED.items()]
    text = "\n".join(json.dumps(each, ensure_ascii=False) for each in lines)
    (tmp_path / "queries.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "gates.toml").write_text(GATES, encoding="utf-8")
    return tmp_path / "gates.toml"


@pytest.fixture
def ingest(connection: Connection, name: str, gates: Path) -> Ingest:
    model = HashedEmbedding()
    models = Models(model, manifest_of(model))
    catalog = OpenSearchCatalog(connection)
    return lambda file: ingest_gated(Settings(), models, catalog, name, [file], read_gates(gates))


def versions(connection: Connection, name: str) -> dict[str, set[str]]:
    answer = connection.request("GET", f"/fsi-{name}.v-*/_alias")
    return {index: set(entry["aliases"]) for index, entry in answer.items()}


def test_a_worse_version_never_gets_the_alias(
    connection: Connection, name: str, ingest: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(write_faq(tmp_path / "faq.csv"))
    before, store = versions(connection, name), OpenSearchCatalog(connection).open(name)
    rows = set(store.states())
    asked: list[tuple[type[PassageStore], bool]] = []

    def service(settings: Settings, models: Models, opened: PassageStore) -> object:
        asked.append((type(opened), "n-004" in opened.states()))
        assert "n-004" in store.states(), "customers still see the row while the new version is asked"
        return build_service(settings, models, opened)

    monkeypatch.setattr("rag.evaluation.gated_ingestion.build_service", service)
    with pytest.raises(IndexRejected, match="a significant drop") as refused:
        ingest(write_faq(tmp_path / "faq.csv", without=tuple(ASKED)))
    assert asked == [(StagingIndex, False), (type(store), True)], (
        "the version that was to be published, then the live one"
    )
    assert any(ASKED["n-004"] in line for line in refused.value.lines)
    assert versions(connection, name) == before, "nothing is left of it that the next ingestion would continue"
    assert set(store.states()) == rows


def test_a_version_as_good_is_published(connection: Connection, name: str, ingest: Ingest, tmp_path: Path) -> None:
    ingest(write_faq(tmp_path / "faq.csv"))
    first = aliases.look_up(connection, name).index
    spared = next(row[0] for row in ROWS if row[0] not in ASKED)
    ingest(write_faq(tmp_path / "faq.csv", without=(spared,)))
    assert aliases.look_up(connection, name).index != first
    assert spared not in OpenSearchCatalog(connection).open(name).states()


def test_what_changes_nothing_asks_nothing(
    connection: Connection, name: str, ingest: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(write_faq(tmp_path / "faq.csv"))

    def run_cases(*_: object, **__: object) -> None:
        raise AssertionError("there is nothing to ask")

    monkeypatch.setattr("rag.evaluation.gated_ingestion.run_cases", run_cases)
    ingest(write_faq(tmp_path / "faq.csv"))
