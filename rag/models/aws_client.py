"""boto3 clients whose calls can be cancelled, for the SageMaker runtime and Bedrock."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from rag.errors import ModelRefused
from rag.models.sockets import track_connections
from rag.models.vendor_errors import VENDOR_ERRORS

CONNECT_SECONDS = 5.0
MAX_CONNECTIONS = 128
"""Enough for the threads of the executors and of their callers: connections beyond the pool are discarded after each use."""


def tracked_client(service: str, region: str | None, endpoint_url: str | None, **settings: Any) -> Any:
    """Return a boto3 client without retries whose calls can be cancelled.

    Raises VENDOR_ERRORS, and ModelRefused for an invalid address.
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
    except VENDOR_ERRORS:
        raise
    except ValueError as exc:  # botocore's error for an invalid address
        raise ModelRefused(
            f"{exc}; set AWS_ENDPOINT_URL and similar variables to http://HOST:PORT, or unset them"
        ) from exc
    track_connections(client)
    return client
