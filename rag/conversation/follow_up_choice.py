"""The readings of one message in a conversation: which is shown where the message alone is not clearly covered.

The standalone reading is the message by itself, the contextual one the message with the questions it follows. Always taking
the contextual one would show the old topic as the answer to a new one, or to small talk. So it answers only where the message
asks for it; else its rows are suggested. Where that is the row just shown, it answers again only by a sentence that states what
the message asks; a third reading, of the topic alone, finds another row. What this was measured against: docs/evaluation-log.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from rag.constraints.asked_values import asked_values, not_stated
from rag.constraints.aspects import ASPECT_OF, ASPECTS
from rag.constraints.contrasts import answered_by, default_contrasts, members_of
from rag.constraints.everyday_values import values_of
from rag.constraints.value_agreement import holds
from rag.conversation.follow_up_rules import actions_of, is_channel
from rag.conversation.row_search import as_suggestions, holds_words, merge_as_suggestions
from rag.conversation.shown_rows import bank_names, cited_rows, holds_subject, subject_names
from rag.conversation.word_rules import content_words, nouns, says
from rag.korean import compact, jamo_ngrams, sentences, tokens, without_yes_or_no
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.retrieval.hybrid import question_of, row_id
from rag.retrieval.query_analysis import expand
from rag.types import Note, Turn

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
_VALUE_WORD = re.compile(r"얼마|며칠|몇|걸려|걸리|들어|나와|드나")
"""What is left of asking for a value, and names nothing."""
_ASIDE = re.compile(r"\([^)]*(?<![음함됨다])\)")
_ITEM = re.compile(r"[-*•·]|\d\.")
_LABELS = re.compile(r"\[[^\[\]]*\]")
_OF_THE_SERVICE = re.compile(r"(?<![가-힣])(?:너|넌|너는|너도|니가|네가|당신)(?![가-힣])")
_WHEN = re.compile(r"언제(?!든|나(?![와오]))")
_WITHOUT = re.compile(r"(?<![가-힣])안\s?(?:가|하|내|들|거|쓰|써|받)|없이|없어도|없으면")
_WITHOUT_IT = re.compile(r"없|않|못|불가|생략|면제")
_DEADLINE = re.compile(r"까지|(?<!로)부터|이내(?!의)|전에|후|뒤|즉시|바로|당일|다음|입금|지급")
_SOON = re.compile(r"즉시|바로|당일|다음\s?날")
_CONDITION = re.compile(r"경우|발급분|발급한|유효기간|이용기간|만료|전부터|전까지|최장|않았|이력")
"""Where a length of time is no answer to "며칠 걸려요"."""
MANNER = frozenset(("방법", "절차", "안내"))
"""Words that ask for nothing that the answer before did not give."""
_CONTINUES = re.compile(
    r"(도|은|는|지|한|인|된|던|려|해|돼|져|(?<!에)서|고|면|니까|지만|데|래|대|까|나|다|죠|음|요|여|걸|건|꺼|거)[\s?!.~,;ㅜㅠ]*$"
)
"""Endings of verbs, and particles that set a thing beside another one."""
_HAPPENED = re.compile(
    r"^(?:(?:근데|이미|벌써|방금|다시)\s*)*([가-힣]{1,2})[았었](?:어요|습니다|음|는데요?)[\s?!.~ㅜㅠ]*$"
)
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
        # Rows that lack what it names are found for its other words.
        if standalone.covered >= STANDALONE_POSSIBLE and not standalone.conflicts:
            return merge_as_suggestions(contextual, standalone)
    if signs.own_match >= OWN_MATCH:
        return contextual
    # "미성년자도요?" has no word of the row before, and is no small talk: suggestions neither refuse nor claim anything.
    if signs.has_back_reference or (signs.asks_on and len(compact(standalone.query)) < FULL_SENTENCE):
        return as_suggestions(contextual)
    if standalone.status != "declined":
        return merge_as_suggestions(as_suggestions(standalone), contextual)
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
        is_channel(word) or expand(word, without=unheld) != word or any(holds_words(row, (word,)) for row in rows)
        for word in words
    )


def has_topic(question: str) -> bool:
    """Whether a message names enough to be meant alone, a product or more than one thing, or does not ask on."""
    return says(question, "product word") or len(nouns(question)) > 1 or not says(question, "asks on")


def goes_on(message: str, row: JudgedNode) -> bool:
    """Whether a message does no more than tell what a row says something on ("찾았어요": "찾으신 경우")."""
    match = _HAPPENED.search(message)
    return bool(match and re.search(rf"{match[1]}[으은을아어]", row.node.get_content()))


def fits_topic(question: str, earlier: str, row: JudgedNode) -> bool:
    """Whether a row found for a message and the topic alone holds what the message names, and what was to be done before.

    The other words of the earlier question speak for its own row, but an action among them is still meant.
    """
    words = nouns(question)
    meant = actions_of(earlier) if words and not actions_of(question) else frozenset()
    return meant <= members_of(f"{question_of(row)} {row.node.get_content()}") and all(
        holds_subject(row, word) for word in words
    )


def answered_by_shown(verdict: Verdict, history: Sequence[Turn], message: str) -> Verdict | None:
    """The verdict where the row of the last answer answers this message, too, for it holds all that the message names; else None.

    Its note quotes the sentence that is meant: the whole row was shown already.
    """
    last = history[-1]
    is_found = verdict.status != "declined" and not verdict.conflicts
    if last.status != "answered" or not is_found or row_id(verdict.nodes[0]) not in cited_rows(last):
        return None
    hit, named, asked = verdict.nodes[0], members_of(message), asked_values(message)
    content = hit.node.get_content()
    words = tuple(word for word in nouns(message) if not _VALUE_WORD.match(word))
    asks = asked or words or named or _WHEN.search(message)
    if not asks or not_stated(message, "", content) or _OF_THE_SERVICE.search(message):
        return None
    before, told = compact(last.question), members_of(last.question)
    is_same = named <= told and all(
        word in MANNER or compact(word) in before or (actions_of(word) and actions_of(word) <= told) for word in words
    )
    # The same question in other words is not answered by the same row again.
    if is_same and not (values_of(message) or _asks_anew(message, last.question)):
        return None
    stating = _stating(message, f"{last.question} {question_of(hit)}", content, words)
    if len(stating) > 1:
        stating = _nearest(message if words else "", last.question, stating, is_value=bool(asked))
    if stating and verdict.status == "suggested":
        # Unsure only whether the row is meant, which was shown for the question before, and states this, too.
        quoted = hit.judged("answered", quoted=True)
        verdict = replace(verdict, status="answered", nodes=(quoted,))
    is_one = sum(node.quoted for node in verdict.nodes) == 1
    if stating:
        sentence = without_yes_or_no(stating[0])
        return replace(verdict, note=Note("in_shown", {"sentence": sentence}) if is_one else None)
    # What it names may stand in a label alone ("[준비물]"): then no sentence is the one that is meant.
    is_held = named <= members_of(f"{question_of(hit)} {content}") and all(holds_subject(hit, word) for word in words)
    is_labelled = any(
        compact(name) in compact(label) for name in subject_names(words) for label in _LABELS.findall(content)
    )
    return (
        replace(verdict, note=None) if is_held and is_labelled and not asked and verdict.status == "answered" else None
    )


def _asks_anew(message: str, before: str) -> bool:
    """Whether a message asks for a value of a kind, or a time, that the question before did not ask for."""
    asked = {each.kind for each in asked_values(message)} | ({"when"} if _WHEN.search(message) else set())
    return bool(asked - {each.kind for each in asked_values(before)} - ({"when"} if _WHEN.search(before) else set()))


def _stating(message: str, topic: str, content: str, words: Sequence[str]) -> list[str]:
    """The sentences of a row's `content` that name all that a message names, and state what it asks for.

    `topic`: the question before and the row's. Where the message names no thing, a sentence on a thing that the topic does not
    name states another one's fee or term: "앱 OTP는 무료로 발급" in a row on raising a limit.
    """
    asked, values, named = asked_values(message), values_of(message), members_of(message)
    when = _WHEN.search(message)
    found = []
    for start, end in sentences(content):
        sentence = content[start:end].strip().lstrip("-*•·※ ")
        if not sentence or _LABELS.fullmatch(sentence):
            continue
        # An item of a list is not all of them.
        names = _names if _ITEM.match(content[start:end].strip()) and not (asked or when) else _names_kind
        if not all(names(sentence, word) or word[0].isdigit() for word in words):
            continue
        own = values_of(sentence)
        if any(not holds(value, [each for each in own if each.dimension == value.dimension]) for value in values):
            continue
        things = {
            name for name, _ in members_of(sentence) if default_contrasts().sets[name].kind in ("product", "means")
        }
        if all(word in ASPECT_OF for word in words) and things - {name for name, _ in members_of(topic)}:
            continue
        told = members_of(topic) | members_of(sentence) | {each for word in words for each in members_of(word)}
        answered = {name for text in (topic, sentence, *words) for name in answered_by(text)}
        if any(each not in told and each[0] not in answered for each in named):
            continue
        if not_stated(message, "", sentence) or (asked and not words and not _states_alone(message, sentence)):
            continue
        if _WITHOUT.search(message) and not _WITHOUT_IT.search(sentence):
            continue
        is_time = _SOON.search(sentence) or any(value.dimension in ("duration", "date", "time") for value in own)
        if when and not (is_time and _DEADLINE.search(sentence)):
            continue
        found.append(sentence)
    return found


def _names(sentence: str, word: str) -> bool:
    """Whether a sentence names what a word does, also by another name of it."""
    names = (*subject_names([word]), *bank_names(word))
    text = compact(_ASIDE.sub("", sentence))
    return any(compact(name) in text for name in names) or bool(members_of(word) & members_of(sentence))


def _names_kind(sentence: str, word: str) -> bool:
    """The same; or what is of its kind: a value beside "신청서" is one of 서류."""
    aspect = ASPECTS.get(ASPECT_OF.get(word, ""))
    return _names(sentence, word) or bool(aspect and aspect.named.search(_ASIDE.sub("", sentence)))


def _states_alone(message: str, sentence: str) -> bool:
    """Whether a sentence states a value asked for by itself: of money a fee, of a length of time how long it takes."""
    kinds = {each.kind for each in asked_values(message)}
    if "money" in kinds:
        return ASPECTS["수수료"].named.search(sentence) is not None
    return "duration" not in kinds or not _CONDITION.search(sentence)


def _nearest(message: str, before: str, stating: Sequence[str], *, is_value: bool) -> list[str]:
    """The sentence that shares most with the message, and with the question before; of equals the first, of values none."""
    own, earlier = set(jamo_ngrams(message)), set(tokens(before))
    shared = [(len(own & set(jamo_ngrams(each))), len(earlier & set(tokens(each)))) for each in stating]
    return [] if is_value and shared.count(max(shared)) > 1 else [stating[shared.index(max(shared))]]
