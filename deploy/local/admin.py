"""Admin routes of the emulator, which the service does not have: inspect and change endpoints while it runs.

GET    /_emulator                     {"pid", "endpoints": {name: {"state", "spec", "stats"}}}
PUT    /_emulator/endpoints/NAME      create an endpoint from a complete spec, or replace its spec
PATCH  /_emulator/endpoints/NAME      change fields of the spec, e.g. {"faults": [{"kind": "throttle", "count": 2}]}
"""

from __future__ import annotations

import os

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from deploy.local.control import ControlPlane
from deploy.local.spec import endpoint_spec
from rag.errors import SettingsError

PATH = "/_emulator"


def admin_routes(plane: ControlPlane) -> list[Route]:
    """The admin routes. PUT and PATCH reset the endpoint's count of requests, and with it its faults."""

    async def show(_: Request) -> JSONResponse:
        endpoints = {
            name: {"state": state, "spec": server.spec.model_dump(mode="json"), "stats": server.stats()}
            for name, (state, server) in plane.endpoints().items()
        }
        return JSONResponse({"pid": os.getpid(), "endpoints": endpoints})

    async def change(request: Request) -> JSONResponse:
        name = request.path_params["name"]
        known = plane.endpoints().get(name)
        if request.method == "PATCH" and known is None:
            return JSONResponse({"error": f"no endpoint {name!r}"}, 404)
        before = known[1].spec.model_dump() if known and request.method == "PATCH" else {}
        try:
            fields = orjson.loads(await request.body())
            spec = endpoint_spec({**before, **fields, "name": name})
        except (orjson.JSONDecodeError, TypeError, SettingsError) as exc:
            return JSONResponse({"error": str(exc)}, 400)
        plane.put(spec)
        return JSONResponse(spec.model_dump(mode="json"))

    return [
        Route(PATH, show, methods=["GET"]),
        Route(PATH + "/endpoints/{name}", change, methods=["PUT", "PATCH"]),
    ]
