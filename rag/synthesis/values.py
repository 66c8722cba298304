"""The values of passages and sentences, each with the words around it, which are its role.

In "1회 50만원, 1일 200만원", "200만원" belongs to a day; a cell belongs to its row and column. A sentence is split at commas,
endings and the values of a list. Periods and classes, which distinguish values, become signs ("하루에" is "@일"). The words are
at three distances: the value's label, words shared with the values beside it, and the rest of the sentence with heading and
title.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from rag.constraints import Quantity, quantities_of
from rag.korean import compact
from rag.synthesis.normalisation import marked

_IF = r"(?<=[가-힣]면)(?<![화서대전반앞뒷측정]면),?\s|(?<=때),?\s|(?<=때는),?\s|(?<=때에는),?\s|(?<=경우),?\s|(?<=경우에는),?\s"
_THEN = (
    r"(?<=[가-힣][며고])(?<![사신보창광잔재경라다자냐려최권금공출예]고),?\s(?!있|계[시신실셔십]|싶|나[서면])"
    r"|(?<=지만),?\s|(?<=므로),?\s|(?<=[는인은]데),?\s"
    r"|(?<=[어아여해져]서),?\s|;\s"
)
_PIECE = re.compile(rf"({_IF})|({_THEN})|,\s|\s/\s|·\s?(?=[@\d])|\s(?:또는|혹은)\s")
TOPIC = re.compile(
    r"^(?:\S+\s){0,4}?\S*(?<![하되있없받쓰])(?<!만드)(?<!보내)(?<!\s[내오가주드])(?<!까지)(?<!부터)(?<!에서)(?<!에)(?<!로)(?:은|는)(?=\s|$)"
)
_ASIDE = re.compile(r"\(([^()]*(?:\d|면제|무료|무상)[^()]*)\)")


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a sentence with at most one quantity of each dimension. `end`: "if" after a condition, "then" after a clause, or
    ""."""

    text: str
    quantities: tuple[Quantity, ...]
    end: str = ""

    def of(self, dimension: str) -> Quantity | None:
        """The piece's quantity of a dimension."""
        return next((each for each in self.quantities if each.dimension == dimension), None)

    def before(self, quantity: Quantity) -> list[str]:
        """The words before a quantity."""
        return self.text[: quantity.start].split()

    def after(self, quantity: Quantity) -> str:
        """The text after a quantity and its particle."""
        return re.sub(r"^\S*", "", self.text[quantity.end :])


_DAYS = tuple(
    (re.compile(pattern), Decimal(low))
    for pattern, low in (
        (r"(?<![가-힣])(?:당일|즉시|실시간)", 0),
        (r"다음 ?(?:영업)?날|다음 ?영업일|익일|익영업일|이튿날|[DT]\s?\+\s?1일?", 1),
        (r"전일(?!제)|전날|[전앞] ?영업일", -1),
    )
)  # fmt: skip
"""Relative days, which count as values like durations, with their distance in days."""


@lru_cache(maxsize=4096)
def values_and_days(text: str) -> tuple[Quantity, ...]:
    """The quantities and relative days ("당일", "다음 날") of a text, in text order."""
    values = list(quantities_of(text))
    for pattern, low in _DAYS:
        for match in pattern.finditer(text):
            if not any(each.start < match.end() and match.start() < each.end for each in values):
                values.append(Quantity("duration", "relative", low, low, match[0], *match.span()))
    return tuple(sorted(values, key=lambda each: each.start))


def pieces_of(sentence: str) -> list[Piece]:
    """The pieces of a sentence in order, with the signs of `marked`."""
    text = " ".join(marked(re.sub(r"[()\[\]]", " ", _ASIDE.sub(r", \1, ", sentence))).split())
    pieces, start = list[Piece](), 0
    for match in _PIECE.finditer(text):
        pieces += _cut(text[start : match.start()], "if" if match[1] else "then" if match[2] else "")
        start = match.end()
    return [*pieces, *_cut(text[start:], "then")]


def _cut(part: str, end: str) -> Iterator[Piece]:
    """The pieces of a part of a sentence, cut between values of one dimension: "한 번에 100만원씩 | 하루 600만원"."""
    start, ends = 0, dict[str, int]()
    for quantity in values_and_days(part):
        if (last := ends.get(quantity.dimension)) is not None:
            yield Piece(part[start:last], values_and_days(part[start:last]))
            start, ends = last, {}
        # The cut is after the particle, or after the noun that the value belongs to: "1년 단위로 | 최장 10년까지".
        ends[quantity.dimension] = quantity.end + re.match(r"\s\S+|\S*", part[quantity.end :]).end()  # type: ignore[union-attr]
    if part[start:].strip():
        yield Piece(part[start:], values_and_days(part[start:]), end)


APP = re.compile(r"[가-힣]{2,}(?:[A-Z]{1,4}(?![A-Za-z])|톡|페이|뱅크)")
"""Names of apps: 새나래ON, 미르누리M."""
FEE = re.compile(r"수수료|비용|요금|전신료|연회비|발급비|배송비|보증료|인지세|(?<![가-힣])돈(?=[이을])")
_NOTHING = re.compile(r"(?:면제|없음|무료|비과세)")
_SENTENCE = re.compile(r"(?<=[다요오음됨함임][.])\s")
_SUBJECT = re.compile(r"[가-힣A-Za-z](?:은|는|이|가)$")
_LABEL = re.compile(r"^\s*(?:[-•·*※]|\d{1,2}[.)])?\s*([^:|]{1,30}?)\s?:\s+(?=\S)")
_HEADING = re.compile(r"^\s*\[([^\]]{2,30})\]\s*")
_MARK = re.compile(r"^\s*(?:[-•·*※①-⑳]|\d{1,2}[.)](?=\s)|제\d+조)\s*")
_POSTPOSITION = re.compile(r"\s*(?:단위로|간격으로|이내|이내에|동안|범위에서)?\s*")
_LISTED = 2
"""Words before a value, at most, that are only its label, so that the words before the previous value apply to it, too."""


@dataclass(frozen=True, slots=True)
class Value:
    """A quantity with its role: the words of its label (`own`), shared with other values (`shared`), and further away (`far`).

    `conditions`: the quantities among these words ("10만원 이하" of a row). `table`: the header of the table that it is in."""

    quantity: Quantity
    own: str
    shared: str
    far: str
    conditions: tuple[Quantity, ...] = ()
    table: str = ""


@lru_cache(maxsize=512)
def passage_values(passage: str) -> tuple[Value, ...]:
    """The values of a passage, whose first two lines are its institution and title; the words are without white space."""
    title, lines = " ".join(passage.split("\n")[:2]), passage.split("\n")[1:]
    values: list[Value] = []
    heading, header, column = "", list[str](), dict[int, str]()
    for number, line in enumerate(lines):
        cells = [marked(cell).strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) > 1:
            if not "".join(cells).strip(" -:"):
                continue
            if not header:
                header, column = cells, _units(lines[number + 1 :])
                continue
            values += _row_values(header, cells, column, f"{title} {heading}")
            continue
        header = []
        if (match := _HEADING.match(line)) is not None:
            heading, line = match[1], line[match.end() :]
        elif line.startswith("※") or not line.strip():
            heading = ""
        values += _line_values(line, marked(heading), title)
    # The name of an app also counts as the word 앱.
    searched = [[compact(APP.sub(r"\g<0>앱", text)) for text in (each.own, each.shared, each.far)] for each in values]
    return tuple(replace(each, own=o, shared=s, far=f) for each, (o, s, f) in zip(values, searched, strict=True))


@lru_cache(maxsize=1024)
def sentence_values(sentence: str) -> tuple[Value, ...]:
    """The values of a sentence."""
    return tuple(_line_values(sentence, "", ""))


def _units(rows: Sequence[str]) -> dict[int, str]:
    """The unit of each column by its index, in which "면제" means 0."""
    units: dict[int, str] = {}
    for row in rows:
        cells = row.strip().strip("|").split("|")
        if len(cells) < 2:
            break
        for place, cell in enumerate(cells):
            if match := re.search(r"%p?|원", cell):
                units.setdefault(place, match[0])
    return units


def _row_values(header: Sequence[str], cells: Sequence[str], units: dict[int, str], far: str) -> Iterator[Value]:
    cells = [
        f"0{units[place]}" if place in units and _NOTHING.fullmatch(cell.replace("0원", "무료").strip()) else cell
        for place, cell in enumerate(cells)
    ]
    read = [values_and_days(cell) for cell in cells]
    for place, quantities in enumerate(read):
        for quantity in quantities:
            labels, conditions = list[str](), list[Quantity]()
            for other in range(place):
                points = [each for each in read[other] if each.is_point and each.dimension == quantity.dimension]
                if other and points:
                    continue
                labels.append(cells[other])
                conditions += read[other]
            own = header[place] if place < len(header) else ""
            text = f"{own} {' '.join(labels)} {cells[place][: quantity.start]}{cells[place][quantity.end :]}"
            conditions += values_and_days(own)
            yield Value(
                quantity, text, "", f"{far} {' '.join(cells[place + 1 :])}", tuple(conditions), "|".join(header)
            )


def _line_values(line: str, heading: str, far: str) -> Iterator[Value]:
    label, listed = "", tuple[Quantity, ...]()
    if (match := _LABEL.match(line)) is not None and not re.search(r"\d$", match[1]):
        label, line = marked(_MARK.sub("", match[0])), line[match.end() :]
        for quantity in (listed := values_and_days(label)):
            yield Value(quantity, label, f"{heading} {line}", far)
    for sentence in _SENTENCE.split(line):
        pieces = pieces_of(_MARK.sub("", sentence))
        for place, piece in enumerate(pieces):
            for quantity in piece.quantities:
                value = _value(pieces, place, quantity, f"{heading} {label}", far)
                yield replace(value, conditions=value.conditions + listed)


@dataclass(slots=True)
class _Context:
    """The words and conditions collected for a value from the pieces around it; `rest` becomes `far` of `Value`."""

    shared: list[str]
    rest: list[str]
    conditions: list[Quantity]

    def add(self, piece: Piece) -> None:
        """Add the whole text and all quantities of a piece."""
        self.shared.append(piece.text)
        self.conditions += piece.quantities


def _value(pieces: Sequence[Piece], place: int, quantity: Quantity, label: str, far: str) -> Value:
    piece, dimension = pieces[place], quantity.dimension
    before = piece.before(quantity)
    context = _Context([label], [far], [each for each in piece.quantities if each.dimension != dimension])
    length = len(before)
    # The words before a list of values apply to all of them, except for the label of the first.
    if not piece.end and place + 1 < len(pieces):
        following = pieces[place + 1].of(dimension)
        if following and _goes_on(pieces[place + 1], following):
            length = max(1, len(pieces[place + 1].before(following)))
            context.shared.append(" ".join(before[:-length]))
    own = " ".join([*before[-length:], piece.after(quantity)]) if length else piece.after(quantity)
    _look_back(pieces, place, quantity, context)
    _look_ahead(pieces, place, quantity, context)
    return Value(quantity, own, " ".join(context.shared), " ".join(context.rest), tuple(context.conditions))


def _look_back(pieces: Sequence[Piece], place: int, quantity: Quantity, context: _Context) -> None:
    piece = pieces[place]
    goes_on, taken = _goes_on(piece, quantity), len(piece.before(quantity))
    has_topic = TOPIC.match(piece.text) is not None
    is_past = has_condition = is_listed = False
    for other in reversed(pieces[:place]):
        beside, topic = other.of(quantity.dimension), TOPIC.match(other.text)
        if topic and has_topic:
            # Words about another topic do not apply; but a waived fee is the fee of that topic.
            context.shared += [topic[0]] if quantity.low == 0 and FEE.search(topic[0]) else []
            break
        if other.end == "if" and not is_past:
            # In "OTP면 5억원, 보안카드면 1천만원" each value has its own condition, but the topic applies to all.
            if not (is_listed and has_condition):
                context.add(other)
            elif topic:
                context.shared.append(topic[0])
            has_condition = True
        elif other.end or is_past:
            # From another clause only the topic applies.
            is_past = True
            if topic:
                context.shared.append(topic[0])
                context.conditions += values_and_days(topic[0])
            if beside is None:
                context.rest.append(other.text)
            elif other.end == "if" == piece.end and not taken:
                context.shared.append(" ".join(other.before(beside)))  # 연체 of "연체가 3일이면 …, 5일이면 …"
        elif beside is None:
            context.add(other)
        elif goes_on:
            words = other.before(beside)
            context.shared.append(" ".join(words[: len(words) - taken] if taken else words))
            own = {each.dimension for each in piece.quantities}
            context.conditions += [each for each in other.quantities if each.dimension not in own]
            goes_on, taken = _goes_on(other, beside), max(1, len(words))
            is_listed = True
        else:
            is_past = True
        has_topic = has_topic or topic is not None


def _look_ahead(pieces: Sequence[Piece], place: int, quantity: Quantity, context: _Context) -> None:
    is_past = pieces[place].end == "then"
    after = pieces[place].after(quantity)
    for each in pieces[place].quantities:
        after = after.replace(each.text, " ")
    is_open = _POSTPOSITION.fullmatch(after) is not None
    for number, other in enumerate(pieces[place + 1 :], place + 2):
        beside = other.of(quantity.dimension)
        # The condition of another value does not apply to this one.
        if (
            other.end == "if"
            and pieces[place].end != "if"
            and any(each.of(quantity.dimension) for each in pieces[number:])
        ):
            is_past = True
            continue
        # A condition applies to what comes after it.
        is_past = is_past or (other.end == "if" and pieces[place].end != "if")
        if beside is None and not other.end and number < len(pieces) and pieces[number].of(quantity.dimension):
            # In "A는 1만원, B, C는 2만원", B belongs to the next value.
            is_past = True
        elif is_past:
            if beside is None:
                context.rest.append(other.text)
        elif beside is None:
            context.add(other)
        elif other.end and is_open and pieces[place].end != "if":
            # The verb at the end of a list applies to all its values.
            context.shared.append(other.after(beside))
        is_past = is_past or other.end == "then"


def _goes_on(piece: Piece, quantity: Quantity) -> bool:
    """Whether a value continues a list: there are few words before it and no topic."""
    before = piece.before(quantity)
    return len(before) <= _LISTED and not any(map(_SUBJECT.search, before))
