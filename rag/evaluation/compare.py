"""Two runs of the same cases, question by question: what got better, what got worse, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.evaluation.metrics import BOOTSTRAP_SAMPLES, SEED, mean
from rag.evaluation.records import OutcomeKind, Record


@dataclass(frozen=True, slots=True)
class Mark:
    """What is compared of a record: all that a measure needs, without any text. `answerable`: a row answers it."""

    set: str
    label: str
    answerable: bool
    outcome: OutcomeKind
    rank: int


Marks = Mapping[str, Mark]
"""By `Case.key`."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of single questions, of which higher is better: `value` in 0..1 for those it `applies` to."""

    title: str
    applies: Callable[[Mark], bool]
    value: Callable[[Mark], float]


MEASURES: Mapping[str, Measure] = {
    "first_row": Measure("right row first", lambda m: m.answerable, lambda m: float(m.rank == 1)),
    "three_rows": Measure("right row among three", lambda m: m.answerable, lambda m: float(1 <= m.rank <= 3)),
    "answered_right": Measure("answered, right", lambda m: m.answerable, lambda m: float(m.outcome == "right")),
    "shown": Measure("right row shown", lambda m: m.answerable, lambda m: float(m.outcome in ("right", "offered"))),
    "not_declined": Measure("not declined", lambda m: m.answerable, lambda m: float(m.outcome != "declined")),
    "not_wrong": Measure("not answered wrongly", lambda _: True, lambda m: float(m.outcome != "wrong")),
    "refused": Measure("no row: not answered", lambda m: not m.answerable, lambda m: float(m.outcome != "wrong")),
    "declined": Measure("no row: declined", lambda m: not m.answerable, lambda m: float(m.outcome == "declined")),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure before and after over the same `n` questions; `interval`: 95 % of after - before, by paired bootstrap.

    `better`, `worse`: the keys of the cases whose value rose or fell.
    """

    title: str
    n: int
    before: float
    after: float
    interval: tuple[float, float]
    better: tuple[str, ...]
    worse: tuple[str, ...]

    @property
    def is_drop(self) -> bool:
        """Worse by more than chance: the whole interval lies below 0."""
        return self.interval[1] < 0

    @property
    def is_gain(self) -> bool:
        """Better by more than chance."""
        return self.interval[0] > 0


def marks_of(records: Iterable[Record]) -> dict[str, Mark]:
    """The marks of a suite's records."""
    return {
        record.case.key: Mark(
            record.case.set, record.case.label, bool(record.case.relevant), record.outcome, record.rank
        )
        for record in records
    }


def difference(before: Marks, after: Marks, measure: Measure, sets: Sequence[str] = ()) -> Difference | None:
    """The measure over the cases that both have, of these sets or of all; None where there are none."""
    shared = [
        key for key, mark in after.items() if key in before and measure.applies(mark) and (not sets or mark.set in sets)
    ]
    if not shared:
        return None
    old = [measure.value(before[key]) for key in shared]
    new = [measure.value(after[key]) for key in shared]
    changes = [b - a for a, b in zip(old, new, strict=True)]
    return Difference(
        measure.title,
        len(shared),
        mean(old),
        mean(new),
        paired_interval(changes),
        tuple(key for key, change in zip(shared, changes, strict=True) if change > 0),
        tuple(key for key, change in zip(shared, changes, strict=True) if change < 0),
    )


def differences(before: Marks, after: Marks, sets: Sequence[str] = ()) -> Iterator[Difference]:
    """Every measure that has a case."""
    for measure in MEASURES.values():
        if change := difference(before, after, measure, sets):
            yield change


def paired_interval(changes: Sequence[float], *, samples: int = BOOTSTRAP_SAMPLES) -> tuple[float, float]:
    """95 % percentile interval of the mean change, the questions resampled with a fixed seed (Efron 1979).

    Only how many questions rose and fell matters, so those are drawn rather than the questions: the same, and quicker.
    """
    values, counts = np.unique(np.asarray(changes, dtype=float), return_counts=True)
    total = int(counts.sum())
    drawn = np.random.default_rng(SEED).multinomial(total, counts / total, size=samples)
    means = np.sort(drawn @ values / total)
    return float(means[int(0.025 * samples)]), float(means[int(0.975 * samples) - 1])


def comparison_lines(name: str, before: Mapping[str, Record], after: Mapping[str, Record]) -> Iterator[str]:
    """A suite's differences for a terminal and for the log, then every question whose outcome changed, as Markdown."""
    old, new = marks_of(before.values()), marks_of(after.values())
    yield f"### {name}"
    yield ""
    yield "| measure | n | before | after | difference [95 %] | better | worse |"
    yield "|---|---|---|---|---|---|---|"
    for each in differences(old, new):
        low, high = each.interval
        verdict = " **worse**" if each.is_drop else " **better**" if each.is_gain else ""
        yield (
            f"| {each.title} | {each.n} | {each.before:.3f} | {each.after:.3f} | {each.after - each.before:+.3f} "
            f"[{low:+.3f}, {high:+.3f}]{verdict} | {len(each.better)} | {len(each.worse)} |"
        )
    changed = [key for key in new if key in old and new[key].outcome != old[key].outcome]
    yield ""
    yield f"{len(changed)} of {len(set(old) & set(new))} outcomes changed."
    # What has become wrong first, and of that what was right.
    for key in sorted(changed, key=lambda key: (new[key].outcome != "wrong", old[key].outcome != "right", key)):
        yield f"- {key} ({new[key].label}): {old[key].outcome} → {new[key].outcome}: {' / '.join(after[key].case.turns)}"
