"""Visitors' own chats: kept over restarts, searched, renamed, exported, and deleted so that no byte stays.

SQLite through SQLAlchemy; with a key the texts are encrypted (Fernet, the key stretched by scrypt), so that the file alone
tells nobody what was asked.
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
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from rag.errors import RecordError
from rag.privacy import mask
from rag.records.database import MAX_MB, open_database

MAX_CHATS = 200
"""Chats of one visitor; the oldest makes room."""
MAX_TURNS = 200
"""Turns of one chat; the oldest makes room."""
MAX_BYTES = 20 * 2**20
"""Bytes of all turns of one visitor, whose chats are searched by reading them; the oldest chat makes room."""
DELETED_AT_ONCE = 500
"""Chats: a statement of SQLite's has 32,766 values at most, and others wait while it runs."""
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
    """One kept chat in a list."""

    id: str
    title: str
    updated: str


class ChatHistory:
    """The chats in one file. `person` is a digest that stands for one browser and login. `days`: kept since the last answer.

    Raises RecordError for a file that cannot be used, or that was written with another key.
    """

    def __init__(self, path: Path, *, key: str | None = None, days: int = 180, max_mb: int = MAX_MB) -> None:
        self._days = days
        try:
            self._engine = open_database(path, _tables, max_mb=max_mb)
            salt = self._kept("salt", secrets.token_bytes(16))
            self.secret = self._kept("people", secrets.token_bytes(32))
            """For the digests of persons: the same after a restart."""
            self._cipher = _cipher(key, salt) if key else None
            # A wrong key is found here, on opening, and not at a visitor's first chat.
            if self._read(self._kept("check", self._written("check"))) != "check":
                raise InvalidToken
            self.purge()
        except InvalidToken as exc:
            raise RecordError(f"chat history {path}: written with another key; set FSI_HISTORY__KEY to it") from exc
        except (OSError, SQLAlchemyError) as exc:
            raise RecordError(
                f"chat history {path}: {exc}; set FSI_HISTORY__FILE, or FSI_HISTORY__ENABLED=false"
            ) from exc

    def close(self) -> None:
        """Give the file back."""
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
        """Write a chat's turns from the first of `turns` on, and give its id; a chat that is not this person's is a new one.

        Once a day what is too old is deleted. Raises SQLAlchemyError.
        """
        if datetime.now(UTC) - self._purged >= timedelta(days=1):
            self.purge()
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._engine.begin() as connection:
            owner = connection.execute(select(_chats.c.person).where(_chats.c.id == chat)).scalar()
            if owner != person:
                # Another person's chat is never written to, whoever names its id.
                chat = secrets.token_urlsafe(12)
                values = {"id": chat, "person": person, "updated": now, "title": self._written(title)}
                connection.execute(insert(_chats).values(**values))
            connection.execute(update(_chats).where(_chats.c.id == chat).values(updated=now))
            first = turns[0][0] if turns else 0
            # An edited question takes the place of all after it.
            connection.execute(delete(_turns).where(_turns.c.chat == chat, _turns.c.number >= first))
            for number, body in turns:
                written = self._written(json.dumps(body, ensure_ascii=False))
                connection.execute(insert(_turns).values(chat=chat, number=number, body=written))
            if turns:
                connection.execute(
                    delete(_turns).where(_turns.c.chat == chat, _turns.c.number <= turns[-1][0] - MAX_TURNS)
                )
            size = func.coalesce(func.sum(func.length(_turns.c.body)), 0)
            mine = select(_chats.c.id, size).outerjoin(_turns, _turns.c.chat == _chats.c.id)
            mine = mine.where(_chats.c.person == person).group_by(_chats.c.id).order_by(_chats.c.updated.desc())
            sizes = [(each, int(length)) for each, length in connection.execute(mine)]
        held = itertools.accumulate(length for _, length in sizes)
        surplus = [
            each
            for place, ((each, _), total) in enumerate(zip(sizes, held, strict=True))
            if place >= MAX_CHATS or (total > MAX_BYTES and each != chat)
        ]
        self._delete(surplus)
        return chat

    def chats(self, person: str, query: str = "") -> list[Chat]:
        """This person's chats, the last used first; with `query` those that hold it in their title or a turn."""
        needle = query.casefold().strip()
        with self._engine.connect() as connection:
            mine = select(_chats).where(_chats.c.person == person).order_by(_chats.c.updated.desc())
            found = [Chat(row.id, self._read(row.title), row.updated) for row in connection.execute(mine)]
        if not needle:
            return found
        # Not asked of SQLite: with a key it holds no text that could be searched.
        matching = []
        for chat in found:
            turns = [f"{body['question']}\n{body['text']}" for _, body in self.turns(person, chat.id)]
            if any(needle in text.casefold() for text in (chat.title, *turns)):
                matching.append(chat)
        return matching

    def turns(self, person: str, chat: str) -> list[tuple[int, dict[str, Any]]]:
        """A chat's turns in order; none where it is not this person's."""
        with self._engine.connect() as connection:
            mine = _turns.join(_chats, _chats.c.id == _turns.c.chat)
            asked = select(_turns.c.number, _turns.c.body).select_from(mine)
            asked = asked.where(_chats.c.id == chat, _chats.c.person == person).order_by(_turns.c.number)
            return [(number, json.loads(self._read(body))) for number, body in connection.execute(asked)]

    def rename(self, person: str, chat: str, title: str) -> bool:
        """Whether there was such a chat. Personal numbers are masked here: no question has been through the chat."""
        with self._engine.begin() as connection:
            mine = update(_chats).where(_chats.c.id == chat, _chats.c.person == person)
            return connection.execute(mine.values(title=self._written(mask(title).text))).rowcount > 0

    def delete(self, person: str, chat: str | None = None) -> int:
        """Delete one chat of this person, or all; how many there were."""
        with self._engine.connect() as connection:
            mine = select(_chats.c.id).where(_chats.c.person == person)
            ids = list(connection.execute(mine if chat is None else mine.where(_chats.c.id == chat)).scalars())
        self._delete(ids)
        return len(ids)

    def markdown(self, person: str, chat: str) -> str:
        """The chat as a Markdown text."""
        title = next((each.title for each in self.chats(person) if each.id == chat), "")
        parts = [f"# {title}"] if title else []
        for _, body in self.turns(person, chat):
            parts += [f"## {body['question']}", body["text"]]
            parts += ["\n".join(f"[{each['number']}] {each['question']} {each['metadata'].get('source_url') or ''}".rstrip()
                                for each in body["sources"])]  # fmt: skip
        return "\n\n".join(part for part in parts if part) + "\n"

    def _delete(self, chats: Sequence[str]) -> None:
        # Overwritten (secure_delete), and the place used again. No VACUUM: one visitor's deleting would copy the whole file each
        # time, for seconds in which no answer can be written.
        for start in range(0, len(chats), DELETED_AT_ONCE):
            some = chats[start : start + DELETED_AT_ONCE]
            with self._engine.begin() as connection:
                connection.execute(delete(_turns).where(_turns.c.chat.in_(some)))
                connection.execute(delete(_chats).where(_chats.c.id.in_(some)))

    def _kept(self, name: str, value: bytes) -> bytes:
        with self._engine.begin() as connection:
            stored = connection.execute(select(_meta.c.value).where(_meta.c.name == name)).scalar()
            if stored is None:
                connection.execute(insert(_meta).values(name=name, value=value))
        return value if stored is None else bytes(stored)

    def _written(self, text: str) -> bytes:
        return self._cipher.encrypt(text.encode()) if self._cipher else text.encode()

    def _read(self, value: bytes) -> str:
        return (self._cipher.decrypt(value) if self._cipher else value).decode(errors="replace")


def _cipher(key: str, salt: bytes) -> Fernet:
    # 16 MB and some 50 ms, once a start: guessing keys from a copied file is what it is to slow down.
    stretched = Scrypt(salt=salt, length=32, n=2**14, r=8, p=1).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(stretched))
