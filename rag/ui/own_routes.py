"""The page's own routes beside Gradio's: its state, feedback and kept chats.

Each request has passed the guard, which says whose it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rag.records.answer_log import AnswerLog, Kind
from rag.records.history import ChatHistory
from rag.ui.loader import Loader
from rag.ui.metrics import CONTENT_TYPE_LATEST
from rag.ui.page import Admission
from rag.ui.request_guard import VISITOR
from rag.ui.visitors import LOGIN_COOKIE, person_id

P = ParamSpec("P")
R = TypeVar("R")
FILES = ThreadPoolExecutor(2, thread_name_prefix="files")
"""For these routes alone: a list that is long to read keeps no thread from an answer or a login."""


async def in_thread(function: Callable[P, R], *args: P.args, **more: P.kwargs) -> R:
    """The function's result, worked out in a thread of FILES."""
    return await asyncio.get_running_loop().run_in_executor(FILES, partial(function, *args, **more))


def feedback_route(records: AnswerLog, reasons: Collection[str]) -> Route:
    """POST {"answer", "kind", "reason"}: what a customer says of an answer. `reasons`: what the page offers beside none.

    404 for an answer or a word that is not there: what is kept of it is no text of a visitor's.
    """

    async def feedback(request: Request) -> Response:
        said: dict[str, Any] = await request.json()
        answer, kind, reason = (said.get(name, "") for name in ("answer", "kind", "reason"))
        # A click on a suggestion is noted where it is answered, not by whoever sends one.
        known = (
            all(isinstance(each, str) for each in (answer, kind, reason))
            and kind in get_args(Kind)
            and kind != "chosen"
            and reason in ("", *reasons)
        )
        noted = known and await in_thread(records.say, answer[:20], cast(Kind, kind), reason=reason)
        return JSONResponse({"noted": bool(noted)}, status_code=200 if noted else 404)

    return Route("/feedback", feedback, methods=["POST"])


def chat_routes(history: ChatHistory, user_of: Callable[[str], str]) -> list[Route]:
    """The visitor's own chats: listed, searched, renamed, deleted, exported. `user_of`: the name of a login, by its token."""

    def person(request: Request) -> str:
        names = (user_of(value) for name, value in request.cookies.items() if name.startswith(LOGIN_COOKIE))
        return person_id(history.secret, request.scope[VISITOR], next(filter(None, names), ""))

    async def listed(request: Request) -> Response:
        said: dict[str, Any] = await request.json()
        found = await in_thread(history.chats, person(request), str(said.get("q", ""))[:200])
        chats = [{"id": each.id, "title": each.title, "updated": each.updated} for each in found]
        return JSONResponse({"chats": chats}, headers={"Cache-Control": "no-store"})

    async def export(request: Request) -> Response:
        text = await in_thread(history.markdown, person(request), request.query_params.get("id", "")[:64])
        disposition = {"Content-Disposition": 'attachment; filename="chat.md"', "Cache-Control": "no-store"}
        return Response(text, media_type="text/markdown; charset=utf-8", headers=disposition)

    async def change(request: Request) -> Response:
        said: dict[str, Any] = await request.json()
        chat, title = str(said.get("id", ""))[:64], " ".join(str(said.get("title", "")).split())[:100]
        who, action = person(request), request.url.path.rpartition("/")[2]
        if action == "rename":
            done = int(bool(title) and await in_thread(history.rename, who, chat, title))
        else:
            done = await in_thread(history.delete, who, None if action == "forget" else chat)
        return JSONResponse({"changed": done})

    posts = [Route(f"/chats/{action}", change, methods=["POST"]) for action in ("rename", "delete", "forget")]
    # Searched by POST: what is looked for would stand in the address, and in the log of every proxy.
    return [Route("/chats/search", listed, methods=["POST"]), Route("/chats/export", export), *posts]


def status_routes(loader: Loader, admission: Admission, *, metrics: bool) -> list[Route]:
    """`/healthz`: the process is alive; `/readyz`: it can answer, and is not about to end; `/metrics`: for Prometheus."""

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": loader.status}, status_code=503 if loader.status == "failed" else 200)

    async def ready(_request: Request) -> Response:
        status = "draining" if admission.draining else loader.status
        return JSONResponse({"status": status}, status_code=200 if status == "ready" else 503)

    async def figures(_request: Request) -> Response:
        return Response(admission.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    routes = [Route("/healthz", health), Route("/readyz", ready)]
    return [*routes, Route("/metrics", figures)] if metrics else routes
