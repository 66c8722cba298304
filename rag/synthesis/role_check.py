"""Does a value have the same role in a sentence as in its passages? "1일 50만원" contradicts "1회 50만원, 1일 200만원".

A value of a sentence is compared with all values of its kind in the passages by the words around them. If another value shares
more words with the sentence than the same value does anywhere, the sentence has confused them. Rows of tables and lists are also
compared by their labels, including nouns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
"""Weights of a word by its distance from a value of a passage: in `own`, `shared` or `far` of `Value`."""
COMMON, VERB = 0.4, 0.8
"""Weights of an everyday word and of a verb; a noun has 1."""
MARGIN = 0.55
"""Weight by which another value must fit better; fitted on data/evaluation/claims.*.dev.jsonl."""
_SUM = re.compile(r"(?:합|더)(?:한|하여|해|하면|친|쳐)")
_WAIVED = re.compile(
    r"(\d[\d,.]*\s?[천만]*원)(?:의|인|짜리|이|을|은)?\s(?:[가-힣]+[는은이가도를]?\s)?(?:면제|무료|받지\s않|내지\s않|안\s[받내])"
)
"""A price that is waived."""
_SIGN = re.compile(r"@[가-힣A-Z]")


@dataclass(frozen=True, slots=True)
class _Word:
    """A word beside a value of a sentence, with its synonyms (`forms`), its weight, and that for two values of one table."""

    forms: tuple[str, ...]
    weight: float
    in_table: float

    def level(self, value: Value, weight: float) -> float:
        """The part of `weight` that counts for a value of a passage: all of it, less at a distance, or 0."""
        for text, level in ((value.own, OWN), (value.shared, SHARED), (value.far, FAR)):
            if any(form in text for form in self.forms):
                return weight * level
        return 0.0


def check_roles(text: str, sources: Sources) -> Finding | None:
    """Withhold a value that the passages give for something else than the sentence does."""
    cases = {each.text for each in cases_of(text)}
    waived = {match[1] for match in _WAIVED.finditer(text)}
    for value in sentence_values(text):
        if value.quantity.text in waived or (value.quantity.text in cases and value.conditions):
            continue
        of_dimension = [other for other in sources.values if other.quantity.dimension == value.quantity.dimension]
        same = [other for other in of_dimension if _agree(value.quantity, other.quantity)]
        rivals = [other for other in of_dimension if _is_rival(value, other)]
        stated = [frozenset[object]().union(*of_kind) for of_kind in zip(*map(_signs, same), strict=True)]
        # Another day, period or side of a trade: "살 때 0.2%" for a value of selling.
        is_opposed = any(a and b and not a & b for a, b in zip(_signs(value), stated, strict=False))
        if is_opposed or (cases and same and all(excludes_case(each, value, cases) for each in same)):
            return Finding("withheld", "quantity", value.quantity.text)
        if not same or not rivals:
            continue
        # A sum is also named with its parts.
        if _SUM.search(value.own) and any(_SUM.search(other.own) for other in same):
            continue
        # In "각각 월 5천원, 3천원까지" the words before the values do not apply to each of them.
        own = [*_words(value.own, 1.0)]
        words = [*own, *(() if "각각" in text else _words(value.shared, SHARED))]
        # If a value has all of the sentence's own words ("신청일을 1영업일로 쳐서"), only rivals with some of them count.
        kept = [other for other in same if own and all(word.level(other, 1.0) == OWN for word in own)]
        rivals = [each for each in rivals if not kept or any(word.level(each, 1.0) > FAR for word in own)]
        if any(all(_fits_better(words, value, rival, other) for other in same) for rival in rivals):
            return Finding("withheld", "quantity", value.quantity.text)
    return None


def _signs(value: Value) -> tuple[frozenset[object], ...]:
    """The signs of a value by kind: relative days of a time, periods of an amount or count, buying and selling."""
    days = [each.low for each in value.conditions if each.unit == "relative" and value.quantity.dimension == "time"]
    periods = "회일월년인" if value.quantity.dimension in ("money", "count") else "-"
    signs = (re.findall(f"@([{kinds}])", value.own + value.shared) for kinds in (periods, "삼팜"))
    return frozenset(days), *map(frozenset, signs)


def _fits_better(words: list[_Word], claimed: Value, rival: Value, same: Value) -> bool:
    """Whether another value shares more words with a sentence than the same value, including some that the same value lacks."""
    if claimed.conditions and is_of_case(claimed, same) and not is_of_case(claimed, rival):
        return False
    gain = better = float(_shared_conditions(claimed, rival) - _shared_conditions(claimed, same))
    is_beside = rival.table == same.table != ""
    for word in words:
        weight = word.in_table if is_beside else word.weight
        level, own_level = word.level(rival, weight), word.level(same, weight)
        better += level - own_level
        if level > FAR * weight and own_level <= FAR * weight:
            # All rows of a table share the words of its title.
            gain += weight * (FAR if own_level and not is_beside else 1.0)
        elif not level and own_level:
            gain -= weight
    return better >= MARGIN <= gain


def _words(text: str, weight: float) -> Iterator[_Word]:
    for sign in dict.fromkeys(_SIGN.findall(text)):
        yield _Word((sign.lower(),), weight, weight)
    for word in all_words(_SIGN.sub(" ", text)):
        if len(word.stem) < 2 and word.stem != "앱":
            continue
        share = COMMON if word.is_common and word.stem != "앱" else 1.0 if word.is_noun else VERB
        # Everyday words like "일반" and "최저" distinguish the rows of a table.
        in_table = weight if word.is_common else weight * share
        yield _Word(word_forms(word.stem), weight * share, in_table)


def _shared_conditions(claimed: Value, value: Value) -> int:
    """The number of conditions of a value of a sentence that a value of a passage has, too."""
    return sum(
        any(_covers(condition, own) for condition in value.conditions)
        for own in claimed.conditions
        if own != value.quantity and own.unit != "relative"
    )


def _covers(condition: Quantity, own: Quantity) -> bool:
    """Whether a condition of a passage covers one of a sentence."""
    if condition.dimension != own.dimension or condition.unit != own.unit:
        return holds_case(condition, own)
    if own.dimension in ("time", "date"):
        return _agree(condition, own)
    # A lower end must equal a lower one: "3개월 초과" is not covered by "1개월 초과 3개월 이내".
    same_end = own.low == condition.low if own.low is not None else own.high == condition.high
    return same_end or (own.is_point and condition.high == own.high) or condition.covers(own)


def _agree(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities of the same dimension have a common end."""
    if one.unit != other.unit and one.dimension != "time":
        return False
    if one.dimension == "date":
        return any(_same_date(int(end), int(other_end)) for end in one.ends for other_end in other.ends)
    if "clock12" in (one.unit, other.unit):
        return bool({end % 720 for end in one.ends} & {end % 720 for end in other.ends})
    return bool(one.ends & other.ends)


def _same_date(one: int, other: int) -> bool:
    """Whether two dates (yyyymmdd, 00 for a missing part) agree in the parts that both have."""
    parts = ((one // unit % size, other // unit % size) for unit, size in ((10000, 10000), (100, 100), (1, 100)))
    return all(first == second or 0 in (first, second) for first, second in parts)


def _is_rival(claimed: Value, value: Value) -> bool:
    """Whether a value of a passage may be the one that the sentence should have."""
    own, other = claimed.quantity, value.quantity
    if _agree(own, other) or any(
        each.dimension == other.dimension and _agree(each, other) for each in claimed.conditions
    ):
        return False
    # A value within a range may stand for the range.
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
    # "180만원 이상 쓰시면" is a condition, not a price or limit.
    if own.high is None and other.is_point and own.dimension != "time":
        return False
    # Zero is a rival of a fee, but not of a limit.
    if 0 in (own.low, other.low) and own.dimension == "money":
        return FEE.search(value.own + value.shared + value.far) is not None
    return True


_LIST = re.compile(r"^\s*(?:[-•·*]|\d{1,2}[.)])\s*([^:|]{1,24}?)\s?:\s+(\S.*)$")
_TOPIC = re.compile(r"(?:^|[\s(:,])([가-힣A-Za-z·]{2,})(?:은|는|에는|에서는)(?=\s)")
_LATIN_OR_DIGIT = re.compile(r"[A-Za-z0-9]+")
_LETTERS = frozenset(ascii_letters)


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a passage on one of several things: a row of a table or list, or "A는 X" in "A는 X, B는 Y".

    `label`: the thing. `text`: the line of a row, or the part after the topic. `number`: the index of the line.
    """

    label: str
    text: str
    number: int
    line: Line
    is_topic: bool = False

    def states(self, figure: str) -> bool:
        """Whether the part states a quantity."""
        stated = stated_by(self.text) if self.is_topic else self.line.stated
        return not stated.unsupported(figure)

    def is_named(self, text: str) -> bool:
        """Whether a sentence names the thing."""
        label = self.label
        if self.is_topic:  # The beginning is enough: "코스닥은" for "코스닥시장".
            return begins_word(label[: max(3, len(label) - 2)], text)
        if _LATIN_OR_DIGIT.fullmatch(label):
            return not label.isdigit() and any(
                not _LETTERS & {*text[max(0, start - 1) : start], *text[start + len(label) :][:1]}
                for start in places(label, text)
            )
        if re.search(r"\d", label):  # Thresholds like "6개월 이상" are checked by `check_quantities`.
            return False
        if len(label) == 1:  # As in "나 등급".
            return re.search(rf"(?<![가-힣]){re.escape(label)}\s?(?:등급|형|군|급|종|그룹)", text) is not None
        return compact(label) in compact(text)


@lru_cache(maxsize=256)
def _blocks(sources: Sources) -> tuple[tuple[Part, ...], ...]:
    """The parts of the passages, grouped by table, list or sentence."""
    blocks: list[list[Part]] = [[]]
    is_header = True
    for number, line in enumerate(sources.lines):
        cells = [cell.strip() for cell in line.text.strip().strip("|").split("|")]
        match = _LIST.match(line.text)
        # A sentence names a thing without the additions in parentheses.
        label = re.sub(r"\([^)]*\)", "", cells[0] if len(cells) > 1 else match[1] if match else "").strip()
        # A line without a label ends a table. Headers and the rules below them are not rows.
        if not label:
            blocks += [*_topics(line, number), []]
            is_header = True
        elif len(cells) > 1 and is_header:
            is_header = False
        elif not set(label) <= set("-: "):
            blocks[-1].append(Part(label, line.text, number, line))
    return tuple(tuple(block) for block in blocks if len(block) > 1)


def _topics(line: Line, number: int) -> Iterator[list[Part]]:
    """For each sentence of a line, its parts by topic."""
    for sentence in re.split(r"(?<=[다요음함][.])\s", line.text):
        topics = list(_TOPIC.finditer(sentence))
        ends = [*(match.start() for match in topics[1:]), len(sentence)][: len(topics)]
        yield [
            Part(match[1], sentence[match.end() : end], number, line, is_topic=True)
            for match, end in zip(topics, ends, strict=True)
        ]


def check_parts(text: str, sources: Sources) -> Finding | None:
    """Withhold a value or noun that the passages have only with other things than the one that the sentence names."""
    for block in _blocks(sources):
        named = [part for part in block if part.is_named(text)]
        # Other topics count only if they are of the same kind: "공동인증서", "금융인증서".
        endings = {part.label[-1] for part in named}
        others = [part for part in block if part not in named and (not part.is_topic or part.label[-1] in endings)]
        if not named or not others:
            continue
        # Lines outside the block apply to all of its parts.
        numbers = {part.number for part in block}
        plain = [line for number, line in enumerate(sources.lines) if number not in numbers]
        rest = [part.text for part in named] + [line.text for line in plain]
        for word in content_words(text) if len(named) == 1 and not named[0].is_topic and not is_negative(text) else ():
            # Synonyms count only for short nouns: "예금담보대출" is not "예금".
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
