"""Splits an approved text into statements that can be read alone, and finds the one closest to a sentence that was withheld.

A statement is a sentence with the sentences after it that limit it or refer to it. A line of a list or below a heading is shown
together with the line above it ("[만기 전 해지] 이자는 …").
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from rag.korean import tokens
from rag.synthesis.prompt_builder import MARKER
from rag.synthesis.sentences import split_sentences, without_instructions
from rag.synthesis.words import ContentWord, PassageWords, all_words, content_words

NEAR = 0.6
"""Share of a withheld sentence's content words that a replacement must contain."""
NAMED = 0.5
"""Share that a line of a list or below a heading must contain itself; heading and title may contain the others."""
_ENDS = re.compile(r"(?:[가-힣A-Za-z)\]][.!]|[다요])$")
_ITEM = re.compile(r"(?:[\-*•·](?!\d)|\(\d{1,2}\)|\d{1,2}[.)]\s|[가-하][.)]|[ⅠⅡⅢⅣⅤⅥ①-⑳])\s*(?P<text>.*)")
_HEADING = re.compile(r"\[[^\]]{2,30}\]")
_LABEL = re.compile(r"(?P<label>[^:]{1,30}):\s+\S")
_PATH = " > "
"""Separates the parts of a menu path, which contains many words but states nothing."""
_TABLE = re.compile(r"[\t|]")
_ASKS = re.compile(r"[?？]$")
_REFERS = re.compile(r"다음(?!\s?(?:날|달|해|주|월|연도|년|분기|회|번|영업일|거래일))|아래|같습니다|같아요|\t|\|")
"""Matches a sentence that introduces or refers to a list, and a line of a table."""
_DEPENDS = re.compile(
    r"다만|단[,\s]|그러나|하지만|반면|예를 들어|예컨대|따라서|그래서|그러므로|해당|위[의\s]|상기|동\s"
    r"|[이그](?:\s|때|[은는에를]\s)|(?:이들|그것|이것)[은는이을]\s"
)
"""Begins a sentence that limits the one before it or refers to it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Sentences that can be shown alone. `head`: the heading or introduction of the list above them. `label`: the topic of a list
    item ("한도" of "한도: 5천만원"). Both may be empty."""

    sentences: tuple[str, ...]
    head: str = ""
    label: str = ""

    @property
    def is_line(self) -> bool:
        """Whether it is a line of a list or below a heading, not an independent sentence."""
        return bool(self.head or self.label)

    @property
    def text(self) -> str:
        """The text to show."""
        return " ".join([self.head, *self.sentences]).strip()


def statements(passage: str) -> list[Statement]:
    """The statements of an approved text, in its order.

    Left out: tables, nested lists, lines after a list or after a line with its own heading, questions, and sentences that refer
    to what follows.
    """
    parts: list[Statement] = []
    # `head` is above the next lines; None if they cannot be read even with it. From `first` on, a sentence may limit statements.
    head: str | None = ""
    first, in_list = 0, False
    for line in passage.split("\n"):
        text = line.strip().lstrip("※ ")
        # A blank line between a head and its list does not end the head.
        if "※" in line or (not text and (in_list or not _REFERS.search(head or ""))):
            head, in_list = "", False
        item, heading = _ITEM.match(text), _HEADING.match(text)
        own = item["text"] if item else text
        if not text:
            continue
        if text.startswith("(") and not item:
            parts[first:] = [_limited(each, text) for each in parts[first:]]
            continue
        if _TABLE.search(text) or own.endswith(":"):
            head = None
        elif heading:
            # Lines below a line with its own heading may be about something else.
            first, head, in_list = len(parts), text, False
            if heading.end() < len(text):
                parts.append(Statement((text,), label=heading[0]))
                head = None
        elif item:
            in_list = True
            if head is not None:
                label = _LABEL.match(own)
                parts.append(Statement(tuple(_sentences(own)), head, label["label"] if label else ""))
        elif in_list or head is None:
            head = None
        elif not _ENDS.search(text) and not _ASKS.search(text):
            first, head = len(parts), text
        else:
            for sentence in _sentences(text):
                if _DEPENDS.match(sentence):
                    parts[first:] = [_limited(each, sentence) for each in parts[first:]]
                else:
                    first = len(parts)
                    parts.append(Statement((sentence,), head))
            if _REFERS.search(sentence):
                head = f"{head} {sentence}".strip()
    return [each for each in parts if _is_readable(each)]


def _limited(statement: Statement, sentence: str) -> Statement:
    return replace(statement, sentences=(*statement.sentences, sentence))


def _sentences(text: str) -> Iterator[str]:
    return (text[start:end].strip() for start, end in split_sentences(text))


def _is_readable(statement: Statement) -> bool:
    sentences = statement.sentences[1:] if statement.label else statement.sentences
    return all(map(_ENDS.search, sentences)) and not any(
        _REFERS.search(each) or _ASKS.search(each) or MARKER.search(each) or (statement.is_line and _PATH in each)
        for each in statement.sentences
    )


def nearest_statement(
    sentence: str, passages: Mapping[int, str], titles: Mapping[int, str]
) -> tuple[int, Statement] | None:
    """The statement closest to a sentence by its words, with the number of its passage; None if none is close enough.

    `passages`: approved texts by number. `titles`: the text above each, which names the topic of its lists. If several lines of
    the same kind contain the same words of the sentence, none of them is taken, because either may be meant.
    """
    words, pairs = content_words(sentence), frozenset(tokens(sentence))
    own_words = PassageWords([sentence])
    best, nearest = 0.0, None
    for number, passage in passages.items():
        candidates = [each for each in statements(without_instructions(passage)) if _is_named(each, own_words)]
        lines = Counter((_held(words, each.text), bool(each.label)) for each in candidates if each.is_line)
        for each in candidates:
            whole = own = _held(words, each.text)
            if each.is_line:
                itself = _held(words, " ".join(each.sentences))
                if len(itself) < NAMED * len(words) or lines[own, bool(each.label)] > 1:
                    continue
                whole |= _held(words, titles.get(number, ""))
            others = frozenset(tokens(each.text))
            share = len(whole) / max(1, len(words))
            score = (share + len(own) / max(1, len(words))) / 2 + len(pairs & others) / max(1, len(pairs | others))
            if share >= NEAR and score > best:
                best, nearest = score, (number, each)
    return nearest


def _is_named(statement: Statement, words: PassageWords) -> bool:
    """Whether the words of a sentence include the topic of a list item: "법인: 50억원" does not apply to persons."""
    if not statement.label or statement.label.startswith("["):
        return True
    return any(map(words.holds, all_words(statement.label)))


def _held(words: Iterable[ContentWord], text: str) -> frozenset[str]:
    """The stems of the words that a text contains."""
    of_text = PassageWords([text])
    return frozenset(word.stem for word in words if of_text.holds(word))
