"""Word rules kept as data: named patterns in TOML files, each with examples that match and examples that must not.

`decline_rules.toml` says why a question may be declined by its words alone, and describes the keys; a bank can read and change
it. `follow_up_rules.toml` says what the words of a message in a conversation show. A rule looks only at the words: what counts
for more is decided in `rag.conversation.searcher`. Texts are matched in lower case, composed and with single spaces, so that
patterns are independent of typing.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal, get_args

from rag.errors import InputError
from rag.types import NoteKind, Reason

YieldsTo = Literal["rows", "same", "nothing"]
MAX_REST = 3
"""Characters that may be left of a message beside an `only` pattern and filler words."""
_CHOICES = {"reason": get_args(Reason), "note": get_args(NoteKind), "yields_to": get_args(YieldsTo)}
_KEYS = {"name", "pattern", "unless", "examples", "not_examples", "only", *_CHOICES}
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_WORD = re.compile(r"<([a-z_]+)>")


@dataclass(frozen=True, slots=True)
class WordRule:
    """One rule; the fields are the keys of the TOML file. It holds where `pattern` occurs and `unless` does not.

    `rest` matches what an `only` rule allows beside its pattern. `reason`, `note` and `yields_to` are the decline rules' alone.
    """

    name: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None
    examples: tuple[str, ...] = ()
    not_examples: tuple[str, ...] = ()
    reason: Reason = "not_covered"
    note: NoteKind | None = None
    rest: re.Pattern[str] | None = None
    yields_to: YieldsTo = "rows"

    def matches(self, message: str) -> bool:
        """Whether it holds for a message as the customer typed it."""
        text = plain(message)
        if not self.pattern.search(text) or (self.unless and self.unless.search(text)):
            return False
        return self.rest is None or len(self.rest.sub("", text)) <= MAX_REST

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


def match_decline_rule(question: str) -> WordRule | None:
    """The first of the bundled decline rules that holds; None: the rows decide."""
    return next((rule for rule in bundled("decline_rules.toml") if rule.matches(question)), None)


def refused_rows(rows: Iterable[tuple[str, str]]) -> list[str]:
    """A line for each row, given as (id, question), that a rule would decline where it is not asked word for word."""
    lines = []
    for name, question in rows:
        if (rule := match_decline_rule(question)) and rule.yields_to != "same":
            lines.append(
                f"row {name}: the decline rule {rule.name!r} ({rule.reason}) matches its question: {question!r}"
            )
    return lines


@cache
def bundled(file: str) -> tuple[WordRule, ...]:
    """The rules of a TOML file that comes with the package."""
    text = resources.files("rag.conversation").joinpath(file).read_text(encoding="utf-8")
    return parse(text, file=file)


def parse(text: str, *, file: str = "decline rules") -> tuple[WordRule, ...]:
    """The rules of a TOML text, in order. Raises InputError naming the rule and what is wrong with it."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise InputError(f"{file} is not valid TOML: {exc}") from exc
    rules: dict[str, WordRule] = {}
    for number, values in enumerate(data.get("rule", ()), 1):
        rule = _rule(values, data.get("words", {}), f"{file}, rule {number}")
        if rule.name in rules:
            raise InputError(f"{file}, rule {number}: the name {rule.name!r} is used twice; each rule needs its own")
        rules[rule.name] = rule
    return tuple(rules.values())


def _rule(values: Mapping[str, Any], words: Mapping[str, str], place: str) -> WordRule:
    if missing := {"name", "pattern"} - values.keys():
        raise InputError(f"{place}: missing {', '.join(sorted(missing))}")
    if unknown := values.keys() - _KEYS:
        raise InputError(f"{place}: unknown key {', '.join(sorted(unknown))}; use {', '.join(sorted(_KEYS))}")
    for key, choices in _CHOICES.items():
        if key in values and values[key] not in choices:
            raise InputError(f"{place}: {key} is {values[key]!r}; use one of {', '.join(choices)}")

    def compiled(pattern: str) -> re.Pattern[str]:
        if unknown := [name for name in _WORD.findall(pattern) if name not in words]:
            raise InputError(f"{place}: <{unknown[0]}> is not in [words]")
        try:
            return re.compile(_WORD.sub(lambda match: f"(?:{words[match[1]]})", pattern))
        except re.error as exc:
            raise InputError(f"{place}: invalid pattern: {exc}") from exc

    fields: dict[str, Any] = {key: values[key] for key in ("name", *_CHOICES) if key in values}
    if "unless" in values:
        fields["unless"] = compiled(values["unless"])
    if values.get("only"):
        # Greetings are courtesy around thanks, and the other way round: neither counts as something else that is said.
        beside = [f"<{word}>" for word in ("thanks", "greeting", "filler") if word in words]
        fields["rest"] = compiled("|".join([f"(?:{values['pattern']})", *beside]))
    fields |= {key: tuple(values.get(key, ())) for key in ("examples", "not_examples")}
    return WordRule(pattern=compiled(values["pattern"]), **fields)
