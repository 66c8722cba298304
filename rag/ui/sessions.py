"""Tracks the sessions of a page, their streams and their events, and limits them per owner, per address and in total.

A browser keeps a stream open as long as its tab; events of a session without an open stream are dropped. Not thread-safe: use
from the event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rag.ui.visitors import Visitor

MAX_SESSIONS = 2000
"""Conversations kept in memory. Beyond it, the least recently used one without an open stream is dropped."""
MAX_EVENTS = 180
EVENTS_PER_ADDRESS = 60
EVENTS_PER_OWNER = 12
"""Events that wait or run: in total (Gradio runs at most 200), of one address, of one owner."""
STREAMS_PER_ADDRESS = 500
STREAMS_PER_OWNER = 50
"""Open streams; a tab has two."""
OPEN_SECONDS = 10.0
"""How long an event waits for its session's stream to open before it is dropped."""


class LimitExceeded(Exception):
    """A limit is reached. `status`: of the HTTP response: 429 for a visitor's own limit, 503 for the server's."""

    def __init__(self, limit: str, *, status: int = 429) -> None:
        super().__init__(limit)
        self.status = status


@dataclass(slots=True)
class Session:
    """One tab, or one call of a program.

    `page`: it has a conversation. `events`: ids of its events in Gradio's queue. `opened`: set while a stream of it is open.
    `no_stream_closing`: cleared from when a stream's last message is sent until its reader has closed the connection.
    """

    name: str
    visitor: Visitor
    page: bool = False
    events: set[str] = field(default_factory=set)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    no_stream_closing: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.no_stream_closing.set()


class Sessions:
    """All sessions of a page.

    `running(event_id)`: whether Gradio's queue still has the event. `forget(name)`: called when a session is dropped, to
    delete Gradio's state of it.
    """

    def __init__(
        self, *, running: Callable[[str], bool], forget: Callable[[str], None], max_sessions: int = MAX_SESSIONS
    ) -> None:
        self._running = running
        self._forget = forget
        self._max = max_sessions
        self._sessions: dict[str, Session] = {}
        self._streams: Counter[str] = Counter()
        # By name and not in Session, because a tab opens a stream before its first event creates the session.
        self._open: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._sessions)

    def admit(self, name: str, visitor: Visitor, *, page: bool) -> Session:
        """The session that receives an event; a new one is created if needed. Raises LimitExceeded."""
        self._check_event_limits(visitor)
        session = self._sessions.pop(name, None)
        if session is None:
            self._evict_idle()
            session = Session(name, visitor)
        self._sessions[name] = session  # keeps the dictionary in the order of use
        session.page |= page
        return session

    def has_event(self, name: str, event_id: str) -> bool:
        """Whether the event belongs to the session with this name."""
        session = self._sessions.get(name)
        return session is not None and event_id in session.events

    def find_by_event(self, event_id: str, visitor: Visitor) -> Session | None:
        """The session of this visitor that the event belongs to, or None."""
        return next(
            (
                each
                for each in self._sessions.values()
                if event_id in each.events and each.visitor.owner == visitor.owner
            ),
            None,
        )

    @contextmanager
    def stream(self, name: str, visitor: Visitor, *, answers: bool) -> Iterator[Session | None]:
        """Count an open stream until the end of the block. Yields its session, or None if it has had no event yet.

        `answers`: the stream carries answers and is not a tab's heartbeat. Raises LimitExceeded.
        """
        keys = {f"address {visitor.address}": STREAMS_PER_ADDRESS, f"owner {visitor.owner}": STREAMS_PER_OWNER}
        if any(self._streams[key] >= limit for key, limit in keys.items()):
            raise LimitExceeded("streams of one visitor")
        self._streams.update(keys.keys())
        self._open[name] += 1
        session = self._sessions.get(name)
        if answers and session:
            session.opened.set()
        try:
            yield session
        finally:
            self._streams.subtract(keys.keys())
            self._open[name] -= 1
            # Unary plus drops the entries at zero.
            self._streams, self._open = +self._streams, +self._open
            session = self._sessions.get(name)
            if session is not None and not self._open[name]:
                session.opened.clear()
                if not session.page:  # a program reads one answer per session
                    self.drop(session)

    async def wait_for_stream(self, name: str) -> bool:
        """Wait up to OPEN_SECONDS until the session has an open stream. Returns False, and drops the session, if not."""
        session = self._sessions.get(name)
        if session is None:
            return False
        try:
            await asyncio.wait_for(session.opened.wait(), OPEN_SECONDS)
        except TimeoutError:
            self.drop(session)
            return False
        return True

    def drop(self, session: Session) -> None:
        """Remove the session and Gradio's state of it."""
        if self._sessions.get(session.name) is session:
            del self._sessions[session.name]
            self._forget(session.name)

    def _check_event_limits(self, visitor: Visitor) -> None:
        total = of_address = of_owner = 0
        for session in self._sessions.values():
            if session.events:
                # Gradio has no callback for the end of an event, so it is checked here, before counting.
                session.events = {event for event in session.events if self._running(event)}
                total += len(session.events)
                of_address += len(session.events) * (session.visitor.address == visitor.address)
                of_owner += len(session.events) * (session.visitor.owner == visitor.owner)
        if of_owner >= EVENTS_PER_OWNER or of_address >= EVENTS_PER_ADDRESS:
            raise LimitExceeded("events of one visitor")
        if total >= MAX_EVENTS:
            raise LimitExceeded("events", status=503)

    def _evict_idle(self) -> None:
        while len(self._sessions) >= self._max:
            # The dictionary is in the order of use, so the first idle session is the least recently used.
            idle = next((each for each in self._sessions.values() if not self._open[each.name]), None)
            if idle is None:
                raise LimitExceeded("open conversations", status=503)
            self.drop(idle)
