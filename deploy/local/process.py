"""Starts, finds and stops the emulator as a background process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local import state_folder
from deploy.local.client import EmulatorClient
from deploy.local.polling import poll
from rag.errors import ModelUnavailable

START_SECONDS = 60.0
"""Time limit for starting; imports alone take seconds on a busy machine."""
STOP_SECONDS = 5.0
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Running:
    """A running emulator."""

    pid: int
    url: str


def find(folder: Path = state_folder.FOLDER) -> Running | None:
    """The emulator of this folder if its process is running and listens, else None."""
    pid = state_folder.owner_pid(folder)
    try:
        return Running(pid, (folder / state_folder.URL).read_text(encoding="utf-8")) if pid else None
    except FileNotFoundError:
        return None


def plan(folder: Path = state_folder.FOLDER) -> dict[str, Any]:
    """The plan that the folder's emulator was started with; empty without an emulator."""
    try:
        content: dict[str, Any] = json.loads((folder / state_folder.PLAN).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return content


def start(desired: Mapping[str, Any], folder: Path = state_folder.FOLDER) -> tuple[Running, bool]:
    """Start an emulator with this plan unless one is running; returns it, and whether it was started.

    `desired`: `port`, `endpoints` (specs as JSON) and further values for `plan` to return. An emulator with another plan is
    stopped first. Waits until it answers; raises ModelUnavailable with the last line of its log if it does not.
    """
    with state_folder.exclusive(folder):
        if (existing := find(folder)) and plan(folder) == desired:
            _check_answers(existing.url, folder)
            return existing, False
        _stop(folder)
        return _start(desired, folder), True


def stop(folder: Path = state_folder.FOLDER) -> bool:
    """Stop the emulator and delete its folder; returns whether one was running."""
    with state_folder.exclusive(folder):
        ended = _stop(folder)
        with suppress(OSError):
            folder.parent.rmdir()  # fails if it has other files, which are kept
    return ended


def _start(desired: Mapping[str, Any], folder: Path) -> Running:
    folder.mkdir()
    state_folder.write(folder / state_folder.PLAN, json.dumps(desired, ensure_ascii=False, indent=1))
    with (folder / state_folder.LOG).open("ab") as log:
        child = subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-m", "deploy.local", str(folder.resolve())],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    poll(lambda: find(folder) or child.poll() is not None, START_SECONDS)
    emulator = find(folder)
    if emulator is None:
        raise ModelUnavailable(f"the emulator does not start: {_log_end(folder)}")
    _check_answers(emulator.url, folder)
    return emulator


def _stop(folder: Path) -> bool:
    pid = state_folder.owner_pid(folder)
    if pid:
        _signal(pid, signal.SIGTERM)
        if not poll(lambda: state_folder.owner_pid(folder) is None, STOP_SECONDS):
            _signal(pid, signal.SIGKILL)
            poll(lambda: state_folder.owner_pid(folder) is None, STOP_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
    return pid is not None


def _check_answers(url: str, folder: Path) -> None:
    if not EmulatorClient(url).wait(START_SECONDS):
        raise ModelUnavailable(
            f"the emulator at {url} does not answer: {_log_end(folder)}; stop it with `python -m deploy down --target local`"
        )


def _log_end(folder: Path) -> str:
    try:
        lines = (folder / state_folder.LOG).read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        lines = []
    return next((line.strip() for line in reversed(lines) if line.strip()), "its log is empty")


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
