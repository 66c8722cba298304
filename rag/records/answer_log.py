"""AnswerLog: a masked record of each question and answer, which is never changed, and the feedback of customers.

Records do not identify customers. Uses SQLite through SQLAlchemy; several threads and processes can share a file.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import Column, MetaData, String, Table, Text, delete, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from rag.errors import InputError, RecordError
from rag.records.database import MAX_MB, open_database
from rag.types import Answer, Filters, Source

Kind = Literal["like", "dislike", "chosen", "none"]
"""The feedback of a customer: helpful, not helpful, a suggested row was chosen, or none of the suggestions was meant."""
MAX_REASON = 100
# Without 0 and O, 1 and I, because customers read ids aloud on the telephone.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_tables = MetaData()
_answers = Table(
    "answers",
    _tables,
    Column("id", String, primary_key=True),
    Column("at", String, nullable=False, index=True),
    Column("body", Text, nullable=False),
)
_feedback = Table(
    "feedback",
    _tables,
    Column("answer", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("at", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("row", String, nullable=False),
)
# A trigger in the file, so that other programs cannot change a record either.
_APPEND_ONLY = (
    "CREATE TRIGGER IF NOT EXISTS answers_stay BEFORE UPDATE ON answers "
    "BEGIN SELECT RAISE(ABORT, 'an answer record is never changed'); END"
)


class AnswerLog:
    """The records in one file. `days`: how long a record is kept; 0: forever. Raises RecordError for an unusable file."""

    def __init__(self, path: Path, *, days: int = 365, max_mb: int = MAX_MB) -> None:
        self._days = days
        self._purged = datetime.now(UTC)
        try:
            self._engine = open_database(path, _tables, max_mb=max_mb)
            with self._engine.begin() as connection:
                connection.exec_driver_sql(_APPEND_ONLY)
            self.purge()
        except (OSError, SQLAlchemyError) as exc:
            raise RecordError(
                f"answer records {path}: {exc}; set FSI_RECORD__FILE, or FSI_RECORD__ENABLED=false"
            ) from exc

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def add(
        self,
        answer: Answer,
        *,
        channel: str,
        versions: Mapping[str, str],
        filters: Filters | None = None,
        follows: Sequence[str] = (),
        row: str | None = None,
    ) -> str:
        """Write one answer and return its id.

        `follows`: the ids of earlier records of the conversation. `row`: the row that the customer chose by a click.
        Once a day, this also deletes records older than `days`. Raises SQLAlchemyError.
        """
        if datetime.now(UTC) - self._purged >= timedelta(days=1):
            self.purge()
        name = "".join(secrets.choice(_ALPHABET) for _ in range(10))
        at = _now()
        body = {
            # JSON instead of columns, so that later versions can add keys without changing old records.
            "id": name, "at": at, "channel": channel, "question": answer.question,
            "filters": dict(filters.equals) if filters else {}, "follows": list(follows), "row": row,
            "searched": answer.searched,
            "status": answer.status, "reason": answer.reason, "notice": answer.notice, "text": answer.text,
            "generated": answer.generated, "masked": list(answer.masked), "cited": list(answer.cited),
            "sources": [
                {
                    "number": each.number, "id": each.id, "question": each.question, "score": round(each.score, 4),
                    # The row may change later; the hash tells whether it still has the text that was shown.
                    "hash": content_hash(each),
                }
                for each in answer.sources
            ],
            "checks": [
                {
                    "status": each.status, "reason": each.reason, "detail": each.detail, "cited": list(each.cited),
                    # Where a shown sentence stands in the text; a withheld one is not kept.
                    "span": span and list(span), "is_replacement": each.is_replacement,
                }
                for each, span in zip(answer.support, answer.sentence_spans(), strict=True)
            ],
            "versions": dict(versions), "timings_ms": {step: round(ms, 2) for step, ms in answer.timings_ms.items()},
            "usage": dict(answer.usage),
        }  # fmt: skip
        with self._engine.begin() as connection:
            connection.execute(insert(_answers).values(id=name, at=at, body=json.dumps(body, ensure_ascii=False)))
        return name

    def get(self, name: str) -> dict[str, Any]:
        """Return one record with its feedback. Raises InputError for an unknown id."""
        with self._engine.connect() as connection:
            body = connection.execute(select(_answers.c.body).where(_answers.c.id == name.upper())).scalar()
            if body is None:
                raise InputError(f"there is no answer record {name!r}; the page shows the id below the answer")
            feedback = connection.execute(select(_feedback).where(_feedback.c.answer == name.upper())).mappings()
            return {**json.loads(body), "feedback": [dict(each) for each in feedback]}

    def all(self) -> Iterator[dict[str, Any]]:
        """Yield all records with their feedback, the oldest first."""
        with self._engine.connect() as connection:
            # All feedback is read first, instead of one query per record.
            feedback: dict[str, list[dict[str, Any]]] = {}
            for each in connection.execute(select(_feedback).order_by(_feedback.c.at)).mappings():
                feedback.setdefault(each["answer"], []).append(dict(each))
            for name, body in connection.execute(select(_answers.c.id, _answers.c.body).order_by(_answers.c.at)):
                yield {**json.loads(body), "feedback": feedback.get(name, [])}

    def add_feedback(self, name: str, kind: Kind, *, reason: str = "", row: str = "") -> bool:
        """Write the feedback of a customer; for each kind only the first is kept. Returns False if there is no such answer."""
        if kind not in get_args(Kind):
            return False
        values = {"answer": name, "kind": kind, "at": _now(), "reason": reason[:MAX_REASON], "row": row}
        with self._engine.begin() as connection:
            # Anyone can send an id; feedback on unknown answers would fill the file.
            if connection.execute(select(_answers.c.id).where(_answers.c.id == name)).scalar() is None:
                return False
            try:
                connection.execute(insert(_feedback).values(**values))
            except IntegrityError:
                return True  # there is feedback of this kind already
        return True

    def purge(self) -> None:
        """Delete records older than `days`, and their feedback."""
        self._purged = datetime.now(UTC)
        if not self._days:
            return
        before = (datetime.now(UTC) - timedelta(days=self._days)).isoformat()
        with self._engine.begin() as connection:
            old = select(_answers.c.id).where(_answers.c.at < before)
            connection.execute(delete(_feedback).where(_feedback.c.answer.in_(old)))
            connection.execute(delete(_answers).where(_answers.c.at < before))


def content_hash(source: Source) -> str:
    """Return a hash of the row's text as it was shown: 16 hexadecimal digits of SHA-256."""
    return hashlib.sha256(f"{source.question}\n{source.text}".encode()).hexdigest()[:16]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
