"""The texts of answers, from texts.toml: replies to declined questions, frames around quoted passages, instructions to models.

Questions in English get the English texts. Each reply says how to reach a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rag.data_files import read_toml
from rag.korean import compact
from rag.retrieval.query_analysis import in_english
from rag.types import Note, Reason

_HANGUL = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣ]")
# Four letters: OTP, ATM and CMA stand in Korean questions.
_ENGLISH_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]{4,}(?![A-Za-z])")

DEFAULT_CONTACT = "새나래은행 1500-0101, 도담저축은행 1500-0202, 미르누리증권 1500-0303"
"""The fictitious numbers of the institutions in the bundled FAQ."""
BROKE_OFF = "답변이 중간에 끊겨, 등록된 FAQ 원문을 그대로 보여 드립니다."
"""Shown between an answer that broke off and the passages, if the answer cannot be withdrawn any more."""

_TEXTS: Mapping[str, Any] = read_toml(__package__, "texts.toml")
ANSWERING, SUMMARIZING, CONDENSING = (
    str(_TEXTS["instructions"][name]) for name in ("answering", "summarizing", "condensing")
)
"""Instructions to models: the system message, or the 명령어 of KULLM; the data are the user message, or its 입력."""


def kinds(group: str, *, english: bool = False) -> Mapping[str, str]:
    """The templates of a group by name: `declined` by reason, `notes` by kind, or `frames`."""
    texts: Mapping[str, str] = _TEXTS["english" if english else "korean"][group]
    return texts


def frame(name: str, *, english: bool = False, **values: str) -> str:
    """The text of a frame with these values."""
    return kinds("frames", english=english)[name].format(**values)


def passage(place: str, heading: str, text: str, uncertain: str, *, english: bool = False) -> str:
    """A passage of a document below its place and heading; `uncertain`: values that must be checked, or empty."""
    lines = [frame("passage", english=english), f"[{place}]", heading, text]
    if uncertain:
        lines.append(frame("uncertain", english=english, values=uncertain))
    return "\n".join(lines)


def is_english(text: str) -> bool:
    """Whether a question is in English: Latin words, at least one of four letters, and no Hangul."""
    return not _HANGUL.search(text) and bool(_ENGLISH_WORD.search(text))


def declined(
    reason: Reason,
    *,
    contact: str | None = None,
    category: str = "",
    topics: Sequence[str] = (),
    note: Note | None = None,
    english: bool = False,
) -> str:
    """The fixed text for a declined question: that of the `note` if there is one, else that of the reason.

    `contact`: None for that of the bundled institutions, empty for none. `category`: the nearest one in the index, for
    not_covered. `topics`: categories to name as examples of what can be asked; empty for those of a bank.
    """
    if note:
        return noted(note, contact=contact, topics=topics, english=english)
    category = _in_english(category) if english else category
    nearest = frame("nearest", english=english, category=category) if category else ""
    text = kinds("declined", english=english)[reason]
    return text.format(desk=_desk(contact, english=english), nearest=nearest, topics=_examples(topics, english=english))


def noted(note: Note, *, contact: str | None = None, topics: Sequence[str] = (), english: bool = False) -> str:
    """The text of a note. `contact`, `topics`: as for `declined`."""
    text = kinds("notes", english=english)[note.kind].format(
        desk=_desk(contact, english=english), topics=_examples(topics, english=english), **note.values
    )
    number = DEFAULT_CONTACT if contact is None else contact
    # The number follows, or it would be read as the other institution's.
    own = frame("own_desk", english=english, contact=number) if note.kind == "other_institution" and number else ""
    return f"{text} {own}".rstrip()


def suggested(
    *, note: Note | None = None, names: Sequence[str] = (), contact: str | None = "", english: bool = False
) -> str:
    """The text above suggested rows. `names`: their institutions, which are named if `note` is about another one.

    `contact`: as for `declined`, after a note about another institution or of fraud.
    """
    if note is None:
        return frame("suggested", english=english)
    if note.kind in ("fraud", "fraud_loss"):
        return f"{noted(note, contact=contact, english=english)}\n\n{frame('fraud_guidance', english=english)}"
    if note.kind != "other_institution":
        return noted(note, contact="", english=english)
    own = ", ".join(names) or note.values.get("own", "")
    rows = f" {frame('others_guidance', english=english, names=own)}" if own else ""
    return noted(note, contact=contact, english=english) + rows


def _examples(topics: Sequence[str], *, english: bool) -> str:
    if not english:
        return ", ".join(topics) or frame("topics")
    named = dict.fromkeys(filter(None, map(_in_english, topics)))
    return ", ".join(named) or frame("own_topics" if topics else "topics", english=True)


def _in_english(category: str) -> str:
    """A category's name in English, of which parts that have none are left out: "transfers/money transfers"; else empty."""
    categories = kinds("categories", english=True)
    parts = [part.strip() for part in re.split(r"[·/,&]", category)]
    named = (part if part.isascii() else categories.get(compact(part)) or in_english(part) for part in parts)
    return "/".join(dict.fromkeys(filter(None, named)))


def _desk(contact: str | None, *, english: bool) -> str:
    number = DEFAULT_CONTACT if contact is None else contact
    desk = "the customer centre" if english else "고객센터"
    return f"{desk}{' ' if english else ''}({number})" if number else desk
