"""The stack's search server on this machine: a real OpenSearch node beside the emulator, where the stack file wants one.

Its folder is its own: what `make opensearch` keeps is left alone.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from deploy import search_probe
from deploy.local import opensearch_node
from deploy.local.opensearch_node import Node
from rag.errors import DeployError

FOLDER = Path(".fsi/local-opensearch")
_READ = "import json, sys; sys.stdout.write(json.load(open(sys.argv[1]))['password'])"


def up() -> str:
    """Start the node, or find it running; a line about it."""
    running = opensearch_node.find(FOLDER) is not None
    node = opensearch_node.start(FOLDER)
    return f"OpenSearch {node.version} {'already runs' if running else 'runs'} at {node.url} (process {node.pid})"


def status() -> str:
    """A line about the node, whether or not it runs."""
    node = opensearch_node.find(FOLDER)
    return f"OpenSearch {node.version} runs at {node.url} (process {node.pid})" if node else "OpenSearch does not run"


def environment() -> Iterator[str]:
    """Shell lines for the chatbot. The password is no part of them: a command that reads it from its file is."""
    node = _running()
    for name, value in (
        ("FSI_STORE__BACKEND", "opensearch"),
        ("FSI_OPENSEARCH__URL", node.url),
        ("FSI_OPENSEARCH__AUTH", "basic"),
        ("FSI_OPENSEARCH__USER", node.user),
        ("FSI_OPENSEARCH__CA_CERTS", node.ca_certs),
    ):
        yield f"export {name}={shlex.quote(value)}"
    read = shlex.join([sys.executable, "-c", _READ, str((FOLDER / "node.json").resolve())])
    yield f'export FSI_OPENSEARCH__PASSWORD="$({read})"'


def test() -> Iterator[str]:
    """Write, find and remove a passage."""
    node = _running()
    yield from search_probe.probe(search_probe.Server(node.url, node.user, node.password, node.ca_certs))


def down() -> bool:
    """End it and remove its data; whether there was one."""
    ended = opensearch_node.stop(FOLDER)
    with suppress(OSError):
        FOLDER.parent.rmdir()  # only where nothing else is kept in it
    return ended


def _running() -> Node:
    node = opensearch_node.find(FOLDER)
    if node is None:
        raise DeployError("OpenSearch does not run; start it with `python -m deploy up --target local`")
    return node
