"""What any resource can be asked, and the loop that brings resources up or takes them down.

Nothing is remembered between runs: each step looks at AWS first and does what is missing, so a run that was killed anywhere
is simply run again.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from botocore.exceptions import ClientError

from deploy.aws.errors import advice, is_busy, is_propagating, translate_errors
from deploy.aws.session import MAKER_TAG, AwsSession, Tags, as_mapping
from rag.errors import DeployError
from rag.retries import RetryPolicy

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
HEARTBEAT_SECONDS = 60.0
PROPAGATION_SECONDS = 120.0
"""New roles and resources are known everywhere within seconds, seldom within a minute."""
PROPAGATION_RETRIES = RetryPolicy(first_pause=5.0, longest_pause=5.0)
TRIES = 5


class State(Enum):
    """What `describe` says of a resource; the values are the words shown to users."""

    ABSENT = "absent"
    READY = "ready"
    DIFFERENT = "different from the stack file"
    BUSY = "busy"
    FAILED = "failed"
    NOT_OURS = "not this stack's"


@dataclass(frozen=True, slots=True)
class Description:
    """A resource as AWS describes it. `detail`: the service's own word or reason; `since`: when it was made.

    `rolled_back`: why AWS rolled back the last change of what is different, and in service as it was before.
    """

    state: State
    detail: str = ""
    made_by: str = ""
    since: datetime | None = None
    rolled_back: str = ""


ABSENT = Description(State.ABSENT)
NOT_OURS = Description(State.NOT_OURS)


class Resource(ABC):
    """One thing in AWS. Methods may raise botocore's errors; the loop below turns them into ours."""

    kind: str
    wait_seconds: float = 600.0
    shared: bool = False
    """Whether one that is not ours will do: it is used, and left."""

    def __init__(self, aws: AwsSession, name: str) -> None:
        self.aws = aws
        self.name = name

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @abstractmethod
    def describe(self) -> Description:
        """Ask AWS how it is."""

    @abstractmethod
    def create(self) -> None:
        """Called where it is absent."""

    @abstractmethod
    def delete(self) -> None:
        """Called where it is ours and at rest."""

    def change(self) -> None:
        """Called where it is ours and differs from what the stack file says."""
        self.delete()

    def link(self) -> str | None:
        """Where to see it, or its log, in the console."""
        return None

    def owned_description(
        self, state: State, tags: Tags, detail: str = "", since: datetime | None = None
    ) -> Description:
        """The description of a resource with these tags: in that state if they are this stack's, NOT_OURS otherwise."""
        by_key = as_mapping(tags)
        return (
            Description(state, detail, by_key.get(MAKER_TAG, ""), since) if self.aws.has_stack_tag(by_key) else NOT_OURS
        )


Say = Callable[[str], None]
Stage = Sequence[Resource]


@dataclass(slots=True)
class Progress:
    """What this run has done to one resource of a stage so far.

    `started`: something was begun, by this run or by one before it that AWS still works on. `change_pending`: AWS has been
    seen working on a change of this run, so a rollback found now is that change's and not an older one's.
    """

    resource: Resource
    creates: int = 0
    changes: int = 0
    started: bool = False
    change_pending: bool = False


@dataclass
class Reconciler:
    """Brings stages up in order, and takes them down in the order opposite. Raises DeployError."""

    say: Say
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def up(self, stages: Sequence[Stage]) -> None:
        """Create and change until every resource is ready; each stage is complete before the next one begins."""
        for stage in stages:
            self._finish(stage, self._step_up)

    def down(self, stages: Sequence[Stage]) -> None:
        """Delete until every resource is absent, the last stage first."""
        for stage in reversed(stages):
            self._finish(stage, self._step_down)

    def _finish(self, stage: Stage, step: Callable[[Progress], bool]) -> None:
        """Take steps until each resource is done. All are begun before any is waited for.

        A loop of its own and no RetryPolicy: several resources are polled together, each with its own longest wait, and
        nothing has failed while they are waited for.
        """
        began, reported, pause = self.clock(), self.clock(), FIRST_PAUSE
        waiting = [Progress(resource) for resource in stage]
        while True:
            waiting = [progress for progress in waiting if not self._attempt(progress, step)]
            if not waiting:
                return
            spent = self.clock() - began
            if late := [each.resource for each in waiting if spent > each.resource.wait_seconds]:
                raise DeployError(
                    f"{late[0]} is not done after {spent / 60:.0f} minutes; run the command again to go on"
                )
            if self.clock() - reported > HEARTBEAT_SECONDS:
                reported = self.clock()
                names = ", ".join(str(each.resource) for each in waiting)
                self.say(f"  waiting for {names}: {spent / 60:.0f} min")
            self.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _attempt(self, progress: Progress, step: Callable[[Progress], bool]) -> bool:
        """One step, tried again while AWS does not know everywhere yet what was made a moment ago."""
        resource, end = progress.resource, self.clock() + PROPAGATION_SECONDS
        with translate_errors(str(resource), resource.aws.region):
            try:
                return PROPAGATION_RETRIES.call(
                    lambda: step(progress),
                    retryable=lambda exc: isinstance(exc, ClientError) and is_propagating(exc) and not is_busy(exc),
                    remaining=lambda: end - self.clock(),
                    sleep=self.sleep,
                )
            except ClientError as exc:
                if is_busy(exc):
                    return False
                raise

    def _step_up(self, progress: Progress) -> bool:
        resource = progress.resource
        while True:
            description = resource.describe()
            match description.state:
                case State.READY:
                    self.say(f"{'made' if progress.started else 'kept'}: {resource}")
                    return True
                case State.BUSY:
                    progress.started = True  # also where an earlier run began it: its failure is news
                    progress.change_pending = progress.changes > 0
                    return False
                case State.NOT_OURS if resource.shared:
                    return True
                case State.NOT_OURS:
                    raise DeployError(
                        f"{resource} exists and is not this stack's (its tag fsi-stack is missing or another): "
                        "choose another name in the stack file; it is left as it is"
                    )
                case State.FAILED if progress.started:
                    raise failed(resource, description.detail)
                case State.FAILED:
                    self.say(f"removing {resource}, which failed before: {description.detail}")
                    resource.delete()
                case State.DIFFERENT if progress.change_pending and description.rolled_back:
                    raise failed(resource, f"AWS rolled the change back: {description.rolled_back}")
                case State.DIFFERENT:
                    self._begin("change", progress.changes, progress, description)
                    progress.changes += 1
                    resource.change()
                case State.ABSENT:
                    self._begin("make", progress.creates, progress, description)
                    progress.creates += 1
                    resource.create()

    def _begin(self, verb: str, tries: int, progress: Progress, description: Description) -> None:
        """Report the first call for a resource; raise after TRIES of them. One call seldom sets all that differs."""
        resource = progress.resource
        if tries >= TRIES:
            reason = description.detail or f"it is still {description.state.value} after {TRIES} tries to {verb} it"
            raise failed(resource, reason)
        if not progress.started:
            rollback = description.rolled_back
            before = f", of which AWS rolled back a change: {rollback}" if rollback else ""
            self.say(f"{'making' if verb == 'make' else 'changing'} {resource}{before}")
        progress.started = True

    def _step_down(self, progress: Progress) -> bool:
        resource = progress.resource
        for _ in range(TRIES):
            match resource.describe().state:
                case State.ABSENT:
                    return True
                case State.NOT_OURS:
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
    hint = advice(reason, resource.aws.region)
    link = resource.link()
    return DeployError(
        f"{resource} failed: {reason.strip() or 'no reason given'}"
        + (f"; {hint}" if hint else "")
        + (f"; log: {link}" if link else "")
        + ". What was made stays, and costs: run `up` again, or `down`"
    )
