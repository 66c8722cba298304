"""The page: components, layout and which event does what. Words are in i18n, what happens is in session."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from rag.errors import RagError
from rag.settings import Settings
from rag.ui.answer_slots import AnswerSlots
from rag.ui.i18n import TEXTS, Texts
from rag.ui.loader import Loader
from rag.ui.rendering import panel_html
from rag.ui.request_guard import VISITOR
from rag.ui.session import POLL_SECONDS, Asker, Conversation, Dialogue, Frame
from rag.ui.sessions import Sessions
from rag.ui.visitors import Visitor

logger = logging.getLogger(__name__)
STARTERS = 4
THREADS = 200
"""Events that Gradio runs at once: all that `sessions` admits. What waits for an answer waits in AnswerSlots."""
ANSWERS_BY_MODEL = 40
"""Answers at once with a language model, which is waited for on the network; without, as many as there are cores."""

Update = dict[Any, Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """The components that change."""

    status: gr.HTML
    chat: gr.Chatbot
    starting: gr.Column
    starters: Sequence[gr.Button]
    box: gr.Textbox
    send: gr.Button
    stop: gr.Button
    hint: gr.HTML
    bank: gr.Dropdown
    category: gr.Dropdown
    retry: gr.Button
    clear: gr.Button
    panel: gr.HTML
    conversation: gr.State


class Admission:
    """Lets in events whose answer somebody reads, and says whose they are. `sessions` is set with the server."""

    def __init__(self) -> None:
        self.sessions: Sessions | None = None

    async def asker(self, request: gr.Request) -> Asker | None:
        """Who asks; None where the event is dropped, for no stream of its session is open."""
        if self.sessions is None or request.request is None:
            return Asker()
        if not await self.sessions.wait_open(str(request.session_hash)):
            return None
        visitor: Visitor = request.request.scope[VISITOR]
        return Asker(visitor.owner, visitor.address)


def build_page(settings: Settings, loader: Loader) -> tuple[gr.Blocks, Admission]:
    """The page over the service that `loader` brings up. `theme()`, `css()` and `script()` belong to its launch."""
    texts = TEXTS[settings.ui.language]
    slots = AnswerSlots(settings.ui.answers_at_once or _answers_at_once(settings))
    dialogue = Dialogue(loader, texts, max_question_chars=settings.chat.max_question_chars, slots=slots)
    admission = Admission()
    page = gr.Blocks(title=texts.title, analytics_enabled=False, fill_width=True)
    page.max_threads = THREADS
    with page:
        parts = _layout(texts)
        _wire(page, parts, dialogue, loader, texts, admission)
        _api(dialogue, texts, admission)
    # Closed: a request to the REST routes would pass the queue, and its limits, by.
    page.queue(api_open=False, default_concurrency_limit=None)
    return page, admission


def _answers_at_once(settings: Settings) -> int:
    """A search is work for one core; a model elsewhere is waited for."""
    if settings.llm.backend != "none" and settings.chat.answer_mode != "verbatim":
        return ANSWERS_BY_MODEL
    return max(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2)


def _layout(texts: Texts) -> Parts:
    gr.HTML(
        f'<header><span class="mark" aria-hidden="true"></span><div><h1>{escape(texts.title)}</h1>'
        f"<p>{escape(texts.subtitle)}</p></div></header>",
        elem_id="header",
    )
    status = gr.HTML(status_html("loading", texts, texts.step("", 0, 0)), elem_id="status")
    with gr.Row(elem_id="columns"):
        with gr.Column(scale=3, min_width=320, elem_id="talk"):
            chat = gr.Chatbot(
                label=texts.chat_label,
                show_label=False,
                container=False,
                height=None,
                placeholder=f'<div class="welcome">{escape(texts.welcome)}</div>',
                latex_delimiters=[],  # an amount such as $5 is no formula
                autoscroll=False,  # page.js does it, until the visitor scrolls
                buttons=[],
                feedback_options=None,
                elem_id="chat",
            )
            with gr.Column(visible=False, elem_id="starting") as starting:
                gr.HTML(f"<h2>{escape(texts.starters)}</h2>")
                with gr.Row(elem_id="starters"):
                    starters = [gr.Button(visible=False, size="sm", min_width=0) for _ in range(STARTERS)]
            composer = _composer(texts)
        with gr.Column(scale=2, min_width=320, elem_id="sources"):
            panel = gr.HTML(panel_html([], texts), elem_id="panel")
    gr.HTML(f"<footer><p>{escape(texts.notice)}</p></footer>", elem_id="notice")
    return Parts(
        status=status,
        chat=chat,
        starting=starting,
        starters=starters,
        panel=panel,
        conversation=gr.State(Conversation()),
        **composer,
    )


def _composer(texts: Texts) -> dict[str, Any]:
    components: dict[str, Any] = {}
    with gr.Column(elem_id="composer"):
        with gr.Row(elem_id="ask"):
            components["box"] = gr.Textbox(
                label=texts.box_label,
                show_label=False,
                container=False,
                lines=1,
                max_lines=6,
                placeholder=texts.box_placeholder,
                elem_id="box",
                scale=1,
            )
            components["send"] = gr.Button(texts.send, variant="primary", elem_id="send", scale=0, min_width=88)
            components["stop"] = gr.Button(texts.stop, visible=False, elem_id="stop", scale=0, min_width=88)
        components["hint"] = gr.HTML("", elem_id="hint")
        with gr.Row(elem_id="tools"):
            for name, label in (("bank", texts.bank), ("category", texts.category)):
                choices = [(texts.everything, "")]
                components[name] = gr.Dropdown(
                    choices, value="", label=label, filterable=False, elem_id=name, scale=1, min_width=120
                )
            components["retry"] = gr.Button(
                texts.retry, visible=False, size="sm", elem_id="retry", scale=0, min_width=96
            )
            components["clear"] = gr.Button(texts.clear, size="sm", elem_id="clear", scale=0, min_width=96)
    return components


def _wire(
    page: gr.Blocks, parts: Parts, dialogue: Dialogue, loader: Loader, texts: Texts, admission: Admission
) -> None:
    filters = [parts.bank, parts.category]
    changed = [
        parts.chat,
        parts.panel,
        parts.starting,
        parts.box,
        parts.send,
        parts.stop,
        parts.hint,
        parts.retry,
    ]

    async def respond(
        question: str, conversation: Conversation, bank: str, category: str, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        if (asker := await admission.asker(request)) is None:
            return
        async for frame in dialogue.respond(conversation, question, {"bank": bank, "category": category}, asker):
            yield _update(parts, frame)

    async def suggested(
        conversation: Conversation, bank: str, category: str, chosen: gr.SelectData, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        async for update in respond(str(chosen.value), conversation, bank, category, request):
            yield update

    async def retry(
        conversation: Conversation, bank: str, category: str, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        if (asker := await admission.asker(request)) is None:
            return
        async for frame in dialogue.retry(conversation, {"bank": bank, "category": category}, asker):
            yield _update(parts, frame)

    async def stop(conversation: Conversation) -> None:
        conversation.stop()

    async def clear(conversation: Conversation) -> Update:
        return _update(parts, dialogue.clear(conversation))

    async def watch(conversation: Conversation, request: gr.Request) -> AsyncGenerator[Update, None]:
        if await admission.asker(request) is None:
            return
        async for update in _loading(parts, loader, texts, conversation):
            yield update

    # Questions wait in the dialogue, which knows whose they are; stopping and clearing never do.
    at_once: dict[str, Any] = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
    # Values as they were sent: Gradio prints one that is not on offer, with a traceback; the dialogue refuses it.
    # A question sent before Gradio has ended the last event is a question; sent while one is answered, the dialogue leaves it.
    answering = {**at_once, "outputs": changed, "preprocess": False, "trigger_mode": "multiple"}
    gr.on([parts.box.submit, parts.send.click], respond, [parts.box, parts.conversation, *filters], **answering)
    for button in parts.starters:
        button.click(respond, [button, parts.conversation, *filters], **answering)
    parts.chat.option_select(suggested, [parts.conversation, *filters], **answering)
    parts.retry.click(retry, [parts.conversation, *filters], **answering)
    parts.stop.click(stop, [parts.conversation], None, **at_once)
    parts.clear.click(clear, [parts.conversation], changed, **at_once)
    page.load(watch, [parts.conversation], [parts.status, parts.starting, *parts.starters, *filters], **at_once)


def _api(dialogue: Dialogue, texts: Texts, admission: Admission) -> None:
    async def ask(
        question: str, bank: str | None = None, category: str | None = None, request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Answer one question from the FAQ, with its sources."""
        asker = await admission.asker(request) if request else Asker()
        if asker is None:
            raise gr.Error(texts.stopped, print_exception=False)
        try:
            return (await dialogue.ask(question, {"bank": bank, "category": category}, asker)).as_json()
        except RagError as exc:
            # Said to the program that asked; a traceback in the log would blame the server.
            raise gr.Error(texts.error(exc), print_exception=False) from exc
        except Exception as exc:
            logger.exception("a question was not answered")
            raise gr.Error(texts.unexpected, print_exception=False) from exc

    gr.api(ask, api_name="ask", concurrency_limit=None)  # type: ignore[attr-defined]


def _update(parts: Parts, frame: Frame) -> Update:
    update: Update = {}
    if frame.messages is not None:
        update[parts.chat] = frame.messages
    if frame.panel is not None:
        update[parts.panel] = frame.panel
    if frame.hint is not None:
        update[parts.hint] = f'<p role="alert">{escape(frame.hint)}</p>' if frame.hint else ""
    if frame.empty is not None:
        update[parts.starting] = gr.update(visible=frame.empty)
    # A part that the frame says nothing of is not in the update, so what a visitor types or opens meanwhile stays.
    if frame.busy is not None:
        box: dict[str, Any] = {} if frame.box is None else {"value": frame.box}
        update[parts.box] = gr.update(interactive=not frame.busy, **box)
        update[parts.send] = gr.update(visible=not frame.busy)
        update[parts.stop] = gr.update(visible=frame.busy)
        update[parts.retry] = gr.update(visible=not frame.busy and not frame.empty)
    return update or gr.skip()


async def _loading(
    parts: Parts, loader: Loader, texts: Texts, conversation: Conversation
) -> AsyncGenerator[Update, None]:
    """Show how the loading goes, then what can be chosen and asked."""
    shown = ""
    while loader.status == "loading":
        if (step := texts.step(*loader.step)) != shown:
            shown = step
            yield {parts.status: status_html("loading", texts, step)}
        await asyncio.sleep(POLL_SECONDS)
    if loader.error:
        yield {parts.status: status_html("failed", texts, texts.error(loader.error))}
        return
    service = loader.service()
    # In threads: a store may be on the network, and the loop serves every visitor.
    facets = await asyncio.to_thread(service.facets)
    starters = list(await asyncio.to_thread(service.starters))[:STARTERS]
    yield {
        parts.status: "".join(status_html("warning", texts, line) for line in service.warnings),
        parts.starting: gr.update(visible=not conversation.exchanges),
        **{
            button: gr.update(value=value, visible=True)
            for button, value in zip(parts.starters, starters, strict=False)
        },
        **_choices(parts, facets, texts),
    }


def _choices(parts: Parts, facets: Mapping[str, Sequence[str]], texts: Texts) -> Update:
    update: Update = {}
    for name, dropdown in (("bank", parts.bank), ("category", parts.category)):
        values = [(value, value) for value in facets.get(name, ())]
        update[dropdown] = gr.update(choices=[(texts.everything, ""), *values], value="")
    return update


def status_html(kind: str, texts: Texts, line: str) -> str:
    """A line of the status: kind is loading, failed or warning."""
    advice = f" {texts.failed}" if kind == "failed" else ""
    return f'<p class="{kind}" role="status">{escape(line + advice)}</p>'
