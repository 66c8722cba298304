"""Parts of an evaluation other than its records: latency, answer texts and gates."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.cli.terminal import Bar
from rag.evaluation.answers import evaluate_answer_texts, row_texts
from rag.evaluation.compare import case_results
from rag.evaluation.datasets import Case, check_labels
from rag.evaluation.gates import gate_rows, read_gates
from rag.evaluation.latency import Service, TimedEmbedding, cost_of_thousand, measure_latency
from rag.evaluation.runner import delete_checkpoint, run_settings
from rag.evaluation.runs import Run, identify
from rag.evaluation.suites import Suite
from rag.factory.chat import build_service
from rag.factory.models import load_models
from rag.factory.stores import open_index
from rag.settings import Settings


def measure_times(
    settings: Settings, index: str | None, questions: Sequence[str], options: Namespace
) -> dict[str, Any]:
    """The report of `measure_latency`, with the names of store and models and, with `--instances`, the cost."""

    def new_service() -> Service:
        models = load_models(settings)  # loaded for each service: an embedding caches the vectors of questions
        timed = TimedEmbedding(models.embed_model) if models.embed_model else None
        store = open_index(settings, models, index)
        return build_service(settings, replace(models, embed_model=timed), store), timed

    report = {
        "of": {
            "store": settings.store.backend,
            "embedding": settings.embedding.endpoint_name or settings.embedding.model or settings.embedding.backend,
            "language model": _model_name(settings),
        },
        **measure_latency(new_service, questions),
    }
    if options.instances:
        fastest = max(row["per_second"] for row in report["load"])
        instances = options.instances.split(",")
        report["cost"] = cost_of_thousand(Path(options.prices), instances, fastest, options.region or "")
    return report


def measure_answers(
    settings: Settings,
    index: str | None,
    queries: Sequence[Case],
    folder: Path,
    references: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """The report of `evaluate_answer_texts`. `references`: by question id; the relevant rows' texts if None.

    `folder`: holds the checkpoint, which is deleted at the end.
    """
    models = load_models(settings)
    suite = Suite(f"answers of {index or settings.store.index}", tuple(queries))
    key = identify(run_settings(settings), models.manifest.fingerprint, [suite])["key"]
    checkpoint = folder / f"unfinished-{key}" / "answers.jsonl"
    with closing(Bar()) as bar, closing(open_index(settings, models, index, progress=bar)) as store:
        check_labels(store, {query.id: query.relevant for query in queries})
        report = evaluate_answer_texts(
            build_service(settings, models, store),
            queries,
            row_texts(store, queries) if references is None else references,
            model=_model_name(settings),
            checkpoint=checkpoint,
            progress=bar,
        )
    delete_checkpoint(checkpoint.parent)
    return report


def _model_name(settings: Settings) -> str:
    return settings.llm.endpoint_name or settings.llm.model or settings.llm.backend


def gate_verdicts(run: Run, path: Path) -> list[dict[str, Any]]:
    """`gate_rows` of the run's first suite; empty if the gates file does not exist or is for other questions."""
    if not path.is_file():
        return []
    gates, results = read_gates(path), case_results(run.suites[0].records)
    cases = {case.key: case for case in gates.suite.cases}
    if any(cases.get(record.case.key, record.case) != record.case for record in run.suites[0].records):
        return []  # other questions with the same ids
    return gate_rows(gates.gates, gates.baseline_results(), results) if cases.keys() <= results.keys() else []
