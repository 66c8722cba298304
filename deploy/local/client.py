"""EmulatorClient: a client of the emulator's admin routes that uses only the standard library."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deploy.local.polling import poll
from rag.errors import ModelUnavailable, SettingsError

if TYPE_CHECKING:
    from deploy.local.spec import EndpointSpec

_SECONDS = 5.0


class EmulatorClient:
    """Client of one emulator, whose `url` is also the value of AWS_ENDPOINT_URL_SAGEMAKER and ..._SAGEMAKER_RUNTIME."""

    def __init__(self, url: str) -> None:
        self.url = url

    def show(self) -> dict[str, Any]:
        """Process ID and endpoints with state, spec and counts. Raises ModelUnavailable if the emulator does not answer."""
        return self._send("GET", "/_emulator")

    def put(self, spec: EndpointSpec) -> None:
        """Create an endpoint, or replace its spec from the next request on. Raises SettingsError."""
        self._send("PUT", f"/_emulator/endpoints/{spec.name}", spec.model_dump(mode="json"))

    def change(self, name: str, **fields: Any) -> None:
        """Change fields of an endpoint's spec, and count requests for its faults from 1 again. Raises SettingsError."""
        self._send("PATCH", f"/_emulator/endpoints/{name}", fields)

    def stats(self, name: str) -> dict[str, Any]:
        """`ModelServer.stats` of one endpoint."""
        counts: dict[str, Any] = self.show()["endpoints"][name]["stats"]
        return counts

    def wait(self, seconds: float) -> bool:
        """Wait until the emulator answers; False if it does not within `seconds`."""
        return poll(self._answers, seconds, pause=0.02)

    def _answers(self) -> bool:
        try:
            self.show()
        except ModelUnavailable:
            return False
        return True

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"}, method=method)  # noqa: S310 - our own address
        try:
            with _OPENER.open(request, timeout=_SECONDS) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except urllib.error.HTTPError as exc:
            with exc:
                raise SettingsError(f"the emulator refused: {json.load(exc).get('error')}") from exc
        except (OSError, ValueError) as exc:
            raise ModelUnavailable(f"no emulator answers at {self.url} ({exc})") from exc


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Ignores the proxies of the environment, because the emulator is local."""
