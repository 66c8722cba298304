"""Loads the chat service in a thread while the page is already served."""

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
"""Called with a step's name, the items done and their total, as in `Step`."""


class Chat(Protocol):
    """The part of `rag.chat.ChatService` that the page uses."""

    @property
    def warnings(self) -> Sequence[str]:
        """Lines to show to customers, such as a missing embedder."""

    @property
    def writes(self) -> bool:
        """Whether a language model writes answers, so that their text arrives in pieces."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of the index, the models, the prompts and the program, for the answer records."""

    @property
    def contact(self) -> str:
        """How to reach a person; empty if not configured."""

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None, *, row: str | None = None
    ) -> Generator[AnswerEvent, None, None]:
        """The answer as events: SourcesFound, AnswerDeltas, AnswerCompleted. Raises RagError. Closing it ends the answer.

        `row`: id of the suggested row that the customer chose; that row is the answer.
        """

    def ask(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        """The completed answer. Raises RagError."""

    def facets(self) -> Mapping[str, Sequence[str]]:
        """The available values of each filter, by its name ("bank", "category")."""

    def topics(self) -> Mapping[str, Sequence[str]]:
        """Example questions by category for the start of a conversation, the most frequent category first.

        The key "" has questions without a category.
        """


class Step(NamedTuple):
    """Progress of the loading: the step's name, items done and their total; 0 if unknown."""

    name: str = ""
    done: int = 0
    total: int = 0


class Loader:
    """Runs `build` once, in a thread started by `start`, and holds the service or the error."""

    def __init__(self, build: Callable[[Progress], Chat]) -> None:
        self._build = build
        self._ended = threading.Event()
        self._service: Chat | None = None
        self.error: RagError | None = None
        self.step = Step()

    @property
    def status(self) -> Literal["loading", "ready", "failed"]:
        """ "failed" is final: loading is not tried again."""
        if not self._ended.is_set():
            return "loading"
        return "ready" if self._service else "failed"

    def start(self) -> None:
        """Start loading in a thread and return. Call once."""
        # A daemon thread, because loading a model cannot be interrupted and must not keep the process from ending.
        threading.Thread(target=self._load, name="loader", daemon=True).start()

    def service(self) -> Chat:
        """Wait until loading has ended and return the service. Raises the RagError that loading failed with."""
        self._ended.wait()
        if self._service is None:
            raise self.error or RagError("the page has not been loaded")
        return self._service

    def _load(self) -> None:
        def show_step(name: str, done: int, total: int) -> None:
            self.step = Step(name, done, total)

        began = time.perf_counter()
        try:
            self._service = self._build(show_step)
            logger.info("ready after %.1f s", time.perf_counter() - began)
        except RagError as exc:
            self.error = exc
            logger.error("the page cannot answer: %s", exc)
        except Exception:
            # An uncaught error would end the thread and leave the page in "loading" for ever.
            self.error = RagError("the service failed to load", korean="예상하지 못한 문제가 생겼습니다.")
            logger.exception("the page cannot answer")
        finally:
            self._ended.set()
