"""An answer that is still being written: where each of its sentences ends, and the citations that it holds.

A sentence has the citations after it. It is not broken within "연 3.5%", "2026.03.01.", "2026. 3. 1.부터", "Ⅰ. ", "1. " or
"[경로]": a full stop ends a sentence only after a letter and before white space. A line break always ends one.
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
"""Characters a marker may have; a longer beginning of one is text."""
_NUMBER = re.compile(r"\d+")
_BEGINNING = re.compile(rf"[{re.escape(MARKER_BRACKETS[0])}][\s\d,，、·;/]*\Z")


def split_sentences(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) offsets of the sentences of a whole text, each with the citations after it; joined they are the text."""
    start = 0
    for end in _ends(text):
        if end > start:
            yield start, end
            start = end
    if start < len(text):
        yield start, len(text)


def complete_until(text: str) -> int:
    """How far a text that goes on consists of whole sentences: what may follow changes nothing before this offset.

    A sentence that has no citation yet is whole only once something else than a citation follows it.
    """
    whole = 0
    for end in _ends(text):
        following = text[end:].lstrip(" ")
        if end < len(text) and ((following and following[0] not in MARKER_BRACKETS[0]) or text[end - 1] == "]"):
            whole = end
    return whole


def says_something(sentence: str) -> bool:
    """Whether a sentence holds a word beside its citations and list signs: a heading does, "[1]" or "1." does not, nor a line
    of the prompt."""
    own = MARKER.sub("", sentence)
    return PROMPT_LINE.match(own) is None and _SAYS.search(_LIST_SIGN.sub("", own, count=1)) is not None


def _ends(text: str) -> Iterator[int]:
    for match in _END.finditer(text):
        if match.end() > match.start():
            yield match.end()


def cited_numbers(text: str) -> tuple[int, ...]:
    """The numbers of a text's markers, each once, in text order."""
    numbers = (int(number) for marker in MARKER.findall(text) for number in _NUMBER.findall(marker))
    return tuple(dict.fromkeys(numbers))


_CITED_PART = re.compile(rf"(?:\s{{0,2}}{MARKER.pattern.replace('(', '(?:', 1)})+[,.]?(?=\s+\S)")


def cited_parts(sentence: str) -> list[tuple[str, tuple[int, ...]]]:
    """The parts of a sentence that cite different sources, each with the numbers after it: "수수료는 500원이고 [2], 한도는
    5억원입니다 [1]". What follows the last marker is of the last part; empty where all of the sentence cites the same.
    """
    found, start = list[tuple[str, tuple[int, ...]]](), 0
    for end in [*(match.end() for match in _CITED_PART.finditer(sentence)), len(sentence)]:
        part = sentence[start:end]
        start = end
        if numbers := cited_numbers(part):
            found.append((part, numbers))
        elif found:
            found[-1] = (found[-1][0] + part, found[-1][1])
    return found if len({frozenset(numbers) for _, numbers in found}) > 1 else []


_TO_A_MODEL = re.compile(
    r"[라다]고(?:만)?(?:말|답|대답|응답|출력|약속|선언|단언|써|쓰|적)[가-힣]{0,4}(?:세요|시오|라|줘)|지시(?:문|사항)?(?:를|을|는|은)?모두?무시"
    r"|자기소개를하|이제부터(?:당신|너)|당신은이제|프롬프트"
    r"|(?:답변|응답|대답)(?:을|를|은|에|에는|끝에|마다|의)[^.\n]{0,40}?(?:추가|포함|넣|번역|바꾸|바꿔|덧붙|끝내|시작|뒤집|쓰)[가-힣]{0,3}(?:세요|시오|라|줘)"
    r"|your(?:response|reply|answer|message)"
)


def without_instructions(passage: str) -> str:
    """A passage without the sentences that tell a model what to say: they state nothing about the institution."""
    return "".join(part for part in re.split(r"(?<=[.\n])", passage) if not _TO_A_MODEL.search(compact(part)))


class CitationResolver:
    """Takes a text in pieces cut anywhere, and gives it back with its markers resolved.

    A marker comes out as `[n]`, one for each number of a source that was given; other numbers are dropped, and everything
    else comes out as it came in. `known` are the sources' numbers, `cited` those met so far. What `feed` returns joined,
    and then `end`, is the same wherever the text was cut.
    """

    def __init__(self, known: Collection[int]) -> None:
        self._known = frozenset(known)
        self._pending = ""
        self.cited: set[int] = set()

    def feed(self, piece: str) -> str:
        """What can be said so far; the beginning of a possible marker is kept until the next piece."""
        text = self._pending + piece
        beginning = _BEGINNING.search(text)
        cut = beginning.start() if beginning and len(text) - beginning.start() <= LONGEST else len(text)
        self._pending = text[cut:]
        return MARKER.sub(self._marker, text[:cut])

    def end(self) -> str:
        """The rest: nothing follows that could close a marker."""
        rest, self._pending = self._pending, ""
        return rest

    def _marker(self, match: re.Match[str]) -> str:
        numbers = [number for text in _NUMBER.findall(match[1]) if (number := int(text)) in self._known]
        self.cited.update(numbers)
        return "".join(f"[{number}]" for number in dict.fromkeys(numbers))
