"""A row on where to get a paper answers only who asks for one, not "연말정산 환급금은 언제 나와요".

Such rows name much that their papers are for (taxes, loans, deposits), so they lie near to many questions on those.
"""

from __future__ import annotations

import re

_PAPER = re.compile(
    r"(?P<paper>[가-힣]*(?:증명서|영수증|확인서|증명원|확인원|증빙자료|통장사본|잔액증명))(?:\([^)]*\))?[을를은는이가의]?\s?"
    r"(?:[가-힣]{2,5}(?:으로|에서)\s?)?(?:어디에서|어디서|어떻게|언제부터)?[^?]{0,12}?(?:발급|출력)"
)
_WANTED = re.compile(
    r"증명|영수증|확인[서원]|서류|발급|떼|뗄|뗀|띠|뽑|출력|인쇄|프린트|자료|제출|사본|내역|증빙|명세|pdf|파일|필요|원천징수|간소화|소명|조회"
    r"|안\s?[떠뜨나보]|[가-힣]서(?![가-힣])",
    re.IGNORECASE,
)


def unasked_paper(question: str, row_question: str) -> str:
    """The paper that a row tells how to get, where the question asks for none; else empty."""
    match = _PAPER.search(row_question)
    return "" if match is None or _WANTED.search(question) else match["paper"]
