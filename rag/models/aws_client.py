"""boto3 clients whose calls can be cancelled, for the SageMaker runtime and Bedrock.

botocore cannot cancel a call: its timeouts apply to single reads, and closing a stream from another thread waits for the
current read. Therefore the HTTP connections register their socket with the scope of their thread.
"""

from __future__ import annotations

from typing import Any

import boto3
from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.config import Config

from rag.errors import ModelRefused
from rag.models.aws_errors import AWS_ERRORS
from rag.models.cancellation import ScopedSocket, current_scope

CONNECT_SECONDS = 5.0
MAX_CONNECTIONS = 128
"""Enough for the threads of the executors and of their callers: connections beyond the pool are discarded after each use."""


def tracked_client(service: str, region: str | None, endpoint_url: str | None, **settings: Any) -> Any:
    """Return a boto3 client without retries whose calls can be cancelled.

    Raises AWS_ERRORS, and ModelRefused for an invalid address.
    """
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        max_pool_connections=MAX_CONNECTIONS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        tcp_keepalive=True,
        **settings,
    )
    # A session of its own, because sessions are not thread-safe and the default one is shared.
    session = boto3.session.Session(region_name=region)
    try:
        client = session.client(service, endpoint_url=endpoint_url, config=config)
    except AWS_ERRORS:
        raise
    except ValueError as exc:  # botocore's error for an invalid address
        raise ModelRefused(
            f"{exc}; set AWS_ENDPOINT_URL and similar variables to http://HOST:PORT, or unset them"
        ) from exc
    # Private attributes of botocore, whose version is pinned.
    client._endpoint.http_session._pool_classes_by_scheme.update({"http": _HTTPPool, "https": _HTTPSPool})
    return client


class _ScopedConnection(ScopedSocket):
    """A mixin for botocore's connections that registers the socket with the thread's scope and uses the scope's timeouts."""

    timeout: float | None

    def connect(self) -> None:
        scope = current_scope()
        if scope is not None and self.timeout is not None:
            self.timeout = min(self.timeout, scope.read_timeout())
        super().connect()  # type: ignore[misc]
        if scope is not None:
            self.claim(scope)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        # A pooled connection is already connected, so `connect` is not called.
        if (scope := current_scope()) is not None and self.sock is not None:
            self.claim(scope)
        return super().request(*args, **kwargs)  # type: ignore[misc]

    def getresponse(self) -> Any:
        if (scope := current_scope()) is not None:
            self.timeout = scope.read_timeout()
        return super().getresponse()  # type: ignore[misc]


class _HTTPConnection(_ScopedConnection, AWSHTTPConnection):  # type: ignore[misc]
    pass


class _HTTPSConnection(_ScopedConnection, AWSHTTPSConnection):  # type: ignore[misc]
    pass


class _HTTPPool(AWSHTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _HTTPConnection


class _HTTPSPool(AWSHTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _HTTPSConnection
