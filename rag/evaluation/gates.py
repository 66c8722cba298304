"""What a change of the index, the settings or the code may not make worse: `data/evaluation/gates.toml`.

Each gate is a measure over some sets. It fails where the measure has dropped against the baseline by more than chance (the
95 % interval of the paired bootstrap lies below 0), or lies under its floor; and it names the questions that broke.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.evaluation.compare import MEASURES, Difference, Mark, Marks, difference
from rag.evaluation.records import KINDS
from rag.evaluation.suites import FILES, Suite, files_suite

BROKEN_SHOWN = 20
"""Questions that a failing gate names at most; it says how many more there are."""


@dataclass(frozen=True, slots=True)
class Gate:
    """`measure`: a name of `compare.MEASURES`; `sets`: the sets it is taken over, all where empty; `floor`: in 0..1.

    `korean`: its name in the report.
    """

    name: str
    measure: str
    sets: tuple[str, ...] = ()
    floor: float = 0.0
    korean: str = ""


@dataclass(frozen=True, slots=True)
class GateFile:
    """The gates of a file, what is asked for them, and the baseline's file, which need not be there."""

    gates: tuple[Gate, ...]
    suite: Suite
    baseline: Path

    def marks(self) -> dict[str, Mark]:
        """The baseline, empty where there is none. Raises InputError for a file that is none."""
        return read_baseline(self.baseline) if self.baseline.exists() else {}


@dataclass(frozen=True, slots=True)
class Failure:
    """A gate that is not passed. `broken`: keys of the cases that are worse than in the baseline, or, under a floor, bad."""

    gate: Gate
    change: Difference
    reason: str
    broken: tuple[str, ...]


def read_gates(path: Path) -> GateFile:
    """A gates file: `[[gate]]` tables, the files of `[questions]` and a `baseline`, both beside it. Raises InputError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        gates = tuple(Gate(**{**table, "sets": tuple(table.get("sets", ()))}) for table in data["gate"])
        questions = {str(key): path.parent / name for key, name in data["questions"].items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as exc:
        raise InputError(
            f"{path}: expected [questions] and [[gate]] tables of name, measure, sets, floor; got {exc}"
        ) from exc
    if unknown := [gate.measure for gate in gates if gate.measure not in MEASURES] + sorted(questions.keys() - FILES):
        raise InputError(
            f"{path}: unknown names {unknown}; measures are {', '.join(MEASURES)}; questions are {', '.join(FILES)}"
        )
    return GateFile(gates, files_suite("gates", questions), path.parent / str(data.get("baseline", "baseline.json")))


def check_gates(gates: Sequence[Gate], before: Marks, after: Marks) -> list[Failure]:
    """The gates that `after` does not pass, compared with `before` case by case.

    Without a baseline (`before` empty) only the floors count. Cases that one of both does not have are left out.
    """
    failures = []
    for gate in gates:
        measure = MEASURES[gate.measure]
        # Without a baseline the run is compared with itself: no drop, and the floors count.
        change = difference(before or after, after, measure, gate.sets)
        if change is None:
            continue
        if change.is_drop:
            low, high = change.interval
            reason = (
                f"{change.before:.3f} -> {change.after:.3f}, a drop of more than chance "
                f"(95 % of the difference: {low:+.3f} to {high:+.3f})"
            )
            failures.append(Failure(gate, change, reason, change.worse))
        elif change.after < gate.floor:
            bad = [
                key
                for key, mark in after.items()
                if measure.applies(mark) and (not gate.sets or mark.set in gate.sets) and not measure.value(mark)
            ]
            failures.append(
                Failure(gate, change, f"{change.after:.3f} is under the floor {gate.floor:.3f}", tuple(bad))
            )
    return failures


def gate_rows(gates: Sequence[Gate], before: Marks, after: Marks) -> list[dict[str, Any]]:
    """[{"name", "n", "floor", "before", "after", "passed"}] of the gates that have a question, for the report.

    `before` is None without a baseline.
    """
    failed = {failure.gate for failure in check_gates(gates, before, after)}
    compared = [(gate, difference(before or after, after, MEASURES[gate.measure], gate.sets)) for gate in gates]
    return [
        {
            "name": gate.korean or gate.name,
            "n": each.n,
            "floor": gate.floor,
            "before": each.before if before else None,
            "after": each.after,
            "passed": gate not in failed,
        }
        for gate, each in compared
        if each
    ]


def failure_lines(failures: Sequence[Failure], questions: Mapping[str, str], marks: Marks) -> Iterator[str]:
    """Each failing gate with the questions that broke and what they get now."""
    for failure in failures:
        yield f"gate {failure.gate.name!r} ({failure.change.title}, n={failure.change.n}): {failure.reason}"
        for key in failure.broken[:BROKEN_SHOWN]:
            yield f"  {key} ({marks[key].label}): now {marks[key].outcome}: {questions.get(key, '')}"
        if len(failure.broken) > BROKEN_SHOWN:
            yield f"  and {len(failure.broken) - BROKEN_SHOWN} more"


def write_baseline(path: Path, meta: Mapping[str, Any], marks: Marks) -> None:
    """The marks of a run as the one that later runs are held to; one line a case, so that a change can be read."""
    lines = [
        f"{json.dumps(key)}: {json.dumps(list(asdict(mark).values()), ensure_ascii=False)}"
        for key, mark in marks.items()
    ]
    about = json.dumps({name: meta[name] for name in ("at", "key", "code", "embedding")})
    path.write_text(f'{{"about": {about},\n"marks": {{\n' + ",\n".join(lines) + "\n}}\n", encoding="utf-8")


def read_baseline(path: Path) -> dict[str, Mark]:
    """The marks that `write_baseline` wrote. Raises InputError."""
    try:
        marks = json.loads(path.read_text(encoding="utf-8"))["marks"]
        return {
            key: Mark(set_, label, bool(answerable), outcome, int(rank))
            for key, (set_, label, answerable, outcome, rank) in marks.items()
            if outcome in KINDS
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InputError(f"{path}: not a baseline ({exc}); `python -m rag evaluate gate --accept` writes it") from exc
