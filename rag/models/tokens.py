"""How many tokens a text takes, guessed without its model's tokenizer; rather too many than too few."""

from __future__ import annotations

import re

_WORD_CHARS_PER_TOKEN = 3
_SPECIAL = 2
_PARTS = re.compile(r"(?P<word>[A-Za-z]+)|(?P<space>\s+)|(?P<wide>[\U00010000-\U0010FFFF])|(?P<single>.)", re.DOTALL)


def estimate(text: str) -> int:
    """Tokens including the two special ones.

    One for each Hangul syllable, digit and sign, one for every three Latin letters of a word, three for an emoji. Models with a
    Korean vocabulary use .5 to .8 of that; one with an English vocabulary may use more: give the classes its tokenizer.
    """
    count = _SPECIAL
    for part in _PARTS.finditer(text):
        match part.lastgroup:
            case "word":
                count += -(-len(part.group()) // _WORD_CHARS_PER_TOKEN)
            case "space":
                count += part.group().count("\n")
            case "wide":
                count += 3
            case _:
                count += 1
    return count
