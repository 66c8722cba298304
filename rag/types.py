"""Data types of a question's outcome: sources, answer, and the events of an answer stream.

Frozen dataclasses without dependencies on LlamaIndex, stores or the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

Status = Literal["answered", "suggested", "declined"]
Reason = Literal["greeting", "thanks", "off_topic", "not_covered", "advice", "injection"]
Notice = Literal["withheld", "uncited", "too_slow", "model_unavailable", "interrupted"]
SupportStatus = Literal["supported", "weak", "withheld"]
SupportReason = Literal["quantity", "entity", "condition", "polarity", "words", "contradicted", "uncited", "form"]
NoteKind = Literal[
    "contact", "complaint", "identity", "restart", "which", "none_chosen", "no_list", "nothing_pending",
    "other_institution", "hidden_institution", "not_mentioned", "already_shown", "not_held", "limit",
    "not_helped", "in_shown", "no_access", "unnamed_institution",
    "fraud", "fraud_loss",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence added to an outcome's text, or replacing its usual one; `rag.synthesis.texts` has the wording.

    `values` fill its placeholders: `name` of an institution, `word` that the customer asked about.
    """

    kind: NoteKind
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of an answer to several questions, or about several institutions.

    `title`: the part of the question, or the institution. `rows`: ids of the rows quoted or suggested; empty if nothing
    covers it.
    """

    title: str
    status: Status
    rows: tuple[str, ...] = ()


def place_in_document(metadata: Mapping[str, Any]) -> str:
    """A passage's document, page and clause ("안내.pdf, 3쪽, 제12조"); empty for an FAQ row."""
    page = f"{metadata['page']}쪽" if metadata.get("page") else ""
    return ", ".join(filter(None, (str(metadata.get("document") or ""), page, str(metadata.get("clause") or ""))))


@dataclass(frozen=True, slots=True)
class Source:
    """A passage behind an answer. Citation `[n]` is always `answer.sources[n - 1]`.

    `id`: the row's id in the corpus. `text`: the complete approved answer; for a document, a passage, with its headings in
    `question` and its place in the metadata (`place_in_document`). `score`: calibrated probability in 0..1 that this row
    answers the question. `summary_generated`: a language model wrote `summary`.
    """

    number: int
    id: str
    question: str
    text: str
    score: float
    metadata: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""
    summary_generated: bool = False

    def as_json(self) -> dict[str, Any]:
        summary = {"summary": self.summary, "summary_generated": self.summary_generated} if self.summary else {}
        return {
            "number": self.number,
            "id": self.id,
            "question": self.question,
            "score": round(self.score, 4),
            "metadata": dict(self.metadata),
            **summary,
        }


@dataclass(frozen=True, slots=True)
class SentenceSupport:
    """How a sentence of a generated answer was checked.

    `cited`: numbers of the sources it was checked against. "supported" and "weak" sentences are in the answer; a weak one
    contains a word that its sources lack. A "withheld" sentence is not: `reason` is the check that failed, `detail` the
    words concerned. For the reason "form" (content that no answer may have) `text` is empty. `is_replacement`: the text is not
    the model's, but its source's own, in place of the withheld sentence nearest before it.
    """

    text: str
    cited: tuple[int, ...]
    status: SupportStatus
    reason: SupportReason | None = None
    detail: str = ""
    is_replacement: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole outcome of one question.

    `status`: "answered": `text` is the answer and cites `sources`. "suggested": `sources` are the three nearest rows.
    "declined": `sources` is empty and `reason` says why.
    `generated`: a language model wrote `text`, and `support` has the check of each sentence; otherwise `text` is the
    institution's own.
    `notice`: "withheld": unsupported sentences of a generated text were left out or replaced by their source's; the other
    notices say why the passages are quoted in place of a generated text.
    `timings_ms`: milliseconds by step. `usage`: tokens of the model.
    `masked`: kinds of personal numbers in the question; `question` has the kind in place of each number.
    `searched`: the text that was searched for: of a follow-up with what it follows; "" if nothing was.
    """

    question: str
    text: str
    status: Status
    reason: Reason | None = None
    notice: Notice | None = None
    sources: tuple[Source, ...] = ()
    cited: tuple[int, ...] = ()
    generated: bool = False
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    usage: Mapping[str, int] = field(default_factory=dict)
    masked: tuple[str, ...] = ()
    support: tuple[SentenceSupport, ...] = ()
    searched: str = ""

    def sentence_spans(self) -> tuple[tuple[int, int] | None, ...]:
        """Where each sentence of `support` stands in `text`, as (start, end) offsets; None for one that is not in it."""
        spans: list[tuple[int, int] | None] = []
        end = 0
        for each in self.support:
            start = self.text.find(each.text, end) if each.text and each.status != "withheld" else -1
            spans.append((start, start + len(each.text)) if start >= 0 else None)
            end = start + len(each.text) if start >= 0 else end
        return tuple(spans)

    def as_turn(self) -> Turn:
        """The exchange, for the history of the next question."""
        return Turn(self.question, self.text, self.status, tuple(source.id for source in self.sources))

    def as_json(self) -> dict[str, Any]:
        """The object of `python -m rag ask --json` and of the page's `/ask`."""
        return {
            "question": self.question,
            "status": self.status,
            "reason": self.reason,
            "notice": self.notice,
            "answer": self.text,
            "sources": [source.as_json() for source in self.sources],
            "timings_ms": {step: round(ms, 2) for step, ms in self.timings_ms.items()},
        }


@dataclass(frozen=True, slots=True)
class SourcesFound:
    """The first event, so that the page can show the sources before the text."""

    status: Status
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """The next piece of the answer's text.

    Joined, the pieces are `Answer.text`; if a model's answer broke off, `Answer.text` replaces them. `generated`: a
    language model wrote it; `checked`: its sources support it. `support`: the checks of all sentences up to this piece.
    """

    text: str
    generated: bool = False
    checked: bool = False
    support: tuple[SentenceSupport, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerCompleted:
    """The last event, sent exactly once unless the reader closes the stream."""

    answer: Answer


AnswerEvent = SourcesFound | AnswerDelta | AnswerCompleted


@dataclass(frozen=True, slots=True)
class Filters:
    """Limits of a search: `equals` requires exact metadata values (`{"bank": "…"}`).

    `as_of`: only rows in force on that day are searched; None: today.
    """

    equals: Mapping[str, str] = field(default_factory=dict)
    as_of: date | None = None


MAX_TURNS = 20
"""Turns that the page and the command line keep as the history of later questions."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier exchange of the conversation: the customer's message and the answer.

    `source_ids`: ids of the rows shown, in order. With them and `status` a later message can choose one ("2번이요").
    """

    question: str
    answer: str = ""
    status: Status | None = None
    source_ids: tuple[str, ...] = ()
