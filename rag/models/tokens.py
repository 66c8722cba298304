"""Estimates the number of tokens of a text."""

from __future__ import annotations

import re

_WORD_CHARS_PER_TOKEN = 3
_SPECIAL = 2
_PARTS = re.compile(r"(?P<word>[A-Za-z]+)|(?P<space>\s+)|(?P<wide>[\U00010000-\U0010FFFF])|(?P<single>.)", re.DOTALL)


def estimate_tokens(text: str) -> int:
    """Estimate the number of tokens of a text without the model's tokenizer, including two special tokens.

    Counts one for each Hangul syllable, digit and sign, one for every three Latin letters of a word, three for an emoji.
    Models with a Korean vocabulary use 0.5 to 0.8 of that. A model with an English vocabulary may use more: pass its
    tokenizer as `token_counter`.
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
