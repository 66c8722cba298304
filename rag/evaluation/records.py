"""What the chat service made of every case of a suite, kept one JSON line each, so that a run that was ended goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from rag.chat import ChatService
from rag.evaluation.retrieval import Judged, judged
from rag.evaluation.suites import Case
from rag.types import Turn

OutcomeKind = Literal["right", "wrong", "offered", "missed", "declined"]
KINDS: tuple[OutcomeKind, ...] = ("right", "offered", "missed", "declined", "wrong")
"""In the order in which they are shown: the best first, the worst last."""
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Record:
    """A case and what became of it."""

    case: Case
    result: Judged

    @property
    def outcome(self) -> OutcomeKind:
        """right, wrong: answered outright with a row that answers first, or without. offered, missed: rows to choose from,
        with or without one that answers. A case that no row answers can be wrong, missed or, as it should be, declined.
        """
        result, relevant = self.result, self.case.relevant
        if result.status == "answered":
            return "right" if result.shown[:1] and result.shown[0] in relevant else "wrong"
        if result.status == "suggested":
            return "offered" if any(row in relevant for row in result.shown[:3]) else "missed"
        return "declined"

    @property
    def rank(self) -> int:
        """Of the first row that answers, from 1, whatever the outcome; 0: none of those ranked does."""
        return next((n for n, row in enumerate(self.result.ranked, 1) if row in self.case.relevant), 0)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self.case), **asdict(self.result)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        case, result = ({each.name: values[each.name] for each in fields(kind)} for kind in (Case, Judged))
        return cls(Case(**case), Judged(**result))


def measure(
    chat: ChatService,
    cases: Sequence[Case],
    *,
    kept: Path | None = None,
    progress: Progress | None = None,
    step: str = "",
) -> list[Record]:
    """Ask every case. `kept`: a file of the records so far, of the same settings; it grows, and what it holds is not asked.

    Raises ModelUnavailable where the embedding fails.
    """
    # By the whole case: a label or a row that was changed is asked again.
    known = {record.case: record for record in _read(kept)} if kept else {}

    def ask(case: Case) -> Record:
        if case in known:
            return known[case]
        return Record(case, judged(chat, case.turns[-1], [Turn(turn) for turn in case.turns[:-1]]))

    records = []
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
    # Two at a time: most of a question is its embedding, which runs outside the interpreter's lock.
    with ThreadPoolExecutor(2) as pool, kept.open("a", encoding="utf-8") if kept else nullcontext() as file:
        for number, record in enumerate(pool.map(ask, cases), 1):
            records.append(record)
            if file and record.case not in known:
                file.write(json.dumps(record.as_json(), ensure_ascii=False) + "\n")
                # Now: a run takes minutes, and what a Ctrl-C leaves in a buffer would be asked again.
                file.flush()
            if progress:
                progress(step or "evaluate", number, len(cases))
    return records


def _read(path: Path) -> Iterator[Record]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            yield Record.from_json(json.loads(line))
        except (ValueError, KeyError):
            continue  # a line that was being written when the run was ended is asked again
