"""SageMakerEmbedding: an embedding container on a SageMaker endpoint, called with limited batches in parallel."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from typing import Any

from llama_index.core.base.embeddings import base
from llama_index.core.bridge.pydantic import ConfigDict, Field, PrivateAttr

from rag.errors import ModelError, ModelInputTooLong
from rag.korean import estimate_tokens
from rag.models.cancellation import CancelScope
from rag.models.sagemaker.client import Endpoint, Runtime, shared_runtime
from rag.models.sagemaker.embedding_payloads import EMBEDDING_FORMATS, Pooling, VectorFormat, VectorFormatName
from rag.models.sagemaker.instrumentation import has_listeners
from rag.models.threads import ForkSafeExecutor
from rag.vectors import unit_vectors

logger = logging.getLogger(__name__)

_Response = tuple[int, bytes]
"""The number of texts in a request, and the body of the response."""

_MAX_TEXTS = 2048
"""The most texts that LlamaIndex passes at once; they are split into batches."""


class SageMakerEmbedding(base.BaseEmbedding):
    """Unit vectors from the endpoint `endpoint_name`, in the order of the texts; a repeated text is sent once.

    Raises only subclasses of ModelError, also if the endpoint returns another number of vectors, another dimension or
    numbers that are not finite. A batch that it rejects as too large is halved until it is accepted. Thread-safe; the async
    methods run the sync ones in threads.

    `token_counter` counts the tokens of a text as the container does; without it they are estimated, rather too many than
    too few.
    """

    model_config = ConfigDict(extra="forbid")

    endpoint_name: str = Field(description="SageMaker endpoint.")
    format: VectorFormatName = Field(default="tei", description="Payload format of the container.")
    pooling: Pooling = Field(default="cls", description="How format hf combines token vectors to one vector.")
    dimension: int | None = Field(default=None, description="Length of the vectors. None: as in the first answer.")
    max_tokens: int = Field(default=512, gt=0, description="Window of the model, in tokens.")
    query_prefix: str = Field(default="", description="Text added before questions.")
    passage_prefix: str = Field(default="", description="Text added before passages.")
    batch_size: int = Field(default=32, gt=0, description="Maximum number of texts in a request.")
    concurrency: int = Field(default=8, gt=0, description="Maximum number of parallel requests.")
    deadline: float = Field(default=60.0, gt=0, description="Seconds for one request, including retries.")
    query_deadline: float = Field(default=5.0, gt=0, description="Seconds for one question, including retries.")
    inference_component: str | None = None
    target_variant: str | None = None

    _runtime: Runtime = PrivateAttr()
    _threads: ForkSafeExecutor = PrivateAttr()
    _codec: VectorFormat = PrivateAttr()
    _token_counter: Callable[[str], int] = PrivateAttr()
    _dimension: int | None = PrivateAttr()

    def __init__(
        self,
        endpoint_name: str,
        *,
        runtime: Runtime | None = None,
        token_counter: Callable[[str], int] | None = None,
        **settings: Any,
    ) -> None:
        # LlamaIndex passes groups of `embed_batch_size` texts, which this class splits into requests.
        defaults = {"model_name": endpoint_name, "endpoint_name": endpoint_name, "embed_batch_size": _MAX_TEXTS}
        super().__init__(**{**defaults, **settings})
        self._runtime = runtime or shared_runtime()
        self._threads = ForkSafeExecutor(self.concurrency, "embedding")
        self._codec = EMBEDDING_FORMATS[self.format](self.pooling)
        self._token_counter = token_counter or estimate_tokens
        self._dimension = self.dimension

    @classmethod
    def class_name(cls) -> str:
        return "SageMakerEmbedding"

    def token_count(self, text: str) -> int:
        """Count the tokens of a passage, including its prefix and the special tokens."""
        return self._token_counter(self.passage_prefix + text)

    def get_text_embedding_batch(
        self, texts: list[str], show_progress: bool = False, **options: Any
    ) -> list[list[float]]:
        """Return a unit vector for each text, in order."""
        if show_progress or self._observed():
            return super().get_text_embedding_batch(texts, show_progress, **options)
        return self._get_text_embeddings(texts)

    async def aget_text_embedding_batch(
        self, texts: list[str], show_progress: bool = False, **options: Any
    ) -> list[list[float]]:
        """Run `get_text_embedding_batch` in a thread."""
        if show_progress or self._observed():
            return await super().aget_text_embedding_batch(texts, show_progress, **options)
        return await self._aget_text_embeddings(texts)

    def _observed(self) -> bool:
        """Return whether LlamaIndex's base methods must be used, for a cache, callbacks or event handlers."""
        # They are avoided otherwise: their end event has a copy of all vectors, which takes 30 ms for a thousand.
        return bool(self.embeddings_cache) or has_listeners(self, __name__, base.__name__)

    def _get_query_embedding(self, query: str) -> list[float]:
        deadline = min(self.query_deadline, self.deadline)
        return self._parse(self._request([self.query_prefix + query], deadline))[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._embed([self.passage_prefix + text for text in texts])

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await self._runtime.call_in_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await self._runtime.call_in_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await self._runtime.call_in_thread(self._get_text_embeddings, texts)

    def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        # Several rows may share a question, and each text sent costs money.
        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        batches = list(self._batches(list(rows)))
        # A single batch runs in this thread, so that a question does not wait for the batches of an ingestion.
        vectors = self._parse(self._request(batches[0])) if len(batches) == 1 else self._embed_batches(batches)
        return [vectors[rows[text]] for text in texts]

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Split texts by number and by the size of request and answer. A text above the limit is a batch of its own."""
        codec, token_counter = (
            self._codec,
            self._token_counter,
        )  # each access to a private attribute takes a microsecond
        batch: list[str] = []
        size = 0
        for text in texts:
            text_size = codec.payload_bytes(text, token_counter)
            if batch and (len(batch) == self.batch_size or size + text_size > codec.max_bytes):
                yield batch
                batch, size = [], 0
            batch.append(text)
            size += text_size
        if batch:
            yield batch

    def _embed_batches(self, batches: Sequence[list[str]]) -> list[list[float]]:
        """Return the vectors of all batches, in order. The first failure, or a cancelled task, cancels all requests.

        The threads only send and receive. Answers are parsed in this thread, because parsing in the threads would hold
        Python's lock for two milliseconds before each next request.
        """
        scope = CancelScope()
        futures = {
            self._threads.submit(self._request, batch, scope=scope): number for number, batch in enumerate(batches)
        }
        vectors: dict[int, list[list[float]]] = {}
        try:
            for future in as_completed(futures):
                number = futures[future]
                vectors[number] = self._parse(future.result())
        finally:
            # Requests that have not begun are cancelled first, because ending the others would let them begin.
            for future in futures:
                future.cancel()
            scope.cancel()
        return [vector for number in range(len(batches)) for vector in vectors[number]]

    def _request(
        self, texts: Sequence[str], deadline: float | None = None, scope: CancelScope | None = None
    ) -> list[_Response]:
        """Send texts in one request, or in halves if the endpoint rejects it as too large. `scope` is that of all batches."""
        endpoint = Endpoint(self.endpoint_name, self.inference_component, self.target_variant)
        seconds = deadline or self.deadline
        call = scope.child(seconds) if scope else CancelScope(seconds)
        try:
            body = self._runtime.invoke(endpoint, self._codec.request(texts), call)
            return [(len(texts), body)]
        except ModelInputTooLong:
            # Halves, because only the container knows how many texts it accepts.
            half = len(texts) // 2
            if not half:
                raise
            logger.info("endpoint %s rejected %d texts as too large; trying %d", self.endpoint_name, len(texts), half)
            return self._request(texts[:half], deadline, scope) + self._request(texts[half:], deadline, scope)

    def _parse(self, answers: Sequence[_Response]) -> list[list[float]]:
        """Parse and check responses. Returns unit vectors."""
        vectors: list[list[float]] = []
        for count, body in answers:
            unit = unit_vectors(
                self._codec.parse(body, count),
                source=f"the endpoint {self.endpoint_name!r}",
                error=ModelError,
                fix="check FORMAT and DIMENSION, and whether another model was deployed",
                count=count,
                dimension=self._dimension,
            )
            # The first answer fixes the dimension, so that an index cannot get vectors of two models.
            self._dimension = unit.shape[1]
            vectors += unit.tolist()
        return vectors
