"""`python -m rag record show`, `feedback export` and `gaps`: what was answered, what customers said, what the FAQ misses."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from rag.cli.arguments import check_index_name, check_writable
from rag.cli.terminal import print_json
from rag.errors import InputError
from rag.factory.chat import build_chat
from rag.records.answer_log import AnswerLog
from rag.records.feedback import evaluation_lines, find_gaps, gaps_csv
from rag.settings import Settings


def record(options: Namespace, settings: Settings) -> None:
    """Print one answer's record as JSON."""
    print_json(open_records(settings).get(options.id))


def feedback(options: Namespace, settings: Settings) -> None:
    """Print what customers confirmed as lines of an evaluation file, or write them to `--out`."""
    lines = [json.dumps(line, ensure_ascii=False) for line in evaluation_lines(open_records(settings).all())]
    _write("".join(f"{line}\n" for line in lines), options.out, f"{len(lines)} questions with their rows")


def gaps(options: Namespace, settings: Settings) -> None:
    """Print the questions that were not answered well, by meaning, and write the phrasings that would help as a CSV."""
    if options.index:
        check_index_name(options.index)
    if options.out:
        check_writable(Path(options.out))
    records = list(open_records(settings).all())
    chat = build_chat(settings, index=options.index)
    missed_questions = find_gaps(records, lambda question, filters: chat.search(question, filters, top_k=10))
    for gap in missed_questions:
        kinds = ", ".join(f"{kind} {count}" for kind, count in gap.kinds.items())
        rows = " | ".join(f"{row.id} {row.question}" for row in gap.rows) or "no row is near: a new one?"
        print(f"{gap.count:4}  {gap.questions[0]}  [{kinds}]  -> {rows}{' (chosen)' if gap.chosen else ''}")
    if options.out:
        Path(options.out).write_text(gaps_csv(missed_questions), encoding="utf-8")
        print(f"{options.out}: review it, then `python -m rag ingest FAQ… {options.out} --index NAME`")


def open_records(settings: Settings) -> AnswerLog:
    """The configured records. Raises InputError where there are none."""
    if not settings.record.file.exists():
        raise InputError(f"{settings.record.file}: no answer record yet; the page writes them (FSI_RECORD__ENABLED)")
    return AnswerLog(settings.record.file, days=settings.record.days)


def _write(text: str, out: str | None, what: str) -> None:
    if not out:
        print(text, end="")
        return
    check_writable(Path(out))
    Path(out).write_text(text, encoding="utf-8")
    print(f"{out}: {what}")
