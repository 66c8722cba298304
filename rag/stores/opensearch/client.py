"""One client of an OpenSearch server: authentication, time-outs, retries while it is overloaded, fast JSON."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import orjson
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, exceptions
from opensearchpy.serializer import JSONSerializer

from rag.errors import SettingsError, StoreUnavailable
from rag.retries import RetryPolicy
from rag.stores.opensearch.errors import OVERLOADED, translate_errors

Engine = Literal["lucene", "faiss"]
POOL: Final = 16
"""Connections kept open to a node: as many questions at once as threads ask them."""
TIMEOUT: Final = 30.0
SCALE_SECONDS: Final = 60.0
"""For which the server's version is taken to be the same."""
"""Seconds for one request."""
RETRY_SECONDS: Final = 20.0
"""How long an overloaded server is asked again."""
_RETRIES: Final = RetryPolicy(first_pause=0.1)
_NDJSON: Final = {"content-type": "application/x-ndjson"}


class _Json(JSONSerializer):
    """orjson in the place of json: an answer of 150 passages is read several times faster."""

    # As the client expects it of its own serializer; `errors.translate` says what it means.
    def loads(self, s: Any) -> Any:
        try:
            return orjson.loads(s)
        except orjson.JSONDecodeError as exc:
            raise exceptions.SerializationError(str(s)[:200], exc) from exc


@dataclass(frozen=True)
class Layout:
    """How new indexes are laid out. `engine` is that of the graph: `lucene` runs anywhere, `faiss` needs its native library."""

    engine: Engine = "lucene"
    shards: int = 1


class Connection:
    """Safe to use from several threads. Nothing is sent before the first request."""

    def __init__(self, client: OpenSearch, url: str, layout: Layout, timeout: float = TIMEOUT) -> None:
        self.client = client
        self.url = url
        self.layout = layout
        self.timeout = timeout
        self._scale = (1.0, 0.0)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, Any] | None = None,
        lines: bool = False,
        timeout: float | None = None,
    ) -> Any:
        """The JSON of one answer; asked again, for RETRY_SECONDS, while the server is overloaded. Raises StoreError.

        `lines`: the body is newline-delimited JSON, already written. `timeout`: seconds for each try; None: the connection's own.
        """
        options = {"request_timeout": timeout or self.timeout, **(params or {})}
        headers = _NDJSON if lines else None
        end = time.monotonic() + RETRY_SECONDS

        def send() -> Any:  # a copy of the options: the client takes its own out of the dictionary
            return self.client.transport.perform_request(method, path, params=dict(options), body=body, headers=headers)

        with translate_errors(self.url):
            return _RETRIES.call(send, retryable=_is_overloaded, remaining=lambda: end - time.monotonic())

    def msearch(self, searches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """The answers to these (index, body), in order; those that failed hold `error` and `status`. Raises StoreError."""
        parts: list[bytes] = []
        for index, body in searches:
            header: dict[str, Any] = {"index": index}
            if self.layout.shards > 1:  # each shard counts its own words otherwise
                header["search_type"] = "dfs_query_then_fetch"
            parts += [orjson.dumps(header), orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)]
        answer = self.request("POST", "/_msearch", b"\n".join(parts) + b"\n", lines=True)
        responses: list[dict[str, Any]] = answer["responses"]
        return responses

    @property
    def bm25_scale(self) -> float:
        """What the server multiplies BM25 with: Lucene before 10 kept a factor (k1 + 1) that changes no order.

        Asked again after SCALE_SECONDS: a server may be upgraded under a running page. Raises SettingsError where the
        server is not OpenSearch.
        """
        scale, until = self._scale
        if time.monotonic() >= until:
            version = self.request("GET", "/")["version"]
            if version.get("distribution") != "opensearch":
                raise SettingsError(f"{self.url} is not an OpenSearch server: check FSI_OPENSEARCH__URL")
            scale = 2.2 if int(version["number"].partition(".")[0]) < 3 else 1.0
            self._scale = scale, time.monotonic() + SCALE_SECONDS
        return scale

    def close(self) -> None:
        """Close the sockets."""
        self.client.close()


def connect(
    url: str,
    *,
    auth: Any = None,
    ca_certs: str | None = None,
    layout: Layout | None = None,
    timeout: float = TIMEOUT,
) -> Connection:
    """A connection to the server at `url`, or to a cluster at several, separated by commas. Sends nothing.

    `auth`: (user, password), what `sigv4` gives, or None. Raises SettingsError.
    """
    nodes = [each.strip() for each in url.split(",") if each.strip()]
    for node in nodes:
        _check(node)
    if ca_certs and not Path(ca_certs).is_file():
        raise SettingsError(f"FSI_OPENSEARCH__CA_CERTS: there is no file {ca_certs}")
    # opensearch-py logs each failed try with a traceback, at WARNING. Here every failure is raised as an error of ours, which
    # the caller shows or logs once; the tracebacks would bury that line. It has no switch for this but its logger's level.
    logging.getLogger("opensearch").setLevel(logging.CRITICAL)
    with translate_errors(url):
        client = OpenSearch(
            nodes,
            http_auth=auth,
            ca_certs=ca_certs,
            serializer=_Json(),
            pool_maxsize=POOL,
            timeout=timeout,
            max_retries=2,
            # What a load balancer in front of the server says while a node is replaced.
            retry_on_status=(502, 504),
        )
    return Connection(client, url, layout or Layout(), timeout)


def sigv4(credentials: Any, region: str) -> Any:
    """Signs requests to an Amazon OpenSearch domain with botocore credentials, which renew themselves."""
    return Urllib3AWSV4SignerAuth(credentials, region, "es")


def available(answer: Mapping[str, Any], url: str) -> None:
    """Raise StoreUnavailable where some shard did not take part: half an answer is a wrong one."""
    if answer["_shards"]["failed"] or answer.get("timed_out"):
        raise StoreUnavailable(f"part of the index at {url} cannot be searched: is its cluster red? try again later")


def _is_overloaded(exc: BaseException) -> bool:
    # A full queue (429) empties. A whole request that meets 503 met a cluster without a manager or a shard: nothing to wait for.
    return isinstance(exc, exceptions.TransportError) and exc.status_code == OVERLOADED[0]


def _check(node: str) -> None:
    try:
        parts = urlsplit(node)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("http", "https"):
        raise SettingsError(f"FSI_OPENSEARCH__URL: {node!r} is not an address; set https://HOST:PORT")
    # It would show in logs and error messages, which name the address.
    if parts.username or parts.password:
        raise SettingsError("FSI_OPENSEARCH__URL holds a login: put it into FSI_OPENSEARCH__USER and __PASSWORD")
    if host.endswith(".aoss.amazonaws.com"):
        raise SettingsError(
            "OpenSearch Serverless (aoss) takes no ids of ours and refreshes when it likes, so an ingestion could neither "
            "replace a row nor know that it is there: use an Amazon OpenSearch domain"
        )
