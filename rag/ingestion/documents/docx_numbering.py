"""Computes what Word does not store in .docx files: paragraph numbers ("제3조", "①", "가.") and which styles are headings."""

from __future__ import annotations

import re
from collections import defaultdict
from xml.etree import ElementTree as ET

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"(?:heading|제목)\s*(\d)", re.I)
# Word uses fourteen letters; 가가 follows 하.
_GANADA = "가나다라마바사아자차카타파하"
_CHOSUNG = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"
_DIGITS = "〇一二三四五六七八九"
_KOREAN_DIGITS = "영일이삼사오육칠팔구"


class Styles:
    """A document's paragraph styles. `part`: the root of word/styles.xml, or None."""

    def __init__(self, part: ET.Element | None) -> None:
        self._styles = {
            style.get(f"{W}styleId") or "": style
            for style in (part if part is not None else ())
            if style.tag == f"{W}style"
        }
        self._default = next(
            (
                name
                for name, style in self._styles.items()
                if style.get(f"{W}default") == "1" and style.get(f"{W}type") == "paragraph"
            ),
            "",
        )

    def style_id(self, properties: ET.Element | None) -> str:
        """The style id in a paragraph's properties, or the default style's."""
        return value(properties, "pStyle") or self._default

    def lookup(self, style: str, path: str) -> str:
        """A property of a style or of the nearest style it is based on; empty if none has it."""
        # In damaged files styles may be based on each other.
        seen: set[str] = set()
        while style in self._styles and style not in seen:
            seen.add(style)
            element = self._styles[style].find(path)
            if element is not None:
                return element.get(f"{W}val") or ""
            style = value(self._styles[style], "basedOn")
        return ""

    def heading_level(self, properties: ET.Element | None, style: str) -> int:
        """1 to 9 for a heading, 0 for body text. `properties`: of the paragraph, which override its style."""
        outline = value(properties, "outlineLvl") or self.lookup(style, f"{W}pPr/{W}outlineLvl")
        if outline.isdecimal():
            return int(outline) + 1 if int(outline) < 9 else 0
        name = self.lookup(style, f"{W}name")
        if match := _HEADING.search(name):
            return int(match[1])
        return 1 if name.lower() in ("title", "제목") else 0


class Numbering:
    """Counts numbered paragraphs as Word does. `part`: the root of word/numbering.xml, or None."""

    def __init__(self, part: ET.Element | None, styles: Styles) -> None:
        self._styles = styles
        self._levels: dict[tuple[str, int], ET.Element] = {}
        self._abstract: dict[str, str] = {}
        self._starts: dict[tuple[str, int], int] = {}
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)
        if part is None:
            return
        for abstract in part.findall(f"{W}abstractNum"):
            for level in abstract.findall(f"{W}lvl"):
                self._levels[abstract.get(f"{W}abstractNumId") or "", int(level.get(f"{W}ilvl") or 0)] = level
        for number in part.findall(f"{W}num"):
            name = number.get(f"{W}numId") or ""
            self._abstract[name] = value(number, "abstractNumId")
            for override in number.findall(f"{W}lvlOverride"):
                if start := value(override, "startOverride"):
                    self._starts[name, int(override.get(f"{W}ilvl") or 0)] = int(start)

    def next(self, properties: ET.Element | None, style: str) -> str:
        """The number shown before the next paragraph; empty if it has none. Call in the order of the paragraphs."""
        number_properties = properties.find(f"{W}numPr") if properties is not None else None
        name = value(number_properties, "numId") or self._styles.lookup(style, f"{W}pPr/{W}numPr/{W}numId")
        depth = value(number_properties, "ilvl") or self._styles.lookup(style, f"{W}pPr/{W}numPr/{W}ilvl") or "0"
        abstract = self._abstract.get(name)
        # The number 0 removes a paragraph from its style's list.
        if not abstract or name == "0" or (abstract, int(depth)) not in self._levels:
            return ""
        level = int(depth)
        counts = self._counts[abstract]
        is_restarted = (name, level) in self._starts
        if level in counts and not is_restarted:
            counts[level] += 1
        else:
            # An overridden start applies once; the list continues from it.
            counts[level] = self._starts.pop((name, level), self._start(abstract, level))
        # Deeper levels restart: each article's paragraphs begin with ①.
        for deeper in [each for each in counts if each > level and level < self._restart_level(abstract, each)]:
            del counts[deeper]
        definition = self._levels[abstract, level]
        # With `isLgl` the numbers of all levels are decimal: "1.2" below a chapter "Ⅰ".
        decimal = is_on(definition.find(f"{W}isLgl"))
        return re.sub(
            r"%(\d)",
            lambda match: self._number_text(abstract, int(match[1]) - 1, decimal=decimal),
            value(definition, "lvlText"),
        ).strip()

    def _restart_level(self, abstract: str, level: int) -> int:
        """A level restarts after a number of any level below this one; 0: it never does, as articles count on over chapters."""
        text = value(self._levels[abstract, level], "lvlRestart")
        return int(text) if text.isdecimal() else level

    def _start(self, abstract: str, level: int) -> int:
        text = value(self._levels[abstract, level], "start")
        return int(text) if text.isdecimal() else 1

    def _number_text(self, abstract: str, level: int, *, decimal: bool = False) -> str:
        if (abstract, level) not in self._levels:
            return ""
        number = self._counts[abstract].get(level, self._start(abstract, level))
        return spell(number, "decimal" if decimal else value(self._levels[abstract, level], "numFmt"))


def value(parent: ET.Element | None, name: str) -> str:
    """The `w:val` attribute of a child element; empty if there is none."""
    element = parent.find(f"{W}{name}") if parent is not None else None
    return (element.get(f"{W}val") or "") if element is not None else ""


def is_on(flag: ET.Element | None) -> bool:
    """Whether an element that switches something on and off is there, and not set to off."""
    return flag is not None and flag.get(f"{W}val", "true") not in ("0", "false", "off", "none")


def spell(number: int, form: str) -> str:
    """A number in one of Word's number formats (`w:numFmt`); in decimal digits if the format is unknown."""
    if form in ("bullet", "none"):
        return ""
    if form in ("decimalEnclosedCircle", "decimalEnclosedCircleChinese") and 1 <= number <= 20:
        return chr(0x245F + number)
    if form == "decimalEnclosedParen" and 1 <= number <= 20:
        return chr(0x2473 + number)
    if form == "ganada":
        return _GANADA[(number - 1) % 14] * ((number - 1) // 14 + 1)
    if form == "chosung":
        return _CHOSUNG[(number - 1) % 14] * ((number - 1) // 14 + 1)
    if form in ("lowerLetter", "upperLetter"):
        letter = chr(97 + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letter.upper() if form.startswith("upper") else letter
    if form in ("lowerRoman", "upperRoman"):
        return _roman(number).lower() if form.startswith("lower") else _roman(number)
    if form == "decimalZero":
        return f"{number:02}"
    if form in ("koreanDigital", "koreanDigital2", "koreanCounting", "koreanLegal"):
        digits = _DIGITS if form == "koreanDigital2" else _KOREAN_DIGITS
        tens, ones = divmod(number, 10)
        ten = ("十" if form == "koreanDigital2" else "십") if tens else ""
        # Twelve is 십이, not 일십이. Numbers from a hundred on, which hardly any list has, are not spelled.
        if number < 100:
            return (digits[tens] if tens > 1 else "") + ten + (digits[ones] if ones or not tens else "")
    return str(number)


def _roman(number: int) -> str:
    text = ""
    for size, letters in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ["M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"],
        strict=True,
    ):
        text += letters * (number // size)
        number %= size
    return text
