"""The lexical indexes of one generation in a file beside the index, so that a restart need not tokenise every row again.

Never the truth: a missing, torn or outdated file is simply built anew. Plain arrays in an `.npz`, no pickle.
"""

from __future__ import annotations

import logging
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from rag.stores.base import LEXICAL_FIELDS
from rag.stores.bm25 import LexicalIndex

_ARRAYS = ("offsets", "rows", "counts", "lengths")
_log = logging.getLogger(__name__)


def load(path: Path, stamp: int) -> dict[str, LexicalIndex] | None:
    """The indexes saved under `stamp`; None if the file is missing, torn or of another stamp."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:  # numpy leaves a torn file open
            if file["stamp"].tolist() != stamp:
                return None
            return {field: _read(file, field) for field in LEXICAL_FIELDS}
    except FileNotFoundError:
        return None
    except (OSError, KeyError, ValueError, IndexError, EOFError, zipfile.BadZipFile, zlib.error) as exc:
        _log.warning("the lexical cache %s cannot be read (%s); building it anew", path, exc)
        return None


def save(path: Path, stamp: int, fields: Mapping[str, LexicalIndex]) -> None:
    """Replace the file in one step. Where that is impossible (a full or read-only disk) the next start is slower."""
    content: dict[str, NDArray[Any]] = {"stamp": np.array(stamp, np.int64)}
    for field, index in fields.items():
        content[f"{field}.terms"] = np.frombuffer("\n".join(index.vocabulary).encode(), np.uint8)
        content |= {f"{field}.{name}": getattr(index, name) for name in _ARRAYS}
    temporary = path.with_name(f"{path.name}.{uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **content)
        temporary.replace(path)
    except OSError as exc:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        _log.warning("the lexical cache %s cannot be written: %s", path, exc)


def _read(file: Mapping[str, NDArray[Any]], field: str) -> LexicalIndex:
    terms = file[f"{field}.terms"].tobytes().decode()
    vocabulary = {term: number for number, term in enumerate(terms.split("\n") if terms else ())}
    return LexicalIndex(vocabulary, *(file[f"{field}.{name}"] for name in _ARRAYS))
