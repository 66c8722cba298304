"""Chats: only for their owner, after restarts, encrypted with a key, and deleted completely."""

from __future__ import annotations

import random
import re
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from rag.errors import RecordError
from rag.records.history import MAX_CHATS, ChatHistory
from rag.types import Answer, AnswerCompleted
from rag.ui.conversation import Exchange
from rag.ui.conversation_recorder import exchange_from_json, exchange_to_json
from tests.fakes import SOURCES, answer_to


def turn(question: str) -> dict[str, Any]:
    exchange = Exchange(1, question)
    exchange.apply(AnswerCompleted(answer_to(question)))
    return exchange_to_json(exchange)


def test_an_exchange_comes_back_as_it_was() -> None:
    exchange = Exchange(3, "질문", record="ABC", status_line="알림")
    exchange.apply(
        AnswerCompleted(Answer("질문", "답 [1]", "answered", sources=SOURCES, cited=(1,), notice="withheld"))
    )
    again = exchange_from_json(3, exchange_to_json(exchange))
    assert again == exchange


@pytest.mark.parametrize("key", [None, "비밀 열쇠"])
def test_chats_are_kept_over_a_restart(tmp_path: Path, key: str | None) -> None:
    path = tmp_path / "history.sqlite"
    history = ChatHistory(path, key=key)
    chat = history.save("kim", "", [(1, turn("첫 질문")), (2, turn("둘째 질문"))], title="첫 질문")
    assert history.save("kim", chat, [(2, turn("고친 질문"))], title="-") == chat
    secret = history.secret
    history.close()
    assert ("첫 질문".encode() in path.read_bytes()) == (key is None)
    again = ChatHistory(path, key=key)
    assert again.secret == secret
    assert [(each.id, each.title) for each in again.chats("kim")] == [(chat, "첫 질문")]
    assert [body["question"] for _, body in again.turns("kim", chat)] == ["첫 질문", "고친 질문"]
    assert again.chats("kim", "고친") and not again.chats("kim", "둘째")
    assert again.rename("kim", chat, "OTP 상담")
    assert again.chats("kim", "otp")[0].title == "OTP 상담"
    assert again.markdown("kim", chat).startswith("# OTP 상담\n\n## 첫 질문\n\nOTP를 분실하셨다면")
    assert "https://faq.saenarae.example/otp/snb-014" in again.markdown("kim", chat)
    again.close()


def test_chats_of_others_are_not_read_changed_or_continued(tmp_path: Path) -> None:
    history = ChatHistory(tmp_path / "history.sqlite")
    chat = history.save("kim", "", [(1, turn("김의 질문"))], title="김")
    assert not history.chats("lee") and not history.turns("lee", chat) and history.markdown("lee", chat) == "\n"
    assert not history.rename("lee", chat, "이") and not history.delete("lee", chat)
    assert history.save("lee", chat, [(1, turn("이의 질문"))], title="이") != chat
    assert [body["question"] for _, body in history.turns("kim", chat)] == ["김의 질문"]
    history.close()


def test_what_is_deleted_leaves_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    history = ChatHistory(path)
    chats = [
        history.save("kim", "", [(1, turn(f"김의 비밀스러운 질문 {n}"))], title=f"김의 제목 {n}") for n in range(30)
    ]
    history.save("lee", "", [(1, turn("이의 질문"))], title="이의 제목")
    assert history.delete("kim", chats[0]) == 1
    assert f'비밀스러운 질문 {0}"'.encode() not in path.read_bytes()
    assert history.delete("kim") == 29
    content = path.read_bytes()
    assert "김의".encode() not in content and "이의 질문".encode() in content
    assert [each.name for each in tmp_path.iterdir()] == [path.name], "no journal beside it"
    history.close()


def test_another_key_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    ChatHistory(path, key="eins").close()
    for key in ("zwei", None):
        with pytest.raises(RecordError, match="another key"):
            ChatHistory(path, key=key)


def test_the_oldest_chats_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_CHATS == 200
    monkeypatch.setattr("rag.records.history.MAX_CHATS", 3)
    history = ChatHistory(tmp_path / "history.sqlite")
    for number in range(5):
        history.save("kim", "", [(1, turn(f"질문 {number}"))], title=f"{number}")
    assert len(history.chats("kim")) == 3
    history.close()


def test_deleted_chats_leave_no_byte_in_any_order(tmp_path: Path) -> None:
    """Without copying the file, which would block other visitors meanwhile."""
    path, choose = tmp_path / "history.sqlite", random.Random(18)
    history = ChatHistory(path)
    chats: list[tuple[str, str]] = []
    for number in range(300):
        mark, person = f"MARK{number:05d}", choose.choice("abcd")
        act = choose.random()
        chat = choose.choice([*(each for who, each in chats if who == person), ""])
        if act < 0.6 or not chat:
            long = {**turn(mark), "text": mark * choose.randrange(1, 400)}
            chats.append((person, history.save(person, chat, [(choose.randrange(1, 20), long)], title=mark)))
        elif act < 0.75:
            history.rename(person, chat, mark)
        else:
            history.delete(person, chat)
            chats = [each for each in chats if each[1] != chat]
    with sqlite3.connect(path) as connection:
        kept = [each for table in ("chats", "turns") for each in connection.execute(f"SELECT * FROM {table}")]
    marks = re.compile(rb"MARK\d{5}")
    there = {mark for row in kept for value in row if isinstance(value, bytes) for mark in marks.findall(value)}
    assert len(there) > 10
    assert set(marks.findall(path.read_bytes())) == there
    history.close()


def test_what_one_visitor_keeps_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.records.history.MAX_TURNS", 5)
    monkeypatch.setattr("rag.records.history.MAX_BYTES", 4 * len(str(turn("질문")).encode()))
    history = ChatHistory(tmp_path / "history.sqlite")
    other = history.save("lee", "", [(1, turn("이의 질문"))], title="이")
    long = ""
    for number in range(1, 9):
        long = history.save("kim", long, [(number, turn(f"질문 {number}"))], title="긴 상담")
    assert [number for number, _ in history.turns("kim", long)] == [4, 5, 6, 7, 8], (
        "the chat in use stays whatever it holds"
    )
    newer = history.save("kim", "", [(1, turn("새 질문"))], title="새 상담")
    assert [each.id for each in history.chats("kim")] == [newer]
    assert [each.id for each in history.chats("lee")] == [other]
    history.close()


def test_the_file_does_not_outgrow_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    history = ChatHistory(path, max_mb=1)

    def fill() -> None:
        for number in range(1000):
            history.save(f"person {number}", "", [(1, {**turn("질문"), "text": "비밀스러운 답 " * 500})], title="-")

    with pytest.raises(OperationalError, match="full") as full:
        fill()
    assert "비밀스러운" not in str(full.value), "an error's text goes to the log"
    assert path.stat().st_size <= 2**20
    assert history.delete("person 0") == 1, "full or not"
    history.close()


def test_old_chats_are_deleted_while_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = ChatHistory(tmp_path / "history.sqlite", days=30)
    history.save("kim", "", [(1, turn("alt"))], title="alt")

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Later:
            return cls.fromtimestamp(time.time(), UTC) + timedelta(days=31)

    monkeypatch.setattr("rag.records.history.datetime", Later)
    with sqlite3.connect(tmp_path / "history.sqlite") as connection:
        old = ((f"chat {number}", f"flood {number}", "2020-01-01", b"-") for number in range(40_000))
        connection.executemany("INSERT INTO chats VALUES (?, ?, ?, ?)", old)
    history.save("lee", "", [(1, turn("neu"))], title="neu")
    assert history.chats("kim") == [] and len(history.chats("lee")) == 1
    history.close()
