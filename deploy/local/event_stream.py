"""Encodes messages of AWS's event-stream format (application/vnd.amazon.eventstream). All numbers are big-endian.

A message is `total length(4) header length(4) crc32(4) | headers | payload | crc32(4)`; each CRC covers everything before it.
A header is `length(1) name type(1) length(2) value`; type 7 is a string.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import orjson

_STRING = 7
CONTENT_TYPE = "application/vnd.amazon.eventstream"


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """The bytes of one message."""
    packed = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    head = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return head + struct.pack("!I", zlib.crc32(head))


def part(payload: bytes) -> bytes:
    """A PayloadPart event."""
    headers = {
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
        ":message-type": "event",
    }
    return message(headers, payload)


def failure(kind: str, text: str, **fields: str) -> bytes:
    """An exception event. `kind`: "ModelStreamError" or "InternalStreamFailure"."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return message(headers, orjson.dumps({"Message": text, **fields}))


def _header(name: str, value: str) -> bytes:
    named, valued = name.encode(), value.encode()
    return struct.pack("!B", len(named)) + named + struct.pack("!BH", _STRING, len(valued)) + valued
