"""From settings to endpoints: ingestion and search through a SageMaker embedding, and the configured model."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import ModelRefused, SettingsError
from rag.factory.models import language_model, load_models
from rag.factory.stores import ingest_files, open_index
from rag.models.sagemaker import client
from rag.settings import load_settings
from tests.fake_endpoint import Reply, Request, error, whole
from tests.fakes_embedding import HashedEmbedding
from tests.integration.conftest import Reach

FAQ = Path(__file__).parents[2] / "data" / "faq" / "dodam_savings_bank.csv"


def hashed(request: Request) -> Reply:
    return whole(HashedEmbedding().get_text_embedding_batch(request.body["inputs"]))


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(client, "_SHARED", {})
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
    monkeypatch.setenv("FSI_EMBEDDING__BACKEND", "sagemaker")
    monkeypatch.setenv("FSI_EMBEDDING__ENDPOINT_NAME", "faq-embedding")
    monkeypatch.setenv("FSI_EMBEDDING__QUERY_PREFIX", "")


def test_an_index_is_built_and_searched_through_the_endpoint(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    fake, _ = reach(hashed)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", fake.url)
    settings = load_settings()
    models = load_models(settings)
    report = ingest_files(settings.store.directory, "dodam", models, [FAQ])
    assert report.changes.added > 10
    store = open_index(settings, models, "dodam")
    assert store.manifest.dimension == 64
    assert {request.endpoint for request in fake.requests} == {"faq-embedding"}
    store.close()


def test_an_endpoint_that_refuses_is_no_reason_to_go_on_without_it(
    reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, _ = reach(lambda request: error(400, "ValidationError", "Endpoint faq-embedding not found"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", fake.url)
    with pytest.raises(ModelRefused, match="faq-embedding"):
        load_models(load_settings())


def test_the_configured_model(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    fake, _ = reach(lambda request: whole([[{"generated_text": "네."}]]))
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", fake.url)
    assert language_model(load_settings().llm) is None
    for name, value in {
        "BACKEND": "sagemaker",
        "ENDPOINT_NAME": "faq-llm",
        "FORMAT": "kullm",
        "TOP_K": "",
        "TOP_P": ".9",
    }.items():
        monkeypatch.setenv(f"FSI_LLM__{name}", value)
    llm = language_model(load_settings().llm)
    assert llm is not None
    assert llm.complete("질문").text == "네."
    assert fake.requests[0].body["parameters"] == {"max_new_tokens": 512, "top_p": 0.9, "return_full_text": False}


def test_a_backend_without_an_endpoint_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FSI_EMBEDDING__ENDPOINT_NAME")
    with pytest.raises(SettingsError, match="FSI_EMBEDDING__ENDPOINT_NAME"):
        load_settings()
