"""The command line `python -m rag COMMAND`. Exit codes: 0 success, 1 failure with an error message, 2 wrong usage."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rag.errors import PackageMissing, RagError


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the command and return the exit code; a RagError is printed on standard error."""
    parser = _parser()
    options = parser.parse_args(arguments)
    # Checked here: argparse cannot require one of several options for a value of another argument.
    needed = _REQUIRED.get(options.what, ()) if options.run == "evaluate" else ()
    if needed and not any(getattr(options, name) for name in needed):
        parser.error(
            f"evaluate {options.what} needs {' or '.join(f'--{name} FILE' for name in needed).replace('_', '-')}"
        )
    try:
        try:
            return _run(options)
        except ModuleNotFoundError as exc:
            raise PackageMissing(exc.name) from exc
    except RagError as exc:
        korean = getattr(options, "language", None) == "ko"
        print(f"오류: {_in_korean(exc)}" if korean else f"error: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # The exit code of a program that Ctrl-C ended: 128 + SIGINT.
        return 130
    except BrokenPipeError:
        # The interpreter flushes standard output once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _in_korean(exc: RagError) -> str:
    # An error's usual text says what kind it is, and not what to change; the English message does.
    return f"{exc.korean} ({exc})" if exc.korean == exc.default_korean else exc.korean


_REQUIRED = {"retrieval": ("queries",), "answers": ("claims", "queries"), "conversation": ("multi_turn",)}
"""For some values of `evaluate WHAT`, options of which at least one is required."""


def _run(options: argparse.Namespace) -> int:
    from rag.cli.logging_setup import configure_logging
    from rag.settings import load_settings

    settings = load_settings()
    # Without a configured level only `ingest` logs at INFO: for other commands the lines would mix with the output.
    is_chosen = options.run == "ingest" or "level" in settings.log.model_fields_set
    configure_logging(settings.log.level if is_chosen else "WARNING", settings.log.format)
    from rag.cli import commands  # slow to import, so after the usage was checked

    code = int(getattr(commands, options.run)(options, settings) or 0)
    sys.stdout.flush()
    return code


def _parser() -> argparse.ArgumentParser:
    # As it was started: by the installed command, or as the package's module.
    prog = "faq" if Path(sys.argv[0]).stem == "faq" else "python -m rag"
    parser = argparse.ArgumentParser(prog=prog, description="Cited answers from an institution's own FAQ.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ingest = _add(commands, "ingest", "make an index hold exactly the rows and documents of these files")
    ingest.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, or patterns such as 'notices/*.pdf'")
    ingest.add_argument("--index", help="name of the index (default: FSI_STORE__INDEX)")
    ingest.add_argument("--columns", help="question=…,answer=…,… for files whose columns have other names")
    ingest.add_argument("--gate", metavar="FILE", help="a gates.toml: publish nothing if one of its gates fails")
    ingest.add_argument("--dry-run", action="store_true", help="read and compare, write nothing")
    ingest.add_argument(
        "--report", metavar="FILE", help="write what was read, skipped and doubtful in each file, as JSON"
    )
    ingest.add_argument(
        "--processes", type=_positive, help="number of processes that read documents (default: one per core)"
    )
    ingest.add_argument(
        "--language", choices=("en", "ko"), default="en", help="language of errors, notes and the result"
    )

    search = _add(commands, "search", "list the nearest rows, whether or not the question would be answered")
    search.add_argument("question")
    search.add_argument("-k", type=_positive, default=5, help="rows to list (at most 20)")
    _add_scope(search)
    search.add_argument(
        "--explain", action="store_true", help="show the scores of each row and why it is answered or not"
    )
    search.add_argument("--summarize", action="store_true", help="summarize each row in one sentence for the question")

    ask = _add(commands, "ask", "answer a question as the page does")
    ask.add_argument(
        "question",
        nargs="?",
        help="without it, the lines of standard input are one conversation (--json: an object a line)",
    )
    _add_scope(ask)

    calibrate = _add(commands, "calibrate", "fit the thresholds of an index and print them")
    calibrate.add_argument("--queries", help="JSONL of questions and the rows that answer them")
    calibrate.add_argument("--out-of-domain", help="JSONL of inputs that no row answers")
    calibrate.add_argument("--index", help="name of the index (default: FSI_STORE__INDEX, else the bundled one)")
    calibrate.add_argument("--apply", action="store_true", help="write them to the index's manifest")

    index = _add(commands, "index", "list, show, verify, roll back or delete indexes")
    index.add_argument("action", choices=("list", "show", "verify", "rollback", "delete"))
    index.add_argument("name", nargs="?", help="name of the index (not for list)")
    index.add_argument(
        "--json", action="store_true", help="list: print JSON; show: with all words of `unheld`, not their number"
    )

    record = _add(commands, "record", "show the record of one answer of the page")
    record.add_argument("action", choices=("show",))
    record.add_argument("id", help="the id under the answer")

    feedback = _add(
        commands, "feedback", "write questions whose rows customers confirmed as lines of an evaluation file"
    )
    feedback.add_argument("action", choices=("export",))
    feedback.add_argument("--out", metavar="Q.jsonl", help="file to write (default: standard output)")

    gaps = _add(commands, "gaps", "list questions that were not answered well, and propose phrasings for their rows")
    gaps.add_argument("--out", metavar="CSV", help="file for review, which `ingest` reads beside the FAQ")
    for command in (feedback, gaps):
        command.add_argument("--index", help="name of the index (default: FSI_STORE__INDEX, else the bundled one)")
        command.add_argument("--all-indexes", action="store_true", help="also take answers from other indexes")

    _add(commands, "config", "print every setting with its value; secrets are masked")
    _add(commands, "doctor", "check that settings, models and index work together")

    user = _add(commands, "user", "add a login for the page")
    user.add_argument("action", choices=("add",))
    user.add_argument("name")
    user.add_argument("--auth-file", help="file to write (default: FSI_UI__AUTH_FILE)")

    _add_evaluate(commands)
    return parser


def _add_evaluate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evaluate = _add(commands, "evaluate", "measure an index on labelled questions, and compare runs")
    evaluate.add_argument(
        "what", choices=("retrieval", "answers", "conversation", "latency", "all", "gate", "compare", "history")
    )
    evaluate.add_argument("runs_to_compare", nargs="*", metavar="RUN", help="compare: two runs, such as last~1 last")
    evaluate.add_argument("--queries", help="retrieval, answers, all: JSONL of questions and their rows")
    evaluate.add_argument("--qrels", help="TSV of query-id, corpus-id, score (BEIR), if --queries has no `relevant`")
    evaluate.add_argument(
        "--claims", help="answers: JSONL of sentences, their passages, and whether those support them"
    )
    evaluate.add_argument("--references", help="answers: JSONL of question ids and answers to compare with")
    evaluate.add_argument("--out-of-domain", help="JSONL of inputs that no row answers")
    evaluate.add_argument("--multi-turn", help="JSONL of conversations and the rows that answer their last message")
    evaluate.add_argument(
        "--gates",
        default="data/evaluation/gates.toml",
        metavar="FILE",
        help="gate: the gates and their questions",
    )
    evaluate.add_argument("--accept", action="store_true", help="gate: make this run the baseline")
    evaluate.add_argument(
        "--publish", action="store_true", help="all: update docs/quality.json and the READMEs with the bundled figures"
    )
    evaluate.add_argument(
        "--quick", action="store_true", help="all: skip perturbed questions, latency and answer texts"
    )
    evaluate.add_argument("--test", action="store_true", help="all: also run the test half of the bundled questions")
    evaluate.add_argument(
        "--report", default=".fsi/report", metavar="DIR", help="all: folder of the report (default: .fsi/report)"
    )
    evaluate.add_argument(
        "--instances", help="latency, all: comma-separated instance types to compute the cost of 1,000 questions for"
    )
    evaluate.add_argument("--prices", default="deploy/costs.toml", help="table of instance prices (TOML)")
    evaluate.add_argument("--region", help="region of the prices (default: us-east-1)")
    evaluate.add_argument(
        "--runs", default=".fsi/runs", metavar="DIR", help="where runs are saved (default: .fsi/runs)"
    )
    evaluate.add_argument("--index", help="name of the index (default: FSI_STORE__INDEX, else the bundled one)")
    evaluate.add_argument("--json", metavar="OUT", help="also write the whole report to this file")


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(run=name)
    return command


def _add_scope(command: argparse.ArgumentParser) -> None:
    command.add_argument("--index", help="name of the index (default: FSI_STORE__INDEX, else the bundled one)")
    command.add_argument(
        "--filter", action="append", default=[], metavar="KEY=VALUE", help="only rows with it, e.g. bank=새나래은행"
    )
    command.add_argument("--as-of", metavar="DATE", help="only rows valid on that day (default: today)")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1; got {text!r}")
    return int(text)
