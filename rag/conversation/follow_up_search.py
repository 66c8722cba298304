"""FollowUpSearch: a message in a conversation to the reading that fits it: alone, with what it follows, or of the row just shown.

`rag.conversation.follow_up_rules` makes the readings' texts, `follow_up_choice` decides which is shown. Here they are searched,
in the order in which each may end the search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.conversation import follow_up_rules
from rag.conversation.asked_elsewhere import search_there
from rag.conversation.follow_up_choice import (
    STANDALONE_COVERED,
    STANDALONE_POSSIBLE,
    MessageSigns,
    answered_by_shown,
    answered_on_topic,
    as_offered,
    choose_reading,
    goes_on,
    has_topic,
    names_unknown,
    share_named,
    without_context,
)
from rag.conversation.follow_up_llm import rewrite_follow_up
from rag.conversation.nearest_sentence import Similarities
from rag.conversation.other_trades import OtherThing, other_thing
from rag.conversation.own_case import asks_of_case, offer_again, states_case
from rag.conversation.row_search import RowSearch
from rag.conversation.shown_rows import cited_rows, other_than_shown, rows_shown, shown_before, unless_repeated
from rag.conversation.shown_sentences import answered_by_offered, stated_by_shown
from rag.conversation.suggestions import as_suggestions, merge_as_suggestions
from rag.conversation.word_rules import content_words, nouns, plain, says
from rag.models.cancellation import CancelScope
from rag.retries import CircuitBreaker
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.query_analysis import BANK
from rag.retrieval.rows import row_id
from rag.stores.base import PassageStore
from rag.types import Filters, Turn

if TYPE_CHECKING:
    from llama_index.core.llms.llm import LLM


@dataclass(frozen=True, slots=True)
class _Message:
    """A message that follows others, and what is read off it before a search.

    `history`: the turns before, the last one at the end. `bank`: the institution of the conversation, or empty. `rejects_shown`:
    it says that the rows shown were not meant. `shown`: the rows of the last turn. `only_states_case`: it states a value of the
    customer and asks nothing.
    """

    text: str
    history: Sequence[Turn]
    filters: Filters
    bank: str
    rejects_shown: bool
    is_elliptical: bool
    has_back_reference: bool
    shown: Sequence[JudgedNode]
    only_states_case: bool

    @property
    def last(self) -> Turn:
        """The turn that it follows."""
        return self.history[-1]


class FollowUpSearch:
    """Searches for a message that follows others. `rows`: the search of a single text.

    `llm` rewrites a message within `scope`, unless `llm_breaker` is open. `new_similarities`: makes the `Similarities` by which
    the sentences of a row shown before are compared.
    """

    def __init__(
        self,
        rows: RowSearch,
        store: PassageStore,
        llm: LLM | None,
        scope: CancelScope,
        *,
        llm_breaker: CircuitBreaker | None,
        new_similarities: Callable[[], Similarities],
    ) -> None:
        self._rows = rows
        self._store = store
        self._llm = llm
        self._scope = scope
        self._llm_breaker = llm_breaker
        self._new_similarities = new_similarities

    def search(self, question: str, history: Sequence[Turn], filters: Filters, *, llm_rewrites: bool) -> Verdict:
        """The outcome of a message by the rows alone. `history`: at least one turn. `llm_rewrites`: as in `Searcher.rank`."""
        recent = [turn.question for turn in history[-follow_up_rules.MAX_TURNS :]]
        names_one = BANK in filters.equals or self._rows.named(question).others
        bank = "" if names_one else self._rows.bank_of(recent)
        typed, typed_history = question, history
        left = follow_up_rules.without_leaving(question)
        question = left or question
        question, history, rejects_shown = follow_up_rules.without_rejection(question, history)
        question = follow_up_rules.in_the_banks_words(question)
        is_new = left and _names_topic(question)
        if is_new or (follow_up_rules.stands_alone(question) and not states_case(question, history[-1].question)):
            verdict = self._rows.search_at(bank, follow_up_rules.standalone_text(question), filters)
            return unless_repeated(verdict, question, history)
        if self._llm is not None and llm_rewrites:
            rewritten = rewrite_follow_up(self._llm, typed, typed_history, self._scope, self._llm_breaker)
            # A rewrite that finds nothing may be the model's mistake: then the rules' readings are searched.
            if rewritten and (verdict := self._rows.search(rewritten, filters)).status != "declined":
                return verdict
        message = _Message(
            question,
            history,
            filters,
            bank,
            rejects_shown,
            is_elliptical=says(question, "ellipsis", "means or relation") or follow_up_rules.lacks_product(question),
            has_back_reference=says(question, "back reference"),
            shown=rows_shown(history[-1], self._store),
            only_states_case=states_case(question, history[-1].question),
        )
        return as_offered(self._fitting_reading(message), content_words(question), history[-1])

    def _fitting_reading(self, message: _Message) -> Verdict:
        """The message alone where that is enough, asked of another institution, or of the row just shown; else in context."""
        text, history, last = message.text, message.history, message.last
        standalone = self._rows.search_at(message.bank, follow_up_rules.standalone_text(text), message.filters)
        named = self._rows.named(text)
        names_bank = bool(named.chosen or named.others)
        if names_bank and says(named.rest, "same question"):
            return search_there(self._rows, named, history, message.filters, self._has_topic(message.filters))
        earlier = {row for turn in history[:-1] for row in turn.source_ids}
        if says(text, "earlier topic") and standalone.nodes and row_id(standalone.nodes[0]) in earlier:
            return standalone
        similarities = self._new_similarities()
        same = stated_by_shown(standalone, message.shown, last, text, similarities, is_elliptical=message.is_elliptical)
        if same and not (names_bank or message.rejects_shown or self._other_thing(message, same, standalone)):
            return same
        goes_back = message.is_elliptical or message.has_back_reference
        depends = goes_back or bool(message.only_states_case and message.shown) or not has_topic(text)
        if standalone.covered >= STANDALONE_COVERED and not depends:
            return unless_repeated(standalone, text, history)
        verdict = self._in_context(message, standalone, similarities)
        return self._unless_of_another(message, verdict, standalone)

    def _in_context(self, message: _Message, standalone: Verdict, similarities: Similarities) -> Verdict:
        """The message with the questions before it, weighed against the message alone."""
        text, history, filters, last = message.text, message.history, message.filters, message.last
        joined = follow_up_rules.contextual_text(text, history, self._has_topic(filters))
        contextual = self._rows.search_at(message.bank, joined, filters)
        if message.rejects_shown:
            others = as_suggestions(contextual, without=cited_rows(last))
            return others if standalone.status == "declined" else merge_as_suggestions(standalone, others)
        names_topic = says(text, "product word") and not (message.is_elliptical or message.has_back_reference)
        if not names_topic and (same := answered_by_shown(contextual, history, text, similarities, standalone)):
            return same
        if offered := answered_by_offered(contextual, standalone, message.shown, last, text, similarities):
            return offered
        if message.only_states_case and message.shown:
            # Of a value alone another row is as full as the one that is meant.
            return offer_again(message.shown, contextual, text, last)
        readings = (contextual, standalone)
        if not names_topic and (other := answered_on_topic(text, history, filters, message.bank, self._rows, readings)):
            return other
        signs = self._signs(message, contextual, standalone, names_topic=names_topic)
        chosen = choose_reading(contextual, standalone, signs)
        if message.shown and chosen.status == "declined" and asks_of_case(text, last.question, message.shown):
            return offer_again(message.shown, contextual, text, last)
        if repeated := shown_before(chosen, history, nouns(text)):
            return other_than_shown(chosen, standalone, repeated, content_words(text), depends=signs.depends)
        named_by_note = chosen.note and chosen.note.values.get("word")
        return replace(chosen, note=None) if named_by_note and named_by_note not in plain(text) else chosen

    def _unless_of_another(self, message: _Message, verdict: Verdict, standalone: Verdict) -> Verdict:
        """The verdict of the message in context, or no answer where the message names a thing of another trade.

        A thing that is merely unknown, or that another row names, may be meant all the same: then rows are offered.
        """
        if standalone.status == "answered" or (thing := self._other_thing(message, verdict, standalone)) is None:
            return verdict
        if not thing.is_foreign or message.is_elliptical:
            return as_suggestions(verdict)
        # "택시비도 실적에 들어가요?" names more than that thing, and is offered what its other words find.
        is_offered = standalone.status == "suggested"
        return merge_as_suggestions(standalone, verdict) if is_offered else without_context(standalone, verdict)

    def _other_thing(self, message: _Message, verdict: Verdict, standalone: Verdict) -> OtherThing | None:
        """The thing of another trade that a message names and the first row of a verdict does not."""
        if not verdict.nodes:
            return None
        before = " ".join(turn.question for turn in message.history[-follow_up_rules.MAX_TURNS :])
        found = (*verdict.ranked, *standalone.ranked)
        return other_thing(message.text, before, verdict.nodes[0], found)

    def _signs(self, message: _Message, contextual: Verdict, standalone: Verdict, *, names_topic: bool) -> MessageSigns:
        """What `choose_reading` decides by. `names_topic`: the message names a product, and goes back to nothing."""
        text = message.text
        return MessageSigns(
            own_match=self._rows.own_match(text, contextual, message.filters),
            is_elliptical=message.is_elliptical,
            has_back_reference=message.has_back_reference,
            asks_on=says(text, "asks on") or any(goes_on(text, row) for row in contextual.ranked[:1]),
            names_topic=names_topic,
            names_unknown=names_unknown(text, contextual.ranked[:SUGGESTIONS], self._rows.unheld),
            lacks_thing=standalone.bound == "doubtful" and share_named(contextual.ranked[:1], text) < 1,
            names_thing_only=follow_up_rules.lacks_aspect(text),
        )

    def _has_topic(self, filters: Filters) -> Callable[[str], bool]:
        """Whether a question of the conversation may be about something that the rows cover."""
        return lambda text: not states_case(text) and self._rows.search(text, filters).covered >= STANDALONE_POSSIBLE


def _names_topic(message: str) -> bool:
    """Whether a message says what it is about: "그건 됐고 수수료는요" leaves what was asked, but not the topic."""
    return bool(nouns(message)) and not (
        follow_up_rules.lacks_product(message) or follow_up_rules.lacks_aspect(message)
    )
