"""What any resource can be asked, and the loop that brings resources up or takes them down.

Nothing is remembered between runs: each step looks at AWS first and does what is missing, so a run that was killed anywhere
is simply run again.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from botocore.exceptions import ClientError

from deploy.aws.cloud import MAKER_TAG, Cloud, Tags, as_mapping
from deploy.aws.failures import advice, as_ours, is_busy, is_unsettled
from rag.errors import DeployError

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
HEARTBEAT = 60.0
SETTLE_SECONDS = 120.0
"""New roles and resources are known everywhere within seconds, seldom within a minute."""
TRIES = 5


class State(Enum):
    ABSENT = "absent"
    READY = "ready"
    DIFFERENT = "different from the stack file"
    BUSY = "busy"
    FAILED = "failed"
    FOREIGN = "a stranger's"


@dataclass(frozen=True, slots=True)
class Seen:
    """How a resource was found. `detail`: the service's own word or reason; `since`: when it was made.

    `undone`: why AWS took back the last change of what is different, and in service as it was before.
    """

    state: State
    detail: str = ""
    made_by: str = ""
    since: datetime | None = None
    undone: str = ""


ABSENT = Seen(State.ABSENT)
FOREIGN = Seen(State.FOREIGN)


class Resource(ABC):
    """One thing in AWS. Methods may raise botocore's errors; the loop below turns them into ours."""

    kind: str
    wait_seconds: float = 600.0
    shared: bool = False
    """Whether one that is not ours will do: it is used, and left."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.cloud = cloud
        self.name = name

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @abstractmethod
    def look(self) -> Seen:
        """Ask AWS how it is."""

    @abstractmethod
    def create(self) -> None:
        """Called where it is absent."""

    @abstractmethod
    def delete(self) -> None:
        """Called where it is ours and at rest."""

    def change(self) -> None:
        """Called where it is ours and differs from what is wanted."""
        self.delete()

    def link(self) -> str | None:
        """Where to see it, or its log, in the console."""
        return None

    def seen(self, state: State, tags: Tags, detail: str = "", since: datetime | None = None) -> Seen:
        """Found with these tags: in that state if they are ours, a stranger's otherwise."""
        found = as_mapping(tags)
        return Seen(state, detail, found.get(MAKER_TAG, ""), since) if self.cloud.is_ours(found) else FOREIGN


Say = Callable[[str], None]
Stage = Sequence[Resource]


@dataclass
class Reconciler:
    """Brings stages up in order, and takes them down in the order opposite. Raises DeployError."""

    say: Say
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def up(self, stages: Sequence[Stage]) -> None:
        for stage in stages:
            begun: Counter[tuple[str, Resource]] = Counter()
            self._settle(stage, lambda resource, begun=begun: self._forward(resource, begun))  # type: ignore[misc]

    def down(self, stages: Sequence[Stage]) -> None:
        for stage in reversed(stages):
            self._settle(stage, self._backward)

    def _settle(self, stage: Stage, step: Callable[[Resource], bool]) -> None:
        """Take steps until each resource is done. All are begun before any is waited for."""
        began, told, pause = self.clock(), self.clock(), FIRST_PAUSE
        waiting = list(stage)
        while True:
            waiting = [resource for resource in waiting if not self._step(resource, step)]
            if not waiting:
                return
            spent = self.clock() - began
            if late := [resource for resource in waiting if spent > resource.wait_seconds]:
                raise DeployError(
                    f"{late[0]} is not done after {spent / 60:.0f} minutes; run the command again to go on"
                )
            if self.clock() - told > HEARTBEAT:
                told = self.clock()
                self.say(f"  waiting for {', '.join(map(str, waiting))}: {spent / 60:.0f} min")
            self.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _step(self, resource: Resource, step: Callable[[Resource], bool]) -> bool:
        began = self.clock()
        with as_ours(str(resource), resource.cloud.region):
            while True:
                try:
                    return step(resource)
                except ClientError as exc:
                    if is_busy(exc):
                        return False
                    if not is_unsettled(exc) or self.clock() - began > SETTLE_SECONDS:
                        raise
                    self.sleep(5.0)

    def _forward(self, resource: Resource, begun: Counter[tuple[str, Resource]]) -> bool:
        while True:
            seen = resource.look()
            match seen.state:
                case State.READY:
                    self.say(f"{'made' if begun['begun', resource] else 'kept'}: {resource}")
                    return True
                case State.BUSY:
                    begun["begun", resource] += 1  # also where an earlier run began it: its failure is news
                    begun["under way", resource] = begun["change", resource]
                    return False
                case State.FOREIGN if resource.shared:
                    return True
                case State.FOREIGN:
                    raise DeployError(
                        f"{resource} exists and is not this stack's (its tag fsi-stack is missing or another): "
                        "choose another name in the stack file; it is left as it is"
                    )
                case State.FAILED if begun["begun", resource]:
                    raise failed(resource, seen.detail)
                case State.FAILED:
                    self.say(f"removing {resource}, which failed before: {seen.detail}")
                    resource.delete()
                case State.DIFFERENT if begun["under way", resource] and seen.undone:
                    raise failed(resource, f"AWS took the change back: {seen.undone}")
                case State.DIFFERENT:
                    self._once_more("change", resource, begun, seen)
                    resource.change()
                case State.ABSENT:
                    self._once_more("make", resource, begun, seen)
                    resource.create()

    def _once_more(self, verb: str, resource: Resource, begun: Counter[tuple[str, Resource]], seen: Seen) -> None:
        if begun[verb, resource] >= TRIES:
            raise failed(resource, seen.detail or f"it is still {seen.state.value} after {TRIES} tries to {verb} it")
        if not begun["begun", resource]:
            before = f", of which AWS took back a change: {seen.undone}" if seen.undone else ""
            self.say(f"{'making' if verb == 'make' else 'changing'} {resource}{before}")
        begun[verb, resource] += 1
        begun["begun", resource] += 1

    def _backward(self, resource: Resource) -> bool:
        for _ in range(TRIES):
            match resource.look().state:
                case State.ABSENT:
                    return True
                case State.FOREIGN:
                    self.say(f"left alone: {resource} is not this stack's")
                    return True
                case State.BUSY:
                    return False
                case _:
                    self.say(f"removing {resource}")
                    resource.delete()
        return False


def failed(resource: Resource, reason: str) -> DeployError:
    """The reason AWS gives, what to do about it, and where to read more."""
    told = advice(reason, resource.cloud.region)
    link = resource.link()
    return DeployError(
        f"{resource} failed: {reason.strip() or 'no reason given'}"
        + (f"; {told}" if told else "")
        + (f"; log: {link}" if link else "")
        + ". What was made stays, and costs: run `up` again, or `down`"
    )
