"""How a row matches a question apart from its score: the same question word for word, or the customer's own words in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache

from rag.constraints.asked_values import asked_values
from rag.constraints.contrasts import default_contrasts, members_of
from rag.conversation import follow_up_rules
from rag.conversation.decline_rules import DeclineRule
from rag.conversation.follow_up_rules import is_about_banking
from rag.korean import answering_sentence, compact, tokens
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict, names_thing
from rag.retrieval.hybrid import matched_question, question_of, row_id
from rag.retrieval.offering import PARTICLE, is_short
from rag.retrieval.query_analysis import BANK, expand
from rag.types import Note, Turn

MIN_WORDS = 2
LONG_NAME = 4
"""Characters from which on a bank's word for a customer's ("일회용비밀번호" for "otp") names the same thing."""
_PUNCTUATION = re.compile(r"[\s?!.,~]+")
_CONTINUES = re.compile(
    r"(도|은|는|지|한|인|된|던|려|해|돼|져|(?<!에)서|고|면|니까|지만|데|래|대|까|나|다|죠|음|요|여|걸|건|꺼|거)[\s?!.~,;ㅜㅠ]*$"
)
"""Endings of verbs, and particles that set a thing beside another one."""
_STATES = re.compile(r"(에요|예요|인데|은데|는데|건데|거든|라서)요?[\s?!~.,;ㅜㅠ]*$")
"""A statement after a question ("저 지금 외국이에요") continues it."""
_CITATION = re.compile(r"\[(\d{1,2})\]")
SAME_SUBJECT = tuple(
    frozenset(names.split())
    for names in (
        "이자 이율 금리 이자율",
        "수수료 비용 요금 수수료율",
        "서류 준비물 구비서류",
        "기간 기한 유효기간 소요기간",
        "한도 최대한도 한도액",
        "세금 세율 과세 비과세",
    )
)
"""Names of one thing: a customer may use one where the row uses another."""


MANNER = frozenset(("방법", "절차", "안내"))
"""Words that ask for nothing that the answer before did not give."""
MOST_WORDS = 0.6
"""Share of the words a decline rule matched from which on a row that holds them is about the same."""


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
            same.setdefault(str(hit.node.metadata.get(BANK) or ""), hit)
    # What the ranking already puts first is left as it is, its score included.
    if not same or (verdict.status == "answered" and is_same_question(question, verdict.nodes[0])):
        return verdict
    chosen = {row_id(hit) for hit in same.values()}
    quoted = tuple(_judged(hit, quoted=True) for hit in same.values())
    others = tuple(_judged(hit, quoted=False) for hit in verdict.ranked if row_id(hit) not in chosen)
    return replace(verdict, status="answered", reason=None, nodes=quoted, ranked=(*quoted, *others))


def holds_words(hit: JudgedNode, words: Sequence[str]) -> bool:
    """Whether one of the words occurs in a row's question or answer."""
    text = compact(f"{question_of(hit)} {matched_question(hit)} {hit.node.get_content()}")
    return any(compact(word) in text for word in words)


def holds_subject(hit: JudgedNode, word: str) -> bool:
    """Whether a row contains a word or another name of the same thing: 이자 where it has 이율, 비용 where it has 수수료."""
    names = _subject_names([word])
    # A short word of the lexicon ("발급" for "서류") occurs in rows on other things, too.
    others = (name for name in expand(word).split() if len(name) >= LONG_NAME)
    # What is done ("올려요") the question before may have said in other words.
    is_thing = all(default_contrasts().sets[name].kind != "action" for name, _ in members_of(word))
    return holds_words(hit, [*names, *others]) or (is_thing and names_thing(hit, word))


def _subject_names(words: Sequence[str]) -> list[str]:
    """The words, each with the other names of the same subject."""
    return [name for word in words for name in next((names for names in SAME_SUBJECT if word in names), (word,))]


def suggest_by_words(verdict: Verdict, words: Sequence[str]) -> Verdict:
    """A declined verdict as suggestions of the rows whose questions hold all of at least two content words, or the one word that
    is the whole message.

    A short question about a topic of several rows ("계좌 개설", "인증서") is far ahead of none of them, and none of its words is
    unknown.
    """
    is_lone = len(words) == 1 and len(compact(verdict.query)) <= len(words[0]) + PARTICLE
    if verdict.status != "declined" or (len(words) < MIN_WORDS and not is_lone):
        return verdict
    # "비번 까먹었어요" is about every row on a forgotten password, by the bank's words for it.
    names = [expand(word).split() if is_short(verdict.query) else [word] for word in words]
    rows = [hit for hit in verdict.ranked if all(_in_question(hit, own) for own in names)]
    if not rows:
        return verdict
    nodes = tuple(JudgedNode(node=hit.node, parts=hit.parts, score=hit.score, status="suggested") for hit in rows)
    return replace(verdict, status="suggested", reason=None, nodes=nodes[:SUGGESTIONS])


def other_than_shown(
    contextual: Verdict, standalone: Verdict, shown: Sequence[str], words: Sequence[str], *, depends: bool = True
) -> Verdict:
    """Suggestions in the place of rows `shown` before: other rows that hold the message's own `words`, if there are any.

    The note says that the rows shown say nothing about a word, or that one of them, offered again, is the nearest. It says
    neither where they hold some of the words. Where they hold none, none is of banking, and the message does not
    depend on what was said before (`depends`), nothing is offered.
    """
    repeated = [hit for hit in contextual.ranked if row_id(hit) in shown]
    rows = {row_id(hit): hit for hit in (*contextual.ranked, *standalone.ranked) if row_id(hit) not in shown}
    about = [hit for hit in rows.values() if words and _in_question(hit, _names(words))]
    nearest = max(repeated, key=lambda hit: sum(holds_subject(hit, word) for word in words))
    missing = [word for word in words if not holds_subject(nearest, word)]
    # Only a word of banking is worth naming: "'며칠'에 대한 내용이 없습니다" helps nobody.
    subject = next((word for word in missing if is_about_banking(word)), "")
    note: Note | None = None
    if subject:
        note, offered = Note("not_mentioned", {"word": subject}), about or list(rows.values())
    elif not depends and standalone.status == "declined" and is_foreign(" ".join(words), nearest):
        offered = []
    else:
        # Many rows are on fees or documents: a word of these alone does not say that another one is meant.
        product = not follow_up_rules.lacks_product(" ".join(words))
        nearer = _nearer(words, nearest, list(rows.values())) if product else []
        note, offered = None if missing else Note("already_shown"), [*nearer, nearest, *(about or rows.values())]
    offered = list({row_id(hit): hit for hit in offered}.values())
    nodes = tuple(JudgedNode(node=hit.node, parts=hit.parts, score=hit.score, status="suggested") for hit in offered)
    if not nodes:
        reason = standalone.reason or "not_covered"
        return replace(contextual, status="declined", reason=reason, nodes=(), note=None, conflicts=())
    ranked = (*nodes, *(hit for hit in contextual.ranked if row_id(hit) not in set(map(row_id, nodes))))
    return replace(contextual, status="suggested", reason=None, nodes=nodes[:SUGGESTIONS], ranked=ranked, note=note)


def _names(words: Sequence[str]) -> list[str]:
    """Words with the banks' words for them, without single characters, which any text holds."""
    return [name for word in words for name in expand(word).split() if len(name) > 1]


def _nearer(words: Sequence[str], shown: JudgedNode, others: Sequence[JudgedNode]) -> list[JudgedNode]:
    """The rows whose questions hold more of the words than all of the row shown before: what was asked now is about them."""
    asked = set(tokens(" ".join(_names(words))))

    def held(text: str) -> int:
        return len(asked & set(tokens(text)))

    least = held(f"{question_of(shown)} {shown.node.get_content()}")
    counted = [(held(question_of(hit)), hit) for hit in others]
    return [hit for count, hit in sorted(counted, key=lambda pair: -pair[0]) if count > least]


def names_same(message: str, ranked: Sequence[JudgedNode]) -> bool:
    """Whether the first row's question names every product, action and the like that a message names, and there is one."""
    named = members_of(message)
    return bool(ranked and named) and named <= members_of(question_of(ranked[0]))


def cited_rows(turn: Turn) -> tuple[str, ...]:
    """The rows that an answer quotes, by the citations in its text; without a text the first."""
    # Beside the quoted rows others are shown, which the answer did not give.
    numbers = {int(number) for number in _CITATION.findall(turn.answer)}
    return tuple(row for number, row in enumerate(turn.source_ids, 1) if number in numbers) or turn.source_ids[:1]


def answered_by_shown(verdict: Verdict, history: Sequence[Turn], message: str) -> Verdict | None:
    """The verdict where the row of the last answer answers this message, too, for it holds all that the message names; else None.

    Its note quotes the sentence that is meant: the whole row was shown already.
    """
    last = history[-1]
    if last.status != "answered" or verdict.status != "answered" or row_id(verdict.nodes[0]) not in cited_rows(last):
        return None
    hit, (words, named) = verdict.nodes[0], (follow_up_rules.nouns(message), members_of(message))
    held = members_of(f"{question_of(hit)} {hit.node.get_content()}")
    if not named <= held or not all(holds_subject(hit, word) for word in words):
        return None
    # The same question in other words is not answered by the same row again.
    before = compact(last.question)
    if named <= members_of(last.question) and all(word in MANNER or compact(word) in before for word in words):
        return None
    # A rate or a fee by itself may be any: "(스트레스 금리 가산)" does not say how high the rate of a loan is.
    if follow_up_rules.lacks_product(message) and asked_values(message):
        return None
    start, end = answering_sentence(message, hit.node.get_content())
    sentence = hit.node.get_content()[start:end]
    # The word may stand in a label alone ("[교체 수수료]"): then no sentence is the one that is meant.
    is_meant = bool(set(tokens(" ".join(_subject_names(words) or [message]))) & set(tokens(sentence)))
    is_meant |= bool(named & members_of(sentence))
    is_one = sum(node.quoted for node in verdict.nodes) == 1
    return replace(verdict, note=Note("in_shown", {"sentence": sentence}) if is_one and is_meant else None)


def _in_question(hit: JudgedNode, words: Sequence[str]) -> bool:
    question = compact(f"{question_of(hit)} {matched_question(hit)}")
    return any(compact(word) in question for word in words)


def _judged(hit: JudgedNode, *, quoted: bool) -> JudgedNode:
    return JudgedNode(node=hit.node, parts=hit.parts, score=hit.score, status="answered", quoted=quoted)


def is_foreign(question: str, before: JudgedNode) -> bool:
    """Whether a message is about something that neither banking nor the row before has a word for."""
    words = follow_up_rules.nouns(question)
    return bool(words) and not is_about_banking(question) and not holds_words(before, words)


def names_unknown(message: str, rows: Sequence[JudgedNode], unheld: Collection[str] = frozenset()) -> bool:
    """Whether all that a message names occurs in none of the rows, is not in the lexicon, and is no word of banking.

    `unheld`: terms of the lexicon that the index has no row about; a word with no other terms is not in the lexicon either.
    "서울에서 부산 얼마나 걸려" has the form of a follow-up, but is about something else. The forms of "일본에서도 돼요?",
    "생일은 안돼?" and of verbs ("채웠는지 어디서 봐요") show that they continue the question before.
    """
    if is_about_banking(message) or follow_up_rules.is_elliptical(message) or _STATES.search(message):
        return False
    named = {raw: follow_up_rules.content_words(raw) for raw in message.split() if not follow_up_rules.asks_on(raw)}
    words = [word for of_raw in named.values() for word in of_raw]
    if not words or any(of_raw and _CONTINUES.search(raw) for raw, of_raw in named.items()):
        return False
    return not any(
        expand(word, without=unheld) != word or any(holds_words(row, (word,)) for row in rows) for word in words
    )


def row_overrides(rule: DeclineRule, verdict: Verdict, question: str) -> bool:
    """Whether the row that answers is about what the rule saw: it holds most of those words, or asks the same.

    Otherwise a banking question would hide an instruction to the program or a request for advice beside it.
    """
    if verdict.status != "answered":
        return False
    words = follow_up_rules.content_words(rule.matched_text(question))
    held = sum(holds_words(verdict.nodes[0], (word,)) for word in words)
    return is_same_question(question, verdict.nodes[0]) or (bool(words) and held >= MOST_WORDS * len(words))


def shown_before(verdict: Verdict, history: Sequence[Turn], nouns: Sequence[str] = ()) -> tuple[str, ...]:
    """The rows that the turn before showed, where the verdict would begin with one of them again.

    A suggested row may be answered now, where it holds the message's `nouns`: they identify it.
    """
    last = history[-1] if history else None
    if not last or not verdict.nodes:
        return ()
    if last.status == "answered":
        shown = cited_rows(last)
    else:
        names_row = verdict.status == "answered" and all(holds_subject(verdict.nodes[0], noun) for noun in nouns)
        shown = () if names_row else last.source_ids
    return shown if row_id(verdict.nodes[0]) in shown else ()
