"""The approved texts as the answer, word for word, each with its citation: what is said without a language model."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from llama_index.core.schema import NodeWithScore

from rag.korean import sentences
from rag.models.cancellation import CancelScope
from rag.retrieval.confidence import JudgedNode
from rag.synthesis import texts
from rag.synthesis.answer import AnswerStream, Outcome, PassageSynthesizer
from rag.types import Notice


class VerbatimSynthesizer(PassageSynthesizer):
    """Quotes the row the confidence step chose, or one row of each institution where they match equally.

    Nothing is rephrased. `[n]` is the n-th node given. Suggested nodes get the one sentence that asks which is meant.
    """

    def answer(self, question: str, nodes: Sequence[NodeWithScore], scope: CancelScope | None = None) -> AnswerStream:
        """The approved texts, sentence by sentence. No model is called, so that nothing takes time or is cancelled."""

        def generate(stream: AnswerStream) -> Generator[str, None, None]:
            outcome = passages(nodes)
            yield from pieces(outcome.text)
            stream.outcome = outcome

        return AnswerStream(generate)

    def get_response(self, query_str: str, text_chunks: Sequence[str], **response_kwargs: Any) -> str:
        """The first chunk as it is, for callers that hold texts rather than nodes."""
        return super().get_response(query_str, text_chunks[:1], **response_kwargs)


def passages(nodes: Sequence[NodeWithScore], notice: Notice | None = None) -> Outcome:
    """The approved texts as the answer."""
    return Outcome(verbatim(nodes), quoted(nodes), notice)


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
