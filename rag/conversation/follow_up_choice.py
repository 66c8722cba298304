"""Two readings of one message in a conversation: which one is shown where the message alone is not clearly covered.

The standalone reading is the message by itself, the contextual one the message with the questions it follows. Always taking
the contextual one would show the old topic as the answer to a new one, or to small talk. So it answers only where the message
asks for it; else its rows are suggested. What this was measured against: docs/evaluation-log.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from rag.conversation.follow_up_rules import content_words, says
from rag.conversation.row_search import as_suggestions, holds_words, merge_as_suggestions
from rag.korean import compact
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.retrieval.query_analysis import expand

STANDALONE_COVERED = 0.4
"""Chance in 0..1 that the standalone reading is covered from which on it is taken, unless it is elliptical; set on `dev`."""
STANDALONE_POSSIBLE = 0.1
"""Chance in 0..1 that it is covered from which on both readings are suggested; set on `dev` and conversations beside it."""
OWN_MATCH = 0.03
"""Share of a message's own words, by rarity, in the row of the contextual reading from which on that row may answer it. On `dev`
the four unrelated messages that it answered lie at or below .01, 10 of the 13 right answers at .05 or above."""
SAME_TOPIC = 0.1
"""The same share from which on a message that names a product may be about the row before, too. `dev` does not decide it."""
FULL_SENTENCE = 16
"""Characters without spaces from which on a message whose words are not in the row is no follow-up; set on `dev`."""
_CONTINUES = re.compile(
    r"(도|은|는|지|한|인|된|던|려|해|돼|져|(?<!에)서|고|면|니까|지만|데|래|대|까|나|다|죠|음|요|여|걸|건|꺼|거)[\s?!.~,;ㅜㅠ]*$"
)
"""Endings of verbs, and particles that set a thing beside another one."""
_STATES = re.compile(r"(에요|예요|인데|은데|는데|건데|거든|라서)요?[\s?!~.,;ㅜㅠ]*$")
"""A statement after a question ("저 지금 외국이에요") continues it."""


@dataclass(frozen=True, slots=True)
class MessageSigns:
    """What distinguishes a follow-up from a new topic and from small talk.

    `own_match`: coverage in 0..1 of the message's own words by the contextual reading's first row. `names_unknown`: all it
    names occurs in no row found. `lacks_thing`: it names a product or the like that none of the rows found for it alone names.
    `names_topic`: it names a product and lacks nothing.
    The rest follows from the words: `rag.conversation.follow_up_rules`.
    """

    own_match: float
    is_elliptical: bool = False
    has_back_reference: bool = False
    asks_on: bool = False
    names_topic: bool = False
    names_unknown: bool = False
    lacks_thing: bool = False


def choose_reading(contextual: Verdict, standalone: Verdict, signs: MessageSigns) -> Verdict:
    """The verdict to show. The contextual reading answers only where its row matches the message's own words."""
    needs_topic = signs.is_elliptical or signs.has_back_reference
    if signs.lacks_thing and standalone.status == "declined" and not needs_topic:
        return _declined(standalone, contextual)
    if signs.names_topic and standalone.status != "declined":
        # Half covered alone, and as much about the row before ("카드는 언제 와요"): both are offered.
        is_open = standalone.covered < STANDALONE_COVERED and signs.own_match >= SAME_TOPIC
        return merge_as_suggestions(standalone, contextual) if is_open else standalone
    if signs.names_topic:
        # Its product may be the one before ("카드 연회비는 얼마예요"): then that row is offered, never answered.
        return as_suggestions(contextual) if signs.own_match >= OWN_MATCH else _declined(standalone, contextual)
    if signs.names_unknown and not signs.has_back_reference:
        return _declined(standalone, contextual)
    if not signs.has_back_reference:
        # Where both are possible nothing is answered: each has one row first, and the text does not decide which was meant.
        if standalone.covered >= max(STANDALONE_COVERED, contextual.covered):
            return merge_as_suggestions(standalone, contextual)
        if standalone.covered >= STANDALONE_POSSIBLE:
            return merge_as_suggestions(contextual, standalone)
    if signs.own_match >= OWN_MATCH:
        return contextual
    # "미성년자도요?" has no word of the row before, and is no small talk: suggestions neither refuse nor claim anything.
    if signs.has_back_reference or (signs.asks_on and len(compact(standalone.query)) < FULL_SENTENCE):
        return as_suggestions(contextual)
    # Small talk, or a question about something that no row has: declined for itself, whatever was asked before.
    return _declined(standalone, contextual)


def _declined(standalone: Verdict, contextual: Verdict) -> Verdict:
    """The standalone reading's refusal, over the ranking that would have been offered."""
    reason = standalone.reason or "not_covered"
    return replace(
        standalone, status="declined", reason=reason, nodes=(), ranked=contextual.ranked or standalone.ranked
    )


def names_unknown(message: str, rows: Sequence[JudgedNode], unheld: Collection[str] = frozenset()) -> bool:
    """Whether all that a message names occurs in none of the rows, is not in the lexicon, and is no word of banking.

    `unheld`: terms of the lexicon that the index has no row about; a word with no other terms is not in the lexicon either.
    "서울에서 부산 얼마나 걸려" has the form of a follow-up, but is about something else. The forms of "일본에서도 돼요?",
    "생일은 안돼?" and of verbs ("채웠는지 어디서 봐요") show that they continue the question before.
    """
    if says(message, "banking word") or says(message, "ellipsis") or _STATES.search(message):
        return False
    named = {raw: content_words(raw) for raw in message.split() if not says(raw, "asks on")}
    words = [word for of_raw in named.values() for word in of_raw]
    if not words or any(of_raw and _CONTINUES.search(raw) for raw, of_raw in named.items()):
        return False
    return not any(
        expand(word, without=unheld) != word or any(holds_words(row, (word,)) for row in rows) for word in words
    )
