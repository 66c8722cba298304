"""All settings, typed and documented. This is the only module that reads the environment.

Names are `FSI_<GROUP>__<NAME>`, from the environment or from `.env` in the working directory (the environment has
precedence). An empty value means unset. An unknown `FSI_` name is an error; other names in `.env` are ignored. A test keeps
`.env.example` equal to `rag.setting_groups`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from dotenv import dotenv_values
from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from rag.errors import SettingsError
from rag.setting_groups import (
    ChatSettings,
    EmbeddingSettings,
    HistorySettings,
    LlmSettings,
    LogSettings,
    NliSettings,
    OpenSearchSettings,
    RecordSettings,
    RetrievalSettings,
    StoreSettings,
    UiSettings,
)

__all__ = [
    "ChatSettings",
    "EmbeddingSettings",
    "HistorySettings",
    "LlmSettings",
    "LogSettings",
    "NliSettings",
    "OpenSearchSettings",
    "RecordSettings",
    "RetrievalSettings",
    "Settings",
    "StoreSettings",
    "UiSettings",
    "list_settings",
    "load_settings",
]

PREFIX = "FSI_"
DELIMITER = "__"
_REQUIRED = {"sagemaker": ("endpoint_name",), "openai_like": ("base_url", "model"), "bedrock": ("model",)}
_UNSUPPORTED = {"bedrock": ("do_sample", "top_k", "repetition_penalty", "eos_token_id")}


class Settings(BaseSettings):
    """All settings. Immutable; `rag.factory` passes them to other modules as plain arguments."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    store: StoreSettings = StoreSettings()
    opensearch: OpenSearchSettings = OpenSearchSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    llm: LlmSettings = LlmSettings()
    nli: NliSettings = NliSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    chat: ChatSettings = ChatSettings()
    ui: UiSettings = UiSettings()
    record: RecordSettings = RecordSettings()
    history: HistorySettings = HistorySettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # Without pydantic's folder of secret files, so that settings come from two places only.
        return init_settings, env_settings, dotenv_settings


def list_settings() -> Iterator[tuple[str, str, str]]:
    """Yield (variable, default as written in `.env.example`, description) of each setting, in order."""
    for group, group_field in Settings.model_fields.items():
        group_class = group_field.annotation
        assert isinstance(group_class, type) and issubclass(group_class, BaseModel)
        for name, field in group_class.model_fields.items():
            default = "" if field.default is None else str(field.default)
            yield f"{PREFIX}{group}{DELIMITER}{name}".upper(), default, field.description or ""


def load_settings() -> Settings:
    """Read the settings from the environment and `.env`.

    Raises SettingsError naming each invalid variable and its problem, or an unknown variable and the most similar name.
    """
    _check_names()
    try:
        settings = Settings()
    except ValidationError as exc:
        problems = "; ".join(
            f"{PREFIX}{DELIMITER.join(str(part) for part in error['loc']).upper()}: {error['msg']}"
            for error in exc.errors()
        )
        raise SettingsError(f"invalid setting: {problems}") from exc
    _check_combinations(settings)
    return settings


def _check_combinations(settings: Settings) -> None:
    server = settings.opensearch
    required = {"URL": server.url} | (
        {"USER": server.user, "PASSWORD": server.password} if server.auth == "basic" else {}
    )
    missing = [f"{PREFIX}OPENSEARCH{DELIMITER}{name}" for name, value in required.items() if not value]
    if settings.store.backend == "opensearch" and missing:
        raise SettingsError(f"{PREFIX}STORE{DELIMITER}BACKEND=opensearch needs {', '.join(missing)}")
    for group, model in (("EMBEDDING", settings.embedding), ("LLM", settings.llm), ("NLI", settings.nli)):
        prefix, backend = f"{PREFIX}{group}{DELIMITER}", model.backend
        if missing := [prefix + name.upper() for name in _REQUIRED.get(backend, ()) if not getattr(model, name)]:
            raise SettingsError(f"{prefix}BACKEND={backend} needs {' and '.join(missing)}")
        unsupported = [
            prefix + name.upper() for name in _UNSUPPORTED.get(backend, ()) if getattr(model, name) is not None
        ]
        if unsupported:
            raise SettingsError(f"{prefix}BACKEND={backend} does not support {', '.join(unsupported)}; unset it")
    if settings.chat.answer_mode == "model" and settings.llm.backend == "none":
        raise SettingsError(
            "FSI_CHAT__ANSWER_MODE=model needs a language model: set FSI_LLM__BACKEND, or FSI_CHAT__ANSWER_MODE=auto"
        )


def _check_names() -> None:
    import difflib

    # `extra="forbid"` is not enough: pydantic reads only the names it knows from the environment.
    known = {name for name, _, _ in list_settings()}
    variables = {name.upper() for name in (*os.environ, *dotenv_values(".env")) if name.upper().startswith(PREFIX)}
    unknown = sorted(variables - known)
    if unknown:
        near = difflib.get_close_matches(unknown[0], sorted(known), n=1)
        hint = f"; did you mean {near[0]}?" if near else "; `python -m rag config` lists them"
        raise SettingsError(f"unknown setting: {', '.join(unknown)}{hint}")
