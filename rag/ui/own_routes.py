"""The page's own routes beside Gradio's: feedback and kept chats. Each request has passed the guard, which says whose it is."""

from __future__ import annotations

import asyncio
from typing import Any, cast, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rag.records.answer_log import AnswerLog, Kind


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
