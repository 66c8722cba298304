"""The SageMaker runtime over HTTP: InvokeEndpoint and InvokeEndpointWithResponseStream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from deploy.local.connection import ClientConnection
from deploy.local.errors import ACCOUNT, VARIANT, ServiceError
from deploy.local.exchange import Exchange
from deploy.local.model_server import ModelServer
from deploy.local.spec import EndpointSpec

PREFIX = "x-amzn-sagemaker-"


class Runtime:
    """An ASGI application for one of the two operations. `serving`: returns the model server of an endpoint, or None."""

    def __init__(self, serving: Callable[[str], ModelServer | None], *, stream: bool) -> None:
        self._serving = serving
        self._stream = stream
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = ClientConnection(scope, receive, send)
        self._requests += 1
        headers = {"x-amzn-requestid": str(UUID(int=self._requests))}
        server: ModelServer | None = None
        try:
            body = await connection.body()
            server = self._find(connection)
            fault = server.begin(connection.headers)
            exchange = Exchange(
                connection, server, body, fault, headers | session(connection.headers), stream=self._stream
            )
            if not await connection.run_until_disconnect(exchange.respond()) and not connection.is_aborted:
                server.counts["disconnects"] += 1
        except ServiceError as refusal:
            if server:
                server.counts["refusals"] += 1
            await connection.answer(refusal.status, refusal.body(), headers | refusal.headers)
        except ClientDisconnect:
            return

    def _find(self, connection: ClientConnection) -> ModelServer:
        name = connection.path_params["name"]
        if not connection.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256"):
            raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
        server = self._serving(name)
        if server is None:
            raise ServiceError("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
        if (variant := connection.headers.get(PREFIX + "target-variant", VARIANT)) != VARIANT:
            raise ServiceError("ValidationError", f"Variant {variant} not found for Endpoint {name}.")
        _check_component(connection.headers.get(PREFIX + "inference-component"), server.spec)
        return server


def _check_component(component: str | None, spec: EndpointSpec) -> None:
    """Raise ServiceError unless the request names an inference component exactly if the endpoint has any."""
    if spec.inference_components and component is None:
        raise ServiceError("ValidationError", f"Inference Component Name header is required for endpoint {spec.name}.")
    if component is not None and component not in spec.inference_components:
        raise ServiceError("ValidationError", f"Inference Component {component} not found for endpoint {spec.name}.")


def session(headers: Mapping[str, str]) -> dict[str, str]:
    """The header with a new session's ID if the request asks for one."""
    requested = headers.get(PREFIX + "session-id") == "NEW_SESSION"
    return {PREFIX + "new-session-id": "session-1; Expires=2099-01-01T00:00:00Z"} if requested else {}
