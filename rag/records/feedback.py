"""Uses customers' feedback as labels: evaluation lines, and questions that the FAQ does not answer, with proposed rows.

Functions without I/O over answer records as `AnswerLog.all` yields them.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.conversation.follow_up_rules import stands_alone
from rag.conversation.word_rules import nouns, says
from rag.korean import compact, jamo_ngrams, tokens
from rag.types import Filters, Source

Record = Mapping[str, Any]
MIN_SIMILARITY = 0.5
"""The similarity (Dice) from which two questions belong to one cluster."""
MIN_SCORE = 0.05
"""The calibrated score below which the nearest row is not proposed: the FAQ does not cover the subject."""
MAX_PROPOSALS = 3
"""The number of rows proposed for a question whose answer a customer disliked, because the first row was wrong."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Similar questions that were not answered, or not well.

    `kinds`: the number of questions by `gap_kind`. `rows`: the row that customers chose (`chosen`), or else the nearest rows,
    best first, of which a reviewer keeps one; empty if the FAQ does not cover the questions.
    """

    questions: tuple[str, ...]
    kinds: Mapping[str, int]
    rows: tuple[Source, ...]
    chosen: bool

    @property
    def count(self) -> int:
        """The number of times these questions were asked."""
        return sum(self.kinds.values())


def evaluation_lines(records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """Yield `{"id","query","relevant","style"}` for each answer that a customer confirmed by choosing a row or by a like."""
    for record in records:
        feedback = {each["kind"]: each for each in record["feedback"]}
        if "chosen" in feedback and feedback["chosen"]["row"]:
            relevant = [feedback["chosen"]["row"]]
        elif "like" in feedback and "dislike" not in feedback and record["status"] == "answered":
            numbers = set(record["cited"])
            # Only the rows that were cited; the like does not confirm the other sources.
            relevant = [source["id"] for source in record["sources"] if source["number"] in numbers]
        else:
            continue
        if relevant and is_standalone(record):
            yield {"id": record["id"], "query": record["question"], "relevant": relevant, "style": "customer"}


def is_standalone(record: Record) -> bool:
    """Return whether a customer wrote the question (after a click it is the row's), and it needs no earlier messages."""
    return not record["row"] and not (record["follows"] and _is_follow_up(record))


def _is_follow_up(record: Record) -> bool:
    """Return whether a message within a conversation was searched with what came before, or names too little by itself."""
    question = record["question"]
    # Records of earlier versions do not have what was searched for.
    if compact(record.get("searched", "")) not in compact(question) or says(question, "ellipsis", "back reference"):
        return True
    return not (stands_alone(question) or says(question, "product word") or len(nouns(question)) > 1)


def gap_kind(record: Record) -> str | None:
    """Return why a question is a gap: "declined", "disliked", "unclicked" or "chosen" (of suggestions); None if it is none.

    "disliked" includes the feedback that none of the suggestions was meant.
    """
    kinds = {each["kind"] for each in record["feedback"]}
    if not is_standalone(record):
        return None
    if kinds & {"dislike", "none"}:
        return "disliked"
    if record["status"] == "suggested":
        return "chosen" if "chosen" in kinds else "unclicked"
    return "declined" if record["status"] == "declined" and record["reason"] in ("not_covered", "off_topic") else None


def find_gaps(records: Iterable[Record], nearest: Callable[[str, Filters | None], Sequence[Source]]) -> list[Gap]:
    """Return the gaps, the largest first. `nearest` returns the rows for a question and filters, best first, with calibrated
    scores."""
    clusters: list[list[Record]] = []
    for record in records:
        if gap_kind(record):
            # Compared only with the first record of each cluster; otherwise clusters would merge through single members.
            near = [each for each in clusters if similarity(each[0]["question"], record["question"]) >= MIN_SIMILARITY]
            if near:
                near[0].append(record)
            else:
                clusters.append([record])
    gaps = [gap for cluster in clusters for gap in _gaps(cluster, nearest)]
    return sorted(gaps, key=lambda gap: (-gap.count, gap.questions))


def _gaps(cluster: Sequence[Record], nearest: Callable[[str, Filters | None], Sequence[Source]]) -> Iterator[Gap]:
    """Yield the gaps of a cluster, one for each set of proposed rows: customers may have chosen different rows."""
    by_rows: dict[tuple[tuple[str, ...], bool], list[Record]] = {}
    known: dict[str, Source] = {}
    for record in cluster:
        chosen = next((each["row"] for each in record["feedback"] if each["kind"] == "chosen"), "")
        nearest_rows = nearest(record["question"], Filters(record["filters"]) if record["filters"] else None)
        known |= {source.id: source for source in nearest_rows}
        rows: tuple[str, ...]
        if chosen:
            rows = (chosen,) if chosen in known else ()
        elif gap_kind(record) == "disliked":
            rejected = _rejected_rows(record)
            rows = tuple([each.id for each in nearest_rows if each.id not in rejected][:MAX_PROPOSALS])
        else:
            rows = tuple(each.id for each in nearest_rows[:1] if each.score >= MIN_SCORE)
        by_rows.setdefault((rows, bool(chosen)), []).append(record)
    for (rows, is_chosen), members in by_rows.items():
        texts = tuple(dict.fromkeys(each["question"].strip() for each in members))
        kinds = Counter(gap_kind(each) or "" for each in members)
        yield Gap(texts, kinds, tuple(known[row] for row in rows), is_chosen)


def _rejected_rows(record: Record) -> set[str]:
    """Return the rows that the customer rejected: those cited in a disliked answer, or all suggestions if none was meant."""
    kinds = {each["kind"] for each in record["feedback"]}
    shown = {each["number"]: each["id"] for each in record["sources"]}
    if record["status"] == "answered":
        return {shown[number] for number in record["cited"] if number in shown} if "dislike" in kinds else set()
    return set(shown.values()) if kinds & {"dislike", "none"} else set()


def similarity(one: str, other: str) -> float:
    """Return the Dice coefficient of tokens and jamo n-grams, in [0, 1]; 1 if the texts differ only in white space."""
    if compact(one) == compact(other):
        return 1.0
    # Jamo n-grams as well, because a word with a typo is another token.
    first, second = ({*tokens(text), *jamo_ngrams(text)} for text in (one, other))
    return 2 * len(first & second) / (len(first) + len(second)) if first and second else 0.0


def gaps_csv(gaps: Iterable[Gap]) -> str:
    """Return a CSV that `ingest` reads in addition to the FAQ: each line is a customer's question as another phrasing of a row.

    It has the same effect as the row's `alternatives`. A reviewer removes lines that do not fit before it is ingested.
    """
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(["id", "question", "answer"])
    known: set[tuple[str, str]] = set()
    for gap in gaps:
        for question, row in itertools.product(gap.questions, gap.rows):
            # Reviewers open the file in a spreadsheet, where a customer's question must not become a formula.
            text = " ".join(question.split()).lstrip("=+-@＝＋－＠ ")
            key = (row.id, _comparable(text))
            if text and key not in known and key[1] != _comparable(row.question):
                table.writerow([row.id, text, row.text])
            known.add(key)
    return written.getvalue()


def _comparable(text: str) -> str:
    """Return a text without white space and final punctuation, as `ingest` compares phrasings."""
    return re.sub(r"[?!.,~]+", "", compact(text))
