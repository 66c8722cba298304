"""The page's own routes beside Gradio's: health, metrics, feedback and saved chats.

The request guard has checked each request and set its visitor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
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
from rag.ui.page import PageContext
from rag.ui.request_guard import VISITOR
from rag.ui.visitors import LOGIN_COOKIE, person_id

P = ParamSpec("P")
R = TypeVar("R")
FILE_THREADS = ThreadPoolExecutor(2, thread_name_prefix="files")
"""Separate from the default executor, so that slow reads of these routes do not delay answers and logins."""


async def in_thread(function: Callable[P, R], *args: P.args, **more: P.kwargs) -> R:
    """Run the function in FILE_THREADS and return its result."""
    return await asyncio.get_running_loop().run_in_executor(FILE_THREADS, partial(function, *args, **more))


def feedback_route(records: AnswerLog, reasons: Collection[str]) -> Route:
    """POST /feedback {"answer", "kind", "reason"}: a customer's feedback on an answer.

    `reasons`: accepted reasons, besides "". Responds 404 for an unknown answer, kind or reason, so that visitors cannot store
    text of their own.
    """

    async def feedback(request: Request) -> Response:
        body: dict[str, Any] = await request.json()
        answer, kind, reason = (body.get(name, "") for name in ("answer", "kind", "reason"))
        # "chosen" is recorded by the page when it answers with the suggestion, and not accepted from here.
        known = (
            all(isinstance(each, str) for each in (answer, kind, reason))
            and kind in get_args(Kind)
            and kind != "chosen"
            and reason in ("", *reasons)
        )
        noted = known and await in_thread(records.add_feedback, answer[:20], cast(Kind, kind), reason=reason)
        return JSONResponse({"noted": bool(noted)}, status_code=200 if noted else 404)

    return Route("/feedback", feedback, methods=["POST"])


def chat_routes(
    history: ChatHistory, user_of: Callable[[str], str], wait_for_saves: Callable[[], Awaitable[None]]
) -> list[Route]:
    """Routes to search, rename, delete and export the visitor's own chats.

    `wait_for_saves`: waits until the answers shown so far are saved: a chat that is saved later would be back after its
    deletion. `user_of`: the user's name for a login token, "" for an unknown token.
    """

    def person(request: Request) -> str:
        names = (user_of(value) for name, value in request.cookies.items() if name.startswith(LOGIN_COOKIE))
        return person_id(history.secret, request.scope[VISITOR], next(filter(None, names), ""))

    async def search(request: Request) -> Response:
        body: dict[str, Any] = await request.json()
        await wait_for_saves()
        matches = await in_thread(history.chats, person(request), str(body.get("q", ""))[:200])
        chats = [{"id": each.id, "title": each.title, "updated": each.updated} for each in matches]
        return JSONResponse({"chats": chats}, headers={"Cache-Control": "no-store"})

    async def export(request: Request) -> Response:
        await wait_for_saves()
        text = await in_thread(history.markdown, person(request), request.query_params.get("id", "")[:64])
        disposition = {"Content-Disposition": 'attachment; filename="chat.md"', "Cache-Control": "no-store"}
        return Response(text, media_type="text/markdown; charset=utf-8", headers=disposition)

    async def modify(request: Request) -> Response:
        body: dict[str, Any] = await request.json()
        chat, title = str(body.get("id", ""))[:64], " ".join(str(body.get("title", "")).split())[:100]
        who, action = person(request), request.url.path.rpartition("/")[2]
        await wait_for_saves()
        if action == "rename":
            done = int(bool(title) and await in_thread(history.rename, who, chat, title))
        else:
            done = await in_thread(history.delete, who, None if action == "forget" else chat)
        return JSONResponse({"changed": done})

    posts = [Route(f"/chats/{action}", modify, methods=["POST"]) for action in ("rename", "delete", "forget")]
    # Search uses POST, because a query string would appear in the logs of proxies.
    return [Route("/chats/search", search, methods=["POST"]), Route("/chats/export", export), *posts]


def status_routes(loader: Loader, context: PageContext, *, metrics: bool) -> list[Route]:
    """`/healthz`: 503 if loading failed; `/readyz`: 200 if it can answer and is not draining; `/metrics`: for Prometheus."""

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": loader.status}, status_code=503 if loader.status == "failed" else 200)

    async def ready(_request: Request) -> Response:
        status = "draining" if context.draining else loader.status
        return JSONResponse({"status": status}, status_code=200 if status == "ready" else 503)

    async def metrics_text(_request: Request) -> Response:
        return Response(context.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    routes = [Route("/healthz", health), Route("/readyz", ready)]
    return [*routes, Route("/metrics", metrics_text)] if metrics else routes
