"""Runs cases through the chat service and records its predictions, which a checkpoint file keeps if the run is interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from rag.chat import ChatService
from rag.errors import ModelUnavailable
from rag.evaluation.datasets import Case
from rag.ingestion.sync import Progress
from rag.retrieval.rows import row_id
from rag.types import Status, Turn

T = TypeVar("T")
OutcomeKind = Literal["right", "wrong", "offered", "missed", "declined"]
KINDS: tuple[OutcomeKind, ...] = ("right", "offered", "missed", "declined", "wrong")
"""All outcomes in the order in which reports show them, best first."""


DEPTH = 10
"""Rows of a ranking that are kept for the metrics."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The chat service's output for one input.

    `ranked`: ids of the first DEPTH rows, best first. `shown`: ids of the rows that the customer sees, in order.
    `confidence`: probability in 0..1 that the first row answers; `covered`: that one of the first three does.
    `is_blocked`: as in `Verdict`.
    """

    ranked: tuple[str, ...]
    status: Status
    shown: tuple[str, ...]
    confidence: float
    covered: float = 0.0
    is_blocked: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A case and the chat service's prediction for it."""

    case: Case
    result: Prediction

    @property
    def outcome(self) -> OutcomeKind:
        """How the prediction compares with the label.

        right, wrong: answered, and the first source is relevant or not. offered, missed: suggestions, with or without a
        relevant row among the first three. declined: neither. A case without relevant rows is wrong, missed or declined, of
        which declined is the best.
        """
        result, relevant = self.result, self.case.relevant
        if result.status == "answered":
            return "right" if result.shown[:1] and result.shown[0] in relevant else "wrong"
        if result.status == "suggested":
            return "offered" if any(row in relevant for row in result.shown[:3]) else "missed"
        return "declined"

    @property
    def rank(self) -> int:
        """Rank of the first relevant row, from 1, whatever the outcome; 0 if none was retrieved."""
        return next((n for n, row in enumerate(self.result.ranked, 1) if row in self.case.relevant), 0)

    def as_json(self) -> dict[str, Any]:
        """The fields of the case and of the prediction in one object."""
        return {**asdict(self.case), **asdict(self.result)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """Inverse of `as_json`; lists become tuples. Raises KeyError for a missing field."""
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        case, result = ({each.name: values[each.name] for each in fields(kind)} for kind in (Case, Prediction))
        return cls(Case(**case), Prediction(**result))


def predict(service: ChatService, text: str, history: Sequence[Turn] = ()) -> Prediction:
    """Run one input, `history` being the turns before it. Raises ModelUnavailable if the embedding failed."""
    verdict = service.judge(text, history)
    # An input that a decline rule matches is not searched; its ranking and confidence are measured all the same.
    searched = verdict if verdict.ranked else service.rank(text, history)
    if verdict.lexical_only or searched.lexical_only:
        raise ModelUnavailable(
            "the embedding failed during the evaluation, so only lexical search was measured; run it again when the embedding "
            "answers"
        )
    ranked, shown = (tuple(row_id(hit) for hit in hits) for hits in (searched.ranked, verdict.nodes))
    return Prediction(ranked[:DEPTH], verdict.status, shown, verdict.confidence, verdict.covered, verdict.is_blocked)


def run_cases(
    chat: ChatService,
    cases: Sequence[Case],
    *,
    checkpoint: Path | None = None,
    progress: Progress | None = None,
    step: str = "",
) -> list[Record]:
    """Run every case and return the records in order.

    `checkpoint`: a JSON Lines file of the records of an earlier run with the same settings. Its cases are not run again, and
    new records are appended. `progress` is called with `step`, the cases done and their total. Raises ModelUnavailable if
    the embedding fails.
    """
    # Keyed by the whole case: a case whose text or labels changed is run again.
    known = {record.case: record for record in read_checkpoint(checkpoint, Record.from_json)}

    def ask(case: Case) -> Record:
        if case in known:
            return known[case]
        return Record(case, predict(chat, case.turns[-1], [Turn(turn) for turn in case.turns[:-1]]))

    records = []
    if checkpoint:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
    # Two threads: most of the time is spent in the embedding, which releases the interpreter's lock.
    with ThreadPoolExecutor(2) as pool, checkpoint.open("a", encoding="utf-8") if checkpoint else nullcontext() as file:
        for number, record in enumerate(pool.map(ask, cases), 1):
            records.append(record)
            if file and record.case not in known:
                file.write(json.dumps(record.as_json(), ensure_ascii=False) + "\n")
                # Flushed so that an interrupt loses no record.
                file.flush()
            if progress:
                progress(step or "evaluate", number, len(cases))
    return records


def read_checkpoint(path: Path | None, parse: Callable[[Any], T]) -> Iterator[T]:
    """The entries of a checkpoint file; none without a file."""
    for line in path.read_text(encoding="utf-8").split("\n") if path and path.exists() else ():
        try:
            yield parse(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue  # a line that was cut off when the run was interrupted: its case is run again
