"""Brings the service up in a thread while the page is already served."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from rag.errors import RagError
from rag.types import Answer, AnswerEvent, Filters, Turn

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]


class Chat(Protocol):
    """What the page needs of `rag.chat.ChatService`."""

    @property
    def warnings(self) -> Sequence[str]:
        """Lines for the customer about what does not work at full strength."""

    @property
    def writes(self) -> bool:
        """Whether a language model writes answers, so that their text comes bit by bit."""

    @property
    def versions(self) -> Mapping[str, str]:
        """What an answer comes from, for its record: index, models, prompts, program."""

    @property
    def contact(self) -> str:
        """How to reach a person; empty where nobody said."""

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None, *, row: str | None = None
    ) -> Generator[AnswerEvent, None, None]:
        """The answer as events: sources, pieces of text, the whole. Raises RagError. Closing it ends the answer.

        `row`: the id of a suggested row that was chosen: it is the answer.
        """

    def ask(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        """The whole answer. Raises RagError."""

    def facets(self) -> Mapping[str, Sequence[str]]:
        """The values of each filter, by its name."""

    def topics(self) -> Mapping[str, Sequence[str]]:
        """Categories with questions to offer while none has been asked, the most frequent first; "": of no category."""


class Step(NamedTuple):
    """Where the loading is; `total` 0: not countable."""

    name: str = ""
    done: int = 0
    total: int = 0


class Loader:
    """Runs `build` once, in a thread started by `start`, and keeps what became of it."""

    def __init__(self, build: Callable[[Progress], Chat]) -> None:
        self._build = build
        self._ended = threading.Event()
        self._service: Chat | None = None
        self.error: RagError | None = None
        self.step = Step()

    @property
    def status(self) -> Literal["loading", "ready", "failed"]:
        """`failed` is for good: nothing is loaded again."""
        if not self._ended.is_set():
            return "loading"
        return "ready" if self._service else "failed"

    def start(self) -> None:
        """Begin in a thread and return. Called once."""
        # A daemon: loading a model cannot be broken off, and the process must end while it goes on.
        threading.Thread(target=self._load, name="loader", daemon=True).start()

    def service(self) -> Chat:
        """The service, once loaded; waits for it. Raises the RagError that the loading ended with."""
        self._ended.wait()
        if self._service is None:
            raise self.error or RagError("the page has not been loaded")
        return self._service

    def _load(self) -> None:
        began = time.perf_counter()
        try:
            self._service = self._build(self._progress)
            logger.info("ready after %.1f s", time.perf_counter() - began)
        except RagError as exc:
            self.error = exc
            logger.error("the page cannot answer: %s", exc)
        except Exception:
            # A thread that died would leave the page loading for ever.
            self.error = RagError("the service failed to load", korean="예상하지 못한 문제가 생겼습니다.")
            logger.exception("the page cannot answer")
        finally:
            self._ended.set()

    def _progress(self, name: str, done: int, total: int) -> None:
        self.step = Step(name, done, total)
