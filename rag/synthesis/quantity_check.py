"""Does a sentence have the quantities of its passages: the value, the side of a threshold, and the thing that it belongs to?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from rag.constraints import Quantity, StatedQuantities, quantities_of
from rag.constraints.contrasts import ContrastMention, mentions_of
from rag.korean import compact
from rag.synthesis.cases import is_case
from rag.synthesis.clauses import (
    Finding,
    Line,
    Sources,
    aligned,
    is_negative,
    set_kind,
    split_clauses,
    with_conditions,
)
from rag.synthesis.exclusive_check import denies_other
from rag.synthesis.normalisation import LOOSE
from rag.synthesis.occurrences import begins_word
from rag.synthesis.values import APP


def check_quantities(text: str, sources: Sources) -> Finding | None:
    """Withhold quantities that no passage states, thresholds on the wrong side, and quantities that belong to another thing."""
    missing = [
        each
        for each in _missing(text, sources.quantities)
        if not (is_case(each, text, sources) or _is_complement(each, text, sources) or _is_sum(each, text, sources))
    ]
    if missing:
        return Finding("withheld", "quantity", ", ".join(each.text for each in missing))
    if wrong_end := _other_end(text, sources):
        return Finding("withheld", "quantity", wrong_end)
    for clause, quantities in _with_quantities(with_conditions(text), text):
        # A rule: a threshold with a rate or amount. Times do not count, because they may be in another line than the rate.
        is_rule = (
            not _SPANS.search(clause)
            and any(not each.is_point and each.dimension != "time" for each in quantities)
            and any(each.is_point and each.dimension in ("rate", "money") for each in quantities)
        )
        named = [each for each in mentions_of(clause) if set_kind(each) in ("product", "means", "channel")]
        lines = _stating_lines(clause, text, sources) if is_rule or named else []
        # A clause with "각각" sums up several lines: "각각 월 5천원, 3천원까지".
        if is_rule and not lines and "각각" not in text and not _is_listed(clause, sources):
            return Finding("withheld", "quantity", ", ".join(each.text for each in quantities))
        finding = _swapped(clause, quantities, named, lines, sources) or _mislabelled(clause, quantities, sources)
        if finding is not None:
            return finding
    for clause, quantities in _with_quantities(split_clauses(text), text):
        if (finding := _wrong_side(clause, quantities, sources)) is not None:
            return finding
    return None


def _stating_lines(clause: str, text: str, sources: Sources) -> list[Line]:
    """The lines that state all quantities of a clause."""
    own = _PER_SPAN.sub("", clause)
    return [
        line
        for line in sources.lines
        if all(
            is_case(each, own, sources) or _is_complement(each, own, sources) or _is_sum(each, text, sources)
            for each in _missing(own, line.stated)
        )
    ]


def _with_quantities(clauses: Sequence[str], text: str) -> Iterator[tuple[str, tuple[Quantity, ...]]]:
    """The clauses of a text that contain quantities, each with these. Other clauses are not parsed, to save time."""
    stated = {each.text for each in quantities_of(text)}
    for clause in clauses:
        if any(each in clause for each in stated) and (quantities := quantities_of(clause)):
            yield clause, quantities


_SPANS = re.compile(r"\d%p?(?:에서|부터)\s(?:최고\s|최대\s)?(?:연\s)?\d[\d.]*%")
"""Matches the lowest and the highest of several rates, which is no threshold: "5.4%에서 7.5%까지"."""


def _is_complement(quantity: Quantity, text: str, sources: Sources) -> bool:
    """Whether a threshold follows from its complement: "100달러부터 우대" from "100달러 미만은 우대하지 않습니다"."""
    denies = any(quantity.text in clause and is_negative(clause) for clause in (*with_conditions(text), text))
    return not quantity.is_point and any(
        (other.low is None) != (quantity.low is None)
        and other.unit == quantity.unit
        and len(quantity.ends) == 1
        and other.ends == quantity.ends
        and (other.low_closed and other.high_closed) != (quantity.low_closed and quantity.high_closed)
        and part.denies != denies
        for part in sources.clauses
        for other in part.quantities
    )


_DEDUCTED = re.compile(r"낮|내[려리립]|인하|차감|할인|줄|감면|빼")


def _is_sum(quantity: Quantity, text: str, sources: Sources) -> bool:
    """Whether a rate is the sum of another one in the sentence and a change in the passages: 3.8% from "3.5%, 0.3%p를 더
    드립니다"."""
    value = quantity.low if quantity.low is not None else quantity.high
    if quantity.unit != "%" or value is None:
        return False
    changes = [
        -each.low if _DEDUCTED.search(part.text, each.end) else each.low
        for part in sources.clauses
        for each in part.quantities
        if each.unit == "%p" and each.low is not None
    ]
    bases = [each.low for each in quantities_of(text) if each.unit == "%" and each.is_point and each.low is not None]
    return any(base + change == value for base in bases for change in changes)


_COMPARED = re.compile(
    r"(보다|수록)\s(?:[가-힣]+\s){0,4}?(높|낮|크|큽|커|작|많|적|길|깁|짧|비싸|비쌉|싸|쌉|저렴|빠르|빠릅|늦)"
    r"[가-힣]*(?<!면)(?<!때)(?<!경우)[,.\s]*$"
)


def check_comparisons(text: str, sources: Sources) -> Finding | None:
    """Withhold a comparison ("A가 B보다 높습니다", "오래 쓸수록 낮아집니다") that the passages do not contain."""
    for clause in split_clauses(text):
        if (match := _COMPARED.search(clause)) and not re.search(rf"{match[1]}[^.\n]*{match[2]}", sources.text):
            return Finding("withheld", "quantity", match[0].strip())
    return None


_LEAST = re.compile(r"(?:최저|최소|가장 낮은|가장 적은|가장 짧은)")
_MOST = re.compile(r"(?:최고|최대|최장|가장 높은|가장 많은|가장 긴)")


def _other_end(text: str, sources: Sources) -> str:
    """The highest value of a range called its lowest, or the other way round: "최저 19.4%" for "9.9%~19.4%"; else empty."""
    last = 0
    for each in quantities_of(text):
        before, last = text[max(last, each.start - 12) : each.start], each.end
        value = each.low if each.low is not None else each.high
        for pattern, is_least in ((_LEAST, True), (_MOST, False)):
            if not pattern.search(before):
                continue
            own = [other for line in sources.lines for other in line.quantities if other.dimension == each.dimension]
            wrong = [other for other in own if not other.is_point and value == (other.high if is_least else other.low)]
            closed = [other for other in wrong if None not in (other.low, other.high)]
            if closed and not any(value in (other.low, other.high) for other in own if other not in closed):
                return f"{before.split()[-1] if before.split() else ''} {each.text}".strip()
    return ""


def _is_listed(clause: str, sources: Sources) -> bool:
    """Whether each part of a clause is stated by one line: "급여 80만원 이상이면 0.3%p, 카드 20만원 이상이면 0.2%p"."""
    parts = [part for part in re.split(r"(?<!\d),\s|,\s(?=[가-힣])", clause) if quantities_of(part)]
    return len(parts) > 1 and all(
        any(not _missing(_PER_SPAN.sub("", part), line.stated) for line in sources.lines) for part in parts
    )


_PER_SPAN = re.compile(r"(?:1년|일 년|한 해|한 달|1개월|하루|1일)에\s")
_OVER = re.compile(
    r"[을를이가도]?\s?넘(?:게|으면|으시면|는|은|을|고|어|어야|으셔야|으실|으신|으셨다면|었다면|어선|긴)(?![가-힣])"
)
_SPAN_OVER = re.compile(rf"(?:년|월|달|일|시간|분){_OVER.pattern}")
_PASSED, _ANYTHING = re.compile("지난|지나|경과"), re.compile("")
_READINGS = tuple(
    (re.compile(pattern), written, re.compile(stated))
    for pattern, written, stated in (
        (r"최소\s?|적어도\s?", "", "최소"),  # "최소 청약주수: 10주"
        ("한 달", "30일", "30일"),
        (r"(?<=\d)번째(?=\s?(?:틀|잘못|실패|오류|위반))", "회", r"\d\s?[회번]"),
        (r"(?:1년|한 해|일 년)에\s", "연 ", "연회비"),
        (r"(?<=[년월달일])(?:\s이상|\s넘게)(?=\s\S{1,6}\s(?:뒤|후|다음))", "", r"[낸한된난]\s(?:뒤|후|날)|지난|경과"),
    )
)
"""(pattern, replacement, condition): other readings of a quantity, each if the passages match the condition: "2년 이상 내신 뒤"
may be "24개월을 낸 뒤"."""


def _missing(text: str, stated: StatedQuantities) -> list[Quantity]:
    """The quantities that are not stated in any reading of a text; "3개월 넘게" may be read as "3개월 이상" or "3개월 초과"."""
    missing = stated.unsupported(text)
    if not missing:
        return []
    readings = [reading for reading, condition in _readings(text) if condition.search(stated.text)]
    return min([missing, *map(stated.unsupported, readings)], key=len)


@lru_cache(maxsize=1024)
def _readings(text: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Other readings of a text, each with a pattern that its passages must match."""
    readings = [(pattern.sub(written, text), condition) for pattern, written, condition in _READINGS]
    if _OVER.search(text):
        readings += [(_OVER.sub(word, text), _ANYTHING) for word in (" 이상", " 초과")]
        readings += [(_OVER.sub("이 지난", text), _PASSED)] if _SPAN_OVER.search(text) else []
    if LOOSE in text:
        readings += [(text.replace(f"미만{LOOSE}", word), _ANYTHING) for word in ("미만", "이하", "이내")]
    return tuple((reading, condition) for reading, condition in readings if reading != text)


def _mislabelled(clause: str, quantities: Sequence[Quantity], sources: Sources) -> Finding | None:
    """Withhold a value that a line gives for another label: "비급여 20%" for "급여 20%, 비급여 30%"."""
    figures = [each for each in quantities if each.dimension in ("rate", "money")]
    if len(figures) != 1:
        return None
    for line in sources.lines:
        own, other = list[str](), list[str]()
        for label, stated in line.labelled:
            is_own = any(each.dimension == figures[0].dimension and each.ends & figures[0].ends for each in stated)
            (own if is_own else other).append(label)
        is_other_named = any(_names(clause, label) for label in other)
        if own and is_other_named and not any(_names(clause, label) for label in own):
            return Finding("withheld", "quantity", figures[0].text)
    return None


def _names(clause: str, label: str) -> bool:
    """Whether a clause contains the label of a value: "통장" of "수수료는 통장 1,500원"."""
    own = re.split(r"[은는이가의]\s", label)[-1]
    return len(own) > 1 and begins_word(own, clause)


def _swapped(
    clause: str,
    quantities: Sequence[Quantity],
    named: Sequence[ContrastMention],
    lines: Sequence[Line],
    sources: Sources,
) -> Finding | None:
    """Withhold a product or means with a quantity that the passages give only for another one of the same kind."""
    figures = " ".join(each.text for each in quantities)
    parts = [part for line in lines for part in line.parts if not part.stated.unsupported(figures)] if named else []
    for mention in named if parts else ():
        if denies_other(clause, mention.start, sources):
            continue
        members = [{other.member for other in each.mentions if other.set_name == mention.set_name} for each in parts]
        name = mention.text.removesuffix("로")
        if any(name in part.text or (mention.member == "앱" and APP.search(part.text)) for part in parts):
            continue
        beside = {other.member for other in mentions_of(clause) if other.set_name == mention.set_name}
        if all(each and not beside & each for each in members):
            return Finding("withheld", "entity", mention.text)
    return None


_UP = re.compile(r"[을를이가]?\s?(?:이상|초과|이후|후(?!보)|뒤|경과|지나|지난|지났|넘)")
_DOWN = re.compile(r"[을를이가]?\s?(?:이하|미만|이내|까지|안에|전(?![화자체용]))")
_PAST = re.compile(r"[을를이가]?\s?(?:지나|넘)[가-힣]{0,2}면\s")


def _wrong_side(clause: str, quantities: Sequence[Quantity], sources: Sources) -> Finding | None:
    """Withhold a threshold on another side than in the aligned clauses: "3년 이후" for "3년 이내"."""
    thresholds = [(each, side) for each in quantities if (side := _side(clause, each.end))]
    near = aligned(clause, sources) if thresholds else ()
    for each, side in thresholds:
        # "20일이 지나면 취소할 수 없고" means the same as "20일까지 취소할 수 있습니다".
        is_past = _PAST.match(clause, each.end) is not None and is_negative(clause)
        if is_past or (each.low is None and each.high is None):
            continue
        value = each.low if each.low is not None else each.high
        sides, elsewhere = (
            [
                _side(part.text, other.end)
                for part in clauses
                for other in part.quantities
                if other.dimension == each.dimension and value in (other.low, other.high)
            ]
            for clauses in (near, sources.clauses)
        )
        # "30만원 이상이면 면제, 미만이면 500원": whether the value after a threshold belongs to it is checked by `check_roles`.
        is_case = side in elsewhere and any(other.start > each.end for other in quantities)
        if sides and all(sides) and side not in sides and not is_case and not _is_complement(each, clause, sources):
            return Finding("withheld", "quantity", clause[each.start : each.end + 4].strip())
    return None


def _side(text: str, end: int) -> str:
    return "up" if _UP.match(text, end) else "down" if _DOWN.match(text, end) else ""


_WITH_UNIT = re.compile(r"(?<![\w.,])(\d[\d,.]*)\s?([A-Za-z]{1,4})(?![A-Za-z])")
_OWN_UNIT = re.compile(r"(?<![\d.,])(\d[\d,.]*)\s?([가-힣]{2})")
_NO_UNIT = re.compile(r"[에로을를은는이가과와번의까부만도라인이]|하|호|째|씩|쪽")


def check_units(text: str, sources: Sources) -> Finding | None:
    """Withhold a number with a unit ("500GB", "10km") that the passages do not have with the same unit."""
    # "5,000km" and "5000 km" are the same.
    stated = compact(sources.text).replace(",", "")
    for match in _WITH_UNIT.finditer(text):
        if compact(match[1] + match[2]).replace(",", "") not in stated and not any(
            is_case(each, text, sources) for each in quantities_of(text) if each.start == match.start()
        ):
            return Finding("withheld", "quantity", match[0])
    bare = {each.start for each in quantities_of(text) if each.dimension == "number"}
    for match in _OWN_UNIT.finditer(text):
        if match.start() not in bare or _NO_UNIT.match(match[2]):
            continue
        units = re.findall(rf"(?<![\d.,]){re.escape(match[1])}\s?([가-힣]{{2}}|.)", sources.text)
        if units and all(re.match(r"[가-힣]{2}", unit) and unit != match[2] for unit in units):
            return Finding("withheld", "quantity", match[0])
    return None
