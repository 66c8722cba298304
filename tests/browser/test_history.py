"""A visitor's chats: kept after restarts, searched, renamed, exported, deleted, and not stored on shared computers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from rag.ui.connections import free_port
from tests.browser.conftest import Serve, Visit
from tests.fakes import FakeChat


def chats(visitor: Visit) -> list[str]:
    return [text.strip() for text in visitor.page.locator("#chats .open").all_inner_texts()]


def test_chats_come_back_after_a_reload_and_a_restart(
    serve: Serve, visit: Callable[..., Visit], chat: FakeChat, tmp_path: Path
) -> None:
    first, _ = serve(chat, port=free_port("127.0.0.1", 7890))
    visitor = visit(first.url).ready()
    visitor.answered("첫 상담의 질문")
    visitor.page.reload()
    expect(visitor.bubbles("user")).to_have_text(["첫 상담의 질문"])
    visitor.answered("이어서 묻는 질문")
    assert [turn.question for turn in chat.asked[-1][1]] == ["첫 상담의 질문"]
    visitor.page.click("#clear")
    expect(visitor.bubbles("user")).to_have_count(0)
    visitor.answered("둘째 상담의 질문")
    first.close()
    again, _ = serve(chat, port=first.port)
    assert again.port == first.port
    visitor.page.goto(again.url)
    expect(visitor.bubbles("user")).to_have_text(["둘째 상담의 질문"])
    visitor.page.click("#menu")
    expect(visitor.page.locator("#chats .open")).to_have_count(2)
    assert chats(visitor) == ["둘째 상담의 질문", "첫 상담의 질문"]
    assert visitor.violations() == []
    visitor.page.fill("#find", "이어서")
    expect(visitor.page.locator("#chats .open")).to_have_count(1)
    visitor.page.click("#chats .open")
    expect(visitor.bubbles("user")).to_have_text(["첫 상담의 질문", "이어서 묻는 질문"])
    visitor.page.click('#chat a[href="#src-1-1"]')
    expect(visitor.page.locator("#src-1-1 summary")).to_be_focused()
    stranger = visit(again.url).ready()
    stranger.page.click("#menu")
    expect(stranger.page.locator("#chats li")).to_have_text("보관된 상담이 없습니다.")


def test_rename_export_and_delete_everything(visitor: Visit, tmp_path: Path) -> None:
    visitor.page.evaluate("window.prompt = () => '새로운 이름'; window.confirm = () => true")
    visitor.answered("지워질 질문입니다")
    visitor.page.click("#menu")
    visitor.page.click("#chats .rename")
    expect(visitor.page.locator("#chats .open")).to_have_text("새로운 이름")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("link", name="내보내기").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("# 새로운 이름\n\n## 지워질 질문입니다\n")
    file = tmp_path / "history.sqlite"
    assert "지워질".encode() in file.read_bytes()
    visitor.page.click("#forget")
    expect(visitor.page.locator("#chats li")).to_have_text("보관된 상담이 없습니다.")
    expect(visitor.bubbles("user")).to_have_count(0)
    assert "지워질".encode() not in file.read_bytes() and "새로운".encode() not in file.read_bytes()


def test_one_chat_is_deleted_once_that_is_meant(visitor: Visit, tmp_path: Path) -> None:
    visitor.page.evaluate("window.asked = []; window.confirm = text => asked.push(text) > 1; 0")
    visitor.answered("남겨 둘 질문입니다")
    visitor.page.click("#clear")
    expect(visitor.bubbles("user")).to_have_count(0)
    visitor.answered("지워질 질문입니다")
    visitor.page.click("#menu")
    remove = visitor.page.get_by_role("button", name="삭제: 지워질 질문입니다")
    remove.click()
    expect(visitor.page.locator("#chats .open")).to_have_count(2)
    remove.click()
    expect(visitor.page.locator("#chats .open")).to_have_text(["남겨 둘 질문입니다"])
    expect(visitor.page.locator("#find")).to_be_focused()
    expect(visitor.bubbles("user")).to_have_count(0)
    assert visitor.page.evaluate("window.asked") == ["‘지워질 질문입니다’ 상담을 지울까요? 되돌릴 수 없습니다."] * 2
    content = (tmp_path / "history.sqlite").read_bytes()
    assert "지워질".encode() not in content and "남겨".encode() in content


def test_a_shared_computer_keeps_nothing(visitor: Visit, tmp_path: Path) -> None:
    visitor.answered("앞선 질문입니다")
    visitor.page.click("#menu")
    visitor.page.check("#shared")
    expect(visitor.bubbles("user")).to_have_count(0)
    visitor.page.keyboard.press("Escape")
    expect(visitor.page.locator("#menu")).to_be_focused()
    visitor.answered("비밀로 할 질문입니다")
    visitor.page.reload()
    visitor.ready()
    content = (tmp_path / "history.sqlite").read_bytes()
    assert "앞선 질문".encode() not in content and "비밀로 할".encode() not in content
