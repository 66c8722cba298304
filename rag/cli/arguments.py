"""What the arguments of a command mean: filters, pairs, names of indexes, files to write."""

from __future__ import annotations

from argparse import Namespace
from datetime import date
from pathlib import Path

from rag.errors import InputError
from rag.factory.bundled import BUNDLED
from rag.ingestion.cell_text import remove_invisible
from rag.ingestion.columns import clean_name
from rag.types import Filters


def check_writable(path: Path) -> None:
    """Raises InputError for a file that cannot be written; it is made where it is missing."""
    try:
        path.open("a").close()
    except OSError as exc:
        raise InputError(f"{path}: cannot be written ({exc.strerror})") from exc


def read_filters(options: Namespace) -> Filters:
    """`--filter` and `--as-of`. Raises InputError for what is neither KEY=VALUE nor a date."""
    try:
        as_of = date.fromisoformat(options.as_of) if options.as_of else None
    except ValueError as exc:
        raise InputError(f"--as-of {options.as_of!r} is not a date; write YYYY-MM-DD") from exc
    return Filters(read_pairs(options.filter, "--filter"), as_of)


def read_pairs(texts: list[str], option: str) -> dict[str, str]:
    """KEY=VALUE texts as a mapping, without spaces around either. Raises InputError."""
    pairs: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise InputError(f"{option} {text!r}: write KEY=VALUE")
        # A terminal of macOS may hand Hangul over in pieces; files and index hold it composed.
        pairs[clean_name(key)] = remove_invisible(value).strip()
    return pairs


def check_index_name(name: str) -> None:
    """Raises InputError for a name that no index may have."""
    from pydantic import ValidationError

    from rag.settings import StoreSettings

    try:
        StoreSettings(index=name)
    except ValidationError as exc:
        raise InputError(f"invalid index name {name!r}: use a-z, 0-9, - and _, at most 63") from exc
    if name == BUNDLED:
        raise InputError(f"{BUNDLED!r} is taken by the bundled FAQ; choose another name")
