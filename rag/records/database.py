"""Creates and opens the SQLite files of records and chats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, create_engine, event
from sqlalchemy.engine import Engine

MAX_MB = 10_000
"""The default for the largest size of a file, in MiB."""


def open_database(path: Path, tables: MetaData, *, max_mb: int = MAX_MB) -> Engine:
    """Open a file with these tables and create it if it is missing. Raises OSError, SQLAlchemyError.

    Only its owner can read the file. Deleted rows are overwritten, and no copies of pages remain beside the file. At a size
    of `max_mb`, writing raises OperationalError. Errors do not contain the values that were written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Created here because SQLite would use the permissions of the umask.
    path.touch(mode=0o600)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _set(connection: Any, _record: Any) -> None:
        # No write-ahead log: deleted content would remain in it until the next checkpoint.
        for pragma in ("secure_delete=ON", "journal_mode=DELETE", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count={max_mb * 2**20 // page_bytes}")

    tables.create_all(engine)
    return engine
