"""Rows on issuing a certificate answer only questions about certificates, not "연말정산 환급금은 언제 나와요".

Such rows name what their certificates are for (taxes, loans, deposits), so they match many questions on those subjects.
"""

from __future__ import annotations

import re

_CERTIFICATE = re.compile(
    r"(?P<certificate>[가-힣]*(?:증명서|영수증|확인서|증명원|확인원|증빙자료|통장사본|잔액증명))(?:\([^)]*\))?[을를은는이가의]?\s?"
    r"(?:[가-힣]{2,5}(?:으로|에서)\s?)?(?:어디에서|어디서|어떻게|언제부터)?[^?]{0,12}?(?:발급|출력)"
)
_WANTED = re.compile(
    r"증명|영수증|확인[서원]|서류|발급|떼|뗄|뗀|띠|뽑|출력|인쇄|프린트|자료|제출|사본|내역|증빙|명세|pdf|파일|필요|원천징수|간소화|소명|조회"
    r"|안\s?[떠뜨나보]|[가-힣]서(?![가-힣])",
    re.IGNORECASE,
)


def unrequested_certificate(question: str, row_question: str) -> str:
    """The certificate whose issue a row explains, if the question asks for none; otherwise empty."""
    match = _CERTIFICATE.search(row_question)
    return "" if match is None or _WANTED.search(question) else match["certificate"]
