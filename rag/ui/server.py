"""Serves the page: port, login, health, public link, and a quick end."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from rag.errors import InputError, RagError
from rag.settings import Settings
from rag.ui import share
from rag.ui.auth import Login, PasswordHash, load_users
from rag.ui.i18n import TEXTS
from rag.ui.loader import Chat, Loader, Progress
from rag.ui.page import build_page, css, script, theme
from rag.ui.security_headers import SecurityHeaders

MAX_PORTS_TRIED = 100
MAX_SESSIONS = 2000
"""Conversations kept in memory; the one not used for longest goes first."""

ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognised, not chosen


@dataclass(frozen=True, slots=True)
class Server:
    """A page being served. `url` is its address on this machine."""

    page: gr.Blocks
    url: str
    port: int

    def close(self) -> None:
        """End at once: answers still being written are cut off, which uvicorn would report as errors."""
        share.close_tunnels()
        log = logging.getLogger("uvicorn.error")
        log.disabled = True
        running = self.page.server
        running.force_exit = True
        # A page that is cut off looks for the server until it is back; one that Gradio tells of the end shows an error and
        # stays as it is.
        for connection in list(running.server_state.connections):
            running.servers[0].get_loop().call_soon_threadsafe(connection.transport.abort)
        self.page.close(verbose=False)
        log.disabled = False


def serve(settings: Settings, *, public: bool = False, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `say` gets each line for the person who started it. Raises RagError."""
    ended = threading.Event()
    users = load_users(settings.ui.auth_file) if settings.ui.auth_file else {}
    guest = share.one_time_login() if public else None
    if guest:
        users[guest[0]] = guest[2]
    loader = Loader(lambda progress: _build(settings, progress))
    server = start(settings, loader, users)
    # Before the loading, which takes long enough for a Ctrl-C to come in the middle of it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    loader.start()
    if server.port != settings.ui.port:
        say(f"Port {settings.ui.port} is in use; taking {server.port} instead.")
    say(f"Chat page: {server.url}")
    if guest:
        say(f"Login: user {guest[0]}  password {guest[1]}")
        threading.Thread(target=_share, args=(server, say), name="share", daemon=True).start()
    ended.wait()
    server.close()


def start(settings: Settings, loader: Loader, users: Mapping[str, PasswordHash] | None = None) -> Server:
    """Serve the page from a thread and return. `loader` is left to be started. Raises InputError without a port."""
    ui, texts = settings.ui, TEXTS[settings.ui.language]
    port = free_port(ui.host, ui.port)
    _set_environment(ui.host)
    page = build_page(settings, loader)
    page.launch(
        server_name=ui.host,
        server_port=port,
        root_path=root_path(ui.root_path),
        auth=Login(users).check if users else None,  # type: ignore[arg-type] # Gradio awaits it, its annotation does not say so
        auth_message=texts.login,
        share=False,
        quiet=True,
        inline=False,
        prevent_thread_lock=True,  # returns: `serve` waits for the signals itself
        ssr_mode=False,  # would need Node.js, and a second server
        max_threads=200,
        max_file_size=1,
        state_session_capacity=MAX_SESSIONS,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
        theme=theme(),
        css=css(),
        js=script(texts),
        app_kwargs={"routes": [Route("/healthz", _health(loader))], "middleware": [Middleware(SecurityHeaders)]},
    )
    reachable = "127.0.0.1" if ui.host in ANY_ADDRESS else f"[{ui.host}]" if ":" in ui.host else ui.host
    return Server(page, f"http://{reachable}:{port}", port)


def root_path(text: str) -> str:
    """With one slash before and none behind, as the server wants it; a whole address stays as it is."""
    bare = text.strip("/")
    return bare if bare.startswith(("http://", "https://")) else f"/{bare}" if bare else ""


def _set_environment(host: str) -> None:
    """Set what Gradio takes from environment variables alone, before the page is made.

    Whatever the visitor's or the company's own settings are: no look-ups on the internet; no table of the last 10,000 events
    made again after every event, for a monitoring page that is off here; and no proxy for the request by which Gradio looks
    at launch whether its own server answers.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(2**31)
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    for name in ("NO_PROXY", "no_proxy"):
        known = [each for each in os.environ.get(name, "").split(",") if each]
        os.environ[name] = ",".join(dict.fromkeys([*known, "127.0.0.1", "localhost", host]))


def free_port(host: str, preferred: int) -> int:
    """`wanted`, or the next port nobody listens on. Raises InputError when there is none or the address is wrong."""
    for port in range(preferred, min(preferred + MAX_PORTS_TRIED, 65536)):
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                # As the server itself binds: connections that have ended do not hold a port.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
                return port
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                raise InputError(
                    f"cannot listen on {host} port {port}: {exc.strerror}; choose --host and --port"
                ) from exc
    raise InputError(f"no free port from {preferred} on; choose another --port")


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


def _health(loader: Loader) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def health(_request: Request) -> JSONResponse:
        return JSONResponse({"status": loader.status}, status_code=503 if loader.status == "failed" else 200)

    return health
