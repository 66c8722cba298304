"""Serves the page: port, login, health, public link, and a quick end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount

from rag.errors import RagError, SettingsError
from rag.records.answer_log import AnswerLog
from rag.records.history import ChatHistory
from rag.settings import Settings
from rag.ui import share
from rag.ui.auth import Login, PasswordHash, load_users
from rag.ui.connections import bounded_protocol, is_loopback, listen, raise_descriptor_limit
from rag.ui.i18n import TEXTS, Texts
from rag.ui.loader import Chat, Loader, Progress
from rag.ui.mcp import mcp_route
from rag.ui.own_routes import chat_routes, feedback_route, status_routes
from rag.ui.page import Admission, build_page
from rag.ui.request_guard import ADDRESS, LOOPBACK, RequestGuard
from rag.ui.sessions import MAX_SESSIONS, Sessions
from rag.ui.style import head, script, theme
from rag.ui.visitors import Visitors

ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognised, not chosen


@dataclass(frozen=True, slots=True)
class Server:
    """A page being served. `url` is its address on this machine."""

    page: gr.Blocks
    url: str
    port: int
    running: uvicorn.Server
    thread: threading.Thread
    admission: Admission
    files: Sequence[AnswerLog | ChatHistory] = ()

    def drain(self, seconds: float) -> None:
        """Say that nobody new should come (`/readyz`), and let what is being answered end, for so long at most."""
        self.admission.draining = True
        end = time.monotonic() + seconds
        while self.admission.slots.running and time.monotonic() < end:
            time.sleep(0.05)

    def close(self) -> None:
        """End at once: answers still being written are cut off, which uvicorn would report as errors."""
        share.close_tunnels()
        log = logging.getLogger("uvicorn.error")
        log.disabled = True
        self.running.should_exit = self.running.force_exit = True
        # A page that is cut off looks for the server until it is back; one that Gradio tells of the end shows an error and
        # stays as it is.
        for connection in list(self.running.server_state.connections):
            self.running.servers[0].get_loop().call_soon_threadsafe(connection.transport.abort)
        self.page.close(verbose=False)
        self.thread.join(timeout=5)
        for file in self.files:
            file.close()
        log.disabled = False


def serve(settings: Settings, *, public: bool = False, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `say` gets each line for the person who started it. Raises RagError."""
    ended = threading.Event()
    signals: list[int] = []
    users = load_users(settings.ui.auth_file) if settings.ui.auth_file else {}
    if not users and not public and not settings.ui.open_to_all and not is_loopback(settings.ui.host):
        raise SettingsError(
            f"{settings.ui.host} is reached from the network, and the page has no login: set FSI_UI__AUTH_FILE (made by "
            "`python -m rag user add NAME`), or --open-to-all (FSI_UI__OPEN_TO_ALL=true) where something before it asks "
            "for a login or everybody may ask"
        )
    guest = share.one_time_login() if public else None
    if guest:
        users[guest[0]] = guest[2]
    loader = Loader(lambda progress: _build(settings, progress))
    server = start(settings, loader, users, public=public, unlocked=[guest[0]] if guest else [])

    # Before the loading, which takes long enough for a Ctrl-C to come in the middle of it.
    def end(number: int, _frame: object) -> None:
        signals.append(number)
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    loader.start()
    if server.port != settings.ui.port:
        say(f"Port {settings.ui.port} is in use; taking {server.port} instead.")
    say(f"Chat page: {server.url}")
    if guest:
        say(f"Login: user {guest[0]}  password {guest[1]}")
        threading.Thread(target=_share, args=(server, say), name="share", daemon=True).start()
    ended.wait()
    if signal.SIGTERM in signals:  # a service manager's; Ctrl-C is somebody who waits
        server.drain(settings.ui.shutdown_seconds)
    server.close()


def start(
    settings: Settings,
    loader: Loader,
    users: Mapping[str, PasswordHash] | None = None,
    *,
    public: bool = False,
    unlocked: Collection[str] = (),
) -> Server:
    """Serve the page from a thread and return. `loader` is left to be started. Raises InputError without a port."""
    ui, texts = settings.ui, TEXTS[settings.ui.language]
    listener = listen(ui.host, ui.port)
    port = int(listener.getsockname()[1])
    # Gradio takes these from the environment alone, before the page is made. Whatever the visitor's or the company's own
    # settings are: no look-ups on the internet, and no table of the last 10,000 events made again after every event, for a
    # monitoring page that is off here.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(2**31)
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    records = _records(settings)
    reasons = texts.dislike_reasons.split("|")
    routes: list[BaseRoute] = [feedback_route(records, reasons)] if records else []
    history = _history(settings)
    app = FastAPI(openapi_url=None, routes=routes)
    with _event_loop():
        page, slots = build_page(settings, loader, records, history)
        gr.mount_gradio_app(
            app,
            page,
            path="/",
            server_name=ui.host,
            server_port=port,
            root_path=root_path(ui.root_path),
            auth=Login(users, address=ADDRESS.get, unlocked=unlocked).check if users else None,
            auth_message=texts.login,
            show_error=False,
            ssr_mode=False,  # would need Node.js, and a second server
            max_file_size=1,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            mcp_server=False,
            pwa=False,
            theme=theme(),
            head=head(),
            js=script(texts),
            app_kwargs={"openapi_url": None},
        )
    app.router.routes[0:0] = status_routes(loader, slots, metrics=ui.metrics and not public)
    if history:
        gradio_app = _gradio_app(app)
        app.router.routes[0:0] = chat_routes(history, lambda token: str(gradio_app.tokens.get(token, "")))
    if ui.mcp and slots.ask:
        app.router.routes[0:0] = [mcp_route(slots.ask, texts)]
    visitors = Visitors(_proxies(settings))
    raise_descriptor_limit()
    running = uvicorn.Server(
        uvicorn.Config(
            _guarded(app, page, settings, texts, slots, visitors, public=public, login=bool(users)),
            http=bounded_protocol(
                trusts=visitors.trusts, per_address=ui.connections_per_address, seconds=ui.request_seconds
            ),
            ws="none",
            log_config=None,  # through the program's own handler, in its format
            access_log=False,
            proxy_headers=False,  # believed by rag.ui.visitors, from the stated proxies
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, name="page", daemon=True)
    thread.start()
    while not running.started:
        if not thread.is_alive():
            raise RagError("the page's server did not start; see the lines above")
        thread.join(0.01)
    reachable = "127.0.0.1" if ui.host in ANY_ADDRESS else f"[{ui.host}]" if ":" in ui.host else ui.host
    return Server(
        page, f"http://{reachable}:{port}", port, running, thread, slots, [each for each in (records, history) if each]
    )


def _records(settings: Settings) -> AnswerLog | None:
    kept = settings.record
    return AnswerLog(kept.file, days=kept.days, max_mb=kept.max_mb) if kept.enabled else None


def _history(settings: Settings) -> ChatHistory | None:
    kept = settings.history
    key = kept.key.get_secret_value() if kept.key else None
    return ChatHistory(kept.file, key=key, days=kept.days, max_mb=kept.max_mb) if kept.enabled else None


@contextmanager
def _event_loop() -> Iterator[None]:
    """Gradio makes an event loop for each of its locks where its thread has none, and closes none of them."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            yield
        finally:
            asyncio.set_event_loop(None)
            loop.close()
    else:
        yield


def _gradio_app(app: FastAPI) -> gr.routes.App:
    mounted = (route.app for route in app.routes if isinstance(route, Mount))
    return next(each for each in mounted if isinstance(each, gr.routes.App))


def _guarded(
    app: FastAPI,
    page: gr.Blocks,
    settings: Settings,
    texts: Texts,
    slots: Admission,
    visitors: Visitors,
    *,
    public: bool,
    login: bool,
) -> RequestGuard:
    """The whole page behind its guard."""
    ui = settings.ui
    gradio_app = _gradio_app(app)
    page.app = gradio_app
    queue, states = page._queue, gradio_app.state_holder

    def forget(session: str) -> None:
        queue.pending_messages_per_session.pop(session, None)
        for event in queue.pending_event_ids_session.pop(session, ()):
            if (waiting := queue.event_ids_to_events.pop(event, None)) is not None:
                waiting.alive = False
        states.session_data.pop(session, None)
        states.time_last_used.pop(session, None)

    # Kept by `sessions`, which knows whose tab is open; Gradio's own limits throw out whoever came first.
    states.capacity = queue.pending_messages_per_session.max_size = 10 * MAX_SESSIONS
    sessions = Sessions(running=queue.event_ids_to_events.__contains__, forget=forget)
    slots.sessions = sessions
    hosts = _listed(ui.trusted_hosts)
    if not hosts and is_loopback(ui.host) and not (_proxies(settings) or public):
        # Another name that leads to this machine is another site's trick to be taken for the page.
        hosts = [*LOOPBACK, ui.host]
    return RequestGuard(
        app,
        visitors=visitors,
        sessions=sessions,
        texts=texts,
        events=page.fns,
        logged_in=(lambda token: token in gradio_app.tokens) if login else None,
        hosts=hosts,
        refused=slots.metrics.refused,
        prefix=root_path(ui.root_path),
        mcp=ui.mcp,
    )


def _proxies(settings: Settings) -> list[str]:
    """A root path says that a proxy of this machine is before the page: a notebook server's."""
    return _listed(settings.ui.trusted_proxies) or (["127.0.0.1", "::1"] if settings.ui.root_path else [])


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def root_path(text: str) -> str:
    """With one slash before and none behind, as the server wants it; a whole address stays as it is."""
    bare = text.strip("/")
    return bare if bare.startswith(("http://", "https://")) else f"/{bare}" if bare else ""


def _share(server: Server, say: Callable[[str], None]) -> None:
    try:
        say(f"Public link: {share.open_tunnel(server.port)}")
    except RagError as exc:
        say(f"No public link: {exc}. The page goes on at {server.url}, behind the same login.")


def _build(settings: Settings, progress: Progress) -> Chat:
    """Imported here: it brings LlamaIndex and the models, which the first page must not wait for."""
    from rag.factory.chat import build_chat

    service: Chat = build_chat(settings, progress=progress)
    return service
