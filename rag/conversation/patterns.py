"""Word rules kept as data: named patterns in a TOML file, each with examples that match and examples that must not.

`[words]` holds lists that patterns share: `<name>` in a pattern is replaced by one. Texts are matched in lower case, composed and
with single spaces, so that patterns are independent of typing.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rag.errors import InputError

_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_WORD = re.compile(r"<([a-z_]+)>")


@dataclass(frozen=True, slots=True)
class NamedPattern:
    """What the entries of all rule files share. It holds where `pattern` occurs and `unless` does not."""

    name: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None
    examples: tuple[str, ...] = ()
    not_examples: tuple[str, ...] = ()

    def matches(self, message: str) -> bool:
        """Whether it holds for a message as the customer typed it."""
        text = plain(message)
        return bool(self.pattern.search(text)) and not (self.unless and self.unless.search(text))

    def matched_text(self, message: str) -> str:
        """The part of the message, in `plain` form, that the pattern matches; empty where it does not."""
        match = self.pattern.search(plain(message))
        return match[0] if match else ""

    def unmatched_text(self, message: str) -> str:
        """The rest of the message, in `plain` form, without the endings of what the pattern matches."""
        return " ".join(
            re.sub(re.escape(self.matched_text(message)) + r"[가-힣]*", " ", plain(message), count=1).split()
        )


@lru_cache(maxsize=256)
def plain(message: str) -> str:
    """The form that patterns are written for; not NFKC, under which the consonants of "ㄱㅅ" are other characters."""
    return " ".join(unicodedata.normalize("NFC", message).translate(_HALF_WIDTH).lower().split())


@dataclass(frozen=True, slots=True)
class Entry:
    """One `[[rule]]` table of a file, with the file's word lists. Every problem is an InputError naming file and rule."""

    values: Mapping[str, Any]
    words: Mapping[str, str]
    place: str

    def check_keys(self, known: Collection[str]) -> None:
        """Raise InputError where `name` or `pattern` is missing, or a key is not `known`."""
        if missing := {"name", "pattern"} - self.values.keys():
            raise InputError(f"{self.place}: missing {', '.join(sorted(missing))}")
        if unknown := self.values.keys() - set(known):
            raise InputError(f"{self.place}: unknown key {', '.join(sorted(unknown))}; use {', '.join(sorted(known))}")

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """The value of a key that takes one of a few words."""
        value = self.values.get(key, default)
        if value not in choices:
            raise InputError(f"{self.place}: {key} is {value!r}; use one of {', '.join(choices)}")
        return str(value)

    def compile(self, pattern: str) -> re.Pattern[str]:
        """The pattern with its word lists filled in."""

        def alternatives(match: re.Match[str]) -> str:
            if match[1] not in self.words:
                raise InputError(f"{self.place}: <{match[1]}> is not in [words]")
            return f"(?:{self.words[match[1]]})"

        try:
            return re.compile(_WORD.sub(alternatives, pattern))
        except re.error as exc:
            raise InputError(f"{self.place}: invalid pattern: {exc}") from exc

    def common(self) -> dict[str, Any]:
        """The fields of NamedPattern."""
        unless = self.values.get("unless")
        return {
            "name": str(self.values["name"]),
            "pattern": self.compile(self.values["pattern"]),
            "unless": self.compile(unless) if unless else None,
            "examples": tuple(self.values.get("examples", ())),
            "not_examples": tuple(self.values.get("not_examples", ())),
        }


COMMON_KEYS = frozenset({"name", "pattern", "unless", "examples", "not_examples"})


def entries(text: str, *, file: str) -> Iterator[Entry]:
    """The `[[rule]]` tables of a TOML text, in order. Raises InputError for text that is no TOML, and for a name used twice."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise InputError(f"{file} is not valid TOML: {exc}") from exc
    names = set()
    for number, values in enumerate(data.get("rule", ()), 1):
        if (name := values.get("name")) in names:
            raise InputError(f"{file}, rule {number}: the name {name!r} is used twice; each rule needs its own")
        names.add(name)
        yield Entry(values, data.get("words", {}), f"{file}, rule {number}")
