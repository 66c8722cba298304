"""FAQ rows to nodes: one node a phrasing, or several when question and answer together exceed the embedder's window.

Also what a node's vector is made of: its views and their weights. Pure functions; no model, no store.
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
from rag.ingestion.messages import defect
from rag.ingestion.readers import FaqRow
from rag.korean import sentences
from rag.stores.base import CONTENT_HASH, FINGERPRINT, INDEXED_AT, PHRASING, QUESTION
from rag.vectors import unit_vectors

VIEW_WEIGHTS = (0.3, 0.7)
"""Weights of a node's views, in the order of `views`. They are part of the content hash: changing them re-embeds."""

_BOOKKEEPING = [CONTENT_HASH, FINGERPRINT, INDEXED_AT]
_METADATA_FIELDS = tuple(name for name in FIELDS if name not in ("id", "answer", "alternatives"))
_SPACES = re.compile(r"\s+")


def nodes(row: FaqRow, *, token_count: Callable[[str], int], max_tokens: int) -> list[TextNode]:
    """The row's nodes: `<id>` alone, or `<id>#0`, `<id>#1` … whose texts joined are the answer exactly.

    The same once more for each of its further phrasings, as `<id>?1` or `<id>?1#0` …: each is searched by a vector and
    tokens of its own, and says by its document what row it is.

    `token_count` counts a text as the embedder does, special tokens included; `max_tokens` is its window. No node's
    question and text together exceed it. Raises RowErrors when a question alone takes more than half of it.
    """
    made: list[TextNode] = []
    for number, question in enumerate((row.question, *row.alternatives)):
        # Every piece repeats the question; with more than half of the window gone, the pieces would be crumbs.
        if token_count(question) * 2 > max_tokens:
            column, kind = ("alternatives", "phrasing_too_long") if number else (QUESTION, "question_too_long")
            raise RowErrors([defect(row.file, row.row, column, kind, window=max_tokens)])

        def fits(start: int, end: int, question: str = question) -> bool:
            return token_count(_joined(question, row.answer[start:end])) <= max_tokens

        # The answer alone is cut: pieces overlap nowhere, so that joined they are the approved text again.
        pieces = list(split(row.answer, fits))
        name, own = (f"{row.id}?{number}", {PHRASING: question}) if number else (row.id, {})
        # No number behind the id: a row that is not split is found under the id of its file.
        names = [name] if len(pieces) == 1 else [f"{name}#{piece}" for piece in range(len(pieces))]
        made += [_node(row, node_id, *piece, own) for node_id, piece in zip(names, pieces, strict=True)]
    return made


def split(text: str, fits: Callable[[int, int], bool]) -> Iterator[tuple[int, int]]:
    """(start, end) offsets of the longest pieces that fit, cut after sentences, else after spaces, else anywhere."""
    if fits(0, len(text)):
        yield 0, len(text)
        return
    boundaries: tuple[Sequence[int], ...] = (
        [end for _, end in sentences(text)],
        [match.end() for match in _SPACES.finditer(text)],
        range(len(text) + 1),
    )
    start = 0
    while start < len(text):
        ends = (_furthest(candidates, start, fits) for candidates in boundaries)
        # A single character that does not fit is given all the same: there is nothing left to cut.
        end = next(filter(None, ends), start + 1)
        yield start, end
        start = end


def views(node: TextNode) -> tuple[str, ...]:
    """The texts whose vectors, weighted with VIEW_WEIGHTS, make the node's vector."""
    question = str(node.metadata.get(PHRASING) or node.metadata[QUESTION])
    return question, _joined(question, node.text)


def combine(vectors: Sequence[Sequence[float]], weights: Sequence[float] = VIEW_WEIGHTS) -> list[float]:
    """The weighted sum [dimension] of `vectors` [views][dimension], each first brought to length 1, itself of length 1.

    Raises ModelError where the vectors, or their sum, have no direction.
    """
    fix = "check the embedding model"
    # Each at length 1 first: else the longer vector would count for more than its weight.
    units = unit_vectors(vectors, source="the views of one text", error=ModelError, fix=fix, count=len(weights))
    total = np.asarray(weights) @ units
    # Opposite vectors cancel each other out, which leaves none to bring to unit length.
    (combined,) = unit_vectors([total], source="the views of one text, summed", error=ModelError, fix=fix)
    return [float(value) for value in combined]


def content_hash(node: TextNode) -> str:
    """A SHA-256 of what decides whether a stored node is up to date; independent of files, rows, times and column order."""
    metadata = {name: value for name, value in node.metadata.items() if name not in _BOOKKEEPING}
    # Offsets too: two pieces may have the same text.
    content = [node.text, metadata, node.start_char_idx, node.end_char_idx, VIEW_WEIGHTS]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _node(row: FaqRow, node_id: str, start: int, end: int, further: Mapping[str, str]) -> TextNode:
    metadata: dict[str, Any] = {name: getattr(row, name) for name in _METADATA_FIELDS if getattr(row, name)}
    node = TextNode(
        id_=node_id,
        text=row.answer[start:end],
        metadata=metadata | dict(row.extra) | dict(further),
        start_char_idx=start,
        end_char_idx=end,
        excluded_embed_metadata_keys=_BOOKKEEPING,
        excluded_llm_metadata_keys=[*_BOOKKEEPING, *further],
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=row.id)},
    )
    node.metadata[CONTENT_HASH] = content_hash(node)
    return node


def _joined(question: str, text: str) -> str:
    return f"{question}\n{text}"


def _furthest(ends: Sequence[int], start: int, fits: Callable[[int, int], bool]) -> int | None:
    """The last of the sorted `ends` after `start` up to which the text fits, by doubling, then halving; or None."""
    first = bisect_right(ends, start)
    # Counting tokens is what takes time: so few counts, though each of a longer text.
    good, step = first - 1, 1
    while good + step < len(ends) and fits(start, ends[good + step]):
        good += step
        step *= 2
    bad = min(good + step, len(ends))
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(start, ends[middle]) else (good, middle)
    return ends[good] if good >= first else None
