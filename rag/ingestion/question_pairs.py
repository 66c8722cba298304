"""Finds questions and answers in rows below each other, as lists without a header have them ("Q1" above "A1"). Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rag.ingestion.tables import Line, Record, Table

_QUESTION = re.compile(r"(?:Q|질문|질의|문의?)\s?\d{0,3}\s?[.):\]]?")
_ANSWER = re.compile(r"(?:A|답변|답|회신)\s?\d{0,3}\s?[.):\]]?")
_QUESTION_START = re.compile(
    r"\[?(?:(?:Q|질문|질의|문의)\s?\d{0,3}\s?[.):\]]|문\s?\d{0,3}\s?[.):\]]|Q\s?\d{1,3}\s)\s*(?=\S)"
)
_ANSWER_START = re.compile(r"\[?(?:(?:A|답변|답|회신)\s?\d{0,3}\s?[.):\]]|A\s?\d{1,3}\s)\s*(?=\S)")
_TITLE = re.compile(r"[\[<【〔「■□◆◇●○▶※].{1,30}|.{1,20}[\]>】〕」]")
_MINIMUM = 2
"""Questions that make a list; a single one may be an example in a text."""


@dataclass(slots=True)
class Pair:
    """A question, its answer, and the title above it. `row`: of the question."""

    row: int
    question: str
    category: str = ""
    answer: list[str] = field(default_factory=list)


def is_question_label(text: str) -> bool:
    """Whether a cell has nothing but the number of a question: "Q1"."""
    return bool(re.fullmatch(r"(?:Q|문|질문)\s?\d{1,3}\s?[.)]?", text))


def starts_question(text: str) -> bool:
    """Whether a text begins with a question's mark: "Q1. …", "문 1) …", "[질문] …"."""
    return bool(_QUESTION_START.match(text))


def starts_answer(text: str) -> bool:
    """Whether a text begins with an answer's mark: "A1. …", "답) …", "[답변] …"."""
    return bool(_ANSWER_START.match(text))


def without_marks(question: str, answer: str) -> tuple[str, str]:
    """A question and its answer without "Q." and "A." before them, if both have such a mark."""
    marks = _QUESTION_START.match(question), _ANSWER_START.match(answer)
    return (question[marks[0].end() :], answer[marks[1].end() :]) if marks[0] and marks[1] else (question, answer)


def find_pairs(lines: Iterable[Line]) -> list[Pair]:
    """The questions and answers of a sheet whose rows alternate between them; empty if they do not.

    The marks are in a cell of their own or before the text. Each question must have one answer, which may go on in further
    rows; titles between them are the category of those that follow.
    """
    pairs: list[Pair] = []
    category = ""
    for line in lines:
        cells = list(dict.fromkeys(cell.strip() for cell in line.cells if cell.strip()))
        kind, text = _kind_of(cells)
        if kind == "question":
            if pairs and not pairs[-1].answer:
                return []
            pairs.append(Pair(line.row, text, category))
        elif kind == "answer":
            if not pairs or pairs[-1].answer:
                return []
            pairs[-1].answer.append(text)
        elif cells:
            if len(cells) == 1 and (not pairs or (pairs[-1].answer and _TITLE.fullmatch(text))):
                category = text.strip("[]<>【】〔〕「」■□◆◇●○▶※ ")
            elif not pairs:
                return []
            elif pairs[-1].answer:
                pairs[-1].answer.append(text)
            else:
                pairs[-1].question += f" {text}"
    return pairs if len(pairs) >= _MINIMUM and all(pair.answer for pair in pairs) else []


def add_pairs(table: Table, pairs: Iterable[Pair]) -> None:
    """Fill the table with pairs as records with the columns question, answer and category."""
    table.header = ("question", "answer", "category")
    table.records += [
        Record(pair.row, {"question": pair.question, "answer": "\n".join(pair.answer), "category": pair.category})
        for pair in pairs
    ]


def _kind_of(cells: Sequence[str]) -> tuple[str, str]:
    """Whether a row is a question, an answer or neither (""), and its text without the mark."""
    text = "\n".join(cells)
    if len(cells) > 1 and _QUESTION.fullmatch(cells[0]):
        return "question", " ".join(cells[1:])
    if len(cells) > 1 and _ANSWER.fullmatch(cells[0]):
        return "answer", "\n".join(cells[1:])
    if match := _QUESTION_START.match(text):
        return "question", " ".join(text[match.end() :].split())
    if match := _ANSWER_START.match(text):
        return "answer", text[match.end() :]
    return "", text
