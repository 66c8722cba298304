"""What an evaluation measures beside its records: times, the answers' own texts, and whether the gates are passed."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.cli.terminal import Bar
from rag.evaluation.compare import marks_of
from rag.evaluation.datasets import Query, check_labels
from rag.evaluation.gates import gate_rows, read_gates
from rag.evaluation.latency import Service, TimedEmbedding, cost_of_thousand, measure_latency
from rag.evaluation.runner import forget, run_settings
from rag.evaluation.runs import Run, identify
from rag.evaluation.suites import Suite, labelled_cases
from rag.evaluation.written_answers import evaluate_written, texts_of_rows
from rag.factory.chat import build_service
from rag.factory.models import load_models
from rag.factory.stores import open_index
from rag.settings import Settings


def measure_times(
    settings: Settings, index: str | None, questions: Sequence[str], options: Namespace
) -> dict[str, Any]:
    """How long these questions take, and, with `--instances`, what they cost."""

    def fresh() -> Service:
        models = load_models(settings)  # each time: an embedding remembers what it was asked
        timed = TimedEmbedding(models.embed_model) if models.embed_model else None
        store = open_index(settings, models, index)
        return build_service(settings, replace(models, embed_model=timed), store), timed

    report = {
        "of": {
            "store": settings.store.backend,
            "embedding": settings.embedding.endpoint_name or settings.embedding.model or settings.embedding.backend,
            "language model": _model_name(settings),
        },
        **measure_latency(fresh, questions),
    }
    if options.instances:
        fastest = max(row["per_second"] for row in report["load"])
        instances = options.instances.split(",")
        report["cost"] = cost_of_thousand(Path(options.prices), instances, fastest, options.region or "")
    return report


def measure_texts(
    settings: Settings,
    index: str | None,
    queries: Sequence[Query],
    folder: Path,
    references: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """The answers to the questions, compared with `references` or else with the rows that answer.

    `folder`: where the answers so far are kept until all are there.
    """
    models = load_models(settings)
    suite = Suite(f"answers of {index or settings.store.index}", tuple(labelled_cases(queries, (), ())))
    key = identify(run_settings(settings), models.manifest.fingerprint, [suite])["key"]
    kept = folder / f"unfinished-{key}" / "answers.jsonl"
    bar = Bar()
    try:
        with closing(open_index(settings, models, index, progress=bar)) as store:
            check_labels(store, {query.id: query.relevant for query in queries})
            report = evaluate_written(
                build_service(settings, models, store),
                queries,
                texts_of_rows(store, queries) if references is None else references,
                model=_model_name(settings),
                kept=kept,
                progress=bar,
            )
        forget(kept.parent)
        return report
    finally:
        bar.close()


def _model_name(settings: Settings) -> str:
    return settings.llm.endpoint_name or settings.llm.model or settings.llm.backend


def gate_verdicts(run: Run, path: Path) -> list[dict[str, Any]]:
    """How the first suite does by the gates of the file, where these are about its questions."""
    if not path.is_file():
        return []
    gates, marks = read_gates(path), marks_of(run.suites[0].records)
    asked = {case.key: case for case in gates.suite.cases}
    if any(asked.get(record.case.key, record.case) != record.case for record in run.suites[0].records):
        return []  # other questions, which only happen to have the same ids
    return gate_rows(gates.gates, gates.marks(), marks) if asked.keys() <= marks.keys() else []
