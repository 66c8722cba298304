"""Opens the index and the chat service that a command's options select."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

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

LISTED = 20
"""Values of a column that an error names."""


def open_service(options: Namespace, settings: Settings, filters: Filters | None = None) -> ChatService:
    """Build a chat service over the selected index. Raises as `open_store`, and InputError if no row has a filter's value."""
    models = load_models(settings)
    store = open_store(options, settings, models)
    # With a misspelt key or value nothing is found, which looks like a question that no row answers.
    for key, value in filters.equals.items() if filters else ():
        if not (values := store.values(key)):
            raise InputError(f"--filter {key}=…: no row has {key!r}; use a column of the FAQ, such as bank or category")
        if value not in values:
            more = f" and {len(values) - LISTED} more" if len(values) > LISTED else ""
            raise InputError(
                f"--filter {key}={value}: no row has it; {key} is one of {', '.join(values[:LISTED])}{more}"
            )
    return build_service(settings, models, store)


def open_store(options: Namespace, settings: Settings, models: Models) -> PassageStore:
    """Open the index of `--index`, else of the settings, else the bundled one.

    Raises InputError for an invalid name, and whatever `open_index` raises.
    """
    if options.index:
        check_index_name(options.index)
    with closing(Bar()) as bar:
        return open_index(settings, models, options.index, progress=bar)
