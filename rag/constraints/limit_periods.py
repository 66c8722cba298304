"""For which period does a question ask for a limit, and does a row state limits for others alone? "한 달에 얼마까지"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.constraints.everyday_values import values_of

_PERIOD = re.compile(
    r"(?:(?P<day>1일|일일|하루|매일)|(?P<once>1회|한\s?번(?=에)|건당|회당)|(?P<month>한\s?달|매[월달]|1개월|(?<![가-힣])월)"
    r"|(?P<year>1년|일\s?년|연간|매년|해마다|(?<![가-힣])연))에?\s?"
    r"(?:(?:최대|한도\S?|총|모두|다\s?(?:합쳐|합해)서?|합쳐서?|합해서?)\s?)*$"
)
"""Precedes a value that holds per day, per transaction, per month or per year."""
_BETWEEN = re.compile(
    r"(?:[은는도])?\s?(?:(?:결제|이체|송금|출금|인출|납입|입금|충전|환전|이용|사용|보상|돈)[은는을를]?\s)?$"
)
"""May stand between the period of a question and the words that ask for a value: "한 달에는 결제 얼마까지"."""
_PERIOD_WORDS = {
    "day": re.compile(r"1일|일일|하루|매일|당일|일\s?한도"),
    "month": re.compile(r"한\s?달|매[월달]|1개월|(?<!\d)월\s?(?:\d|한도|최대|누적)|월간|월별"),
    "year": re.compile(r"[1일]\s?년|연간|매년|해마다|연\s?(?:\d|한도|최대|누적)"),
}
"""How a row mentions each period. "once" is left out: what is allowed per day is allowed in one transaction."""
_PERIOD_OF_LIMIT = re.compile(
    r"(?:(?P<day>1일|일일|하루)|(?P<month>한\s?달|매[월달]|(?<![가-힣\d])월(?=\s))"
    r"|(?P<year>연간|[1일]\s?년(?=에)|매년|해마다|(?<![가-힣])연(?=\s)))에?[은는도]?\s?"
    r"(?:(?:계좌|카드|현금|온라인|해외)\s)?(?:이체|출금|결제|이용|송금|인출|납입|충전|환전|사용|보상)?\s?(?:한도|횟수|제한|몇\s?[번회건])"
)
"""A period with the limit that it is asked for: "월 결제 한도", "한 달에 몇 번"."""


def period_before(text: str, at: int) -> re.Match[str] | None:
    """The words before an offset that say for what period a value there holds; the match's last group names it."""
    return _PERIOD.search(text[:at])


def period_asked(before: str) -> re.Match[str] | None:
    """The period for which a value is asked for: `before` is the question up to the words that ask."""
    return _PERIOD.search(_BETWEEN.sub("", before))


def period_not_stated(before: str, row: str, dimension: str) -> str:
    """The period of a value that is asked for behind `before`, if a row states such values for others alone; otherwise empty."""
    period = period_asked(before)
    name = period.lastgroup if period else None
    if period is None or name not in _PERIOD_WORDS or _PERIOD_WORDS[name].search(row):
        return ""
    return period.group(name) if _holds_per_period(row, dimension) else ""


def periods_of_limits_not_stated(question: str, row_question: str, row: str) -> Iterator[str]:
    """The periods of limits in a question ("월 이체 한도") of a row that has limits for others alone."""
    for match in _PERIOD_OF_LIMIT.finditer(question):
        name = str(match.lastgroup)
        if _PERIOD_WORDS[name].search(row):
            continue
        if _PERIOD_OF_LIMIT.search(row_question) or _holds_per_period(row, "money", "count"):
            yield match.group(name)


def _holds_per_period(row: str, *dimensions: str) -> bool:
    """Whether a value of a row, of one of these dimensions, holds for some period."""
    return any(period_before(row, each.start) for each in values_of(row) if each.dimension in dimensions)
