"""Decodes bytes as UTF-8, UTF-16 or CP949, detected from the bytes. Pure functions."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

_HANGUL = re.compile(rb"[\xea-\xed][\x80-\xbf]{2}")
_SAMPLE = 1 << 20
_BYTE_ORDER_MARK = "\ufeff"


def decode(data: bytes) -> str:
    """The text of UTF-8 or UTF-16 bytes, with or without a byte order mark, or of CP949 bytes.

    Undecodable bytes become lone surrogates. Bytes that are not valid UTF-8 are still read as UTF-8 if more than half of the
    non-ASCII ones are Hangul in UTF-8: a UTF-8 file with one damaged byte is often valid CP949 with other Hangul, while CP949
    contains next to no valid UTF-8 Hangul.
    """
    return _decode(data).lstrip(_BYTE_ORDER_MARK)  # some programs write two byte order marks


def _decode(data: bytes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        return data.decode("utf-8", "surrogateescape")
    if encoding := _utf16(data):
        return data.decode(encoding, "replace")
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8")
    # A sample is enough, and does not scan a file of 100 MB twice.
    sample = data[:_SAMPLE]
    foreign = sample.translate(None, bytes(range(128)))
    is_utf8 = 2 * len(b"".join(_HANGUL.findall(sample))) > len(foreign)
    return data.decode("utf-8" if is_utf8 else "cp949", "surrogateescape")


def _utf16(data: bytes) -> str | None:
    """The UTF-16 variant, or None. Without a byte order mark it is detected by the zero high bytes of ASCII characters."""
    if data.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if data.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    sample = data[: 1 << 14]
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    # A few NUL bytes in other text do not make it UTF-16; one Hangul syllable in 256 has a zero low byte.
    if len(data) % 2 or max(odd, even) * 50 < len(sample) or min(odd, even) * 10 > max(odd, even):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"
