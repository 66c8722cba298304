"""Logins of the page: salted scrypt hashes in a file, and a brake on guessing.

One line per user: `user:scrypt$n$r$p$salt$hash`, salt and hash in base64.
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
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from rag.errors import InputError

N, R, P = 2**15, 8, 1
"""scrypt's costs: 32 MB and about a tenth of a second per attempt."""
MAX_COST = 2**20
"""Most n * r * p taken from a file: 128 MB times p, so that a line cannot exhaust the machine."""
MAX_PASSWORD = 1024

MAX_ATTEMPTS = 5
LOCK_SECONDS = 60.0
"""After MAX_ATTEMPTS wrong passwords in a row from one address a name is refused to it for this many seconds."""
HASHES_AT_ONCE = 2
TRIES_WAITING = 16
"""Tries of one address that wait for the one before; more are refused unchecked."""
MAX_COUNTS = 10_000
"""Counts of failures kept before those that are over are taken out."""

_NAME = re.compile(r"[^\s:]{1,64}")


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """A salted scrypt hash and the costs it was made with."""

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
        """Raises InputError when it is not such a hash, or one too costly to check."""
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
    """The text to write after `user:`; with the costs of `like`, else today's."""
    salt = secrets.token_bytes(16)
    n, r, p = (like.n, like.r, like.p) if like else (N, R, P)
    return str(PasswordHash(n, r, p, salt, _scrypt(password, salt, n=n, r=r, p=p, length=32)))


def verify(password: str, stored: PasswordHash) -> bool:
    """Whether `password` made this hash; takes as long when it did not."""
    if len(password) > MAX_PASSWORD:
        return False
    digest = _scrypt(password, stored.salt, n=stored.n, r=stored.r, p=stored.p, length=len(stored.digest))
    return hmac.compare_digest(digest, stored.digest)


def load_users(path: Path) -> dict[str, PasswordHash]:
    """Read an auth file; blank lines and lines starting with # are skipped.

    Raises InputError naming the file, the line and what is wrong with it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "not UTF-8 text"
        raise InputError(f"auth file {path}: {reason}; `python -m rag user add NAME` makes one") from exc
    users: dict[str, PasswordHash] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            name, stored = _user(line.strip(), f"auth file {path}, line {number}")
            if name in users:
                raise InputError(
                    f"auth file {path}, line {number}: {name!r} is already there; keep one of the two lines"
                )
            users[name] = stored
    if not users:
        raise InputError(f"auth file {path}: no user in it; add one with `python -m rag user add NAME`")
    return users


def add_user(path: Path, name: str, password: str) -> None:
    """Add or replace one user's line; the file is for its owner alone. Raises InputError."""
    if not _NAME.fullmatch(name):
        raise InputError("a user's name has 1 to 64 characters without spaces or colons")
    if not 8 <= len(password) <= MAX_PASSWORD:
        raise InputError(f"a password has 8 to {MAX_PASSWORD} characters")
    users = {known: str(stored) for known, stored in load_users(path).items()} if path.exists() else {}
    users[name] = hash_password(password)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Before it is written: for a moment hashes would be readable to others.
        path.touch(mode=0o600)
        path.write_text("".join(f"{user}:{stored}\n" for user, stored in users.items()), encoding="utf-8")
    except OSError as exc:
        raise InputError(f"auth file {path}: {exc.strerror}; choose another with --auth-file") from exc


class Login:
    """Checks a name and a password for Gradio's `auth`, slowing down guessing.

    Failures are counted per name and address: whoever guesses from one address locks that name for itself alone. Each try
    costs one hash, whether the name is real, invented or locked; invented names share one count. `address`: that of the
    request being answered. `unlocked`: names whose passwords are too long to be guessed, which are never locked.
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
        # With the costs of the others, or an invented name would take another time.
        like = next(iter(self._users.values()), None)
        self._decoy = PasswordHash.parse(hash_password(secrets.token_urlsafe(), like))
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._queues: dict[str, _Queue] = {}

    async def check(self, name: str, password: str) -> bool:
        """Whether to let in; no while the name is locked for the address, and where too many tries of it wait."""
        address = self._address()
        queue = self._queues.setdefault(address, _Queue())
        if queue.waiting >= TRIES_WAITING:
            return False
        queue.waiting += 1
        try:
            # One after another for each address: what is tried at once is counted before the next.
            async with queue.lock:
                return await self._try(name, password, address)
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                self._queues.pop(address, None)

    async def _try(self, name: str, password: str, address: str) -> bool:
        known = name in self._users
        counted = (name if known else "", address)
        # Asked before the hash and told after it: a locked name must take as long as another.
        locked = self._locked(counted)
        async with self._hashing:
            # In a thread: a hash takes a tenth of a second, in which the loop serves others.
            right = await asyncio.to_thread(verify, password, self._users[name] if known else self._decoy)
        if right and known and not locked:
            self._failures.pop(counted, None)
            return True
        if not locked and name not in self._unlocked:
            self._failures[counted] = (self._failures.get(counted, (0, 0.0))[0] + 1, self._clock())
        return False

    def _locked(self, counted: tuple[str, str]) -> bool:
        if len(self._failures) > MAX_COUNTS:
            self._failures = {
                key: value for key, value in self._failures.items() if self._clock() - value[1] < LOCK_SECONDS
            }
        failures, since = self._failures.get(counted, (0, 0.0))
        if failures and self._clock() - since >= LOCK_SECONDS:
            del self._failures[counted]
            return False
        return failures >= MAX_ATTEMPTS


class _Queue:
    """The tries of one address."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


def _user(line: str, where: str) -> tuple[str, PasswordHash]:
    name, colon, stored = line.partition(":")
    if not colon or not _NAME.fullmatch(name):
        raise InputError(f"{where}: expected user:hash; the name has 1 to 64 characters without spaces or colons")
    try:
        return name, PasswordHash.parse(stored)
    except InputError as exc:
        raise InputError(f"{where}: {exc}") from exc


def _scrypt(password: str, salt: bytes, *, n: int, r: int, p: int, length: int) -> bytes:
    # OpenSSL refuses above 32 MB unless told otherwise; this is what scrypt needs, and a MB beside it.
    memory = 128 * r * (n + p) + 2**20
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=length)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
