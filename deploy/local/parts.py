"""Splits a container's records into the parts of a stream, optionally at inconvenient places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deploy.local.spec import EndpointSpec


def split_parts(data: bytes, spec: EndpointSpec) -> Iterator[bytes]:
    """Split bytes into the parts in which they are sent, by `split_syllables` or `part_bytes` of the spec."""
    if spec.split_syllables:
        yield from _inside_characters(data)
    elif spec.part_bytes:
        yield from (data[start : start + spec.part_bytes] for start in range(0, len(data), spec.part_bytes))
    elif data:
        yield data


def without_last_newline(records: Sequence[bytes]) -> list[bytes]:
    """The records without the newlines at the end of the last ones."""
    remaining = list(records)
    while remaining and not (last := remaining.pop().rstrip(b"\n")):
        pass
    return [*remaining, last] if records and last else remaining


def _inside_characters(data: bytes) -> Iterator[bytes]:
    """Split after the first byte of every multi-byte character."""
    start = 0
    for position, byte in enumerate(data):
        if byte >= 0xC0:
            yield data[start : position + 1]
            start = position + 1
    if start < len(data):
        yield data[start:]
