"""A follow-up and its history to the texts to search for. Stateless; the history comes with each question.

Without a language model there are two readings of a message in a conversation: alone, or joined to what it follows.
A message that opens a new subject, or is long enough to stand by itself, has only the first; one that points back
("그럼 수수료는요?") only the second. For the rest `rag.chat` searches the message alone, and joined only where that finds
too little. History is never a template, only text. What this was measured against: docs/evaluation-log.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.types import Turn

_NEW_SUBJECT = re.compile(
    r"^\s*((아|어|음)[\s,~!.]*)?((그리고|근데|그런데|참|맞다|다른\s*(거|건|건데|질문|얘기)\S*|별개로|별도로|한\s*가지만?\s*더\S*|하나만?\s*더\S*|추가로)[\s,~!.]*)+"
)
_POINTS_BACK = re.compile(
    r"^\s*(그럼|그러면|그거|그건|그게|그때|그것|거기|이거|이건|저거|그렇게|아까|방금|만약|아니면|그래도|반대로)"
)
LONG_ENOUGH = 20
LONG_ENOUGH_AFTER_MARKER = 12
MAX_TURNS = 3
MAX_JOINED_CHARS = 400


def alone(question: str, history: Sequence[Turn]) -> str:
    """The message by itself; within a conversation without the words that only open a new subject."""
    return (_NEW_SUBJECT.sub("", question) or question) if history else question


def joined(question: str, history: Sequence[Turn]) -> str | None:
    """The message with the questions it follows, at most MAX_TURNS of them; None where it needs none."""
    if not history or stands_alone(question):
        return None
    texts = [question]
    for turn in reversed(history[-MAX_TURNS:]):
        texts.append(turn.question)
        if stands_alone(turn.question):
            break
    return " ".join(reversed(texts))[-max(MAX_JOINED_CHARS, len(question)) :]


def stands_alone(message: str) -> bool:
    """Whether a message within a conversation needs nothing before it; lengths in characters without spaces."""
    if points_back(message):
        return False
    rest = _NEW_SUBJECT.sub("", message)
    length = len("".join(rest.split()))
    return length >= (LONG_ENOUGH if rest == message else LONG_ENOUGH_AFTER_MARKER)


def points_back(message: str) -> bool:
    """Whether it begins with a word that refers to what was said before ("그럼 수수료는요?")."""
    return bool(_POINTS_BACK.match(message))
