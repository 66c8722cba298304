"""Translates the errors of opensearch-py to `StoreError`. tests/unit/test_opensearch_errors.py enumerates its exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opensearchpy import exceptions

from rag.errors import IndexBusy, IndexMissing, StoreError, StoreRefused, StoreUnavailable

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
