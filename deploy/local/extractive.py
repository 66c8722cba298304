"""A language model that cannot invent: it answers with sentences of the numbered sources in its prompt.

It reads any prompt whose sources begin with `[n]` at the start of a line; where there are none it condenses a conversation
to one question, or shortens the text it was given. The same prompt always has the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.korean import sentences, tokens

NOTHING_FOUND = "제공된 자료에서 답을 찾을 수 없습니다."
SENTENCES = 3
"""Of the best source; one more of each source that matches the question as well."""
_CLOSE = 0.9

_MARKER = re.compile(r"^[ \t]*\[(\d{1,3})\][ \t]*", re.MULTILINE)
_QUESTION = re.compile(
    r"^[#\s\[]*(?:고객\s*|사용자\s*|마지막\s*|후속\s*|현재\s*)?질문\]?[ \t]*[:：][ \t]*|^#+[ \t]*(?:고객\s*)?질문[ \t]*$\n?",
    re.MULTILINE,
)
_SECTION = re.compile(r"^#{2,}[ \t]*(명령어|입력|응답)[ \t]*[:：]?[ \t]*$\n?", re.MULTILINE)
_TURN = re.compile(r"^[-*\s]*(?:고객|사용자|user|질문)[ \t]*[:：][ \t]*(.+)$", re.MULTILINE)
_SPEAKER = re.compile(r"^(?:고객|사용자|user)[ \t]*[:：][ \t]*")
_LABEL = re.compile(r"^[^\s:：.]{1,8}[ \t]*[:：]")
_CONDENSING = re.compile(r"독립|한 문장의 질문|(?:다시|고쳐|바꿔|풀어) ?(?:쓰|써|작성)|대화")


@dataclass(frozen=True, slots=True)
class _Source:
    number: int
    text: str


def answer(prompt: str) -> str:
    """What the model says to this prompt, in Korean; never empty."""
    sections = dict(_blocks(_SECTION, prompt))
    parts = [text for name in ("명령어", "입력") if (text := sections.get(name))] or [prompt]
    question, rest = _split_question("\n\n".join(parts))
    if sources := _sources(rest):
        return _cited(question, sources)
    if _CONDENSING.search(prompt) and (turns := _TURN.findall(rest)):
        return _condensed(turns, question)
    return " ".join(_first(parts[-1].strip().split("\n\n")[-1], 2)) or NOTHING_FOUND


def _blocks(marker: re.Pattern[str], text: str) -> list[tuple[str, str]]:
    """What follows each marker, up to the next one, by the marker's first group."""
    matches = list(marker.finditer(text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    return [(match[1], text[match.end() : end].strip()) for match, end in zip(matches, ends, strict=False)]


def _split_question(task: str) -> tuple[str, str]:
    """The question, and the text without it: the one before the sources, else the last (sources may hold their own)."""
    if labels := list(_QUESTION.finditer(task)):
        first_source = _MARKER.search(task)
        before = [label for label in labels if first_source and label.start() < first_source.start()]
        start, end = (before or labels)[-1].span()
        line, _, after = task[end:].strip("\n").partition("\n")
        return line.strip(), task[:start] + "\n" + after
    lines = task.strip().splitlines()
    return (_SPEAKER.sub("", lines[-1].strip()), "\n".join(lines[:-1])) if lines else ("", "")


def _sources(text: str) -> list[_Source]:
    return [_Source(int(number), body) for number, body in _blocks(_MARKER, text)]


def _cited(question: str, sources: Sequence[_Source]) -> str:
    shares = [_share(question, source.text) for source in sources]
    best = max(shares)
    chosen = shares.index(best)
    lines = [f"{sentence} [{sources[chosen].number}]" for sentence in _first(sources[chosen].text, SENTENCES)]
    for position, source in enumerate(sources):
        if position != chosen and best and shares[position] >= _CLOSE * best:
            lines += [f"{sentence} [{source.number}]" for sentence in _first(source.text, 1)]
    return " ".join(lines) or NOTHING_FOUND


def _condensed(turns: Sequence[str], question: str) -> str:
    """The follow-up with what it follows, as one line."""
    before = [turn.strip() for turn in turns if turn.strip() != question]
    return " ".join([*(turn.rstrip("?!. ") for turn in before[-1:]), question])


def _share(question: str, text: str) -> float:
    """How much of the question the text holds, 0 to 1."""
    words = set(tokens(question))
    return len(words & set(tokens(text))) / len(words) if words else 0.0


def _first(text: str, count: int) -> list[str]:
    """The first whole sentences; where there is none, the first lines. Questions and labels (`은행: …`) say nothing."""
    candidates = [text[start:end].strip() for start, end in sentences(text)]
    telling = [
        sentence
        for sentence in candidates
        if len(sentence) > 4 and not sentence.endswith("?") and not _LABEL.match(sentence)
    ]
    return ([sentence for sentence in telling if sentence.endswith((".", "!", "。"))] or telling)[:count]
