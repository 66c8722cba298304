"""The page: which event does what. What it looks like is in skeleton and the assets, what happens is in session.

Visitors use plain elements; the script hands what they do to hidden buttons of Gradio's, whose events bring frames back.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Iterable
from html import escape
from itertools import zip_longest
from typing import Any

import gradio as gr

from rag.errors import RagError
from rag.records.answer_log import AnswerLog
from rag.records.history import ChatHistory
from rag.settings import Settings
from rag.ui.answer_slots import AnswerSlots
from rag.ui.conversation import Conversation
from rag.ui.conversation_recorder import ConversationRecorder
from rag.ui.i18n import TEXTS, Texts
from rag.ui.loader import Chat, Loader
from rag.ui.mcp import Ask
from rag.ui.metrics import Metrics
from rag.ui.request_guard import VISITOR
from rag.ui.session import POLL_SECONDS, Client, Dialogue, Frame
from rag.ui.sessions import Sessions
from rag.ui.skeleton import body_html
from rag.ui.visitors import Visitor, person_id

logger = logging.getLogger(__name__)
STARTERS = 4
THREADS = 200
"""Events that Gradio runs at once: all that `sessions` admits. What waits for an answer waits in AnswerSlots."""
ANSWERS_BY_MODEL = 40
"""Answers at once with a language model, which is waited for on the network; without, as many as there are cores."""
IDLE_POLL_SECONDS = 0.02
"""Between looks of Gradio at its queue, where it has nothing to do: by itself it looks every millisecond."""


class Admission:
    """Lets in events whose answer somebody reads, and says whose they are. `sessions` is set with the server."""

    def __init__(self, slots: AnswerSlots, metrics: Metrics) -> None:
        self.slots = slots
        self.metrics = metrics
        self.draining = False
        """Whether the server is about to end: what is being answered is, and nobody new is sent here."""
        self.sessions: Sessions | None = None
        self.ask: Ask | None = None
        """The page's way to one whole answer, for its own routes; set with the page."""
        self.secret = b""
        """Of the chat history, for the digests of persons; empty where no chats are kept."""

    async def client(self, request: gr.Request) -> Client | None:
        """Who asks; None where the event is dropped, for no stream of its session is open."""
        if self.sessions is None or request.request is None:
            return Client()
        if not await self.sessions.wait_for_stream(str(request.session_hash)):
            return None
        visitor: Visitor = request.request.scope[VISITOR]
        user = str(request.username or "")
        return Client(visitor.owner, visitor.address, person_id(self.secret, visitor, user) if self.secret else "")


def build_page(
    settings: Settings, loader: Loader, records: AnswerLog | None = None, history: ChatHistory | None = None
) -> tuple[gr.Blocks, Admission]:
    """The page over the service that `loader` brings up; each answer goes to `records`.

    `theme()`, `head()` and `script()` belong to its launch.
    """
    texts = TEXTS[settings.ui.language]
    slots = AnswerSlots(settings.ui.answers_at_once or _answers_at_once(settings))
    metrics = Metrics(slots)
    limit = settings.chat.max_question_chars
    dialogue = Dialogue(
        loader,
        texts,
        max_question_chars=limit,
        slots=slots,
        relevance=settings.ui.relevance,
        recorder=ConversationRecorder(records, history, metrics),
    )
    admission = Admission(slots, metrics)
    admission.ask = dialogue.ask
    admission.secret = history.secret if history else b""
    page = gr.Blocks(title=texts.title, analytics_enabled=False, fill_width=True)
    page.max_threads = THREADS
    with page:
        gr.HTML(
            body_html(texts, limit=limit, history=history is not None),
            elem_id="page",
            js_on_load=None,
            apply_default_css=False,
        )
        _wire(page, dialogue, loader, texts, admission)
        _api(dialogue, texts, admission)
    # Closed: a request to the REST routes would pass the queue, and its limits, by.
    page.queue(api_open=False, default_concurrency_limit=None)
    # A private field: Gradio has no setting for it.
    page._queue.sleep_when_free = IDLE_POLL_SECONDS
    return page, admission


def _answers_at_once(settings: Settings) -> int:
    """A search is work for one core; a model elsewhere is waited for."""
    if settings.llm.backend != "none" and settings.chat.answer_mode != "verbatim":
        return ANSWERS_BY_MODEL
    return max(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2)


def _wire(page: gr.Blocks, dialogue: Dialogue, loader: Loader, texts: Texts, admission: Admission) -> None:
    """One hidden button an event: `do-NAME`. Its values are those the script gives for NAME."""
    conversation = gr.State(Conversation())
    text, bank, category, turn = (gr.Textbox(visible=False) for _ in range(4))
    inbox = gr.HTML("", elem_id="inbox", js_on_load=None, apply_default_css=False)
    news = gr.HTML("", elem_id="news", js_on_load=None, apply_default_css=False)

    async def send(
        question: str, conversation: Conversation, bank: str, category: str, request: gr.Request
    ) -> AsyncGenerator[Any, None]:
        if client := await admission.client(request):
            async for frame in dialogue.respond(conversation, question, {"bank": bank, "category": category}, client):
                yield _shown(frame)

    async def choose(
        row: str, conversation: Conversation, bank: str, category: str, request: gr.Request
    ) -> AsyncGenerator[Any, None]:
        if client := await admission.client(request):
            async for frame in dialogue.choose(conversation, row, {"bank": bank, "category": category}, client):
                yield _shown(frame)

    async def edit(
        question: str, conversation: Conversation, bank: str, category: str, turn: str, request: gr.Request
    ) -> AsyncGenerator[Any, None]:
        if client := await admission.client(request):
            choices = {"bank": bank, "category": category}
            # A program may send any text: int() of a long one takes its time.
            replaced = int(turn) if turn and turn.isdecimal() and len(turn) < 9 else None
            async for frame in dialogue.respond(conversation, question, choices, client, replaces_turn=replaced):
                yield _shown(frame)

    async def retry(
        conversation: Conversation, bank: str, category: str, request: gr.Request
    ) -> AsyncGenerator[Any, None]:
        if client := await admission.client(request):
            async for frame in dialogue.retry(conversation, {"bank": bank, "category": category}, client):
                yield _shown(frame)

    async def stop(conversation: Conversation) -> None:
        conversation.stop()

    async def clear(conversation: Conversation) -> Any:
        return _shown(dialogue.clear(conversation))

    async def drop(conversation: Conversation) -> Any:
        conversation.clear()
        conversation.undo_state = None
        return _shown(dialogue.current(conversation))

    async def undo(conversation: Conversation) -> Any:
        return _shown(dialogue.undo(conversation))

    async def sync(conversation: Conversation) -> Any:
        return _shown(dialogue.current(conversation))

    async def open_chat(chat: str, conversation: Conversation, request: gr.Request) -> Any:
        if (client := await admission.client(request)) is None:
            return gr.skip()
        return _shown(await dialogue.open(conversation, chat, client))

    async def watch(request: gr.Request) -> AsyncGenerator[str, None]:
        if await admission.client(request):
            async for html in _loading(loader, texts):
                yield html

    # Questions wait in the dialogue, which knows whose they are; stopping and clearing never do. "multiple": Gradio's own
    # client would drop a question that is sent while the end of the answer before is on its way.
    at_once: dict[str, Any] = {
        "concurrency_limit": None,
        "show_progress": "hidden",
        "api_visibility": "private",
        "trigger_mode": "multiple",
    }
    scope = [conversation, bank, category]
    events: list[tuple[str, Any, list[Any]]] = [
        ("send", send, [text, *scope]),
        ("choose", choose, [text, *scope]),
        ("edit", edit, [text, *scope, turn]),
        ("retry", retry, scope),
        ("stop", stop, [conversation]),
        ("clear", clear, [conversation]),
        ("drop", drop, [conversation]),
        ("undo", undo, [conversation]),
        ("sync", sync, [conversation]),
        ("open", open_chat, [text, conversation]),
    ]
    for name, handler, inputs in events:
        button = gr.Button(name, elem_id=f"do-{name}", visible="hidden")
        outputs = None if name == "stop" else [inbox]
        button.click(handler, inputs, outputs, js=f'() => window.faq.take("{name}")', **at_once)
    page.load(watch, None, [news], **at_once)


def _shown(frame: Frame) -> Any:
    return frame.html or gr.skip()


def _api(dialogue: Dialogue, texts: Texts, admission: Admission) -> None:
    async def ask(
        question: str, bank: str | None = None, category: str | None = None, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Answer one question from the FAQ, with its sources."""
        client = await admission.client(request) if request else Client()
        if client is None:
            raise gr.Error(texts.stopped, print_exception=False)
        try:
            return (await dialogue.ask(question, {"bank": bank, "category": category}, client)).as_json()
        except RagError as exc:
            # Said to the program that asked; a traceback in the log would blame the server.
            raise gr.Error(texts.error(exc), print_exception=False) from exc
        except Exception as exc:
            logger.exception("a question was not answered")
            raise gr.Error(texts.unexpected, print_exception=False) from exc

    gr.api(ask, api_name="ask", concurrency_limit=None)  # type: ignore[attr-defined]


async def _loading(loader: Loader, texts: Texts) -> AsyncGenerator[str, None]:
    """Show how the loading goes, then what can be chosen and asked."""
    shown = ""
    while loader.status == "loading":
        if (step := texts.step(*loader.step)) != shown:
            shown = step
            yield status_html("loading", texts, step)
        await asyncio.sleep(POLL_SECONDS)
    if loader.error:
        yield status_html("failed", texts, texts.error(loader.error))
        return
    # In threads: a store may be on the network, and the loop serves every visitor.
    yield await asyncio.to_thread(_ready, loader.service(), texts)


def _ready(service: Chat, texts: Texts) -> str:
    """What can be chosen and asked, for the script: warnings, the filters' values and questions to begin with."""
    facets = service.facets()
    made = [status_html("warning", texts, line) for line in service.warnings]
    made += [f'<ul data-choices="{name}">{_items(facets.get(name, ()))}</ul>' for name in ("bank", "category")]
    topics = service.topics()
    # One of each topic first, then the second ones: an FAQ without categories has one topic.
    by_place = zip_longest(*topics.values())
    starters = [question for questions in by_place for question in questions if question][:STARTERS]
    made += [f'<ul data-topic="{escape(name)}">{_items(questions)}</ul>' for name, questions in topics.items() if name]
    return "".join([*made, f"<ul data-starters>{_items(starters)}</ul>"])


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def status_html(kind: str, texts: Texts, line: str) -> str:
    """A line of the status: kind is loading, failed or warning."""
    advice = f" {texts.failed}" if kind == "failed" else ""
    return f'<p class="{kind}" role="status">{escape(line + advice)}</p>'
