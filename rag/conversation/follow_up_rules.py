"""A follow-up and its history to the texts to search for. Stateless; the history comes with each question.

Without a language model there are two readings of a message in a conversation: alone, or joined to what it follows.
A message that opens a new subject, or is long enough to stand by itself, has only the first; one that points back
("그럼 수수료는요?") only the second. For the rest both are searched where the message alone finds too little, and
`rag.conversation.follow_up_choice` chooses. History is never a template, only text. What this was measured against:
docs/evaluation-log.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rag.types import Turn

_NEW_SUBJECT = re.compile(
    r"^\s*((아|어|음)[\s,~!.]*)?((그리고|근데|그런데|참|맞다|다른\s*(거|건|건데|질문|얘기)\S*|별개로|별도로|한\s*가지만?\s*더\S*|하나만?\s*더\S*|추가로)[\s,~!.]*)+"
)
_POINTS_BACK = re.compile(
    r"^\s*(그럼|그러면|그거|그건|그게|그때|그것|거기|이거|이건|저거|그렇게|아까|방금|만약|아니면|그래도|반대로|왜(요|죠)?[\s?!~.ㅜㅠ]*$)"
)
_ELLIPTIC = re.compile(r"(면|고|는|은|도|두|만|부터|까지|로|에서|데|거|건|꺼|걸)(요|여|용)?[\s?!~.,;ㅜㅠㅋㅎ]*$")
LONG_ENOUGH = 20
LONG_ENOUGH_AFTER_MARKER = 12
MAX_TURNS = 3
MAX_JOINED_CHARS = 400


def standalone_text(question: str, history: Sequence[Turn]) -> str:
    """The message by itself; within a conversation without the words that only open a new subject."""
    return (_NEW_SUBJECT.sub("", question) or question) if history else question


def is_follow_up(question: str, history: Sequence[Turn]) -> bool:
    """Whether the message may need what was said before."""
    return bool(history) and not stands_alone(question)


def contextual_text(question: str, history: Sequence[Turn], has_topic: Callable[[str], bool]) -> str:
    """The message with the questions it follows, at most MAX_TURNS of them.

    They go back to the last one that needs nothing before it: by its words, or because read alone it `has_topic`.
    """
    texts, followed = [question], history[-MAX_TURNS:]
    for index in reversed(range(len(followed))):
        earlier = followed[index].question
        texts.append(earlier)
        if stands_alone(earlier) or (
            index and not has_back_reference(earlier) and has_topic(standalone_text(earlier, followed[:index]))
        ):
            break
    return " ".join(reversed(texts))[-max(MAX_JOINED_CHARS, len(question)) :]


def stands_alone(message: str) -> bool:
    """Whether a message within a conversation needs nothing before it; lengths in characters without spaces."""
    if has_back_reference(message):
        return False
    rest = _NEW_SUBJECT.sub("", message)
    length = len("".join(rest.split()))
    return length >= (LONG_ENOUGH if rest == message else LONG_ENOUGH_AFTER_MARKER)


def has_back_reference(message: str) -> bool:
    """Whether it begins with a word that refers to what was said before ("그럼 수수료는요?")."""
    return bool(_POINTS_BACK.match(message))


def is_elliptical(message: str) -> bool:
    """Whether it ends before the verb, which what was said before has to give ("수수료는요?", "깜빡하고 안 찾으면?")."""
    return bool(_ELLIPTIC.search(message))
