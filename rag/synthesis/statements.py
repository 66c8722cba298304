"""What of an approved text can be read alone, and which of it is nearest to a sentence that is withheld.

A sentence stands for itself. A line of a list or below a heading is shown below what it stands under ("[만기 전 해지] 이자는
…"), and each with the sentences after it that limit it or refer to it.
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
"""Share of a withheld sentence's content words that a replacement must hold."""
NAMED = 0.5
"""Share that a line of a list or below a heading must hold itself; the heading and the text's title may hold the others."""
_ENDS = re.compile(r"(?:[가-힣A-Za-z)\]][.!]|[다요])$")
_ITEM = re.compile(r"(?:[\-*•·](?!\d)|\(\d{1,2}\)|\d{1,2}[.)]\s|[가-하][.)]|[ⅠⅡⅢⅣⅤⅥ①-⑳])\s*(?P<text>.*)")
_HEADING = re.compile(r"\[[^\]]{2,30}\]")
_LABEL = re.compile(r"(?P<label>[^:]{1,30}):\s+\S")
_PATH = " > "
"""In a menu's path, which names much and says nothing."""
_TABLE = re.compile(r"[\t|]")
_ASKS = re.compile(r"[?？]$")
_REFERS = re.compile(r"다음(?!\s?(?:날|달|해|주|월|연도|년|분기|회|번|영업일|거래일))|아래|같습니다|같아요|\t|\|")
"""What begins a list, or speaks of one; a table's line."""
_DEPENDS = re.compile(
    r"다만|단[,\s]|그러나|하지만|반면|예를 들어|예컨대|따라서|그래서|그러므로|해당|위[의\s]|상기|동\s"
    r"|[이그](?:\s|때|[은는에를]\s)|(?:이들|그것|이것)[은는이을]\s"
)
"""How a sentence begins that limits the one before it or refers to it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """`head`: the heading or the beginning of the list that the sentences stand below. `label`: what an item of a list is
    about ("한도" of "한도: 5천만원"). Both may be empty."""

    sentences: tuple[str, ...]
    head: str = ""
    label: str = ""

    @property
    def is_line(self) -> bool:
        """Whether it is no sentence that stands for itself."""
        return bool(self.head or self.label)

    @property
    def text(self) -> str:
        """As it is shown."""
        return " ".join([self.head, *self.sentences]).strip()


def statements(passage: str) -> list[Statement]:
    """The statements of an approved text, in its order.

    None that stands in a table, in a list within a list, or behind a list or a line with a heading of its own; nor one that
    asks, or that refers to what follows.
    """
    found: list[Statement] = []
    # What the next lines stand below; None where not even that would make them readable. `first`: of those that a following
    # sentence may limit.
    head: str | None = ""
    first, in_list = 0, False
    for line in passage.split("\n"):
        text = line.strip().lstrip("※ ")
        # A blank line between a head and its list ends nothing.
        if "※" in line or (not text and (in_list or not _REFERS.search(head or ""))):
            head, in_list = "", False
        item, heading = _ITEM.match(text), _HEADING.match(text)
        own = item["text"] if item else text
        if not text:
            continue
        if text.startswith("(") and not item:
            found[first:] = [_limited(each, text) for each in found[first:]]
            continue
        if _TABLE.search(text) or own.endswith(":"):
            head = None
        elif heading:
            # What stands below a line with a heading of its own may be of another matter.
            first, head, in_list = len(found), text, False
            if heading.end() < len(text):
                found.append(Statement((text,), label=heading[0]))
                head = None
        elif item:
            in_list = True
            if head is not None:
                label = _LABEL.match(own)
                found.append(Statement(tuple(_sentences(own)), head, label["label"] if label else ""))
        elif in_list or head is None:
            head = None
        elif not _ENDS.search(text) and not _ASKS.search(text):
            first, head = len(found), text
        else:
            for sentence in _sentences(text):
                if _DEPENDS.match(sentence):
                    found[first:] = [_limited(each, sentence) for each in found[first:]]
                else:
                    first = len(found)
                    found.append(Statement((sentence,), head))
            if _REFERS.search(sentence):
                head = f"{head} {sentence}".strip()
    return [each for each in found if _is_readable(each)]


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
    """The number of the passage and its statement that is nearest to a sentence by its words; None where none is near.

    `passages`: approved texts, by their numbers. `titles`: what stands above each, and names what its lists are about. Of
    several lines of a kind that hold the same words of the sentence it is not known which one answers it: none is taken.
    """
    words, pairs = content_words(sentence), frozenset(tokens(sentence))
    said = PassageWords([sentence])
    best, nearest = 0.0, None
    for number, passage in passages.items():
        found = [each for each in statements(without_instructions(passage)) if _is_named(each, said)]
        lines = Counter((_held(words, each.text), bool(each.label)) for each in found if each.is_line)
        for each in found:
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


def _is_named(statement: Statement, said: PassageWords) -> bool:
    """Whether a sentence names what an item of a list is about: "법인: 50억원" answers nothing said of persons."""
    if not statement.label or statement.label.startswith("["):
        return True
    return any(map(said.holds, all_words(statement.label)))


def _held(words: Iterable[ContentWord], text: str) -> frozenset[str]:
    held = PassageWords([text])
    return frozenset(word.stem for word in words if held.holds(word))
