"""Determines the headings above each block, and its clause (제12조, ①) as contract terms and manuals number them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.ingestion.documents.blocks import CELL_BREAK, CONTENTS_ENTRY, Block
from rag.ingestion.question_pairs import starts_answer, starts_question

_ARTICLE = re.compile(r"제\s?(\d+)\s?조(?:의\s?(\d+))?\s*(?:[(【\[〔]([^)】\]〕]{1,40})[)】\]〕])?")
_PART = re.compile(r"(?:제\s?\d+\s?(?:편|장|절|관)|부\s*칙|별\s*표(?:\s*\d+)?|[ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ]+\.)(?:\s|$|[<(\[])")
_PARTS = "편장절관"
_CIRCLED = re.compile(r"[①-⑳㉑-㉟]")
_SENTENCE = re.compile(r"[.다요]\s*$")


@dataclass(frozen=True, slots=True)
class OutlinePosition:
    """A block's position in its document.

    `headings`: above the block, outermost first, including the block itself if it is a heading. `clause`: such as "제12조 ②".
    `starts`: the block begins a section: it is a heading or an article.
    """

    headings: tuple[str, ...] = ()
    clause: str = ""
    starts_section: bool = False


def outline_positions(blocks: Sequence[Block]) -> Iterator[OutlinePosition]:
    """The position of each block, in order."""
    stack: list[tuple[int, str]] = []
    article, paragraph = "", ""
    for block, after in zip(blocks, [*blocks[1:], Block("")], strict=True):
        level, heading = _question_heading(block, after) or _heading(block)
        starts_section = bool(level)
        if level:
            # A heading ends the sections of its own and deeper levels.
            stack = [(depth, text) for depth, text in stack if depth < level]
            stack.append((level, heading))
            match = _ARTICLE.match(heading)
            article = (f"제{match[1]}조" + (f"의{match[2]}" if match[2] else "")) if match else ""
            paragraph = ""
        if (level or block.kind == "paragraph") and article and (mark := _mark(block.text, in_heading=bool(level))):
            paragraph = mark
        yield OutlinePosition(
            tuple(text for _, text in stack), " ".join(filter(None, (article, paragraph))), starts_section
        )


def _question_heading(block: Block, after: Block) -> tuple[int, str] | None:
    """The level and text of a question that its answer follows, within the block or in the next one; None for other blocks.

    Each question is a section, so that its answer is cited under it and not with its neighbours'.
    """
    question, _, rest = block.text.partition("\n")
    label, is_row, text = question.partition(CELL_BREAK)
    question = f"{label}. {text}" if is_row and block.kind == "row" else question
    answer = rest or after.text.replace(CELL_BREAK, ". ", 1)
    if block.header or not starts_question(question) or not starts_answer(answer):
        return None
    return 7, " ".join(question.split())[:80]


def _heading(block: Block) -> tuple[int, str]:
    """The level and text of a heading; level 0 if the block is none.

    An article is a heading whatever its style: that of "제12조(수수료) ① 은행은 …" is "제12조(수수료)".
    """
    if block.kind not in ("heading", "paragraph"):
        return 0, ""
    text = block.text.split("\n", 1)[0].strip()
    # An entry of a table of contents names a section with its page, and has nothing of it.
    if CONTENTS_ENTRY.search(text):
        return 0, ""
    if match := _ARTICLE.match(text):
        rest = text[match.end() :].strip()
        # "제12조에 따라 …" only refers to an article; "제12조 수수료" is one.
        if (
            match[3]
            or not rest
            or rest[0] in "①<"
            or (len(rest) < 30 and not _SENTENCE.search(rest) and text[match.end() : match.end() + 1] == " ")
        ):
            # Deeper than 편, 장, 절 and 관, whose levels are 2 to 5.
            return 6, match[0].strip() if match[3] or rest[:1] == "①" else text[:60]
        return 0, ""
    if len(text) <= 60 and _PART.match(text):
        unit = re.match(r"제\s?\d+\s?(.)", text)
        return (2 + _PARTS.index(unit[1]) if unit and unit[1] in _PARTS else 3), text
    return (block.level, " ".join(block.text.split())[:80]) if block.kind == "heading" else (0, "")


def _mark(text: str, *, in_heading: bool) -> str:
    # In "제12조(수수료) ① 은행은 …" the first paragraph's mark is within the article's line.
    rest = _ARTICLE.sub("", text, count=1).strip() if in_heading else text
    if circled := _CIRCLED.match(rest):
        return circled[0]
    return ""
