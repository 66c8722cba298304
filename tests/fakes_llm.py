"""A fake language model for LlamaIndex that streams scripted pieces."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.custom import CustomLLM

Said = str | Exception | threading.Event
"""A piece of text, or an error to raise, or an event to wait for."""


class ScriptedLLM(CustomLLM):
    """A language model that answers a prompt with the pieces of `script(prompt)`.

    The prompt is the messages' texts joined by newlines; `prompts` records it. `closed` is set when a stream ends or is
    closed. The last response has `finish_reason` and the number of pieces as completion tokens.
    """

    context_window: int = 4096
    finish_reason: str = "stop"
    _script: Callable[[str], Sequence[Said]] = PrivateAttr()
    _prompts: list[str] = PrivateAttr(default_factory=list)
    _messages: list[list[ChatMessage]] = PrivateAttr(default_factory=list)
    _closed: threading.Event = PrivateAttr(default_factory=threading.Event)

    def __init__(self, script: Callable[[str], Sequence[Said]] | Sequence[Said], **fields: Any) -> None:
        super().__init__(**fields)
        self._script = script if callable(script) else lambda prompt: script

    @property
    def prompts(self) -> list[str]:
        return self._prompts

    @property
    def messages(self) -> list[list[ChatMessage]]:
        return self._messages

    @property
    def closed(self) -> threading.Event:
        return self._closed

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=self.context_window, num_output=256, is_chat_model=True, model_name="script")

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponseGen:
        self._messages.append(list(messages))
        return self._say("\n".join(message.content or "" for message in messages))

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **options: Any) -> ChatResponse:
        last: ChatResponse = list(self.stream_chat(messages))[-1]
        return last

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponseGen:
        for each in self._say(prompt):
            yield CompletionResponse(text=each.message.content or "", delta=each.delta)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **options: Any) -> CompletionResponse:
        last: CompletionResponse = list(self.stream_complete(prompt))[-1]
        return last

    def _say(self, prompt: str) -> Generator[ChatResponse, None, None]:
        self._prompts.append(prompt)
        text, count = "", 0
        try:
            for said in self._script(prompt):
                if isinstance(said, Exception):
                    raise said
                if isinstance(said, threading.Event):
                    said.wait(60)
                    continue
                text, count = text + said, count + 1
                yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=said)
            usage = {"prompt_tokens": len(prompt), "completion_tokens": count}
            raw = {"finish_reason": self.finish_reason, "usage": usage}
            yield ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta="", raw=raw)
        finally:
            self._closed.set()
