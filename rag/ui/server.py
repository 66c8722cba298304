"""Serves the page: socket, logins, routes, request guard, public link and shutdown."""

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
from queue import SimpleQueue

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
from rag.ui.loader import Chat, Loader, Progress
from rag.ui.markup import head, script, theme
from rag.ui.mcp import mcp_route
from rag.ui.own_routes import chat_routes, feedback_route, status_routes
from rag.ui.page import PageContext, build_page
from rag.ui.request_guard import ADDRESS, LOOPBACK, RequestGuard
from rag.ui.sessions import MAX_SESSIONS, Sessions
from rag.ui.texts import TEXTS, Texts
from rag.ui.visitors import Visitors

ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognised, not chosen


@dataclass(frozen=True, slots=True)
class Server:
    """A page being served. `url`: its address on this machine. `files`: closed with it."""

    page: gr.Blocks
    url: str
    port: int
    uvicorn_server: uvicorn.Server
    thread: threading.Thread
    context: PageContext
    files: Sequence[AnswerLog | ChatHistory] = ()

    def drain(self, seconds: float) -> None:
        """Report not ready (`/readyz`) and wait until running answers have ended and are saved, at most `seconds`."""
        self.context.draining = True
        end = time.monotonic() + seconds
        while (self.context.slots.running or self.context.recorder.unsaved) and time.monotonic() < end:
            time.sleep(0.05)

    def close(self) -> None:
        """Stop at once. Running answers are aborted; uvicorn's errors about them are not logged."""
        share.close_tunnels()
        log = logging.getLogger("uvicorn.error")
        log.disabled = True
        self.uvicorn_server.should_exit = self.uvicorn_server.force_exit = True
        # Connections are aborted because an open page then reconnects until the server is back; after Gradio's own closing
        # message it would show an error and stay.
        for connection in list(self.uvicorn_server.server_state.connections):
            self.uvicorn_server.servers[0].get_loop().call_soon_threadsafe(connection.transport.abort)
        self.page.close(verbose=False)
        self.thread.join(timeout=5)
        for file in self.files:
            file.close()
        log.disabled = False


def serve(settings: Settings, *, public: bool = False, echo: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. `echo`: prints a line to the terminal. Raises RagError."""
    # Not an Event, whose lock a second signal within the first one's handler would wait for, forever.
    signals: SimpleQueue[int] = SimpleQueue()
    users = load_users(settings.ui.auth_file) if settings.ui.auth_file else {}
    if not users and not public and not settings.ui.open_to_all and not is_loopback(settings.ui.host):
        raise SettingsError(
            f"{settings.ui.host} can be reached from the network, and the page has no login: set FSI_UI__AUTH_FILE (made by "
            "`python -m rag user add NAME`), or --open-to-all (FSI_UI__OPEN_TO_ALL=true) if a proxy asks for a login or "
            "everybody may use the page"
        )
    guest = share.one_time_login() if public else None
    if guest:
        users[guest[0]] = guest[2]
    loader = Loader(lambda progress: _build_chat(settings, progress))
    server = start(settings, loader, users, public=public, unlocked=[guest[0]] if guest else [])

    # Set before loading starts, so that Ctrl-C works during it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: signals.put(received))
    loader.start()
    if server.port != settings.ui.port:
        echo(f"Port {settings.ui.port} is in use; taking {server.port} instead.")
    echo(f"Chat page: {server.url}")
    if guest:
        echo(f"Login: user {guest[0]}  password {guest[1]}")
        threading.Thread(target=_open_link, args=(server, echo), name="share", daemon=True).start()
    if signals.get() == signal.SIGTERM:  # from a service manager; Ctrl-C ends at once
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
    """Serve the page in a thread and return. The caller starts `loader`.

    `users`: logins; None or empty: no login. `unlocked`: as in `Login`. `public`: a public link leads to the page: no metrics
    and no check of host names. Raises InputError if no port is free and RagError if the server does not start.
    """
    ui, texts = settings.ui, TEXTS[settings.ui.language]
    listener = listen(ui.host, ui.port)
    port = int(listener.getsockname()[1])
    # Gradio reads these from the environment only, before the page is built: no requests to the internet, and no statistics of
    # the last 10,000 events after each event, which belong to a monitoring page that is disabled here.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(2**31)
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    records = _records(settings)
    reasons = texts.dislike_reasons.split("|")
    routes: list[BaseRoute] = [feedback_route(records, reasons)] if records else []
    history = _history(settings)
    app = FastAPI(openapi_url=None, routes=routes)
    with _event_loop():
        page, context = build_page(settings, loader, records, history)
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
            ssr_mode=False,  # needs Node.js and a second server
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
    app.router.routes[0:0] = status_routes(loader, context, metrics=ui.metrics and not public)
    if history:
        gradio_app = _gradio_app(app)
        app.router.routes[0:0] = chat_routes(
            history, lambda token: str(gradio_app.tokens.get(token, "")), context.recorder.wait_for_saves
        )
    if ui.mcp and context.ask:
        app.router.routes[0:0] = [mcp_route(context.ask, texts)]
    visitors = Visitors(_proxies(settings))
    raise_descriptor_limit()
    uvicorn_server = uvicorn.Server(
        uvicorn.Config(
            _request_guard(app, page, settings, texts, context, visitors, public=public, login=bool(users)),
            http=bounded_protocol(
                trusts=visitors.trusts, per_address=ui.connections_per_address, seconds=ui.request_seconds
            ),
            ws="none",
            log_config=None,  # the program's own handler and format are used
            access_log=False,
            proxy_headers=False,  # handled by rag.ui.visitors, for trusted proxies
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listener]}, name="page", daemon=True)
    thread.start()
    while not uvicorn_server.started:
        if not thread.is_alive():
            raise RagError("the page's server did not start; see the lines above")
        thread.join(0.01)
    reachable = "127.0.0.1" if ui.host in ANY_ADDRESS else f"[{ui.host}]" if ":" in ui.host else ui.host
    return Server(
        page,
        f"http://{reachable}:{port}",
        port,
        uvicorn_server,
        thread,
        context,
        [each for each in (records, history) if each],
    )


def _records(settings: Settings) -> AnswerLog | None:
    config = settings.record
    return AnswerLog(config.file, days=config.days, max_mb=config.max_mb) if config.enabled else None


def _history(settings: Settings) -> ChatHistory | None:
    config = settings.history
    key = config.key.get_secret_value() if config.key else None
    return ChatHistory(config.file, key=key, days=config.days, max_mb=config.max_mb) if config.enabled else None


@contextmanager
def _event_loop() -> Iterator[None]:
    """Set an event loop for the block: without one Gradio creates a loop for each of its locks and closes none."""
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


def _request_guard(
    app: FastAPI,
    page: gr.Blocks,
    settings: Settings,
    texts: Texts,
    context: PageContext,
    visitors: Visitors,
    *,
    public: bool,
    login: bool,
) -> RequestGuard:
    """Wrap the app in the RequestGuard and connect the sessions with Gradio's queue and state."""
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

    # `sessions` drops the states of closed tabs; Gradio's own limit would drop the oldest, whether open or not.
    states.capacity = queue.pending_messages_per_session.max_size = 10 * MAX_SESSIONS
    sessions = Sessions(running=queue.event_ids_to_events.__contains__, forget=forget)
    context.sessions = sessions
    hosts = _split_list(ui.trusted_hosts)
    if not hosts and is_loopback(ui.host) and not (_proxies(settings) or public):
        # Other host names that resolve to this machine are refused (DNS rebinding).
        hosts = [*LOOPBACK, ui.host]
    return RequestGuard(
        app,
        visitors=visitors,
        sessions=sessions,
        texts=texts,
        events=page.fns,
        logged_in=(lambda token: token in gradio_app.tokens) if login else None,
        hosts=hosts,
        on_refused=context.metrics.count_refusal,
        prefix=root_path(ui.root_path),
        mcp=ui.mcp,
    )


def _proxies(settings: Settings) -> list[str]:
    """The trusted proxies; by default those of this machine if a root path is set, as behind a notebook server."""
    return _split_list(settings.ui.trusted_proxies) or (["127.0.0.1", "::1"] if settings.ui.root_path else [])


def _split_list(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def root_path(text: str) -> str:
    """The root path with a leading and without a trailing slash; an absolute URL is returned without a trailing slash."""
    bare = text.strip("/")
    return bare if bare.startswith(("http://", "https://")) else f"/{bare}" if bare else ""


def _open_link(server: Server, echo: Callable[[str], None]) -> None:
    try:
        echo(f"Public link: {share.open_tunnel(server.port)}")
    except RagError as exc:
        echo(f"No public link: {exc}. The page is still served at {server.url}, with the same login.")


def _build_chat(settings: Settings, progress: Progress) -> Chat:
    """Build the service. Its import is here because LlamaIndex and the models would delay the first page."""
    from rag.factory.chat import build_chat

    service: Chat = build_chat(settings, progress=progress)
    return service
