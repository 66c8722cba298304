"""ChatHistory: the chats of visitors, which they can search, rename, export and delete; deleted content is overwritten.

Uses SQLite through SQLAlchemy. With a key, texts are encrypted (Fernet with a key derived by scrypt), so that the file cannot
be read without the key.
"""

from __future__ import annotations

import base64
import itertools
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, delete, func, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from rag.errors import RecordError
from rag.privacy import mask
from rag.records.database import MAX_MB, open_database

MAX_CHATS = 200
"""The most chats of one visitor; the oldest is deleted."""
MAX_TURNS = 200
"""The most turns of one chat; the oldest is deleted."""
MAX_BYTES = 20 * 2**20
"""The most bytes in all turns of one visitor, because a search reads them all; the oldest chat is deleted."""
DELETE_BATCH = 500
"""The most chats in one statement: SQLite allows 32,766 values, and other writers wait while it runs."""
_tables = MetaData()
_meta = Table("meta", _tables, Column("name", String, primary_key=True), Column("value", LargeBinary, nullable=False))
_chats = Table(
    "chats",
    _tables,
    Column("id", String, primary_key=True),
    Column("person", String, nullable=False, index=True),
    Column("updated", String, nullable=False),
    Column("title", LargeBinary, nullable=False),
)
_turns = Table(
    "turns",
    _tables,
    Column("chat", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat in the list of chats. `updated`: the ISO time of its last answer."""

    id: str
    title: str
    updated: str


class ChatHistory:
    """The chats in one file. `person` is a digest that identifies one browser and login.

    `days`: how long a chat is kept after its last answer; 0: forever. Raises RecordError if the file is unusable or was
    written with another key.
    """

    def __init__(self, path: Path, *, key: str | None = None, days: int = 180, max_mb: int = MAX_MB) -> None:
        self._days = days
        try:
            self._engine = open_database(path, _tables, max_mb=max_mb)
            salt = self._load_or_store("salt", secrets.token_bytes(16))
            self.secret = self._load_or_store("people", secrets.token_bytes(32))
            """The key for the digests of persons; stored, so that they are the same after a restart."""
            self._cipher = _cipher(key, salt) if key else None
            # A known text detects a wrong key when the file is opened, and not at the first chat.
            if self._decrypt(self._load_or_store("check", self._encrypt("check"))) != "check":
                raise InvalidToken
            self.purge()
        except InvalidToken as exc:
            raise RecordError(f"chat history {path}: written with another key; set FSI_HISTORY__KEY to it") from exc
        except (OSError, SQLAlchemyError) as exc:
            raise RecordError(
                f"chat history {path}: {exc}; set FSI_HISTORY__FILE, or FSI_HISTORY__ENABLED=false"
            ) from exc

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def purge(self) -> None:
        """Delete the chats whose last answer is older than `days`."""
        self._purged = datetime.now(UTC)
        if self._days:
            before = (self._purged - timedelta(days=self._days)).isoformat()
            with self._engine.connect() as connection:
                old = list(connection.execute(select(_chats.c.id).where(_chats.c.updated < before)).scalars())
            self._delete(old)

    def save(self, person: str, chat: str, turns: Sequence[tuple[int, Mapping[str, Any]]], *, title: str) -> str:
        """Replace a chat's turns from the first of `turns` on, and return its id.

        `chat`: its id, or one that `new_chat_id` returned; if it belongs to another person, a new chat is created. Once a
        day, this also deletes chats older than `days`. Raises SQLAlchemyError.
        """
        if datetime.now(UTC) - self._purged >= timedelta(days=1):
            self.purge()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._engine.begin() as connection:
            owner = connection.execute(select(_chats.c.person).where(_chats.c.id == chat)).scalar()
            if owner == person:
                connection.execute(update(_chats).where(_chats.c.id == chat).values(updated=now))
                if turns:
                    # An edited question also replaces the turns after it.
                    old = or_(_turns.c.number >= turns[0][0], _turns.c.number <= turns[-1][0] - MAX_TURNS)
                    connection.execute(delete(_turns).where(_turns.c.chat == chat, old))
            else:
                # Nobody can write to another person's chat by its id.
                chat = new_chat_id() if owner is not None or not chat else chat
                values = {"id": chat, "person": person, "updated": now, "title": self._encrypt(title)}
                connection.execute(insert(_chats).values(**values))
            if turns:
                rows = [
                    {"chat": chat, "number": number, "body": self._encrypt(json.dumps(body, ensure_ascii=False))}
                    for number, body in turns[-MAX_TURNS:]
                ]
                connection.execute(insert(_turns), rows)
            size = func.coalesce(func.sum(func.length(_turns.c.body)), 0)
            mine = select(_chats.c.id, size).outerjoin(_turns, _turns.c.chat == _chats.c.id)
            mine = mine.where(_chats.c.person == person).group_by(_chats.c.id).order_by(_chats.c.updated.desc())
            sizes = [(each, int(length)) for each, length in connection.execute(mine)]
        totals = itertools.accumulate(length for _, length in sizes)
        surplus = [
            each
            for position, ((each, _), total) in enumerate(zip(sizes, totals, strict=True))
            if position >= MAX_CHATS or (total > MAX_BYTES and each != chat)
        ]
        self._delete(surplus)
        return chat

    def chats(self, person: str, query: str = "") -> list[Chat]:
        """Return this person's chats, the last used first: all, or those with `query` in their title or in a turn."""
        needle = query.casefold().strip()
        with self._engine.connect() as connection:
            mine = select(_chats).where(_chats.c.person == person).order_by(_chats.c.updated.desc())
            chats = [Chat(row.id, self._decrypt(row.title), row.updated) for row in connection.execute(mine)]
        if not needle:
            return chats
        # Searched here and not by SQLite, because the texts may be encrypted.
        matching = []
        for chat in chats:
            turns = [f"{body['question']}\n{body['text']}" for _, body in self.turns(person, chat.id)]
            if any(needle in text.casefold() for text in (chat.title, *turns)):
                matching.append(chat)
        return matching

    def turns(self, person: str, chat: str) -> list[tuple[int, dict[str, Any]]]:
        """Return a chat's turns (number, body) in order; empty if it does not belong to this person."""
        with self._engine.connect() as connection:
            mine = _turns.join(_chats, _chats.c.id == _turns.c.chat)
            query = select(_turns.c.number, _turns.c.body).select_from(mine)
            query = query.where(_chats.c.id == chat, _chats.c.person == person).order_by(_turns.c.number)
            return [(number, json.loads(self._decrypt(body))) for number, body in connection.execute(query)]

    def rename(self, person: str, chat: str, title: str) -> bool:
        """Rename a chat and return whether it exists. Masks personal numbers, because a title is not masked before."""
        with self._engine.begin() as connection:
            mine = update(_chats).where(_chats.c.id == chat, _chats.c.person == person)
            return connection.execute(mine.values(title=self._encrypt(mask(title).text))).rowcount > 0

    def delete(self, person: str, chat: str | None = None) -> int:
        """Delete one chat of this person, or all of them, and return how many were deleted."""
        with self._engine.connect() as connection:
            mine = select(_chats.c.id).where(_chats.c.person == person)
            ids = list(connection.execute(mine if chat is None else mine.where(_chats.c.id == chat)).scalars())
        self._delete(ids)
        return len(ids)

    def markdown(self, person: str, chat: str) -> str:
        """Return the chat as Markdown."""
        title = next((each.title for each in self.chats(person) if each.id == chat), "")
        parts = [f"# {title}"] if title else []
        for _, body in self.turns(person, chat):
            parts += [f"## {body['question']}", body["text"]]
            parts += ["\n".join(f"[{each['number']}] {each['question']} {each['metadata'].get('source_url') or ''}".rstrip()
                                for each in body["sources"])]  # fmt: skip
        return "\n\n".join(part for part in parts if part) + "\n"

    def _delete(self, chats: Sequence[str]) -> None:
        # secure_delete overwrites the content, and SQLite uses the space again. VACUUM is not used, because it would copy
        # the whole file at each deletion, and block writers for seconds.
        for start in range(0, len(chats), DELETE_BATCH):
            batch = chats[start : start + DELETE_BATCH]
            with self._engine.begin() as connection:
                connection.execute(delete(_turns).where(_turns.c.chat.in_(batch)))
                connection.execute(delete(_chats).where(_chats.c.id.in_(batch)))

    def _load_or_store(self, name: str, value: bytes) -> bytes:
        with self._engine.begin() as connection:
            stored = connection.execute(select(_meta.c.value).where(_meta.c.name == name)).scalar()
            if stored is None:
                connection.execute(insert(_meta).values(name=name, value=value))
        return value if stored is None else bytes(stored)

    def _encrypt(self, text: str) -> bytes:
        return self._cipher.encrypt(text.encode()) if self._cipher else text.encode()

    def _decrypt(self, value: bytes) -> str:
        return (self._cipher.decrypt(value) if self._cipher else value).decode(errors="replace")


def new_chat_id() -> str:
    """An id for a chat that is saved later: 96 random bits, which nobody can guess."""
    return secrets.token_urlsafe(12)


def _cipher(key: str, salt: bytes) -> Fernet:
    # scrypt needs 16 MB and about 50 ms, once per start, to make guessing the key of a copied file slow.
    derived = Scrypt(salt=salt, length=32, n=2**14, r=8, p=1).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
