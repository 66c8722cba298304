"""Event-stream bytes, parsed by botocore, and the splitting of records into parts."""

from __future__ import annotations

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from deploy.local import event_stream
from deploy.local.streaming import split_parts, without_last_newline
from tests.deploy.conftest import generator

TEXT = '한국어 😀 "따옴표" <b> [1]\n\n'


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.integers(1, 50))
def test_botocore_reads_every_part_however_it_arrives(payloads: list[bytes], step: int) -> None:
    sent = b"".join(event_stream.part(payload) for payload in payloads)
    buffer, found = EventStreamBuffer(), []
    for start in range(0, len(sent), step):
        buffer.add_data(sent[start : start + step])
        found += [message.payload for message in buffer]
    assert found == payloads


@pytest.mark.parametrize("place", [2, 9, 30, -6, -1])
def test_a_changed_byte_is_noticed_by_a_checksum(place: int) -> None:
    sent = bytearray(event_stream.part(TEXT.encode()))
    sent[place] ^= 1
    buffer = EventStreamBuffer()
    buffer.add_data(bytes(sent))
    with pytest.raises(ChecksumMismatch):
        list(buffer)


@pytest.mark.parametrize("fields", [{}, {"split_syllables": True}, {"part_bytes": 1}, {"part_bytes": 7}])
def test_cut_parts_are_the_record(fields: dict[str, object]) -> None:
    assert b"".join(split_parts(TEXT.encode(), generator(**fields))) == TEXT.encode()


def test_every_character_of_several_bytes_is_split() -> None:
    parts = list(split_parts("가a나".encode(), generator(split_syllables=True)))
    assert parts == ["가".encode()[:1], "가".encode()[1:] + b"a" + "나".encode()[:1], "나".encode()[1:]]


@pytest.mark.parametrize(
    ("records", "kept"),
    [
        ([b"a\n", b"b\n"], [b"a\n", b"b"]),
        ([b"a\n", b"\n", b"\n\n"], [b"a"]),
        ([b"\n"], []),
        ([], []),
    ],
)
def test_last_newlines_left_out(records: list[bytes], kept: list[bytes]) -> None:
    assert without_last_newline(records) == kept
