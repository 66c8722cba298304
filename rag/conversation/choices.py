"""A message that answers what was shown before: "1번이요", "두 번째 거", "네", "아니요", or a click on a suggestion.

It needs the rows an earlier turn showed (`Turn.source_ids`); without them nothing is a choice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.conversation.follow_up_rules import asks_again, chosen_number, is_no, is_yes
from rag.korean import compact
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.retrieval.query_analysis import BANK
from rag.stores.base import QUESTION, PassageStore
from rag.types import Note, NoteKind, Status, Turn

MAX_BACK = 3
"""Turns among which suggestions are looked for that a number may still mean."""
_PUNCTUATION = re.compile(r"[\s?!.,~]+")


def read_choice(message: str, history: Sequence[Turn], store: PassageStore) -> Verdict | None:
    """The verdict of a message that chooses among the rows of the last turn that showed any; None: it is a question."""
    if not history:
        # A page that has just been opened: there is nothing it could refer to.
        is_reply = is_yes(message) or is_no(message) or (chosen_number(message, 0) and not message.strip().isdigit())
        return _declined(message, "nothing_pending") if is_reply else None
    last = history[-1]
    number = chosen_number(message, len(last.source_ids))
    agrees, refuses = is_yes(message), is_no(message)
    # Before suggestions are looked at: "다시 보여줘" after them chooses none.
    if asks_again(message) and (rows := _rows(last.source_ids, store)):
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
        # "그럼 두 번째는?" after the first of some suggestions: their numbers still count.
        offered = next((turn.source_ids for turn in reversed(history[-MAX_BACK:]) if turn.status == "suggested"), ())
        is_one_of_them = len(last.source_ids) == 1 and last.source_ids[0] in offered
        if rows := _rows(offered if is_one_of_them else last.source_ids, store):
            return _answered(message, rows, number) if 1 <= number <= len(rows) else _which(message, rows)
    # A bare number may be an amount: only "2번" and the like are a choice of something that is not there.
    chooses = number is not None and not message.strip().isdigit() and not last.source_ids
    return _declined(message, "nothing_pending") if last.status is not None and (agrees or refuses or chooses) else None


def chosen_row(message: str, row: str, store: PassageStore) -> Verdict | None:
    """The verdict where a customer clicked on the row itself; None: it is not there any more."""
    rows = _rows([row], store)
    return _answered(message, rows, 1) if rows else None


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
