"""Answers a customer to whom something like a scam has happened with rows about fraud, or with a warning.

"도담이라면서 전화와서 기존대출 먼저 갚으래" is no question on how to repay: the row that says how would serve the scammer.
`scam_rules.toml` has the stories, and the words by which a row is about fraud, so this works for any FAQ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.conversation.row_search import RowSearch, is_same_question
from rag.conversation.word_rules import FraudSign, scam_rules, tells_of_scam
from rag.korean import compact
from rag.retrieval.confidence import SUGGESTIONS, JudgedNode, Verdict
from rag.retrieval.rows import phrasings_of, row_id
from rag.types import Filters, Note, NoteKind, Turn

WARNING_WORDS, LOSS_WORDS, LINK_WORDS = (
    "사칭 의심",
    "보이스피싱 피해 지급정지 신청",
    "스미싱 문자 링크 악성 앱 설치 조치",
)
"""Added to a story when the rows about fraud are searched for: before and after something was given, and after a link."""
_SUSPICION: tuple[FraudSign, ...] = ("row on a suspicion", "row on a loss")
_LOSS, _LINK = _SUSPICION[::-1], ("row on a link or an app", *_SUSPICION[::-1])
"""Which rows about fraud come first."""
SHORT = 20
"""Characters, at most, of a message that only says what was done or not after the story before it ("이미 보냈어요")."""


def about_fraud(verdict: Verdict, message: str, history: Sequence[Turn], rows: RowSearch, filters: Filters) -> Verdict:
    """The outcome of a scam story, from its `verdict` as a question.

    An answer stays if its rows ask the same word for word, or say how a suspicion is checked, or after a loss are about fraud.
    Else rows about fraud are suggested with a warning: those on a loss first if there is one, else those on a suspicion.
    After a link was pressed or an app installed the rows on that come first. Without such rows the question is declined with
    the warning. A message after a story stays as it is unless it says that something was done, or was not.
    """
    signs, story = scam_rules(), message
    is_done = signs["already done"].matches(message)
    if not tells_of_scam(message):
        if len(compact(message)) > SHORT or not (is_done or signs["not done"].matches(message)):
            return verdict
        story = f"{history[-1].question} {message}"
    quoted = [hit for hit in verdict.nodes if hit.quoted]
    if quoted and all(is_same_question(message, hit) for hit in quoted):
        return verdict
    if quoted and all(_is_on_fraud(hit) if is_done else _is_on("row on a suspicion", hit) for hit in quoted):
        return verdict
    kind: NoteKind = "fraud_loss" if is_done else "fraud"
    words, first = WARNING_WORDS, _SUSPICION
    if is_done:
        words, first = (LINK_WORDS, _LINK) if signs["pressed"].matches(message) else (LOSS_WORDS, _LOSS)
    found = rows.search(f"{story} {words}", filters)
    by_id = {row_id(hit): hit for hit in (*found.ranked, *verdict.ranked) if _is_on_fraud(hit)}
    ranked = [hit.judged("suggested") for hit in by_id.values()]
    # The sort is stable: within a group the nearest rows come first.
    ranked.sort(key=lambda hit: next((place for place, sign in enumerate(first) if _is_on(sign, hit)), len(first)))
    return replace(
        verdict,
        status="suggested" if ranked else "declined",
        reason=None if ranked else "not_covered",
        nodes=tuple(ranked[:SUGGESTIONS]),
        ranked=tuple(ranked),
        query=message,
        note=Note(kind),
        sections=(),
        conflicts=(),
    )


def _is_on_fraud(hit: JudgedNode) -> bool:
    """Whether a row's category or question is about fraud. A row's answer may only warn of it beside the instructions."""
    text = f"{hit.node.metadata.get('category') or ''}\n{phrasings_of(hit)}"
    return scam_rules()["row about fraud"].matches(text) or tells_of_scam(phrasings_of(hit))


def _is_on(sign: FraudSign, hit: JudgedNode) -> bool:
    return scam_rules()[sign].matches(phrasings_of(hit))
