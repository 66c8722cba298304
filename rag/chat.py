"""ChatService answers questions. The page calls `ChatService.stream`, other programs may use `query_engine`.

Both run the same objects in this order; to change a step, change the module beside it:

  check the question, mask personal numbers      rag.conversation.query_engine, `QuestionCheck`; rag.privacy
  undo the wrong keyboard mode, markup           rag.conversation.query_engine, `as_meant`; keyboard_modes
  decide what to show                            rag.conversation.searcher, `Searcher.judge`, of which in turn:
    what a scammer asks the customer for         rag.conversation.scams, scam_rules.toml: rows about fraud, or a warning
    greetings, a wish for a person               rag.conversation.word_rules, decline_rules.toml: rules that no row overrides
    a choice among the rows shown before         rag.conversation.shown_rows, `read_choice`
    several institutions, one that is not held   rag.retrieval.query_analysis, rag.conversation.part_answers, other_institutions
    several questions                            rag.conversation.question_parts divides, part_answers combines
    a follow-up: alone or with what it follows   rag.conversation.follow_up_search, of texts by follow_up_rules or
                                                 follow_up_llm; which of the two is shown: follow_up_choice
    asked of the answer just shown               rag.conversation.shown_sentences, `stated_by_shown`; follow_up_choice,
                                                 `answered_by_shown`; shown_rows, `other_than_shown`
    advice, injection                            decline_rules.toml again, where no row answers
  search one text                                rag.conversation.row_search, `RowSearch.search`, of which in turn:
    add the bank's words, correct the spelling   rag.retrieval.query_analysis, lexicon.tsv, glossary.tsv; spelling
    retrieve rows                                rag.retrieval.hybrid, over rag.stores; lexical lists where the embedding fails
    compare values and products                  rag.retrieval.ranking, using rag.constraints
    answered, suggested or declined              rag.retrieval.confidence
  join split rows                                rag.retrieval.rows, `WholeRows`
  write the text                                 rag.synthesis.answer, `AnswerSynthesizer`, which chooses among:
    the reason's fixed text                      rag.synthesis.texts
    the approved text                            rag.synthesis.verbatim
    a language model's text                      rag.synthesis.cited; release and verification check each sentence

This module does not read settings or files; `rag.factory.chat` passes in the store, the models and the texts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from llama_index.core.schema import NodeWithScore

from rag.conversation.query_engine import ChatQueryEngine, ConversationRetriever, QuestionCheck, as_meant
from rag.conversation.searcher import Searcher
from rag.errors import InputError
from rag.models.cancellation import CancellableStream, CancelScope
from rag.privacy import own_numbers
from rag.retries import CircuitBreaker
from rag.retrieval.confidence import Calibration, Verdict
from rag.retrieval.hybrid import FusedNode
from rag.retrieval.query_analysis import BANK
from rag.retrieval.rows import WholeRows, sources_of, whole_rows
from rag.stores.base import FINGERPRINT, INDEXED_AT, PassageStore
from rag.synthesis.answer import SECONDS, AnswerSynthesizer, verdict_of
from rag.synthesis.cited import CitedAnswerSynthesizer, ReleaseMode
from rag.synthesis.summary import Summarizer
from rag.synthesis.texts import DEFAULT_CONTACT
from rag.synthesis.verbatim import VerbatimSynthesizer
from rag.synthesis.verification import Verifier
from rag.types import Answer, AnswerCompleted, AnswerDelta, AnswerEvent, Filters, Source, SourcesFound, Turn

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms.llm import LLM

logger = logging.getLogger(__name__)
FACETS = (BANK, "category")


class ChatService:
    """Answers questions from one store: with `llm` if it is set, otherwise with the approved texts. Thread-safe.

    Personal numbers are masked in the question and in the history before any other step reads them.

    `embed_model`: None searches lexically only. `calibration`: the thresholds and weights of the outcome.
    `answer_seconds`: time limit of the language model for one answer, including the rewrite of a follow-up.
    `top_k`: the most rows shown with an answer. `candidates`: rows taken from each ranked list of the store.
    `max_question_chars`: longer questions raise InputError; counted in NFKC.
    `contact`: where a declined question is referred to; None: the bundled institutions' desks.
    `institutions`: further names of institutions, see `Searcher`.
    `topics`: example questions by category, for the page; declined questions are told the first four categories.
    `warnings`: lines that the page shows, such as a missing embedder. `versions`: of the index and the models, for the records.
    `published`: numbers that are never masked because the institution publishes them; see `own_numbers`.
    `release`: "sentence" shows a model's text after it is checked; "token" shows it as it arrives and checks it at the end.
    `verifier`: checks a model's sentences; None: the rules alone.
    `english`: refusals and framing texts are always English. `clock`: seconds, for the circuit breakers of both models.
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
        institutions: Mapping[str, Sequence[str]] | None = None,
        topics: Mapping[str, Sequence[str]] | None = None,
        warnings: Sequence[str] = (),
        published: Collection[str] = (),
        release: ReleaseMode = "sentence",
        verifier: Verifier | None = None,
        versions: Mapping[str, str] | None = None,
        english: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # Immutable, because threads share them.
        self.warnings = tuple(warnings)
        self.writes = llm is not None
        self.versions: Mapping[str, str] = dict(versions or {})
        self.contact = DEFAULT_CONTACT if contact is None else contact
        self.calibration = calibration
        self._store = store
        self._answer_seconds = answer_seconds
        self._top_k = top_k
        self._topics = {name: tuple(questions) for name, questions in (topics or {}).items()}
        # Customers ask about the desk's own number, which the texts show them: masking it would remove the question's subject.
        own = own_numbers([contact] if contact else [])
        self._check = QuestionCheck(max_question_chars, frozenset(published) | own)
        # Shared by rewrites and answers: after failures of one, the other does not make the customer wait either.
        llm_breaker = CircuitBreaker("the language model", clock=clock)
        self._new_searcher = partial(
            Searcher,
            store,
            embed_model,
            calibration,
            llm,
            embedding_breaker=CircuitBreaker("the embedding endpoint", clock=clock),
            llm_breaker=llm_breaker,
            top_k=top_k,
            candidates=candidates,
            institutions=institutions,
        )
        cited: CitedAnswerSynthesizer | None = None
        if llm:
            cited = CitedAnswerSynthesizer(
                llm, seconds=answer_seconds, breaker=llm_breaker, verifier=verifier, release=release, english=english
            )
        self._summarizer = Summarizer(llm, breaker=llm_breaker, verifier=verifier)
        self._synthesizers = {
            streaming: AnswerSynthesizer(
                VerbatimSynthesizer(contact=contact, english=english),
                cited,
                contact=contact,
                topics=[name for name in self._topics if name][:4],
                english=english,
                streaming=streaming,
                seconds=answer_seconds,
            )
            for streaming in (False, True)
        }

    def ask(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        """The completed answer of `stream`: evaluation and programs get what the page shows. Raises the same errors."""
        with closing(self.stream(question, history, filters)) as events:
            for event in events:
                if isinstance(event, AnswerCompleted):
                    return event.answer
        raise InputError("the answer stream ended without an answer; it was closed by another thread")

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None, *, row: str | None = None
    ) -> Generator[AnswerEvent, None, None]:
        """Yields SourcesFound, then AnswerDeltas, then AnswerCompleted. Raises RagError before or between events.

        `row`: the id of a suggested row that the customer chose; that row is the answer.
        `close()` may be called from another thread, also while this one waits for a model: it ends the model's call.
        """
        # Not in the generator: the deadline runs from the question, and a stream that was never started can be closed.
        scope = CancelScope(self._answer_seconds)
        engine = self.query_engine(filters, history=history, row=row)
        return CancellableStream(self._events(engine, question, scope), scope)

    def query_engine(
        self,
        filters: Filters | None = None,
        *,
        history: Sequence[Turn] = (),
        streaming: bool = False,
        row: str | None = None,
    ) -> ChatQueryEngine:
        """A LlamaIndex query engine whose responses have the page's text and rows.

        `filters` limit its searches. Each query is answered as the question that follows `history`. The metadata of a
        response has `status`, `reason` and `notice`, as in `Answer`. `streaming`, `row`: as LlamaIndex's and `stream`'s.
        """
        turns = self._check.masked_history(history)
        retriever = ConversationRetriever(self._searcher, filters=filters, history=turns, row=row)
        return ChatQueryEngine(
            retriever,
            self._synthesizers[streaming],
            WholeRows(store=self._store),
            check=self._check,
            seconds=self._answer_seconds,
        )

    def _events(self, engine: ChatQueryEngine, question: str, scope: CancelScope) -> Generator[AnswerEvent, None, None]:
        began = time.perf_counter()
        query = engine.scoped(question, scope)
        nodes = engine.retrieve(query)
        retrieved = time.perf_counter()
        # Cancelled during retrieval: an interrupted embedding fell back to lexical search, whose result nobody reads.
        if scope.cancelled:
            return
        verdict, sources = verdict_of(query, nodes), sources_of(nodes)
        # Before the text: a language model takes seconds to its first words, the sources are known already.
        yield SourcesFound(verdict.status, sources)
        with closing(engine.stream(query, nodes)) as pieces:
            for piece in pieces:
                yield AnswerDelta(piece, pieces.generated, pieces.checked, pieces.support)
        # A stream closed early has no outcome, and no reader.
        if (outcome := pieces.outcome) is None:
            return
        ended = time.perf_counter()
        answer = Answer(
            query.query_str,
            outcome.text,
            verdict.status,
            reason=verdict.reason,
            notice=outcome.notice,
            sources=sources,
            cited=outcome.cited,
            generated=outcome.generated,
            timings_ms={
                "retrieval": 1000 * (retrieved - began),
                "synthesis": 1000 * (ended - retrieved),
                "total": 1000 * (ended - began),
            },
            usage=outcome.usage,
            masked=query.masked,
            support=outcome.support,
            searched=verdict.query,
        )
        _log(answer, nodes)
        yield AnswerCompleted(answer)

    def _searcher(self, scope: CancelScope | None = None) -> Searcher:
        # A new one for each question: it caches what it reads from the store.
        return self._new_searcher(scope or CancelScope(self._answer_seconds))

    # What follows is for evaluation, fitting, the command line and the page around the answer.

    def search(self, question: str, filters: Filters | None = None, *, top_k: int | None = None) -> list[Source]:
        """The nearest rows with calibrated scores, whatever the outcome. Decline rules and follow-ups are not applied."""
        verdict = self.rank(self._check(question).text, (), filters)
        return list(sources_of(whole_rows(self._store, verdict.ranked[: top_k or self._top_k])))

    def summarize(self, question: str, sources: Sequence[Source]) -> list[Source]:
        """The sources with summaries. Each has the time limit of an answer; where the model fails, a source has no summary."""
        asked = self._check(question).text
        return [self._summarizer.summarized(asked, each, CancelScope(self._answer_seconds)) for each in sources]

    def judge(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Verdict:
        """The outcome without a text, decline rules included."""
        question, turns = as_meant(self._check.masked(question), self._check.masked_history(history))
        return self._searcher().judge(question, turns, filters or Filters())

    def rank(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Verdict:
        """The outcome by the rows alone, without the decline rules. Follow-ups are resolved with `history`."""
        question, turns = as_meant(self._check.masked(question), self._check.masked_history(history))
        return self._searcher().rank(question, turns, filters or Filters())

    def hits(self, text: str, filters: Filters | None = None) -> list[FusedNode]:
        """Rows for a text, best first, with fused scores and their components. Raises ModelError if the embedding fails."""
        return self._searcher().rows.hits(self._check.masked(text), filters)

    def reading(self, text: str) -> str:
        """The text that `hits` searches for: without the institution's name that limits the search."""
        return self._searcher().rows.reading(text)

    def topics(self) -> Mapping[str, Sequence[str]]:
        """Example questions by category, for the page; the largest category first."""
        return self._topics

    def facets(self) -> Mapping[str, Sequence[str]]:
        """The values that a search can be limited to, by metadata key, sorted."""
        return {key: self._store.values(key) for key in FACETS}


def _log(answer: Answer, nodes: Sequence[NodeWithScore]) -> None:
    # Never the question: it may hold names and account numbers.
    times = " ".join(f"{step}_ms={milliseconds:.0f}" for step, milliseconds in answer.timings_ms.items())
    # When the newest row shown was indexed and with which embedding, without another request to the store.
    written = max((str(hit.node.metadata.get(INDEXED_AT, "")) for hit in nodes), default="-")
    prints = sorted({str(hit.node.metadata.get(FINGERPRINT, ""))[:8] for hit in nodes})
    logger.info(
        "status=%s reason=%s notice=%s sources=%d top_score=%.3f index=%s %s",
        *(answer.status, answer.reason, answer.notice, len(answer.sources)),
        max((source.score for source in answer.sources), default=0.0),
        f"{written}/{'+'.join(prints)}" if nodes else written,
        times,
    )
