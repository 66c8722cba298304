"""Quality gates (`data/evaluation/gates.toml`): measures that a change of index, settings or code must not make worse.

A gate takes one measure over some sets. It fails if the measure dropped significantly against the baseline (the 95 %
interval of the paired bootstrap lies below 0) or is below its floor, and lists the questions that cause it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.evaluation.compare import MEASURES, CaseResult, CaseResults, Difference, difference
from rag.evaluation.records import KINDS
from rag.evaluation.suites import FILES, Suite, files_suite

BROKEN_SHOWN = 20
"""Most questions listed for a failing gate; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate. `measure`: a key of `compare.MEASURES`; `sets`: the sets it is taken over, empty for all; `floor`: in 0..1.

    `korean`: the gate's name in the report.
    """

    name: str
    measure: str
    sets: tuple[str, ...] = ()
    floor: float = 0.0
    korean: str = ""


@dataclass(frozen=True, slots=True)
class GateFile:
    """A parsed gates file: the gates, the suite of questions, and the path of the baseline, which may not exist yet."""

    gates: tuple[Gate, ...]
    suite: Suite
    baseline: Path

    def baseline_results(self) -> dict[str, CaseResult]:
        """The results in the baseline file, empty if there is no such file. Raises InputError for an invalid file."""
        return read_baseline(self.baseline) if self.baseline.exists() else {}


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate's result. `reason`: why it failed, empty if it passed.

    `broken`: keys of the cases that got worse, or, below a floor, of all cases without a full score.
    """

    gate: Gate
    change: Difference
    reason: str = ""
    broken: tuple[str, ...] = ()


def read_gates(path: Path) -> GateFile:
    """Read a TOML file with `[[gate]]` tables, a `[questions]` table of files and a `baseline`; paths are relative to it.

    Raises InputError for unreadable files, unknown measures and unknown kinds of questions.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        gates = tuple(Gate(**{**table, "sets": tuple(table.get("sets", ()))}) for table in data["gate"])
        questions = {str(key): path.parent / name for key, name in data["questions"].items()}
    except OSError as exc:
        raise InputError(f"{path}: cannot be read ({exc.strerror})") from exc
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as exc:
        raise InputError(
            f"{path}: expected [questions] and [[gate]] tables of name, measure, sets, floor; got {exc}"
        ) from exc
    if unknown := [gate.measure for gate in gates if gate.measure not in MEASURES] + sorted(questions.keys() - FILES):
        raise InputError(
            f"{path}: unknown names {unknown}; expected measures {', '.join(MEASURES)} and questions {', '.join(FILES)}"
        )
    return GateFile(gates, files_suite("gates", questions), path.parent / str(data.get("baseline", "baseline.json")))


def measure_gates(gates: Sequence[Gate], before: CaseResults, after: CaseResults) -> list[GateResult]:
    """The results of the gates that apply to a case, `after` compared with `before` case by case.

    Without a baseline (`before` empty) only the floors count. Cases missing from either are ignored.
    """
    results = []
    for gate in gates:
        measure = MEASURES[gate.measure]
        # Without a baseline the run is compared with itself, which is never a drop.
        change = difference(before or after, after, measure, gate.sets)
        if change is None:
            continue
        reason = ""
        broken: tuple[str, ...] = ()
        if change.is_significantly_worse:
            low, high = change.interval
            reason = (
                f"{change.before:.3f} -> {change.after:.3f}, a significant drop "
                f"(95 % interval of the difference: {low:+.3f} to {high:+.3f})"
            )
            broken = change.worse
        elif change.after < gate.floor:
            reason = f"{change.after:.3f} is below the floor {gate.floor:.3f}"
            broken = tuple(
                key
                for key, result in after.items()
                if measure.applies(result) and (not gate.sets or result.set in gate.sets) and not measure.value(result)
            )
        results.append(GateResult(gate, change, reason, broken))
    return results


def check_gates(gates: Sequence[Gate], before: CaseResults, after: CaseResults) -> list[GateResult]:
    """The results of the gates that fail, as `measure_gates`."""
    return [result for result in measure_gates(gates, before, after) if result.reason]


def gate_rows(gates: Sequence[Gate], before: CaseResults, after: CaseResults) -> list[dict[str, Any]]:
    """[{"name", "n", "floor", "before", "after", "passed"}] of the gates that apply to a case, for the report.

    The value "before" is None without a baseline.
    """
    return [
        {
            "name": each.gate.korean or each.gate.name,
            "n": each.change.n,
            "floor": each.gate.floor,
            "before": each.change.before if before else None,
            "after": each.change.after,
            "passed": not each.reason,
        }
        for each in measure_gates(gates, before, after)
    ]


def failure_lines(failures: Sequence[GateResult], questions: Mapping[str, str], results: CaseResults) -> Iterator[str]:
    """Each failed gate with its broken questions and their present outcome. `questions`: text by `Case.key`."""
    for failure in failures:
        yield f"gate {failure.gate.name!r} ({failure.change.title}, n={failure.change.n}): {failure.reason}"
        for key in failure.broken[:BROKEN_SHOWN]:
            yield f"  {key} ({results[key].label}): now {results[key].outcome}: {questions.get(key, '')}"
        if len(failure.broken) > BROKEN_SHOWN:
            yield f"  and {len(failure.broken) - BROKEN_SHOWN} more"


def write_baseline(path: Path, meta: Mapping[str, Any], results: CaseResults) -> None:
    """Write the results that later runs are compared with. `meta`: of the run, as `identify` gives it."""
    # One line per case, so that a diff of two baselines is readable.
    lines = [
        f"{json.dumps(key)}: {json.dumps(list(asdict(result).values()), ensure_ascii=False)}"
        for key, result in results.items()
    ]
    about = json.dumps({name: meta[name] for name in ("at", "key", "code", "embedding")})
    path.write_text(f'{{"about": {about},\n"marks": {{\n' + ",\n".join(lines) + "\n}}\n", encoding="utf-8")


def read_baseline(path: Path) -> dict[str, CaseResult]:
    """Read what `write_baseline` wrote. Raises InputError."""
    try:
        results = json.loads(path.read_text(encoding="utf-8"))["marks"]
        return {
            key: CaseResult(set_, label, bool(answerable), outcome, int(rank))
            for key, (set_, label, answerable, outcome, rank) in results.items()
            if outcome in KINDS
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InputError(
            f"{path}: not a baseline file ({exc}); write one with `python -m rag evaluate gate --accept`"
        ) from exc
