"""The page's own routes beside Gradio's: its state, feedback and kept chats.

Each request has passed the guard, which says whose it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rag.records.answer_log import AnswerLog, Kind
from rag.records.history import ChatHistory
from rag.ui.loader import Loader
from rag.ui.metrics import CONTENT_TYPE_LATEST
from rag.ui.page import Admission
from rag.ui.request_guard import VISITOR
from rag.ui.visitors import LOGIN_COOKIE, person_of


def feedback_route(records: AnswerLog) -> Route:
    """POST {"answer", "kind", "reason"}: what a customer says of an answer. 404 for one that is not there."""

    async def feedback(request: Request) -> Response:
        said: dict[str, Any] = await request.json()
        answer, kind, reason = (said.get(name, "") for name in ("answer", "kind", "reason"))
        # A click on a suggestion is noted where it is answered, not by whoever sends one.
        known = (
            all(isinstance(each, str) for each in (answer, kind, reason))
            and kind in get_args(Kind)
            and kind != "chosen"
        )
        noted = known and await asyncio.to_thread(records.say, answer[:20], cast(Kind, kind), reason=reason)
        return JSONResponse({"noted": bool(noted)}, status_code=200 if noted else 404)

    return Route("/feedback", feedback, methods=["POST"])


def chat_routes(history: ChatHistory, user_of: Callable[[str], str]) -> list[Route]:
    """The visitor's own chats: listed, searched, renamed, deleted, exported. `user_of`: the name of a login, by its token."""

    def person(request: Request) -> str:
        names = (user_of(value) for name, value in request.cookies.items() if name.startswith(LOGIN_COOKIE))
        return person_of(history.secret, request.scope[VISITOR], next(filter(None, names), ""))

    async def listed(request: Request) -> Response:
        found = await asyncio.to_thread(history.chats, person(request), request.query_params.get("q", "")[:200])
        chats = [{"id": each.id, "title": each.title, "updated": each.updated} for each in found]
        return JSONResponse({"chats": chats}, headers={"Cache-Control": "no-store"})

    async def export(request: Request) -> Response:
        text = await asyncio.to_thread(history.markdown, person(request), request.query_params.get("id", "")[:64])
        disposition = {"Content-Disposition": 'attachment; filename="chat.md"', "Cache-Control": "no-store"}
        return Response(text, media_type="text/markdown; charset=utf-8", headers=disposition)

    async def change(request: Request) -> Response:
        said: dict[str, Any] = await request.json()
        chat, title = str(said.get("id", ""))[:64], " ".join(str(said.get("title", "")).split())[:100]
        who, action = person(request), request.url.path.rpartition("/")[2]
        if action == "rename":
            done = int(bool(title) and await asyncio.to_thread(history.rename, who, chat, title))
        else:
            done = await asyncio.to_thread(history.delete, who, None if action == "forget" else chat)
        return JSONResponse({"changed": done})

    posts = [Route(f"/chats/{action}", change, methods=["POST"]) for action in ("rename", "delete", "forget")]
    return [Route("/chats", listed), Route("/chats/export", export), *posts]


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
