"""The progress bar of an ingestion: rows, rate and time left, in both languages."""

from __future__ import annotations

import io
import sys

import pytest

from rag.cli.terminal import Bar


class Watched(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, *, korean: bool) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    bar = Bar(korean=korean)
    for done in range(0, 10_001, 2_500):
        bar("embed", done, 10_000)
    bar("delete", 3, 3)
    bar.close()
    return stream.getvalue()


def test_it_shows_the_rate_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    english = drawn(monkeypatch, Watched(), korean=False)
    assert "embed 100%" in english
    assert " of 10000, " in english
    assert " rows/s" in english
    assert english.count("left") >= 2
    korean = drawn(monkeypatch, Watched(), korean=True)
    assert "임베딩 100%" in korean
    assert "건/s" in korean
    assert "남은 시간 " in korean
    assert "삭제" in korean


def test_without_a_terminal_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, io.StringIO(), korean=True) == ""
