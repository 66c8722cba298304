"""Does a value belong to what a sentence says it does? "1일 50만원" of a passage's "1회 50만원, 1일 200만원" does not.

A sentence's value is held against every value of its kind in the passages, by the words each stands with. Where another value
stands with more of the sentence's words than the same value does anywhere, the sentence has taken it from another place.
A table's and a list's rows are looked at once more by their labels, also for what is no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_letters

from rag.constraints import Quantity, quantities_of
from rag.korean import compact
from rag.synthesis.cases import cases_of, excludes_case, holds_case, is_of_case
from rag.synthesis.clauses import Finding, Line, Sources, is_negative, stated_by
from rag.synthesis.occurrences import begins_word, places
from rag.synthesis.values import FEE, Value, sentence_values
from rag.synthesis.words import all_words, content_words, word_forms

OWN, SHARED, FAR = 1.0, 0.9, 0.4
"""How much a word counts, by where a value of a passage has it."""
COMMON, VERB = 0.4, 0.8
"""How much an everyday word and a verb count beside a noun."""
MARGIN = 0.55
"""By how much another value must fit better; fitted on data/evaluation/claims.*.dev.jsonl."""
_SUM = re.compile(r"(?:합|더)(?:한|하여|해|하면|친|쳐)")
_WAIVED = re.compile(
    r"(\d[\d,.]*\s?[천만]*원)(?:의|인|짜리|이|을|은)?\s(?:[가-힣]+[는은이가도를]?\s)?(?:면제|무료|받지\s않|내지\s않|안\s[받내])"
)
"""A price that is not charged, which stands with the words of what is free."""
_SIGN = re.compile(r"@[가-힣A-Z]")


@dataclass(frozen=True, slots=True)
class _Word:
    """What a value of a sentence stands with: the forms that a passage may say it in, and how much it counts, in a table too."""

    forms: tuple[str, ...]
    weight: float
    in_table: float

    def level(self, value: Value, weight: float) -> float:
        """How much of a weight a value of a passage has."""
        for text, level in ((value.own, OWN), (value.shared, SHARED), (value.far, FAR)):
            if any(form in text for form in self.forms):
                return weight * level
        return 0.0


def check_roles(text: str, sources: Sources) -> Finding | None:
    """A value that the passages give for something else than the sentence does."""
    cases = {each.text for each in cases_of(text)}
    waived = {match[1] for match in _WAIVED.finditer(text)}
    for value in sentence_values(text):
        if value.quantity.text in waived or (value.quantity.text in cases and value.conditions):
            continue
        kin = [other for other in sources.values if other.quantity.dimension == value.quantity.dimension]
        same = [other for other in kin if _agree(value.quantity, other.quantity)]
        rivals = [other for other in kin if _is_rival(value, other)]
        if _is_opposed(value, same) or (cases and same and all(excludes_case(each, value, cases) for each in same)):
            return Finding("withheld", "quantity", value.quantity.text)
        if not same or not rivals:
            continue
        # A sum is also said with the names of its parts.
        if _SUM.search(value.own) and any(_SUM.search(other.own) for other in same):
            continue
        # "각각 월 5천원, 3천원까지": what stands before is not each one's.
        own = [*_words(value.own, 1.0)]
        words = [*own, *(() if "각각" in text else _words(value.shared, SHARED))]
        # "신청일을 1영업일로 쳐서": all of its own words are that value's, and none of them another's.
        kept = [other for other in same if own and all(word.level(other, 1.0) == OWN for word in own)]
        rivals = [each for each in rivals if not kept or any(word.level(each, 1.0) > FAR for word in own)]
        if any(all(_fits_better(words, value, rival, other) for other in same) for rival in rivals):
            return Finding("withheld", "quantity", value.quantity.text)
    return None


def _is_opposed(claimed: Value, same: Sequence[Value]) -> bool:
    """Whether passages give a value for another day, rate of use or side of a trade than the sentence: "살 때 0.2%"."""
    theirs = [frozenset[object]().union(*kind) for kind in zip(*map(_signs, same), strict=True)]
    return any(own and other and not own & other for own, other in zip(_signs(claimed), theirs, strict=False))


def _signs(value: Value) -> tuple[frozenset[object], ...]:
    """The signs of a value, by kind: the days of a time; rates of use of an amount or a count; whether one buys or sells."""
    days = [each.low for each in value.conditions if each.unit == "relative" and value.quantity.dimension == "time"]
    rates = "회일월년인" if value.quantity.dimension in ("money", "count") else "-"
    found = (re.findall(f"@([{kinds}])", value.own + value.shared) for kinds in (rates, "삼팜"))
    return frozenset(days), *map(frozenset, found)


def _fits_better(words: list[_Word], claimed: Value, rival: Value, same: Value) -> bool:
    """Whether another value stands with more of a sentence's words, some of which the same value stands with nowhere."""
    if claimed.conditions and is_of_case(claimed, same) and not is_of_case(claimed, rival):
        return False
    met = _met(claimed, rival) - _met(claimed, same)
    gain = better = float(met)
    is_beside = rival.table == same.table != ""
    for word in words:
        weight = word.in_table if is_beside else word.weight
        theirs, own = word.level(rival, weight), word.level(same, weight)
        better += theirs - own
        if theirs > FAR * weight and own <= FAR * weight:
            # What a table's title has, its rows have alike.
            gain += weight * (FAR if own and not is_beside else 1.0)
        elif not theirs and own:
            gain -= weight
    return better >= MARGIN <= gain


def _words(text: str, weight: float) -> Iterator[_Word]:
    for sign in dict.fromkeys(_SIGN.findall(text)):
        yield _Word((sign.lower(),), weight, weight)
    for word in all_words(_SIGN.sub(" ", text)):
        if len(word.stem) < 2 and word.stem != "앱":
            continue
        share = COMMON if word.is_common and word.stem != "앱" else 1.0 if word.is_noun else VERB
        # "일반", "최저": what tells a table's rows apart, and elsewhere often no more than a manner of speaking.
        in_table = weight if word.is_common else weight * share
        yield _Word(word_forms(word.stem), weight * share, in_table)


def _met(claimed: Value, value: Value) -> int:
    """How many of the quantities that a value of a sentence depends on, a value of a passage depends on too."""
    return sum(
        any(_holds(theirs, own) for theirs in value.conditions)
        for own in claimed.conditions
        if own != value.quantity and own.unit != "relative"
    )


def _holds(theirs: Quantity, own: Quantity) -> bool:
    if theirs.dimension != own.dimension or theirs.unit != own.unit:
        return holds_case(theirs, own)
    if own.dimension in ("time", "date"):
        return _agree(theirs, own)
    # "3개월 초과" is no case of "1개월 초과 3개월 이내", whose end it has.
    same_end = own.low == theirs.low if own.low is not None else own.high == theirs.high
    return same_end or (own.is_point and theirs.high == own.high) or theirs.covers(own)


def _agree(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities of a dimension have an end in common."""
    if one.unit != other.unit and one.dimension != "time":
        return False
    if one.dimension == "date":
        return any(
            _same_date(int(end), int(theirs))
            for end in (one.low, one.high)
            for theirs in (other.low, other.high)
            if end is not None and theirs is not None
        )
    ends = {end for end in (one.low, one.high) if end is not None}
    others = {end for end in (other.low, other.high) if end is not None}
    if "clock12" in (one.unit, other.unit):
        ends, others = {end % 720 for end in ends}, {end % 720 for end in others}
    return bool(ends & others)


def _same_date(one: int, other: int) -> bool:
    """Whether two dates (yyyymmdd, 00 for a part that is missing) agree in the parts that both have."""
    parts = ((one // unit % size, other // unit % size) for unit, size in ((10000, 10000), (100, 100), (1, 100)))
    return all(first == second or 0 in (first, second) for first, second in parts)


def _is_rival(claimed: Value, value: Value) -> bool:
    """Whether a value of the passages might be what is meant in the place of the claimed one."""
    own, other = claimed.quantity, value.quantity
    if _agree(own, other) or any(
        each.dimension == other.dimension and _agree(each, other) for each in claimed.conditions
    ):
        return False
    # A point of a range may be said for it.
    if (
        own.unit == other.unit
        and own.is_point
        and not other.is_point
        and None not in (other.low, other.high)
        and other.covers(own)
    ):
        return False
    if "relative" in (own.unit, other.unit) and own.unit != other.unit:
        return False
    if own.side and own.side != other.side:
        return False
    if own.dimension not in ("duration", "time") and own.unit != other.unit:
        return False
    # "180만원 이상 쓰시면" is a case, and no price or limit.
    if own.high is None and other.is_point and own.dimension != "time":
        return False
    # Nothing to pay is the other of a fee, and not of a limit.
    if 0 in (own.low, other.low) and own.dimension == "money":
        return FEE.search(value.own + value.shared + value.far) is not None
    return True


_LIST = re.compile(r"^\s*(?:[-•·*]|\d{1,2}[.)])\s*([^:|]{1,24}?)\s?:\s+(\S.*)$")
_TOPIC = re.compile(r"(?:^|[\s(:,])([가-힣A-Za-z·]{2,})(?:은|는|에는|에서는)(?=\s)")
_LATIN_OR_DIGIT = re.compile(r"[A-Za-z0-9]+")
_LETTERS = frozenset(ascii_letters)


@dataclass(frozen=True, slots=True)
class Part:
    """What a passage says of one of several things side by side: a row of a table or list, or "A는 X" of "A는 X, B는 Y".

    `label`: the thing. `text`: of a row, its line's. `number`: the place of its line.
    """

    label: str
    text: str
    number: int
    line: Line
    is_topic: bool = False

    def states(self, figure: str) -> bool:
        """Whether it states a quantity."""
        stated = stated_by(self.text) if self.is_topic else self.line.stated
        return not stated.unsupported(figure)

    def is_named(self, text: str) -> bool:
        """Whether a sentence names the thing."""
        label = self.label
        if self.is_topic:  # or by its beginning: "코스닥은" for "코스닥시장"
            return begins_word(label[: max(3, len(label) - 2)], text)
        if _LATIN_OR_DIGIT.fullmatch(label):
            return not label.isdigit() and any(
                not _LETTERS & {*text[max(0, start - 1) : start], *text[start + len(label) :][:1]}
                for start in places(label, text)
            )
        if re.search(r"\d", label):  # "6개월 이상" is a threshold: `check_quantities` reads it
            return False
        if len(label) == 1:  # "나 등급"
            return re.search(rf"(?<![가-힣]){re.escape(label)}\s?(?:등급|형|군|급|종|그룹)", text) is not None
        return compact(label) in compact(text)


@lru_cache(maxsize=256)
def _blocks(sources: Sources) -> tuple[tuple[Part, ...], ...]:
    """The parts of the passages' lines, those side by side together."""
    blocks: list[list[Part]] = [[]]
    is_header = True
    for number, line in enumerate(sources.lines):
        cells = [cell.strip() for cell in line.text.strip().strip("|").split("|")]
        match = _LIST.match(line.text)
        # A sentence names a thing without what the table adds in parentheses.
        label = re.sub(r"\([^)]*\)", "", cells[0] if len(cells) > 1 else match[1] if match else "").strip()
        # A line without a label ends a table; the rule below a Markdown header is none, and a header is no row.
        if not label:
            blocks += [*_topics(line, number), []]
            is_header = True
        elif len(cells) > 1 and is_header:
            is_header = False
        elif not set(label) <= set("-: "):
            blocks[-1].append(Part(label, line.text, number, line))
    return tuple(tuple(block) for block in blocks if len(block) > 1)


def _topics(line: Line, number: int) -> Iterator[list[Part]]:
    """What each sentence of a line says of its topics."""
    for sentence in re.split(r"(?<=[다요음함][.])\s", line.text):
        topics = list(_TOPIC.finditer(sentence))
        ends = [*(match.start() for match in topics[1:]), len(sentence)][: len(topics)]
        yield [
            Part(match[1], sentence[match.end() : end], number, line, is_topic=True)
            for match, end in zip(topics, ends, strict=True)
        ]


def _is_kin(topic: Part, named: Sequence[Part]) -> bool:
    """Whether a topic is a thing of the same kind: "공동인증서", "금융인증서"."""
    return any(topic.label[-1] == each.label[-1] for each in named)


def check_parts(text: str, sources: Sources) -> Finding | None:
    """A value or a noun that stands with other things alone, and not with the one that the sentence names."""
    for block in _blocks(sources):
        named = [part for part in block if part.is_named(text)]
        others = [part for part in block if part not in named and (not part.is_topic or _is_kin(part, named))]
        if not named or not others:
            continue
        # What stands beside the block holds for any of it.
        numbers = {part.number for part in block}
        plain = [line for number, line in enumerate(sources.lines) if number not in numbers]
        rest = [part.text for part in named] + [line.text for line in plain]
        for word in content_words(text) if len(named) == 1 and not named[0].is_topic and not is_negative(text) else ():
            # A long noun's beginning names another thing: "예금담보대출" is no "예금".
            forms = (word.stem,) if len(word.stem) > 3 else word_forms(word.stem)
            if (
                word.is_noun
                and len(word.stem) > 2
                and word.stem not in named[0].label
                and any(word.stem in part.text for part in others)
                and not any(form in each for each in rest for form in forms)
            ):
                return Finding("withheld", "entity", word.stem)
        for each in quantities_of(text):
            is_figure = each.dimension in ("rate", "money", "duration") and len(each.ends) == 1
            if not is_figure or (each.dimension == "duration" and not each.is_point):
                continue
            is_stated = any(part.states(each.text) for part in named) or any(
                not line.stated.unsupported(each.text) for line in plain
            )
            if not is_stated and any(part.states(each.text) for part in others):
                return Finding("withheld", "quantity", each.text)
    return None
