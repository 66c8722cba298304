"""The commands `record show`, `feedback export` and `gaps`, which read the log of answers."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from rag.cli.arguments import check_index_name, check_writable
from rag.cli.terminal import print_json
from rag.errors import InputError
from rag.factory.bundled_vectors import BUNDLED
from rag.factory.chat import build_chat
from rag.records.answer_log import AnswerLog
from rag.records.feedback import evaluation_lines, find_gaps, gaps_csv
from rag.settings import Settings


def record(options: Namespace, settings: Settings) -> None:
    """Print the record of one answer as JSON."""
    print_json(open_records(settings).get(options.id))


def feedback(options: Namespace, settings: Settings) -> None:
    """Print the questions whose rows customers confirmed as lines of an evaluation file, or write them to `--out`."""
    lines = [json.dumps(line, ensure_ascii=False) for line in evaluation_lines(_records(options, settings))]
    if not lines:
        print("nothing to export: no customer has clicked a suggestion or liked an answer yet", file=sys.stderr)
    text = "".join(f"{line}\n" for line in lines)
    if not options.out:
        print(text, end="")
        return
    check_writable(Path(options.out))
    Path(options.out).write_text(text, encoding="utf-8")
    print(f"{options.out}: {len(lines)} questions with their rows")


def gaps(options: Namespace, settings: Settings) -> None:
    """Print clusters of questions that were not answered well; `--out` writes proposed phrasings as a CSV."""
    if options.out:
        check_writable(Path(options.out))
    records = _records(options, settings)
    chat = build_chat(settings, index=options.index)
    missed_questions = find_gaps(records, lambda question, filters: chat.search(question, filters, top_k=10))
    for gap in missed_questions:
        kinds = ", ".join(f"{kind} {count}" for kind, count in gap.kinds.items())
        rows = " | ".join(f"{row.id} {row.question}" for row in gap.rows) or "no similar row; consider adding one"
        print(f"{gap.count:4}  {gap.questions[0]}  [{kinds}]  -> {rows}{' (chosen)' if gap.chosen else ''}")
    if options.out:
        Path(options.out).write_text(gaps_csv(missed_questions), encoding="utf-8")
        print(f"{options.out}: review it, then `python -m rag ingest FAQ… {options.out} --index NAME`")


def _records(options: Namespace, settings: Settings) -> list[dict[str, Any]]:
    """The records of answers from the selected index, the oldest first; of all with `--all-indexes`.

    A row id says nothing in another index. How many are left out is printed on standard error.
    """
    if options.index:
        check_index_name(options.index)
    records = list(open_records(settings).all())
    name = options.index or settings.store.index or BUNDLED
    own = [each for each in records if options.all_indexes or each["versions"].get("index") == name]
    if left_out := len(records) - len(own):
        print(
            f"left out: {left_out} of {len(records)} answers, from other indexes than {name!r}; --all-indexes takes them",
            file=sys.stderr,
        )
    return own


def open_records(settings: Settings) -> AnswerLog:
    """Open the configured answer log. Raises InputError if the file does not exist."""
    if not settings.record.file.exists():
        raise InputError(
            f"{settings.record.file}: no answers recorded yet; the page records them if FSI_RECORD__ENABLED=true"
        )
    return AnswerLog(settings.record.file, days=settings.record.days)
