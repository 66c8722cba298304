"""Converts FAQ rows to nodes: one for each phrasing, or several if question and answer exceed the embedder's window.

Also defines which texts a node's vector is computed from. Pure functions without a model or a store.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

from rag.errors import ModelError, RowErrors
from rag.ingestion.columns import FIELDS
from rag.ingestion.faq_row import FaqRow
from rag.ingestion.messages import defect
from rag.korean import sentences
from rag.stores.base import CONTENT_HASH, FINGERPRINT, INDEXED_AT, PHRASING, QUESTION
from rag.vectors import unit_vectors

TEXT_WEIGHTS = (0.3, 0.7)
"""Weights of the vectors of `embedded_texts`, in their order. Part of the content hash: a change re-embeds all nodes."""

_BOOKKEEPING = [CONTENT_HASH, FINGERPRINT, INDEXED_AT]
_METADATA_FIELDS = tuple(name for name in FIELDS if name not in ("id", "answer", "alternatives"))
_SPACES = re.compile(r"\s+")
_NUMBERS_AND_CHARACTERS = re.compile(r"\d[\d.,]*(?:%p|\D)?|\D")  # a number with the first character of its unit


def nodes(row: FaqRow, *, token_count: Callable[[str], int], max_tokens: int) -> list[TextNode]:
    """The row's nodes: `<id>`, or `<id>#0`, `<id>#1` … whose joined texts are exactly the answer.

    Each further phrasing has nodes too (`<id>?1`, or `<id>?1#0` …) with its own vector and tokens; `ref_doc_id` is the row's
    id for all of them.

    `token_count`: counts tokens as the embedder does, special tokens included. `max_tokens`: the embedder's window, which
    question and text of a node do not exceed together. Raises RowErrors if a question takes more than half of it.
    """
    result: list[TextNode] = []
    for number, question in enumerate((row.question, *row.alternatives)):
        # Each piece repeats the question; a longer one would leave too little of the window for the answer.
        if token_count(question) * 2 > max_tokens:
            column, kind = ("alternatives", "phrasing_too_long") if number else (QUESTION, "question_too_long")
            raise RowErrors([defect(row.file, row.row, column, kind, window=max_tokens)])

        def fits(start: int, end: int, question: str = question) -> bool:
            return token_count(_with_question(question, row.answer[start:end])) <= max_tokens

        # Pieces of the answer do not overlap, so that joining them gives the approved text.
        pieces = list(split(row.answer, fits))
        name, phrasing_metadata = (f"{row.id}?{number}", {PHRASING: question}) if number else (row.id, {})
        # A row that is not split keeps the id of its file.
        names = [name] if len(pieces) == 1 else [f"{name}#{piece}" for piece in range(len(pieces))]
        result += [_node(row, node_id, *piece, phrasing_metadata) for node_id, piece in zip(names, pieces, strict=True)]
    return result


def split(text: str, fits: Callable[[int, int], bool]) -> Iterator[tuple[int, int]]:
    """(start, end) offsets of the longest pieces that fit, split after sentences if possible, else after spaces.

    A text without spaces is split outside numbers if possible, else anywhere.

    `fits(start, end)`: whether a piece is short enough.
    """
    if fits(0, len(text)):
        yield 0, len(text)
        return
    boundaries: tuple[Sequence[int], ...] = (
        [end for _, end in sentences(text)],
        [match.end() for match in _SPACES.finditer(text)],
        [match.end() for match in _NUMBERS_AND_CHARACTERS.finditer(text)],
        range(len(text) + 1),
    )
    start = 0
    while start < len(text):
        ends = (_last_fitting(candidates, start, fits) for candidates in boundaries)
        # A single character is yielded even if it does not fit, because it cannot be split.
        end = next(filter(None, ends), start + 1)
        yield start, end
        start = end


def embedded_texts(node: TextNode) -> tuple[str, ...]:
    """The texts that are embedded for a node: its question, and question and text. `combine_vectors` combines their vectors."""
    question = str(node.metadata.get(PHRASING) or node.metadata[QUESTION])
    return question, _with_question(question, node.text)


def combine_vectors(vectors: Sequence[Sequence[float]], weights: Sequence[float] = TEXT_WEIGHTS) -> list[float]:
    """The weighted sum [dimension] of the unit vectors of `vectors` [weights][dimension], scaled to length 1.

    Raises ModelError if a vector or the sum is zero or not finite.
    """
    fix = "check the embedding model"
    # Scaled before summing, because a longer vector would count for more than its weight.
    units = unit_vectors(vectors, source="the vectors of one node", error=ModelError, fix=fix, count=len(weights))
    total = np.asarray(weights) @ units
    # Opposite vectors may add up to zero, which cannot be scaled.
    (combined,) = unit_vectors([total], source="the vectors of one node, summed", error=ModelError, fix=fix)
    return [float(value) for value in combined]


def content_hash(node: TextNode) -> str:
    """SHA-256 of a node's text and metadata, by which `sync` sees whether a stored node is up to date.

    Does not depend on the file, the row number, the time or the order of columns.
    """
    metadata = {name: value for name, value in node.metadata.items() if name not in _BOOKKEEPING}
    # With the offsets, because two pieces may have the same text.
    content = [node.text, metadata, node.start_char_idx, node.end_char_idx, TEXT_WEIGHTS]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _node(row: FaqRow, node_id: str, start: int, end: int, phrasing_metadata: Mapping[str, str]) -> TextNode:
    metadata: dict[str, Any] = {name: getattr(row, name) for name in _METADATA_FIELDS if getattr(row, name)}
    node = TextNode(
        id_=node_id,
        text=row.answer[start:end],
        metadata=metadata | dict(row.extra) | dict(phrasing_metadata),
        start_char_idx=start,
        end_char_idx=end,
        excluded_embed_metadata_keys=_BOOKKEEPING,
        excluded_llm_metadata_keys=[*_BOOKKEEPING, *phrasing_metadata],
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=row.id)},
    )
    node.metadata[CONTENT_HASH] = content_hash(node)
    return node


def _with_question(question: str, text: str) -> str:
    return f"{question}\n{text}"


def _last_fitting(ends: Sequence[int], start: int, fits: Callable[[int, int], bool]) -> int | None:
    """The last of the sorted `ends` after `start` up to which the text fits, or None. Exponential, then binary search."""
    first = bisect_right(ends, start)
    # Searched with few calls of `fits`, because counting tokens is slow.
    fitting, step = first - 1, 1
    while fitting + step < len(ends) and fits(start, ends[fitting + step]):
        fitting += step
        step *= 2
    too_far = min(fitting + step, len(ends))
    while too_far - fitting > 1:
        middle = (fitting + too_far) // 2
        fitting, too_far = (middle, too_far) if fits(start, ends[middle]) else (fitting, middle)
    return ends[fitting] if fitting >= first else None
