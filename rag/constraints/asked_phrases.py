"""What a question asks for in an everyday phrase, and whether a row says anything on it (asked_phrases.tsv).

Some things are asked for without their noun: the fee in "쓰려면 돈 내야 돼요", the papers in "뭐 들고 가요", the reason in
"왜 하나밖에 못 만들어요". A row that holds none of the words by which banks state them says nothing on them, however near it is
otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rag.data_files import read_table


def _read() -> Iterator[tuple[str, re.Pattern[str], re.Pattern[str]]]:
    lists: dict[str, str] = {}
    for name, asks, *states in read_table(__package__, "asked_phrases.tsv"):
        for each, words in lists.items():
            asks = asks.replace(each, words)
        if states:
            yield name, re.compile(asks), re.compile(states[0])
        else:
            lists[name] = asks


_PHRASES: Final = tuple(_read())
"""Name of what each phrase asks for, the phrase, and how a row states it."""
MAY_HOLD_PHRASE: Final = re.compile("|".join(f"(?:{asks.pattern})" for _, asks, _ in _PHRASES))
"""Matches every question with such a phrase: a fast first check."""


def phrases_not_held(question: str, row_question: str, row_answer: str) -> Iterator[str]:
    """The names of what a question asks for in such phrases and a row says nothing on."""
    for name, asks, states in _PHRASES:
        if asks.search(question) and not (states.search(row_question) or states.search(row_answer)):
            yield name
