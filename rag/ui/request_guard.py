"""The one door to the page: ASGI middleware around Gradio that refuses what a visitor of this page never sends.

In order: hosts and origins, routes, logins, sizes, bodies, limits. Only then Gradio sees the request, with the session under
its owner's name. A refusal is one line in the log and one line for the visitor.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.ui.i18n import Texts
from rag.ui.login_page import login_page
from rag.ui.request_bodies import MAX_BODY, Event, Refused, parse_call, parse_object, parse_session
from rag.ui.security_headers import secure_response
from rag.ui.sessions import Places, Session, Sessions, TooMany
from rag.ui.visitors import LOGIN_COOKIE, Visitor, Visitors, cookies_of, new_cookie

logger = logging.getLogger(__name__)

API = "/gradio_api"
STATUS = {"/healthz", "/readyz", "/metrics"}
"""Asked by load balancers, containers and monitoring, by whatever name."""
FILES = ("/assets/", "/static/", "/svelte/", f"{API}/custom_component/")
READ = {"/", "/config", "/login_check", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", *STATUS} | {
    f"{API}/{name}" for name in ("info", "startup-events", "app_id", "user", "login_check", "theme.css", "queue/data")
}
HEARTBEAT, DATA, CALL = f"{API}/heartbeat/", f"{API}/queue/data", f"{API}/call/ask"
EXPORT = "/chats/export"
MCP = "/mcp"
OWN_POSTS = {"/feedback", "/chats/search", "/chats/rename", "/chats/delete", "/chats/forget"}
OWN_PER_ADDRESS = 8
"""Requests of one address to the files of records and chats that wait or run."""
WRITTEN = {*OWN_POSTS, "/login", f"{API}/queue/join", CALL, f"{API}/cancel", f"{API}/reset"}
COOKIE_SECONDS = 180 * 24 * 3600
"""How long a browser keeps its cookie, and with it the way to its chats."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
HANG_UP_SECONDS = 5.0
"""How long a browser may take to read that a stream is over."""
VISITOR = "fsi.visitor"
"""Where the scope of a request holds its Visitor."""
ADDRESS: ContextVar[str] = ContextVar("address", default="")
"""The address of the request being answered, for what Gradio gives no request: its logins."""


class RequestGuard:
    """`hosts`: host names that are answered (empty: all). `events`: the page's, by number. `logged_in`: whether a token is.

    `refused` is called with the status of each refusal.
    `prefix`: what a proxy takes off the paths; without the proxy browsers send it along. `mcp`: whether programs may ask by
    POST /mcp.
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
        refused: Callable[[int], None] = lambda _: None,
        mcp: bool = False,
    ) -> None:
        self._app = app
        self._visitors = visitors
        self._sessions = sessions
        self._texts = texts
        self._events = dict(events)
        self._ask = next((number for number, event in self._events.items() if event.api_name == "ask"), -1)
        self._logged_in = logged_in
        self._refused = refused
        self._hosts = {host.lower() for host in hosts}
        self._prefix = urlsplit(prefix).path
        self._own = Places(OWN_PER_ADDRESS)
        self._own_posts = OWN_POSTS | {MCP} if mcp else OWN_POSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # no web sockets here
        if self._prefix and scope["path"].startswith(f"{self._prefix}/"):
            path = scope["path"].removeprefix(self._prefix)
            scope = {**scope, "path": path, "raw_path": path.encode()}
        visitor = self._visitors.of(scope)
        scope[VISITOR] = visitor
        ADDRESS.set(visitor.address)
        started = False

        async def send_secured(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                secure_response(message, https=visitor.https)
            await send(message)

        try:
            await self._answer(scope, receive, send_secured, visitor)
        except (Refused, TooMany) as exc:
            self._refused(exc.status)
            logger.info(
                "refused status=%d reason=%s method=%s path=%s", exc.status, exc, scope["method"], scope["path"]
            )
            if not started:
                await self._refusal(exc)(scope, receive, send_secured)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, visitor: Visitor) -> None:
        method, path = scope["method"], scope["path"].rstrip("/") or "/"
        headers = Headers(scope=scope)
        if path == "/metrics" and visitor.forwarded:
            raise Refused(404, "figures are not given out through a proxy")
        if path not in STATUS:
            self._check_origin(headers, visitor, navigation=method in ("GET", "HEAD") and path == "/")
        written = method == "POST" and (path in WRITTEN or path in self._own_posts)
        one_answer = path.startswith(f"{CALL}/")
        read = path in READ or path == EXPORT or path.startswith((*FILES, HEARTBEAT)) or one_answer
        if not written and not (read and method in ("GET", "HEAD")):
            raise Refused(404, "there is no such route")
        logged_in = self._logged_in or (lambda _: False)
        token = any(name.startswith(LOGIN_COOKIE) and logged_in(value) for name, value in cookies_of(headers).items())
        streamed = one_answer or path == DATA or path.startswith(HEARTBEAT)
        if self._logged_in and not token and (path in ("/", EXPORT) or written or streamed):
            if path == "/":
                await self._with_cookie(HTMLResponse(login_page(self._texts)), visitor)(scope, receive, send)
                return
            if path != "/login":
                raise Refused(401, "no login", text="login_ended")
        if path == "/":
            await self._app(scope, receive, _setting_cookie(send, visitor))
        elif path == "/login":
            await self._app(scope, _replay(await _body(scope, receive), receive), _setting_cookie(send, visitor))
        elif path in self._own_posts or path == EXPORT:
            body = json.dumps(parse_object(await _body(scope, receive))).encode() if written else b""
            with self._own.place(visitor.address):
                await self._app(_with_body(scope, body), _replay(body, receive), send)
        elif path in WRITTEN:
            await self._post(path, scope, receive, send, visitor)
        elif streamed:
            await self._stream(path, scope, receive, send, visitor)
        else:
            await self._app(scope, receive, send)

    def _check_origin(self, headers: Headers, visitor: Visitor, *, navigation: bool) -> None:
        """Refuse other names of this server, and what another site's page makes a browser send."""
        host = visitor.host.lower()
        name = host if host.endswith("]") or ":" not in host else host.rpartition(":")[0]
        if self._hosts and name not in self._hosts and host not in self._hosts:
            raise Refused(421, "the host name is not in FSI_UI__TRUSTED_HOSTS")
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site in ("same-origin", "none"):
            return
        # A link to the page may stand anywhere; following it sends no origin.
        document = headers.get("sec-fetch-dest") in (None, "document")
        if navigation and origin is None and document and headers.get("sec-fetch-mode") in (None, "navigate"):
            return
        if site is not None or (origin is not None and origin.lower().partition("://")[2] != host):
            raise Refused(403, "the request comes from another site's page")

    async def _post(self, path: str, scope: Scope, receive: Receive, send: Send, visitor: Visitor) -> None:
        content = parse_object(await _body(scope, receive))
        if path == f"{API}/reset":  # does nothing in this version of Gradio
            await JSONResponse({"success": True})(scope, receive, send)
            return
        if path == f"{API}/cancel":
            owned = visitor.session(parse_session(content.get("session_hash")))
            event, number = content.get("event_id"), content.get("fn_index")
            if type(number) is not int or not isinstance(event, str) or not self._sessions.owns(owned, event):
                await JSONResponse({"success": True})(scope, receive, send)  # over already, or not theirs
                return
            body = json.dumps({"session_hash": owned, "fn_index": number, "event_id": event}).encode()
            await self._app(_with_body(scope, body), _replay(body, receive), send)
            return
        call = parse_call(content, self._events, event=self._ask if path == CALL else None)
        if path != CALL and call.session is None:
            raise Refused(422, "the session's name is missing")
        page = call.event != self._ask
        name = visitor.session(call.session if call.session and path != CALL else f"call {secrets.token_hex(16)}")
        session = self._sessions.admit(name, visitor, page=page)
        body = call.body(name)
        answer = bytearray()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                await session.settled.wait()
            if message["type"] == "http.response.body" and len(answer) < 1024:
                answer.extend(message.get("body", b""))
                if (event := _event_id(answer)) is not None:
                    self._sessions.joined(session, event)
            await send(message)

        await self._app(_with_body(scope, body), _replay(body, receive), send_counted)

    async def _stream(self, path: str, scope: Scope, receive: Receive, send: Send, visitor: Visitor) -> None:
        if path.startswith(f"{CALL}/"):
            session = self._sessions.session_of(path.rpartition("/")[2], visitor)
            if session is None:
                raise Refused(404, "there is no such answer")
            name = session.name
        elif path.startswith(HEARTBEAT):
            name = visitor.session(parse_session(path.removeprefix(HEARTBEAT)))
            scope = {**scope, "path": HEARTBEAT + name, "raw_path": (HEARTBEAT + name).encode()}
        else:
            query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
            name = visitor.session(parse_session((query.get("session_hash") or [None])[0]))
            scope = {**scope, "query_string": urlencode({"session_hash": name}).encode()}
        with self._sessions.stream(name, visitor, answers=not path.startswith(HEARTBEAT)) as session:
            try:
                await self._app(scope, receive, _hung_up_last(session, receive, send) if session else send)
            finally:
                if session:
                    session.settled.set()

    def _refusal(self, exc: Refused | TooMany) -> Response:
        text = getattr(exc, "text", "") or ("busy" if isinstance(exc, TooMany) else "")
        detail = str(getattr(self._texts, text)) if text else str(exc)
        return JSONResponse({"detail": detail, "error": detail}, status_code=exc.status)

    def _with_cookie(self, response: Response, visitor: Visitor) -> Response:
        if visitor.new:
            response.set_cookie(visitor.cookie, new_cookie(), max_age=COOKIE_SECONDS, httponly=True, samesite="lax")
        response.headers["Cache-Control"] = "no-store"
        return response


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises Refused for one above MAX_BODY, before it is read where its length is said."""
    length = Headers(scope=scope).get("content-length", "0")
    if not length.isdecimal() or len(length) > 9 or int(length) > MAX_BODY:
        raise Refused(413, f"the body is larger than {MAX_BODY} bytes")
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "the body broke off")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise Refused(413, f"the body is larger than {MAX_BODY} bytes")
    return bytes(body)


def _with_body(scope: Scope, body: bytes) -> Scope:
    changed = {**scope, "headers": list(scope["headers"])}
    headers = MutableHeaders(scope=changed)
    headers["content-length"], headers["content-type"] = str(len(body)), "application/json"
    del headers["transfer-encoding"]
    return changed


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` once, then what really comes: the end of the connection."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed


def _setting_cookie(send: Send, visitor: Visitor) -> Send:
    async def setting(message: Message) -> None:
        if message["type"] == "http.response.start" and visitor.new:
            value = f"{visitor.cookie}={new_cookie()}; HttpOnly; Path=/; Max-Age={COOKIE_SECONDS}"
            MutableHeaders(scope=message).append("set-cookie", value)
        await send(message)

    return setting


def _hung_up_last(session: Session, receive: Receive, send: Send) -> Send:
    """A `send` whose stream, once said to be over, ends when its reader has hung up; until then the session is not settled.

    Gradio's browser code opens a stream for an event only where it knows of none open, and learns of an end from the stream's
    last message. Told of the next event before it has read that, it would wait for the answer on the stream that is over.
    """

    async def sending(message: Message) -> None:
        if b'"msg":"close_stream"' in message.get("body", b"")[:64]:
            session.settled.clear()
        if not session.settled.is_set() and not message.get("more_body", False):
            try:
                async with asyncio.timeout(HANG_UP_SECONDS):
                    while (await receive())["type"] != "http.disconnect":
                        pass
            except TimeoutError:
                pass  # a program that reads to the end
        await send(message)

    return sending


def _event_id(answer: bytes | bytearray) -> str | None:
    try:
        content: Any = json.loads(bytes(answer))
    except ValueError:
        return None
    event = content.get("event_id") if isinstance(content, dict) else None
    return event if isinstance(event, str) else None
