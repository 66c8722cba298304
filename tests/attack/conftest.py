"""Pages in separate processes, for the tests of this folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag.ui.connections import free_port
from tests.attack.visitors import Page
from tests.forks import command

ROOT = Path(__file__).parents[2]
SERVED = "import sys; from tests.attack.served import main; main(sys.argv[1:])"
USERS = {"kim": "옳은 비밀번호 하나", "lee": "옳은 비밀번호 둘"}


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Page]:
    """A page with these options (see `tests.attack.served`) until the end of the block."""
    log = folder / "page.log"
    with log.open("w", encoding="utf-8") as written:
        process = subprocess.Popen(
            command(SERVED, str(free_port("127.0.0.1", 8100 + os.getpid() % 500)), *options),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
        )
        assert process.stdout
        try:
            started = process.stdout.readline().split()
            assert started, log.read_text(encoding="utf-8")
            page = Page(process, int(started[0]), started[1], log)
            yield page
            for client in page.clients:
                client.close()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.fixture(scope="package")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page without logins."""
    with served(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture(scope="package")
def guarded_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with the logins USERS, behind a local proxy."""
    users = [f"user={name}:{password}" for name, password in USERS.items()]
    with served(tmp_path_factory.mktemp("guarded"), *users, "trusted_proxies=127.0.0.1") as running:
        yield running


@pytest.fixture(scope="package")
def keeping_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with records, chats and MCP, behind a local proxy."""
    folder = tmp_path_factory.mktemp("keeping")
    with served(folder, f"keep={folder}", "mcp=true", "trusted_proxies=127.0.0.1") as running:
        yield running
