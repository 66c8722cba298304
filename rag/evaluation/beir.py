"""Reads questions in BEIR's layout: `queries.jsonl` with `_id` and `text`, and relevance judgements (qrels) as a TSV file.

The TSV has the columns `query-id`, `corpus-id` and `score` (https://github.com/beir-cellar/beir). A score above 0 counts as
relevant.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

from rag.errors import InputError
from rag.evaluation.datasets import Query, read_lines


def read_beir(queries: Path, qrels: Path) -> list[Query]:
    """The questions with at least one relevant row. Raises InputError with the file, the line and the problem."""
    relevant: dict[str, list[str]] = defaultdict(list)
    try:
        with qrels.open(encoding="utf-8-sig", newline="") as file:
            for number, line in enumerate(csv.reader(file, delimiter="\t"), 1):
                if not line or (number == 1 and not _is_number(line[-1])):
                    continue  # the heading
                # trec_eval's own files have a column of zeros in the second place.
                if len(line) not in (3, 4) or not _is_number(line[-1]):
                    raise InputError(f"{qrels}, line {number}: expected query-id, corpus-id and score; got {line}")
                if float(line[-1]) > 0:
                    relevant[line[0]].append(line[-2])
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise InputError(f"{qrels}: cannot be read as tab-separated UTF-8 text ({exc})") from exc
    found = [
        Query(str(line["_id"]), str(line["text"]), tuple(relevant[str(line["_id"])]))
        for line in read_lines(queries, ("_id", "text"))
        if str(line["_id"]) in relevant
    ]
    if not found:
        raise InputError(f"{qrels}: expected judgements above 0 for questions in {queries}; got none")
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
