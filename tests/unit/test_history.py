"""Kept chats: their owner's alone, over restarts, encrypted where a key is set, and gone to the last byte when deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rag.errors import RecordError
from rag.records.history import MAX_CHATS, ChatHistory
from rag.types import Answer, AnswerCompleted
from rag.ui.conversation import Exchange
from rag.ui.keeping import to_body, to_exchange
from tests.fakes import SOURCES, answer_to


def turn(question: str) -> dict[str, Any]:
    exchange = Exchange(1, question)
    exchange.apply(AnswerCompleted(answer_to(question)))
    return to_body(exchange)


def test_an_exchange_comes_back_as_it_was() -> None:
    exchange = Exchange(3, "질문", record="ABC", remark="알림")
    exchange.apply(
        AnswerCompleted(Answer("질문", "답 [1]", "answered", sources=SOURCES, cited=(1,), notice="withheld"))
    )
    again = to_exchange(3, to_body(exchange))
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


def test_nobody_elses_chat_is_read_changed_or_continued(tmp_path: Path) -> None:
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


def test_another_key_is_said(tmp_path: Path) -> None:
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
