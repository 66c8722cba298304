"""Logins: hashes, the file, and the limit of attempts."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest

from rag.errors import InputError
from rag.ui.auth import LOCK_SECONDS, MAX_ATTEMPTS, Login, PasswordHash, hash_password, load_users, verify

SALT = base64.b64encode(b"0123456789abcdef").decode()
DIGEST = base64.b64encode(b"x" * 32).decode()


def cheap(password: str) -> PasswordHash:
    """A hash that costs little to check."""
    import hashlib

    salt = b"0123456789abcdef"
    return PasswordHash(16, 1, 1, salt, hashlib.scrypt(password.encode(), salt=salt, n=16, r=1, p=1, dklen=32))


def test_hash_lets_in_its_own_password_only() -> None:
    stored = hash_password("비밀 번호:$1")
    assert stored.startswith("scrypt$")
    assert ":" not in stored
    assert stored != hash_password("비밀 번호:$1"), "salted"
    parsed = PasswordHash.parse(stored)
    assert str(parsed) == stored
    assert verify("비밀 번호:$1", parsed)
    assert not verify("비밀 번호:$2", parsed)
    assert not verify("", parsed)
    assert not verify("x" * 2000, parsed)


@pytest.mark.parametrize(
    "text",
    [
        "", "plain", "scrypt$1$2", f"bcrypt$16384$8$1${SALT}${DIGEST}", f"scrypt$15$8$1${SALT}${DIGEST}",
        f"scrypt$1$8$1${SALT}${DIGEST}", f"scrypt$1048576$8$1${SALT}${DIGEST}", f"scrypt$16384$0$1${SALT}${DIGEST}",
        f"scrypt$16384$8$1$!!${DIGEST}", f"scrypt$16384$8$1$${DIGEST}", f"scrypt$16384$8$1${SALT}$eHg=",
        f"scrypt$a$8$1${SALT}${DIGEST}",
        f"scrypt$-16$-8$1${SALT}${DIGEST}",
    ],
)  # fmt: skip
def test_bad_hashes_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        PasswordHash.parse(text)


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text(f"# staff\nkim:{cheap('a')}\n\n이:{cheap('b')}\r\n", encoding="utf-8")
    users = load_users(path)
    assert list(users) == ["kim", "이"]
    assert verify("b", users["이"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("kim", "line 1: expected user:hash"),
        (":x", "line 1: expected user:hash"),
        ("a b:x", "line 1: expected user:hash"),
        (f"# x\nkim:{'x' * 9}", "line 2: not of the form"),
        (f"kim:{cheap('a')}\nkim:{cheap('b')}", "line 2: 'kim' appears twice"),
        ("# nobody\n", "it has no users"),
    ],
)
def test_an_invalid_file_is_reported_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "users"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        load_users(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_users(tmp_path / "none")
    with pytest.raises(InputError, match="directory"):
        load_users(tmp_path)
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        load_users(tmp_path / "latin")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def login(clock: Clock) -> tuple[Login, asyncio.Runner]:
    return Login({"kim": cheap("right"), "lee": cheap("word")}, clock=clock), asyncio.Runner()


def test_repeated_failures_lock_that_name_for_a_while() -> None:
    clock = Clock()
    door, runner = login(clock)
    with runner:
        assert runner.run(door.check("kim", "right"))
        assert [runner.run(door.check("kim", "wrong")) for _ in range(MAX_ATTEMPTS)] == [False] * MAX_ATTEMPTS
        assert not runner.run(door.check("kim", "right")), "locked, even for the right password"
        assert runner.run(door.check("lee", "word")), "others are not"
        clock.now += LOCK_SECONDS - 1
        assert not runner.run(door.check("kim", "right"))
        clock.now += 1
        assert runner.run(door.check("kim", "right"))
        assert [runner.run(door.check("kim", "wrong")) for _ in range(MAX_ATTEMPTS - 1)] == [False] * (MAX_ATTEMPTS - 1)
        assert runner.run(door.check("kim", "right")), "a success begins the count at 0"


def test_guesses_sent_at_once_are_counted_too() -> None:
    door, runner = login(Clock())

    async def guess() -> list[bool]:
        return await asyncio.gather(
            *(door.check("kim", "wrong") for _ in range(MAX_ATTEMPTS)), door.check("kim", "right")
        )

    with runner:
        assert not any(runner.run(guess()))


def test_unknown_names_never_get_in() -> None:
    door, runner = login(Clock())
    with runner:
        assert not any(runner.run(door.check(name, "right")) for name in ("park", "", "KIM", "kim "))
