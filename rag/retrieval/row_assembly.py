"""A row split into several nodes is shown whole: the approved text is never cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag.retrieval.confidence import JudgedNode
from rag.retrieval.hybrid import row_id
from rag.stores.base import PassageStore

PIECES = 64


def whole_rows(store: PassageStore, hits: Sequence[JudgedNode]) -> list[JudgedNode]:
    """The hits with the text of a split row joined again; the others as they are."""
    return [hit.model_copy(update={"node": _whole(store, hit)}) for hit in hits]


def _whole(store: PassageStore, hit: NodeWithScore) -> Any:
    row = row_id(hit)
    if hit.node.node_id == row:
        return hit.node
    texts: list[str] = []
    while pieces := store.get_nodes([f"{row}#{number}" for number in range(len(texts), len(texts) + PIECES)]):
        texts += [piece.get_content() for piece in pieces]
    assert isinstance(hit.node, TextNode)
    return hit.node.model_copy(update={"id_": row, "text": "".join(texts)})


class WholeRows(BaseNodePostprocessor):
    """`whole_rows` as a LlamaIndex node postprocessor."""

    store: Any

    @classmethod
    def class_name(cls) -> str:
        return "WholeRows"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        return list(whole_rows(self.store, [node for node in nodes if isinstance(node, JudgedNode)]))
