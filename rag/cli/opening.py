"""Opens the index and the chat service that a command's options select."""

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
    """Build a chat service over the selected index. Raises as `open_store`, and InputError if no row has a filter's key."""
    models = load_models(settings)
    store = open_store(options, settings, models)
    # With a misspelt key nothing is found, which looks like a question that no row answers.
    for key in filters.equals if filters else ():
        if not store.values(key):
            raise InputError(f"--filter {key}=…: no row has {key!r}; use a column of the FAQ, such as bank or category")
    return build_service(settings, models, store)


def open_store(options: Namespace, settings: Settings, models: Models) -> PassageStore:
    """Open the index of `--index`, else of the settings, else the bundled one.

    Raises InputError for an invalid name, and whatever `open_index` raises.
    """
    if options.index:
        check_index_name(options.index)
    bar = Bar()
    try:
        return open_index(settings, models, options.index, progress=bar)
    finally:
        bar.close()
