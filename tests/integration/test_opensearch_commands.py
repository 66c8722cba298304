"""`FSI_STORE__BACKEND=opensearch`: the same commands over a real server, and the bundled FAQ on it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from rag.errors import SettingsError
from rag.factory import chat, stores
from rag.factory.bundled_vectors import bundled_name
from rag.factory.chat import build_chat
from rag.factory.models import Models
from rag.factory.stores import open_catalog, open_index
from rag.ingestion.embedding import manifest_of
from rag.settings import OpenSearchSettings, Settings, StoreSettings, load_settings
from rag.stores.opensearch.catalog import OpenSearchCatalog
from tests.fakes_embedding import HashedEmbedding
from tests.integration.conftest import Run
from tests.opensearch import Server, index_name
from tests.small_faq import ANSWERS, ROWS, write_faq

OTP = "OTP를 분실하였을 경우 어떻게 해야 하나요?"


@pytest.fixture
def configured(run: Run, opensearch: Server, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("FSI_STORE__BACKEND", "opensearch")
    monkeypatch.setenv("FSI_OPENSEARCH__URL", opensearch.url)
    for field, value in (
        ("USER", opensearch.user),
        ("PASSWORD", opensearch.password),
        ("CA_CERTS", opensearch.ca_certs),
    ):
        if value:
            monkeypatch.setenv(f"FSI_OPENSEARCH__{field}", value)
    return run


def test_ingest_ask_search_and_the_life_of_an_index(
    configured: Run, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(write_faq(tmp_path / "faq.csv"))
    assert "passages added" in configured("ingest", file, "--index", name).out
    answer = configured("ask", OTP, "--index", name, "--json").json()
    assert (answer["status"], answer["sources"][0]["id"]) == ("answered", "g-002")
    assert ANSWERS["g-002"].split("\n")[0] in answer["answer"]
    found = configured("search", OTP, "--index", name, "--filter", "bank=나루증권", "--json").json()
    assert found["sources"] and {source["metadata"]["bank"] for source in found["sources"]} == {"나루증권"}
    shown = configured("index", "show", name).json()
    [listed] = [each for each in configured("index", "list", "--json").json()["indexes"] if each["name"] == name]
    assert (listed["passages"], listed["fingerprint"]) == (shown["nodes"], shown["manifest"]["fingerprint"])
    assert datetime.fromisoformat(listed["indexed_at"]).tzinfo == UTC and not listed["selected"]
    monkeypatch.setenv("FSI_STORE__INDEX", name)
    assert any(line.startswith(f"* {name} ") for line in configured("index", "list").out.splitlines())
    assert shown["nodes"] > len(ROWS) and shown["manifest"]["calibration"]
    assert "no earlier version" in configured("index", "rollback", name).refused()
    write_faq(Path(file), without=("g-002",))
    assert "1 deleted" in configured("ingest", file, "--index", name).out
    assert configured("search", OTP, "--index", name, "--json").json()["sources"][0]["id"] != "g-002"
    assert configured("index", "rollback", name).code == 0
    assert configured("search", OTP, "--index", name, "--json").json()["sources"][0]["id"] == "g-002"
    assert configured("index", "delete", name).code == 0
    assert f"rag ingest PATH --index {name}" in configured("ask", OTP, "--index", name).refused()


def test_thresholds_are_kept_in_the_index(configured: Run, name: str, tmp_path: Path) -> None:
    configured("ingest", str(write_faq(tmp_path / "faq.csv")), "--index", name)
    assert configured("calibrate", "--index", name, "--apply").code == 0
    assert configured("index", "show", name).json()["manifest"]["calibration"]["origin"] == "own rows"


def test_evaluation(configured: Run, name: str, tmp_path: Path) -> None:
    configured("ingest", str(write_faq(tmp_path / "faq.csv")), "--index", name)
    questions = tmp_path / "queries.jsonl"
    query = {"id": "q", "query": OTP, "relevant": ["g-002"], "style": "whole"}
    questions.write_text(json.dumps(query, ensure_ascii=False), encoding="utf-8")
    report = tmp_path / "report.json"
    configured("evaluate", "retrieval", "--index", name, "--queries", str(questions), "--json", str(report))
    assert json.loads(report.read_text(encoding="utf-8"))["retrieval"]["all"]["hit@1"] == 1.0


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PASSWORD", "wrong", "rejected the login"),
        ("URL", "https://no-such-host.invalid:9200", "cannot be reached"),
        ("CA_CERTS", "none.pem", "no file none.pem"),
    ],
)
def test_a_failure_is_one_line(
    configured: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(f"FSI_OPENSEARCH__{variable}", value)
    assert expected in configured("index", "list").refused()


def test_config_hides_the_password(configured: Run, opensearch: Server) -> None:
    shown = configured("config").out
    assert opensearch.url in shown
    assert opensearch.password is None or opensearch.password not in shown


def test_the_bundled_faq_is_built_there_once(
    opensearch: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    write_faq(tmp_path / "data" / "faq.csv", without=(index_name(),))
    monkeypatch.setattr(stores, "DATA", tmp_path / "data")
    model = HashedEmbedding(salt=index_name())
    models = Models(model, manifest_of(model))
    monkeypatch.setattr(chat, "load_models", lambda _settings: models)
    settings = settings_of(opensearch)
    answer = build_chat(settings).ask(OTP)
    assert answer.sources[0].id == "g-002"
    embedded = len(model.texts)
    assert open_index(settings, models).count() > len(ROWS)
    assert len(model.texts) == embedded, "it is there already"
    open_catalog(settings).delete(bundled_name(models.manifest))  # named after the files the package came with


def settings_of(server: Server) -> Settings:
    given = OpenSearchSettings(
        url=server.url,
        auth="basic" if server.user else "none",
        user=server.user,
        password=SecretStr(server.password or "") if server.user else None,
        ca_certs=Path(server.ca_certs) if server.ca_certs else None,
    )
    return Settings(store=StoreSettings(backend="opensearch"), opensearch=given)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "FSI_OPENSEARCH__URL, FSI_OPENSEARCH__USER, FSI_OPENSEARCH__PASSWORD"),
        ({"FSI_OPENSEARCH__URL": "https://x", "FSI_OPENSEARCH__USER": "u"}, "needs FSI_OPENSEARCH__PASSWORD"),
        ({"FSI_OPENSEARCH__AUTH": "sigv4"}, "needs FSI_OPENSEARCH__URL$"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, value in {"FSI_STORE__BACKEND": "opensearch", **given}.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=expected):
        load_settings()


def aws(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for variable in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)


def sigv4(region: str | None = None) -> Settings:
    return Settings(
        store=StoreSettings(backend="opensearch"),
        opensearch=OpenSearchSettings(
            url="https://search-x.ap-northeast-2.es.amazonaws.com", auth="sigv4", region=region
        ),
    )


def test_requests_to_a_domain_are_signed_with_boto3s_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    aws(monkeypatch, AWS_ACCESS_KEY_ID="AKIATEST", AWS_SECRET_ACCESS_KEY="secret")
    place = open_catalog(sigv4(region="ap-northeast-2"))
    assert isinstance(place, OpenSearchCatalog)
    (sender,) = place._connection.client.transport.connection_pool.connections
    headers = sender.http_auth("POST", "https://search-x.ap-northeast-2.es.amazonaws.com/_msearch", b"{}")
    assert "Credential=AKIATEST/" in headers["Authorization"]
    assert "/ap-northeast-2/es/aws4_request" in headers["Authorization"]


def test_without_credentials_or_region_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    aws(monkeypatch)
    with pytest.raises(SettingsError, match="AWS credentials and a region"):
        open_catalog(sigv4(region="ap-northeast-2"))
    aws(monkeypatch, AWS_ACCESS_KEY_ID="AKIATEST", AWS_SECRET_ACCESS_KEY="secret")
    with pytest.raises(SettingsError, match="AWS credentials and a region"):
        open_catalog(sigv4())
