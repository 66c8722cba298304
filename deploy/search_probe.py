"""Smoke test of the search server over plain HTTP: writes a document, finds it and deletes it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from rag.errors import DeployError

SECONDS = 20.0
TEXT = "타기관 OTP도 등록할 수 있습니다."


class Unreachable(DeployError):
    """The search server cannot be reached from this machine."""


@dataclass(frozen=True, slots=True)
class Server:
    """URL and credentials of a search server. Without a user, requests are signed (SigV4) for `region`.

    The representation hides the password.
    """

    url: str
    user: str | None = None
    password: str | None = None
    ca_certs: str | None = None
    region: str = ""
    credentials: Any = None

    def __repr__(self) -> str:
        return f"Server({self.url})"

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and return the JSON of the response. Raises DeployError for a status of 400 or above."""
        return self._checked(method, path, *self._send(method, path, body))

    def find(self, path: str) -> dict[str, Any] | None:
        """The JSON at `path`, or None for status 404. Raises DeployError for any other failure."""
        status, text = self._send("GET", path)
        return None if status == 404 else self._checked("GET", path, status, text)

    def is_allowed(self, method: str, path: str) -> bool:
        """Send a request without a body; False for status 403. Raises DeployError if the server cannot be reached."""
        return self._send(method, path)[0] != 403

    def _checked(self, method: str, path: str, status: int, text: str) -> dict[str, Any]:
        if status >= 400:
            raise DeployError(
                f"the search server {self.url} refused {method} {path} ({status}): {text[:300]}; "
                "at 401 or 403 run `up` again, or check `role_arn` in [opensearch] of the stack file"
            )
        answer: dict[str, Any] = json.loads(text or "{}")
        return answer

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, str]:
        data = None if body is None else json.dumps(body)
        headers = {"content-type": "application/json"}
        if self.user:
            headers |= urllib3.make_headers(basic_auth=f"{self.user}:{self.password}")
        elif self.credentials:
            headers = self._signed(method, path, data, headers)
        try:
            with urllib3.PoolManager(ca_certs=self.ca_certs, timeout=SECONDS, retries=2) as pool:
                response = pool.request(method, self.url + path, body=data, headers=headers)
                return response.status, response.data.decode("utf-8", "replace")
        except urllib3.exceptions.HTTPError as exc:
            raise Unreachable(
                f"the search server {self.url} cannot be reached ({type(exc).__name__}); "
                "check its address, and that [opensearch] of the stack file lets this machine in"
            ) from exc

    def _signed(self, method: str, path: str, data: str | None, headers: dict[str, str]) -> dict[str, str]:
        request = AWSRequest(method, self.url + path, headers=headers, data=data)
        SigV4Auth(self.credentials, "es", self.region).add_auth(request)
        return dict(request.headers.items())


def probe(server: Server) -> Iterator[str]:
    """Write a passage into a new index, find it by text and by vector, and delete the index. Raises DeployError."""
    version = server.request("GET", "/")["version"]["number"]
    index = f"/fsi-probe-{secrets.token_hex(4)}"
    vector = {"type": "knn_vector", "dimension": 3, "method": {"name": "hnsw", "engine": "lucene", "space_type": "l2"}}
    mapping = {"properties": {"text": {"type": "text"}, "vector": vector}}
    server.request("PUT", index, {"settings": {"index": {"knn": True, "number_of_replicas": 0}}, "mappings": mapping})
    try:
        server.request("PUT", f"{index}/_doc/1?refresh=true", {"text": TEXT, "vector": [1.0, 0.0, 0.0]})
        for query in ({"match": {"text": "OTP도"}}, {"knn": {"vector": {"vector": [1.0, 0.1, 0.0], "k": 1}}}):
            hits = server.request("POST", f"{index}/_search", {"query": query})["hits"]["hits"]
            if [hit["_source"]["text"] for hit in hits] != [TEXT]:
                raise DeployError(f"the search server {server.url} did not find the passage just written; see its log")
    finally:
        server.request("DELETE", index)
    yield f"OpenSearch {version} at {server.url}: written, found by text and by vector, deleted"


def probe_page(server: Server) -> Iterator[str]:
    """Check that the page's user can search and cannot create an index. Raises DeployError."""
    server.request("POST", "/fsi-*/_search", {"size": 0})
    index = f"/fsi-probe-{secrets.token_hex(4)}"
    if server.is_allowed("PUT", index):
        raise DeployError(f"the page's user {server.user} can write; run `up` again to restore its role")
    yield f"search user {server.user}: can search, cannot write"
