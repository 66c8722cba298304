"""What a question turns into: sources, an answer, and the events of an answer stream.

Plain frozen data, importable in milliseconds; knows nothing of LlamaIndex, stores or the page.
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
SupportReason = Literal["quantity", "entity", "condition", "polarity", "words", "uncited", "form"]
NoteKind = Literal[
    "contact", "identity", "restart", "which", "none_chosen", "nothing_pending", "other_institution", "hidden_institution",
    "not_mentioned", "already_shown", "not_held",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Note:
    """What an outcome's text says beside or instead of the usual sentence; `rag.synthesis.texts` has the words.

    `values` fill the sentence: the `name` of an institution, the `word` a customer asked about.
    """

    kind: NoteKind
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of an answer to several questions, or about several institutions.

    `rows`: ids of the rows quoted in it, or suggested for it; none: nothing covers it. `title`: the part as it was asked, or
    the institution.
    """

    title: str
    status: Status
    rows: tuple[str, ...] = ()


def place_in_document(metadata: Mapping[str, Any]) -> str:
    """Where a passage stands: its document, page and clause ("안내.pdf, 3쪽, 제12조"); empty for an FAQ row."""
    page = f"{metadata['page']}쪽" if metadata.get("page") else ""
    return ", ".join(filter(None, (str(metadata.get("document") or ""), page, str(metadata.get("clause") or ""))))


@dataclass(frozen=True, slots=True)
class Source:
    """A passage behind an answer. Citation `[n]` is always `answer.sources[n - 1]`.

    `id` is the corpus row's id, `text` the approved answer whole, or a passage of a document, whose headings are then
    `question` and whose place is in the metadata (`place_in_document`). `score` is calibrated: the estimated chance in
    0..1 that this row answers the question.
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
    """What became of a sentence that a language model wrote.

    `cited`: the sources it was checked against. supported and weak ones are in the answer; a weak one has a word that its
    sources do not have. withheld: `reason` says which check failed, `detail` the words it is about. "form": what no answer
    may hold; `text` is then empty.
    """

    text: str
    cited: tuple[int, ...]
    status: SupportStatus
    reason: SupportReason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole outcome of one question.

    answered: `text` is the answer, `sources` are cited in it. suggested: `sources` are the three nearest rows.
    declined: `sources` is empty and `reason` says why. `timings_ms` maps a step's name to milliseconds.
    `generated`: a language model wrote `text`, and `support` tells how each of its sentences was checked; else it is the
    institution's own. `notice`: withheld: sentences are missing that no source supports; with the others, and where
    `generated` is false, `text` is the passages. `usage` counts a model's tokens.
    `masked`: kinds of personal numbers that the customer wrote; `question` holds their names in their places.
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
    """Comes first, so that the sources are on the page before the first words."""

    status: Status
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class AnswerDelta:
    """The next piece of the answer's text; joined they are `Answer.text`, unless a model's answer broke off: then that
    text takes their place. `generated`: a language model wrote it; `checked`: its sources were found to state it.
    """

    text: str
    generated: bool = False
    checked: bool = False


@dataclass(frozen=True, slots=True)
class AnswerCompleted:
    """Comes last, exactly once, unless the stream was closed by its reader."""

    answer: Answer


AnswerEvent = SourcesFound | AnswerDelta | AnswerCompleted


@dataclass(frozen=True, slots=True)
class Filters:
    """What a question is limited to: exact metadata values (`{"bank": "…"}`) and the day it is asked for (None: today).

    Rows not in force on that day never answer.
    """

    equals: Mapping[str, str] = field(default_factory=dict)
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier exchange of the conversation: what the customer wrote and what was answered.

    `status` and `source_ids`, the ids of the rows shown in their order, let a message refer to them ("2번이요"); without
    them it is read by the texts alone.
    """

    question: str
    answer: str = ""
    status: Status | None = None
    source_ids: tuple[str, ...] = ()
