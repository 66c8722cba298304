"""Logins of the page: salted scrypt hashes in a file, with a limit on failed attempts.

The file has one line per user: `user:scrypt$n$r$p$salt$hash`, salt and hash in base64.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from rag.errors import InputError

N, R, P = 2**15, 8, 1
"""Cost parameters of scrypt (RFC 7914): 32 MB and about a tenth of a second per hash."""
MAX_COST = 2**20
"""Upper limit of n * r * p in an auth file, which bounds the memory of a hash by 128 MB."""
MAX_PASSWORD = 1024
"""Characters of a password; longer ones are rejected without hashing."""

MAX_ATTEMPTS = 5
LOCK_SECONDS = 60.0
"""After MAX_ATTEMPTS wrong passwords in a row from one address, that address cannot log in as the user for LOCK_SECONDS."""
HASHES_AT_ONCE = 2
"""Hashes computed in parallel, each in a thread."""
MAX_QUEUED_ATTEMPTS = 16
"""Attempts of one address that run or wait; further ones are rejected unchecked."""
MAX_COUNTS = 10_000
"""Counts of failures kept before expired ones are removed."""

_NAME = re.compile(r"[^\s:]{1,64}")


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """A salted scrypt hash and its cost parameters."""

    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    def __str__(self) -> str:
        salt, digest = (base64.b64encode(part).decode() for part in (self.salt, self.digest))
        return f"scrypt${self.n}${self.r}${self.p}${salt}${digest}"

    @classmethod
    def parse(cls, text: str) -> PasswordHash:
        """Parse `scrypt$n$r$p$salt$hash`. Raises InputError if it is malformed or above MAX_COST."""
        try:
            scheme, n, r, p, salt, digest = text.split("$")
            parsed = cls(int(n), int(r), int(p), _bytes(salt), _bytes(digest))
        except (ValueError, binascii.Error) as exc:
            raise InputError("not of the form scrypt$n$r$p$salt$hash") from exc
        power_of_two = parsed.n > 1 and parsed.n & (parsed.n - 1) == 0
        in_bounds = parsed.r > 0 and parsed.p > 0 and parsed.n * parsed.r * parsed.p <= MAX_COST
        if scheme != "scrypt" or not power_of_two or not in_bounds or len(parsed.salt) < 8 or len(parsed.digest) < 16:
            raise InputError(
                f"not a scrypt hash with n a power of two, n*r*p up to {MAX_COST}, 8 bytes of salt, 16 of hash"
            )
        return parsed


def hash_password(password: str, like: PasswordHash | None = None) -> str:
    """The text to write after `user:`. `like`: use its cost parameters instead of N, R and P."""
    salt = secrets.token_bytes(16)
    n, r, p = (like.n, like.r, like.p) if like else (N, R, P)
    return str(PasswordHash(n, r, p, salt, _scrypt(password, salt, n=n, r=r, p=p, length=32)))


def verify(password: str, stored: PasswordHash) -> bool:
    """Whether `password` has this hash. Takes the same time for right and wrong passwords."""
    if len(password) > MAX_PASSWORD:
        return False
    digest = _scrypt(password, stored.salt, n=stored.n, r=stored.r, p=stored.p, length=len(stored.digest))
    return hmac.compare_digest(digest, stored.digest)


def load_users(path: Path) -> dict[str, PasswordHash]:
    """Read an auth file: hashes by user. Blank lines and lines starting with # are skipped.

    Raises InputError with the file, the line and the problem.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "not UTF-8 text"
        raise InputError(f"auth file {path}: {reason}; `python -m rag user add NAME` creates one") from exc
    users: dict[str, PasswordHash] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            name, stored = _user(line.strip(), f"auth file {path}, line {number}")
            if name in users:
                raise InputError(f"auth file {path}, line {number}: {name!r} appears twice; delete one of the lines")
            users[name] = stored
    if not users:
        raise InputError(f"auth file {path}: it has no users; add one with `python -m rag user add NAME`")
    return users


def add_user(path: Path, name: str, password: str) -> None:
    """Add or replace one user's line. A new file is readable by its owner alone. Raises InputError."""
    if not _NAME.fullmatch(name):
        raise InputError("a user's name has 1 to 64 characters without spaces or colons")
    if not 8 <= len(password) <= MAX_PASSWORD:
        raise InputError(f"a password has 8 to {MAX_PASSWORD} characters")
    users = {known: str(stored) for known, stored in load_users(path).items()} if path.exists() else {}
    users[name] = hash_password(password)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Permissions are set before the hashes are written, which others could read for a moment otherwise.
        path.touch(mode=0o600)
        path.write_text("".join(f"{user}:{stored}\n" for user, stored in users.items()), encoding="utf-8")
    except OSError as exc:
        raise InputError(f"auth file {path}: {exc.strerror}; choose another with --auth-file") from exc


class Login:
    """Checks a name and a password for Gradio's `auth`, and limits guessing.

    Failures are counted by name and address, so that guessing from one address does not lock the user out elsewhere. Each
    attempt costs one hash, so that its time does not show whether a name exists or is locked; unknown names share a count.

    `address`: returns the address of the current request. `unlocked`: names that are never locked, because their passwords
    cannot be guessed. `clock`: seconds.
    """

    def __init__(
        self,
        users: Mapping[str, PasswordHash],
        *,
        address: Callable[[], str] = str,
        unlocked: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._users = dict(users)
        self._address = address
        self._unlocked = frozenset(unlocked)
        self._clock = clock
        self._failures: dict[tuple[str, str], tuple[int, float]] = {}
        # With the users' cost parameters: a name's existence would show in the time otherwise.
        like = next(iter(self._users.values()), None)
        self._decoy = PasswordHash.parse(hash_password(secrets.token_urlsafe(), like))
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        # Of each address with attempts that run or wait.
        self._locks: dict[str, asyncio.Lock] = {}
        self._attempts: Counter[str] = Counter()

    async def check(self, name: str, password: str) -> bool:
        """Whether the login is accepted: the password is right, the name is not locked, and the queue is not full."""
        address = self._address()
        if self._attempts[address] >= MAX_QUEUED_ATTEMPTS:
            return False
        self._attempts[address] += 1
        try:
            # Sequentially for each address: parallel attempts must not pass the count of failures.
            async with self._locks.setdefault(address, asyncio.Lock()):
                return await self._check_attempt(name, password, address)
        finally:
            self._attempts[address] -= 1
            if not self._attempts[address]:
                del self._attempts[address], self._locks[address]

    async def _check_attempt(self, name: str, password: str, address: str) -> bool:
        known = name in self._users
        key = (name if known else "", address)
        # A locked name is hashed too, so that it takes as long as another.
        locked = self._locked(key)
        async with self._hashing:
            # In a thread, because a hash would block the event loop for a tenth of a second.
            correct = await asyncio.to_thread(verify, password, self._users[name] if known else self._decoy)
        if correct and known and not locked:
            self._failures.pop(key, None)
            return True
        if not locked and name not in self._unlocked:
            self._failures[key] = (self._failures.get(key, (0, 0.0))[0] + 1, self._clock())
        return False

    def _locked(self, key: tuple[str, str]) -> bool:
        if len(self._failures) > MAX_COUNTS:
            self._failures = {
                key: value for key, value in self._failures.items() if self._clock() - value[1] < LOCK_SECONDS
            }
        failures, since = self._failures.get(key, (0, 0.0))
        if failures and self._clock() - since >= LOCK_SECONDS:
            del self._failures[key]
            return False
        return failures >= MAX_ATTEMPTS


def _user(line: str, where: str) -> tuple[str, PasswordHash]:
    name, colon, stored = line.partition(":")
    if not colon or not _NAME.fullmatch(name):
        raise InputError(f"{where}: expected user:hash; the name has 1 to 64 characters without spaces or colons")
    try:
        return name, PasswordHash.parse(stored)
    except InputError as exc:
        raise InputError(f"{where}: {exc}") from exc


def _scrypt(password: str, salt: bytes, *, n: int, r: int, p: int, length: int) -> bytes:
    # OpenSSL's default limit is 32 MB; this is scrypt's own need and 1 MB more.
    memory = 128 * r * (n + p) + 2**20
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=length)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
