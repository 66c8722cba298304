"""The expected content of a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

Line = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfficeFile:
    """A file and what a person sees in it.

    `lines`: texts that stand together in one line of what is read, in this order. `never`: texts that stand in one line
    nowhere, in whatever order; of one text, it stands nowhere. `refused`: the file is no passages but one line with this text.
    `rows`: of an FAQ, question and answer.
    `doubted`: values that another reader gets wrong. `notes`: texts of the notes that name what was left out.
    """

    name: str
    data: bytes
    lines: tuple[Line, ...] = ()
    never: tuple[Line, ...] = ()
    refused: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    doubted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def holds(line: str, texts: Line, *, ordered: bool = True) -> bool:
    """Whether all texts stand in a line, each as a value of its own: "600원" is not in "1,600원".

    Spaces within Hangul do not count: no PDF says whether one stood at a line's end.
    """
    line = re.sub(r"(?<=[가-힣]) (?=[가-힣])", "", line)
    texts = tuple(re.sub(r"(?<=[가-힣]) (?=[가-힣])", "", text) for text in texts)
    at = 0
    for text in texts:
        found = _find(line, text, at if ordered else 0)
        if found < 0:
            return False
        at = found + len(text)
    return True


def _find(line: str, text: str, at: int) -> int:
    while (found := line.find(text, at)) >= 0:
        before, after = line[found - 1 : found], line[found + len(text) :]
        cut_before = text[0].isdigit() and (before.isdigit() or (before in ",." and before != ""))
        cut_after = text[-1].isdigit() and (after[:1].isdigit() or (after[:1] in (",", ".") and after[1:2].isdigit()))
        if not cut_before and not cut_after:
            return found
        at = found + 1
    return -1
