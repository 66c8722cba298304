"""A message against the rows shown before it: a choice among them ("1번이요", "네", a click), and other rows where one of them
would be given again; and the row that a decline rule yields to.

It needs the rows an earlier turn showed (`Turn.source_ids`); without them nothing is a choice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.constraints.aspects import ASPECT_OF
from rag.constraints.compounds import LONG_NAME
from rag.constraints.contrasts import default_contrasts, members_of
from rag.conversation.follow_up_rules import chosen_number, lacks_product, rejects_answer
from rag.conversation.row_search import holds_words, in_question, is_same_question
from rag.conversation.word_rules import WordRule, content_words, nouns, says
from rag.korean import compact, tokens
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict, names_thing
from rag.retrieval.hybrid import question_of, row_id
from rag.retrieval.query_analysis import BANK, expand
from rag.stores.base import QUESTION, PassageStore
from rag.types import Note, NoteKind, Status, Turn

MOST_WORDS = 0.6
"""Share of the words a decline rule matched from which on a row that holds them is about the same."""
MAX_BACK = 3
"""Turns among which suggestions are looked for that a number may still mean."""
_PUNCTUATION = re.compile(r"[\s?!.,~]+")
_CITATION = re.compile(r"\[(\d{1,2})\]")


def read_choice(message: str, history: Sequence[Turn], store: PassageStore) -> Verdict | None:
    """The verdict of a message that chooses among the rows of the last turn that showed any; None: it is a question."""
    if not history:
        # A page that has just been opened: there is nothing it could refer to.
        return _without_list(message, chosen_number(message, 0))
    last = history[-1]
    number = chosen_number(message, len(last.source_ids))
    agrees, refuses = says(message, "yes"), says(message, "no", "nothing fits")
    # Before suggestions are looked at: "다시 보여줘" after them chooses none.
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
        # "그럼 두 번째는?" after the first of some rows: their numbers still count.
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
    """The verdict of a message that chooses where there is nothing to choose from; None: it is a question."""
    # A bare number may be an amount: only "2번" and the like are a choice of something that is not there.
    is_choice = bool(number) and not message.strip().isdigit()
    if is_choice or rejects_answer(message) or says(message, "nothing fits", "last choice"):
        return _declined(message, "no_list")
    return _declined(message, "nothing_pending") if says(message, "yes", "no") else None


def chosen_row(message: str, row: str, store: PassageStore) -> Verdict | None:
    """The verdict where a customer clicked on the row itself; None: it is not there any more."""
    rows = _rows([row], store)
    return _answered(message, rows, 1) if rows else None


def rows_shown(turn: Turn, store: PassageStore) -> list[JudgedNode]:
    """The rows that a turn gave or offered: those quoted of an answer, all of suggestions. A round trip to a server's store."""
    return _rows(cited_rows(turn) if turn.status == "answered" else turn.source_ids, store)


def _rows(ids: Sequence[str], store: PassageStore) -> list[JudgedNode]:
    """The rows that are still there, in the order shown; a row in several nodes is represented by its first."""
    # Of a split row no node has the row's own id.
    found = {node.node_id: node for node in store.get_nodes([name for row in ids for name in (row, f"{row}#0")])}
    nodes = [found.get(row) or found.get(f"{row}#0") for row in ids]
    return [JudgedNode(node=node, parts={}, score=1.0, status="suggested") for node in nodes if node]


def _is_its_question(message: str, row: JudgedNode) -> bool:
    question, bank = (str(row.node.metadata.get(key) or "") for key in (QUESTION, BANK))
    # Visitors copy a suggestion and send it: with its institution before it, as it stands on the page.
    said = _PUNCTUATION.sub("", compact(message))
    return said in {
        _PUNCTUATION.sub("", compact(text)) for text in (question, f"{bank} {question}", f"[{bank}] {question}")
    }


def _answered(message: str, rows: Sequence[JudgedNode], number: int) -> Verdict:
    chosen = rows[number - 1]
    hit = JudgedNode(node=chosen.node, parts={}, score=1.0, status="answered", quoted=True)
    return Verdict("answered", None, (hit,), (hit,), 1.0, 1.0, message)


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
    """Suggestions in the place of rows `shown` before: other rows that hold the message's own `words`, if there are any.

    The note says that the rows shown say nothing about a word, or that one of them, offered again, is the nearest. It says
    neither where they hold some of the words. Where they hold none, none is of banking, and the message does not
    depend on what was said before (`depends`), nothing is offered.
    """
    repeated = [hit for hit in contextual.ranked if row_id(hit) in shown]
    rows = {row_id(hit): hit for hit in (*contextual.ranked, *standalone.ranked) if row_id(hit) not in shown}
    about = [hit for hit in rows.values() if words and in_question(hit, _bank_words(words))]
    nearest = max(repeated, key=lambda hit: sum(holds_subject(hit, word) for word in words))
    missing = [word for word in words if not holds_subject(nearest, word)]
    # Only a word of banking is worth naming: "'며칠'에 대한 내용이 없습니다" helps nobody.
    subject = next((word for word in missing if says(word, "banking word")), "")
    note: Note | None = None
    if subject:
        note, offered = Note("not_mentioned", {"word": subject}), about or list(rows.values())
    elif not depends and standalone.status == "declined" and is_foreign(" ".join(words), nearest):
        offered = []
    else:
        # Many rows are on fees or documents: a word of these alone does not say that another one is meant.
        product = not lacks_product(" ".join(words))
        nearer = _nearer(words, nearest, list(rows.values())) if product else []
        note, offered = None if missing else Note("already_shown"), [*nearer, nearest, *(about or rows.values())]
    offered = list({row_id(hit): hit for hit in offered}.values())
    nodes = tuple(hit.judged("suggested") for hit in offered)
    if not nodes:
        reason = standalone.reason or "not_covered"
        return replace(contextual, status="declined", reason=reason, nodes=(), note=None, conflicts=())
    ranked = (*nodes, *(hit for hit in contextual.ranked if row_id(hit) not in set(map(row_id, nodes))))
    return replace(contextual, status="suggested", reason=None, nodes=nodes[:SUGGESTIONS], ranked=ranked, note=note)


def _bank_words(words: Sequence[str]) -> list[str]:
    """Words with the banks' words for them, without single characters, which any text holds."""
    return [name for word in words for name in expand(word).split() if len(name) > 1]


def _nearer(words: Sequence[str], shown: JudgedNode, others: Sequence[JudgedNode]) -> list[JudgedNode]:
    """The rows whose questions hold more of the words than all of the row shown before: what was asked now is about them."""
    asked = set(tokens(" ".join(_bank_words(words))))

    def held(text: str) -> int:
        return len(asked & set(tokens(text)))

    least = held(f"{question_of(shown)} {shown.node.get_content()}")
    counted = [(held(question_of(hit)), hit) for hit in others]
    return [hit for count, hit in sorted(counted, key=lambda pair: -pair[0]) if count > least]


def cited_rows(turn: Turn) -> tuple[str, ...]:
    """The rows that an answer quotes, by the citations in its text; without a text the first."""
    # Beside the quoted rows others are shown, which the answer did not give.
    numbers = {int(number) for number in _CITATION.findall(turn.answer)}
    return tuple(row for number, row in enumerate(turn.source_ids, 1) if number in numbers) or turn.source_ids[:1]


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
        # Its values were compared with the row's: 10개월 is one of 7~12개월.
        things = [noun for noun in nouns if not noun[0].isdigit()]
        names_row = verdict.status == "answered" and all(holds_subject(verdict.nodes[0], noun) for noun in things)
        shown = () if names_row else last.source_ids
    return shown if row_id(verdict.nodes[0]) in shown else ()


def unless_repeated(verdict: Verdict, question: str, history: Sequence[Turn]) -> Verdict:
    """The verdict; where it would give the answer of the turn before again, suggestions."""
    shown = shown_before(verdict, history) if verdict.status == "answered" else ()
    return other_than_shown(verdict, verdict, shown, content_words(question)) if shown else verdict


def is_known(words: Sequence[str], rows: Sequence[JudgedNode]) -> bool:
    """Whether the lexicon or the questions of rows have one of the words."""
    return any(expand(word) != word or any(in_question(hit, (word,)) for hit in rows) for word in words)


def is_foreign(question: str, before: JudgedNode) -> bool:
    """Whether a message is about something that neither banking nor the row before has a word for."""
    words = nouns(question)
    return bool(words) and not says(question, "banking word") and not holds_words(before, words)


def holds_subject(hit: JudgedNode, word: str) -> bool:
    """Whether a row contains a word or another name of the same thing: 이자 where it has 이율, 비용 where it has 수수료."""
    names = subject_names([word])
    # What is done ("올려요") the question before may have said in other words.
    is_thing = all(default_contrasts().sets[name].kind != "action" for name, _ in members_of(word))
    return holds_words(hit, [*names, *bank_names(word)]) or (is_thing and names_thing(hit, word))


def bank_names(word: str) -> list[str]:
    """The bank's words for a customer's that are long enough to name the same thing."""
    return [name for name in expand(word).split() if len(name) >= LONG_NAME]


def subject_names(words: Sequence[str]) -> list[str]:
    """The words, each with the other names of the same subject."""
    return [
        name
        for word in words
        for name in (word, *(each for each in ASPECT_OF if ASPECT_OF[each] == ASPECT_OF.get(word)))
    ]


def row_overrides(rule: WordRule, verdict: Verdict, question: str) -> bool:
    """Whether the row that answers is about what the rule saw: it holds most of those words, or asks the same.

    Otherwise a banking question would hide an instruction to the program or a request for advice beside it.
    """
    if verdict.status != "answered":
        return False
    words = content_words(rule.matched_text(question))
    held = sum(holds_words(verdict.nodes[0], (word,)) for word in words)
    return is_same_question(question, verdict.nodes[0]) or (bool(words) and held >= MOST_WORDS * len(words))
