"""RowSearch: one text to the rows it finds and the outcome they make, whatever was said before.

A text is searched as it is, in Korean where it holds English words of banking, with misspelled words as the rows spell them,
and without the name of the institution it is limited to: the likelier outcome counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from llama_index.core.schema import QueryBundle

from rag.constraints.contrasts import mentions_of
from rag.conversation.customers_words import in_the_customers_words
from rag.conversation.suggestions import as_suggestions, merge_as_suggestions, suggest_by_words
from rag.conversation.word_rules import content_words, nouns, says
from rag.korean import compact
from rag.retries import CircuitBreaker
from rag.retrieval.confidence import (
    Calibration,
    JudgedNode,
    Verdict,
    answering_row,
    judge,
    lexical_only_calibration,
)
from rag.retrieval.hybrid import FusedNode, HybridRetriever, Retrieved
from rag.retrieval.offering import Wording
from rag.retrieval.query_analysis import BANK, NamedBanks, expand, in_korean, limit_to_bank, named_banks
from rag.retrieval.ranking import COMPARED
from rag.retrieval.rows import bank_of, is_passage, matched_question, question_of, row_id
from rag.retrieval.spelling import respelled
from rag.stores.base import TOKENS, PassageStore
from rag.stores.filters import day_in_force, metadata_filters
from rag.types import Filters

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding

DEPTH = 20
"""Rows retrieved for the confidence step, however many are shown, and as many passages: by documents no row is pushed out."""
_PUNCTUATION = re.compile(r"[\s?!.,~]+")


class RowSearch:
    """Searches one store for one question. The arguments are those of `rag.conversation.searcher.Searcher`."""

    def __init__(
        self,
        store: PassageStore,
        embed_model: BaseEmbedding | None,
        calibration: Calibration,
        *,
        breaker: CircuitBreaker | None = None,
        top_k: int = 5,
        candidates: int = 50,
        institutions: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._store = store
        self._embed_model = embed_model
        self._calibration = calibration
        self._breaker = breaker
        self._top_k = top_k
        self._candidates = candidates
        self._institutions = institutions or {}
        self._verdicts: dict[tuple[object, ...], Verdict] = {}

    @property
    def unheld(self) -> Collection[str]:
        """The lexicon's terms that no row of the index holds."""
        return self._calibration.unheld

    @cached_property
    def banks(self) -> list[str]:
        """The institutions of the rows."""
        # Nearly every step asks for them, and on a server each reading would be a round trip of its own.
        return [bank for bank in self._store.values(BANK) if bank]

    def named(self, text: str) -> NamedBanks:
        """What a text says of institutions."""
        return named_banks(text, self.banks, self._institutions)

    def limited(self, text: str, filters: Filters) -> Filters:
        """The filters, limited to the institution a text names, unless one was chosen already."""
        return limit_to_bank(filters, text, self.banks, self._institutions)

    def hits(self, text: str, filters: Filters | None = None) -> list[FusedNode]:
        """The rows of one text, best first, DEPTH at most of each kind: for measuring and fitting. Raises ModelError where the
        embedding fails, for a lexical search would spoil both."""
        filters = self.limited(text, filters or Filters())
        return _nearest(self.retrieved(self.reading(text), filters, lexical_fallback=False).hits)

    def reading(self, text: str) -> str:
        """The text without the name of the institution that it limits a search to, unless nothing else is left."""
        named = self.named(text)
        return (named.rest or text) if len(named.chosen) == 1 else text

    def search(self, text: str, filters: Filters) -> Verdict:
        """The rows of one text and their outcome, whatever was said before.

        The name of the institution that the search is limited to, or that the settings alone name, counts against rows that do
        not hold it, and for those that hold it beside another subject: so the text is searched without it, too, and the
        likelier outcome counts.
        """
        # Limited again: a rewrite or an earlier question in context may name an institution that the message does not.
        filters = self.limited(text, filters)
        # Several readings of a message, and several steps, search the same text.
        key = (text, *sorted(filters.equals.items()), filters.as_of)
        if key not in self._verdicts:
            self._verdicts[key] = self._search(text, filters)
        return self._verdicts[key]

    def _search(self, text: str, filters: Filters) -> Verdict:
        """The likeliest outcome of the text's forms: as it is, in Korean, spelled as the rows do, without the institution."""
        named = self.named(text)
        excluded = () if BANK in filters.equals else named.excluded
        verdict = self._search_form(text, filters, excluded)
        if verdict.status != "answered" and (korean := in_korean(text)) != text:
            verdict = max(verdict, self._search_form(korean, filters, excluded), key=_by_outcome)
        if verdict.status != "answered" and (right := self._respelled(text, verdict)) != text:
            verdict = max(verdict, self._search_form(right, filters, excluded), key=_by_outcome)
        if (BANK in filters.equals or len(named.chosen) == 1) and named.rest not in ("", text):
            verdict = max(verdict, self._search_form(named.rest, filters, excluded), key=_by_outcome)
        note = in_the_customers_words(verdict.note, text) if verdict.note else None
        return replace(verdict, query=text, names_banks=len(self.banks) > 1, note=note)

    def search_at(self, bank: str, text: str, filters: Filters) -> Verdict:
        """The search of a text; of `bank` alone, unless empty, where that finds as much.

        A customer names the institution once. What is answered by either search alone is only suggested, unless `bank` has no
        rows of the answer's category.
        """
        there = self.search(text, replace(filters, equals={**filters.equals, BANK: bank})) if bank else None
        everywhere = self.search(text, filters)
        if not there or everywhere.status == "declined":
            return everywhere
        if there.status == "declined":
            matters = {hit.node.metadata.get("category") for hit in there.ranked} - {None}
            is_its_matter = everywhere.nodes[0].node.metadata.get("category") in matters
            return as_suggestions(everywhere) if is_its_matter and everywhere.status == "answered" else everywhere
        if there.status == everywhere.status:
            return there
        return as_suggestions(there) if there.status == "answered" else merge_as_suggestions(there, everywhere)

    def bank_of(self, messages: Sequence[str]) -> str:
        """The institution of the index that the last message naming any named; empty where it named several or another."""
        for message in reversed(messages):
            named = self.named(message)
            if named.chosen or named.others:
                return named.chosen[0] if len(named.chosen) == 1 and named.chosen[0] in self.banks else ""
        return ""

    def own_match(self, question: str, contextual: Verdict, filters: Filters) -> float:
        """How much of the message's own words the contextual reading's first row covers, 0..1."""
        words = " ".join(content_words(question))
        if not words or not contextual.ranked:
            return 0.0
        first = contextual.ranked[0].node
        # Limited to the row's own topic, so that in a large index it is among the candidates.
        keys = {key: str(first.metadata[key]) for key in (BANK, "category") if first.metadata.get(key)}
        candidates = self._store.candidates(
            query_embedding=None,
            query_str=expand(words, without=self.unheld),
            size=self._candidates,
            filters=metadata_filters(replace(filters, equals={**filters.equals, **keys})),
        )
        row = row_id(contextual.ranked[0])
        covered = candidates.lexical.get(TOKENS, {})
        return max((score for node, score in covered.items() if candidates.documents[node] == row), default=0.0)

    def retrieved(self, text: str, filters: Filters, *, lexical_fallback: bool = True) -> Retrieved:
        """All that the store finds for a text, with nothing decided. `lexical_fallback`: as `Verdict.lexical_only`."""
        retriever = HybridRetriever(
            self._store,
            self._embed_model,
            fusion=self._calibration.fusion,
            lexical_only_fusion=lexical_only_calibration(self._calibration).fusion if lexical_fallback else None,
            # Measuring must see each failure: a breaker's answer in its place would be a search without the embedding.
            breaker=self._breaker if lexical_fallback else None,
            top_k=2 * DEPTH,
            candidates=self._candidates,
            filters=metadata_filters(filters),
            unheld=self.unheld,
        )
        retriever.retrieve(QueryBundle(text))
        assert retriever.retrieved
        return retriever.retrieved

    def answering_rows(self, found: Retrieved, banks: Iterable[str], filters: Filters) -> list[JudgedNode]:
        """For each of the institutions the row of an FAQ that answers its customer, judged among its rows found, if one does."""
        wording, today = self._wording(found.text), day_in_force(filters)
        best = (
            answering_row(found.text, found.hits_at(bank), self._calibration, wording=wording, today=today)
            for bank in banks
        )
        # A row of none holds for each: it is no answer of this one.
        return [hit for hit in best if hit and bank_of(hit) and not is_passage(hit)]

    def _search_form(self, text: str, filters: Filters, excluded: Sequence[str]) -> Verdict:
        """One form of a text, retrieved and judged, without the rows of the institutions `excluded`."""
        retrieved = self.retrieved(text, filters)
        hits = [hit for hit in _nearest(retrieved.hits) if bank_of(hit) not in excluded]
        wording = self._wording(text)
        verdict = judge(text, hits, self._calibration, top_k=self._top_k, wording=wording, today=day_in_force(filters))
        verdict = replace(verdict, lexical_only=retrieved.lexical_only, retrieved=retrieved)
        verdict = prefer_same_question(verdict, text)
        return suggest_by_words(verdict, wording.words) if verdict.status == "declined" else verdict

    def _wording(self, text: str) -> Wording:
        # An institution's name is in no row's question: what it is asked about decides.
        return Wording(content_words(self.named(text).rest), says(text, "banking word"), self.unheld)

    def _respelled(self, text: str, verdict: Verdict) -> str:
        """The text with misspelled nouns as the rows found spell them."""
        words = nouns(text)
        known = [word for word in words if expand(word, without=self.unheld) != word or mentions_of(word)]
        rows = verdict.ranked[:COMPARED]
        return respelled(text, words, [f"{question_of(hit)}\n{hit.node.get_content()}" for hit in rows], known)


def _by_outcome(verdict: Verdict) -> tuple[bool, float, float]:
    return verdict.status != "declined", verdict.confidence, verdict.covered


def _nearest(hits: Sequence[FusedNode]) -> list[FusedNode]:
    """The first DEPTH rows and the first DEPTH passages, in their order."""
    kept: dict[bool, list[FusedNode]] = {True: [], False: []}
    for hit in hits:
        kept[is_passage(hit)].append(hit)
    places = {id(hit) for of_kind in kept.values() for hit in of_kind[:DEPTH]}
    return [hit for hit in hits if id(hit) in places]


def is_same_question(question: str, hit: JudgedNode) -> bool:
    """Whether a row's question, or the phrasing of it that was found, is this one, but for spaces, punctuation and case."""
    own = {_letters(text) for text in (question_of(hit), matched_question(hit))}
    return _letters(question) in own - {""}


@lru_cache(maxsize=4096)
def _letters(text: str) -> str:
    return _PUNCTUATION.sub("", compact(text))


def prefer_same_question(verdict: Verdict, question: str) -> Verdict:
    """The verdict answered by the rows that ask the same word for word, one of each institution; else as it is."""
    same: dict[str, JudgedNode] = {}
    for hit in verdict.ranked:
        if is_same_question(question, hit):
            same.setdefault(bank_of(hit), hit)
    # What the ranking already puts first is left as it is, its score included.
    if not same or (verdict.status == "answered" and is_same_question(question, verdict.nodes[0])):
        return verdict
    chosen = {row_id(hit) for hit in same.values()}
    quoted = tuple(hit.judged("answered", quoted=True) for hit in same.values())
    others = tuple(hit.judged("answered") for hit in verdict.ranked if row_id(hit) not in chosen)
    # What another row lacks, this one is no less an answer for.
    return replace(
        verdict, status="answered", reason=None, nodes=quoted, ranked=(*quoted, *others), note=None, conflicts=()
    )
