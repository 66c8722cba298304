"""What `python -m rag evaluate WHAT` does; one function a WHAT, named as it."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.cli.arguments import check_index_name, check_writable
from rag.cli.evaluation_parts import gate_verdicts, measure_texts, measure_times
from rag.cli.opening import open_store
from rag.cli.terminal import Bar, finite
from rag.errors import InputError
from rag.evaluation.answers import claim_lines, evaluate_claims
from rag.evaluation.beir import read_beir
from rag.evaluation.compare import comparison_lines, marks_of
from rag.evaluation.datasets import (
    Query,
    check_labels,
    read_claims,
    read_conversations,
    read_out_of_domain,
    read_queries,
)
from rag.evaluation.figures import suite_figures
from rag.evaluation.gates import read_gates, write_baseline
from rag.evaluation.latency import latency_lines
from rag.evaluation.quality import are_defaults, publish
from rag.evaluation.records import Record
from rag.evaluation.report import report_lines, write_report
from rag.evaluation.retrieval import evaluate_retrieval
from rag.evaluation.runner import finish, run_suites
from rag.evaluation.runs import Run, find_run, load_run, saved_runs
from rag.evaluation.suite_report import suite_lines
from rag.evaluation.suites import Suite, bundled_suites, labelled_cases
from rag.evaluation.trial import gate_lines
from rag.evaluation.written_answers import read_references, written_lines
from rag.factory.bundled import BUNDLED as BUNDLED_INDEX
from rag.factory.chat import build_service
from rag.factory.models import load_models
from rag.settings import Settings
from rag.synthesis.verification import RuleVerifier

RUNS_SHOWN = 20
"""Earlier runs whose figures the report draws."""
TIMED = 60
"""Questions of which the time is taken; each load asks them once more."""
BUNDLED = Path("data") / "evaluation"
"""In the project's folder; an installed package comes without questions."""


def evaluate(options: Namespace, settings: Settings) -> int:
    """Run what was asked for; where `--json` names a file, it is written at the end."""
    if options.json:
        check_writable(Path(options.json))  # not after minutes of work
    return _EVALUATIONS[options.what](options, settings) or 0


def evaluate_index(options: Namespace, settings: Settings) -> None:
    """`retrieval`: ranking, outcomes, refusal and follow-ups of one index."""
    queries = _queries(options)
    out_of_domain = read_out_of_domain(Path(options.out_of_domain)) if options.out_of_domain else ()
    conversations = read_conversations(Path(options.multi_turn)) if options.multi_turn else ()
    models = load_models(settings)
    store = open_store(options, settings, models)
    # Before minutes of measuring: labels of another index would all count as misses.
    check_labels(store, {item.id: item.relevant for item in [*queries, *conversations]})
    chat = build_service(settings, models, store)
    bar = Bar()
    try:
        report = evaluate_retrieval(
            chat,
            queries=queries,
            out_of_domain=out_of_domain,
            conversations=conversations,
            settings=settings.model_dump(mode="json", include={"store", "embedding", "retrieval"}),
            progress=bar,
        )
    finally:
        bar.close()
    _print(report_lines(report), report, options)


def evaluate_answers(options: Namespace, settings: Settings) -> None:
    """`answers`: the checks of a model's sentences by `--claims`, else the answers to `--queries`."""
    if not options.claims:
        _evaluate_written(options, settings)
        return
    report = evaluate_claims(read_claims(Path(options.claims)), RuleVerifier())
    _print(claim_lines(report), report, options)


def _evaluate_written(options: Namespace, settings: Settings) -> None:
    references = read_references(Path(options.references)) if options.references else None
    report = measure_texts(settings, options.index, _queries(options), Path(options.runs), references)
    _print(written_lines(report), report, options)


def evaluate_conversation(options: Namespace, settings: Settings) -> None:
    """`conversation`: what the last message of each conversation is shown."""
    suite = Suite("conversations", tuple(labelled_cases((), (), read_conversations(Path(options.multi_turn)))))
    run = _run(options, settings, [suite])
    figures = suite_figures(run.suites[0].records, run.suites[0].banks)
    _print(suite_lines(suite.name, figures), figures, options)


def evaluate_all(options: Namespace, settings: Settings) -> None:
    """`all`: every set of the bundled FAQ and of the other trades, or the questions of `--queries`; the run is saved."""
    halves = ("dev", "test") if options.test else ("dev",)
    suites = [_own_suite(options)] if options.queries else bundled_suites(BUNDLED, halves)
    # The bundled questions are about the bundled index, whichever one the settings name.
    index = options.index or (None if options.queries else BUNDLED_INDEX)
    run = _run(options, settings, suites, index=index, perturb=not options.quick)
    earlier = [load_run(path) for path in saved_runs(Path(options.runs))[-RUNS_SHOWN:]]
    extra: dict[str, Any] = {"gates": gate_verdicts(run, Path(options.gates))}
    if not options.quick:
        queries = [
            Query(case.id, case.turns[-1], case.relevant, case.label)
            for case in suites[0].cases
            if case.set == "queries"
        ]
        extra["latency"] = measure_times(settings, index, [query.query for query in queries][:TIMED], options)
        extra["answers"] = measure_texts(settings, index, queries, Path(options.runs))
    run = replace(run, extra=extra)
    path = finish(run, Path(options.runs))
    figures = {suite.name: suite_figures(suite.records, suite.banks) for suite in run.suites}
    for name, each in figures.items():
        _print_lines(suite_lines(name, each))
    if not options.quick:
        _print_lines(latency_lines(run.extra["latency"]))
        _print_lines(written_lines(run.extra["answers"]))
    # Figures of other settings are their owner's, not the project's.
    if options.publish and index == BUNDLED_INDEX and are_defaults(settings):
        publish(run)
    page, twin = write_report(run, figures, Path(options.report), earlier)
    _print((f"run: {path}", f"report: {page} ({twin.name} beside it)"), {"meta": run.meta, "suites": figures}, options)


def evaluate_latency(options: Namespace, settings: Settings) -> None:
    """`latency`: per step and with several customers at once, of the store and models that the settings name."""
    path = Path(options.queries) if options.queries else BUNDLED / "queries.dev.jsonl"
    report = measure_times(settings, options.index, [query.query for query in read_queries(path)][:TIMED], options)
    _print(latency_lines(report), report, options)


def evaluate_gate(options: Namespace, settings: Settings) -> int:
    """`gate`: the questions of the gates file; 1 where a gate fails, with the questions that broke.

    `--accept`: what was measured becomes the baseline, and only the floors count.
    """
    gates = read_gates(Path(options.gates))
    run = _run(options, settings, [gates.suite])
    if options.accept:
        write_baseline(gates.baseline, run.meta, marks_of(run.suites[0].records))
    lines = gate_lines(gates, gates.marks(), run.suites[0].records)
    _print_lines(lines or [f"{len(gates.gates)} gates passed on {len(run.suites[0].records)} questions"])
    return 1 if lines else 0


def evaluate_compare(options: Namespace, _settings: Settings) -> None:
    """`compare A B`: the measures of both runs, and the questions that got better or worse."""
    if len(options.runs_to_compare) != 2:
        raise InputError("expected two runs: `python -m rag evaluate compare A B`; `evaluate history` lists them")
    before, after = (load_run(find_run(name, Path(options.runs))) for name in options.runs_to_compare)
    shared = [suite for suite in after.suites if before.suite(suite.name)]
    if not shared:
        raise InputError("the two runs asked different questions: no suite of one is in the other")
    for suite in shared:
        old = before.suite(suite.name)
        assert old
        _print_lines([*comparison_lines(suite.name, _by_key(old.records), _by_key(suite.records)), ""])


def evaluate_history(options: Namespace, _settings: Settings) -> None:
    """`history`: the saved runs, oldest first, with the figures that matter most."""
    print(
        f"{'run':24} {'suite':14} {'code':12} {'hit@1':>6} {'hit@3':>6} {'answered':>8} {'precise':>7} {'declined':>8}"
    )
    for path in saved_runs(Path(options.runs)):
        run = load_run(path)
        for suite in run.suites:
            figures = suite_figures(
                [each for each in suite.records if each.case.set in ("queries", "ood")], suite.banks
            )
            if "outcomes" not in figures:
                continue
            row, outcomes = figures["retrieval"]["all"], figures["outcomes"]
            print(
                f"{path.stem:24} {suite.name:14} {run.meta['code']:12} {row['hit@1']:6.3f} {row['hit@3']:6.3f} "
                f"{outcomes['answered_share']:8.3f} {outcomes['answered_precision']:7.3f} {outcomes['declined']:8.3f}"
            )


_EVALUATIONS: Mapping[str, Callable[[Namespace, Settings], int | None]] = {
    "retrieval": evaluate_index,
    "answers": evaluate_answers,
    "conversation": evaluate_conversation,
    "latency": evaluate_latency,
    "all": evaluate_all,
    "gate": evaluate_gate,
    "compare": evaluate_compare,
    "history": evaluate_history,
}


def _run(
    options: Namespace, settings: Settings, suites: list[Suite], *, index: str | None = None, perturb: bool = False
) -> Run:
    if options.index:
        check_index_name(options.index)
    bar = Bar()
    try:
        return run_suites(
            settings,
            load_models(settings),
            suites,
            index=index or options.index,
            folder=Path(options.runs),
            perturb=perturb,
            progress=bar,
        )
    finally:
        bar.close()


def _own_suite(options: Namespace) -> Suite:
    cases = labelled_cases(
        _queries(options),
        read_out_of_domain(Path(options.out_of_domain)) if options.out_of_domain else (),
        read_conversations(Path(options.multi_turn)) if options.multi_turn else (),
    )
    return Suite("own", tuple(cases))


def _queries(options: Namespace) -> list[Query]:
    return (
        read_beir(Path(options.queries), Path(options.qrels)) if options.qrels else read_queries(Path(options.queries))
    )


def _by_key(records: Iterable[Record]) -> dict[str, Record]:
    return {record.case.key: record for record in records}


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)


def _print(lines: Iterable[str], report: Mapping[str, Any], options: Namespace) -> None:
    _print_lines(lines)
    if options.json:
        text = json.dumps(finite(report), ensure_ascii=False, indent=1)
        Path(options.json).write_text(text + "\n", encoding="utf-8")
