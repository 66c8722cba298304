"""Why a question may be declined by its words alone: greeting, thanks, a wish for a person, advice or an injection.

The rules are data (`decline_rules.toml`, which describes its own keys), so that a bank can read and change them. A rule
looks only at the words; in `rag.conversation.searcher` a row that answers takes precedence over it (`yields_to`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, cast, get_args

from rag.conversation.patterns import COMMON_KEYS, NamedPattern, entries, plain
from rag.types import NoteKind, Reason

YieldsTo = Literal["rows", "same", "nothing"]
MAX_REST = 3
"""Characters that may be left of a message beside an `only` pattern and filler words."""


@dataclass(frozen=True, slots=True)
class DeclineRule(NamedPattern):
    """One rule; the fields are the keys of the TOML file. `rest` removes what an `only` rule allows beside its pattern."""

    reason: Reason = "not_covered"
    note: NoteKind | None = None
    rest: re.Pattern[str] | None = None
    yields_to: YieldsTo = "rows"

    def matches(self, message: str) -> bool:
        """Whether the rule holds for a question as the customer typed it."""
        if not NamedPattern.matches(self, message):
            return False
        return self.rest is None or len(self.rest.sub("", plain(message))) <= MAX_REST


def match_decline_rule(question: str) -> DeclineRule | None:
    """The first of the bundled rules that holds; None: the rows decide."""
    return next((rule for rule in bundled() if rule.matches(question)), None)


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
def bundled() -> tuple[DeclineRule, ...]:
    """The rules that come with the package."""
    text = resources.files("rag.conversation").joinpath("decline_rules.toml").read_text(encoding="utf-8")
    return parse(text, file="decline_rules.toml")


def parse(text: str, *, file: str = "decline rules") -> tuple[DeclineRule, ...]:
    """The rules of a TOML text, in order. Raises InputError naming the rule and what is wrong with it."""
    rules = []
    for entry in entries(text, file=file):
        entry.check_keys(COMMON_KEYS | {"reason", "note", "only", "yields_to"})
        # Greetings are courtesy around thanks, and the other way round: neither counts as something else that is said.
        beside = [f"<{word}>" for word in ("thanks", "greeting", "filler") if word in entry.words]
        rest = (
            entry.compile("|".join([f"(?:{entry.values['pattern']})", *beside])) if entry.values.get("only") else None
        )
        rules.append(
            DeclineRule(
                **entry.common(),
                reason=cast(Reason, entry.choice("reason", get_args(Reason))),
                note=cast(NoteKind, entry.choice("note", get_args(NoteKind))) if "note" in entry.values else None,
                rest=rest,
                yields_to=cast(YieldsTo, entry.choice("yields_to", get_args(YieldsTo), "rows")),
            )
        )
    return tuple(rules)
