"""What the two synthesizers have in common: LlamaIndex's methods, sync, async and streaming, over one question and its nodes."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from typing import Any

from llama_index.core.base.response.schema import RESPONSE_TYPE, AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import NodeWithScore, QueryBundle, QueryType, TextNode


class PassageSynthesizer(BaseSynthesizer):
    """Answers from nodes as they are: `[n]` in the answer is the n-th node given, and `source_nodes` are the nodes.

    Without nodes the answer is `empty_response`. The response's metadata is the nodes' own, by node id.
    """

    @abstractmethod
    def _answer(self, question: str, nodes: Sequence[NodeWithScore]) -> tuple[str, Mapping[str, Any]]:
        """The whole answer over at least one node, and more metadata of the response."""

    @abstractmethod
    def _stream(self, question: str, nodes: Sequence[NodeWithScore]) -> Generator[str, None, None]:
        """The answer over at least one node in pieces."""

    def synthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """Response, or StreamingResponse where the synthesizer was made with `streaming`."""
        sources = [*nodes, *(additional_source_nodes or ())]
        metadata: dict[str, Any] = {node.node.node_id: node.node.metadata for node in sources}
        question = query.query_str if isinstance(query, QueryBundle) else query
        if self._streaming:
            pieces = self._stream(question, nodes) if nodes else (text for text in [self._empty_response])
            return StreamingResponse(response_gen=pieces, source_nodes=sources, metadata=metadata)
        text, more = self._answer(question, nodes) if nodes else (self._empty_response, {})
        return Response(text, source_nodes=sources, metadata={**metadata, **more})

    async def asynthesize(
        self,
        query: QueryType,
        nodes: list[NodeWithScore],
        additional_source_nodes: Sequence[NodeWithScore] | None = None,
        **response_kwargs: Any,
    ) -> RESPONSE_TYPE:
        """As `synthesize`, in a thread; streaming gives an AsyncStreamingResponse, as async callers expect."""
        response = await asyncio.to_thread(self.synthesize, query, nodes, additional_source_nodes, **response_kwargs)
        if not isinstance(response, StreamingResponse):
            return response
        return AsyncStreamingResponse(_async(response.response_gen), response.source_nodes, response.metadata)

    def get_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        """For callers that hold texts rather than nodes; `[n]` is the n-th text."""
        nodes = [NodeWithScore(node=TextNode(text=text)) for text in text_chunks]
        return self._answer(query_str, nodes)[0] if nodes else self._empty_response

    async def aget_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        return await asyncio.to_thread(self.get_response, query_str, text_chunks, **response_kwargs)

    def _get_prompts(self) -> dict[str, Any]:
        return {}

    def _update_prompts(self, prompts: dict[str, Any]) -> None:
        """Instructions and approved texts are no templates: there is nothing to fill in."""


async def _async(texts: Generator[str, None, None]) -> AsyncGenerator[str, None]:
    """Each piece is waited for in a thread. Leaving the loop closes `texts`, which ends that wait."""
    try:
        while (piece := await asyncio.to_thread(next, texts, None)) is not None:
            yield piece
    finally:
        texts.close()
