"""Writes the formulas of a Word file on one line: fractions with "/", powers with "^", roots with "√"."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
# What an element writes before each of its parts; ECMA-376 part 1, 22.1.2, names the parts.
_PARTS = {
    "f": {"num": "", "den": "/"},
    "sSup": {"e": "", "sup": "^"},
    "sSub": {"e": "", "sub": "_"},
    "sSubSup": {"e": "", "sub": "_", "sup": "^"},
    "sPre": {"sub": "_", "sup": "^", "e": ""},
    "limLow": {"e": "", "lim": "_"},
    "limUpp": {"e": "", "lim": "^"},
    "rad": {"deg": "", "e": "√"},
    "nary": {"sub": "_", "sup": "^", "e": ""},
}
_WHOLE = re.compile(r"[\w,.%]*|\([^()]*\)")


def formula_text(element: ET.Element) -> str:
    """The text of an `m:oMath` element or of a part of one, with brackets around several terms where one line needs them."""
    name = element.tag.removeprefix(M)
    if name == "t":
        return element.text or ""
    if name == "d":
        opening, closing, between = (
            _character(element, part, usual) for part, usual in (("begChr", "("), ("endChr", ")"), ("sepChr", "|"))
        )
        return opening + between.join(formula_text(part) for part in element.findall(f"{M}e")) + closing
    if name in _PARTS:
        texts = {part: formula_text(found) for part in _PARTS[name] if (found := element.find(M + part)) is not None}
        start = _character(element, "chr", "∫") if name == "nary" else ""
        return start + "".join(
            _PARTS[name][part] + (text if _WHOLE.fullmatch(text) else f"({text})")
            for part, text in texts.items()
            if text
        )
    if name in ("eqArr", "m"):
        return "\n".join(formula_text(line) for line in element if line.tag in (f"{M}e", f"{M}mr"))
    if name == "mr":
        return "\t".join(map(formula_text, element))
    # Deleted text has `w:delText`, which is no `m:t`; a deleted run of a formula is within `w:del`.
    return "".join(formula_text(part) for part in element if not part.tag.endswith(("}del", "}moveFrom")))


def _character(element: ET.Element, name: str, usual: str) -> str:
    """The bracket, separator or sign that an element names in its properties, else the usual one."""
    found = element.find(f"{element.tag}Pr/{M}{name}")
    return usual if found is None else found.get(f"{M}val", "")
