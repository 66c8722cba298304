"""The commands `record show`, `feedback export` and `gaps`, which read the log of answers."""

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
    """Print the record of one answer as JSON."""
    print_json(open_records(settings).get(options.id))


def feedback(options: Namespace, settings: Settings) -> None:
    """Print the questions whose rows customers confirmed as lines of an evaluation file, or write them to `--out`."""
    lines = [json.dumps(line, ensure_ascii=False) for line in evaluation_lines(open_records(settings).all())]
    text = "".join(f"{line}\n" for line in lines)
    if not options.out:
        print(text, end="")
        return
    check_writable(Path(options.out))
    Path(options.out).write_text(text, encoding="utf-8")
    print(f"{options.out}: {len(lines)} questions with their rows")


def gaps(options: Namespace, settings: Settings) -> None:
    """Print clusters of questions that were not answered well; `--out` writes proposed phrasings as a CSV."""
    if options.index:
        check_index_name(options.index)
    if options.out:
        check_writable(Path(options.out))
    records = list(open_records(settings).all())
    chat = build_chat(settings, index=options.index)
    missed_questions = find_gaps(records, lambda question, filters: chat.search(question, filters, top_k=10))
    for gap in missed_questions:
        kinds = ", ".join(f"{kind} {count}" for kind, count in gap.kinds.items())
        rows = " | ".join(f"{row.id} {row.question}" for row in gap.rows) or "no similar row; consider adding one"
        print(f"{gap.count:4}  {gap.questions[0]}  [{kinds}]  -> {rows}{' (chosen)' if gap.chosen else ''}")
    if options.out:
        Path(options.out).write_text(gaps_csv(missed_questions), encoding="utf-8")
        print(f"{options.out}: review it, then `python -m rag ingest FAQ… {options.out} --index NAME`")


def open_records(settings: Settings) -> AnswerLog:
    """Open the configured answer log. Raises InputError if the file does not exist."""
    if not settings.record.file.exists():
        raise InputError(
            f"{settings.record.file}: no answers recorded yet; the page records them if FSI_RECORD__ENABLED=true"
        )
    return AnswerLog(settings.record.file, days=settings.record.days)
