"""The prompt that KULLM was trained on, for every container that takes bare text instead of messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

Message = tuple[str, str]
"""Role (system, user, assistant) and text."""

SECTION = "###"
"""Begins each part of the prompt, so an answer ends where the next one would begin."""

_WITH_INPUT = (
    "아래는 작업을 설명하는 명령어와 추가 컨텍스트를 제공하는 입력이 짝을 이루는 예제입니다. "
    "요청을 적절히 완료하는 응답을 작성하세요.\n\n"
    "### 명령어:\n{instruction}\n\n### 입력:\n{input}\n\n### 응답:\n"
)
_WITHOUT_INPUT = (
    "아래는 작업을 설명하는 명령어입니다. 요청을 적절히 완료하는 응답을 작성하세요.\n\n"
    "### 명령어:\n{instruction}\n\n### 응답:\n"
)
_SPEAKERS = {"user": "고객", "assistant": "상담원"}
_MARKS = re.compile(rf"{SECTION}+")


def prompt(messages: Sequence[Message]) -> str:
    """One prompt: the system's text is the instruction, the conversation its input. Without a system text, a lone message is
    the instruction."""
    system = "\n".join(text for role, text in messages if role == "system")
    talk = [(role, text) for role, text in messages if role != "system"]
    if not talk or (not system and len(talk) == 1):
        return _fill(_WITHOUT_INPUT, instruction=system or talk[0][1] if messages else "")
    instruction = system or "다음 대화에 이어질 상담원의 말을 쓰세요."
    if len(talk) == 1:
        return _fill(_WITH_INPUT, instruction=instruction, input=talk[0][1])
    return _fill(_WITH_INPUT, instruction=instruction, input="\n".join(_line(*message) for message in talk))


def answer(text: str) -> str:
    """What the model said: without the prompt, if the container repeats it, up to the next section."""
    if text.startswith(_WITH_INPUT[:20]):
        text = text.partition(f"{SECTION} 응답:")[2]
    return text.partition(SECTION)[0].strip()


def _line(role: str, text: str) -> str:
    return f"{_SPEAKERS.get(role, role)}: {text}"


def _fill(template: str, **parts: str) -> str:
    """Texts are values, never templates, and cannot open a section of their own."""
    return template.format(**{name: _MARKS.sub("#", text).strip() for name, text in parts.items()})
