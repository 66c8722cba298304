"""Numerals of Korean text to numbers, and text with its widths folded so that offsets still point into the original."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

_SINO = dict(zip("영공일이삼사오육륙칠팔구", map(Decimal, (0, 0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9)), strict=True))
_SMALL = {"십": Decimal(10), "백": Decimal(100), "천": Decimal(1000)}
_BIG = {"만": Decimal(10**4), "억": Decimal(10**8), "조": Decimal(10**12)}
_ONES = ("한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_TENS = ("열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_FRACTIONS = {"½": Decimal("0.5"), "¼": Decimal("0.25"), "¾": Decimal("0.75")}

NATIVE = {
    **{one: Decimal(i) for i, one in enumerate(_ONES, 1)},
    **{ten: Decimal(10 * i) for i, ten in enumerate(_TENS, 1)},
    **{ten + one: Decimal(10 * i + j) for i, ten in enumerate(_TENS, 1) for j, one in enumerate(_ONES, 1)},
    **{"스무": Decimal(20), "석": Decimal(3), "넉": Decimal(4)},
    **{"하나": Decimal(1), "둘": Decimal(2), "셋": Decimal(3), "넷": Decimal(4)},
}
"""Native numerals as they stand before a counter: 한, 두, 열네, 스무 …"""

DIGITS = r"(?:\d{1,3}(?:,\d{3}){1,5}|\d{1,16})(?:\.\d{1,8})?[½¼¾]?"
_SCALE = r"(?:[십백천]\s?[만억조](?!기)|[십백천만억조](?!기))"
ARABIC = rf"(?:{DIGITS}\s?{_SCALE}(?:\s?{DIGITS}{_SCALE}){{0,3}}(?:(?<=[천만억]){DIGITS})?|{DIGITS})"
"""Digits with Korean scales: 5, 5,000, 3.5, 5천만, 1억 5천만. "1년 만기" is not ten thousand years. Bounded: a long
run of digits costs no more than its length."""
_SPELLED = "[영공일이삼사오육륙칠팔구십백천만억조]"
SINO = rf"(?={_SPELLED})(?<![가-힣])(?<!몇 )(?<!수 ){_SPELLED}{{1,16}}(?:점[영공일이삼사오육칠팔구]{{1,4}})?"
"""Spelled-out Sino-Korean numerals at the start of a word; what may follow decides whether they are one."""

_PART = re.compile(r"\d[\d,]*(?:\.\d+)?|.", re.DOTALL)
_CLUSTER = re.compile(r".[\u0300-\u036f\u1160-\u11ff]*", re.DOTALL)


def fold(text: str) -> tuple[str, list[int] | None]:
    """The text with full-width and composed characters folded, and the original offset of each of its characters.

    The offsets hold one more entry, the text's length; None stands for "the same offsets". Numbers that are signs, like
    ① or ², become spaces: NFKC would make "①5만원" 15만원 and "10²" 102.
    """
    if unicodedata.is_normalized("NFKC", text):
        return text, None
    characters: list[str] = []
    offsets: list[int] = []
    for match in _CLUSTER.finditer(text):
        cluster = match.group()
        if unicodedata.category(cluster[0]) == "No":
            folded = cluster if cluster in _FRACTIONS else " "
        else:
            folded = unicodedata.normalize("NFKC", cluster)
        characters.append(folded)
        offsets.extend([match.start()] * len(folded))
    return "".join(characters), [*offsets, len(text)]


def number(numeral: str) -> Decimal:
    """The value of a numeral in digits, Sino-Korean or native words, or mixed: "1억 5천만", "오천만", "열네", "삼점오"."""
    numeral = numeral.strip()
    if numeral in NATIVE:
        return NATIVE[numeral]
    whole, _, decimals = numeral.partition("점")
    value = _sum(whole)
    if decimals:
        value += Decimal("0." + "".join(str(_SINO[digit]) for digit in decimals))
    return value


def _sum(numeral: str) -> Decimal:
    total = section = Decimal(0)
    current: Decimal | None = None
    last_scale = ""
    for part in _PART.findall(numeral):
        if part in _BIG:
            section += current or 0
            total += (section or 1) * _BIG[part]
            section, current, last_scale = Decimal(0), None, part
        elif part in _SMALL:
            section += (1 if current is None else current) * _SMALL[part]
            current, last_scale = None, last_scale + part
        elif part in _FRACTIONS:
            current = (current or Decimal(0)) + _FRACTIONS[part]
        elif part in _SINO:
            # "이공이육" is read digit by digit.
            current = _SINO[part] if current is None else current * 10 + _SINO[part]
        elif part[0].isdigit():
            current = Decimal(part.replace(",", ""))
    # "1억 5천" leaves out the 만 that both know of.
    if last_scale == "억천" and current is None:
        section *= _BIG["만"]
    return total + section + (current or 0)
