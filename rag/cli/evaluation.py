"""The commands `python -m rag evaluate WHAT`, one function per WHAT."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.cli.arguments import check_index_name, check_writable
from rag.cli.evaluation_parts import gate_verdicts, measure_answers, measure_times
from rag.cli.terminal import Bar, json_text
from rag.errors import InputError
from rag.evaluation.answers import answer_lines, read_references
from rag.evaluation.claims import claim_lines, evaluate_claims
from rag.evaluation.compare import case_results, comparison_lines
from rag.evaluation.datasets import (
    Case,
    read_beir,
    read_claims,
    read_conversations,
    read_out_of_domain,
    read_queries,
)
from rag.evaluation.figures import retrieval_report, suite_figures
from rag.evaluation.gated_ingestion import gate_lines
from rag.evaluation.gates import read_gates, write_baseline
from rag.evaluation.latency import latency_lines
from rag.evaluation.quality import are_defaults, publish
from rag.evaluation.records import Record
from rag.evaluation.report import write_report
from rag.evaluation.runner import run_suites, save_run
from rag.evaluation.runs import Run, find_run, load_run, saved_runs
from rag.evaluation.suite_report import suite_lines
from rag.evaluation.suites import Suite, bundled_suites, labelled_cases
from rag.factory.bundled_vectors import BUNDLED as BUNDLED_INDEX
from rag.factory.models import load_models, sentence_verifier
from rag.settings import Settings

RUNS_PLOTTED = 20
"""Earlier runs whose figures the report plots."""
TIMED_QUESTIONS = 60
"""Questions whose latency is measured, once alone and once per level of concurrency."""
BUNDLED = Path("data") / "evaluation"
"""The bundled questions, in the project's folder; an installed package does not include them."""


def evaluate(options: Namespace, settings: Settings) -> int:
    """Run `options.what` and return its exit code."""
    if options.json:
        check_writable(Path(options.json))  # before minutes of work, not after
    return _EVALUATIONS[options.what](options, settings) or 0


def evaluate_index(options: Namespace, settings: Settings) -> None:
    """`retrieval`: report ranking, outcomes, refusal and follow-ups of one index."""
    [suite] = _run(options, settings, [_own_suite(options)]).suites
    used = settings.model_dump(mode="json", include={"store", "embedding", "retrieval"})
    report = {**retrieval_report(suite.records), "settings": used}
    _print(suite_lines(options.queries, suite_figures(suite.records, suite.banks)), report, options)


def evaluate_answers(options: Namespace, settings: Settings) -> None:
    """`answers`: evaluate the sentence checks on `--claims` or, without it, the answers to `--queries`."""
    if options.claims:
        report = evaluate_claims(read_claims(Path(options.claims)), sentence_verifier(settings.nli))
        _print(claim_lines(report), report, options)
        return
    references = read_references(Path(options.references)) if options.references else None
    report = measure_answers(settings, options.index, _queries(options), Path(options.runs), references)
    _print(answer_lines(report), report, options)


def evaluate_conversation(options: Namespace, settings: Settings) -> None:
    """`conversation`: report the outcomes of the last message of each conversation."""
    suite = Suite("conversations", tuple(read_conversations(Path(options.multi_turn))))
    run = _run(options, settings, [suite])
    figures = suite_figures(run.suites[0].records, run.suites[0].banks)
    _print(suite_lines(suite.name, figures), figures, options)


def evaluate_all(options: Namespace, settings: Settings) -> None:
    """`all`: run all bundled suites, or a suite of `--queries`; save the run and write the report."""
    halves = ("dev", "test") if options.test else ("dev",)
    suites = [_own_suite(options)] if options.queries else bundled_suites(BUNDLED, halves)
    # The bundled questions belong to the bundled index, even if the settings name another one.
    index = options.index or (None if options.queries else BUNDLED_INDEX)
    run = _run(options, settings, suites, index=index, folder=Path(options.runs), perturb=not options.quick)
    earlier = [load_run(path) for path in saved_runs(Path(options.runs))[-RUNS_PLOTTED:]]
    extra: dict[str, Any] = {"gates": gate_verdicts(run, Path(options.gates))}
    if not options.quick:
        queries = [case for case in suites[0].cases if case.set == "queries"]
        questions = [query.query for query in queries[:TIMED_QUESTIONS]]
        extra["latency"] = measure_times(settings, index, questions, options)
        extra["answers"] = measure_answers(settings, index, queries, Path(options.runs))
    run = replace(run, extra=extra)
    path = save_run(run, Path(options.runs))
    figures = {suite.name: suite_figures(suite.records, suite.banks) for suite in run.suites}
    for name, each in figures.items():
        _print_lines(suite_lines(name, each))
    if not options.quick:
        _print_lines(latency_lines(run.extra["latency"]))
        _print_lines(answer_lines(run.extra["answers"]))
    # The READMEs show figures of the default settings only.
    if options.publish and index == BUNDLED_INDEX and are_defaults(settings):
        publish(run)
    html, markdown = write_report(run, figures, Path(options.report), earlier)
    _print((f"run: {path}", f"report: {html}, {markdown}"), {"meta": run.meta, "suites": figures}, options)


def evaluate_latency(options: Namespace, settings: Settings) -> None:
    """`latency`: report latency by step and under concurrent load, with the configured store and models."""
    path = Path(options.queries) if options.queries else BUNDLED / "queries.dev.jsonl"
    questions = [query.query for query in read_queries(path)[:TIMED_QUESTIONS]]
    report = measure_times(settings, options.index, questions, options)
    _print(latency_lines(report), report, options)


def evaluate_gate(options: Namespace, settings: Settings) -> int:
    """`gate`: run the questions of the gates file; returns 1 and prints the broken questions if a gate fails.

    `--accept` makes this run the baseline first, so that only the floors count.
    """
    gates = read_gates(Path(options.gates))
    run = _run(options, settings, [gates.suite])
    if options.accept:
        write_baseline(gates.baseline, run.meta, case_results(run.suites[0].records))
    lines = gate_lines(gates, gates.baseline_results(), run.suites[0].records)
    _print_lines(lines or [f"{len(gates.gates)} gates passed on {len(run.suites[0].records)} questions"])
    return 1 if lines else 0


def evaluate_compare(options: Namespace, _settings: Settings) -> None:
    """`compare A B`: report the differences between two runs, by suite."""
    if len(options.runs_to_compare) != 2:
        raise InputError(
            f"expected two runs: `python -m rag evaluate compare A B`; got {len(options.runs_to_compare)}; "
            "`evaluate history` lists saved runs"
        )
    before, after = (load_run(find_run(name, Path(options.runs))) for name in options.runs_to_compare)
    shared = [suite for suite in after.suites if before.suite(suite.name)]
    if not shared:
        raise InputError("expected two runs with a suite in common; got none")
    for suite in shared:
        old = before.suite(suite.name)
        assert old
        _print_lines([*comparison_lines(suite.name, _by_key(old.records), _by_key(suite.records)), ""])


def evaluate_history(options: Namespace, _settings: Settings) -> None:
    """`history`: list the saved runs with their main figures, oldest first."""
    paths = saved_runs(Path(options.runs))
    if not paths:
        raise InputError(f"no saved runs in {options.runs}; `python -m rag evaluate all` saves one")
    print(
        f"{'run':24} {'suite':14} {'code':12} {'hit@1':>6} {'hit@3':>6} {'answered':>8} {'precision':>9} {'declined':>8}"
    )
    for path in paths:
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
                f"{outcomes['answered_share']:8.3f} {outcomes['answered_precision']:9.3f} {outcomes['declined']:8.3f}"
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
    options: Namespace,
    settings: Settings,
    suites: list[Suite],
    *,
    index: str | None = None,
    folder: Path | None = None,
    perturb: bool = False,
) -> Run:
    if options.index:
        check_index_name(options.index)
    with closing(Bar()) as bar:
        return run_suites(
            settings,
            load_models(settings),
            suites,
            index=index or options.index,
            folder=folder,
            perturb=perturb,
            progress=bar,
        )


def _own_suite(options: Namespace) -> Suite:
    cases = labelled_cases(
        _queries(options),
        read_out_of_domain(Path(options.out_of_domain)) if options.out_of_domain else (),
        read_conversations(Path(options.multi_turn)) if options.multi_turn else (),
    )
    return Suite("own", tuple(cases))


def _queries(options: Namespace) -> list[Case]:
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
        Path(options.json).write_text(json_text(report) + "\n", encoding="utf-8")
