"""Searcher: a question, with the conversation before it, to a verdict: the outcome and the rows it is about.

The order of the steps is that of `Searcher.judge` and `Searcher.rank`, top to bottom. `rag.conversation.query_engine`
makes a LlamaIndex retriever and engine of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from rag.conversation import follow_up_rules, word_rules
from rag.conversation.asked_elsewhere import all_compared
from rag.conversation.follow_up_choice import share_named
from rag.conversation.follow_up_search import FollowUpSearch
from rag.conversation.nearest_sentence import similarities_of
from rag.conversation.other_institutions import about_others, compared_with_others, with_other_banks
from rag.conversation.own_case import of_case
from rag.conversation.part_answers import (
    combine,
    combine_banks,
    rank_parts,
    with_other_case,
    without_comparison,
    worth_dividing,
)
from rag.conversation.question_parts import MAY_DIVIDE, split_questions
from rag.conversation.row_search import RowSearch
from rag.conversation.scams import about_fraud
from rag.conversation.shown_rows import chosen_row, cited_rows, is_known, read_choice, row_overrides, rows_shown
from rag.conversation.suggestions import as_suggestions
from rag.conversation.word_rules import CHOOSING, WordRule, match_decline_rule, nouns, says
from rag.korean import compact
from rag.models.cancellation import CancelScope
from rag.retries import CircuitBreaker
from rag.retrieval.confidence import SUGGESTIONS, Calibration, Verdict
from rag.retrieval.query_analysis import BANK, in_korean
from rag.retrieval.ranking import has_open_case
from rag.stores.base import QUESTION, PassageStore
from rag.types import Filters, Note, Turn

if TYPE_CHECKING:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.llms.llm import LLM


class Searcher:
    """Searches one store for one question; a follow-up is rewritten by `llm` if there is one, within `scope`. Cheap to make.

    `embedding_breaker`, `llm_breaker`: while one is open, a question is answered without that model. `top_k`: the most rows
    shown with an answer; `candidates`: rows taken from each list of the store. `institutions`: further names of the index's
    institutions, by name, or the index's institution, where its rows name none. `rows`: the search of a single text.
    """

    def __init__(
        self,
        store: PassageStore,
        embed_model: BaseEmbedding | None,
        calibration: Calibration,
        llm: LLM | None,
        scope: CancelScope,
        *,
        embedding_breaker: CircuitBreaker | None = None,
        llm_breaker: CircuitBreaker | None = None,
        top_k: int = 5,
        candidates: int = 50,
        institutions: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._store = store
        self._institutions = institutions or {}
        self.scope = scope
        self.rows = RowSearch(
            store,
            embed_model,
            calibration,
            breaker=embedding_breaker,
            top_k=top_k,
            candidates=candidates,
            institutions=institutions,
        )
        # Made where a message follows others alone: most questions are first ones.
        self._new_follow_up_search = partial(
            FollowUpSearch,
            self.rows,
            store,
            llm,
            scope,
            llm_breaker=llm_breaker,
            new_similarities=partial(similarities_of, embed_model, calibration, embedding_breaker),
        )

    def judge(self, question: str, history: Sequence[Turn], filters: Filters) -> Verdict:
        """The outcome of a question; what a scammer wants is not answered, see `rag.conversation.scams`."""
        verdict = self._judge(question, history, filters)
        if any(map(word_rules.tells_of_scam, [question, *(turn.question for turn in history[-1:])])):
            return about_fraud(verdict, question, history, self.rows, filters)
        return verdict

    def _judge(self, question: str, history: Sequence[Turn], filters: Filters) -> Verdict:
        """The outcome from the rows as far as they answer the question, and from its words where they do not.

        Greetings, thanks and what needs no row are decided before any search. Else a decline rule counts only where no
        row answers, and no row asks the same word for word: a row that the bank wrote is never refused.
        """
        rule = match_decline_rule(question)
        if rule and rule.yields_to == "nothing":
            return _declined(question, rule)
        if history and history[-1].status == "answered" and (reply := self._reply(question, history, filters)):
            return reply
        may_choose = (history and history[-1].status == "suggested") or says(question, *CHOOSING)
        if may_choose and (choice := read_choice(question, history, self._store)):
            return replace(choice, names_banks=len(self.rows.banks) > 1)
        if rule and rule.yields_to == "same":
            verdict = self.rank(question, (), filters)
            about = verdict.status != "declined" and rule.matches(
                str(verdict.nodes[0].node.metadata.get(QUESTION) or "")
            )
            return verdict if about else _declined(question, rule)
        # What a rule matches is no follow-up: the topic asked about before must not answer it.
        verdict = self._about_institutions(question, () if rule else history, filters)
        if rule and not row_overrides(rule, verdict, question):
            compared = self._difference(question, rule, filters)
            return compared or replace(_declined(question, rule), ranked=verdict.ranked)
        if verdict.reason == "off_topic" and not self._is_off_topic(question, history, verdict):
            return replace(verdict, reason="not_covered")
        return verdict

    def chosen(self, question: str, row: str) -> Verdict | None:
        """The verdict of a click on a suggestion: its row is the answer. None: the row is not there any more."""
        verdict = chosen_row(question, row, self._store)
        return verdict and replace(verdict, names_banks=len(self.rows.banks) > 1)

    def rank(self, question: str, history: Sequence[Turn], filters: Filters, *, llm_rewrites: bool = True) -> Verdict:
        """The outcome by the rows alone; a message in a conversation in the reading that fits it.

        `llm_rewrites`: whether the language model, if there is one, rewrites a follow-up; a failing one counts as none. Where
        the embedding fails, only the lexical lists are searched and `Verdict.lexical_only` is set.
        """
        # Before the readings are made: the institution that this message names, not one that an earlier message named.
        filters = self.rows.limited(question, filters)
        if not history:
            return self.rows.search(question, filters)
        return self._new_follow_up_search().search(question, history, filters, llm_rewrites=llm_rewrites)

    def _reply(self, message: str, history: Sequence[Turn], filters: Filters) -> Verdict | None:
        """The outcome of a message that says that the answer before was not the right one, or did not help."""
        if says(message, "did not help") and not says(message, "product word"):
            return Verdict("declined", "not_covered", (), (), 0.0, 0.0, message, note=Note("not_helped"))
        if not follow_up_rules.rejects_answer(message):
            return None
        verdict = self.rank(history[-1].question, history[:-1], filters)
        others = as_suggestions(verdict, without=cited_rows(history[-1]))
        return replace(others, query=message, note=None, sections=()) if others.nodes else None

    def _difference(self, question: str, rule: WordRule, filters: Filters) -> Verdict | None:
        """How the two things differ of which a question asks for the better one ("뭐가 나아요? 차이점"), where a row says it."""
        if rule.reason != "advice" or not says(question, "difference"):
            return None
        # The words of the rule would count against the row.
        verdict = self.rank(rule.unmatched_text(question) or question, (), filters)
        return verdict if verdict.status == "answered" else None

    def _about_institutions(self, question: str, history: Sequence[Turn], filters: Filters) -> Verdict:
        """The outcome with regard to the institutions a question names: several, one that is hidden, one that is not held."""
        banks, named = self.rows.banks, self.rows.named(question)
        chosen = filters.equals.get(BANK)
        if chosen and named.chosen and chosen not in named.chosen and set(named.chosen) & set(banks):
            note = Note("hidden_institution", {"name": named.chosen[0], "chosen": chosen})
            return Verdict("declined", "not_covered", (), (), 0.0, 0.0, question, note=note)
        compared = [bank for bank in named.chosen if bank in banks]
        if len(compared) > 1 and not chosen:
            return self._compare(compared, named.rest, history, filters)
        if history and says(question, "compare all") and not (chosen or named.chosen):
            together = all_compared(question, history, self.rows, rows_shown(history[-1], self._store))
            if together:
                return replace(self._compare(together, "", history, filters), query=question)
        verdict = self._divided(question, history, filters)
        if named.others and not named.chosen:
            return about_others(verdict, named.others, self._store, filters, own=tuple(self._institutions))
        if len(banks) > 1:
            verdict = with_other_banks(self.rows, verdict, history, filters)
        if has_open_case(verdict.query, verdict.ranked):
            verdict = with_other_case(verdict, question)
        is_compared = named.others and says(question, "compares institutions")
        return compared_with_others(verdict, named.others, tuple(self._institutions)) if is_compared else verdict

    def _compare(self, banks: Sequence[str], rest: str, history: Sequence[Turn], filters: Filters) -> Verdict:
        """Each institution's row side by side; `rest`: the question without their names."""
        parts, topic = [], without_comparison(rest)
        for bank in banks:
            limited = replace(filters, equals={**filters.equals, BANK: bank})
            parts.append(self.rank(f"{bank} {topic}".strip(), history, limited))
        return combine_banks(banks, parts, rest)

    def _divided(self, question: str, history: Sequence[Turn], filters: Filters) -> Verdict:
        """The outcome of the whole question, or of its parts where they answer more."""
        whole = self.rank(question, history, filters)
        if not MAY_DIVIDE.search(question) or len(asked := split_questions(question)) == 1:
            return whole
        # The institution that one part names is meant in all: "새나래 OTP 수수료랑 이체 시간" asks nobody else.
        filters = self.rows.limited(question, filters)

        def rank(text: str, before: Sequence[Turn]) -> Verdict:
            # A call of the model for each part would hold up the answer to a first question.
            return self.rank(text, before, filters, llm_rewrites=False)

        parts = rank_parts(asked, rank, self._is_about_banking)
        if not worth_dividing(whole, parts, asked):
            return whole
        return replace(combine([part.title for part in asked], parts, question), names_banks=whole.names_banks)

    def _is_about_banking(self, question: str) -> bool:
        if (named := self.rows.named(question)).chosen or named.others:
            return True
        korean = in_korean(question)
        categories = map(compact, self._store.values("category"))
        return says(korean, "banking word") or any(len(name) > 1 and name in compact(korean) for name in categories)

    def _is_off_topic(self, question: str, history: Sequence[Turn], verdict: Verdict) -> bool:
        """Whether a message names nothing that is known here; or, after another one, does not go on with that one."""
        words = nouns(question)
        # A phrase of one noun ("홍콩은") is about what was asked before.
        signs = ("back reference", "asks on", *(("ellipsis",) if len(words) == 1 else ()))
        goes_on = history and (not words or says(question, *signs) or of_case(question))
        if self._is_about_banking(question) or goes_on or is_known(words, verdict.ranked[:SUGGESTIONS]):
            return False
        return not (history and share_named(rows_shown(history[-1], self._store), question))


def _declined(question: str, rule: WordRule) -> Verdict:
    return Verdict("declined", rule.reason, (), (), 0.0, 0.0, question, note=Note(rule.note) if rule.note else None)
