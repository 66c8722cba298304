"""The SQLite files of records and chats: one way to make and to open them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, create_engine, event
from sqlalchemy.engine import Engine

MAX_MB = 10_000
"""Largest size of a file where none is given."""


def open_database(path: Path, tables: MetaData, *, max_mb: int = MAX_MB) -> Engine:
    """A file for its owner alone, with these tables, made where it is missing. Raises OSError, SQLAlchemyError.

    Deleted rows are overwritten, and no copy of a page stays beside the file. It grows to `max_mb` at most: what is written
    then raises OperationalError. Errors hold no value that was written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Before SQLite does, which would make it readable to whoever the umask lets.
    path.touch(mode=0o600)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _record: Any) -> None:
        # No write-ahead log: what was deleted would stay in it until its next checkpoint.
        for pragma in ("secure_delete=ON", "journal_mode=DELETE", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count={max_mb * 2**20 // page_bytes}")

    tables.create_all(engine)
    return engine
