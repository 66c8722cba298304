"""The index and the chat service that a command's options name."""

from __future__ import annotations

from argparse import Namespace

from rag.chat import ChatService
from rag.cli.arguments import check_index_name
from rag.cli.terminal import Bar
from rag.errors import InputError
from rag.factory.chat import build_service
from rag.factory.models import Models, load_models
from rag.factory.stores import open_index
from rag.settings import Settings
from rag.stores.base import PassageStore
from rag.types import Filters


def open_service(options: Namespace, settings: Settings, filters: Filters | None = None) -> ChatService:
    """The chat service over it. Raises InputError where a filter's key is in no row: nothing could ever be found."""
    models = load_models(settings)
    store = open_store(options, settings, models)
    # A misspelt key would find nothing, which looks like a question that no row answers.
    for key in filters.equals if filters else ():
        if not store.values(key):
            raise InputError(
                f"--filter {key}=…: no row has {key!r}; name a column of the FAQ, such as bank or category"
            )
    return build_service(settings, models, store)


def open_store(options: Namespace, settings: Settings, models: Models) -> PassageStore:
    """The index of `--index`, else of the settings, else the bundled one. Raises as `open_index`, and InputError."""
    if options.index:
        check_index_name(options.index)
    bar = Bar()
    try:
        return open_index(settings, models, options.index, progress=bar)
    finally:
        bar.close()
