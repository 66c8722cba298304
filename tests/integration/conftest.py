"""The command line, called in process over a copy of the small index; and a fake SageMaker runtime, called over HTTP."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rag.cli import commands, evaluation, evaluation_parts, opening
from rag.cli.main import main
from rag.factory.models import Models
from rag.models.sagemaker.client import Runtime
from rag.stores.opensearch.client import Connection
from tests.fake_endpoint import FakeEndpoint, Reply, Request
from tests.opensearch import Server, drop, index_name


class Ran(NamedTuple):
    """The result of a command."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Its standard output, which must be one JSON value and nothing else."""
        assert self.code == 0, self.err
        return json.loads(self.out)

    def refused(self) -> str:
        """The single line of an error message."""
        lines = self.err.splitlines()
        assert (self.code, self.out) == (1, ""), self
        assert "Traceback" not in self.err and [line.startswith("error: ") for line in lines] == [True], self.err
        return lines[0]


Run = Callable[..., Ran]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    models: Models,
    loggers_as_before: None,
) -> Run:
    """Runs `python -m rag` in an empty folder with the session's embedder."""
    monkeypatch.chdir(tmp_path)
    for module in (commands, evaluation, evaluation_parts, opening):
        monkeypatch.setattr(module, "load_models", lambda _settings: models)
    monkeypatch.setenv("FSI_LOG__LEVEL", "WARNING")

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(str(ended.code))
        return Ran(code, *capsys.readouterr())

    return call


@pytest.fixture
def small(run: Run, small_root: Path, tmp_path: Path) -> Path:
    """The directory of a copy of the index "small", where the commands find it."""
    directory = tmp_path / ".fsi" / "indexes" / "small"
    shutil.copytree(small_root / "small", directory)
    return directory


@pytest.fixture
def connection(opensearch: Server) -> Iterator[Connection]:
    opened = opensearch.connect()
    yield opened
    opened.close()


@pytest.fixture
def name(connection: Connection) -> Iterator[str]:
    """A unique name of an OpenSearch index, which is deleted afterwards."""
    chosen = index_name()
    yield chosen
    drop(connection, chosen)


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
