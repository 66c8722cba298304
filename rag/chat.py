"""ChatService.stream(question, history, filters): one request, top to bottom.

Knows nothing of settings, files or the page; `rag.factory.chat` gives it a store, models and texts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import BaseSynthesizer

from rag.conversation.searcher import BANK, Searcher
from rag.errors import InputError
from rag.models.cancellation import Closable, Patience
from rag.models.circuit_breaker import CircuitBreaker
from rag.retrieval.confidence import Calibration, ConfidencePostprocessor, JudgedNode, Verdict
from rag.retrieval.hybrid import FusedNode, row_id
from rag.retrieval.row_assembly import WholeRows, whole_rows
from rag.stores.base import INTERNAL_METADATA, QUESTION, PassageStore
from rag.synthesis import texts as prompts
from rag.synthesis.answer_stream import AnswerStream, Outcome, stream_verbatim
from rag.synthesis.cited import SECONDS, CitedAnswerSynthesizer
from rag.synthesis.verbatim import VerbatimSynthesizer
from rag.types import (
    Answer,
    AnswerCompleted,
    AnswerDelta,
    AnswerEvent,
    Filters,
    Notice,
    Reason,
    Source,
    SourcesFound,
    Status,
    Turn,
)

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms.llm import LLM

logger = logging.getLogger(__name__)
FACETS = (BANK, "category")


class ChatService:
    """Answers questions from one store, through `llm` if there is one; else it quotes. Thread-safe: each call keeps its
    state in its own frame, but for the rest that failing models are given: by `clock`, in seconds. `answer_seconds`: what
    the model may take for one answer, condensing included.
    """

    def __init__(
        self,
        store: PassageStore,
        embed_model: BaseEmbedding | None,
        *,
        calibration: Calibration,
        llm: LLM | None = None,
        answer_seconds: float = SECONDS,
        top_k: int = 5,
        candidates: int = 50,
        max_question_chars: int = 1000,
        contact: str | None = None,
        starters: Sequence[str] = (),
        warnings: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.warnings = tuple(warnings)
        self.calibration = calibration
        self._store = store
        self._llm = llm
        self._llm_breaker = CircuitBreaker("the language model", clock=clock)
        # Made once: its tokenizer takes a moment to load.
        self._cited = CitedAnswerSynthesizer(llm, breaker=self._llm_breaker) if llm else None
        self._answer_seconds = answer_seconds
        self._top_k = top_k
        self._searcher = Searcher(
            store,
            embed_model,
            calibration,
            llm,
            embedding_breaker=CircuitBreaker("the embedding endpoint", clock=clock),
            llm_breaker=self._llm_breaker,
            top_k=top_k,
            candidates=candidates,
        )
        self._max_question_chars = max_question_chars
        self._contact = contact
        self._starters = tuple(starters)

    def starters(self) -> Sequence[str]:
        return self._starters

    def facets(self) -> Mapping[str, Sequence[str]]:
        """The values a question can be limited to, by metadata key, sorted."""
        return {key: self._store.values(key) for key in FACETS}

    def ask(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        """The finished answer of `stream`."""
        with closing(self.stream(question, history, filters)) as events:
            for event in events:
                if isinstance(event, AnswerCompleted):
                    return event.answer
        raise InputError("the answer stream ended without an answer")

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Generator[AnswerEvent, None, None]:
        """SourcesFound, then AnswerDelta…, then AnswerCompleted. Raises RagError before or between events.

        `close()` may be called from another thread, also while this one waits for a model: it ends the model's call.
        """
        patience = Patience(self._answer_seconds)
        return Closable(self._events(question, history, filters, patience), patience)

    def _events(
        self, question: str, history: Sequence[Turn], filters: Filters | None, patience: Patience
    ) -> Generator[AnswerEvent, None, None]:
        clock = Clock()
        question = self._validate(question)
        with patience.active():
            verdict = self._searcher.judge(question, history, filters, patience)
        clock.lap("retrieval")
        if patience.cancelled:
            return
        if verdict.status == "declined":
            yield from self._decline(question, verdict.reason or "not_covered", clock, _notice(verdict))
            return
        nodes = whole_rows(self._store, verdict.nodes)
        sources = tuple(self._source(number, hit) for number, hit in enumerate(nodes, 1))
        yield SourcesFound(verdict.status, sources)
        with closing(self._synthesize(verdict, nodes, patience)) as spoken:
            for piece in spoken:
                yield AnswerDelta(piece, spoken.generated)
        clock.lap("synthesis")
        if spoken.outcome is not None:
            yield self._complete(question, verdict.status, sources, spoken.outcome, clock)

    def _synthesize(self, verdict: Verdict, nodes: Sequence[JudgedNode], patience: Patience) -> AnswerStream:
        """The answer to a question as it was searched for; only what is `answered` is worth a model's call."""
        if self._cited is None or verdict.status != "answered" or verdict.lexical_only:
            return stream_verbatim(nodes, patience, _notice(verdict))
        return self._cited.answer(verdict.query, nodes, patience)

    @staticmethod
    def _complete(
        question: str, status: Status, sources: tuple[Source, ...], outcome: Outcome, clock: Clock
    ) -> AnswerCompleted:
        answer = Answer(
            question,
            outcome.text,
            status,
            notice=outcome.notice,
            sources=sources,
            cited=outcome.cited,
            generated=outcome.generated,
            timings_ms=clock.timings(),
            usage=outcome.usage,
        )
        logger.info(
            "status=%s notice=%s sources=%d ms=%.0f", status, outcome.notice, len(sources), answer.timings_ms["total"]
        )
        return AnswerCompleted(answer)

    def search(self, question: str, filters: Filters | None = None, *, top_k: int | None = None) -> list[Source]:
        """The nearest rows whatever the outcome, with calibrated scores; readings and reasons play no part."""
        verdict = self.rank(self._validate(question), (), filters)
        nodes = whole_rows(self._store, verdict.ranked[: top_k or self._top_k])
        return [self._source(number, hit) for number, hit in enumerate(nodes, 1)]

    def judge(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Verdict:
        """Decide, without an answer's text: by the words alone where they show it, else by what is found."""
        return self._searcher.judge(question, history, filters, Patience(self._answer_seconds))

    def rank(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Verdict:
        """Retrieve and decide by what is found alone; a message in a conversation in the reading that fits."""
        return self._searcher.rank(question, history, filters, Patience(self._answer_seconds))

    def hits(self, text: str, filters: Filters | None = None) -> list[FusedNode]:
        """The rows found for a text, best first, with their fused scores and parts."""
        return self._searcher.hits(text, filters)

    def query_engine(self, filters: Filters | None = None, *, streaming: bool = False) -> RetrieverQueryEngine:
        """Steps 3 to 5 as a LlamaIndex query engine of its own, for other programs; sync, async and streaming."""
        return RetrieverQueryEngine(
            retriever=self._searcher.retriever(filters, or_lexical_only=True),
            node_postprocessors=[
                ConfidencePostprocessor(calibration=self.calibration, top_k=self._top_k),
                WholeRows(store=self._store),
            ],
            response_synthesizer=self._synthesizer(streaming=streaming),
        )

    def _synthesizer(self, *, streaming: bool) -> BaseSynthesizer:
        empty = prompts.declined("not_covered", contact=self._contact)
        if self._llm is None:
            return VerbatimSynthesizer(streaming=streaming, empty_response=empty)
        return CitedAnswerSynthesizer(
            self._llm,
            streaming=streaming,
            empty_response=empty,
            seconds=self._answer_seconds,
            breaker=self._llm_breaker,
        )

    def _decline(
        self, question: str, reason: Reason, clock: Clock, notice: Notice | None
    ) -> Generator[AnswerEvent, None, None]:
        text = prompts.declined(reason, contact=self._contact)
        yield SourcesFound("declined", ())
        yield AnswerDelta(text)
        logger.info("status=declined reason=%s", reason)
        answer = Answer(question, text, "declined", reason=reason, notice=notice, timings_ms=clock.timings())
        yield AnswerCompleted(answer)

    def _source(self, number: int, hit: JudgedNode) -> Source:
        metadata = {key: value for key, value in hit.node.metadata.items() if key not in INTERNAL_METADATA}
        question = str(metadata.pop(QUESTION, ""))
        return Source(number, row_id(hit), question, hit.node.get_content(), hit.score or 0.0, metadata)

    def _validate(self, question: str) -> str:
        text = question.strip()
        if not text:
            raise InputError("the question is empty", korean="질문을 입력해 주세요.")
        if not _is_unicode(text):
            raise InputError("the question is not valid UTF-8 text", korean="읽을 수 없는 문자가 있습니다.")
        if len(text) > self._max_question_chars:
            raise InputError(
                f"the question has {len(text)} characters, at most {self._max_question_chars} are read",
                korean=f"질문이 너무 깁니다. {self._max_question_chars}자 이내로 줄여 주세요.",
            )
        return text


def _notice(verdict: Verdict) -> Notice | None:
    return "model_unavailable" if verdict.lexical_only else None


def _is_unicode(text: str) -> bool:
    """False with a lone surrogate, which can be neither printed nor sent."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


class Clock:
    """Milliseconds of each step since the one before, and in all."""

    def __init__(self) -> None:
        self._began = self._last = time.perf_counter()
        self._steps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        now = time.perf_counter()
        self._steps[step] = (now - self._last) * 1000
        self._last = now

    def timings(self) -> dict[str, float]:
        return {**self._steps, "total": (time.perf_counter() - self._began) * 1000}
