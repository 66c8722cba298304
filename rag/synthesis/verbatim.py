"""What is said about the passages found. Without a language model: the approved text, word for word, with its citation."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from typing import Any

from llama_index.core.base.response.schema import RESPONSE_TYPE, AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.llms.mock import MockLLM
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import NodeWithScore, QueryType

from rag.korean import sentences
from rag.retrieval.confidence import JudgedNode
from rag.synthesis import texts as prompts


class VerbatimSynthesizer(BaseSynthesizer):
    """Quotes the row the confidence step chose, or one row of each institution where they match equally.

    Nothing is rephrased. `[n]` is the n-th node given. Suggested nodes get the one sentence that asks which is meant.
    """

    def __init__(self, *, streaming: bool = False, empty_response: str | None = None) -> None:
        # MockLLM: BaseSynthesizer would otherwise reach for OpenAI. It is never called.
        super().__init__(
            llm=MockLLM(), streaming=streaming, empty_response=empty_response or prompts.declined("not_covered")
        )

    def synthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """Response, or StreamingResponse whose pieces joined are the same text; `source_nodes` are `nodes`."""
        text = verbatim(nodes) if nodes else self._empty_response
        sources = [*nodes, *(additional_source_nodes or ())]
        metadata = {node.node.node_id: node.node.metadata for node in sources}
        if self._streaming:
            return StreamingResponse(response_gen=pieces(text), source_nodes=sources, metadata=metadata)
        return Response(text, source_nodes=sources, metadata=metadata)

    async def asynthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """As `synthesize`, which does no I/O; streaming gives an AsyncStreamingResponse, as async callers expect."""
        response = self.synthesize(query, nodes, additional_source_nodes, **response_kwargs)
        if not isinstance(response, StreamingResponse):
            return response
        return AsyncStreamingResponse(_async(response.response_gen), response.source_nodes, response.metadata)

    def get_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        """The first chunk as it is, for callers that hold texts rather than nodes."""
        return f"{text_chunks[0]} [1]" if text_chunks else self._empty_response

    async def aget_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        return self.get_response(query_str, text_chunks, **response_kwargs)

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts: dict[str, Any]) -> None:
        """There is nothing to change: approved texts are not templates."""


def verbatim(nodes: Sequence[NodeWithScore]) -> str:
    """The answer's text over judged nodes: the quoted ones, each followed by its citation."""
    if isinstance(nodes[0], JudgedNode) and nodes[0].status == "suggested":
        return prompts.SUGGESTED
    chosen = quoted(nodes)
    if len(chosen) == 1:
        hit = nodes[chosen[0] - 1]
        return f"{hit.node.get_content()} [{chosen[0]}]"
    parts = [
        f"{nodes[number - 1].node.metadata.get('bank', '')}\n{nodes[number - 1].node.get_content()} [{number}]"
        for number in chosen
    ]
    return "\n\n".join([prompts.SEVERAL_BANKS, *parts])


def quoted(nodes: Sequence[NodeWithScore]) -> tuple[int, ...]:
    """The numbers, from 1, of the nodes that `verbatim` quotes; of nodes that were not judged, all."""
    return tuple(number for number, hit in enumerate(nodes, 1) if not isinstance(hit, JudgedNode) or hit.quoted)


def pieces(text: str) -> Generator[str, None, None]:
    """The text sentence by sentence; joined, it is the text itself."""
    for start, end in sentences(text):
        yield text[start:end]


async def _async(texts: Iterable[str]) -> AsyncGenerator[str, None]:
    for text in texts:
        yield text
