"""Does a sentence take a value of another topic ("A는 X, B는 Y"), side, day or frequency, or name another payer?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rag.constraints import quantities_of
from rag.synthesis.passage_clauses import Finding, Sources, begins_word, split_clauses

_TOPIC = re.compile(r"(?:^|[\s(:,])([가-힣A-Za-z·]{2,})(?:은|는|에는|에서는)(?=\s)")
_SIDES = tuple(
    (re.compile(own), re.compile(other))
    for own, other in (
        (r"매수|구매|매입|살 때|사실 때|사는|사면|사려|사고팔", r"매도|팔|파는|파실|처분"),
        (r"입금|넣을|넣는|넣으", r"출금|인출|찾을|찾는|꺼낼|꺼내"),
        (r"가입|시작", r"해지|탈퇴"),
    )
)
_PAYS = r"(?:가|이|께서|에서|은|는|측에서)?\s?(?:전액\s)?"
_OURS = re.compile(rf"(?:당사|당행|은행|증권사|카드사|보험사|회사|저희){_PAYS}(?:부담|내 ?드|지불)")
_CUSTOMERS = re.compile(rf"(?:고객|손님|계약자|회원|본인)(?:님)?{_PAYS}(?:부담|내야|내셔야|지불|납부)")
_BEARS = re.compile(r"[가-힣](?:이|가)\s?(?:전액\s)?부담(?:하|합|해|한)")


@dataclass(frozen=True, slots=True)
class Said:
    """`text`: what a sentence says of `topic`, up to the next topic."""

    topic: str
    text: str


@lru_cache(maxsize=512)
def _said(line: str) -> tuple[Said, ...]:
    found = []
    for sentence in re.split(r"(?<=[다요음함][.])\s", line):
        topics = list(_TOPIC.finditer(sentence))
        # With one topic there is nothing that could be exchanged.
        if len(topics) < 2:
            continue
        ends = [match.start() for match in topics[1:]] + [len(sentence)]
        found += [Said(match[1], sentence[match.end() : end]) for match, end in zip(topics, ends, strict=True)]
    return tuple(found)


def check_pairs(text: str, sources: Sources) -> Finding | None:
    """The value or the thing that a line gives for another topic: "B는 X" of "A는 X, B는 Y"."""
    for line in sources.lines:
        said = _said(line.text)
        # By a topic's name or its beginning: "코스닥은" for "코스닥시장".
        named = [each for each in said if begins_word(each.topic[: max(3, len(each.topic) - 2)], text)]
        others = [each for each in said if each not in named and any(each.topic[-1] == own.topic[-1] for own in named)]
        if not others:
            continue
        own = " ".join(each.text for each in named)
        other = " ".join(each.text for each in others)
        # A value that stands elsewhere too may be said of anything.
        rest = sources.text.replace(line.text, "")
        for each in quantities_of(text):
            is_figure = each.dimension in ("rate", "money", "duration", "time")
            if is_figure and each.text in other and each.text not in own and each.text not in rest:
                return Finding("withheld", "quantity", each.text)
    return None


def check_sides(text: str, sources: Sources) -> Finding | None:
    """A value of one side ("매도할 때 0.2%") said of the other ("살 때 0.2%")."""
    for clause in split_clauses(text):
        for pair in _SIDES:
            for own, other in (pair, pair[::-1]):
                if not own.search(clause) or other.search(clause):
                    continue
                for each in quantities_of(clause):
                    holding = [part.text for part in sources.clauses if each.text in part.text]
                    if any(map(other.search, holding)) and not any(map(own.search, holding)):
                        return Finding("withheld", "quantity", each.text)
    return None


def check_payer(text: str, sources: Sources) -> Finding | None:
    """Who pays: the institution or its customer, where the passages name the other alone."""
    for own, other in ((_OURS, _CUSTOMERS), (_CUSTOMERS, _OURS)):
        match = own.search(text)
        if match and (other.search(sources.text) or _BEARS.search(sources.text)) and not own.search(sources.text):
            return Finding("withheld", "entity", match[0])
    return None


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
