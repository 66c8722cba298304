"""Builds the page with Gradio: events, their handlers and the API.

The markup is in skeleton and the assets, the handlers' logic in session. Visitors use plain HTML elements; the script clicks
hidden Gradio buttons for them, whose events return frames.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from html import escape
from itertools import zip_longest
from typing import Any

import gradio as gr

from rag.errors import RagError
from rag.records.answer_log import AnswerLog
from rag.records.history import ChatHistory
from rag.settings import Settings
from rag.ui.answer_streams import AnswerSlots
from rag.ui.conversation import Conversation
from rag.ui.conversation_recorder import ConversationRecorder
from rag.ui.loader import Chat, Loader
from rag.ui.markup import body_html
from rag.ui.mcp import Ask
from rag.ui.metrics import Metrics
from rag.ui.request_guard import VISITOR
from rag.ui.session import POLL_SECONDS, Choices, Client, Dialogue, Frame
from rag.ui.sessions import Sessions
from rag.ui.texts import TEXTS, Texts
from rag.ui.visitors import Visitor, person_id

logger = logging.getLogger(__name__)
MAX_STARTERS = 4
"""Example questions on the empty page."""
MAX_THREADS = 200
"""Events that Gradio runs at once: more than `sessions` admits, because questions wait in AnswerSlots, within their event."""
ANSWERS_WITH_LLM = 40
"""Answers at once with a language model, which spend most of their time waiting for the network."""
IDLE_POLL_SECONDS = 0.02
"""Seconds between Gradio's checks of its empty queue, in place of its default of a millisecond."""


class PageContext:
    """Objects that the page shares with its server.

    `recorder`: saves the conversations. `sessions`: set by the server. `ask`: `Dialogue.ask`, for the server's own routes.
    `secret`: key of the chat history for `person_id`; empty: no chats are saved. `draining`: the server is shutting down and
    reports that it is not ready.
    """

    def __init__(
        self,
        slots: AnswerSlots,
        metrics: Metrics,
        recorder: ConversationRecorder,
        *,
        ask: Ask | None = None,
        secret: bytes = b"",
    ) -> None:
        self.slots = slots
        self.metrics = metrics
        self.recorder = recorder
        self.ask = ask
        self.secret = secret
        self.draining = False
        self.sessions: Sessions | None = None

    async def client(self, request: gr.Request) -> Client | None:
        """The client that sent the event; None if its session has no open stream, and the event is to be dropped."""
        if self.sessions is None or request.request is None:
            return Client()
        if not await self.sessions.wait_for_stream(str(request.session_hash)):
            return None
        visitor: Visitor = request.request.scope[VISITOR]
        user = str(request.username or "")
        return Client(visitor.owner, visitor.address, person_id(self.secret, visitor, user) if self.secret else "")


def build_page(
    settings: Settings, loader: Loader, records: AnswerLog | None = None, history: ChatHistory | None = None
) -> tuple[gr.Blocks, PageContext]:
    """The page, which answers with the service of `loader`. `records`, `history`: None: answers or chats are not saved.

    `rag.ui.markup` has the theme, the style sheet and the script to serve it with.
    """
    texts = TEXTS[settings.ui.language]
    # A search keeps a core busy, a language model keeps it waiting.
    writes = settings.llm.backend != "none" and settings.chat.answer_mode != "verbatim"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2
    slots = AnswerSlots(settings.ui.answers_at_once or (ANSWERS_WITH_LLM if writes else max(2, cores)))
    metrics = Metrics(slots)
    recorder = ConversationRecorder(records, history, metrics, slots.wait_until_uncrowded)
    limit = settings.chat.max_question_chars
    dialogue = Dialogue(
        loader,
        texts,
        max_question_chars=limit,
        slots=slots,
        relevance=settings.ui.relevance,
        recorder=recorder,
    )
    context = PageContext(slots, metrics, recorder, ask=dialogue.ask, secret=history.secret if history else b"")
    page = gr.Blocks(title=texts.title, analytics_enabled=False, fill_width=True)
    page.max_threads = MAX_THREADS
    with page:
        gr.HTML(
            body_html(texts, limit=limit, history=history is not None),
            elem_id="page",
            js_on_load=None,
            apply_default_css=False,
        )
        _add_events(page, dialogue, loader, texts, context)
        _add_api(dialogue, texts, context)
    # Requests to Gradio's REST routes would bypass the queue and its limits.
    page.queue(api_open=False, default_concurrency_limit=None)
    # A private field: Gradio has no setting for it.
    page._queue.sleep_when_free = IDLE_POLL_SECONDS
    return page, context


def _add_events(page: gr.Blocks, dialogue: Dialogue, loader: Loader, texts: Texts, context: PageContext) -> None:
    """Add a hidden button `do-NAME` for each event; the script's `faq.take("NAME")` returns its input values."""
    conversation = gr.State(Conversation())
    text, bank, category, turn = (gr.Textbox(visible=False) for _ in range(4))
    inbox = gr.HTML("", elem_id="inbox", js_on_load=None, apply_default_css=False)
    news = gr.HTML("", elem_id="news", js_on_load=None, apply_default_css=False)

    def streamed(answer: Callable[[Conversation, str, Choices, Client], AsyncIterator[Frame]]) -> Callable[..., Any]:
        async def handler(
            text: str, conversation: Conversation, bank: str, category: str, request: gr.Request
        ) -> AsyncGenerator[Any, None]:
            if client := await context.client(request):
                async for frame in answer(conversation, text, {"bank": bank, "category": category}, client):
                    yield _frame_output(frame)

        return handler

    def shown(change: Callable[[Conversation], Frame]) -> Callable[..., Any]:
        async def handler(conversation: Conversation) -> Any:
            return _frame_output(change(conversation))

        return handler

    async def edit(
        question: str, conversation: Conversation, bank: str, category: str, turn: str, request: gr.Request
    ) -> AsyncGenerator[Any, None]:
        if client := await context.client(request):
            choices = {"bank": bank, "category": category}
            # Programs may send any text, and int() is slow for very long digits.
            replaced = int(turn) if turn and turn.isdecimal() and len(turn) < 9 else None
            async for frame in dialogue.respond(conversation, question, choices, client, replaces_turn=replaced):
                yield _frame_output(frame)

    async def retry(
        conversation: Conversation, bank: str, category: str, request: gr.Request
    ) -> AsyncGenerator[Any, None]:
        if client := await context.client(request):
            async for frame in dialogue.retry(conversation, {"bank": bank, "category": category}, client):
                yield _frame_output(frame)

    async def stop(conversation: Conversation) -> None:
        conversation.stop()

    async def open_chat(chat: str, conversation: Conversation, request: gr.Request) -> Any:
        if (client := await context.client(request)) is None:
            return gr.skip()
        return _frame_output(await dialogue.open(conversation, chat, client))

    async def watch(request: gr.Request) -> AsyncGenerator[str, None]:
        if await context.client(request):
            async for html in _loading_html(loader, texts):
                yield html

    # No limit here: questions wait in AnswerSlots, and stop and clear must not wait. "multiple", because Gradio's client would
    # drop a question that is sent before the previous answer's event has ended.
    at_once: dict[str, Any] = {
        "concurrency_limit": None,
        "show_progress": "hidden",
        "api_visibility": "private",
        "trigger_mode": "multiple",
        # For each value Gradio would run its component's conversion in a thread; these texts need none.
        "preprocess": False,
        "postprocess": False,
    }
    scope = [conversation, bank, category]
    events: list[tuple[str, Any, list[Any]]] = [
        ("send", streamed(dialogue.respond), [text, *scope]),
        ("choose", streamed(dialogue.choose), [text, *scope]),
        ("edit", edit, [text, *scope, turn]),
        ("retry", retry, scope),
        ("stop", stop, [conversation]),
        ("clear", shown(dialogue.clear), [conversation]),
        ("drop", shown(dialogue.drop), [conversation]),
        ("undo", shown(dialogue.undo), [conversation]),
        ("sync", shown(dialogue.full_frame), [conversation]),
        ("open", open_chat, [text, conversation]),
    ]
    for name, handler, inputs in events:
        button = gr.Button(name, elem_id=f"do-{name}", visible="hidden")
        outputs = None if name == "stop" else [inbox]
        button.click(handler, inputs, outputs, js=f'() => window.faq.take("{name}")', **at_once)
    page.load(watch, None, [news], **at_once)


def _frame_output(frame: Frame) -> Any:
    return frame.html or gr.skip()


def _add_api(dialogue: Dialogue, texts: Texts, context: PageContext) -> None:
    async def ask(
        question: str, bank: str | None = None, category: str | None = None, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Answer one question from the FAQ, with its sources."""
        client = await context.client(request) if request else Client()
        if client is None:
            raise gr.Error(texts.stopped, print_exception=False)
        try:
            return (await dialogue.ask(question, {"bank": bank, "category": category}, client)).as_json()
        except RagError as exc:
            # The error is the caller's; a traceback in the log would point to the server.
            raise gr.Error(texts.error(exc), print_exception=False) from exc
        except Exception as exc:
            logger.exception("a question was not answered")
            raise gr.Error(texts.unexpected, print_exception=False) from exc

    gr.api(ask, api_name="ask", concurrency_limit=None)  # type: ignore[attr-defined]


async def _loading_html(loader: Loader, texts: Texts) -> AsyncGenerator[str, None]:
    """Yield the loading's progress as HTML, then the content of the start page, or the error that loading failed with."""
    shown_step = ""
    while loader.status == "loading":
        if (step := texts.step(*loader.step)) != shown_step:
            shown_step = step
            yield status_html("loading", texts, step)
        await asyncio.sleep(POLL_SECONDS)
    if loader.error:
        yield status_html("failed", texts, texts.error(loader.error))
        return
    # In a thread, because the store may be on the network.
    yield await asyncio.to_thread(_start_html, loader.service(), texts)


def _start_html(service: Chat, texts: Texts) -> str:
    """HTML that the script reads: warnings, the filters' values, and example questions by topic."""
    facets = dict(service.facets())
    # The only institution is no choice: rows that name none are its own, too.
    if len(facets.get("bank", ())) == 1:
        del facets["bank"]
    parts = [status_html("warning", texts, line) for line in service.warnings]
    parts += [f'<ul data-choices="{name}">{_items(facets.get(name, ()))}</ul>' for name in ("bank", "category")]
    topics = service.topics()
    # The first question of each topic, then the second ones: an FAQ without categories has one topic.
    rounds = zip_longest(*topics.values())
    starters = [question for questions in rounds for question in questions if question][:MAX_STARTERS]
    parts += [f'<ul data-topic="{escape(name)}">{_items(questions)}</ul>' for name, questions in topics.items() if name]
    return "".join([*parts, f"<ul data-starters>{_items(starters)}</ul>"])


def _items(lines: Iterable[str]) -> str:
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def status_html(kind: str, texts: Texts, line: str) -> str:
    """A line of the page's status. `kind`: "loading", "failed" or "warning"."""
    advice = f" {texts.failed}" if kind == "failed" else ""
    return f'<p class="{kind}" role="status">{escape(line + advice)}</p>'
