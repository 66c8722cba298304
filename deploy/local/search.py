"""The search server of a local stack: a real OpenSearch node beside the emulator.

It has a folder of its own, separate from the node of `make opensearch`.
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
    """Start the node unless it is running; returns a line for the terminal."""
    running = opensearch_node.find(FOLDER) is not None
    node = opensearch_node.start(FOLDER)
    return f"OpenSearch {node.version} {'already runs' if running else 'runs'} at {node.url} (process {node.pid})"


def status() -> str:
    """A line for the terminal on whether the node is running."""
    node = opensearch_node.find(FOLDER)
    return f"OpenSearch {node.version} runs at {node.url} (process {node.pid})" if node else "OpenSearch is not running"


def environment() -> Iterator[str]:
    """Shell commands that set the chatbot's settings; the password is read from its file by a command in them."""
    node = _running()
    for name, value in node.settings.items():
        yield f"export {name}={shlex.quote(value)}"
    read = shlex.join([sys.executable, "-c", _READ, str((FOLDER / "node.json").resolve())])
    yield f'export FSI_OPENSEARCH__PASSWORD="$({read})"'


def test() -> Iterator[str]:
    """Run `search_probe.probe` on the node. Raises DeployError."""
    node = _running()
    yield from search_probe.probe(search_probe.Server(node.url, node.user, node.password, node.ca_certs))


def down() -> bool:
    """Stop the node and delete its data; returns whether one was running."""
    ended = opensearch_node.stop(FOLDER)
    with suppress(OSError):
        FOLDER.parent.rmdir()  # fails if it has other files, which are kept
    return ended


def _running() -> Node:
    node = opensearch_node.find(FOLDER)
    if node is None:
        raise DeployError("OpenSearch is not running; start it with `python -m deploy up --target local`")
    return node
