"""Does a passage state what a sentence says? The checks a model's sentence has to pass before it is released.

In order: quantities, institutions, products and means, words that allow no exception, polarity, words that no passage holds.
Conservative where a wrong number would hurt, and pure: patterns and sets, no models. A `Verifier` of another kind (an NLI
endpoint, a judge model) can stand behind the rules: a sentence is released when all of them support it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from rag.korean import compact
from rag.synthesis.content_words import ContentWord, content_words
from rag.synthesis.entity_check import check_absolutes, check_contrasts, check_institutions
from rag.synthesis.exclusive_check import check_exclusive
from rag.synthesis.passage_clauses import SUPPORTED, Finding, Sources, closeness, prepare, quantities_of
from rag.synthesis.polarity_check import check_dropped_condition, check_polarity, is_negative
from rag.synthesis.prompt_builder import MARKER
from rag.synthesis.quantity_check import check_opposites, check_quantities
from rag.synthesis.spoken import written_form

COVERED = 0.75
"""Share of a sentence's content words that its passages must hold; fitted on data/evaluation/claims.dev.jsonl."""
WORDED_SO = 0.7
"""Share of syllable pairs in common, where a sentence has no word of its own: "앱에서 신청하실 수 있습니다." """
CHECKS = (
    *(check_quantities, check_opposites, check_institutions, check_contrasts, check_absolutes, check_exclusive),
    *(check_dropped_condition, check_polarity),
)


class Verifier(Protocol):
    """Anything that can tell whether passages support a sentence."""

    def verify(self, sentence: str, passages: Sequence[str]) -> Finding:
        """`passages`: those the sentence cites, each with its institution and title. Raises nothing of its own."""
        ...


class RuleVerifier:
    """The checks of this module. Thread-safe; a passage is prepared once."""

    def verify(self, sentence: str, passages: Sequence[str]) -> Finding:
        """`withheld` with the first check that fails; `weak` where a noun is in other words than the passages'."""
        text = written_form(MARKER.sub(" ", sentence))
        sources = prepare(tuple(written_form(passage) for passage in passages))
        # First: no check may turn down the passage's own words, whatever they look like.
        if _is_quoted(text, sources):
            return SUPPORTED
        for check in CHECKS:
            if (finding := check(text, sources)) is not None:
                return finding
        return _coverage(text, sources)


class AllOf:
    """Several verifiers in order; the first that does not support a sentence decides."""

    def __init__(self, verifiers: Iterable[Verifier]) -> None:
        self._verifiers = tuple(verifiers)

    def verify(self, sentence: str, passages: Sequence[str]) -> Finding:
        """The first finding that is withheld; else a weak one, else supported."""
        weak = SUPPORTED
        for verifier in self._verifiers:
            finding = verifier.verify(sentence, passages)
            if finding.status == "withheld":
                return finding
            weak = finding if finding.status == "weak" else weak
        return weak


_PLACE = re.compile(r"(?:국|서|점|센터|청|법원|은행|회사|앱|카드|통장|증)$")


def _coverage(text: str, sources: Sources) -> Finding:
    words = content_words(text)
    missing: list[ContentWord] = [word for word in words if not sources.words.holds(word)]
    nouns = [word.stem for word in missing if word.is_noun]
    if not words and not quantities_of(text) and not _is_worded_so(text, sources):
        return Finding("withheld", "words", text.strip())
    if not nouns:
        return SUPPORTED
    # Where to go and what to bring must be the passage's own: nothing else in a sentence sends a customer to the wrong door.
    if places := [noun for noun in nouns if len(noun) > 2 and _PLACE.search(noun)]:
        return Finding("withheld", "entity", ", ".join(places))
    for noun in nouns:
        # "통신사 클라우드" of a passage's "금융결제원 클라우드": another thing of the kind.
        if (
            match := re.search(
                rf"{re.escape(noun)}(?:의|인)?\s([가-힣]{{2,}}?)(?:에|에서|으로|로|을|를|이|가|도|은|는)", text
            )
        ) and re.search(rf"[가-힣]{{2,}}\s{match[1]}", sources.text):
            return Finding("withheld", "entity", noun)
    covered = 1 - len(missing) / len(words)
    return Finding("withheld" if covered < COVERED else "weak", "words", ", ".join(nouns))


def _is_quoted(text: str, sources: Sources) -> bool:
    """Whether a sentence stands in the passages as it is, from one's beginning to one's end."""
    quote = compact(_EDGES.sub("", text))
    if len(quote) < 2:
        return False
    return re.search(rf"(?:^|[\n.!?]){re.escape(quote)}(?:$|[\n.!?])", sources.squeezed) is not None


_EDGES = re.compile(r"^[\s\-*•·※\d.)\[]+|[\s.\]]+$")


def _is_worded_so(text: str, sources: Sources) -> bool:
    """Whether a clause of the passages says in nearly the same words what a sentence of everyday words alone says."""
    if len(text.split()) < 3:  # "네, 가능합니다." answers a question that is not looked at here
        return False
    return any(
        closeness(text, clause) >= WORDED_SO and is_negative(clause.text) == is_negative(text)
        for clause in sources.clauses
    )
