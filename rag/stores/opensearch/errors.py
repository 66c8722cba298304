"""What opensearch-py raises, to errors of ours: the one place. tests/unit/test_opensearch_errors.py enumerates its tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opensearchpy import exceptions

from rag.errors import IndexBusy, IndexMissing, StoreError, StoreRefused, StoreUnavailable

OVERLOADED: Final = (429, 503)
"""Statuses that a later try may not meet again: a full queue, a shard that moves."""


class TryAgain(StoreUnavailable):
    """What a retried step of this package raises while it may still succeed. The last one is what the caller gets."""


def is_try_again(exc: BaseException) -> bool:
    """For `RetryPolicy.call`: whether to call again. Not after any StoreUnavailable: requests were retried already."""
    return isinstance(exc, TryAgain)


@contextmanager
def translate_errors(url: str) -> Iterator[None]:
    """Raise ours for theirs. `url` is the server as messages name it."""
    try:
        yield
    except (exceptions.OpenSearchException, exceptions.ImproperlyConfigured) as exc:
        raise translate(exc, url) from exc


def translate(exc: Exception, url: str) -> StoreError:
    """The error of ours for one of opensearch-py's; most specific first."""
    match exc:
        # A ConnectionError too, but trying again will not help: it must come first.
        case exceptions.SSLError():
            return StoreRefused(
                f"the certificate of {url} is not trusted ({_cause(exc)}): FSI_OPENSEARCH__CA_CERTS names its authority's file"
            )
        case exceptions.ConnectionTimeout():
            return StoreUnavailable(f"OpenSearch at {url} does not answer in time: try again later")
        case exceptions.ConnectionError():
            return StoreUnavailable(
                f"OpenSearch at {url} cannot be reached ({_cause(exc)}): check FSI_OPENSEARCH__URL and the network"
            )
        case exceptions.TransportError() if isinstance(exc.status_code, int):
            return error_of_status(exc.status_code, exc.info, url)
        case exceptions.SerializationError():
            return StoreError(f"{url} does not answer as OpenSearch does: check FSI_OPENSEARCH__URL")
    return StoreError(f"the OpenSearch client failed ({type(exc).__name__}: {exc}): check the FSI_OPENSEARCH settings")


def error_of_status(status: int, body: Any, url: str) -> StoreError:
    """The error for an answer with this HTTP status and JSON body, or for one item of a bulk answer."""
    kinds, reason = parse_error(body)
    if "index_not_found" in kinds:
        return IndexMissing(f"there is no such index at {url} ({reason}): ingest its files")
    if "cluster_block" in kinds:
        return StoreUnavailable(f"OpenSearch at {url} takes no writes now ({reason}): is its disk full?")
    if status == 404 and not kinds.strip():  # a missing index would say so
        return StoreError(
            f"{url} has no such page (404): it is another server, or another path; check FSI_OPENSEARCH__URL"
        )
    match status:
        case 401:
            return StoreRefused(
                f"OpenSearch at {url} refuses the login: check FSI_OPENSEARCH__USER, __PASSWORD and __AUTH"
            )
        case 403:
            return StoreRefused(
                f"OpenSearch at {url} does not allow this ({reason}): docs/opensearch.md lists the permissions needed"
            )
        case 409:
            return IndexBusy(f"another process changed the index at {url} at the same time: try again")
        case 413:
            return StoreError(f"a request is larger than {url} takes: split the longest rows")
        case 429:
            return StoreUnavailable(f"OpenSearch at {url} is overloaded: try again later")
        # Also 503; where single passages met it, `bulk` has retried by now.
        case _ if status >= 500:
            return StoreUnavailable(
                f"OpenSearch at {url} cannot answer ({status}: {reason}): is its cluster red? try again later"
            )
    return StoreError(f"OpenSearch at {url} refuses the request ({status} {kinds}: {reason})")


def parse_error(body: Any) -> tuple[str, str]:
    """(types, reason) of an error as OpenSearch writes it: all its types, separated by spaces; of a failed search the reason
    its first shard gave."""
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return "", str(error)[:300]
    # The outermost type is often only "search_phase_execution_exception"; the one that tells is further in.
    causes = error.get("root_cause") or [error]
    failed = error.get("failed_shards") or []
    inner = failed[0].get("reason", {}) if failed else {}
    kinds = " ".join(str(each.get("type", "")) for each in (error, *causes, inner))
    reason = inner.get("reason") or causes[0].get("reason") or error.get("reason")
    return kinds, str(reason)[:300]


def _cause(exc: exceptions.TransportError) -> str:
    """The last part of a long chain of reasons."""
    # urllib3 strings the reasons together with colons; the last is what happened.
    text = str(exc.error or exc.info)
    if "[SSL:" in text:
        return text.rpartition("] ")[2].rpartition(" (")[0]
    return text.rpartition(": ")[2][:200]
