"""Relates a message to the rows shown before: a choice among them ("1번이요", "네", a click), and other rows instead of
repeating one.

Needs the rows that an earlier turn showed (`Turn.source_ids`). Also decides whether a row overrides a decline rule.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.constraints.aspects import ASPECT_OF
from rag.constraints.contrasts import default_contrasts, members_of
from rag.constraints.synonyms import LONG_NAME
from rag.conversation.follow_up_rules import chosen_number, lacks_product, rejects_answer
from rag.conversation.row_search import is_same_question
from rag.conversation.word_rules import WordRule, content_words, nouns, says
from rag.korean import compact, tokens
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.differences import names_thing
from rag.retrieval.query_analysis import BANK, expand
from rag.retrieval.ranking import score_of
from rag.retrieval.rows import holds_words, in_question, question_of, row_id
from rag.stores.base import QUESTION, PassageStore
from rag.types import Note, NoteKind, Status, Turn

MOST_WORDS = 0.6
"""Share of the words matched by a decline rule that a row must contain to be about the same."""
UNRELATED = 0.005
"""Chance below which a row is offered behind another one only for a word in its question; it is shown as 0.00."""
MAX_BACK = 3
"""Turns in which suggestions are searched that a number may refer to."""
_PUNCTUATION = re.compile(r"[\s?!.,~]+")
_CITATION = re.compile(r"\[(\d{1,2})\]")


def read_choice(message: str, history: Sequence[Turn], store: PassageStore) -> Verdict | None:
    """The verdict of a message that chooses among the rows of the last turn that showed any; None for a question."""
    if not history:
        return _without_list(message, chosen_number(message, 0))
    last = history[-1]
    number = chosen_number(message, len(last.source_ids))
    agrees, refuses = says(message, "yes"), says(message, "no", "nothing fits")
    # First, because "다시 보여줘" after suggestions chooses none of them.
    if says(message, "again") and (rows := _rows(last.source_ids, store)):
        return replace(_which(message, rows), note=Note("already_shown"))
    if last.status == "suggested" and last.source_ids:
        rows = _rows(last.source_ids, store)
        if number is None and agrees and len(rows) == 1:
            number = 1
        if number is None:
            number = next((place for place, row in enumerate(rows, 1) if _is_its_question(message, row)), None)
        if number is not None:
            return _answered(message, rows, number) if 1 <= number <= len(rows) else _which(message, rows)
        if agrees:
            return _which(message, rows)
        return _declined(message, "none_chosen") if refuses else None
    if number is not None and not message.strip().isdigit():
        # "그럼 두 번째는?" after a choice refers to the same list.
        lists = (
            turn for turn in reversed(history[-MAX_BACK:]) if turn.status == "suggested" or len(turn.source_ids) > 1
        )
        offered = next((turn.source_ids for turn in lists), ())
        is_one_of_them = len(last.source_ids) == 1 and last.source_ids[0] in offered
        rows = _rows(offered if is_one_of_them else last.source_ids, store)
        if 1 <= number <= len(rows):
            return _answered(message, rows, number)
        if len(rows) > 1:
            return _which(message, rows)
    if last.status is None:
        return None
    return _declined(message, "none_chosen") if says(message, "nothing fits") else _without_list(message, number)


def _without_list(message: str, number: int | None) -> Verdict | None:
    """The verdict of a message that chooses although there is no list; None for a question."""
    # Only "2번" and the like are a choice; a number alone may be an amount.
    is_choice = bool(number) and not message.strip().isdigit()
    if is_choice or rejects_answer(message) or says(message, "nothing fits", "last choice"):
        return _declined(message, "no_list")
    return _declined(message, "nothing_pending") if says(message, "yes", "no") else None


def chosen_row(message: str, row: str, store: PassageStore) -> Verdict | None:
    """The verdict for a row that the customer clicked on; None if it does not exist any more."""
    rows = _rows([row], store)
    return _answered(message, rows, 1) if rows else None


def rows_shown(turn: Turn, store: PassageStore) -> list[JudgedNode]:
    """The rows that a turn quoted or suggested. A round trip to a server's store."""
    return _rows(cited_rows(turn) if turn.status == "answered" else turn.source_ids, store)


def _rows(ids: Sequence[str], store: PassageStore) -> list[JudgedNode]:
    """The rows that still exist, in the order shown; a row of several nodes is represented by its first."""
    # The first node of a split row has the id of the row with "#0".
    by_id = {node.node_id: node for node in store.get_nodes([name for row in ids for name in (row, f"{row}#0")])}
    nodes = [by_id.get(row) or by_id.get(f"{row}#0") for row in ids]
    return [JudgedNode(node=node, parts={}, score=1.0, status="suggested") for node in nodes if node]


def _is_its_question(message: str, row: JudgedNode) -> bool:
    """Whether a message is the question of a suggested row, which a customer may have copied with its institution."""
    question, bank = (str(row.node.metadata.get(key) or "") for key in (QUESTION, BANK))
    return _PUNCTUATION.sub("", compact(message)) in {
        _PUNCTUATION.sub("", compact(text)) for text in (question, f"{bank} {question}", f"[{bank}] {question}")
    }


def _answered(message: str, rows: Sequence[JudgedNode], number: int) -> Verdict:
    chosen = rows[number - 1]
    hit = JudgedNode(node=chosen.node, parts={}, score=1.0, status="answered", quoted=True)
    return Verdict("answered", None, (hit,), (hit,), 1.0, 1.0, message, is_chosen=True)


def _which(message: str, rows: Sequence[JudgedNode]) -> Verdict:
    status: Status = "suggested" if rows else "declined"
    return Verdict(
        status, None if rows else "not_covered", tuple(rows), tuple(rows), 0.0, 0.0, message, note=Note("which")
    )


def _declined(message: str, kind: NoteKind) -> Verdict:
    return Verdict(
        "declined", "thanks" if kind == "nothing_pending" else "not_covered", (), (), 0.0, 0.0, message, note=Note(kind)
    )


def other_than_shown(
    contextual: Verdict, standalone: Verdict, shown: Sequence[str], words: Sequence[str], *, depends: bool = True
) -> Verdict:
    """Suggestions instead of the rows `shown` before: other rows with the message's own `words`, if there are any.

    The note says that the rows shown do not cover a word of banking, or that one of them is the closest and is suggested again.
    If they contain only some of the words, there is no note. Nothing is suggested if they contain none, none is of banking, and
    the message does not depend on what was said before (`depends`).
    """
    repeated = [hit for hit in contextual.ranked if row_id(hit) in shown]
    rows = {row_id(hit): hit for hit in (*contextual.ranked, *standalone.ranked) if row_id(hit) not in shown}
    about = [hit for hit in rows.values() if words and in_question(hit, _bank_words(words))]
    nearest = max(repeated, key=lambda hit: sum(holds_subject(hit, word) for word in words))
    missing = [word for word in words if not holds_subject(nearest, word)]
    # The note names only words of banking: "'며칠'에 대한 내용이 없습니다" would not help.
    subject = next((word for word in missing if says(word, "banking word")), "")
    note: Note | None = None
    if subject:
        note, offered = Note("not_mentioned", {"word": subject}), about or list(rows.values())
    elif not depends and standalone.status == "declined" and is_unrelated(" ".join(words), nearest):
        offered = []
    else:
        # A message on an aspect only, like fees, does not show that another row is meant, because many rows have that aspect.
        has_product = not lacks_product(" ".join(words))
        nearer = _nearer(words, nearest, list(rows.values())) if has_product else []
        note, offered = None if missing else Note("already_shown"), [*nearer, nearest, *(about or rows.values())]
    offered = list({row_id(hit): hit for hit in offered}.values())
    nodes = tuple(hit.judged("suggested") for hit in offered)
    if not nodes:
        reason = standalone.reason or "not_covered"
        return replace(contextual, status="declined", reason=reason, nodes=(), note=None, conflicts=())
    ranked = (*nodes, *(hit for hit in contextual.ranked if row_id(hit) not in set(map(row_id, nodes))))
    return replace(contextual, status="suggested", reason=None, nodes=nodes[:SUGGESTIONS], ranked=ranked, note=note)


def _bank_words(words: Sequence[str]) -> list[str]:
    """The words and their synonyms in the lexicon, without single characters, which occur in any text."""
    return [name for word in words for name in expand(word).split() if len(name) > 1]


def _nearer(words: Sequence[str], shown: JudgedNode, others: Sequence[JudgedNode]) -> list[JudgedNode]:
    """The rows with a chance whose questions hold more of the words than question and answer of the row shown before."""
    asked = set(tokens(" ".join(_bank_words(words))))

    def count_tokens(text: str) -> int:
        return len(asked & set(tokens(text)))

    least = count_tokens(f"{question_of(shown)} {shown.node.get_content()}")
    counted = [(count_tokens(question_of(hit)), hit) for hit in others if score_of(hit) >= UNRELATED]
    return [hit for count, hit in sorted(counted, key=lambda pair: -pair[0]) if count > least]


def cited_rows(turn: Turn) -> tuple[str, ...]:
    """The rows that an answer quotes, by the citations in its text; without citations the first row of the turn."""
    numbers = {int(number) for number in _CITATION.findall(turn.answer)}
    return tuple(row for number, row in enumerate(turn.source_ids, 1) if number in numbers) or turn.source_ids[:1]


def shown_before(verdict: Verdict, history: Sequence[Turn], nouns: Sequence[str] = ()) -> tuple[str, ...]:
    """The rows that the previous turn showed if the verdict begins with one of them again; else none.

    A row that was suggested may be answered now if it contains the `nouns` of the message, which identify it.
    """
    last = history[-1] if history else None
    if not last or not verdict.nodes:
        return ()
    if last.status == "answered":
        shown = cited_rows(last)
    else:
        # Values have been compared with those of the row before: 10개월 is within 7~12개월.
        things = [noun for noun in nouns if not noun[0].isdigit()]
        names_row = verdict.status == "answered" and all(holds_subject(verdict.nodes[0], noun) for noun in things)
        shown = () if names_row else last.source_ids
    return shown if row_id(verdict.nodes[0]) in shown else ()


def unless_repeated(verdict: Verdict, question: str, history: Sequence[Turn]) -> Verdict:
    """The verdict, or suggestions if it would repeat the answer of the previous turn."""
    shown = shown_before(verdict, history) if verdict.status == "answered" else ()
    return other_than_shown(verdict, verdict, shown, content_words(question)) if shown else verdict


def is_known(words: Sequence[str], rows: Sequence[JudgedNode]) -> bool:
    """Whether one of the words is in the lexicon or in the questions of the rows."""
    return any(expand(word) != word or any(in_question(hit, (word,)) for hit in rows) for word in words)


def is_unrelated(question: str, before: JudgedNode) -> bool:
    """Whether a message has nouns, none of which is a word of banking or of the previous row."""
    words = nouns(question)
    return bool(words) and not says(question, "banking word") and not holds_words(before, words)


def holds_subject(hit: JudgedNode, word: str) -> bool:
    """Whether a row contains a word or another name of the same thing: 이율 for 이자, 수수료 for 비용."""
    names = subject_names([word])
    # Not for actions ("올려요"), for which the previous question may have used other words.
    is_thing = all(default_contrasts().sets[name].kind != "action" for name, _ in members_of(word))
    return holds_words(hit, [*names, *bank_names(word)]) or (is_thing and names_thing(hit, word))


def bank_names(word: str) -> list[str]:
    """The synonyms of a word in the lexicon that are long enough to identify the thing."""
    return [name for name in expand(word).split() if len(name) >= LONG_NAME]


def subject_names(words: Sequence[str]) -> list[str]:
    """The words, each followed by the other names of the same aspect."""
    return [
        name
        for word in words
        for name in (word, *(each for each in ASPECT_OF if ASPECT_OF[each] == ASPECT_OF.get(word)))
    ]


def row_overrides(rule: WordRule, verdict: Verdict, question: str) -> bool:
    """Whether the row that answers is about what a decline rule matched: it contains most of these words, or has the same
    question.

    Otherwise an instruction to the program or a request for advice could be hidden in a banking question.
    """
    if verdict.status != "answered":
        return False
    words = content_words(rule.matched_text(question))
    count = sum(holds_words(verdict.nodes[0], (word,)) for word in words)
    return is_same_question(question, verdict.nodes[0]) or (bool(words) and count >= MOST_WORDS * len(words))
