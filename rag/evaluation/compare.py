"""Compares two runs of the same cases: which questions got better or worse, and whether the difference is significant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.evaluation.metrics import BOOTSTRAP_SAMPLES, SEED, mean
from rag.evaluation.records import OutcomeKind, Record


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The part of a record that measures need, without any text.

    `answerable`: whether a row answers the case. `rank`: of the first row that answers, from 1; 0 if none was retrieved.
    """

    set: str
    label: str
    answerable: bool
    outcome: OutcomeKind
    rank: int


CaseResults = Mapping[str, CaseResult]
"""Results by `Case.key`."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A per-case measure, higher is better: `value` is in 0..1, and is taken of the cases that `applies` accepts."""

    title: str
    applies: Callable[[CaseResult], bool]
    value: Callable[[CaseResult], float]


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
    """One measure in two runs, as means over the same `n` cases.

    `interval`: 95 % confidence interval of after - before, by paired bootstrap. `better`, `worse`: keys of the cases whose
    value rose or fell.
    """

    title: str
    n: int
    before: float
    after: float
    interval: tuple[float, float]
    better: tuple[str, ...]
    worse: tuple[str, ...]

    @property
    def is_significantly_worse(self) -> bool:
        """Whether the whole interval lies below 0."""
        return self.interval[1] < 0

    @property
    def is_significantly_better(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.interval[0] > 0


def case_results(records: Iterable[Record]) -> dict[str, CaseResult]:
    """The results of a suite's records, by `Case.key`."""
    return {
        record.case.key: CaseResult(
            record.case.set, record.case.label, bool(record.case.relevant), record.outcome, record.rank
        )
        for record in records
    }


def difference(
    before: CaseResults, after: CaseResults, measure: Measure, sets: Sequence[str] = ()
) -> Difference | None:
    """Compare a measure over the cases that both runs have, in `sets` or in all sets; None if there are no such cases."""
    shared = [
        key
        for key, result in after.items()
        if key in before and measure.applies(result) and (not sets or result.set in sets)
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


def paired_interval(changes: Sequence[float]) -> tuple[float, float]:
    """95 % percentile interval of the mean of `changes`, one per question, by bootstrap with a fixed seed (Efron 1979).

    The mean depends only on how often each value occurs, so the counts are drawn from a multinomial distribution. That is
    equivalent to resampling the questions, and faster.
    """
    values, counts = np.unique(np.asarray(changes, dtype=float), return_counts=True)
    total = int(counts.sum())
    drawn = np.random.default_rng(SEED).multinomial(total, counts / total, size=BOOTSTRAP_SAMPLES)
    means = np.sort(drawn @ values / total)
    return float(means[int(0.025 * BOOTSTRAP_SAMPLES)]), float(means[int(0.975 * BOOTSTRAP_SAMPLES) - 1])


def comparison_lines(name: str, before: Mapping[str, Record], after: Mapping[str, Record]) -> Iterator[str]:
    """A suite's differences as a Markdown table, then every question whose outcome changed. `before`, `after`: by `Case.key`."""
    old, new = case_results(before.values()), case_results(after.values())
    yield f"### {name}"
    yield ""
    yield "| measure | n | before | after | difference [95 %] | better | worse |"
    yield "|---|---|---|---|---|---|---|"
    measured = (difference(old, new, measure) for measure in MEASURES.values())
    for each in filter(None, measured):
        low, high = each.interval
        verdict = " **worse**" if each.is_significantly_worse else " **better**" if each.is_significantly_better else ""
        yield (
            f"| {each.title} | {each.n} | {each.before:.3f} | {each.after:.3f} | {each.after - each.before:+.3f} "
            f"[{low:+.3f}, {high:+.3f}]{verdict} | {len(each.better)} | {len(each.worse)} |"
        )
    changed = [key for key in new if key in old and new[key].outcome != old[key].outcome]
    yield ""
    yield f"{len(changed)} of {len(set(old) & set(new))} outcomes changed."
    # Newly wrong answers come first, and among them those that were right before.
    for key in sorted(changed, key=lambda key: (new[key].outcome != "wrong", old[key].outcome != "right", key)):
        yield f"- {key} ({new[key].label}): {old[key].outcome} → {new[key].outcome}: {' / '.join(after[key].case.turns)}"
