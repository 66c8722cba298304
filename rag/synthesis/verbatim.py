"""The approved texts as the answer, word for word, each with its citation: what is said without a language model."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from llama_index.core.llms.mock import MockLLM
from llama_index.core.schema import NodeWithScore

from rag.korean import sentences
from rag.retrieval.confidence import JudgedNode
from rag.synthesis import texts
from rag.synthesis.base import PassageSynthesizer


class VerbatimSynthesizer(PassageSynthesizer):
    """Quotes the row the confidence step chose, or one row of each institution where they match equally.

    Nothing is rephrased. `[n]` is the n-th node given. Suggested nodes get the one sentence that asks which is meant.
    """

    def __init__(self, *, streaming: bool = False, empty_response: str | None = None) -> None:
        # MockLLM: BaseSynthesizer would otherwise reach for OpenAI. It is never called.
        super().__init__(
            llm=MockLLM(), streaming=streaming, empty_response=empty_response or texts.declined("not_covered")
        )

    def get_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        """The first chunk as it is, for callers that hold texts rather than nodes."""
        return super().get_response(query_str, text_chunks[:1], **response_kwargs)

    def _answer(self, question: str, nodes: Sequence[NodeWithScore]) -> tuple[str, Mapping[str, Any]]:
        return verbatim(nodes), {}

    def _stream(self, question: str, nodes: Sequence[NodeWithScore]) -> Generator[str, None, None]:
        return pieces(verbatim(nodes))


def verbatim(nodes: Sequence[NodeWithScore]) -> str:
    """The answer's text over judged nodes: the quoted ones, each followed by its citation."""
    if isinstance(nodes[0], JudgedNode) and nodes[0].status == "suggested":
        return texts.SUGGESTED
    chosen = quoted(nodes)
    if len(chosen) == 1:
        hit = nodes[chosen[0] - 1]
        return f"{hit.node.get_content()} [{chosen[0]}]"
    parts = [
        f"{nodes[number - 1].node.metadata.get('bank', '')}\n{nodes[number - 1].node.get_content()} [{number}]"
        for number in chosen
    ]
    return "\n\n".join([texts.SEVERAL_BANKS, *parts])


def quoted(nodes: Sequence[NodeWithScore]) -> tuple[int, ...]:
    """The numbers, from 1, of the nodes that `verbatim` quotes; of nodes that were not judged, all."""
    return tuple(number for number, hit in enumerate(nodes, 1) if not isinstance(hit, JudgedNode) or hit.quoted)


def pieces(text: str) -> Generator[str, None, None]:
    """The text sentence by sentence; joined, it is the text itself."""
    for start, end in sentences(text):
        yield text[start:end]
