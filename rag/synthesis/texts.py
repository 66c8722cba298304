"""The texts that answers are made of, read from texts.toml: replies to declined questions, frames around quoted passages, and
the instructions of language models. A question in English gets the English ones. Each reply says how to reach a person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rag.data_files import read_toml
from rag.types import Note, Reason

_HANGUL = re.compile(r"[가-힣ㄱ-ㅎㅏ-ㅣ]")
# Four letters: OTP, ATM and CMA stand in Korean questions.
_ENGLISH_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]{4,}(?![A-Za-z])")

DEFAULT_CONTACT = "새나래은행 1500-0101, 도담저축은행 1500-0202, 미르누리증권 1500-0303"
"""The invented numbers of the bundled FAQ's institutions."""
BROKE_OFF = "답변이 중간에 끊겨, 등록된 FAQ 원문을 그대로 보여 드립니다."
"""Stands between a broken answer and the passages, where the one cannot be taken back any more."""

_TEXTS: Mapping[str, Any] = read_toml(__package__, "texts.toml")
ANSWERING, SUMMARIZING, CONDENSING = (
    str(_TEXTS["instructions"][name]) for name in ("answering", "summarizing", "condensing")
)
"""What a model is told to do: KULLM's 명령어, or the system message; the data are its 입력, or the user's message."""


def kinds(group: str, *, english: bool = False) -> Mapping[str, str]:
    """The texts of a group by their names: `declined` by reason, `notes` by kind, `frames`. With their places to be filled."""
    texts: Mapping[str, str] = _TEXTS["english" if english else "korean"][group]
    return texts


def frame(name: str, *, english: bool = False, **values: str) -> str:
    """The text of a frame, with its values."""
    return kinds("frames", english=english)[name].format(**values)


def passage(place: str, heading: str, text: str, uncertain: str, *, english: bool = False) -> str:
    """A passage of a document under its heading, as one and not as an approved answer; `uncertain`: values to be checked."""
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
    """The whole fixed text for a declined question; of the `note` instead of the reason where there is one.

    `contact` None: the bundled institutions'; empty: none is named. `category`: the nearest of the index's, for not_covered.
    `topics`: categories named as examples of what can be asked; none: those of a bank.
    """
    if note:
        return noted(note, contact=contact, topics=topics, english=english)
    nearest = frame("nearest", english=english, category=category) if category else ""
    text = kinds("declined", english=english)[reason]
    return text.format(desk=_desk(contact, english=english), nearest=nearest, topics=_examples(topics, english=english))


def noted(note: Note, *, contact: str | None = None, topics: Sequence[str] = (), english: bool = False) -> str:
    """The sentences of a note. `contact`, `topics`: as for `declined`."""
    return kinds("notes", english=english)[note.kind].format(
        desk=_desk(contact, english=english), topics=_examples(topics, english=english), **note.values
    )


def suggested(*, note: Note | None = None, names: Sequence[str] = (), english: bool = False) -> str:
    """The sentence over suggested rows. `names`: the institutions they belong to, said where `note` is about another one."""
    if note is None:
        return frame("suggested", english=english)
    text = noted(note, contact="", english=english)
    if note.kind != "other_institution" or not names:
        return text
    return f"{text} {frame('others_guidance', english=english, names=', '.join(names))}"


def _examples(topics: Sequence[str], *, english: bool) -> str:
    # The index's categories are Korean.
    return ", ".join(topics) if topics and not english else frame("topics", english=english)


def _desk(contact: str | None, *, english: bool) -> str:
    number = DEFAULT_CONTACT if contact is None else contact
    desk = "the customer centre" if english else "고객센터"
    return f"{desk}{' ' if english else ''}({number})" if number else desk
