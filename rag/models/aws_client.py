"""boto3 clients whose calls can be cancelled; for SageMaker's runtime and Bedrock."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from rag.errors import ModelRefused
from rag.models.sockets import track
from rag.models.vendor_errors import VENDOR_ERRORS

CONNECT_SECONDS = 5.0
CONNECTIONS = 128
"""Threads of our own plus the callers' own; a connection beyond the pool would be thrown away after each use."""


def tracked_client(service: str, region: str | None, endpoint_url: str | None, **settings: Any) -> Any:
    """A boto3 client without retries of its own, whose calls can be cancelled. Raises VENDOR_ERRORS, and ModelRefused for
    an address that is none."""
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        max_pool_connections=CONNECTIONS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        tcp_keepalive=True,
        **settings,
    )
    # Sessions are not thread-safe and the default one is shared by the whole program: take our own.
    session = boto3.session.Session(region_name=region)
    try:
        client = session.client(service, endpoint_url=endpoint_url, config=config)
    except VENDOR_ERRORS:
        raise
    except ValueError as exc:  # from botocore, for an address
        raise ModelRefused(f"{exc}; write AWS_ENDPOINT_URL and its like as http://HOST:PORT, or unset them") from exc
    track(client)
    return client
