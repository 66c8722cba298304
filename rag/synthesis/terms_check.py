"""Does a sentence leave out what its sources limit: to one case, by a label, a comparison, a deduction, the time it takes?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from rag.constraints import Quantity, quantities_of
from rag.synthesis.content_words import content_words
from rag.synthesis.exclusive_check import places_of
from rag.synthesis.passage_clauses import Finding, Sources
from rag.synthesis.polarity_check import is_negative
from rag.synthesis.slot_check import names

_NOT_BY_ALONE = re.compile(r"([가-힣]{2,})만으로는\s([^.\n]*(?:않|없|불가)[^.\n]*)")
_NOT_BUT = re.compile(r"([가-힣]{2,}?)(?:하신|하는|한) 것이 아니라\s")


def check_not_by_alone(text: str, sources: Sources) -> Finding | None:
    """What the passages say one thing alone does not do: "완납하면 말소됩니다" beside "완납만으로는 말소되지 않습니다"."""
    if is_negative(text):
        return None
    for match in _NOT_BUT.finditer(sources.text):
        if re.search(rf"{match[1]}만\s?(?:하|해)", text):
            return Finding("withheld", "condition", match[0].strip())
    if "만으로는" not in sources.text:
        return None
    for match in _NOT_BY_ALONE.finditer(sources.text):
        acts = [word.stem for word in content_words(match[2])]
        if match[1] in text and acts and all(act in text for act in acts[-1:]):
            return Finding("withheld", "condition", match[0].strip())
    return None


_SAID_OF = re.compile(
    r"([가-힣A-Za-z]{2,}(?:\s[가-힣A-Za-z]{2,})?)(?:은|는|이|가)\s(?:최대\s|최장\s|연\s|약\s)?(?=[\d한두세])"
)
_ASIDE = re.compile(r"\([^)]*\)")


def check_labels(text: str, sources: Sources) -> Finding | None:
    """A value right after a label that has it in an aside alone: "가입기간은 3개월" of "가입기간: 3년 (3개월 전 신청)"."""
    for match in _SAID_OF.finditer(text):
        said = next((each for each in quantities_of(text) if each.start == match.end()), None)
        if said is None:
            continue
        for line in sources.lines:
            label, colon, value = line.text.partition(": ")
            if not colon or not _LABEL_SIGN.sub("", label).strip().endswith(match[1]) or "(" not in value:
                continue
            stated = [each for each in quantities_of(_ASIDE.sub(" ", value)) if each.dimension == said.dimension]
            aside = [each for part in _ASIDE.findall(value) for each in quantities_of(part)]
            if stated and said.ends & _ends_of(aside, said) and not said.ends & _ends_of(stated, said):
                return Finding("withheld", "quantity", match[0] + said.text)
    return None


_LABEL_SIGN = re.compile(r"^[\s\-•*※\d.)]+")


def _ends_of(quantities: Sequence[Quantity], like: Quantity) -> set[Decimal]:
    return {end for each in quantities if each.unit == like.unit for end in each.ends}


_MORE = re.compile(r"(?<![가-힣])더\s(?:저렴|싸|쌉|비싸|비쌉|빠르|빨리|많이|적게|높|낮|길|짧)")
_COMPARES = re.compile(r"보다|(?<![가-힣])더\s|우대|할인|인하|가산|감면|차등")


def check_comparison(text: str, sources: Sources) -> Finding | None:
    """A comparison ("앱이 더 저렴") of what the passages do not compare."""
    match = _MORE.search(text)
    return Finding("withheld", "polarity", match[0]) if match and not _COMPARES.search(sources.text) else None


_LIMITED = re.compile(r"제한(?:이|은|도)?\s?(?:있|됩니다|돼요|적용)")
_UNLIMITED = re.compile(r"제한(?:이|은|도)?\s?없|무제한|제한(?:하지|되지|을 두지) 않")


def check_limits(text: str, sources: Sources) -> Finding | None:
    """A limit where the passages say that there is none."""
    match = _LIMITED.search(text)
    if match and _UNLIMITED.search(sources.text) and "제한" not in _UNLIMITED.sub(" ", sources.text):
        return Finding("withheld", "polarity", match[0])
    return None


_TAKEN_OUT = re.compile(r"(?:떼|공제하|차감하|원천징수하)지 않")


def check_deducted(text: str, sources: Sources) -> Finding | None:
    """What is paid without a deduction that the passages make."""
    match = _TAKEN_OUT.search(text)
    if (
        match
        and re.search(r"원천징수|공제|차감|세후", sources.text)
        and not re.search(r"(?:징수|공제|차감)(?:되|하)지 않", sources.text)
    ):
        return Finding("withheld", "polarity", match[0])
    return None


_UNUSED_TOO = re.compile(r"지 않[은는] [가-힣]+(?:에도|까지도|도)\s(?:[가-힣]+\s)?([가-힣]+)")


def check_rest_too(text: str, sources: Sources) -> Finding | None:
    """What is so only of some ("쓰신 금액에만 이자가 붙습니다"), said of the rest too ("쓰지 않은 한도에도 이자가")."""
    match = _UNUSED_TOO.search(text)
    if match is None:
        return None
    only = any("에만" in each.text and names(match[1].rstrip("이가은는을를"), each) for each in sources.clauses)
    return Finding("withheld", "condition", match[0]) if only else None


_SOON = re.compile(r"(?:당일|즉시|곧바로|실시간)(?:에|으로)?\s(?:[가-힣]+\s)?([가-힣]{2})")


def check_takes_time(text: str, sources: Sources) -> Finding | None:
    """What is done at once, where the passages give the days it takes: "당일 지급" beside "지급까지 2영업일"."""
    match = _SOON.search(text)
    if match is None or re.search(r"당일|즉시|바로|실시간", sources.text):
        return None
    takes = re.compile(rf"{match[1]}[가-힣]{{0,4}}까지|걸[리립릴]|소요|이내|안에")
    is_later = any(
        match[1] in each.text
        and takes.search(each.text)
        and any(quantity.unit in ("business_day", "day") for quantity in each.quantities)
        for each in sources.clauses
    )
    return Finding("withheld", "quantity", match[0]) if is_later else None


_CASE_END = re.compile(r",\s|(?<=[며고])\s|(?<=지만)\s|[.]\s")


def check_cases(text: str, sources: Sources) -> Finding | None:
    """The place of one case said of the other: "30만원 초과는 앱" of "30만원 이하는 앱에서, 30만원 초과는 영업점에서"."""
    said = [each for each in quantities_of(text) if not each.is_point and (each.low is None) != (each.high is None)]
    if len(said) != 1 or not (places := places_of(text)) or is_negative(text):
        return None
    own, other = set[int](), set[int]()
    side = None
    for line in sources.lines:
        for part in _CASE_END.split(line.text):
            for each in quantities_of(part):
                if each.unit == said[0].unit and each.ends == said[0].ends and not each.is_point:
                    side = own if (each.low is None) == (said[0].low is None) else other
            if side is not None:
                side |= places_of(part)
        side = None
    if own and not own & places and other & places:
        return Finding("withheld", "condition", said[0].text)
    return None
