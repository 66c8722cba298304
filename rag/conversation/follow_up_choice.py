"""Chooses between the readings of a message in a conversation if the message alone is not clearly covered.

The standalone reading is the message by itself, the contextual one the message with the questions before it. Taking always the
contextual one would answer a new topic, or small talk, with the old topic. So it answers only if the message asks for it; else
its rows are suggested. A row that has just been shown answers again only by a sentence that states what the message asks;
otherwise a third reading, with the topic alone, may find another row. Measurements: docs/evaluation-log.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from rag.constraints.asked_values import asked_values, not_stated
from rag.constraints.aspects import ASPECT_OF
from rag.constraints.contrasts import is_of_other_product, members_of, mentions_of
from rag.constraints.everyday_values import values_of
from rag.conversation.asked_of_row import WHEN, FollowUp, kinds_asked, things
from rag.conversation.follow_up_rules import actions_of, is_channel, lacks_aspect, replace_topic, topic_of
from rag.conversation.nearest_sentence import Similarities, no_similarities
from rag.conversation.own_case import states_case
from rag.conversation.row_search import RowSearch
from rag.conversation.sentence_agreement import names, states, units
from rag.conversation.shown_rows import UNRELATED, cited_rows, holds_subject, shown_before, subject_names
from rag.conversation.shown_sentences import CONTINUES, STANDALONE_SURE, sentence_for
from rag.conversation.suggestions import OFFERED, as_suggestions, merge_as_suggestions
from rag.conversation.word_rules import content_words, nouns, rules, says, with_verbs_of_ability_joined
from rag.korean import compact, without_yes_or_no
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.retrieval.query_analysis import expand
from rag.retrieval.ranking import score_of
from rag.retrieval.rows import in_question, question_of, row_id, row_text
from rag.types import Filters, Note, Turn

STANDALONE_COVERED = 0.4
"""Probability, 0..1, that the standalone reading is covered from which on it is taken, unless elliptical; set on `dev`."""
STANDALONE_POSSIBLE = 0.1
"""Probability, 0..1, that it is covered from which on both readings are suggested; set on `dev` and further conversations."""
OWN_MATCH = 0.03
"""Share of a message's own words, weighted by rarity, that the row of the contextual reading must contain to answer it. On
`dev`, the four unrelated messages that it would answer have at most .01, and 10 of the 13 right answers at least .05."""
SAME_TOPIC = 0.1
"""The same share from which on a message that names a product may be about the previous row, too. Not determined by `dev`."""
FULL_SENTENCE = 16
"""Characters without spaces from which on a message without words of the row is no follow-up; set on `dev`."""
_VALUE_WORD = re.compile(r"얼마|며칠|몇|걸려|걸리|들어|나와|드나")
"""Words of a question for a value that name nothing."""
_ASPECTS = tuple(ASPECT_OF)
_LABELS = re.compile(r"\[[^\[\]]*\]")
_OF_THE_SERVICE = re.compile(r"(?<![가-힣])(?:너|넌|너는|너도|니가|네가|당신)(?![가-힣])")
MANNER = frozenset(("방법", "절차", "안내"))
"""Words that ask for nothing beyond the previous answer."""
_CONTINUES = re.compile(
    r"(도|은|는|지|한|인|된|던|려|해|돼|져|야|(?<!에)서|고|면|니까|지만|데|래|대|까|나|다|죠|음|요|여|걸|건|꺼|거)[\s?!.~,;ㅜㅠ]*$"
)
"""Endings of verbs, and particles that relate a thing to another one."""
_HAPPENED = re.compile(
    r"^(?:(?:근데|이미|벌써|방금|다시)\s*)*([가-힣]{1,2})[았었](?:어요|습니다|음|는데요?)[\s?!.~ㅜㅠ]*$"
)


@dataclass(frozen=True, slots=True)
class MessageSigns:
    """Features that distinguish a follow-up from a new topic and from small talk.

    `own_match`: share, 0..1, of the message's own words in the first row of the contextual reading. `names_unknown`: no row
    contains anything that the message names. `lacks_thing`: it names a product or the like that no row of the standalone
    reading names, nor the first row of the contextual one. `names_topic`: it names a product that a row has. `names_thing_only`:
    it asks the question before of another thing. For the others see `rag.conversation.follow_up_rules`.
    """

    own_match: float
    is_elliptical: bool = False
    has_back_reference: bool = False
    asks_on: bool = False
    names_topic: bool = False
    names_unknown: bool = False
    lacks_thing: bool = False
    names_thing_only: bool = False

    @property
    def depends(self) -> bool:
        """Whether the message's form says that it goes on with what was said before."""
        return self.is_elliptical or self.has_back_reference or self.asks_on


def choose_reading(contextual: Verdict, standalone: Verdict, signs: MessageSigns) -> Verdict:
    """The verdict to show. The contextual reading answers only if its row contains the message's own words."""
    needs_topic = signs.is_elliptical or signs.has_back_reference
    if signs.lacks_thing and standalone.status == "declined" and not needs_topic:
        return without_context(standalone, contextual)
    if signs.names_topic and standalone.status != "declined":
        # "카드는 언제 와요" may be about its own topic or about the previous row: both are suggested.
        is_open = standalone.covered < STANDALONE_COVERED and signs.own_match >= SAME_TOPIC
        return merge_as_suggestions(standalone, contextual) if is_open else standalone
    if signs.names_topic:
        # Its product may be the previous one ("카드 연회비는 얼마예요"): then that row is only suggested.
        return as_suggestions(contextual) if signs.own_match >= OWN_MATCH else without_context(standalone, contextual)
    if signs.names_unknown and not signs.has_back_reference:
        return without_context(standalone, contextual)
    is_held = signs.own_match >= OWN_MATCH or any(is_on(standalone.query, row) for row in contextual.ranked[:1])
    if not signs.has_back_reference:
        first = standalone.ranked[:1]
        if contextual.status == "answered" and is_held and [*map(row_id, first)] == [row_id(contextual.nodes[0])]:
            return contextual
        is_new = not signs.is_elliptical and len(content_words(standalone.query)) > 1
        if is_new and _is_sure(standalone) and contextual.covered < STANDALONE_SURE:
            return standalone
        # If both readings are possible, nothing is answered, because the text does not show which one is meant.
        if standalone.covered >= max(STANDALONE_COVERED, contextual.covered):
            found = merge_as_suggestions(standalone, contextual)
            # "연체 있으면" after "리스 승계": what was asked about before counts, too, and the rows lack it.
            return as_suggestions(found) if signs.is_elliptical and contextual.conflicts else found
        # Not if the rows lack what the message names: then only its other words match them.
        is_same_of_another = signs.names_thing_only and contextual.status == "answered" and signs.own_match >= OWN_MATCH
        if standalone.covered >= STANDALONE_POSSIBLE and not standalone.conflicts and not is_same_of_another:
            return merge_as_suggestions(contextual, standalone)
    if is_held:
        return contextual
    # "미성년자도요?" has no word of the row, but is no small talk: it gets suggestions.
    if signs.has_back_reference or (signs.asks_on and len(compact(standalone.query)) < FULL_SENTENCE):
        return as_suggestions(contextual)
    if standalone.status != "declined":
        return merge_as_suggestions(as_suggestions(standalone), contextual)
    # Small talk, or a question on something that no row has.
    return without_context(standalone, contextual)


def _is_sure(standalone: Verdict) -> bool:
    return standalone.status == "answered" and standalone.covered >= STANDALONE_SURE


def is_on(message: str, row: JudgedNode) -> bool:
    """Whether a row states the value that is all a message asks for, or has by another word the action that is all it names."""
    if says(message, "value only"):
        asked = FollowUp.read(message, "", question_of(row))
        return any(states(asked, label, sentence) for label, sentence in units(row.node.get_content()))
    actions = actions_of(message)
    return bool(actions) and all(map(actions_of, things(message))) and actions <= members_of(row_text(row))


def without_context(standalone: Verdict, contextual: Verdict) -> Verdict:
    """The declined standalone reading, with the ranking of the contextual one if there is any; its note is on rows offered."""
    reason, ranked = standalone.reason or "not_covered", contextual.ranked or standalone.ranked
    return replace(standalone, status="declined", reason=reason, nodes=(), ranked=ranked, note=None)


def names_unknown(message: str, rows: Sequence[JudgedNode], unheld: Collection[str] = frozenset()) -> bool:
    """Whether nothing that a message names occurs in the rows, in the lexicon or among the words of banking.

    `unheld`: terms of the lexicon without a row in the index, which do not count. "서울에서 부산 얼마나 걸려" has the form of a
    follow-up, but is about something else. Forms like "일본에서도 돼요?", "생일은 안돼?" and verbs ("채웠는지 어디서 봐요")
    continue the previous question.
    """
    if says(message, "banking word") or says(message, "ellipsis") or CONTINUES.search(message):
        return False
    named = {
        raw: content_words(raw) for raw in with_verbs_of_ability_joined(message).split() if not says(raw, "asks on")
    }
    words = [word for of_raw in named.values() for word in of_raw]
    if not words or any(of_raw and _CONTINUES.search(raw) for raw, of_raw in named.items()):
        return False
    texts = [row_text(row) for row in rows]
    return not any(
        is_channel(word) or expand(word, without=unheld) != word or any(names(text, word, message) for text in texts)
        for word in words
    )


def share_named(rows: Sequence[JudgedNode], message: str) -> float:
    """The greatest share, 0..1, of what a message names that one of the rows names, too; 0 of nothing."""
    words = nouns(message)
    counts = [sum(names(row_text(row), word, message) for word in words) for row in rows]
    return max(counts, default=0) / max(len(words), 1)


def has_topic(question: str) -> bool:
    """Whether a message can stand alone: it names a product or several things, or does not continue a question."""
    return says(question, "product word") or len(nouns(question)) > 1 or not says(question, "asks on")


def goes_on(message: str, row: JudgedNode) -> bool:
    """Whether a message only states an event that the row covers ("찾았어요" and "찾으신 경우")."""
    match = _HAPPENED.search(message)
    return bool(match and re.search(rf"{match[1]}[으은을아어]", row.node.get_content()))


def answered_on_topic(
    question: str,
    history: Sequence[Turn],
    filters: Filters,
    bank: str,
    rows: RowSearch,
    readings: tuple[Verdict, Verdict],
) -> Verdict | None:
    """The message asked of the topic alone ("이체 수수료는요" after "이체 가능시간"), where a row not shown answers it.

    `readings`: the contextual and the standalone one. Not where the contextual one answers with a row not shown. A row fits what
    was asked before if the contextual reading has it first, but for the rows shown, or the standalone one answers with it.
    """
    contextual, standalone = readings
    if lacks_aspect(question) or (contextual.status == "answered" and not shown_before(contextual, history)):
        return None
    # At most one word, which is no institution. A turn that only states a value of the customer has no topic.
    asked = [rows.named(turn.question).rest or turn.question for turn in history if not states_case(turn.question)]
    if not asked:
        return None
    text = " ".join([*topic_of(asked), rules()["back reference"].pattern.sub("", question).strip()])
    verdict = rows.search_at(bank, text, filters)
    if verdict.status != "answered" or shown_before(verdict, history, things(question)):
        return None
    shown = cited_rows(history[-1]) if history[-1].status == "answered" else ()
    in_context = [row_id(hit) for hit in contextual.ranked if row_id(hit) not in shown]
    agreeing = [
        *(in_context[:1] if contextual.status != "declined" else ()),
        *(row_id(hit) for hit in standalone.nodes[:1] if standalone.status == "answered"),
    ]
    row = verdict.nodes[0]
    agrees = row_id(row) in agreeing and not is_of_other_product(asked[-1], row_text(row))
    fits = agrees or fits_topic(question, asked[-1], row)
    return (
        verdict if fits and (is_on(question, row) or rows.own_match(question, verdict, filters) >= OWN_MATCH) else None
    )


def fits_topic(question: str, earlier: str, row: JudgedNode) -> bool:
    """Whether a row found for a message with the topic alone contains what the message names and the earlier question's subject.

    The other words of the earlier question are left out of the search, because they match its own row; but its actions still
    apply, and so do its things ("카드 결제일 변경": 결제일), unless the message names others instead.
    """
    words = nouns(question)
    if not words:
        return True
    meant = frozenset() if actions_of(question) else actions_of(earlier)
    text = replace_topic(earlier, question)
    members = members_of(f"{question_of(row)} {row.node.get_content()}")
    for word in content_words(text):
        # "연체되면" is no noun, but names what the question was about.
        named = {(each.set_name, each.member) for each in mentions_of(word)}
        is_thing = (named or word in nouns(text)) and not (word.endswith(_ASPECTS) or is_channel(word))
        if is_thing and not actions_of(word) and not (named & members if named else holds_subject(row, word)):
            return False
    return meant <= members and all(holds_subject(row, word) for word in words)


def answered_by_shown(
    verdict: Verdict,
    history: Sequence[Turn],
    message: str,
    similarities: Similarities = no_similarities,
    standalone: Verdict | None = None,
) -> Verdict | None:
    """The verdict if the row of the last answer contains all that this message names and so answers it, too; else None.

    Its note quotes the sentence that answers, because the whole row has been shown already. Not where another row is sure to
    answer the message alone (`standalone`).
    """
    last = history[-1]
    if standalone and _is_sure(standalone) and row_id(standalone.nodes[0]) not in cited_rows(last):
        return None
    is_possible = verdict.status != "declined" and not verdict.conflicts
    if last.status != "answered" or not is_possible or row_id(verdict.nodes[0]) not in cited_rows(last):
        return None
    hit, named, asked = verdict.nodes[0], members_of(message), asked_values(message)
    content = hit.node.get_content()
    words = tuple(word for word in nouns(message) if not _VALUE_WORD.match(word))
    asks = asked or words or named or WHEN.search(message)
    if not asks or not_stated(message, "", content) or _OF_THE_SERVICE.search(message):
        return None
    before, named_before = compact(last.question), members_of(last.question)
    is_same = named <= named_before and all(
        word in MANNER or compact(word) in before or (actions_of(word) and actions_of(word) <= named_before)
        for word in words
    )
    # The same question in other words is not answered by the same row again, unless it asks for another value or time.
    new_values = kinds_asked(message) - kinds_asked(last.question)
    if is_same and not (values_of(message) or new_values):
        return None

    def stated_by(row: JudgedNode) -> str:
        return sentence_for(message, last.question, question_of(row), row.node.get_content(), similarities)

    sentence = stated_by(hit)
    if sentence and verdict.status == "suggested":
        # It was uncertain only whether this row is meant, which the previous question has settled.
        quoted = hit.judged("answered", quoted=True)
        verdict = replace(verdict, status="answered", nodes=(quoted,))
    if sentence and (others := [node for node in verdict.nodes[1:] if node.quoted]):
        # Rows of several institutions are given once more only if each states what is asked, and not for a value of its own.
        return replace(verdict, note=None) if all(map(stated_by, others)) and not values_of(message) else None
    if sentence:
        note = Note("in_shown", {"sentence": without_yes_or_no(sentence)})
        return replace(verdict, note=note)
    # What it names may be in a label only ("[준비물]"); then there is no single sentence to quote.
    is_held = named <= members_of(f"{question_of(hit)} {content}") and all(holds_subject(hit, word) for word in words)
    is_labelled = any(
        compact(name) in compact(label) for name in subject_names(words) for label in _LABELS.findall(content)
    )
    return (
        replace(verdict, note=None) if is_held and is_labelled and not asked and verdict.status == "answered" else None
    )


def as_offered(verdict: Verdict, words: Sequence[str], last: Turn) -> Verdict:
    """The verdict with its suggestions as a conversation shows them.

    Behind a row that may be meant those are left out that have next to no chance and none of the message's `words` in their
    question. A note on the rows shown before is left out where these were only offered: of them the questions alone were read.
    """
    if verdict.status != "suggested":
        return verdict
    if verdict.note and verdict.note.kind in ("already_shown", "not_mentioned") and last.status != "answered":
        verdict = replace(verdict, note=None)
    first, *others = verdict.nodes
    if score_of(first) < OFFERED:
        return verdict
    kept = [hit for hit in others if score_of(hit) >= UNRELATED or in_question(hit, words)]
    return replace(verdict, nodes=(first, *kept))
