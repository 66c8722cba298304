"""Splits an answer, which may still be incomplete, into sentences with their citations.

Citations belong to the sentence before them. A full stop ends a sentence only after a letter and before white space, so that
"연 3.5%", "2026.03.01.", "2026. 3. 1.부터", "Ⅰ. ", "1. " and "[경로]" are not split. A line break always ends one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from rag.korean import compact
from rag.synthesis.prompt_builder import MARKER, MARKER_BRACKETS, PROMPT_LINE

_MARKERS = rf"(?:\s{{0,2}}{MARKER.pattern.replace('(', '(?:', 1)})*"
_END = re.compile(
    rf"(?:(?<![\d\s.ⅠⅡⅢⅣⅤⅥ])(?<!\b[A-Za-z])[.。]+|[!?！？…]+)[\"'”’」』)]*{_MARKERS}(?=\s|\Z)|{_MARKERS}[ \t]*(?:\n|\Z)\s*"
)
_LIST_SIGN = re.compile(r"\s*(?:[\-*•·※]|\d{1,2}[.)]|[가-하][.)]|[ⅠⅡⅢⅣⅤⅥ]\.?|[①-⑳])\s*")
_SAYS = re.compile(r"[가-힣]{2,}|[A-Za-z]{3,}")
LONGEST = 64
"""Characters of a marker, at most; a longer text after an opening bracket is no marker."""
_NUMBER = re.compile(r"\d+")
_BEGINNING = re.compile(rf"[{re.escape(MARKER_BRACKETS[0])}][\s\d,，、·;/]*\Z")


def split_sentences(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) offsets of the sentences of a complete text, each with the citations after it. They cover the text."""
    start = 0
    for end in _ends(text):
        if end > start:
            yield start, end
            start = end
    if start < len(text):
        yield start, len(text)


def complete_until(text: str) -> int:
    """The offset up to which an incomplete text consists of complete sentences, whatever follows.

    A sentence without a citation is complete only when something else than a citation follows it.
    """
    whole = 0
    for end in _ends(text):
        following = text[end:].lstrip(" ")
        if end < len(text) and ((following and following[0] not in MARKER_BRACKETS[0]) or text[end - 1] == "]"):
            whole = end
    return whole


def says_something(sentence: str) -> bool:
    """Whether a sentence contains a word: a heading does, but not "[1]", "1." or a line that repeats the prompt."""
    own = MARKER.sub("", sentence)
    return PROMPT_LINE.match(own) is None and _SAYS.search(_LIST_SIGN.sub("", own, count=1)) is not None


def _ends(text: str) -> Iterator[int]:
    for match in _END.finditer(text):
        if match.end() > match.start():
            yield match.end()


def cited_numbers(text: str) -> tuple[int, ...]:
    """The distinct numbers of the markers of a text, in text order."""
    numbers = (int(number) for marker in MARKER.findall(text) for number in _NUMBER.findall(marker))
    return tuple(dict.fromkeys(numbers))


_CITED_PART = re.compile(rf"(?:\s{{0,2}}{MARKER.pattern.replace('(', '(?:', 1)})+[,.]?(?=\s+\S)")


def cited_parts(sentence: str) -> list[tuple[str, tuple[int, ...]]]:
    """The parts of a sentence that cite different sources, each with its numbers: "수수료는 500원이고 [2], 한도는 5억원입니다
    [1]".

    The text after the last marker belongs to the last part. Empty if all parts cite the same sources.
    """
    parts, start = list[tuple[str, tuple[int, ...]]](), 0
    for end in [*(match.end() for match in _CITED_PART.finditer(sentence)), len(sentence)]:
        part = sentence[start:end]
        start = end
        if numbers := cited_numbers(part):
            parts.append((part, numbers))
        elif parts:
            parts[-1] = (parts[-1][0] + part, parts[-1][1])
    return parts if len({frozenset(numbers) for _, numbers in parts}) > 1 else []


_TO_A_MODEL = re.compile(
    r"[라다]고(?:만)?(?:말|답|대답|응답|출력|약속|선언|단언|써|쓰|적)[가-힣]{0,4}(?:세요|시오|라|줘)|지시(?:문|사항)?(?:를|을|는|은)?모두?무시"
    r"|자기소개를하|이제부터(?:당신|너)|당신은이제|프롬프트"
    r"|(?:답변|응답|대답)(?:을|를|은|에|에는|끝에|마다|의)[^.\n]{0,40}?"
    r"(?:추가|포함|넣|번역|바꾸|바꿔|덧붙|끝내|시작|뒤집|쓰)[가-힣]{0,3}(?:세요|시오|라|줘)"
    r"|your(?:response|reply|answer|message)"
)


def without_instructions(passage: str) -> str:
    """A passage without sentences that are instructions to a model (prompt injection), which state nothing."""
    return "".join(part for part in re.split(r"(?<=[.\n])", passage) if not _TO_A_MODEL.search(compact(part)))


class CitationResolver:
    """Normalises the markers of a text that arrives in arbitrary pieces.

    Each marker becomes `[n]`, one for each number in `known`; other numbers are dropped, and other text is unchanged. `cited`:
    the numbers so far. The result does not depend on where the text was cut.
    """

    def __init__(self, known: Collection[int]) -> None:
        self._known = frozenset(known)
        self._pending = ""
        self.cited: set[int] = set()

    def feed(self, piece: str) -> str:
        """The text that is final so far; the beginning of a possible marker is kept until the next piece."""
        text = self._pending + piece
        beginning = _BEGINNING.search(text)
        cut = beginning.start() if beginning and len(text) - beginning.start() <= LONGEST else len(text)
        self._pending = text[cut:]
        return MARKER.sub(self._marker, text[:cut])

    def end(self) -> str:
        """The rest of the text."""
        rest, self._pending = self._pending, ""
        return rest

    def _marker(self, match: re.Match[str]) -> str:
        numbers = [number for text in _NUMBER.findall(match[1]) if (number := int(text)) in self._known]
        self.cited.update(numbers)
        return "".join(f"[{number}]" for number in dict.fromkeys(numbers))
