"""The interface of resources, and the loop that creates, changes and deletes them.

No state is kept between runs: each step describes the resource and does what is missing. An interrupted run is resumed by
running the command again.
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
from deploy.aws.session import CREATOR_TAG, AwsSession, Tags, as_mapping
from rag.errors import DeployError
from rag.retries import RetryPolicy

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
HEARTBEAT_SECONDS = 60.0
PROPAGATION_SECONDS = 120.0
"""Time for new roles and resources to propagate, which usually takes seconds."""
PROPAGATION_RETRIES = RetryPolicy(first_pause=5.0, longest_pause=5.0)
MAX_TRIES = 5
"""Calls of `create`, `change` or `delete` for one resource in one run."""


class State(Enum):
    """State of a resource; the values are shown to users."""

    ABSENT = "absent"
    READY = "ready"
    DIFFERENT = "different from the stack file"
    BUSY = "busy"
    FAILED = "failed"
    NOT_OURS = "not this stack's"


@dataclass(frozen=True, slots=True)
class Description:
    """A resource as AWS describes it.

    `detail`: the service's status or failure reason. `created`: when. `rolled_back`: why AWS rolled back the
    last change of a resource that is in state DIFFERENT.
    """

    state: State
    detail: str = ""
    created_by: str = ""
    created: datetime | None = None
    rolled_back: str = ""


ABSENT = Description(State.ABSENT)
NOT_OURS = Description(State.NOT_OURS)


class Resource(ABC):
    """One resource in AWS. Methods may raise errors of botocore, which Reconciler translates into DeployError."""

    kind: str
    wait_seconds: float = 600.0
    shared: bool = False
    """Whether an existing resource that is not this stack's is used, and not deleted."""

    def __init__(self, aws: AwsSession, name: str) -> None:
        self.aws = aws
        self.name = name

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @abstractmethod
    def describe(self) -> Description:
        """Ask AWS for the state of the resource."""

    @abstractmethod
    def create(self) -> None:
        """Create the resource; called in state ABSENT."""

    @abstractmethod
    def delete(self) -> None:
        """Delete the resource; called if it is owned and not BUSY."""

    def change(self) -> None:
        """Change the resource to the stack file's definition; called in state DIFFERENT. By default it is recreated."""
        self.delete()

    def link(self) -> str | None:
        """URL of the resource or its log in the console, or None."""
        return None

    def owned_description(
        self, state: State, tags: Tags, detail: str = "", created: datetime | None = None
    ) -> Description:
        """A description with this state if the tags are those of this stack, NOT_OURS otherwise."""
        by_key = as_mapping(tags)
        if not self.aws.has_stack_tag(by_key):
            return NOT_OURS
        return Description(state, detail, by_key.get(CREATOR_TAG, ""), created)


Echo = Callable[[str], None]
Stage = Sequence[Resource]


@dataclass(slots=True)
class Progress:
    """What this run has done with one resource.

    `started`: a creation or change is in progress, of this run or of an earlier one. `change_pending`: AWS was seen working
    on a change of this run, so that a rollback reported later belongs to it and not to an earlier change.
    """

    resource: Resource
    creates: int = 0
    changes: int = 0
    started: bool = False
    change_pending: bool = False


@dataclass
class Reconciler:
    """Creates stages in order, and deletes them in reverse order. Raises DeployError."""

    echo: Echo
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def up(self, stages: Sequence[Stage]) -> None:
        """Create and change resources until all are ready; a stage starts after the one before it is ready."""
        for stage in stages:
            self._finish(stage, self._step_up)

    def down(self, stages: Sequence[Stage]) -> None:
        """Delete resources until all are absent, the last stage first."""
        for stage in reversed(stages):
            self._finish(stage, self._step_down)

    def _finish(self, stage: Stage, step: Callable[[Progress], bool]) -> None:
        """Repeat steps until each resource is done; all are started before the first is waited for.

        This is not a RetryPolicy: several resources are polled together, each with its own time limit.
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
                    f"{late[0]} is not ready after {spent / 60:.0f} minutes; run the command again to continue"
                )
            if self.clock() - reported > HEARTBEAT_SECONDS:
                reported = self.clock()
                names = ", ".join(str(each.resource) for each in waiting)
                self.echo(f"  waiting for {names}: {spent / 60:.0f} min")
            self.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _attempt(self, progress: Progress, step: Callable[[Progress], bool]) -> bool:
        """One step, retried while new resources have not propagated; False while the resource is busy."""
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
                    self.echo(f"{'ready' if progress.started else 'unchanged'}: {resource}")
                    return True
                case State.BUSY:
                    progress.started = True  # also if an earlier run started it: its failure must be reported
                    progress.change_pending = progress.changes > 0
                    return False
                case State.NOT_OURS if resource.shared:
                    return True
                case State.NOT_OURS:
                    raise DeployError(
                        f"{resource} exists and does not belong to this stack (no tag fsi-stack), so it was not changed; "
                        "choose another name in the stack file"
                    )
                case State.FAILED if progress.started:
                    raise failed(resource, description.detail)
                case State.FAILED:
                    self.echo(f"deleting {resource}, which failed before: {description.detail}")
                    resource.delete()
                case State.DIFFERENT if progress.change_pending and description.rolled_back:
                    raise failed(resource, f"AWS rolled the change back: {description.rolled_back}")
                case State.DIFFERENT:
                    self._begin("change", progress.changes, progress, description)
                    progress.changes += 1
                    resource.change()
                case State.ABSENT:
                    self._begin("create", progress.creates, progress, description)
                    progress.creates += 1
                    resource.create()

    def _begin(self, verb: str, tries: int, progress: Progress, description: Description) -> None:
        """Report the first call for a resource; raise DeployError after MAX_TRIES. A change may need several calls."""
        resource = progress.resource
        if tries >= MAX_TRIES:
            reason = description.detail or f"it is still {description.state.value} after {MAX_TRIES} tries to {verb} it"
            raise failed(resource, reason)
        if not progress.started:
            rollback = description.rolled_back
            before = f", of which AWS rolled back a change: {rollback}" if rollback else ""
            self.echo(f"{'creating' if verb == 'create' else 'changing'} {resource}{before}")
        progress.started = True

    def _step_down(self, progress: Progress) -> bool:
        resource = progress.resource
        for _ in range(MAX_TRIES):
            match resource.describe().state:
                case State.ABSENT:
                    return True
                case State.NOT_OURS:
                    self.echo(f"not deleted: {resource} does not belong to this stack")
                    return True
                case State.BUSY:
                    return False
                case _:
                    self.echo(f"deleting {resource}")
                    resource.delete()
        return False


def failed(resource: Resource, reason: str) -> DeployError:
    """An error with the reason that AWS gives, advice and a link to the log."""
    hint = advice(reason, resource.aws.region)
    link = resource.link()
    return DeployError(
        f"{resource} failed: {reason.strip() or 'no reason given'}"
        + (f"; {hint}" if hint else "")
        + (f"; log: {link}" if link else "")
        + ". Created resources remain and are billed; run `up` again, or `down`"
    )
