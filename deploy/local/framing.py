"""AWS event-stream messages: length, length of headers, CRC, headers, payload, CRC. All numbers are big-endian.

A message is `total(4) headers(4) crc32(4) | headers | payload | crc32(4)`; the first CRC covers the eight bytes before it,
the second everything before it. A header is `length(1) name 7 length(2) value`, 7 standing for a string.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import orjson

_STRING = 7
CONTENT_TYPE = "application/vnd.amazon.eventstream"


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message, ready to be sent."""
    packed = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    head = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return head + struct.pack("!I", zlib.crc32(head))


def part(payload: bytes) -> bytes:
    """A PayloadPart of an answer."""
    headers = {
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
        ":message-type": "event",
    }
    return message(headers, payload)


def failure(kind: str, text: str, **fields: str) -> bytes:
    """An exception in the place of the next part: ModelStreamError or InternalStreamFailure."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return message(headers, orjson.dumps({"Message": text, **fields}))


def _header(name: str, value: str) -> bytes:
    named, valued = name.encode(), value.encode()
    return struct.pack("!B", len(named)) + named + struct.pack("!BH", _STRING, len(valued)) + valued
