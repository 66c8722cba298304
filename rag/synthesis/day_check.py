"""Does a sentence name another day or another frequency than its sources: 당일 for 다음 날, 매월 for 분기마다?"""

from __future__ import annotations

import re

from rag.constraints import quantities_of
from rag.synthesis.passage_clauses import Finding, Sources

_DAYS = tuple(
    map(
        re.compile,
        (
            r"당일|즉시|바로|곧|실시간|같은 날|그날|동시에|자마자",
            r"다음 ?날|익일|이튿날",
            r"전날|전일|하루 전|1일 전|[전앞] ?영업일",
            r"다음 ?영업일|익영업일|\+ ?1일",
        ),
    )
)
_SAID_DAYS = (re.compile(r"(?<![가-힣])(?:당일|즉시|실시간)(?!\s?\d)"), *_DAYS[1:])
"""The days beside each other, as passages say them; "바로" and "그날" of a sentence are often no more than courtesy."""
_FREQUENCIES = tuple(
    map(
        re.compile,
        (
            r"매일|날마다|하루|1일\s|일별|영업일마다|평일|24시간|연중무휴",
            r"매주|주마다|일주일|1주|주\s?\d|요일",
            r"매월|매달|다달이|달마다|한 달|1개월|월\s?\d|월 최대|월말|월별",
            r"분기|3개월마다",
            r"반기|6개월마다",
            r"매년|해마다|1년|연\s?\d|연간|연말|12개월",
        ),
    )
)
_SAID_FREQUENCIES = tuple(
    map(re.compile, ("매일|날마다", "매주", "매월|매달|다달이", "분기(?:마다|별)", "반기(?:마다|별)", "매년|해마다"))
)
"""How often: the words of a sentence, and beside them all that a passage may mean by them."""
_DAY_BEFORE = r"(당일|다음\s?날|다음날|익일|전날|전일|이튿날|다음\s?영업일|익영업일|전\s?영업일)(?:의|은|에|까지)?\s?"
_SAME_DAY = {"다음날": "익일", "이튿날": "익일", "전날": "전일", "다음영업일": "익영업일"}


def check_days(text: str, sources: Sources) -> Finding | None:
    """A day or a frequency that no passage names, where they name another: "당일" beside "다음 날", "매월" beside "분기마다"."""
    for said, stated, beside in (
        (_SAID_DAYS, _DAYS, _DAYS),
        (_SAID_FREQUENCIES, _FREQUENCIES, _SAID_FREQUENCIES),
    ):
        for number, pattern in enumerate(said):
            match = pattern.search(text)
            # Where the passages name no other, it is an addition, which other checks look at.
            if match and not stated[number].search(sources.text) and any(each.search(sources.text) for each in beside):
                return Finding("withheld", "quantity", match[0])
    return None


def check_time_of_day(text: str, sources: Sources) -> Finding | None:
    """A time of another day than the passages': "다음 날 23:00" where they have "당일 23:00" alone."""
    for match in re.finditer(rf"{_DAY_BEFORE}((?:오전|오후|밤|낮|새벽|저녁)?\s?\d{{1,2}}(?::\d\d|시))", text):
        times = {(each.low, each.unit == "clock12") for each in quantities_of(match[2]) if each.dimension == "time"}
        days = {
            _day(other[1])
            for other in re.finditer(
                rf"{_DAY_BEFORE}((?:오전|오후|밤|낮|새벽|저녁)?\s?\d{{1,2}}(?::\d\d|시))", sources.text
            )
            if any(
                each.low is not None
                and value is not None
                and (each.low == value or (half and each.low % 720 == value % 720))
                for each in quantities_of(other[2])
                for value, half in times
            )
        }
        if days and _day(match[1]) not in days:
            return Finding("withheld", "quantity", match[0])
    return None


def _day(word: str) -> str:
    squeezed = re.sub(r"\s", "", word)
    return _SAME_DAY.get(squeezed, squeezed)
