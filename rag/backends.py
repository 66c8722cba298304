"""Settings to models that are reached over a network. Their packages are imported only when they are chosen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from rag.errors import SettingsError
from rag.settings import EmbeddingSettings, LlmSettings

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms.llm import LLM

_OPENAI_LIKE = ("base_url", "model", "api_key")
"""Settings that a SageMaker endpoint does not have."""


def remote_embedding(settings: EmbeddingSettings) -> BaseEmbedding:
    """The embedding behind the configured endpoint or API. Nothing is sent yet.

    Raises SettingsError where its package is not installed, naming what installs it.
    """
    if settings.backend == "openai_like":
        return _openai_like_embedding(settings)
    from rag.models.sagemaker_embedding import SageMakerEmbedding  # boto3 takes half a second to import

    return SageMakerEmbedding(**settings.model_dump(exclude={"backend", "threads", *_OPENAI_LIKE}))


def _openai_like_embedding(settings: EmbeddingSettings) -> BaseEmbedding:
    with _extra_package("FSI_EMBEDDING__BACKEND=openai_like"):
        from rag.models.openai_like import OpenAiLikeEmbedding

    assert settings.model and settings.base_url
    sagemakers = {"endpoint_name", "inference_component", "format", "pooling"}
    shared = settings.model_dump(exclude={"backend", "threads", *_OPENAI_LIKE, *sagemakers})
    return OpenAiLikeEmbedding(settings.model, settings.base_url, api_key=_secret(settings.api_key), **shared)


def language_model(settings: LlmSettings) -> LLM | None:
    """The configured language model, None for none. Nothing is sent yet. Raises SettingsError as `remote_embedding`."""
    match settings.backend:
        case "sagemaker":
            from rag.models.sagemaker_llm import SageMakerLLM

            return SageMakerLLM(**settings.model_dump(exclude={"backend", "region", *_OPENAI_LIKE}))
        case "openai_like":
            return _openai_like_llm(settings)
        case "bedrock":
            return _bedrock_llm(settings)
        case _:
            return None


def _openai_like_llm(settings: LlmSettings) -> LLM:
    with _extra_package("FSI_LLM__BACKEND=openai_like"):
        from rag.models.openai_like import OpenAiLikeLLM

    assert settings.model and settings.base_url
    sampling = {"do_sample", "temperature", "top_p", "top_k", "repetition_penalty", "eos_token_id"}
    return OpenAiLikeLLM(
        settings.model,
        settings.base_url,
        api_key=_secret(settings.api_key),
        max_new_tokens=settings.max_new_tokens,
        parameters=settings.model_dump(include=sampling),
        window=settings.context_window,
        deadline=settings.deadline,
    )


def _bedrock_llm(settings: LlmSettings) -> LLM:
    with _extra_package("FSI_LLM__BACKEND=bedrock"):
        from rag.models.bedrock import BedrockLLM

    assert settings.model
    return BedrockLLM(
        settings.model,
        region=settings.region,
        max_new_tokens=settings.max_new_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
        window=settings.context_window,
        deadline=settings.deadline,
    )


@contextmanager
def _extra_package(setting: str) -> Iterator[None]:
    try:
        yield
    except ImportError as exc:
        raise SettingsError(
            f"{setting} needs a package that is not installed ({exc.name}): `pip install -r requirements-models.txt`"
        ) from exc


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
