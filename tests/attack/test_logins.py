"""Logins: correct passwords work, guesses lock only the guesser, and user names are not revealed."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rag.ui import auth
from rag.ui.auth import MAX_ATTEMPTS, Login, PasswordHash
from tests.attack.conftest import USERS
from tests.attack.served import CHEAP
from tests.attack.visitors import API, Page


def test_right_passwords_in_parallel_all_get_in(guarded_page: Page) -> None:
    at_once = threading.Barrier(8)

    def login(_: int) -> int:
        client = guarded_page.program()
        at_once.wait()
        return client.post("/login", data={"username": "kim", "password": USERS["kim"]}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(login, range(8))) == [200] * 8


def test_guesses_from_one_address_lock_that_address_alone(guarded_page: Page) -> None:
    def tries(address: str, password: str, count: int = 1) -> list[int]:
        client = guarded_page.program(headers={"X-Forwarded-For": address})
        form = {"username": "lee", "password": password}
        return [client.post("/login", data=form).status_code for _ in range(count)]

    assert tries("203.0.113.7", "틀림", MAX_ATTEMPTS) == [400] * MAX_ATTEMPTS
    assert tries("203.0.113.7", USERS["lee"]) == [400], "locked"
    assert tries("198.51.100.2, 203.0.113.7", USERS["lee"]) == [400], "what a visitor writes before it is not believed"
    assert tries("203.0.113.8", USERS["lee"]) == [200], "the owner, elsewhere, is not"


def test_every_try_costs_one_hash_whatever_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    costs: list[tuple[int, int, int]] = []

    def verified(_: str, stored: PasswordHash) -> bool:
        costs.append((stored.n, stored.r, stored.p))
        return False

    monkeypatch.setattr(auth, "verify", verified)
    stored = PasswordHash.parse(auth.hash_password("right", CHEAP))
    login = Login({"kim": stored})
    asyncio.run(login.check("kim", "wrong"))
    asyncio.run(login.check("nobody", "wrong"))
    for _ in range(MAX_ATTEMPTS + 1):
        asyncio.run(login.check("kim", "wrong"))
    assert len(costs) == MAX_ATTEMPTS + 3
    assert set(costs) == {(stored.n, stored.r, stored.p)}, "an invented name costs what a real one does"


def test_failures_count_after_the_check_and_flooding_is_bounded() -> None:
    login = Login({"kim": PasswordHash.parse(auth.hash_password("right", CHEAP))})

    async def together(*passwords: str) -> list[bool]:
        return await asyncio.gather(*(login.check("kim", password) for password in passwords))

    assert asyncio.run(together(*["right"] * 8)) == [True] * 8
    assert asyncio.run(together(*["wrong"] * (MAX_ATTEMPTS - 1), "right")) == [False] * (MAX_ATTEMPTS - 1) + [True]
    assert sum(asyncio.run(together(*["right"] * 60))) == auth.MAX_QUEUED_ATTEMPTS
    assert asyncio.run(login.check("kim", "right")), "tries that were not checked are no failures"


def test_the_generated_password_is_never_locked() -> None:
    login = Login({"guest-1": PasswordHash.parse(auth.hash_password("right", CHEAP))}, unlocked=["guest-1"])
    for _ in range(3 * MAX_ATTEMPTS):
        assert not asyncio.run(login.check("guest-1", "wrong"))
    assert asyncio.run(login.check("guest-1", "right"))


def test_login_page_is_the_pages_own(guarded_page: Page) -> None:
    html = guarded_page.program().get("/").text
    for text in ("아이디", "비밀번호", "로그인", "금융 FAQ 상담"):
        assert text in html
    assert "gradio" not in html.lower()


@pytest.mark.parametrize("path", [f"{API}/heartbeat/abc", f"{API}/queue/data?session_hash=abc", f"{API}/call/ask/x"])
def test_nothing_is_open_without_a_login(guarded_page: Page, path: str) -> None:
    answer = guarded_page.program(cookies={"access-token-unsecure-x": "invented"}).get(path)
    assert answer.status_code == 401
    assert "로그인이 끝났습니다" in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"username=kim", b"username=kim&password=" + b"x" * 5000, b"\xff\xfe=\x00&password="]
)
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "application/json", "multipart/form-data", "text/plain", ""]
)
def test_malformed_logins_are_refused_in_one_line(guarded_page: Page, body: bytes, kind: str) -> None:
    before = len(guarded_page.log.read_text(encoding="utf-8").splitlines())
    headers: Any = {"Content-Type": kind, "X-Forwarded-For": "192.0.2.1"}
    answer = guarded_page.program().post("/login", content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert len(guarded_page.log.read_text(encoding="utf-8").splitlines()) <= before + 1
