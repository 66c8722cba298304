"""Measures the code that one question passes: `python -m tests.trace_question`; tests/unit/test_trace_question.py sets limits.

- files of rag/ that execute code between a question on the page and its answer: once quoted from a FAISS index, once
  written by a language model on emulated SageMaker. Code that runs only for the first question or on import, the page's
  loader, and gradio's handler around `Dialogue.respond` are not counted;
- nested iterators of rag/ that a streamed token passes, from the endpoint's socket to the page.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from deploy.local.server import running
from deploy.local.spec import EndpointSpec
from rag.chat import ChatService
from rag.factory.models import Models, load_models
from rag.factory.stores import ingest_files
from rag.models.sagemaker.client import Runtime
from rag.models.sagemaker.llm import SageMakerLLM
from rag.retrieval.confidence import defaults
from rag.settings import Settings
from rag.stores.faiss.store import FaissStore
from rag.types import Answer
from rag.ui.conversation import Conversation
from rag.ui.loader import Loader
from rag.ui.session import Dialogue
from rag.ui.texts import KOREAN
from tests.small_faq import PAPERS, write_faq

PACKAGE = f"{Path(__file__).parents[1] / 'rag'}{os.sep}"
QUESTION = "공모주 청약을 취소할 수 있나요?"
_ITERATING = ("__next__", "__anext__", "send", "asend")
_GENERATOR = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


@dataclass
class Trace:
    """The code executed within `tracing`: `files` relative to rag/, and the deepest nesting of iterators.

    `nested` is by thread: an answer is read from its endpoint in one thread, and shown by the event loop in another.
    """

    files: set[str] = field(default_factory=set)
    nested: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def called(self, frame: FrameType, event: str, _argument: Any) -> None:
        """A profile function, called for each call of a function and each resumption of a generator."""
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(PACKAGE) or code.co_name == "<module>":
            return
        self.files.add(code.co_filename.removeprefix(PACKAGE))
        if _iterates(frame):
            chain = tuple(
                f"{outer.f_code.co_filename.removeprefix(PACKAGE)}:{outer.f_code.co_qualname}"
                for outer in _chain(frame)
            )
            thread = threading.get_ident()
            self.nested[thread] = max(self.nested.get(thread, ()), chain, key=len)

    def iterators(self) -> tuple[str, ...]:
        """The deepest nesting of each thread, from the page's frames to the endpoint's socket."""
        return tuple(name for chain in self.nested.values() for name in reversed(chain))


def _chain(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames of iterators in rag/, innermost first."""
    while frame is not None:
        if _iterates(frame):
            yield frame
        frame = frame.f_back


def _iterates(frame: FrameType) -> bool:
    """Whether the frame is of a generator or an iterator's method, but not of a context manager or a generator expression."""
    code = frame.f_code
    if not code.co_filename.startswith(PACKAGE) or code.co_name == "<genexpr>":
        return False
    outer = frame.f_back
    if outer is not None and outer.f_code.co_filename.endswith("contextlib.py"):
        return False
    return bool(code.co_flags & _GENERATOR) or code.co_name in _ITERATING


@contextmanager
def tracing() -> Iterator[Trace]:
    """Profile this thread and threads that are started within the context."""
    trace = Trace()
    threading.setprofile(trace.called)
    sys.setprofile(trace.called)
    try:
        yield trace
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


class Loaded(Loader):
    """A loader that is ready, as the page's loader is before the first question."""

    def __init__(self, chat: ChatService) -> None:
        super().__init__(lambda _progress: chat)
        self._chat = chat

    @property
    def status(self) -> Literal["ready"]:
        """Always ready."""
        return "ready"

    def service(self) -> ChatService:
        """The service passed to the constructor."""
        return self._chat


def trace_page(chat: ChatService) -> Trace:
    """Trace the second question on the page of a service."""

    async def ask(dialogue: Dialogue, question: str) -> Answer | None:
        conversation = Conversation()
        async for _ in dialogue.respond(conversation, question, {}):
            pass
        return conversation.exchanges[-1].answer

    async def second_question() -> Trace:
        dialogue = Dialogue(Loaded(chat), KOREAN, max_question_chars=1000)
        await ask(dialogue, PAPERS)
        with tracing() as trace:
            answer = await ask(dialogue, QUESTION)
        assert answer and answer.status == "answered" and answer.notice is None
        return trace

    return asyncio.run(second_question())


@contextmanager
def served(models: Models, folder: Path, *, endpoint: bool) -> Iterator[ChatService]:
    """A chat service over the index "small" on FAISS; `endpoint`: with a language model on an emulated SageMaker endpoint."""
    store = FaissStore.open(folder / "small", models.manifest)
    with ExitStack() as stack:
        stack.callback(store.close)
        llm = None
        if endpoint:
            spec = EndpointSpec.model_validate({"name": "llm", "task": "generate", "format": "lmi"})
            runtime = Runtime("ap-northeast-2", stack.enter_context(running([spec])).url)
            stack.callback(runtime.close)
            llm = SageMakerLLM("llm", format="lmi", runtime=runtime)
        yield ChatService(store, models.embed_model, calibration=defaults(), llm=llm)


@dataclass(frozen=True, slots=True)
class Figures:
    """Names of the files of rag/ for a quoted and for a generated answer, and of the iterators that a token passes."""

    quoted: tuple[str, ...]
    generated: tuple[str, ...]
    iterators: tuple[str, ...]


def measure(models: Models, folder: Path) -> Figures:
    """Measure the figures. Builds the small index in `folder` and starts an emulator; needs (any) AWS credentials."""
    ingest_files(folder, "small", models, [write_faq(folder / "faq.csv")])
    traces = []
    for endpoint in (False, True):
        with served(models, folder, endpoint=endpoint) as chat:
            traces.append(trace_page(chat))
    quoted, generated = traces
    return Figures(tuple(sorted(quoted.files)), tuple(sorted(generated.files)), generated.iterators())


def _lines(names: Iterable[str]) -> int:
    return sum(len(Path(PACKAGE, name).read_text(encoding="utf-8").splitlines()) for name in names)


def main() -> None:
    """Print the three figures with the names, and the number of lines of the files."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    with tempfile.TemporaryDirectory() as temporary:
        figures = measure(load_models(Settings()), Path(temporary))
    for title, names in [
        (f"files of rag/, quoted from FAISS: {_lines(figures.quoted)} lines", figures.quoted),
        (f"files of rag/, a model on SageMaker: {_lines(figures.generated)} lines", figures.generated),
        ("iterators that a streamed token passes", figures.iterators),
    ]:
        print(f"{len(names):3}  {title}")
        print(*(f"       {name}" for name in names), sep="\n")


if __name__ == "__main__":
    main()
