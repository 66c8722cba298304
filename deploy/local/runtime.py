"""The SageMaker runtime: InvokeEndpoint and InvokeEndpointWithResponseStream over HTTP, as botocore speaks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from deploy.local.caller import Caller
from deploy.local.exchange import Exchange
from deploy.local.served import Served
from deploy.local.spec import EndpointSpec
from deploy.local.wire import ACCOUNT, VARIANT, Refusal

PREFIX = "x-amzn-sagemaker-"


class Runtime:
    """An ASGI application for one of the two operations. `serving` finds an endpoint that is InService."""

    def __init__(self, serving: Callable[[str], Served | None], *, stream: bool) -> None:
        self._serving = serving
        self._stream = stream
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = Caller(scope, receive, send)
        self._requests += 1
        headers = {"x-amzn-requestid": str(UUID(int=self._requests))}
        served: Served | None = None
        try:
            body = await caller.body()
            served = self._find(caller)
            fault = served.begin(caller.headers)
            exchange = Exchange(caller, served, body, fault, headers | session(caller.headers), stream=self._stream)
            if not await caller.while_here(exchange.respond()) and not caller.cut_off:
                served.counts["disconnects"] += 1
        except Refusal as refusal:
            if served:
                served.counts["refusals"] += 1
            await caller.answer(refusal.status, refusal.body(), headers | refusal.headers)
        except ClientDisconnect:
            return

    def _find(self, caller: Caller) -> Served:
        name = caller.path_params["name"]
        if not caller.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256"):
            raise Refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
        served = self._serving(name)
        if served is None:
            raise Refusal("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
        if (variant := caller.headers.get(PREFIX + "target-variant", VARIANT)) != VARIANT:
            raise Refusal("ValidationError", f"Variant {variant} not found for Endpoint {name}.")
        _check_component(caller.headers.get(PREFIX + "inference-component"), served.spec)
        return served


def _check_component(component: str | None, spec: EndpointSpec) -> None:
    """An endpoint with inference components needs one of them in every request; one without takes none."""
    if spec.inference_components and component is None:
        raise Refusal("ValidationError", f"Inference Component Name header is required for endpoint {spec.name}.")
    if component is not None and component not in spec.inference_components:
        raise Refusal("ValidationError", f"Inference Component {component} not found for endpoint {spec.name}.")


def session(headers: Mapping[str, str]) -> dict[str, str]:
    """A new session's id, where one is asked for."""
    requested = headers.get(PREFIX + "session-id") == "NEW_SESSION"
    return {PREFIX + "new-session-id": "session-1; Expires=2099-01-01T00:00:00Z"} if requested else {}
