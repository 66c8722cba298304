"""An extractive stand-in for a language model: it answers with sentences of the numbered sources in its prompt.

Sources begin with `[n]` at the start of a line. Without sources it condenses a conversation to one question, or returns the
first sentences of the text. It is deterministic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.korean import sentences, tokens

NO_ANSWER = "제공된 자료에서 답을 찾을 수 없습니다."
SENTENCES = 3
"""Sentences taken from the best source; one is taken from each other source that matches nearly as well."""
_NEARLY_BEST = 0.9
"""Share of the best source's overlap from which another source is used too."""

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
    """The answer to a prompt, in Korean; never empty."""
    sections = dict(_blocks(_SECTION, prompt))
    parts = [text for name in ("명령어", "입력") if (text := sections.get(name))] or [prompt]
    question, rest = _split_question("\n\n".join(parts))
    if sources := _sources(rest):
        return _cite(question, sources)
    if _CONDENSING.search(prompt) and (turns := _TURN.findall(rest)):
        return _condense(turns, question)
    return " ".join(_first_sentences(parts[-1].strip().split("\n\n")[-1], 2)) or NO_ANSWER


def _blocks(marker: re.Pattern[str], text: str) -> list[tuple[str, str]]:
    """The text between each marker and the next, with the marker's first group."""
    matches = list(marker.finditer(text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    return [(match[1], text[match.end() : end].strip()) for match, end in zip(matches, ends, strict=False)]


def _split_question(task: str) -> tuple[str, str]:
    """The question and the text without it. The last label before the sources counts, as sources may contain labels."""
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


def _cite(question: str, sources: Sequence[_Source]) -> str:
    shares = [_overlap(question, source.text) for source in sources]
    best = max(shares)
    chosen = shares.index(best)
    lines = [f"{sentence} [{sources[chosen].number}]" for sentence in _first_sentences(sources[chosen].text, SENTENCES)]
    for position, source in enumerate(sources):
        if position != chosen and best and shares[position] >= _NEARLY_BEST * best:
            lines += [f"{sentence} [{source.number}]" for sentence in _first_sentences(source.text, 1)]
    return " ".join(lines) or NO_ANSWER


def _condense(turns: Sequence[str], question: str) -> str:
    """The previous question and the follow-up, as one line."""
    before = [turn.strip() for turn in turns if turn.strip() != question]
    return " ".join([*(turn.rstrip("?!. ") for turn in before[-1:]), question])


def _overlap(question: str, text: str) -> float:
    """Share of the question's tokens that occur in the text, in 0..1."""
    words = set(tokens(question))
    return len(words & set(tokens(text))) / len(words) if words else 0.0


def _first_sentences(text: str, count: int) -> list[str]:
    """The first `count` complete sentences, or lines if there are none; without questions and labels such as `은행: …`."""
    candidates = [text[start:end].strip() for start, end in sentences(text)]
    statements = [
        sentence
        for sentence in candidates
        if len(sentence) > 4 and not sentence.endswith("?") and not _LABEL.match(sentence)
    ]
    return ([sentence for sentence in statements if sentence.endswith((".", "!", "。"))] or statements)[:count]
