"""Repeats the previous question for another institution ("도담은요?") or for several ("셋 다 비교해줘")."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rag.conversation.follow_up_rules import contextual_text
from rag.conversation.own_case import states_case
from rag.conversation.row_search import RowSearch
from rag.conversation.shown_rows import cited_rows
from rag.conversation.suggestions import as_suggestions, merge_as_suggestions
from rag.conversation.word_rules import plain
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.retrieval.query_analysis import NamedBanks
from rag.retrieval.rows import bank_of
from rag.types import Filters, Turn

MOST = 5
"""Institutions to compare, at most: nobody reads more rows side by side."""
_PAIR = ("둘", "두")


def search_there(
    rows: RowSearch, named: NamedBanks, history: Sequence[Turn], filters: Filters, has_topic: Callable[[str], bool]
) -> Verdict:
    """Search for the topic of the conversation at the institution `named`, without the institutions named before.

    If the last two messages got the same row, the last one asked for a detail of it; then the row for the earlier question comes
    first.
    """

    def search(turns: Sequence[Turn]) -> Verdict:
        earlier = contextual_text("", turns, has_topic)
        return rows.search(" ".join([*named.chosen, rows.named(earlier).rest]).strip() or earlier, filters)

    # Turns that only state a value of the customer are not searched for, because no row's question contains it.
    asked = [turn for turn in history if not states_case(turn.question)] or history
    verdict = search(asked)
    if verdict.status == "answered" or len(asked) == 1 or cited_rows(asked[-1])[:1] != cited_rows(asked[-2])[:1]:
        return verdict
    first = search(asked[:-1])
    return verdict if first.status == "declined" else merge_as_suggestions(as_suggestions(first), verdict)


def all_compared(
    message: str, history: Sequence[Turn], rows: RowSearch, shown: Sequence[JudgedNode]
) -> tuple[str, ...]:
    """The institutions that a message means by "셋 다" or "은행별로": at least two, or none.

    They are those named in the conversation, else those of the rows `shown` last, else all of the index.
    """
    mentioned = dict.fromkeys(
        bank for turn in history for bank in rows.named(turn.question).chosen if bank in rows.banks
    )
    of_shown = dict.fromkeys(map(bank_of, shown))
    is_pair = any(word in plain(message) for word in _PAIR)
    for banks in (tuple(mentioned), tuple(filter(None, of_shown)), tuple(rows.banks)):
        if 2 <= len(banks) <= MOST and (len(banks) == 2 or not is_pair):
            return banks
    return ()
