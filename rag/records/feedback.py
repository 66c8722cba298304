"""What customers said, as labels: evaluation lines, and the questions that the FAQ misses with the phrasings that would help.

Pure functions over answer records as `AnswerLog.all` gives them.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.conversation.follow_up_rules import has_back_reference, is_elliptical
from rag.korean import compact, jamo_ngrams, tokens
from rag.types import Source

Record = Mapping[str, Any]
SIMILAR = 0.5
"""Share of common n-grams (Dice) from which two questions are of one cluster."""
NEAR = 0.05
"""Score below which a nearest row is no proposal: the FAQ lacks the subject."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions of one meaning that were not answered, or not well. `row`: the nearest, or the one customers chose."""

    questions: tuple[str, ...]
    kinds: Mapping[str, int]
    row: Source | None
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
    """Why a question counts as a gap: declined, disliked, unclicked, chosen (of suggestions); None: it does not."""
    said = {each["kind"] for each in record["feedback"]}
    if not stands_alone(record):
        return None
    if "dislike" in said:
        return "disliked"
    if record["status"] == "suggested":
        return "chosen" if "chosen" in said else "unclicked"
    return "declined" if record["status"] == "declined" and record["reason"] in ("not_covered", "off_topic") else None


def find_gaps(records: Iterable[Record], nearest: Callable[[str], Sequence[Source]]) -> list[Gap]:
    """The gaps, largest first. `nearest`: the rows of a question, best first, with calibrated scores."""
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


def _gaps(cluster: Sequence[Record], nearest: Callable[[str], Sequence[Source]]) -> Iterator[Gap]:
    """One gap a row: customers of one cluster may have chosen several."""
    by_row: dict[tuple[str, bool], list[Record]] = {}
    rows: dict[str, Source] = {}
    for record in cluster:
        chosen = next((each["row"] for each in record["feedback"] if each["kind"] == "chosen"), "")
        found = nearest(record["question"])
        rows |= {source.id: source for source in found}
        row = chosen or (found[0].id if found and found[0].score >= NEAR else "")
        by_row.setdefault((row if row in rows else "", bool(chosen)), []).append(record)
    for (row, chosen), members in by_row.items():
        texts = tuple(dict.fromkeys(each["question"].strip() for each in members))
        yield Gap(texts, Counter(missed(each) or "" for each in members), rows.get(row), chosen)


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
        for question in gap.questions if gap.row else ():
            assert gap.row
            # Opened in a spreadsheet before it is ingested: nothing a customer asked may be a formula there.
            text = " ".join(question.split()).lstrip("=+-@＝＋－＠ ")
            key = (gap.row.id, _bare(text))
            if text and key not in known and key[1] != _bare(gap.row.question):
                table.writerow([gap.row.id, text, gap.row.text])
            known.add(key)
    return written.getvalue()


def _bare(text: str) -> str:
    """As `ingest` compares phrasings: without white space and the marks of a sentence's end."""
    return re.sub(r"[?!.,~]+", "", compact(text))
