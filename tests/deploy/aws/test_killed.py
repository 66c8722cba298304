"""The process is killed after each change: `up` then completes the stack, and `down` deletes everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.stack import Stack
from tests.deploy.aws.account import Account, remaining
from tests.deploy.aws.conftest import FULL, ROOT, written

LEAN = FULL.replace(FULL[FULL.index("[llm]") : FULL.index("[opensearch]")], "")
"""One of each kind of resource."""
STEPS = (
    *("CreateRole", "PutRolePolicy", "CreateRole", "PutRolePolicy"),
    *("CreateBucket", "PutBucketTagging", "PutBucketEncryption", "PutPublicAccessBlock"),
    *("CreateLogGroup", "PutRetentionPolicy", *["CreateSecret"] * 3, "PutObject", "PutObject"),
    *("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "CreateDomain"),
    *("RegisterScalableTarget", "PutScalingPolicy"),
    *("CreateScheduleGroup", "CreateSchedule", "CreateSchedule", "CreateSchedule", "CreateSchedule"),
)
"""All changes of one `up`, in order."""


@pytest.fixture
def lean(tmp_path: Path) -> Stack:
    return written(tmp_path, LEAN)


def state(account: Account) -> dict[str, Any]:
    """The resources, without values that differ between runs."""
    return {kind: len(found) for kind, found in remaining(account).items()}


def test_the_steps_are_all(account: Account, lean: Stack) -> None:
    account.deployment(lean).up()
    assert tuple(call.operation for call in account.calls if call.changes) == STEPS


def test_up_killed_after_each_step_is_resumed(account: Account, lean: Stack) -> None:
    """Each run takes one more step, so that each step is once the last before a kill."""
    kills = 0
    while account.killed(account.deployment(lean).up, after=1):
        kills += 1
        assert kills <= 2 * len(STEPS), "it does not converge"
    assert kills >= len(STEPS)
    account.forget()
    account.deployment(lean).up()
    assert not [call for call in account.calls if call.changes]
    assert state(account) == {
        "models": 1, "configs": 1, "endpoints": 1, "roles": 2, "buckets": 1, "logs": 1,
        "secrets": 3, "domains": 1, "schedules": 4, "scaling": 1,
    }  # fmt: skip


@pytest.mark.parametrize("step", range(1, len(STEPS) + 1))
def test_down_after_up_was_killed_leaves_nothing(account: Account, lean: Stack, step: int) -> None:
    assert account.killed(account.deployment(lean).up, after=step)
    assert remaining(account)
    account.deployment(lean).down()
    assert remaining(account) == {}


def test_down_killed_after_each_step_is_resumed(account: Account, lean: Stack) -> None:
    account.deployment(lean).up()
    kills = 0
    while account.killed(account.deployment(lean).down, after=1):
        kills += 1
        assert kills <= 2 * len(STEPS), "it does not converge"
    assert kills >= 15
    assert remaining(account) == {}


def test_an_update_killed_after_each_step_is_resumed(account: Account, lean: Stack, tmp_path: Path) -> None:
    account.deployment(lean).up()
    changed = written(
        tmp_path,
        LEAN.replace('ml.g5.xlarge"', 'ml.g6.xlarge"\nrevision = "main"')
        .replace("[opensearch]", "[opensearch]\nstorage_gb = 20")
        .replace("max_instances = 3", "max_instances = 4")
        .replace("[schedule]", '[schedule]\noff = "19:00"'),
    )
    kills = 0
    while account.killed(account.deployment(changed).up, after=1):
        kills += 1
        assert kills <= 2 * len(STEPS), "it does not converge"
    assert kills >= 8
    account.forget()
    account.deployment(changed).up()
    assert not [call for call in account.calls if call.changes]
    assert state(account)["models"] == state(account)["configs"] == 1


def test_a_process_killed_by_the_system_is_resumed(account: Account, lean: Stack, tmp_path: Path) -> None:
    """SIGKILL at any moment."""
    path = tmp_path / "stack.toml"
    path.write_text(LEAN, encoding="utf-8")
    arguments = [sys.executable, "-m", "deploy", "up", "--stack", str(path)]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not account.client("iam").list_roles()["Roles"]:
        assert time.monotonic() < end and process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    account.deployment(lean).up()
    account.deployment(lean).down()
    assert remaining(account) == {}
