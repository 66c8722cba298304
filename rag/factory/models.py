"""Builds models from settings. The packages of remote models are imported only if they are configured."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from rag.errors import ModelUnavailable, SettingsError
from rag.ingestion.embedding import manifest_of
from rag.models.local_embedding import LocalEmbedding
from rag.settings import EmbeddingSettings, LlmSettings, NliSettings, Settings
from rag.stores.base import Manifest
from rag.synthesis.verification import RuleVerifier, Verifier

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms.llm import LLM

logger = logging.getLogger(__name__)

_OPENAI_LIKE = ("base_url", "model", "api_key")
"""Settings that do not apply to a SageMaker endpoint."""


def remote_embedding(settings: EmbeddingSettings) -> BaseEmbedding:
    """Build the embedding for the configured endpoint or API. Sends nothing.

    Raises SettingsError if its package is not installed, naming the command that installs it.
    """
    if settings.backend == "openai_like":
        return _openai_like_embedding(settings)
    from rag.models.sagemaker.embedding import SageMakerEmbedding  # boto3 takes half a second to import

    return SageMakerEmbedding(**settings.model_dump(exclude={"backend", "threads", *_OPENAI_LIKE}))


def _openai_like_embedding(settings: EmbeddingSettings) -> BaseEmbedding:
    with _extra_package("FSI_EMBEDDING__BACKEND=openai_like"):
        from rag.models.openai_like import OpenAiLikeEmbedding

    assert settings.model and settings.base_url
    sagemaker_only = {"endpoint_name", "inference_component", "format", "pooling"}
    shared = settings.model_dump(exclude={"backend", "threads", *_OPENAI_LIKE, *sagemaker_only})
    return OpenAiLikeEmbedding(settings.model, settings.base_url, api_key=_secret(settings.api_key), **shared)


def language_model(settings: LlmSettings) -> LLM | None:
    """Build the configured language model, or return None for backend "none". Sends nothing.

    Raises SettingsError as `remote_embedding` does.
    """
    match settings.backend:
        case "sagemaker":
            # Imported here because boto3 takes half a second to import.
            from rag.models.sagemaker.llm import SageMakerLLM

            return SageMakerLLM(**settings.model_dump(exclude={"backend", "region", *_OPENAI_LIKE}))
        case "openai_like":
            return _openai_like_llm(settings)
        case "bedrock":
            return _bedrock_llm(settings)
        case _:
            return None


def sentence_verifier(settings: NliSettings) -> Verifier:
    """Build the check of a language model's sentences: the rules, and the NLI endpoint if one is configured. Sends nothing."""
    if settings.backend == "none":
        return RuleVerifier()
    from rag.models.sagemaker.nli import SageMakerNli  # boto3 takes half a second to import
    from rag.synthesis.verification import NliVerifier

    endpoint = settings.model_dump(include={"endpoint_name", "format", "deadline", "inference_component"})
    return NliVerifier(SageMakerNli(**endpoint), entailed=settings.entailed, contradicted=settings.contradicted)


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
        stall=settings.stall,
        first_token=settings.first_token,
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
        stall=settings.stall,
        first_token=settings.first_token,
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


# Shown to customers on the page, therefore in Korean.
LEXICAL_ONLY = "임베딩 모델을 사용할 수 없어 단어 검색으로만 답합니다. 답변 범위가 좁아질 수 있습니다."


@dataclass(frozen=True, slots=True)
class Models:
    """The embedding (None: lexical search only), the manifest for an index with it, and warnings to show to customers."""

    embed_model: BaseEmbedding | None
    manifest: Manifest
    warnings: tuple[str, ...] = ()


def load_models(settings: Settings) -> Models:
    """Load the configured embedding. If the local one cannot be loaded, use lexical search only, with a warning.

    Raises ModelError if an endpoint does not answer, because an index without vectors would have to be rebuilt later.
    """
    if settings.embedding.backend != "local":
        endpoint = remote_embedding(settings.embedding)
        return Models(endpoint, manifest_of(endpoint))
    try:
        embed_model = LocalEmbedding(threads=settings.embedding.threads)
    except ModelUnavailable as exc:
        logger.warning("%s", exc)
        return Models(None, manifest_of(None), (LEXICAL_ONLY,))
    return Models(embed_model, manifest_of(embed_model))
