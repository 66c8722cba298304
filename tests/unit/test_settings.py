"""Settings: names, unknown names, and `.env.example`."""

from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import PREFIX, list_settings, load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults_need_nothing() -> None:
    settings = load_settings()
    assert settings.store.backend == "faiss"
    assert settings.store.index is None
    assert settings.ui.language == "ko"


def test_environment_wins_over_dotenv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "FSI_UI__PORT=1111\nFSI_RETRIEVAL__TOP_K=7\nOTHER_NAME=left alone\n", encoding="utf-8"
    )
    monkeypatch.setenv("FSI_UI__PORT", "2222")
    settings = load_settings()
    assert settings.ui.port == 2222
    assert settings.retrieval.top_k == 7


@pytest.mark.parametrize("name", ["FSI_UI__PROT", "FSI_STOER__INDEX", "FSI_NONSENSE"])
def test_unknown_name_is_an_error_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_unknown_name_in_dotenv_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FSI_UI__PROT=1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="did you mean FSI_UI__PORT"):
        load_settings()


def test_wrong_value_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSI_UI__PORT", "many")
    with pytest.raises(SettingsError, match="FSI_UI__PORT"):
        load_settings()


def test_answering_by_a_model_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSI_CHAT__ANSWER_MODE", "model")
    with pytest.raises(SettingsError, match="FSI_LLM__BACKEND"):
        load_settings()
    monkeypatch.setenv("FSI_LLM__BACKEND", "sagemaker")
    monkeypatch.setenv("FSI_LLM__ENDPOINT_NAME", "faq-llm")
    assert load_settings().chat.answer_mode == "model"


def test_env_example_equals_the_settings() -> None:
    """Every setting, in order, with its default and description; nothing else."""
    expected = []
    for name, default, description in list_settings():
        expected += [f"# {description}", f"# {name}={default}", ""]
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    body = text.split("\n\n", 1)[1]
    assert body.strip().splitlines() == "\n".join(expected).strip().splitlines()
    assert all(line.startswith("#") or not line for line in text.splitlines()), f"no {PREFIX} value is set by default"
