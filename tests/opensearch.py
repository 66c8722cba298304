"""The OpenSearch server of the tests: `TEST_OPENSEARCH_URL` (with TEST_OPENSEARCH_USER, _PASSWORD, _CA_CERTS), else a node
of our own, started once per run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from deploy.local import opensearch_node
from rag.errors import IndexMissing
from rag.stores.opensearch import aliases
from rag.stores.opensearch.client import Connection, Layout, connect

VARIABLE = "TEST_OPENSEARCH_URL"


@dataclass(frozen=True)
class Server:
    """The tests' server. `node`: the local node, None for another server; tests may only break this node."""

    url: str
    user: str | None
    password: str | None
    ca_certs: str | None
    node: opensearch_node.Node | None = None
    folder: Path | None = None

    def connect(self, layout: Layout | None = None, timeout: float = 30.0) -> Connection:
        auth = (self.user, self.password) if self.user else None
        return connect(self.url, auth=auth, ca_certs=self.ca_certs, layout=layout, timeout=timeout)

    def connect_as_admin(self) -> Connection:
        """A connection with more rights than the chatbot needs; on another server its user is used."""
        if self.node is None:
            return self.connect()
        return connect(self.url, auth=("admin", self.node.admin_password), ca_certs=self.ca_certs)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Yield the server; a local node is stopped afterwards."""
    if url := os.environ.get(VARIABLE):
        user, password, ca_certs = (
            os.environ.get(f"TEST_OPENSEARCH_{name}") for name in ("USER", "PASSWORD", "CA_CERTS")
        )
        yield Server(url, user, password, ca_certs)
        return
    node = opensearch_node.start(folder, owner=os.getpid())
    try:
        yield Server(node.url, node.user, node.password, node.ca_certs, node, folder)
    finally:
        opensearch_node.stop(folder)


def index_name() -> str:
    """A unique index name."""
    return f"test-{uuid4().hex[:12]}"


def drop(connection: Connection, name: str) -> None:
    """Delete an index if it exists."""
    aliases.delete_building(connection, name)
    with suppress(IndexMissing):
        aliases.delete(connection, name)
