"""Runs a page in a separate process over the fake service; its output goes to the caller's files.

Prints its process ID and its address. Arguments: PORT [key=value ...]: `user=NAME:PASSWORD` adds a login, `keep=FOLDER` keeps
records and chats there, anything else is a setting of the page.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import tests.gradio_import  # noqa: F401 - before the page imports it
from rag.cli.logging_setup import configure_logging
from rag.settings import HistorySettings, RecordSettings, Settings, UiSettings
from rag.ui.auth import PasswordHash, hash_password
from rag.ui.loader import Loader
from rag.ui.server import start
from tests.fakes import FakeChat

CHEAP = PasswordHash(2**10, 8, 1, b"x" * 16, b"x" * 32)
"""Costs at which many logins can be tried in a test."""


def main(arguments: list[str]) -> None:
    configure_logging("DEBUG", "text")
    pairs = [argument.split("=", 1) for argument in arguments[1:]]
    users = {}
    for _, value in (pair for pair in pairs if pair[0] == "user"):
        name, _, password = value.partition(":")
        users[name] = PasswordHash.parse(hash_password(password, CHEAP))
    kept = next((Path(value) for name, value in pairs if name == "keep"), None)
    options = {name: value for name, value in pairs if name not in ("user", "keep")}
    loader = Loader(lambda progress: FakeChat())
    ui = UiSettings.model_validate({"port": int(arguments[0]), **options})
    folder = kept or Path()
    record = RecordSettings(enabled=kept is not None, file=folder / "records.sqlite")
    history = HistorySettings(enabled=kept is not None, file=folder / "history.sqlite")
    server = start(Settings(ui=ui, record=record, history=history), loader, users)
    loader.start()
    loader.service()  # its line stands in the log before the first visitor's
    print(os.getpid(), server.url, flush=True)
    threading.Event().wait()
