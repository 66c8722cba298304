"""Bytes to text: UTF-8, UTF-16 or CP949, told by the bytes alone. Pure."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

_HANGUL = re.compile(rb"[\xea-\xed][\x80-\xbf]{2}")
_SAMPLE = 1 << 20
_BYTE_ORDER_MARK = "\ufeff"


def decode(data: bytes) -> str:
    """UTF-8 or UTF-16, with or without byte order marks, or CP949; bytes that are neither become lone surrogates.

    A UTF-8 file with a damaged byte is often valid CP949 and would turn into other Hangul without a word: where more than
    half of the foreign bytes spell Hangul in UTF-8 it is UTF-8. (In CP949 next to none do.)
    """
    return _decode(data).lstrip(_BYTE_ORDER_MARK)  # some programs put a second one before the first


def _decode(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return data.decode("utf-8", "surrogateescape")
    if encoding := _utf16(data):
        return data.decode(encoding, "replace")
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    # Enough to tell, and a file of 100 MB is not searched twice.
    sample = data[:_SAMPLE]
    foreign = sample.translate(None, bytes(range(128)))
    is_utf8 = 2 * len(b"".join(_HANGUL.findall(sample))) > len(foreign)
    return data.decode("utf-8" if is_utf8 else "cp949", "surrogateescape")


def _utf16(data: bytes) -> str | None:
    """The kind of UTF-16, by its mark; without one by where the zeros are: separators and spaces have one in their high byte."""
    if data.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if data.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    sample = data[: 1 << 14]
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    # A stray NUL in other text stays what it is, a defect; of Hangul one syllable in 256 has a zero in its low byte.
    if len(data) % 2 or max(odd, even) * 50 < len(sample) or min(odd, even) * 10 > max(odd, even):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"
