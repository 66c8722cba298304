"""Parses and checks arguments that several commands share: filters, pairs, index names, files to write."""

from __future__ import annotations

from argparse import Namespace
from datetime import date
from pathlib import Path

from rag.errors import InputError
from rag.factory.bundled_vectors import BUNDLED
from rag.ingestion.cell_text import remove_invisible
from rag.ingestion.columns import clean_name
from rag.ingestion.messages import reason_of
from rag.types import Filters


def check_writable(path: Path) -> None:
    """Raise InputError if the file cannot be written; a missing file is created empty."""
    try:
        path.open("a").close()
    except OSError as exc:
        reason = reason_of(exc)
        raise InputError(
            f"{path}: cannot be written ({reason.english})", korean=f"{path}: 쓸 수 없습니다({reason.korean})"
        ) from exc


def read_filters(options: Namespace) -> Filters:
    """Read `--filter` and `--as-of`. Raises InputError for a filter without KEY=VALUE and for an invalid date."""
    try:
        as_of = date.fromisoformat(options.as_of) if options.as_of else None
    except ValueError as exc:
        raise InputError(
            f"--as-of: expected a date YYYY-MM-DD; got {options.as_of!r}",
            korean=f"--as-of: 날짜를 YYYY-MM-DD로 적어 주세요. 적으신 값: {options.as_of!r}",
        ) from exc
    return Filters(read_pairs(options.filter, "--filter"), as_of)


def read_pairs(texts: list[str], option: str) -> dict[str, str]:
    """Parse texts of the form KEY=VALUE into a mapping; surrounding spaces are removed. Raises InputError."""
    pairs: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise InputError(
                f"{option}: expected KEY=VALUE; got {text!r}",
                korean=f"{option}: 항목=값의 꼴이어야 합니다. 적으신 값: {text!r}",
            )
        # macOS may pass Hangul decomposed (NFD); files and indexes hold it composed.
        pairs[clean_name(key)] = remove_invisible(value).strip()
    return pairs


def check_index_name(name: str) -> None:
    """Raise InputError for an invalid index name, and for the name reserved for the bundled FAQ."""
    from pydantic import ValidationError

    from rag.settings import StoreSettings

    try:
        StoreSettings(index=name)
    except ValidationError as exc:
        raise InputError(
            f"invalid index name {name!r}: use at most 63 of a-z, 0-9, - and _",
            korean=f"{name!r}은(는) 인덱스 이름으로 쓸 수 없습니다. a-z, 0-9, -, _를 63자까지 쓸 수 있습니다.",
        ) from exc
    if name == BUNDLED:
        raise InputError(
            f"index name {BUNDLED!r} is reserved for the bundled FAQ; choose another name",
            korean=f"{BUNDLED!r}은(는) 함께 제공되는 FAQ의 이름입니다. 다른 이름을 적어 주세요.",
        )
