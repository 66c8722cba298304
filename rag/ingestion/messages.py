"""Messages about files, in English and Korean: defects, for which a file or row is rejected, and notes on what was changed.

Each message has a kind, by which tests and reports count. The texts are in `messages.toml`. A value that fills a message's
placeholder is the same in both languages, or a Text.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rag.data_files import read_toml
from rag.errors import RagError, RowError


class Text(NamedTuple):
    """A message in both languages; `{name}` is a placeholder for a value."""

    english: str
    korean: str

    def filled(self, values: Mapping[str, object]) -> Text:
        """The message with values in place of its placeholders; of a value that is a Text, each language has its own."""
        english, korean = (
            {name: value[at] if isinstance(value, Text) else value for name, value in values.items()} for at in (0, 1)
        )
        return Text(self.english.format(**english), self.korean.format(**korean))


def _texts(section: str) -> dict[str, Text]:
    data = read_toml(__package__, "messages.toml")
    return {kind: Text(*texts) for kind, texts in data[section].items()}


DEFECTS, NOTES, PARTS = _texts("defects"), _texts("notes"), _texts("parts")


def defect(file: str, row: int | None, column: str | None, kind: str, **values: object) -> RowError:
    """The RowError for a defect. `kind`: a key of DEFECTS; `values`: fill its text. `row` None: about the whole file."""
    return RowError(file, row, column, *DEFECTS[kind].filled(values), kind)


def reason_of(exc: Exception) -> Text:
    """An exception of a library or of the operating system, as a value: its first line, in Korean its kind where unknown."""
    if isinstance(exc, OSError) and exc.errno is not None:
        code = errno.errorcode.get(exc.errno, str(exc.errno))
        return PARTS.get(code, Text(exc.strerror or code, code))
    kind = type(exc).__name__
    return Text(f"{kind}: {exc}".splitlines()[0][:100], kind)


class UnreadableFile(RagError):
    """A file cannot be read at all. Functions that read several files catch it. `kind`: a key of DEFECTS."""

    def __init__(self, kind: str, **values: object) -> None:
        english, korean = DEFECTS[kind].filled(values)
        super().__init__(english, korean=korean)
        self.kind = kind
        self.values = values

    def to_row_error(self, file: str) -> RowError:
        """The RowError that reports this for the whole `file`."""
        return defect(file, None, None, self.kind, **self.values)


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was changed or left out while reading a file. `kind`: a key of NOTES; `values`: fill its text."""

    file: str
    kind: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.file}: {NOTES[self.kind].filled(self.values).english}"

    @property
    def korean(self) -> str:
        """The Korean message."""
        return f"{self.file}: {NOTES[self.kind].filled(self.values).korean}"


def join_items(items: object, limit: int = 10) -> str:
    """Up to `limit` items of a list or tuple as "2, 3, 7 …"; anything else as text."""
    names = [str(item) for item in items] if isinstance(items, list | tuple) else [str(items)]
    return ", ".join(names[:limit]) + (" …" if len(names) > limit else "")
