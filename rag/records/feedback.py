"""What customers said, as labels: evaluation lines, and the questions that the FAQ misses with the phrasings that would help.

Pure functions over answer records as `AnswerLog.all` gives them.
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

from rag.conversation.follow_up_rules import has_back_reference, is_elliptical
from rag.korean import compact, jamo_ngrams, tokens
from rag.types import Filters, Source

Record = Mapping[str, Any]
SIMILAR = 0.5
"""Share of common n-grams (Dice) from which two questions are of one cluster."""
NEAR = 0.05
"""Score below which a nearest row is no proposal: the FAQ lacks the subject."""
PROPOSED = 3
"""Rows proposed for a question whose answer a customer disliked: she asked in earnest, and the first row was wrong."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions of one meaning that were not answered, or not well.

    `rows`: the one that customers chose, else the nearest, best first, of which a reviewer leaves one; none: the FAQ lacks it.
    """

    questions: tuple[str, ...]
    kinds: Mapping[str, int]
    rows: tuple[Source, ...]
    chosen: bool

    @property
    def count(self) -> int:
        return sum(self.kinds.values())


def evaluation_lines(records: Iterable[Record]) -> Iterator[dict[str, Any]]:
    """`{"id","query","relevant","style"}` of each answer that a customer confirmed: by a click on a row, or by a like."""
    for record in records:
        said = {each["kind"]: each for each in record["feedback"]}
        if "chosen" in said and said["chosen"]["row"]:
            relevant = [said["chosen"]["row"]]
        elif "like" in said and "dislike" not in said and record["status"] == "answered":
            numbers = set(record["cited"])
            # The rows that were quoted; those beside them nobody has confirmed.
            relevant = [source["id"] for source in record["sources"] if source["number"] in numbers]
        else:
            continue
        if relevant and stands_alone(record):
            yield {"id": record["id"], "query": record["question"], "relevant": relevant, "style": "customer"}


def stands_alone(record: Record) -> bool:
    """Whether the question is a customer's own, and one without the conversation before it; a click's is the row's."""
    question = record["question"]
    return not record["row"] and not (record["follows"] and (is_elliptical(question) or has_back_reference(question)))


def missed(record: Record) -> str | None:
    """Why a question counts as a gap: declined, disliked, unclicked or chosen (of suggestions); None: it does not.

    Who says that none of the suggestions was meant dislikes the answer.
    """
    said = {each["kind"] for each in record["feedback"]}
    if not stands_alone(record):
        return None
    if said & {"dislike", "none"}:
        return "disliked"
    if record["status"] == "suggested":
        return "chosen" if "chosen" in said else "unclicked"
    return "declined" if record["status"] == "declined" and record["reason"] in ("not_covered", "off_topic") else None


def find_gaps(records: Iterable[Record], nearest: Callable[[str, Filters | None], Sequence[Source]]) -> list[Gap]:
    """The gaps, largest first. `nearest`: the rows of a question and its filters, best first, with calibrated scores."""
    clusters: list[list[Record]] = []
    for record in records:
        if missed(record):
            # Against the first of each cluster alone: by any member, clusters would run into each other.
            near = [each for each in clusters if similarity(each[0]["question"], record["question"]) >= SIMILAR]
            if near:
                near[0].append(record)
            else:
                clusters.append([record])
    gaps = [gap for cluster in clusters for gap in _gaps(cluster, nearest)]
    return sorted(gaps, key=lambda gap: (-gap.count, gap.questions))


def _gaps(cluster: Sequence[Record], nearest: Callable[[str, Filters | None], Sequence[Source]]) -> Iterator[Gap]:
    """One gap a proposal: customers of one cluster may have chosen several rows."""
    by_rows: dict[tuple[tuple[str, ...], bool], list[Record]] = {}
    known: dict[str, Source] = {}
    for record in cluster:
        chosen = next((each["row"] for each in record["feedback"] if each["kind"] == "chosen"), "")
        rows_near = nearest(record["question"], Filters(record["filters"]) if record["filters"] else None)
        known |= {source.id: source for source in rows_near}
        rows: tuple[str, ...]
        if chosen:
            rows = (chosen,) if chosen in known else ()
        elif missed(record) == "disliked":
            refused = _refused(record)
            rows = tuple([each.id for each in rows_near if each.id not in refused][:PROPOSED])
        else:
            rows = tuple(each.id for each in rows_near[:1] if each.score >= NEAR)
        by_rows.setdefault((rows, bool(chosen)), []).append(record)
    for (rows, is_chosen), members in by_rows.items():
        texts = tuple(dict.fromkeys(each["question"].strip() for each in members))
        kinds = Counter(missed(each) or "" for each in members)
        yield Gap(texts, kinds, tuple(known[row] for row in rows), is_chosen)


def _refused(record: Record) -> set[str]:
    """The rows that the customer has seen and not taken: those of a disliked answer, and suggestions none of which was right."""
    said = {each["kind"] for each in record["feedback"]}
    shown = {each["number"]: each["id"] for each in record["sources"]}
    if record["status"] == "answered":
        return {shown[number] for number in record["cited"] if number in shown} if "dislike" in said else set()
    return set(shown.values()) if said & {"dislike", "none"} else set()


def similarity(one: str, other: str) -> float:
    """Dice's share of common tokens and jamo n-grams, 0 to 1."""
    if compact(one) == compact(other):
        return 1.0
    # Both: by tokens alone a typo is another word.
    first, second = ({*tokens(text), *jamo_ngrams(text)} for text in (one, other))
    return 2 * len(first & second) / (len(first) + len(second)) if first and second else 0.0


def gaps_csv(gaps: Iterable[Gap]) -> str:
    """A table that `ingest` reads beside the FAQ: a line a customer's question, as a further phrasing of its row.

    It is what the row's `alternatives` would hold. A person takes out the lines that do not fit before it is ingested.
    """
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(["id", "question", "answer"])
    known: set[tuple[str, str]] = set()
    for gap in gaps:
        for question, row in itertools.product(gap.questions, gap.rows):
            # Opened in a spreadsheet before it is ingested: nothing a customer asked may be a formula there.
            text = " ".join(question.split()).lstrip("=+-@＝＋－＠ ")
            key = (row.id, _bare(text))
            if text and key not in known and key[1] != _bare(row.question):
                table.writerow([row.id, text, row.text])
            known.add(key)
    return written.getvalue()


def _bare(text: str) -> str:
    """As `ingest` compares phrasings: without white space and the marks of a sentence's end."""
    return re.sub(r"[?!.,~]+", "", compact(text))
