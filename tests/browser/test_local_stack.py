"""The README's steps with a local stack: the emulator is started, and the page answers through both endpoints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from deploy.local import process, state_folder
from deploy.local.client import EmulatorClient
from rag.ui.texts import KOREAN
from tests.browser.conftest import Visit
from tests.browser.test_sources import cite, expect_open

ROOT = Path(__file__).parents[2]
STACK = """
[embedding]
endpoint_name = "faq-embedding"
format = "tei"

[llm]
endpoint_name = "faq-llm"
format = "lmi"
context_window = 4096

[local]
port = 0
embedding = { model = "hashed" }
llm = { latency_ms = 100, tokens_per_second = 5 }
"""
"""Hashed vectors cost nothing and know equal texts alone, so what is asked is a row's own question."""
QUESTION = "금융인증서는 어떻게 발급받나요?"
PAGE = f'eval "$({sys.executable} -m deploy env --target local)" && exec {sys.executable} {ROOT}/app.py --port 7930'


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "stack.toml").write_text(STACK)
    yield tmp_path
    process.stop(tmp_path / state_folder.FOLDER)


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []

    def start(*command: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        running.append(
            subprocess.Popen(
                command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE
            )
        )
        return running[-1]

    yield start
    for each in running:
        each.kill()
        each.communicate()


def test_up_env_and_chat(
    start: Callable[..., subprocess.Popen[str]], folder: Path, visit: Callable[..., Visit]
) -> None:
    up = start(sys.executable, "-m", "deploy", "up", "--target", "local", "--stack", "stack.toml")
    said, complaint = up.communicate(timeout=240)
    assert up.returncode == 0, complaint
    assert 'eval "$(python -m deploy env --target local --stack stack.toml)" && make chat' in said
    emulator = EmulatorClient(str(re.findall(r"http://[\d.:]+", said)[0]))
    page = start("bash", "-c", PAGE)
    assert page.stdout
    visitor = visit(page.stdout.readline().split()[-1])
    expect(visitor.page.locator("#starters button").first).to_be_visible(timeout=120_000)
    assert [path.parent.name for path in folder.glob(".fsi/indexes/bundled-*/CURRENT")], "its own bundled index"
    assert emulator.stats("faq-embedding")["counts"]["texts"] > 300

    visitor.ask(QUESTION)
    expect(visitor.bubbles("bot")).to_contain_text("[1]")
    expect(visitor.page.locator("#stop")).to_be_visible()
    half = visitor.bubbles("bot").inner_text()
    visitor.idle()
    whole = visitor.bubbles("bot").inner_text()
    assert KOREAN.checked in whole and len(half) < len(whole), "it was streamed"
    counts = emulator.stats("faq-llm")["counts"]
    assert (counts["requests"], counts["streams"]) == (1, 1)
    cite(visitor, 1, 1).last.click()
    expect_open(visitor, 1, 1)
    expect(visitor.page.locator("#src-1-1 .card-title")).to_have_text(QUESTION)
