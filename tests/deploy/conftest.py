"""An emulator, and boto3 clients that call it over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import orjson
import pytest
from botocore.config import Config

from deploy.local.client import EmulatorClient
from deploy.local.server import running
from deploy.local.spec import EndpointSpec

Run = Callable[..., "Service"]


@dataclass
class Service:
    """The emulator seen by its users: a boto3 client of the runtime, and the admin routes."""

    emulator: EmulatorClient
    runtime: Any

    def invoke(self, name: str, body: Any, **more: Any) -> Any:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        response = self.runtime.invoke_endpoint(EndpointName=name, Body=data, ContentType="application/json", **more)
        return orjson.loads(response["Body"].read())

    def stream(self, name: str, body: Any, **more: Any) -> Iterator[bytes]:
        response = self.runtime.invoke_endpoint_with_response_stream(
            EndpointName=name, Body=orjson.dumps(body), ContentType="application/json", **more
        )
        try:
            for event in response["Body"]:
                yield event["PayloadPart"]["Bytes"]
        finally:
            response["Body"].close()


@contextmanager
def client(service: str, url: str, **options: Any) -> Iterator[Any]:
    made = boto3.client(
        service,
        endpoint_url=url,
        region_name="ap-northeast-2",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(**{"retries": {"total_max_attempts": 1}, "read_timeout": 20, **options}),
    )
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def run() -> Iterator[Run]:
    """Start an emulator with these endpoints: `run(spec, …, read_timeout=…)`."""
    with ExitStack() as stack:

        def start(*specs: EndpointSpec, **options: Any) -> Service:
            emulator = stack.enter_context(running(specs))
            return Service(emulator, stack.enter_context(client("sagemaker-runtime", emulator.url, **options)))

        yield start


def embedder(**fields: Any) -> EndpointSpec:
    return EndpointSpec.model_validate({"name": "emb", "task": "embed", "format": "tei", "model": "hashed", **fields})


def generator(**fields: Any) -> EndpointSpec:
    return EndpointSpec.model_validate({"name": "llm", "task": "generate", "format": "lmi", **fields})
