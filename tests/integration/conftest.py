"""A fake SageMaker runtime and a real boto3 client that talks to it over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rag.models.runtime import Runtime
from tests.fake_endpoint import FakeEndpoint, Reply, Request

Reach = Callable[[Callable[[Request], Reply]], tuple[FakeEndpoint, Runtime]]


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reach]:
    """`reach(reply)` starts an endpoint that replies so, and a runtime that calls it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    started: list[tuple[FakeEndpoint, Runtime]] = []

    def start(reply: Callable[[Request], Reply]) -> tuple[FakeEndpoint, Runtime]:
        fake = FakeEndpoint(reply)
        started.append((fake, Runtime("ap-northeast-2", fake.url)))
        return started[-1]

    yield start
    for fake, runtime in started:
        fake.close()
        runtime.close()
