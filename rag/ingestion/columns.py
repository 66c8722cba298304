"""Maps a table's columns to the fields of an FAQ row, by this project's names, the workshop's, and Korean ones. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from rag.data_files import read_toml
from rag.ingestion.cell_text import remove_invisible

FIELDS = (
    "id", "question", "alternatives", "answer", "category", "bank", "source_url", "effective_from", "effective_until"
)  # fmt: skip
REQUIRED = ("question", "answer")
DATES = ("effective_from", "effective_until")

_WORKSHOP = {"id": "no", "question": "category", "answer": "information", "category": "type", "bank": "source"}
_DATA = read_toml(__package__, "columns.toml")
_NAMES: Mapping[str, Sequence[str]] = _DATA["names"]
_ENDINGS = {field: tuple(endings) for field, endings in _DATA["endings"].items()}
_GENERAL, _SWITCHES, _OFF, _DELETIONS, _ON = (
    frozenset(_DATA["other"][name]) for name in ("general", "switches", "off", "deletions", "on")
)


def is_switched_off(values: Mapping[str, object]) -> bool:
    """Whether a row's own columns say that it is not shown to customers: 사용여부 "N", 노출여부 "미노출", del_yn "Y"."""
    states = {_key(name): _key(str(value)) for name, value in values.items()}
    return any(states.get(name) in _OFF for name in _SWITCHES) or any(states.get(name) in _ON for name in _DELETIONS)


def is_faq_name(name: str) -> bool:
    """Whether a column's name is one that only an FAQ has: 질문, answer; not 제목 or 내용, which any table may have."""
    key = _key(name)
    known = {*_NAMES["question"], *_NAMES["answer"]} - _GENERAL
    return key in known or key.endswith((*_ENDINGS["question"], *_ENDINGS["answer"]))


def clean_name(name: str) -> str:
    """A column's name in NFC, without invisible characters and surplus white space."""
    return " ".join(remove_invisible(name).split())


def _key(name: str) -> str:
    # Markers are ignored: "질문 *", "답변(필수)", "질문(Q)", "Q.", "등록일:".
    text = unicodedata.normalize("NFKC", clean_name(name)).casefold()
    return re.sub(r"\s|[*:：]|\((?:필수|선택|required|q|a|question|answer|안)\)|\.$", "", text)


def _by_ending(field: str, keys: Mapping[str, str], known: Mapping[str, str | None]) -> str | None:
    """The only column that ends like a question or an answer and is not known as another field; None if there are several."""
    others = set(known.values()) | set(_NAMES["alternatives"])
    found = [name for key, name in keys.items() if key.endswith(_ENDINGS[field]) and not {key, name} & others]
    return found[0] if len(found) == 1 else None


def match_columns(header: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """The header's column for each field; fields without a column are omitted.

    `columns`: column names by field, which take precedence over the known names. Of two columns that differ only in case,
    the first is used.
    """
    # Cleaned like the header, because a name copied from a spreadsheet may contain a no-break space.
    given_columns = {name: clean_name(column) for name, column in columns.items()}
    # Reversed, so that of two columns with the same key the first one in the file is kept.
    by_key = {_key(name): name for name in reversed(header) if name and name not in given_columns.values()}
    known = {field: next((by_key[name] for name in names if name in by_key), None) for field, names in _NAMES.items()}
    for field in REQUIRED:
        known[field] = known[field] or _by_ending(field, by_key, known)
    # The workshop's layout applies only without a question and an answer: its `Category` has the question.
    if not (known["question"] and known["answer"]) and by_key.keys() >= {_WORKSHOP["question"], _WORKSHOP["answer"]}:
        known = {field: by_key.get(_WORKSHOP.get(field, ""), known.get(field)) for field in FIELDS}
    located = {field: column for field, column in known.items() if column and field not in given_columns}
    return located | {field: column for field, column in given_columns.items() if column in header}
