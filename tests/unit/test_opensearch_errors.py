"""Every error of opensearch-py becomes one of ours, with a line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opensearchpy import exceptions

from rag.errors import IndexBusy, IndexMissing, StoreError, StoreRefused, StoreUnavailable
from rag.stores.opensearch.errors import error_of_status, translate, translate_errors

URL = "https://search.example:9200"
ROOTS = (exceptions.OpenSearchException, exceptions.ImproperlyConfigured)
EXPECTED: dict[str, type[StoreError]] = {
    "SSLError": StoreRefused,
    "ConnectionTimeout": StoreUnavailable,
    "ConnectionError": StoreUnavailable,
    "AuthenticationException": StoreRefused,
    "AuthorizationException": StoreRefused,
    "ConflictError": IndexBusy,
}


def tree(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


ALL = sorted({error for root in ROOTS for error in tree(root)}, key=lambda error: error.__name__)
STATUSES = {"NotFoundError": 404, "ConflictError": 409, "RequestError": 400, "AuthenticationException": 401}
STATUSES |= {"AuthorizationException": 403, "TransportError": 500}


def made(error: type[Exception]) -> Exception:
    if issubclass(error, exceptions.ConnectionError):
        return error("N/A", "what happened", OSError("what happened"))
    if issubclass(error, exceptions.TransportError):
        return error(STATUSES[error.__name__], "kind", {"error": {"type": "kind", "reason": "why"}})
    return error("what happened")


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_of_the_client_is_mapped(error: type[Exception]) -> None:
    with pytest.raises(StoreError) as raised, translate_errors(URL):
        raise made(error)
    assert isinstance(raised.value, EXPECTED.get(error.__name__, StoreError))
    assert raised.value.__cause__ is not None
    assert "\n" not in str(raised.value) and ("check" in str(raised.value) or URL in str(raised.value))


def test_the_tree_is_the_whole_of_it() -> None:
    """A class that a new version brings is found by the test above; one that has no root we know of, here."""
    theirs = {
        each
        for each in vars(exceptions).values()
        if isinstance(each, type) and issubclass(each, Exception) and not issubclass(each, Warning)
    }
    dsl = set(tree(exceptions.OpenSearchDslException))  # of the query builder, which is not used
    assert len(ALL) >= 11
    assert theirs - dsl <= set(ALL)


def reason(kind: str) -> dict[str, Any]:
    return {"error": {"type": kind, "reason": "why", "root_cause": [{"type": kind, "reason": "why"}]}}


@pytest.mark.parametrize(
    ("status", "body", "error", "told"),
    [
        (401, "Unauthorized", StoreRefused, "FSI_OPENSEARCH__USER"),
        (403, reason("security_exception"), StoreRefused, "why.*permissions"),
        (403, reason("cluster_block_exception"), StoreUnavailable, "disk full"),
        (429, reason("cluster_block_exception"), StoreUnavailable, "disk full"),
        (404, reason("index_not_found_exception"), IndexMissing, "no such index"),
        (404, "nothing here", StoreError, "404"),
        (409, reason("version_conflict_engine_exception"), IndexBusy, "try again"),
        (413, None, StoreError, "larger"),
        (429, reason("rejected_execution_exception"), StoreUnavailable, "overloaded"),
        (503, reason("search_phase_execution_exception"), StoreUnavailable, "red"),
        (500, None, StoreUnavailable, "500"),
        (400, reason("parsing_exception"), StoreError, "400.*parsing_exception.*why"),
    ],
)
def test_statuses(status: int, body: Any, error: type[StoreError], told: str) -> None:
    found = error_of_status(status, body, URL)
    assert type(found) is error
    assert found.korean
    with pytest.raises(error, match=told):
        raise found


def test_a_shards_reason_is_told() -> None:
    failed = [{"shard": 0, "reason": {"type": "illegal_argument_exception", "reason": "the real one"}}]
    error = {"type": "search_phase_execution_exception", "reason": "all shards failed", "failed_shards": failed}
    assert "the real one" in str(error_of_status(400, {"error": error}, URL))


def test_the_cause_of_a_lost_connection_is_told_briefly() -> None:
    cause = OSError("HTTPSConnection(host='x'): Failed to establish a new connection: [Errno -2] Name not known")
    found = translate(exceptions.ConnectionError("N/A", str(cause), cause), URL)
    assert "Name not known" in str(found) and "HTTPSConnection" not in str(found)
