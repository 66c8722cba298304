"""Finds the sentence of a row whose embedding is nearest to a message.

Words alone do not relate "할부 아직 남았는데" to "할부 잔액이 있는 차량은 …", or "늦어지면 이자 줘요?" to "지연이자를 더하여
드립니다". A short message is no nearer to one text than to another by the value of its cosine alone; so the first sentence must
be ahead of the second, too. Measurements: docs/evaluation-log.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import ModelError
from rag.retries import CircuitBreaker
from rag.retrieval.confidence import Calibration
from rag.retrieval.hybrid import DENSE

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding

Similarities = Callable[[str, Sequence[str]], Sequence[float]]
"""The similarity of a message to each of some texts, in standard deviations of the index's own scale; none without embeddings."""
NEAR, FAR = -2.0, -3.5
"""Similarity from which on a sentence may be meant; one that states what is asked by its words, FAR. They are below 0: a row's
question is more similar to a message on the row."""
AHEAD = 1.0
"""Difference to the second sentence from which on the first is meant."""
AHEAD_OF_FEW, FAR_AHEAD = 0.4, 2.2
"""The same between sentences that all state what is asked by their words, and for one that shares no word with the message. All
four are set on `dev`, on four small FAQs and on 45 messages written for them, AHEAD once more with the adapter."""

logger = logging.getLogger(__name__)


def no_similarities(_message: str, _texts: Sequence[str]) -> Sequence[float]:
    """The `Similarities` without an embedding model."""
    return ()


def similarities_of(
    embed_model: BaseEmbedding | None, calibration: Calibration, breaker: CircuitBreaker | None
) -> Similarities:
    """The `Similarities` of an embedding model: one call for the message and one for all texts; none where a call fails."""
    scale = calibration.fusion.scales.get(DENSE)
    if embed_model is None or scale is None:
        return no_similarities

    def similarities(message: str, texts: Sequence[str]) -> Sequence[float]:
        if len(texts) < 2:
            return ()
        try:
            with breaker.call() if breaker else nullcontext():
                question = np.array(embed_model.get_query_embedding(message))
                vectors = np.array(embed_model.get_text_embedding_batch(list(texts)))
        except ModelError as exc:
            logger.warning("embedding failed; comparing sentences by their words only: %s", exc)
            return ()
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(question)
        return [float(each) for each in (vectors @ question / lengths - scale.mean) / scale.std]

    return similarities


def nearest(similarities: Sequence[float], *, ahead: float = AHEAD, least: float = NEAR) -> int | None:
    """The place of the most similar text; None unless its similarity is at least `least` and `ahead` of all others."""
    if not similarities:
        return None
    first = max(range(len(similarities)), key=similarities.__getitem__)
    others = [each for place, each in enumerate(similarities) if place != first]
    is_ahead = not others or similarities[first] - max(others) >= ahead
    return first if similarities[first] >= least and is_ahead else None
