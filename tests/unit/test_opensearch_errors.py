"""Every error of opensearch-py is mapped to one of ours, with advice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opensearchpy import exceptions

from rag.errors import IndexBusy, IndexMissing, StoreError, StoreRefused, StoreUnavailable
from rag.stores.opensearch.client import connect, error_of_status, translate, translate_errors
from rag.stores.opensearch.query_dsl import cosine

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


def instance(error: type[Exception]) -> Exception:
    if issubclass(error, exceptions.ConnectionError):
        return error("N/A", "what happened", OSError("what happened"))
    if issubclass(error, exceptions.TransportError):
        return error(STATUSES[error.__name__], "kind", {"error": {"type": "kind", "reason": "why"}})
    return error("what happened")


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_of_the_client_is_mapped(error: type[Exception]) -> None:
    with pytest.raises(StoreError) as raised, translate_errors(URL):
        raise instance(error)
    assert isinstance(raised.value, EXPECTED.get(error.__name__, StoreError))
    assert raised.value.__cause__ is not None
    assert "\n" not in str(raised.value) and ("check" in str(raised.value) or URL in str(raised.value))


def test_the_tree_is_the_whole_of_it() -> None:
    """The test above finds new error classes; this one finds those outside the known hierarchy."""
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
    ("status", "body", "error", "expected"),
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
def test_statuses(status: int, body: Any, error: type[StoreError], expected: str) -> None:
    found = error_of_status(status, body, URL)
    assert type(found) is error
    assert found.korean
    with pytest.raises(error, match=expected):
        raise found


def test_a_shards_reason_is_reported() -> None:
    failed = [{"shard": 0, "reason": {"type": "illegal_argument_exception", "reason": "the real one"}}]
    error = {"type": "search_phase_execution_exception", "reason": "all shards failed", "failed_shards": failed}
    assert "the real one" in str(error_of_status(400, {"error": error}, URL))


def test_the_cause_of_a_lost_connection_is_reported_briefly() -> None:
    cause = OSError("HTTPSConnection(host='x'): Failed to establish a new connection: [Errno -2] Name not known")
    found = translate(exceptions.ConnectionError("N/A", str(cause), cause), URL)
    assert "Name not known" in str(found) and "HTTPSConnection" not in str(found)


@pytest.mark.parametrize("body", ["<html>404 Not Found</html>", None, {}, {"message": "no route"}])
def test_a_404_of_another_server_is_reported_as_such(body: Any) -> None:
    error = error_of_status(404, body, URL)
    assert type(error) is StoreError
    assert "another server" in str(error) and "None" not in str(error)
    missing = {"error": {"type": "index_not_found_exception", "reason": "no such index [x]"}}
    assert isinstance(error_of_status(404, missing, URL), IndexMissing)


@pytest.mark.parametrize(("score", "space", "expected"), [(1.8, "innerproduct", 0.8), (0.9, "cosinesimil", 0.8)])
def test_scores_that_no_cosine_has_are_refused(score: float, space: str, expected: float) -> None:
    """Document-level security raises each of them by one."""
    assert cosine(score, space) == pytest.approx(expected)
    with pytest.raises(StoreRefused, match="document-level security"):
        cosine(score + 1, space)


def test_requests_wait_as_long_as_the_setting_says(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connect(URL, timeout=7.5)
    waited = []
    monkeypatch.setattr(
        connection.client.transport,
        "perform_request",
        lambda *_, params, **__: waited.append(params["request_timeout"]),
    )
    connection.request("GET", "/")
    connection.request("GET", "/", timeout=1.5)
    assert waited == [7.5, 1.5]
    connection.close()


def test_the_version_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connect(URL)
    versions = iter(["2.19.1", "3.4.0"])
    monkeypatch.setattr(
        connection, "request", lambda *_: {"version": {"distribution": "opensearch", "number": next(versions)}}
    )
    assert (connection.bm25_scale, connection.bm25_scale) == (2.2, 2.2)
    monkeypatch.setattr("rag.stores.opensearch.client.SCALE_SECONDS", 0.0)
    connection._scale = (2.2, 0.0)
    assert connection.bm25_scale == 1.0
    connection.close()
