"""The contrast sets as data: what excludes each other (contrasts.toml), and the names of things (terms.tsv)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, product
from typing import Any, Literal

from rag.data_files import read_table, read_toml

Kind = Literal["product", "means", "scope", "action", "state", "channel", "term"]
ANSWERING = "answering"
"""The member of a term for words by which a row answers without naming it: "무료" states a fee. No question asks for it."""


@dataclass(frozen=True)
class ContrastSet:
    """One contrast set; contrasts.toml describes the fields.

    `members`: the forms of each member. `exceptions`: longer words that contain a form and mean something else. `weak`: forms
    that count only without another member of the set. `unless`: by form, words with which it means something else. `required`:
    members of an action that a row must name to answer a question on them. `general`: what all members are kinds of; a row on
    it answers questions on all of them, or only on the `plain` ones if there are any. `regardless`: other sets of which a row
    on this set covers all members. `default`: members that rows are on which name none. `collective`: words by which a row's
    question names all members, unless its answer names other ones. `implied`: by member, words by which a row is on it without
    naming it.
    """

    name: str
    kind: Kind
    members: Mapping[str, tuple[str, ...]]
    exceptions: tuple[str, ...] = ()
    weak: frozenset[str] = frozenset()
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    general: str = ""
    plain: frozenset[str] = frozenset()
    regardless: frozenset[str] = frozenset()
    implied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default: frozenset[str] = frozenset()
    collective: tuple[str, ...] = ()


def contrast_set(entry: Mapping[str, Any]) -> ContrastSet:
    """The set of an entry of contrasts.toml."""

    def words(field: str) -> tuple[str, ...]:
        return tuple(form for pattern in entry.get(field, ()) for form in spelled_out(pattern))

    return ContrastSet(
        entry["name"],
        entry["kind"],
        members={
            str(name): tuple(chain.from_iterable(map(spelled_out, forms))) for name, forms in entry["members"].items()
        },
        exceptions=words("except"),
        weak=frozenset(words("weak")),
        unless={str(form): tuple(others) for form, others in entry.get("unless", {}).items()},
        required=frozenset(words("required")),
        general=str(entry.get("general", "")),
        plain=frozenset(words("plain")),
        regardless=frozenset(words("regardless")),
        implied={str(name): tuple(others) for name, others in entry.get("implied", {}).items()},
        default=frozenset(words("default")),
        collective=words("collective"),
    )


def spelled_out(pattern: str) -> list[str]:
    """The forms of a pattern with alternatives in braces: "제계좌로" and "내계좌로" for "{제,내}계좌로"."""
    parts = [part.split(",") if number % 2 else [part] for number, part in enumerate(re.split(r"[{}]", pattern))]
    return ["".join(choice) for choice in product(*parts)]


@cache
def bundled_sets() -> dict[str, ContrastSet]:
    """The bundled sets and terms by name."""
    sets = [contrast_set(entry) for entry in read_toml(__package__, "contrasts.toml")["set"]]
    terms = [_term(*cells) for cells in read_table(__package__, "terms.tsv")]
    return {each.name: each for each in (*sets, *terms)}


def _term(names: str, answering: str = "") -> ContrastSet:
    """The set of a thing that excludes nothing: one member with all its names, and one for the words that only answer it."""
    written = [name for pattern in names.split("|") for name in spelled_out(pattern)]
    forms = tuple(name for name in written if not name.startswith("!"))
    exceptions = tuple(name.removeprefix("!") for name in written if name.startswith("!"))
    name = forms[0].removeprefix("^")
    members = {name: forms, **({ANSWERING: tuple(answering.split("|"))} if answering else {})}
    return ContrastSet(f"term {name}", "term", members, exceptions)
