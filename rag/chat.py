"""ChatService.stream(question, history, filters): one request, top to bottom.

Knows nothing of settings, files or the page; `rag.build` gives it a store, models and texts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from llama_index.core.base.response.schema import StreamingResponse
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import QueryBundle

from rag.answering import condense, prompts, reasons
from rag.answering.synthesis import VerbatimSynthesizer
from rag.errors import InputError
from rag.retrieval.confidence import Calibration, ConfidencePostprocessor, JudgedNode, Verdict, by_words, judge
from rag.retrieval.hybrid import FusedNode, HybridRetriever, row_id
from rag.retrieval.mentions import mentioned
from rag.retrieval.readings import between
from rag.retrieval.rows import WholeRows, whole_rows
from rag.stores.contract import INTERNAL_METADATA, QUESTION, PassageStore
from rag.stores.filters import metadata_filters
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
    Turn,
)

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding

logger = logging.getLogger(__name__)
BANK = "bank"
FACETS = (BANK, "category")
ALONE_COVERED = 0.4
"""Chance that the message alone is covered from which on it is not joined to the turn before; set on `dev`."""
ALONE_POSSIBLE = 0.1
"""The same from which on, below ALONE_COVERED, both readings are offered; set on `dev` and conversations beside it."""
DEPTH = 10
"""Rows retrieved for the confidence step, whatever is shown."""


class ChatService:
    """Answers questions from one store. Thread-safe: each call keeps its state in its own frame."""

    def __init__(
        self,
        store: PassageStore,
        embed_model: BaseEmbedding | None,
        *,
        calibration: Calibration,
        top_k: int = 5,
        candidates: int = 50,
        max_question_chars: int = 1000,
        contact: str | None = None,
        starters: Sequence[str] = (),
        warnings: Sequence[str] = (),
    ) -> None:
        self.warnings = tuple(warnings)
        self.calibration = calibration
        self._store = store
        self._embed_model = embed_model
        self._top_k = top_k
        self._candidates = candidates
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
        """SourcesFound, then AnswerDelta…, then AnswerCompleted. Raises RagError before or between events."""
        clock = Clock()
        question = self._validate(question)
        verdict = self.judge(question, history, filters)
        clock.lap("retrieval")
        if verdict.status == "declined":
            yield from self._decline(question, verdict.reason or "not_covered", clock, _notice(verdict))
            return
        nodes = whole_rows(self._store, verdict.nodes)
        sources = tuple(self._source(number, hit) for number, hit in enumerate(nodes, 1))
        yield SourcesFound(verdict.status, sources)
        pieces = []
        for piece in self._synthesize(question, nodes):
            pieces.append(piece)
            yield AnswerDelta(piece)
        clock.lap("synthesis")
        cited = tuple(number for number, hit in enumerate(nodes, 1) if hit.quoted)
        answer = Answer(
            question,
            "".join(pieces),
            verdict.status,
            notice=_notice(verdict),
            sources=sources,
            cited=cited,
            timings_ms=clock.timings(),
        )
        logger.info("status=%s sources=%d ms=%.0f", answer.status, len(sources), answer.timings_ms["total"])
        yield AnswerCompleted(answer)

    def search(self, question: str, filters: Filters | None = None, *, top_k: int | None = None) -> list[Source]:
        """The nearest rows whatever the outcome, with calibrated scores; readings and reasons play no part."""
        verdict = self.rank(self._validate(question), (), filters)
        nodes = whole_rows(self._store, verdict.ranked[: top_k or self._top_k])
        return [self._source(number, hit) for number, hit in enumerate(nodes, 1)]

    def judge(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Verdict:
        """Decide, without an answer's text: by the words alone where they show it, else by what is found."""
        if reason := reasons.from_words(question):
            return Verdict("declined", reason, (), (), 0.0, 0.0)
        return self.rank(question, history, filters)

    def rank(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Verdict:
        """Retrieve and decide by what is found alone; a message in a conversation in the reading that fits."""
        filters = self._with_mentioned_bank(question, filters or Filters())  # rather than one named earlier
        together = condense.joined(question, history)
        if together is not None and condense.points_back(question):
            return self._judged(together, filters)
        alone = self._judged(condense.alone(question, history), filters)
        if together is None or alone.covered >= ALONE_COVERED:
            return alone
        joined = self._judged(together, filters)
        return between(joined, alone) if alone.covered >= ALONE_POSSIBLE else joined

    def _judged(self, text: str, filters: Filters) -> Verdict:
        retriever = self._retriever(text, filters, or_by_words=True)
        verdict = judge(text, _found(retriever, text), self.calibration, top_k=self._top_k)
        return replace(verdict, words_alone=retriever.words_alone)

    def hits(self, text: str, filters: Filters | None = None) -> list[FusedNode]:
        """The rows found for a text, best first, DEPTH at most, with their fused scores and parts."""
        return _found(self._retriever(text, filters), text)

    def query_engine(self, filters: Filters | None = None, *, streaming: bool = False) -> RetrieverQueryEngine:
        """Steps 3 to 5 as a LlamaIndex query engine of its own, for other programs; sync, async and streaming."""
        return RetrieverQueryEngine(
            retriever=self._retriever("", filters, or_by_words=True),
            node_postprocessors=[
                ConfidencePostprocessor(calibration=self.calibration, top_k=self._top_k),
                WholeRows(store=self._store),
            ],
            response_synthesizer=VerbatimSynthesizer(
                streaming=streaming, empty_response=prompts.declined("not_covered", contact=self._contact)
            ),
        )

    def _retriever(self, text: str, filters: Filters | None, *, or_by_words: bool = False) -> HybridRetriever:
        return HybridRetriever(
            self._store,
            self._embed_model,
            fusion=self.calibration.fusion,
            by_words=by_words(self.calibration).fusion if or_by_words else None,
            top_k=DEPTH,
            candidates=self._candidates,
            filters=metadata_filters(self._with_mentioned_bank(text, filters or Filters())),
        )

    def _with_mentioned_bank(self, text: str, filters: Filters) -> Filters:
        """An institution named in the text limits the search to it, unless one was chosen already."""
        if BANK in filters.equals:
            return filters
        bank = mentioned(text, self._store.values(BANK))
        return replace(filters, equals={**filters.equals, BANK: bank}) if bank else filters

    def _synthesize(self, question: str, nodes: Sequence[JudgedNode]) -> Generator[str, None, None]:
        response = self.query_engine(streaming=True).synthesize(QueryBundle(question), list(nodes))
        assert isinstance(response, StreamingResponse)
        yield from response.response_gen

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
    return "words_only" if verdict.words_alone else None


def _found(retriever: HybridRetriever, text: str) -> list[FusedNode]:
    return [hit for hit in retriever.retrieve(QueryBundle(text)) if isinstance(hit, FusedNode)]


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
