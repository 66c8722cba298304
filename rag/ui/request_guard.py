"""ASGI middleware around the page's app that refuses requests which this page's visitors never send.

It checks, in this order: host and origin, route, login, body size, body, limits. A request that passes reaches Gradio with a
session name derived from its owner. A refused one is logged in one line and answered with a short JSON message.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.ui.markup import login_page
from rag.ui.request_bodies import (
    Event,
    RequestRefused,
    parse_call,
    parse_object,
    parse_session,
    read_body,
    replace_body,
    replay_body,
)
from rag.ui.security_headers import secure_response
from rag.ui.sessions import LimitExceeded, Session, Sessions
from rag.ui.texts import Texts
from rag.ui.visitors import LOGIN_COOKIE, Visitor, Visitors, parse_cookies

logger = logging.getLogger(__name__)

API = "/gradio_api"
STATUS_PATHS = {"/healthz", "/readyz", "/metrics"}
"""For load balancers, containers and monitoring, which may use any host name."""
FILE_PREFIXES = ("/assets/", "/static/", "/svelte/", f"{API}/custom_component/")
GET_PATHS = {
    *STATUS_PATHS,
    *("/", "/config", "/login_check", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt"),
    *(
        f"{API}/{name}"
        for name in ("info", "startup-events", "app_id", "user", "login_check", "theme.css", "queue/data")
    ),
}
HEARTBEAT, DATA, CALL = f"{API}/heartbeat/", f"{API}/queue/data", f"{API}/call/ask"
EXPORT = "/chats/export"
MCP = "/mcp"
OWN_POST_PATHS = {"/feedback", "/chats/search", "/chats/rename", "/chats/delete", "/chats/forget"}
OWN_PER_ADDRESS = 8
"""Concurrent requests of one address to the page's own routes: feedback, chats and MCP."""
GRADIO_POST_PATHS = {"/login", f"{API}/queue/join", CALL, f"{API}/cancel", f"{API}/reset"}
COOKIE_SECONDS = 180 * 24 * 3600
"""How long a browser keeps its cookie, and with it the access to its saved chats."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
CLIENT_CLOSE_SECONDS = 5.0
"""How long to wait at the end of a stream for the browser to close the connection."""
VISITOR = "fsi.visitor"
"""Key of the request's Visitor in its ASGI scope."""
ADDRESS: ContextVar[str] = ContextVar("address", default="")
"""Address of the current request. Gradio passes no request to its login function, which needs it."""


class RequestGuard:
    """ASGI app that checks each request and passes it on to `app`.

    `events`: the page's events by number. `logged_in`: whether a login token is valid; None: the page has no logins.
    `hosts`: accepted host names; empty: all. `prefix`: path prefix that a proxy removes, and that requests without the proxy
    have. `on_refused`: called with the status of each refused request. `mcp`: POST /mcp is accepted.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        visitors: Visitors,
        sessions: Sessions,
        texts: Texts,
        events: Mapping[int, Event],
        logged_in: Callable[[str], bool] | None = None,
        hosts: Sequence[str] = (),
        prefix: str = "",
        on_refused: Callable[[int], None] = lambda _: None,
        mcp: bool = False,
    ) -> None:
        self._app = app
        self._visitors = visitors
        self._sessions = sessions
        self._texts = texts
        self._events = dict(events)
        self._ask = next((number for number, event in self._events.items() if event.api_name == "ask"), -1)
        self._logged_in = logged_in
        self._on_refused = on_refused
        self._hosts = {host.lower() for host in hosts}
        self._prefix = urlsplit(prefix).path
        self._own_requests: Counter[str] = Counter()
        self._own_posts = OWN_POST_PATHS | {MCP} if mcp else OWN_POST_PATHS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # the page uses no web sockets
        if self._prefix and scope["path"].startswith(f"{self._prefix}/"):
            path = scope["path"].removeprefix(self._prefix)
            scope = {**scope, "path": path, "raw_path": path.encode()}
        visitor = self._visitors.identify(scope)
        scope[VISITOR] = visitor
        ADDRESS.set(visitor.address)
        started = False

        async def send_secured(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                secure_response(message, https=visitor.https, private=scope["path"].startswith(f"{API}/"))
            await send(message)

        try:
            await self._answer(scope, receive, send_secured, visitor)
        except (RequestRefused, LimitExceeded) as exc:
            self._on_refused(exc.status)
            logger.info(
                "refused status=%d reason=%s method=%s path=%s", exc.status, exc, scope["method"], scope["path"]
            )
            if not started:
                text = exc.text if isinstance(exc, RequestRefused) else "busy"
                detail = str(getattr(self._texts, text)) if text else str(exc)
                response = JSONResponse({"detail": detail, "error": detail}, status_code=exc.status)
                await response(scope, receive, send_secured)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, visitor: Visitor) -> None:
        method, path = scope["method"], scope["path"].rstrip("/") or "/"
        headers = Headers(scope=scope)
        if path == "/metrics" and visitor.forwarded:
            raise RequestRefused(404, "metrics are not served through a proxy")
        if path not in STATUS_PATHS:
            self._check_origin(headers, visitor, navigation=method in ("GET", "HEAD") and path == "/")
        posted = method == "POST" and (path in GRADIO_POST_PATHS or path in self._own_posts)
        one_answer = path.startswith(f"{CALL}/")
        readable = path in GET_PATHS or path == EXPORT or path.startswith((*FILE_PREFIXES, HEARTBEAT)) or one_answer
        if not posted and not (readable and method in ("GET", "HEAD")):
            raise RequestRefused(404, "there is no such route")
        logged_in = self._logged_in or (lambda _: False)
        token = any(
            name.startswith(LOGIN_COOKIE) and logged_in(value) for name, value in parse_cookies(headers).items()
        )
        streamed = one_answer or path == DATA or path.startswith(HEARTBEAT)
        if self._logged_in and not token and (path in ("/", EXPORT) or posted or streamed):
            if path == "/":
                page = HTMLResponse(login_page(self._texts), headers={"Cache-Control": "no-store"})
                await page(scope, receive, _set_cookie(send, visitor))
                return
            if path != "/login":
                raise RequestRefused(401, "no login", text="login_ended")
        if path == "/":
            await self._app(scope, receive, _set_cookie(send, visitor))
        elif path == "/login":
            await self._app(scope, replay_body(await read_body(scope, receive), receive), _set_cookie(send, visitor))
        elif path in self._own_posts or path == EXPORT:
            body = json.dumps(parse_object(await read_body(scope, receive))).encode() if posted else b""
            if self._own_requests[visitor.address] >= OWN_PER_ADDRESS:
                raise LimitExceeded("requests of one visitor")
            self._own_requests[visitor.address] += 1
            try:
                await self._app(replace_body(scope, body), replay_body(body, receive), send)
            finally:
                self._own_requests[visitor.address] -= 1
                self._own_requests = +self._own_requests  # drops the entries at zero
        elif path in GRADIO_POST_PATHS:
            await self._post(path, scope, receive, send, visitor)
        elif streamed:
            await self._stream(path, scope, receive, send, visitor)
        else:
            await self._app(scope, receive, send)

    def _check_origin(self, headers: Headers, visitor: Visitor, *, navigation: bool) -> None:
        """Refuse unknown host names (DNS rebinding) and requests made by another site's page (CSRF). Raises RequestRefused."""
        host = visitor.host.lower()
        name = host if host.endswith("]") or ":" not in host else host.rpartition(":")[0]
        if self._hosts and name not in self._hosts and host not in self._hosts:
            raise RequestRefused(421, "the host name is not in FSI_UI__TRUSTED_HOSTS")
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site in ("same-origin", "none"):
            return
        # Following a link from another site is allowed; browsers send no Origin header with it.
        document = headers.get("sec-fetch-dest") in (None, "document")
        if navigation and origin is None and document and headers.get("sec-fetch-mode") in (None, "navigate"):
            return
        if site is not None or (origin is not None and origin.lower().partition("://")[2] != host):
            raise RequestRefused(403, "the request comes from another site's page")

    async def _post(self, path: str, scope: Scope, receive: Receive, send: Send, visitor: Visitor) -> None:
        content = parse_object(await read_body(scope, receive))
        if path == f"{API}/reset":  # does nothing in this version of Gradio
            await JSONResponse({"success": True})(scope, receive, send)
            return
        if path == f"{API}/cancel":
            owned = visitor.session_name(parse_session(content.get("session_hash")))
            event, number = content.get("event_id"), content.get("fn_index")
            if type(number) is not int or not isinstance(event, str) or not self._sessions.has_event(owned, event):
                await JSONResponse({"success": True})(scope, receive, send)  # already over, or another visitor's
                return
            body = json.dumps({"session_hash": owned, "fn_index": number, "event_id": event}).encode()
            await self._app(replace_body(scope, body), replay_body(body, receive), send)
            return
        call = parse_call(content, self._events, event=self._ask if path == CALL else None)
        if path != CALL and call.session is None:
            raise RequestRefused(422, "the session's name is missing")
        page = call.event != self._ask
        name = visitor.session_name(call.session if call.session and path != CALL else f"call {secrets.token_hex(16)}")
        session = self._sessions.admit(name, visitor, page=page)
        body = call.body(name)
        answer = bytearray()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                await session.no_stream_closing.wait()
            if message["type"] == "http.response.body" and len(answer) < 1024:
                answer.extend(message.get("body", b""))
                if (event := _event_id(answer)) is not None:
                    session.events.add(event)
            await send(message)

        await self._app(replace_body(scope, body), replay_body(body, receive), send_counted)

    async def _stream(self, path: str, scope: Scope, receive: Receive, send: Send, visitor: Visitor) -> None:
        if path.startswith(f"{CALL}/"):
            session = self._sessions.find_by_event(path.rpartition("/")[2], visitor)
            if session is None:
                raise RequestRefused(404, "there is no such answer")
            name = session.name
        elif path.startswith(HEARTBEAT):
            name = visitor.session_name(parse_session(path.removeprefix(HEARTBEAT)))
            scope = {**scope, "path": HEARTBEAT + name, "raw_path": (HEARTBEAT + name).encode()}
        else:
            query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
            name = visitor.session_name(parse_session((query.get("session_hash") or [None])[0]))
            scope = {**scope, "query_string": urlencode({"session_hash": name}).encode()}
        with self._sessions.stream(name, visitor, answers=not path.startswith(HEARTBEAT)) as session:
            try:
                await self._app(scope, receive, _wait_for_close(session, receive, send) if session else send)
            finally:
                if session:
                    session.no_stream_closing.set()


def _set_cookie(send: Send, visitor: Visitor) -> Send:
    """A `send` that sets the visitor cookie of a browser that has none."""

    async def setting(message: Message) -> None:
        if message["type"] == "http.response.start" and visitor.new:
            value = f"{visitor.cookie}={secrets.token_urlsafe(16)}; HttpOnly; Path=/; Max-Age={COOKIE_SECONDS}"
            MutableHeaders(scope=message).append("set-cookie", value)
        await send(message)

    return setting


def _wait_for_close(session: Session, receive: Receive, send: Send) -> Send:
    """A `send` that ends a stream only after its reader has closed the connection, or after CLIENT_CLOSE_SECONDS.

    Meanwhile `session.no_stream_closing` is cleared, and responses to the session's next events wait for it. Gradio's browser
    code opens a stream for an event only if it knows of no open one, and learns from the stream's last message that it has
    ended. If the response came before that message is read, the browser would wait on the ended stream.
    """

    closing = False  # of this stream: the session's next one may be open already, and must not wait

    async def sending(message: Message) -> None:
        nonlocal closing
        if b'"msg":"close_stream"' in message.get("body", b"")[:64]:
            closing = True
            session.no_stream_closing.clear()
        if closing and not message.get("more_body", False):
            try:
                async with asyncio.timeout(CLIENT_CLOSE_SECONDS):
                    while (await receive())["type"] != "http.disconnect":
                        pass
            except TimeoutError:
                pass  # a program, which reads until the server ends the stream
        await send(message)

    return sending


def _event_id(answer: bytes | bytearray) -> str | None:
    try:
        content: Any = json.loads(bytes(answer))
    except ValueError:
        return None
    event = content.get("event_id") if isinstance(content, dict) else None
    return event if isinstance(event, str) else None
