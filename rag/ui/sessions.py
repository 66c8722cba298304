"""What each session has open: streams, and events that wait or run. Bounded per session, per address and in all.

A browser holds a stream open for as long as its tab is; whoever sends events and reads no stream takes nobody's place. All is
used from the event loop alone.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rag.ui.visitors import Visitor

MAX_SESSIONS = 2000
"""Conversations kept in memory. Of those without an open stream the one not used for longest goes first."""
MAX_EVENTS = 180
EVENTS_PER_ADDRESS = 60
EVENTS_PER_OWNER = 12
"""Events that wait or run: in all (Gradio runs 200 at most), of one address, of one browser."""
STREAMS_PER_ADDRESS = 500
STREAMS_PER_OWNER = 50
"""Streams held open: a tab has two."""
OPEN_SECONDS = 10.0
"""An event is dropped whose session has no open stream for this long."""


class TooMany(Exception):
    """A limit is reached; the request is refused with 429, or 503 where it is the server's."""

    def __init__(self, limit: str, *, status: int = 429) -> None:
        super().__init__(limit)
        self.status = status


@dataclass(slots=True)
class Session:
    """One tab, or one program's calls. `page`: it has a conversation. `settled`: its browser knows which streams are over."""

    name: str
    visitor: Visitor
    page: bool = False
    events: set[str] = field(default_factory=set)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.settled.set()


class Places:
    """How many requests of one address are worked on at once."""

    def __init__(self, per_address: int) -> None:
        self._per_address = per_address
        self._taken: Counter[str] = Counter()

    @contextmanager
    def place(self, address: str) -> Iterator[None]:
        """One of the address's places until the end of the block. Raises TooMany."""
        if self._taken[address] >= self._per_address:
            raise TooMany("requests of one visitor")
        self._taken[address] += 1
        try:
            yield
        finally:
            self._taken[address] -= 1
            self._taken = +self._taken


class Sessions:
    """All sessions of a page. `running(event_id)`: whether Gradio still has it; `forget(name)`: drop what it keeps of one."""

    def __init__(
        self, *, running: Callable[[str], bool], forget: Callable[[str], None], max_sessions: int = MAX_SESSIONS
    ) -> None:
        self._running = running
        self._forget = forget
        self._max = max_sessions
        self._sessions: dict[str, Session] = {}
        self._streams: Counter[str] = Counter()
        self._open: Counter[str] = Counter()
        """Streams by the session's name: a tab opens one before its first event."""

    def __len__(self) -> int:
        return len(self._sessions)

    def admit(self, name: str, visitor: Visitor, *, page: bool) -> Session:
        """The session an event is sent to, made where it is new. Raises TooMany."""
        self._bound_events(visitor)
        session = self._sessions.pop(name, None)
        if session is None:
            self._make_room()
            session = Session(name, visitor)
        self._sessions[name] = session  # the last used is the last
        session.page |= page
        return session

    def joined(self, session: Session, event_id: str) -> None:
        """Count an event that Gradio has taken."""
        session.events.add(event_id)

    def owns(self, name: str, event_id: str) -> bool:
        """Whether the event is one of this session's."""
        session = self._sessions.get(name)
        return session is not None and event_id in session.events

    def session_of(self, event_id: str, visitor: Visitor) -> Session | None:
        """The session of this visitor that the event belongs to."""
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
        """The session while a stream of it is open, None for one without events so far.

        `answers`: the stream carries them, and not only a tab's heartbeat. Raises TooMany.
        """
        keys = {f"address {visitor.address}": STREAMS_PER_ADDRESS, f"owner {visitor.owner}": STREAMS_PER_OWNER}
        if any(self._streams[key] >= limit for key, limit in keys.items()):
            raise TooMany("streams of one visitor")
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
            # Without those at zero: counters keep them.
            self._streams, self._open = +self._streams, +self._open
            session = self._sessions.get(name)
            if session is not None and not self._open[name]:
                session.opened.clear()
                if not session.page:  # a program's answer has been read: there is nothing to come back to
                    self.drop(session)

    async def wait_open(self, name: str) -> bool:
        """Whether the session has an open stream, at the latest after OPEN_SECONDS."""
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
        """Forget the session and what Gradio keeps of it."""
        if self._sessions.get(session.name) is session:
            del self._sessions[session.name]
            self._forget(session.name)

    def _bound_events(self, visitor: Visitor) -> None:
        total = of_address = of_owner = 0
        for session in self._sessions.values():
            if session.events:
                # Gradio tells nobody when an event is over: asked here, where the count matters.
                session.events = {event for event in session.events if self._running(event)}
                total += len(session.events)
                of_address += len(session.events) * (session.visitor.address == visitor.address)
                of_owner += len(session.events) * (session.visitor.owner == visitor.owner)
        if of_owner >= EVENTS_PER_OWNER or of_address >= EVENTS_PER_ADDRESS:
            raise TooMany("events of one visitor")
        if total >= MAX_EVENTS:
            raise TooMany("events", status=503)

    def _make_room(self) -> None:
        while len(self._sessions) >= self._max:
            # The dictionary is in the order of use: the first idle one has not been used for longest.
            idle = next((each for each in self._sessions.values() if not self._open[each.name]), None)
            if idle is None:
                raise TooMany("open conversations", status=503)
            self.drop(idle)
