"""The stack file: which endpoints the chatbot runs on, and how the emulator shows them.

Typed; what is wrong in it is refused by name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deploy.local.spec import NAME, EndpointSpec, endpoint_spec, problems
from rag.errors import SettingsError

DEFAULT = Path(__file__).with_name("stack.toml")


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Embedding(_Group):
    """The endpoint that turns text into vectors."""

    endpoint_name: str = Field(pattern=NAME)
    format: Literal["hf", "tei", "embeddings", "openai"]
    pooling: Literal["cls", "mean"] | None = Field(default=None, description="hf only.")
    query_prefix: str | None = Field(default=None, description="Put before questions, where the model wants it.")
    passage_prefix: str | None = Field(default=None, description="Put before passages.")


class Llm(_Group):
    """The endpoint that writes answers."""

    endpoint_name: str = Field(pattern=NAME)
    format: Literal["kullm", "tgi", "lmi", "openai"]
    context_window: int | None = Field(default=None, ge=256)
    max_new_tokens: int | None = Field(default=None, ge=1)


class Local(_Group):
    """The emulator: its port, and further fields of each endpoint's `EndpointSpec`."""

    port: int = Field(default=8790, ge=0, le=65535, description="The next free one is taken if it is in use; 0: any.")
    embedding: dict[str, Any] = {}
    llm: dict[str, Any] = {}


class Stack(_Group):
    """All of a stack file. An endpoint that is left out is neither made nor named in the environment."""

    embedding: Embedding | None = None
    llm: Llm | None = None
    local: Local = Local()


def load(path: Path = DEFAULT) -> Stack:
    """Raises SettingsError naming the file and each wrong value."""
    try:
        return Stack.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise SettingsError(f"the stack file {path} cannot be read: {exc.strerror}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"{path} is not TOML: {exc}") from exc
    except ValidationError as exc:
        raise SettingsError(f"{path}: {problems(exc)}") from exc


def local_endpoints(stack: Stack) -> list[EndpointSpec]:
    """What the emulator serves for this stack. Raises SettingsError."""
    found = []
    if stack.embedding:
        given = stack.embedding.model_dump(exclude_none=True, exclude={"query_prefix", "passage_prefix"})
        found.append({"task": "embed", "name": given.pop("endpoint_name"), **given, **stack.local.embedding})
    if stack.llm:
        given = stack.llm.model_dump(exclude_none=True, exclude={"max_new_tokens"})
        found.append({"task": "generate", "name": given.pop("endpoint_name"), **given, **stack.local.llm})
    return [endpoint_spec(given) for given in found]


def settings(stack: Stack) -> Iterator[tuple[str, str]]:
    """The chatbot's own settings for this stack, name and value."""
    for group, endpoint in (("EMBEDDING", stack.embedding), ("LLM", stack.llm)):
        if endpoint:
            yield f"FSI_{group}__BACKEND", "sagemaker"
            for name, value in endpoint.model_dump(exclude_none=True).items():
                yield f"FSI_{group}__{name.upper()}", str(value)
