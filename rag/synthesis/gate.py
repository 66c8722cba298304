"""What no answer may hold, whatever its sources say: it ends the answer, and the approved text takes its place.

Runs of the instruction, reasoning blocks, markup, addresses and phone numbers that no source holds, repeated text, and more
text than an answer has. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.constraints import read_quantities
from rag.korean import compact
from rag.privacy import mask, own_numbers

LONGEST_ANSWER = 2000
"""Characters of one answer; the longest approved text of the bundled FAQ has 1,050."""
LONGEST_SENTENCE = 600
"""Characters without any sentence's end."""
RUN = 18
"""Characters, white space left out, that an answer may share with the instruction and not with a source."""
_REPEATS = 3
_MARKUP = re.compile(
    r"</?[A-Za-z!|][^>\n]{0,80}[>|]|<\||```|!\[|\]\(\s*(?:https?|www|#|/)|\[/?INST|^\s*#{1,6}\s|###|\{\{|\}\}|\b(?:system|assistant|user)\s*:",
    re.M,
)
_ADDRESS = re.compile(
    r"(?:https?|ftp)://\S+|www\.\S+|[\w.+\-]+@[\w\-]+\.\w+|\b[A-Za-z0-9\-]{2,}(?:\.[A-Za-z0-9\-]+)*\.(?:com|net|org|kr|io|me|app|xyz|example|ly|gg|cc)\b\S*",
    re.IGNORECASE,
)
_LOOP = re.compile(r"(.{3,60}?)\1{3,}")


class Gate:
    """Looks at one answer as it grows. `sources`: the passages shown to the model."""

    def __init__(self, instruction: str, sources: Iterable[str]) -> None:
        texts = list(sources)
        self._sources = "\n".join(texts)
        compacted = compact(self._sources)
        runs = _runs(compact(instruction))
        # Words that a source holds as well give nothing away.
        self._instruction = frozenset(run for run in runs if run not in compacted)
        self._phones = {quantity.low for quantity in read_quantities(self._sources) if quantity.dimension == "phone"}
        self._own = own_numbers(texts)
        self._seen: dict[str, int] = {}
        self._length = 0

    def open_text(self, text: str) -> str | None:
        """What is wrong with a sentence that has no end yet; None for nothing."""
        if match := _MARKUP.search(text):
            return f"markup {match[0][:20]!r}"
        if len(text) > LONGEST_SENTENCE:
            return "a sentence without an end"
        if self._instruction and any(run in self._instruction for run in _runs(compact(text))):
            return "the instruction"
        loop = _LOOP.search(text)
        return "repeated text" if loop and len(loop[0]) >= 24 and not loop[1].isspace() else None

    def sentence(self, text: str) -> str | None:
        """What is wrong with a whole sentence, counting it; None for nothing."""
        # Again, now that it is whole: a piece may have been cut within a mark.
        if problem := self.open_text(text):
            return problem
        for address in _ADDRESS.findall(text):
            if address.rstrip(".,)은는이가을를에") not in self._sources:
                return "an address"
        if any(each.dimension == "phone" and each.low not in self._phones for each in read_quantities(text)):
            return "a phone number"
        if mask(text, self._own).kinds:
            return "a personal number"
        self._length += len(text)
        key = compact(text)
        self._seen[key] = self._seen.get(key, 0) + 1
        if self._length > LONGEST_ANSWER:
            return "an answer without an end"
        return "repeated text" if len(key) > 8 and self._seen[key] >= _REPEATS else None


def _runs(text: str) -> list[str]:
    return [text[start : start + RUN] for start in range(len(text) - RUN + 1)]
