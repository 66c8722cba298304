"""The client of an OpenSearch server: authentication, time-outs, retries while it is overloaded, fast JSON."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import orjson
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, exceptions
from opensearchpy.serializer import JSONSerializer

from rag.errors import IndexBusy, IndexMissing, SettingsError, StoreError, StoreRefused, StoreUnavailable
from rag.retries import RetryPolicy

Engine = Literal["lucene", "faiss"]
POOL_SIZE: Final = 16
"""Connections kept open to each node: the number of requests that threads can send at the same time."""
TIMEOUT: Final = 30.0
"""Seconds for one request."""
SCALE_SECONDS: Final = 60.0
"""Seconds for which the server's version is cached."""
RETRY_SECONDS: Final = 20.0
"""How long a request to an overloaded server is retried."""
_RETRIES: Final = RetryPolicy(first_pause=0.1)
_NDJSON: Final = {"content-type": "application/x-ndjson"}


class _Json(JSONSerializer):
    """Uses orjson, which parses an answer with 150 passages several times faster than `json`."""

    # Raises the same exception as the client's own serializer; `errors.translate` handles it.
    def loads(self, s: Any) -> Any:
        try:
            return orjson.loads(s)
        except orjson.JSONDecodeError as exc:
            raise exceptions.SerializationError(str(s)[:200], exc) from exc


@dataclass(frozen=True)
class Layout:
    """The layout of new indexes.

    `engine` is the k-NN engine of the graph: `lucene` runs on every server, `faiss` needs its native library.
    """

    engine: Engine = "lucene"
    shards: int = 1


class Connection:
    """A thread-safe client. It sends nothing before the first request."""

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
        ndjson: bool = False,
        timeout: float | None = None,
    ) -> Any:
        """Send a request and return the JSON of the answer. Raises StoreError.

        Retries for RETRY_SECONDS while the server is overloaded. `ndjson`: `body` is newline-delimited JSON as bytes.
        `timeout`: seconds for each attempt; None: the timeout of the connection.
        """
        options = {"request_timeout": timeout or self.timeout, **(params or {})}
        headers = _NDJSON if ndjson else None
        end = time.monotonic() + RETRY_SECONDS

        def send() -> Any:  # with a copy of the options, because the client removes its own from the dictionary
            return self.client.transport.perform_request(method, path, params=dict(options), body=body, headers=headers)

        def is_overloaded(exc: BaseException) -> bool:
            # 429: a full queue. A 503 for a whole request is not retried: the cluster has no manager or lacks a shard.
            return isinstance(exc, exceptions.TransportError) and exc.status_code == OVERLOADED[0]

        with translate_errors(self.url):
            return _RETRIES.call(send, retryable=is_overloaded, remaining=lambda: end - time.monotonic())

    def msearch(self, searches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """Send several searches (index, body) in one request and return their answers in order. Raises StoreError.

        The answer to a search that failed has `error` and `status`.
        """
        parts: list[bytes] = []
        for index, body in searches:
            header: dict[str, Any] = {"index": index}
            if self.layout.shards > 1:  # otherwise each shard uses its own term statistics
                header["search_type"] = "dfs_query_then_fetch"
            parts += [orjson.dumps(header), orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)]
        answer = self.request("POST", "/_msearch", b"\n".join(parts) + b"\n", ndjson=True)
        responses: list[dict[str, Any]] = answer["responses"]
        return responses

    @property
    def bm25_scale(self) -> float:
        """The constant factor in the server's BM25 scores: k1 + 1 = 2.2 before OpenSearch 3, 1 since then.

        OpenSearch 3 uses Lucene 10, which removed the factor. The version is cached for SCALE_SECONDS, because a server
        may be upgraded while the program runs. Raises SettingsError if the server is not OpenSearch.
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
    """Return a connection to the server at `url`, or to a cluster at several URLs separated by commas. Sends nothing.

    `auth`: (user, password), the result of `sigv4`, or None. Raises SettingsError.
    """
    nodes = [each.strip() for each in url.split(",") if each.strip()]
    for node in nodes:
        _check_url(node)
    if ca_certs and not Path(ca_certs).is_file():
        raise SettingsError(f"FSI_OPENSEARCH__CA_CERTS: there is no file {ca_certs}")
    # opensearch-py logs a traceback at WARNING for each failed attempt. This package raises every failure as an error that
    # the caller reports once, so the tracebacks would only hide that report. The logger's level is the only way to disable them.
    logging.getLogger("opensearch").setLevel(logging.CRITICAL)
    with translate_errors(url):
        client = OpenSearch(
            nodes,
            http_auth=auth,
            ca_certs=ca_certs,
            serializer=_Json(),
            pool_maxsize=POOL_SIZE,
            timeout=timeout,
            max_retries=2,
            # The answers of a load balancer while a node is being replaced.
            retry_on_status=(502, 504),
        )
    return Connection(client, url, layout or Layout(), timeout)


def sigv4(credentials: Any, region: str) -> Any:
    """Return the authentication for an Amazon OpenSearch domain, with botocore credentials that are refreshed."""
    return Urllib3AWSV4SignerAuth(credentials, region, "es")


def check_shards(answer: Mapping[str, Any], url: str) -> None:
    """Raise StoreUnavailable if a shard failed or timed out, because the answer is then incomplete."""
    if answer["_shards"]["failed"] or answer.get("timed_out"):
        raise StoreUnavailable(f"part of the index at {url} cannot be searched: is its cluster red? try again later")


def _check_url(node: str) -> None:
    try:
        parts = urlsplit(node)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("http", "https"):
        raise SettingsError(f"FSI_OPENSEARCH__URL: {node!r} is not an address; set https://HOST:PORT")
    # The URL appears in logs and error messages.
    if parts.username or parts.password:
        raise SettingsError("FSI_OPENSEARCH__URL contains a login: set FSI_OPENSEARCH__USER and __PASSWORD instead")
    if host.endswith(".aoss.amazonaws.com"):
        raise SettingsError(
            "OpenSearch Serverless (aoss) is not supported: it accepts no document ids and cannot be refreshed, so an ingestion "
            "can neither replace a row nor check it; set FSI_OPENSEARCH__URL to an Amazon OpenSearch domain"
        )


OVERLOADED: Final = (429, 503)
"""Statuses that may succeed later: a full queue (429), a shard that is being moved (503)."""


class TryAgain(StoreUnavailable):
    """Raised by a step that `RetryPolicy.call` retries. If all attempts fail, the caller gets the last one."""


def is_try_again(exc: BaseException) -> bool:
    """Return whether `RetryPolicy.call` should retry. Other StoreUnavailable errors come from requests already retried."""
    return isinstance(exc, TryAgain)


@contextmanager
def translate_errors(url: str) -> Iterator[None]:
    """Translate errors of opensearch-py in the block. `url` names the server in messages."""
    try:
        yield
    except (exceptions.OpenSearchException, exceptions.ImproperlyConfigured) as exc:
        raise translate(exc, url) from exc


def translate(exc: Exception, url: str) -> StoreError:
    """Return the StoreError for an exception of opensearch-py."""
    match exc:
        # Before ConnectionError, its base class, because a retry does not help here.
        case exceptions.SSLError():
            return StoreRefused(
                f"the certificate of {url} is not trusted ({_cause(exc)}): set FSI_OPENSEARCH__CA_CERTS to the file of its CA"
            )
        case exceptions.ConnectionTimeout():
            return StoreUnavailable(f"OpenSearch at {url} did not answer in time: try again later")
        case exceptions.ConnectionError():
            return StoreUnavailable(
                f"OpenSearch at {url} cannot be reached ({_cause(exc)}): check FSI_OPENSEARCH__URL and the network"
            )
        case exceptions.TransportError() if isinstance(exc.status_code, int):
            return error_of_status(exc.status_code, exc.info, url)
        case exceptions.SerializationError():
            return StoreError(f"the answer of {url} is not JSON as from OpenSearch: check FSI_OPENSEARCH__URL")
    return StoreError(f"the OpenSearch client failed ({type(exc).__name__}: {exc}): check the FSI_OPENSEARCH settings")


def error_of_status(status: int, body: Any, url: str) -> StoreError:
    """Return the StoreError for an answer, or an item of a bulk answer, with this HTTP status and JSON body."""
    kinds, reason = parse_error(body)
    if "index_not_found" in kinds:
        return IndexMissing(f"there is no such index at {url} ({reason}): ingest its files")
    if "cluster_block" in kinds:
        return StoreUnavailable(f"OpenSearch at {url} accepts no writes now ({reason}): is its disk full?")
    if status == 404 and not kinds.strip():  # OpenSearch itself would name a missing index
        return StoreError(f"{url} answered 404: it is another server or another path; check FSI_OPENSEARCH__URL")
    match status:
        case 401:
            return StoreRefused(
                f"OpenSearch at {url} rejected the login: check FSI_OPENSEARCH__USER, __PASSWORD and __AUTH"
            )
        case 403:
            return StoreRefused(
                f"OpenSearch at {url} denied the request ({reason}): docs/opensearch.md lists the permissions needed"
            )
        case 409:
            return IndexBusy(f"another process changed the index at {url} at the same time: try again")
        case 413:
            return StoreError(f"a request is larger than {url} accepts: split the longest rows")
        case 429:
            return StoreUnavailable(f"OpenSearch at {url} is overloaded: try again later")
        # Includes 503, which `bulk` has already retried for single passages.
        case _ if status >= 500:
            return StoreUnavailable(
                f"OpenSearch at {url} failed ({status}: {reason}): is its cluster red? try again later"
            )
    return StoreError(f"OpenSearch at {url} rejected the request ({status} {kinds}: {reason})")


def parse_error(body: Any) -> tuple[str, str]:
    """Return (types, reason) of an OpenSearch error: all its types, separated by spaces, and at most 300 characters.

    The reason of a failed search is that of its first failed shard.
    """
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return "", str(error)[:300]
    # The outermost type is often the general "search_phase_execution_exception"; the specific type is nested.
    causes = error.get("root_cause") or [error]
    failed = error.get("failed_shards") or []
    inner = failed[0].get("reason", {}) if failed else {}
    kinds = " ".join(str(each.get("type", "")) for each in (error, *causes, inner))
    reason = inner.get("reason") or causes[0].get("reason") or error.get("reason")
    return kinds, str(reason)[:300]


def _cause(exc: exceptions.TransportError) -> str:
    """Return the innermost reason of a connection error."""
    # urllib3 joins the reasons with colons, the innermost last.
    text = str(exc.error or exc.info)
    if "[SSL:" in text:
        return text.rpartition("] ")[2].rpartition(" (")[0]
    return text.rpartition(": ")[2][:200]
