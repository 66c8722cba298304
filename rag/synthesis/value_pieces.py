"""A sentence in the pieces that each of its values stands in: between commas, endings and the values of a list.

What tells one value from another and is none itself becomes a sign: rates of use ("하루에" is "@일") and kinds ("C군"); what
is free becomes "0원". Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from rag.constraints import Quantity, quantities_of

_PER = tuple(
    (re.compile(pattern), f" {token} ")
    for pattern, token in (
        (r"(?<![\d가-힣])(?<!1일 )(?<!하루 )(?<!하루에 )(?<!월 )(?<!@일 )(?:1|한)\s?(?:회|번|차례|건)(?!차|째|용|호|강|물)"
         r"(?:당|에|마다)?|건당|회당", "@회"),
        (r"(?<![\d월가-힣+])(?<!월 )1일(?!자|부터|까지|\s?(?:이내|안|전|후|이상))(?:에|당)?"
         r"|하루(?:에|당)?(?!\s?(?:전|뒤|이내|안))|매일", "@일"),
        (r"(?<![\d가-힣])(?:1개월|한\s?달)(?:에|마다|당)?(?=\s(?:최대\s)?\d)|매[월달](?!\s?\d{1,2}\s?일)"
         r"|(?<![\d가-힣])월(?=\s?(?:최대\s)?\d|\s[가-힣]{2,4}\s?(?:한도|금액|횟수))", "@월"),
        (r"(?<![\d가-힣])(?:1년|한\s?해)(?:에|마다|당)(?=\s(?:최대\s)?\d)|연간|해마다(?!\s?\d)|매년(?!\s?\d)", "@년"),
        (r"(?<![\d가-힣])(?:1|한)\s?(?:인|명|사람)(?:당|에게|이|에)?(?![가-힣])|한\s?분(?:당|에게|이)?(?![가-힣])|인당", "@인"),
    )
)  # fmt: skip
"""Rates of use, which tell one limit from another and are no values themselves."""
_LETTER = re.compile(r"(?<![A-Za-z0-9@])([A-Z])(?![A-Za-z0-9])")
"""A class or a kind: "C군 종목"."""
_UNMET = re.compile(r"미(?:적용|해당)|(?:적용|해당)(?:되지|하지) ?않(?:을|는|은)?")
_MET = re.compile(r"적용(?=$|되면|하면|될 때|할 때|되는 (?:때|날|기간|경우)| 시\s)")
"""What does not apply, which has the words of what does, and what does."""
_LISTED_KINDS = re.compile(
    r"((?:[가-힣]{2,8}·)+)([가-힣]{2,8}?)(요금|대출|예금|적금|보험|카드|수수료|거래|주식|주문|종목|계좌|증명서)(?![가-힣·])"
)
"""Kinds of a thing, which is named once: "전기·전화요금"."""
_FREE = re.compile(
    r"(?:무료|공짜|무상|면제(?!\s?(?:항목|횟수|한도|잔여|사유)))(?![가-힣]{0,3}\s?(?:않|아니|아닙|제외))"
    r"|(?<=[료용금세비])(?:[가이는은를도])?\s(?:없(?!는)|받지 않|내지 않|들지 않|부과되지 않|안 (?:받|내|들|붙))"
)
_IF = r"(?<=[가-힣]면)(?<![화서대전반앞뒷측정]면),?\s|(?<=때),?\s|(?<=때는),?\s|(?<=때에는),?\s|(?<=경우),?\s|(?<=경우에는),?\s"
_THEN = (
    r"(?<=[가-힣][며고])(?<![사신보창광잔재경라다자냐려최권금공출예]고),?\s(?!있|계[시신실셔십]|싶|나[서면])|(?<=지만),?\s|(?<=므로),?\s|(?<=[는인은]데),?\s"
    r"|(?<=[어아여해져]서),?\s|;\s"
)
_PIECE = re.compile(rf"({_IF})|({_THEN})|,\s|\s/\s|·\s?(?=[@\d])|\s(?:또는|혹은)\s")
TOPIC = re.compile(
    r"^(?:\S+\s){0,4}?\S*(?<![하되있없받쓰])(?<!만드)(?<!보내)(?<!\s[내오가주드])(?<!까지)(?<!부터)(?<!에서)(?<!에)(?<!로)(?:은|는)(?=\s|$)"
)
_ASIDE = re.compile(r"\(([^()]*(?:\d|면제|무료|무상)[^()]*)\)")
_BRACKETS = re.compile(r"[()\[\]]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence with at most one quantity of a dimension. `end`: "if" of a condition, "then" of a clause, else ""."""

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
        """What comes after a quantity and its particle."""
        # The rest of the word is a particle: "50만원까지".
        return re.sub(r"^\S*", "", self.text[quantity.end :])


_DAYS = tuple(
    (re.compile(pattern), Decimal(low))
    for pattern, low in (
        (r"(?<![가-힣])(?:당일|즉시|실시간)", 0),
        (r"다음 ?(?:영업)?날|다음 ?영업일|익일|익영업일|이튿날|[DT]\s?\+\s?1일?", 1),
        (r"전일(?!제)|전날|[전앞] ?영업일", -1),
    )
)  # fmt: skip
"""Days beside each other, which are values as spans of time are."""


@lru_cache(maxsize=4096)
def values_and_days(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text and the days it names ("당일", "다음 날"), in text order."""
    found = list(quantities_of(text))
    for pattern, low in _DAYS:
        for match in pattern.finditer(text):
            if not any(each.start < match.end() and match.start() < each.end for each in found):
                found.append(Quantity("duration", "relative", low, low, match[0], *match.span()))
    return tuple(sorted(found, key=lambda each: each.start))


def marked(text: str) -> str:
    """The text with its rates of use as signs ("하루에" is "@일") and what is free as "0원"."""
    for pattern, token in _PER:
        text = pattern.sub(token, text)
    text = _LETTER.sub(r" @\1 ", text)
    text = _LISTED_KINDS.sub(lambda match: match[1].replace("·", f"{match[3]}·") + match[2] + match[3], text)
    return _FREE.sub(" 0원 ", _MET.sub(" @적 ", _UNMET.sub(" @미 ", text)))


def pieces_of(sentence: str) -> list[Piece]:
    """The pieces of a sentence in order, marked."""
    text = " ".join(marked(_BRACKETS.sub(" ", _ASIDE.sub(r", \1, ", sentence))).split())
    found: list[Piece] = []
    start = 0
    for match in _PIECE.finditer(text):
        found += _cut(text[start : match.start()], "if" if match[1] else "then" if match[2] else "")
        start = match.end()
    return [*found, *_cut(text[start:], "then")]


def _cut(part: str, end: str) -> Iterator[Piece]:
    """A part of a sentence, cut after a value where another of its dimension follows: "한 번에 100만원씩 | 하루 600만원"."""
    start, ends = 0, dict[str, int]()
    for quantity in values_and_days(part):
        if (last := ends.get(quantity.dimension)) is not None:
            yield _piece(part[start:last], "")
            start, ends = last, {}
        # With its particle, or with the noun it stands before: "1년 단위로 최장 10년까지".
        rest = re.match(r"\s\S+|\S*", part[quantity.end :])
        ends[quantity.dimension] = quantity.end + (rest.end() if rest else 0)
    if part[start:].strip():
        yield _piece(part[start:], end)


def _piece(text: str, end: str) -> Piece:
    return Piece(text, values_and_days(text), end)
