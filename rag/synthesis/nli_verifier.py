"""NliVerifier: the rules decide first; a natural language inference (NLI) model is the second opinion on their verdict.

The model cannot release a number, a date or a name that the rules withhold. Of what they withhold because of its wording
(words, polarity, conditions) it releases, marked, what a passage entails; of what they support it withholds what a passage
contradicts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from rag.errors import ModelError, ModelPaused
from rag.models.circuit_breaker import CircuitBreaker
from rag.synthesis.passage_clauses import Finding
from rag.synthesis.prompt_builder import MARKER
from rag.synthesis.verification import RuleVerifier, Verifier

logger = logging.getLogger(__name__)
PREMISE_CHARACTERS = 400
"""Characters of a premise: with the sentence some 300 tokens, and the models at hand read 512."""
OF_WORDING = ("words", "polarity", "condition")
"""Reasons of the rules that a model may overrule."""


class NliModel(Protocol):
    """Anything that tells how probably a premise entails or contradicts a hypothesis."""

    def scores(self, pairs: Sequence[tuple[str, str]]) -> Sequence[Mapping[str, float]]:
        """For each (premise, hypothesis) the probabilities of at least "entailment" and "contradiction". Raises ModelError."""
        ...


class NliVerifier:
    """The rules and `model`. Thread-safe if the model is.

    `entailed`: probability, 0..1, from which a sentence withheld for its wording is released, marked as weak.
    `contradicted`: probability from which a sentence that the rules support is withheld, unless a passage entails it more
    probably. While the model fails, the verdict is that of the rules.
    """

    def __init__(
        self,
        model: NliModel,
        *,
        entailed: float = 0.9,
        contradicted: float = 0.5,
        rules: Verifier | None = None,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._model = model
        self._entailed = entailed
        self._contradicted = contradicted
        self._rules = rules or RuleVerifier()
        self._breaker = breaker or CircuitBreaker("the NLI endpoint")

    def prepare(self, passages: Sequence[str]) -> None:
        """The rules' preparation; the model needs none."""
        self._rules.prepare(passages)

    def verify(self, sentence: str, passages: Sequence[str]) -> Finding:
        """The rules' finding, or the model's where it overrules them (`contradicted` as its reason, if it withholds)."""
        finding = self._rules.verify(sentence, passages)
        is_withheld = finding.status == "withheld"
        if is_withheld and finding.reason not in OF_WORDING:
            return finding
        hypothesis = MARKER.sub(" ", sentence).strip()
        pairs = [(premise, hypothesis) for passage in passages for premise in premises(passage)]
        try:
            with self._breaker.call():
                scores = self._model.scores(pairs)
        except ModelError as exc:
            if not isinstance(exc, ModelPaused):
                logger.warning("the rules alone decide on a sentence: %s", exc)
            return finding
        # A passage says many things: what one part of it entails, other parts may seem to contradict.
        entailed = max((each["entailment"] for each in scores), default=0.0)
        contradicted = max((each["contradiction"] for each in scores), default=0.0)
        if is_withheld:
            return Finding("weak", finding.reason, finding.detail) if entailed >= self._entailed else finding
        if contradicted >= self._contradicted and contradicted > entailed:
            return Finding("withheld", "contradicted", hypothesis)
        return finding


def premises(passage: str) -> Iterator[str]:
    """A passage in parts of whole lines that fit a model's window, each below its institution and title."""
    lines = [line for line in passage.split("\n") if line.strip()]
    part = head = "\n".join(lines[:2])
    for line in lines[2:]:
        if part != head and len(part) + len(line) > PREMISE_CHARACTERS:
            yield part
            part = head
        part += f"\n{line}"
    yield part
