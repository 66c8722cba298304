"""Models from settings: each backend, its secrets, and the error for a missing package."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from rag.cli.main import main
from rag.errors import SettingsError
from rag.factory.chat import build_service
from rag.factory.models import Models, language_model, load_models, remote_embedding
from rag.factory.stores import ingest_files, open_index
from rag.models.bedrock import BedrockLLM
from rag.models.openai_like import OpenAiLikeEmbedding, OpenAiLikeLLM
from rag.settings import Settings, load_settings
from tests.fake_endpoint import Reply, Request, whole
from tests.fakes_embedding import HashedEmbedding
from tests.integration.conftest import Reach

ROOT = Path(__file__).parents[2]
FAQ = ROOT / "data" / "faq" / "dodam_savings_bank.csv"
OPENAI_LIKE = {
    "FSI_EMBEDDING__BACKEND": "openai_like",
    "FSI_EMBEDDING__BASE_URL": "http://127.0.0.1:1/v1",
    "FSI_EMBEDDING__MODEL": "bge-m3",
    "FSI_EMBEDDING__API_KEY": "embedding-s3cret",
    "FSI_LLM__BACKEND": "openai_like",
    "FSI_LLM__BASE_URL": "http://127.0.0.1:1/v1",
    "FSI_LLM__MODEL": "qwen3",
    "FSI_LLM__API_KEY": "llm-s3cret",
    "FSI_LLM__CONTEXT_WINDOW": "8192",
    "FSI_LLM__TOP_P": "0.9",
}


@pytest.fixture(autouse=True)
def _in_empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def settings_of(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_openai_like(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(monkeypatch, OPENAI_LIKE)
    embed, llm = remote_embedding(settings.embedding), language_model(settings.llm)
    assert isinstance(embed, OpenAiLikeEmbedding) and isinstance(llm, OpenAiLikeLLM)
    assert (embed.model_name, embed.api_key, embed.max_tokens) == ("bge-m3", "embedding-s3cret", 512)
    assert (llm.model, llm.api_key, llm.metadata.context_window) == ("qwen3", "llm-s3cret", 8192)
    assert llm.additional_kwargs == {"top_p": 0.9}
    llm.close()
    embed.close()


def test_bedrock(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "BACKEND": "bedrock",
        "MODEL": "amazon.nova-lite-v1:0",
        "REGION": "ap-northeast-2",
        "TEMPERATURE": ".2",
    }
    settings = settings_of(monkeypatch, {f"FSI_LLM__{name}": value for name, value in variables.items()})
    llm = language_model(settings.llm)
    assert isinstance(llm, BedrockLLM)
    assert (llm.chosen_temperature, llm.max_tokens, llm.metadata.context_window) == (0.2, 512, 2048)
    llm.close()


def test_an_index_is_built_and_asked_through_an_openai_like_server(
    reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reply(request: Request) -> Reply:
        rows = HashedEmbedding().get_text_embedding_batch(request.body["input"])
        return whole({"data": [{"index": at, "embedding": row} for at, row in enumerate(rows)]})

    fake, _ = reach(reply)
    embedding = {name: value for name, value in OPENAI_LIKE.items() if "EMBEDDING" in name}
    patient = {"FSI_EMBEDDING__QUERY_DEADLINE": "30"}
    settings = settings_of(monkeypatch, {**embedding, **patient, "FSI_EMBEDDING__BASE_URL": f"{fake.url}/v1"})
    models: Models = load_models(settings)
    assert ingest_files(settings.store.directory, "dodam", models, [FAQ]).changes.added > 10
    store = open_index(settings, models, "dodam")
    assert store.manifest.dimension == 64
    answer = build_service(settings, models, store).ask(str(store.get_nodes()[0].metadata["question"]))
    assert answer.status == "answered" and answer.notice is None
    store.close()
    assert isinstance(models.embed_model, OpenAiLikeEmbedding)
    models.embed_model.close()


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"FSI_EMBEDDING__BACKEND": "openai_like"}, "FSI_EMBEDDING__BASE_URL and FSI_EMBEDDING__MODEL"),
        ({"FSI_LLM__BACKEND": "openai_like", "FSI_LLM__MODEL": "qwen3"}, "FSI_LLM__BASE_URL"),
        ({"FSI_LLM__BACKEND": "bedrock"}, "FSI_LLM__MODEL"),
        ({"FSI_LLM__BASE_URL": "10.0.0.7:8000/v1"}, "FSI_LLM__BASE_URL"),
        ({"FSI_LLM__BACKEND": "bedrock", "FSI_LLM__MODEL": "m", "FSI_LLM__TOP_K": "5"}, "FSI_LLM__TOP_K"),
    ],
)
def test_what_a_backend_needs_and_cannot_take(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError, match=named):
        settings_of(monkeypatch, variables)


@pytest.mark.parametrize("package", ["llama_index.llms.openai_like", "openai", "llama_index.llms.bedrock_converse"])
def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """`-r requirements.txt` alone installs none of them."""
    for module in ("rag.models.openai_like", "rag.models.bedrock"):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    variables = OPENAI_LIKE | ({"FSI_LLM__BACKEND": "bedrock", "FSI_LLM__TOP_P": ""} if "bedrock" in package else {})
    settings = settings_of(monkeypatch, variables)
    with pytest.raises(SettingsError, match=r"pip install -r requirements-models\.txt"):
        language_model(settings.llm)


def test_they_are_not_imported_unless_chosen() -> None:
    chosen = "[n for n in sys.modules if n.startswith(('openai', 'llama_index.llms.'))]"
    code = f"import sys, rag.factory.chat, rag.cli.commands; print({chosen})"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_keys_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], loggers_as_before: None
) -> None:
    settings = settings_of(monkeypatch, OPENAI_LIKE)
    assert main(["config"]) == 0
    shown = capsys.readouterr().out + repr(settings)
    assert "FSI_LLM__API_KEY=**********" in shown
    assert "s3cret" not in shown
