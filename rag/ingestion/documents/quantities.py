"""Amounts, rates and dates as two readers see them: what only one sees, or sees elsewhere, is doubted. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag.ingestion.documents.blocks import Block, squeezed

_QUANTITY = re.compile(
    r"[₩$€¥£]?\d+(?:[,.:/-]\d+)*(?:\.(?=\d))?(?:[조억천백십]?[만천백]?(?:원|달러|엔|유로|위안)|%p?|퍼센트|bp|개월|영업일|년|월|일|회|건|세|시간|시|분|배|명)?"
    r"|면제|무료"
)
_MARK = re.compile(r"\[주\d*\]")
"""Marks of notes, which are ours."""
_CONTEXT = 6
"""Characters beside a quantity by which it is found again in the other reading."""


@dataclass(frozen=True, slots=True)
class SecondReading:
    """What another reader saw: its tables' rows as cells, and everything else as one text."""

    rows: Sequence[Sequence[str]]
    text: str


def quantities(text: str) -> list[str]:
    """The quantities of a text in order, without spaces."""
    return [match[0] for match in _QUANTITY.finditer(squeezed(_MARK.sub("", text)))]


def doubted(blocks: Iterable[Block], second: SecondReading) -> list[Block]:
    """The blocks with the quantities that the second reading does not have beside the same words."""
    rows = [frozenset(squeezed(cell) for cell in row if cell.strip()) for row in second.rows]
    everything = squeezed(second.text + "\n" + "\n".join(" ".join(row) for row in second.rows))
    return [
        replace(block, uncertain=_in_row(block, rows) if block.kind == "row" else _in_text(block, everything))
        for block in blocks
    ]


def doubted_in(block: Block, places: Iterable[str]) -> Block:
    """The block with the quantities that are not in what another reader saw in the same places of the page.

    Cell by cell: "업무 11" beside "1,210원" is no 111,210원.
    """
    left = [quantity for place in places for quantity in quantities(place)]
    missing = []
    for quantity in (
        each for part in (block.own if block.kind == "row" else [block.text]) for each in quantities(part)
    ):
        if quantity in left:
            # Once each: an amount that is printed twice must be seen twice.
            left.remove(quantity)
        else:
            missing.append(quantity)
    return replace(block, uncertain=tuple(dict.fromkeys(missing)))


def _in_row(block: Block, rows: Sequence[frozenset[str]]) -> tuple[str, ...]:
    own = frozenset(squeezed(cell) for cell in block.own)
    if any(own <= row for row in rows):
        return ()
    # The other reader may write a table within a cell as lines of that cell: there the row's cells follow each other.
    line = re.escape("".join(map(squeezed, block.own)))
    # "800원" is not in "1,800원", nor "30" in "300".
    line = (r"(?<![\d,.])" if line[:1].isdigit() else "") + line + (r"(?![\d,.])" if line[-1:].isdigit() else "")
    if line and any(re.search(line, cell) for row in rows for cell in row):
        return ()
    # Cells are there, but not side by side: whichever reader is right, the amount's row is not known.
    return tuple(dict.fromkeys(quantity for cell in block.own for quantity in quantities(cell)))


def _in_text(block: Block, everything: str) -> tuple[str, ...]:
    text = squeezed(_MARK.sub("", block.text))
    missing = []
    for match in _QUANTITY.finditer(text):
        before, after = (
            text[max(match.start() - _CONTEXT, 0) : match.end()],
            text[match.start() : match.end() + _CONTEXT],
        )
        # Either side: a note's mark, or text deleted under track changes, may stand at the other.
        if before not in everything and after not in everything:
            missing.append(match[0])
    return tuple(dict.fromkeys(missing))
