"""Models behind an OpenAI-compatible API (vLLM, TEI, Ollama on machines of one's own), through LlamaIndex's packages.

Needs requirements-models.txt. Those packages' defaults are OpenAI's own host and key: both are always given here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import numpy as np
import openai
from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.embeddings.openai.base import get_embeddings
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike

from rag.errors import ModelError, ModelFormatError, ModelRefused, ModelTimeout, ModelUnavailable
from rag.models.adapted_llm import UNREADABLE, AdaptedLLM, Ending, call_package, translate_errors
from rag.models.async_from_sync import AsyncFromSync
from rag.models.cancellation import CancelScope
from rag.models.parameters import Parameters, estimate_tokens
from rag.models.sagemaker.llm_payloads import GENERATION
from rag.models.sockets import claim
from rag.models.threads import Threads
from rag.models.vendor_errors import TIMED_OUT, from_status, short
from rag.vectors import unit_vectors

logger = logging.getLogger(__name__)

VENDOR_ERRORS = (openai.OpenAIError, httpx.HTTPError, httpx.StreamError, httpx.InvalidURL)
CONNECT_SECONDS = 5.0
NO_KEY = "none"
"""Sent where none is set; without any, the package would send that of OPENAI_API_KEY to this host."""
_GROUP = 2048
_BATCH_TOO_LARGE = re.compile(r"batch.?size|batch .*too large|too many inputs", re.IGNORECASE)
_KNOWN = ("max_tokens", "temperature", "top_p", "stop")


class OpenAiLikeLLM(AdaptedLLM, OpenAILike):
    """The chat model `model` at `api_base`. Parameters that are None are not sent."""

    vendor_errors = VENDOR_ERRORS

    def __init__(
        self,
        model: str,
        base_url: str,
        *,
        api_key: str | None = None,
        max_new_tokens: int = 512,
        stall: float = 20.0,
        parameters: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        # The longest silence of a connection; `stream_chat` limits what comes after the first word to `stall`.
        silence = max(stall, fields.get("first_token") or 0.0)
        spelled = GENERATION["openai"].parameters(Parameters(**(parameters or {})), ())
        # The client refuses names that are not OpenAI's, but servers like vLLM know more.
        extra = {name: spelled.pop(name) for name in [*spelled] if name not in _KNOWN}
        super().__init__(
            model=model,
            api_base=base_url,
            api_key=api_key or NO_KEY,
            max_tokens=max_new_tokens,
            max_retries=0,
            timeout=silence,
            stall=stall,
            is_chat_model=True,
            additional_kwargs={**spelled, **({"extra_body": extra} if extra else {})},
            # No connection is kept: a call learns its socket while it connects, and needs it to be cancelled.
            http_client=_client(silence, keep=0),
            **fields,
        )

    @classmethod
    def class_name(cls) -> str:
        return "OpenAiLikeLLM"

    def close(self) -> None:
        """Give back the connections."""
        self._get_client().close()

    def _get_model_kwargs(self, **options: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = super()._get_model_kwargs(**options)
        if "temperature" not in self.additional_kwargs and "temperature" not in options:
            # The package's own default, which nobody has chosen.
            del arguments["temperature"]
        return {**arguments, **options}

    def _translate(self, error: Exception) -> ModelError:
        return from_openai(error, self.model)

    def _ending(self, response: Any) -> Ending:
        choices = getattr(response.raw, "choices", None)
        usage = getattr(response.raw, "usage", None)
        counts = usage.model_dump() if usage else {}
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        return (choices[0].finish_reason if choices else None), {
            name: counts[name] for name in names if isinstance(counts.get(name), int)
        }


class OpenAiLikeEmbedding(AsyncFromSync, OpenAILikeEmbedding):
    """Unit vectors of the embedding model `model_name` at `api_base`; a repeated text is sent once."""

    query_prefix: str = ""
    passage_prefix: str = ""
    dimension: int | None = None
    max_tokens: int = 512
    batch_size: int = Field(default=32, gt=0)
    concurrency: int = Field(default=8, gt=0)
    deadline: float = Field(default=60.0, gt=0, description="Seconds one request may take, tries included.")
    query_deadline: float = Field(default=5.0, gt=0, description="Seconds one question may take.")

    _threads: Threads = PrivateAttr()

    def __init__(self, model: str, base_url: str, *, api_key: str | None = None, **fields: Any) -> None:
        super().__init__(
            model_name=model,
            api_base=base_url,
            api_key=api_key or NO_KEY,
            embed_batch_size=_GROUP,
            max_retries=0,
            http_client=_client(fields.get("deadline", 60.0)),
            **fields,
        )
        self._threads = Threads(self.concurrency, "embedding")

    @classmethod
    def class_name(cls) -> str:
        return "OpenAiLikeEmbedding"

    def close(self) -> None:
        """Give back threads and connections."""
        self._threads.shutdown()
        self._get_client().close()

    def token_count(self, text: str) -> int:
        """Tokens of a passage, its prefix included; estimated."""
        return estimate_tokens(self.passage_prefix + text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._vectors([self.query_prefix + query], min(self.query_deadline, self.deadline))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        # Rows of one FAQ share their question, and each text is paid for.
        distinct = list(dict.fromkeys(self.passage_prefix + text for text in texts))
        batches = [distinct[start : start + self.batch_size] for start in range(0, len(distinct), self.batch_size)]
        answers = self._threads.map(self._batch_vectors, batches)
        vectors = dict(zip(distinct, (vector for answer in answers for vector in answer), strict=True))
        return [vectors[self.passage_prefix + text] for text in texts]

    def _batch_vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """As `_vectors`; in halves where the server says that it takes no batch this large."""
        try:
            return self._vectors(texts, self.deadline)
        except ModelRefused as exc:
            # By its words: Text Embeddings Inference says so with 413 until 1.8, with 422 from 1.9 on.
            if len(texts) == 1 or not _BATCH_TOO_LARGE.search(str(exc)):
                raise
            logger.warning("%s; sending halves: set FSI_EMBEDDING__BATCH_SIZE below %d", exc, len(texts))
        half = len(texts) // 2
        return self._batch_vectors(texts[:half]) + self._batch_vectors(texts[half:])

    def _vectors(self, texts: Sequence[str], deadline: float) -> list[list[float]]:
        """Unit vectors of one request's texts; `deadline` in seconds."""
        scope = CancelScope(deadline)
        name = f"the model {self.model_name!r}"

        def ask() -> Any:
            with translate_errors(lambda error: from_openai(error, self.model_name), VENDOR_ERRORS):
                options = {
                    "timeout": httpx.Timeout(scope.read_timeout(), connect=CONNECT_SECONDS),
                    # The package asks for base64, which not every server gives.
                    "encoding_format": "float",
                }
                answer = get_embeddings(self._get_client(), list(texts), engine=self.model_name, **options)
                return np.asarray(answer, dtype=np.float64).reshape(len(answer), -1)

        try:
            answer = call_package(ask, scope, name)
        finally:
            scope.release()
        fix = "check MODEL and DIMENSION"
        unit = unit_vectors(answer, source=name, error=ModelError, fix=fix, count=len(texts), dimension=self.dimension)
        self.dimension = unit.shape[1]
        vectors: list[list[float]] = unit.tolist()
        return vectors


def served_models(base_url: str, api_key: str | None = None, *, seconds: float = CONNECT_SECONDS) -> tuple[str, ...]:
    """Names of the models that the server lists, waiting `seconds` at most; empty where it lists none or fails."""
    with (
        _client(seconds) as http,
        openai.OpenAI(base_url=base_url, api_key=api_key or NO_KEY, max_retries=0, http_client=http) as client,
    ):
        try:
            return tuple(model.id for model in client.models.list().data)
        except (*VENDOR_ERRORS, *UNREADABLE):
            return ()


def from_openai(error: Exception, model: str) -> ModelError:
    """The error of ours that `error`, raised by a call of `model`, stands for."""
    name = f"the model {model!r}"
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return ModelTimeout(f"{name}: {TIMED_OUT}")
    if isinstance(error, openai.APIStatusError):
        fix = "check API_KEY" if error.status_code in (401, 403) else "check MODEL and BASE_URL"
        return from_status(error.status_code, short(error.message), name, fix=fix, log="that of its server")
    if isinstance(error, openai.APIResponseValidationError):
        return ModelFormatError(f"the answer of {name} cannot be read: {short(error)}; check BASE_URL")
    if isinstance(error, openai.APIConnectionError | httpx.HTTPError | httpx.StreamError):
        return ModelUnavailable(
            f"{name} cannot be reached ({short(error.__cause__ or error)}); check BASE_URL and the network"
        )
    if isinstance(error, openai.APIError):
        return ModelError(f"{name} reports an error: {short(error)}; check its server's log")
    return ModelRefused(f"the request to {name} cannot be sent: {short(error)}; check BASE_URL")


def _client(seconds: float, *, keep: int = 64) -> httpx.Client:
    limits = httpx.Limits(max_connections=128, max_keepalive_connections=keep)
    timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
    return httpx.Client(timeout=timeout, limits=limits, event_hooks={"request": [_trace]})


def _trace(request: httpx.Request) -> None:
    request.extensions["trace"] = _connected


def _connected(event: str, info: Mapping[str, Any]) -> None:
    """Gives the thread's scope the socket, so that its end ends a read; not called again for a kept connection.

    The event's first part is who connects: behind a proxy, the encrypted socket is the proxy's.
    """
    if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
        claim(info["return_value"].get_extra_info("socket"))
