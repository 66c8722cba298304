"""Readers of the evaluation files (JSON Lines): questions, out-of-domain inputs, conversations and claims.

Row ids are read as strings, also where the JSON has a number.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.stores.base import PassageStore

_LISTS = ("relevant", "turns", "passages")


@dataclass(frozen=True, slots=True)
class Case:
    """One input and the ids of all rows that answer it, empty if no row does.

    `set`: the kind of its file, as in `rag.evaluation.suites`. `label`: its style or kind. `turns`: the customer's messages,
    of which the last one is evaluated.
    """

    set: str
    id: str
    label: str
    turns: tuple[str, ...]
    relevant: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Identifier of the case within its suite."""
        return f"{self.set}/{self.id}"

    @property
    def query(self) -> str:
        """The message that is evaluated."""
        return self.turns[-1]


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, the passages it cites, and whether they support it; `type`: kind of error of an unsupported sentence."""

    id: str
    passages: tuple[str, ...]
    sentence: str
    supported: bool
    type: str = ""


def read_claims(path: Path) -> list[Claim]:
    """Read lines of `id`, `passages`, `sentence`, `supported` and optional `type`. Raises InputError as `read_lines`."""
    claims = []
    for line in read_lines(path, ("id", "passages", "sentence")):
        if not isinstance(line.get("supported"), bool):
            raise InputError(f"{path}, id {line['id']}: expected 'supported' to be true or false")
        passages = tuple(map(str, line["passages"]))
        claims.append(
            Claim(str(line["id"]), passages, str(line["sentence"]), line["supported"], str(line.get("type", "")))
        )
    return claims


def read_queries(path: Path, name: str = "queries") -> list[Case]:
    """Read lines of `id`, `query`, `relevant` and optional `style` as the set `name`. Raises InputError as `read_lines`."""
    return [
        Case(name, str(line["id"]), str(line.get("style", "")), (str(line["query"]),), _rows(line))
        for line in read_lines(path, ("id", "query", "relevant"))
    ]


def read_beir(queries: Path, qrels: Path) -> list[Case]:
    """Questions in BEIR's layout (https://github.com/beir-cellar/beir): those with at least one relevant row.

    `queries`: lines of `_id` and `text`; `qrels`: a TSV of query-id, corpus-id and score, where a score above 0 counts as
    relevant. Raises InputError with the file, the line and the problem.
    """
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
        Case("queries", str(line["_id"]), "", (str(line["text"]),), tuple(relevant[str(line["_id"])]))
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


def check_labels(store: PassageStore, labels: Mapping[str, Collection[str]]) -> None:
    """Raise InputError if the index lacks a labelled row. `labels`: row ids by question id."""
    # `ref_doc_id` is the row's id: a row that was split has no node with that id.
    known = {state.ref_doc_id for state in store.states().values()}
    unknown = {row: question for question, rows in labels.items() for row in rows if row not in known}
    if unknown:
        row, question = next(iter(unknown.items()))
        raise InputError(
            f"{len(unknown)} labelled row(s) are not in the index, first {row!r} of question {question}; ingest the file "
            "they were written for, or correct the labels (`search --json` shows ids)"
        )


def read_out_of_domain(path: Path, name: str = "ood") -> list[Case]:
    """Read lines of `id`, `query` and optional `kind` as the set `name`. Raises InputError as `read_lines`."""
    return [
        Case(name, str(line["id"]), str(line.get("kind", "")), (str(line["query"]),))
        for line in read_lines(path, ("id", "query"))
    ]


def read_conversations(path: Path, name: str = "multiturn") -> list[Case]:
    """Read lines of `id`, `turns`, `relevant` (may be empty) and optional `kind` as the set `name`.

    Raises InputError as `read_lines`.
    """
    return [
        Case(name, str(line["id"]), str(line.get("kind", "")), tuple(map(str, line["turns"])), _rows(line))
        for line in read_lines(path, ("id", "turns", "relevant"), may_be_empty=("relevant",))
    ]


def _rows(line: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row) for row in line["relevant"])


def read_lines(path: Path, keys: tuple[str, ...], may_be_empty: tuple[str, ...] = ()) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a JSONL file.

    Every object must have `keys`; lists named in `may_be_empty` may be empty. Raises InputError with file, line and key for
    unreadable files, invalid JSON and missing or empty values.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as exc:
        raise InputError(f"{path}: cannot be read ({exc.strerror})") from exc
    except UnicodeDecodeError as exc:
        raise InputError(f"{path}: is not UTF-8 text ({exc})") from exc
    # Not splitlines: it also splits at U+2028, which may occur within a text.
    for number, raw in enumerate(text.split("\n"), 1):
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
        except json.JSONDecodeError as exc:
            raise InputError(f"{path}, line {number}: not JSON ({exc.msg})") from exc
        missing = [
            key
            for key in keys
            if not isinstance(line, dict) or line.get(key) in ((None, "") if key in may_be_empty else (None, "", []))
        ]
        if missing:
            raise InputError(f"{path}, line {number}: {', '.join(map(repr, missing))} missing or empty")
        for key in keys:
            if key in _LISTS and not isinstance(line[key], list):
                raise InputError(f"{path}, line {number}: {key!r} is not a list")
        yield line
