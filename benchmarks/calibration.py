"""Measures the gain from a user's labels: thresholds fitted on random halves of labelled FAQs, measured on the other halves.

`python -m benchmarks.calibration [--json OUT]` prints, for each FAQ and number of labels, precision and share without and
with the labels, as means over DRAWS halves. No parameter of the package is chosen by it.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from rag.conversation.word_rules import match_decline_rule
from rag.evaluation.calibration import Figures, Label, figures, judge_labels, propose
from rag.evaluation.datasets import read_out_of_domain, read_queries
from rag.factory.chat import build_service
from rag.factory.models import Models, load_models
from rag.factory.stores import ingest_files, open_index
from rag.retrieval.confidence import Calibration
from rag.settings import Settings, StoreSettings

DATA = Path(__file__).resolve().parents[1] / "data"
CORPORA = DATA / "evaluation" / "corpora"
FAQS = {
    "bundled": (DATA / "faq", DATA / "evaluation" / "queries.dev.jsonl", DATA / "evaluation" / "ood.dev.jsonl"),
    **{
        name: (CORPORA / name / "faq.csv", CORPORA / name / "queries.jsonl", CORPORA / name / "ood.jsonl")
        for name in ("insurance", "card")
    },
}
COUNTS = (25, 50, 100)
DRAWS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: means over the draws; `applied`: in how many a gain was shown."""

    faq: str
    labels: int
    precision: float
    precision_after: float
    share: float
    share_after: float
    declined: float
    declined_after: float
    applied: int


def halves(
    labels: Sequence[Label], start: Calibration, count: int, *, draws: int = DRAWS
) -> list[tuple[Figures, Figures, bool]]:
    """Figures of the half that was not used, without and with thresholds from `count` labels of the other, for each draw."""
    found = []
    for seed in range(draws):
        shuffled = random.Random(seed).sample(list(labels), len(labels))
        middle = len(shuffled) // 2
        proposal = propose(shuffled[: min(count, middle)], start)
        other = shuffled[middle:]
        plain, moved = (figures(other, [each] * len(other)) for each in (start, proposal.calibration))
        found.append((plain, moved, proposal.has_gain))
    return found


def judged(name: str, models: Models, directory: Path) -> tuple[list[Label], Calibration]:
    """A FAQ's labels as its index judges them, and the index's own calibration."""
    faq, queries, others = FAQS[name]
    settings = Settings(store=StoreSettings(directory=directory, index=name))
    ingest_files(directory, name, models, [faq])
    chat = build_service(settings, models, open_index(settings, models))
    undecided = [item for item in read_out_of_domain(others) if match_decline_rule(item.query) is None]
    return judge_labels(read_queries(queries), undecided, chat.rank), chat.calibration


def rows(name: str, labels: Sequence[Label], start: Calibration) -> list[Row]:
    found = []
    for count in COUNTS:
        draws = halves(labels, start, count)
        answered = [(plain, moved) for plain, moved, _ in draws if not math.isnan(plain.precision + moved.precision)]
        found.append(
            Row(
                name,
                count,
                fmean(plain.precision for plain, _ in answered),
                fmean(moved.precision for _, moved in answered),
                fmean(plain.share for plain, _, _ in draws),
                fmean(moved.share for _, moved, _ in draws),
                fmean(plain.declined for plain, _, _ in draws),
                fmean(moved.declined for _, moved, _ in draws),
                sum(applied for *_, applied in draws),
            )
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    models = load_models(Settings())
    table: list[Row] = []
    print("faq        labels  precision          share              declined           applied")
    with TemporaryDirectory() as directory:
        for name in FAQS:
            for row in rows(name, *judged(name, models, Path(directory))):
                table.append(row)
                print(
                    f"{row.faq:10} {row.labels:6}  {row.precision:.3f} -> {row.precision_after:.3f}"
                    f"     {row.share:.3f} -> {row.share_after:.3f}     {row.declined:.3f} -> {row.declined_after:.3f}"
                    f"     {row.applied}/{DRAWS}"
                )
    if options.json:
        text = json.dumps([{name: getattr(row, name) for name in Row.__slots__} for row in table], indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
