"""What a message leaves as it is while it ends something else: the account in "통장은 그냥 두고 카드만 없애려고요".

A row on ending what is kept answers nothing there, and what is said of keeping ("살려 두고") asks for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rag.constraints.compounds import is_no_kind, is_same_member, usual_word
from rag.korean import compact, tokens

_LEFT = r"(?:놔\s?두|내버려\s?두|냅두|남겨\s?두|살려\s?두|유지하|남기|살리)(?:고|면서|구)|(?:놔|남겨|살려)\s?둔\s?채"
KEPT = re.compile(
    r"(?<![0-9A-Za-z가-힣])(?:(?:제|내|그|본인)\s)?(?P<thing>[0-9A-Za-z가-힣]{2,12}?)"
    rf"(?:[은는]\s?(?:(?:그냥|그대로|계속|일단)\s?)?(?:{_LEFT}|두(?:고|구))|[을를]?\s?(?:그대로|그냥)\s?(?:{_LEFT}|두(?:고|구))|[을를]?\s?(?:{_LEFT}))"
    r"(?![가-힣])(?!\s?(?:있|싶|왔|오는))"
)
"""Something and that it stays: "통장은 그냥 두고", "보험 유지하면서", but not "지갑을 집에 두고"."""
_ENDED = re.compile(
    r"(?<![0-9A-Za-z가-힣])(?P<thing>[0-9A-Za-z가-힣]{2,12}?)(?:(?:만|[을를])\s?|\s)(?:(?:좀|먼저|따로|바로|완전히|싹)\s)?"
    r"(?:해지|해제|해약|탈퇴|폐쇄|삭제|취소|말소|없애|없앨|끊|빼|뺄|지우|지울|정리|닫)"
)
_ENDS = re.compile(r"해지|해제|해약|탈퇴|폐쇄|삭제|취소|말소|없애|끊|종료")


def ended_instead(question: str, row_question: str) -> Iterator[tuple[str, str]]:
    """(ended, kept) if a question ends one thing and keeps another, and a row's question is on ending the kept one alone."""
    if not _ENDS.search(row_question) or (pair := _ended_and_kept(question)) is None:
        return
    ended, kept = pair
    row = compact(usual_word(row_question, 2))
    names_kept = compact(usual_word(kept, 2)) in row
    names_ended = is_same_member(ended, row_question) or any(part in row for part in (ended, *tokens(ended)))
    if names_kept and not names_ended:
        yield ended, kept


@lru_cache(maxsize=1024)
def _ended_and_kept(question: str) -> tuple[str, str] | None:
    if (kept := KEPT.search(question)) is None:
        return None
    ended = _ENDED.search(question[: kept.start()]) or _ENDED.search(question[kept.end() :])
    return None if ended is None or is_no_kind(ended["thing"]) else (ended["thing"], kept["thing"])
