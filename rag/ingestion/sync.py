"""Makes a store contain exactly the nodes of an ingestion: compare, embed and upsert, then delete.

All state is in the store: the content hash and the embedding fingerprint of each node. After an interruption the next run
therefore continues. Searches find the old version of a node until the new one has replaced it.
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
"""Nodes embedded and written at once; an interrupted run repeats one batch at most."""

Progress = Callable[[str, int, int], None]
"""Called with the step, the items done and their total. Steps: "read" (files), "split" (rows or documents), "embed" and
"delete" (nodes)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Node ids by what is to be done. `add`: new and changed nodes, in the ingestion's order."""

    add: tuple[str, ...]
    keep: tuple[str, ...]
    delete: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Numbers of nodes by what a sync did. `ids`: node ids under "added", "updated" and "deleted"."""

    added: int
    updated: int
    unchanged: int
    deleted: int
    seconds: float
    ids: Mapping[str, Sequence[str]] = field(default_factory=dict)


def plan(
    target: Mapping[str, NodeState], states: Mapping[str, NodeState], is_kept: Callable[[str], bool] | None = None
) -> Plan:
    """The changes from the stored `states` to the `target` states. `is_kept`: whether an id missing in `target` stays."""
    return Plan(
        add=tuple(node_id for node_id, state in target.items() if states.get(node_id) != state),
        keep=tuple(node_id for node_id, state in target.items() if states.get(node_id) == state),
        delete=tuple(sorted(each for each in states.keys() - target.keys() if not (is_kept and is_kept(each)))),
    )


def target_states(nodes: Iterable[TextNode], fingerprint: str) -> dict[str, NodeState]:
    """The state that each node will have in the store, by id. Raises InputError if two nodes have the same id."""
    nodes = list(nodes)
    if twice := sorted(node_id for node_id, n in Counter(node.node_id for node in nodes).items() if n > 1):
        ids = ", ".join(twice[:10])
        raise InputError(
            f"ids given to more than one node: {ids}; give each row its own id",
            korean=f"여러 행이 같은 번호를 씁니다: {ids}. 행마다 다른 번호를 적어 주세요.",
        )
    return {
        node.node_id: NodeState(str(node.metadata[CONTENT_HASH]), fingerprint, node.ref_doc_id or node.node_id)
        for node in nodes
    }


def no_progress(step: str, done: int, total: int) -> None:
    """A Progress that does nothing."""


def utc_now() -> datetime:
    """The current time in UTC, the default clock of `sync`."""
    return datetime.now(UTC)


def sync(
    store: PassageStore,
    nodes: Sequence[TextNode],
    embed_model: BaseEmbedding | None,
    *,
    is_kept: Callable[[str], bool] | None = None,
    progress: Progress = no_progress,
    clock: Callable[[], datetime] = utc_now,
) -> SyncReport:
    """Make `store` contain exactly `nodes`, and the stored nodes for whose ids `is_kept` is true.

    `store`: open for writing, with the manifest of `embed_model` (None: no vectors). Raises InputError for duplicate ids and
    ModelError for unusable vectors; batches written before the error stay.
    """
    started = clock()
    manifest = store.manifest
    states = store.states()
    # States include the fingerprint, so that every node is embedded again by another model.
    todo = plan(target_states(nodes, manifest.fingerprint), states, is_kept)
    by_id = {node.node_id: node for node in nodes}
    for start in range(0, len(todo.add), BATCH):
        batch = [by_id[node_id] for node_id in todo.add[start : start + BATCH]]
        vectors = embed_nodes(embed_model, batch, dimension=manifest.dimension) if embed_model else [None] * len(batch)
        stamps = {FINGERPRINT: manifest.fingerprint, INDEXED_AT: clock().isoformat(timespec="seconds")}
        # Copies, because the caller's nodes must not change.
        store.add(
            [
                node.model_copy(update={"embedding": vector, "metadata": node.metadata | stamps})
                for node, vector in zip(batch, vectors, strict=True)
            ]
        )
        progress("embed", start + len(batch), len(todo.add))
    # Deleted last, so that old nodes answer until the new ones are stored.
    if todo.delete:
        store.delete_nodes(list(todo.delete))
        progress("delete", len(todo.delete), len(todo.delete))
    return _report(todo, states, (clock() - started).total_seconds())


def preview(
    store: PassageStore, nodes: Sequence[TextNode], *, is_kept: Callable[[str], bool] | None = None
) -> SyncReport:
    """What `sync` would change. Writes nothing. Raises InputError for duplicate ids."""
    states = store.states()
    return _report(plan(target_states(nodes, store.manifest.fingerprint), states, is_kept), states, 0.0)


def _report(done: Plan, states: Mapping[str, NodeState], seconds: float) -> SyncReport:
    updated = sum(node_id in states for node_id in done.add)
    ids = {
        "added": [node_id for node_id in done.add if node_id not in states],
        "updated": [node_id for node_id in done.add if node_id in states],
        "deleted": list(done.delete),
    }
    return SyncReport(len(done.add) - updated, updated, len(done.keep), len(done.delete), seconds, ids)
