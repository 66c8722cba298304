"""SageMakerEmbedding: an embedding container on a SageMaker endpoint, asked in bounded batches, several at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from typing import Any

from llama_index.core.base.embeddings import base
from llama_index.core.bridge.pydantic import ConfigDict, Field, PrivateAttr

from rag.errors import ModelError, ModelInputTooLong
from rag.models.cancellation import CancelScope
from rag.models.parameters import estimate_tokens
from rag.models.sagemaker.client import Endpoint, Runtime, shared_runtime
from rag.models.sagemaker.embedding_payloads import VECTORS, Pooling, VectorFormat, VectorFormatName
from rag.models.sagemaker.instrumentation import listened_to
from rag.models.threads import Threads
from rag.vectors import unit_vectors

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Given the number of distinct texts embedded and of all, after each batch, in the calling thread."""

_Answer = tuple[int, bytes]
"""The number of texts asked about, and the answer's body."""

_GROUP = 2048
"""The most texts LlamaIndex can hand over at once; batches are cut from that."""


class SageMakerEmbedding(base.BaseEmbedding):
    """Unit vectors from the endpoint `endpoint_name`, in the order of the texts; a repeated text is sent once.

    Raises kinds of ModelError alone: also where the endpoint gives another count or dimension, or numbers that are not
    finite. A batch that it refuses as too large is halved until it passes. Thread-safe; the async methods run the sync
    ones on threads, so the event loop goes on.

    `token_counter` counts a text's tokens as the container does; without it they are estimated, rather too many.
    """

    model_config = ConfigDict(extra="forbid")

    endpoint_name: str = Field(description="SageMaker endpoint.")
    format: VectorFormatName = Field(default="tei", description="How the container spells texts and vectors.")
    pooling: Pooling = Field(default="cls", description="What makes one vector of a text's tokens; for format hf.")
    dimension: int | None = Field(default=None, description="Numbers in a vector. None: whatever the first answer has.")
    max_tokens: int = Field(default=512, gt=0, description="Window of the model, in tokens.")
    query_prefix: str = Field(default="", description="Put before questions.")
    passage_prefix: str = Field(default="", description="Put before passages.")
    batch_size: int = Field(default=32, gt=0, description="Texts in a request at most.")
    concurrency: int = Field(default=8, gt=0, description="Requests at once at most.")
    deadline: float = Field(default=60.0, gt=0, description="Seconds one request may take, tries included.")
    query_deadline: float = Field(default=5.0, gt=0, description="Seconds one question may take, whose asker waits.")
    inference_component: str | None = None
    target_variant: str | None = None

    _runtime: Runtime = PrivateAttr()
    _threads: Threads = PrivateAttr()
    _codec: VectorFormat = PrivateAttr()
    _on_progress: Progress | None = PrivateAttr()
    _token_counter: Callable[[str], int] = PrivateAttr()
    _numbers: int | None = PrivateAttr()

    def __init__(
        self,
        endpoint_name: str,
        *,
        runtime: Runtime | None = None,
        on_progress: Progress | None = None,
        token_counter: Callable[[str], int] | None = None,
        **settings: Any,
    ) -> None:
        named = {"model_name": endpoint_name, "endpoint_name": endpoint_name, "embed_batch_size": _GROUP}
        super().__init__(**{**named, **settings})
        self._runtime = runtime or shared_runtime()
        self._threads = Threads(self.concurrency, "embedding")
        self._codec = VECTORS[self.format](self.pooling)
        self._on_progress = on_progress
        self._token_counter = token_counter or estimate_tokens
        self._numbers = self.dimension

    @classmethod
    def class_name(cls) -> str:
        return "SageMakerEmbedding"

    def token_count(self, text: str) -> int:
        """Tokens of a passage, its prefix and special tokens included."""
        return self._token_counter(self.passage_prefix + text)

    def get_text_embedding_batch(
        self, texts: list[str], show_progress: bool = False, **options: Any
    ) -> list[list[float]]:
        """Unit vectors, a list a text, in the order of the texts."""
        if show_progress or self._observed():
            return super().get_text_embedding_batch(texts, show_progress, **options)
        return self._get_text_embeddings(texts)

    async def aget_text_embedding_batch(
        self, texts: list[str], show_progress: bool = False, **options: Any
    ) -> list[list[float]]:
        """As `get_text_embedding_batch`, in a thread."""
        if show_progress or self._observed():
            return await super().aget_text_embedding_batch(texts, show_progress, **options)
        return await self._aget_text_embeddings(texts)

    def _observed(self) -> bool:
        """Whether LlamaIndex's own methods have anything to do but to call ours."""
        # Its end event holds a copy of all vectors: 30 ms for a thousand.
        return bool(self.embeddings_cache) or listened_to(self, __name__, base.__name__)

    def _get_query_embedding(self, query: str) -> list[float]:
        deadline = min(self.query_deadline, self.deadline)
        return self._read(self._send([self.query_prefix + query], deadline))[0]

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
        # Rows of one FAQ share their question: a repeated text is sent and paid for once.
        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        batches = list(self._batches(list(rows)))
        # One batch needs no other thread, and a question need not queue behind an ingestion.
        vectors = self._read(self._send(batches[0])) if len(batches) == 1 else self._ask_all(batches, len(rows))
        return [vectors[rows[text]] for text in texts]

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """Cut by count and by the bytes of request and answer; a text over the limit is a batch of its own."""
        codec, token_counter = self._codec, self._token_counter  # looking up a private attribute takes a microsecond
        batch: list[str] = []
        size = 0
        for text in texts:
            cost = codec.cost(text, token_counter)
            if batch and (len(batch) == self.batch_size or size + cost > codec.max_bytes):
                yield batch
                batch, size = [], 0
            batch.append(text)
            size += cost
        if batch:
            yield batch

    def _ask_all(self, batches: Sequence[list[str]], total: int) -> list[list[float]]:
        """All batches' vectors, in order. The first failure, or a cancelled task, ends it: what is under way, too.

        The threads only send and receive; answers are read here, while the next requests are already on their way.
        Read in the threads, each took two milliseconds of Python's lock from the seven others before its next request.
        """
        scope = CancelScope()
        futures = {self._threads.submit(self._send, batch, scope=scope): number for number, batch in enumerate(batches)}
        vectors: dict[int, list[list[float]]] = {}
        done = 0
        try:
            for future in as_completed(futures):
                number = futures[future]
                vectors[number] = self._read(future.result())
                done += len(batches[number])
                if self._on_progress is not None:
                    self._on_progress(done, total)
        finally:
            # First those that have not begun: ending those under way would let them begin.
            for future in futures:
                future.cancel()
            scope.cancel()
        return [vector for number in range(len(batches)) for vector in vectors[number]]

    def _send(
        self, texts: Sequence[str], deadline: float | None = None, scope: CancelScope | None = None
    ) -> list[_Answer]:
        """One answer, or as many as the endpoint needed to take so many texts. `scope`: that of all batches."""
        endpoint = Endpoint(self.endpoint_name, self.inference_component, self.target_variant)
        seconds = deadline or self.deadline
        call = scope.child(seconds) if scope else CancelScope(seconds)
        try:
            body = self._runtime.invoke(endpoint, self._codec.request(texts), call)
            return [(len(texts), body)]
        except ModelInputTooLong:
            # By halves: nobody but the container knows how many texts of which length it takes.
            half = len(texts) // 2
            if not half:
                raise
            logger.info("endpoint %s takes no %d texts at once; trying %d", self.endpoint_name, len(texts), half)
            return self._send(texts[:half], deadline, scope) + self._send(texts[half:], deadline, scope)

    def _read(self, answers: Sequence[_Answer]) -> list[list[float]]:
        """Unit vectors, checked."""
        vectors: list[list[float]] = []
        for count, body in answers:
            unit = unit_vectors(
                self._codec.read(body, count),
                source=f"the endpoint {self.endpoint_name!r}",
                error=ModelError,
                fix="check FORMAT and DIMENSION, and whether another model was deployed",
                count=count,
                dimension=self._numbers,
            )
            # From the first answer on the dimension is fixed, or one index could hold vectors of two models.
            self._numbers = unit.shape[1]
            vectors += unit.tolist()
        return vectors
