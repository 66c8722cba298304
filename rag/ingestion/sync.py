"""Makes a store hold exactly the nodes of an ingestion: compare, embed, upsert, then delete what is gone.

All state is in the store (content hash and embedding fingerprint of each node), so nothing can fall out of step with it:
killed anywhere, the next run does what is left. A node's old version is found until its new one has replaced it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import TextNode

from rag.errors import InputError
from rag.ingestion.embedding import embed_nodes
from rag.stores.base import CONTENT_HASH, FINGERPRINT, INDEXED_AT, NodeState, PassageStore

BATCH = 32
"""Nodes embedded and written at once: what a killed run has to do again at most."""

Progress = Callable[[str, int, int], None]
"""Called with the step (`read` counts files, `split` rows or documents, `embed` and `delete` nodes), how many are done and
how many there are."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Node ids by what has to happen to them; `add` holds new and changed ones, in the ingestion's order."""

    add: tuple[str, ...]
    keep: tuple[str, ...]
    delete: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, in nodes; `ids`: which nodes, by what was done to them."""

    added: int
    updated: int
    unchanged: int
    deleted: int
    seconds: float
    ids: Mapping[str, Sequence[str]] = field(default_factory=dict)


def keep_nothing(_node_id: str) -> bool:
    """For a sync whose nodes are all there should be."""
    return False


def plan(
    target: Mapping[str, NodeState], states: Mapping[str, NodeState], kept: Callable[[str], bool] = keep_nothing
) -> Plan:
    """What turns the stored `states` into the `target` ones; `kept`: stored ids that stay though they are no target."""
    return Plan(
        add=tuple(node_id for node_id, state in target.items() if states.get(node_id) != state),
        keep=tuple(node_id for node_id, state in target.items() if states.get(node_id) == state),
        delete=tuple(sorted(node_id for node_id in states.keys() - target.keys() if not kept(node_id))),
    )


def target_states(nodes: Iterable[TextNode], fingerprint: str) -> dict[str, NodeState]:
    """The state each node will have once stored. Raises InputError when two nodes share an id."""
    nodes = list(nodes)
    if twice := sorted(node_id for node_id, n in Counter(node.node_id for node in nodes).items() if n > 1):
        raise InputError(f"ids given to more than one node: {', '.join(twice[:10])}; give each row its own id")
    return {
        node.node_id: NodeState(str(node.metadata[CONTENT_HASH]), fingerprint, node.ref_doc_id or node.node_id)
        for node in nodes
    }


def no_progress(step: str, done: int, total: int) -> None:
    """Progress that shows nothing."""


def utc_now() -> datetime:
    """The time, in UTC, that nodes are stamped with."""
    return datetime.now(UTC)


def sync(
    store: PassageStore,
    nodes: Sequence[TextNode],
    embed_model: BaseEmbedding | None,
    *,
    kept: Callable[[str], bool] = keep_nothing,
    progress: Progress = no_progress,
    clock: Callable[[], datetime] = utc_now,
) -> SyncReport:
    """Bring `store`, opened for writing with the manifest of `embed_model` (None: lexical search alone), up to date.

    Raises InputError for duplicate ids and ModelError for unusable vectors; batches written before stay written.
    """
    started = clock()
    manifest = store.manifest
    states = store.states()
    # The fingerprint takes part: with another embedding every node is new, though its text is not.
    todo = plan(target_states(nodes, manifest.fingerprint), states, kept)
    by_id = {node.node_id: node for node in nodes}
    for start in range(0, len(todo.add), BATCH):
        batch = [by_id[node_id] for node_id in todo.add[start : start + BATCH]]
        vectors = embed_nodes(embed_model, batch, dimension=manifest.dimension) if embed_model else [None] * len(batch)
        stamps = {FINGERPRINT: manifest.fingerprint, INDEXED_AT: clock().isoformat(timespec="seconds")}
        # Copies, with vector and stamps: the caller's nodes stay as they were.
        store.add(
            [
                node.model_copy(update={"embedding": vector, "metadata": node.metadata | stamps})
                for node, vector in zip(batch, vectors, strict=True)
            ]
        )
        progress("embed", start + len(batch), len(todo.add))
    # Last: until the new nodes are in, the old ones answer.
    if todo.delete:
        store.delete_nodes(list(todo.delete))
        progress("delete", len(todo.delete), len(todo.delete))
    return _report(todo, states, (clock() - started).total_seconds())


def preview(
    store: PassageStore, nodes: Sequence[TextNode], *, kept: Callable[[str], bool] = keep_nothing
) -> SyncReport:
    """What `sync` would do, without doing it. Raises InputError for duplicate ids."""
    states = store.states()
    return _report(plan(target_states(nodes, store.manifest.fingerprint), states, kept), states, 0.0)


def _report(done: Plan, states: Mapping[str, NodeState], seconds: float) -> SyncReport:
    updated = sum(node_id in states for node_id in done.add)
    ids = {
        "added": [node_id for node_id in done.add if node_id not in states],
        "updated": [node_id for node_id in done.add if node_id in states],
        "deleted": list(done.delete),
    }
    return SyncReport(len(done.add) - updated, updated, len(done.keep), len(done.delete), seconds, ids)
