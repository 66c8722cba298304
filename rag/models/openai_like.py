"""Models with an OpenAI-compatible API (vLLM, TEI or Ollama on your own machines), through LlamaIndex's packages.

Needs requirements-models.txt. The packages default to OpenAI's host and key, so both are always set here.
"""

from __future__ import annotations

import logging
import re
import socket
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
from rag.korean import estimate_tokens
from rag.models.adapted_llm import PARSE_ERRORS, AdaptedLLM, FinishInfo, call_package, translate_errors
from rag.models.cancellation import CancelScope, ScopedSocket, current_scope
from rag.models.http_errors import TIMED_OUT, from_status, one_line
from rag.models.sagemaker.llm_payloads import LLM_FORMATS, Parameters
from rag.models.threads import AsyncFromSync, ForkSafeExecutor
from rag.vectors import unit_vectors

logger = logging.getLogger(__name__)

VENDOR_ERRORS = (openai.OpenAIError, httpx.HTTPError, httpx.StreamError, httpx.InvalidURL)
CONNECT_SECONDS = 5.0
PLACEHOLDER_KEY = "none"
"""Sent if no key is set: without one, the package would send the value of OPENAI_API_KEY to this host."""
_MAX_TEXTS = 2048
"""The most texts that LlamaIndex passes at once."""
_BATCH_TOO_LARGE = re.compile(r"batch.?size|batch .*too large|too many inputs", re.IGNORECASE)
_OPENAI_PARAMETERS = ("max_tokens", "temperature", "top_p", "stop")


class OpenAiLikeLLM(AdaptedLLM, OpenAILike):
    """The chat model `model` at `base_url`. Parameters that are None are not sent."""

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
        # The read timeout of the connection; `stream_chat` applies `stall` after the first piece.
        read_timeout = max(stall, fields.get("first_token") or 0.0)
        options = LLM_FORMATS["openai"].parameters(Parameters(**(parameters or {})), ())
        # The client rejects names that are not OpenAI's, but servers like vLLM accept more in the request body.
        extra = {name: options.pop(name) for name in [*options] if name not in _OPENAI_PARAMETERS}
        super().__init__(
            model=model,
            api_base=base_url,
            api_key=api_key or PLACEHOLDER_KEY,
            max_tokens=max_new_tokens,
            max_retries=0,
            timeout=read_timeout,
            stall=stall,
            is_chat_model=True,
            additional_kwargs={**options, **({"extra_body": extra} if extra else {})},
            # Connections are not kept alive: a call can only be cancelled by the socket that it registers on connecting.
            http_client=_client(read_timeout, keepalive=0),
            **fields,
        )

    @classmethod
    def class_name(cls) -> str:
        return "OpenAiLikeLLM"

    def close(self) -> None:
        """Close the connections."""
        self._get_client().close()

    def _get_model_kwargs(self, **options: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = super()._get_model_kwargs(**options)
        if "temperature" not in self.additional_kwargs and "temperature" not in options:
            # The package's default, which was not configured.
            del arguments["temperature"]
        return {**arguments, **options}

    def _translate(self, error: Exception) -> ModelError:
        return from_openai(error, self.model)

    def _finish_info(self, response: Any) -> FinishInfo:
        choices = getattr(response.raw, "choices", None)
        usage = getattr(response.raw, "usage", None)
        counts = usage.model_dump() if usage else {}
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        return (choices[0].finish_reason if choices else None), {
            name: counts[name] for name in names if isinstance(counts.get(name), int)
        }


class OpenAiLikeEmbedding(AsyncFromSync, OpenAILikeEmbedding):
    """An embedding model at `base_url` that returns unit vectors; a repeated text is sent once."""

    query_prefix: str = ""
    passage_prefix: str = ""
    dimension: int | None = None
    max_tokens: int = 512
    batch_size: int = Field(default=32, gt=0)
    concurrency: int = Field(default=8, gt=0)
    deadline: float = Field(default=60.0, gt=0, description="Seconds for one request, including retries.")
    query_deadline: float = Field(default=5.0, gt=0, description="Seconds for one question, including retries.")

    _threads: ForkSafeExecutor = PrivateAttr()

    def __init__(self, model: str, base_url: str, *, api_key: str | None = None, **fields: Any) -> None:
        super().__init__(
            model_name=model,
            api_base=base_url,
            api_key=api_key or PLACEHOLDER_KEY,
            embed_batch_size=_MAX_TEXTS,
            max_retries=0,
            http_client=_client(fields.get("deadline", 60.0)),
            **fields,
        )
        self._threads = ForkSafeExecutor(self.concurrency, "embedding")

    @classmethod
    def class_name(cls) -> str:
        return "OpenAiLikeEmbedding"

    def close(self) -> None:
        """Close threads and connections."""
        self._threads.shutdown()
        self._get_client().close()

    def token_count(self, text: str) -> int:
        """Estimate the tokens of a passage, including its prefix."""
        return estimate_tokens(self.passage_prefix + text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._vectors([self.query_prefix + query], min(self.query_deadline, self.deadline))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        # Several rows may share a question, and each text sent costs money.
        distinct = list(dict.fromkeys(self.passage_prefix + text for text in texts))
        batches = [distinct[start : start + self.batch_size] for start in range(0, len(distinct), self.batch_size)]
        answers = self._threads.map(self._batch_vectors, batches)
        vectors = dict(zip(distinct, (vector for answer in answers for vector in answer), strict=True))
        return [vectors[self.passage_prefix + text] for text in texts]

    def _batch_vectors(self, texts: Sequence[str]) -> list[list[float]]:
        """Like `_vectors`, but splits the batch into halves if the server reports that it is too large."""
        try:
            return self._vectors(texts, self.deadline)
        except ModelRefused as exc:
            # Recognised by the message: Text Embeddings Inference uses status 413 up to 1.8 and 422 since 1.9.
            if len(texts) == 1 or not _BATCH_TOO_LARGE.search(str(exc)):
                raise
            logger.warning("%s; sending halves: set FSI_EMBEDDING__BATCH_SIZE below %d", exc, len(texts))
        half = len(texts) // 2
        return self._batch_vectors(texts[:half]) + self._batch_vectors(texts[half:])

    def _vectors(self, texts: Sequence[str], deadline: float) -> list[list[float]]:
        """Return the unit vectors of the texts of one request, within `deadline` seconds."""
        scope = CancelScope(deadline)
        name = f"the model {self.model_name!r}"

        def send() -> Any:
            with translate_errors(lambda error: from_openai(error, self.model_name), VENDOR_ERRORS):
                options = {
                    "timeout": httpx.Timeout(scope.read_timeout(), connect=CONNECT_SECONDS),
                    # The package's default is base64, which not every server supports.
                    "encoding_format": "float",
                }
                answer = get_embeddings(self._get_client(), list(texts), engine=self.model_name, **options)
                return np.asarray(answer, dtype=np.float64).reshape(len(answer), -1)

        try:
            answer = call_package(send, scope, name)
        finally:
            scope.release()
        fix = "check MODEL and DIMENSION"
        unit = unit_vectors(answer, source=name, error=ModelError, fix=fix, count=len(texts), dimension=self.dimension)
        self.dimension = unit.shape[1]
        vectors: list[list[float]] = unit.tolist()
        return vectors


def served_models(base_url: str, api_key: str | None = None) -> tuple[str, ...]:
    """Return the names of the server's models; empty if it fails or does not answer within CONNECT_SECONDS."""
    with (
        _client(CONNECT_SECONDS) as http,
        openai.OpenAI(base_url=base_url, api_key=api_key or PLACEHOLDER_KEY, max_retries=0, http_client=http) as client,
    ):
        try:
            return tuple(model.id for model in client.models.list().data)
        except (*VENDOR_ERRORS, *PARSE_ERRORS):
            return ()


def from_openai(error: Exception, model: str) -> ModelError:
    """Return the ModelError for `error`, which a call of `model` raised."""
    name = f"the model {model!r}"
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return ModelTimeout(f"{name}: {TIMED_OUT}")
    if isinstance(error, openai.APIStatusError):
        fix = "check API_KEY" if error.status_code in (401, 403) else "check MODEL and BASE_URL"
        return from_status(error.status_code, one_line(error.message), name, fix=fix, log="the log of its server")
    if isinstance(error, openai.APIResponseValidationError):
        return ModelFormatError(f"cannot read the answer of {name}: {one_line(error)}; check BASE_URL")
    if isinstance(error, openai.APIConnectionError | httpx.HTTPError | httpx.StreamError):
        return ModelUnavailable(
            f"{name} cannot be reached ({one_line(error.__cause__ or error)}); check BASE_URL and the network"
        )
    if isinstance(error, openai.APIError):
        return ModelError(f"{name} reported an error: {one_line(error)}; check its server's log")
    return ModelRefused(f"the request to {name} cannot be sent: {one_line(error)}; check BASE_URL")


def _client(seconds: float, *, keepalive: int = 64) -> httpx.Client:
    def add_trace(request: httpx.Request) -> None:
        request.extensions["trace"] = _claim_socket

    limits = httpx.Limits(max_connections=128, max_keepalive_connections=keepalive)
    timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
    return httpx.Client(timeout=timeout, limits=limits, event_hooks={"request": [add_trace]})


class _Socket(ScopedSocket):
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock


def _claim_socket(event: str, info: Mapping[str, Any]) -> None:
    """Register a new connection's socket with the thread's scope, so that the end of the scope ends a read.

    Not called for a connection that is used again. Only the end of the event's name is compared, because the beginning
    names the object that connects, which differs behind a proxy.
    """
    if event.endswith((".connect_tcp.complete", ".start_tls.complete")) and (scope := current_scope()) is not None:
        _Socket(info["return_value"].get_extra_info("socket")).claim(scope)
