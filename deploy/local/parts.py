"""How a container's records become parts of a stream: several in one, cut anywhere, or without the last newline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from deploy.local.spec import EndpointSpec


def cut(data: bytes, spec: EndpointSpec) -> Iterator[bytes]:
    """The parts that these bytes are sent as; joined, they are the bytes."""
    if spec.split_syllables:
        yield from _inside_characters(data)
    elif spec.part_bytes:
        yield from (data[start : start + spec.part_bytes] for start in range(0, len(data), spec.part_bytes))
    elif data:
        yield data


def unended(records: Sequence[bytes]) -> list[bytes]:
    """The records without the newlines at the very end."""
    remaining = list(records)
    while remaining and not (last := remaining.pop().rstrip(b"\n")):
        pass
    return [*remaining, last] if records and last else remaining


def _inside_characters(data: bytes) -> Iterator[bytes]:
    """Cut after the first byte of every character that has several."""
    start = 0
    for position, byte in enumerate(data):
        if byte >= 0xC0:
            yield data[start : position + 1]
            start = position + 1
    if start < len(data):
        yield data[start:]
