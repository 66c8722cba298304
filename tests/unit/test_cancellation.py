"""CancelScope: what ends with what, and what does not."""

from __future__ import annotations

import gc
import threading

import pytest

from rag.errors import ModelInterrupted, ModelTimeout
from rag.models.cancellation import CancelScope, current_scope


def test_a_cancel_reaches_grandchildren_of_collected_parents() -> None:
    scope = CancelScope()
    grandchild = scope.child(30).child(20)
    gc.collect()
    scope.cancel()
    assert grandchild.cancelled and not grandchild.expired
    with pytest.raises(ModelInterrupted, match="the call of the model 'm' was cancelled"):
        grandchild.check("the model 'm'")


def test_a_child_ends_no_later_than_its_parent_and_leaves_it_alone() -> None:
    scope = CancelScope(10)
    assert scope.child(3600).remaining() <= 10
    child = scope.child(0)
    assert child.expired and not child.cancelled and not scope.expired
    with pytest.raises(ModelTimeout, match="the model 'm' did not answer within the deadline; raise DEADLINE"):
        child.check("the model 'm'")
    child.cancel()
    assert child.expired, "the deadline came first"
    assert not scope.cancelled


def test_a_scope_made_while_another_is_active_is_cancelled_with_it_but_keeps_its_deadline() -> None:
    outer = CancelScope(1)
    with outer.active():
        assert current_scope() is outer
        inner = CancelScope(3600)
    apart = CancelScope()
    assert current_scope() is None and inner.remaining() > 3000
    outer.cancel()
    assert inner.cancelled and not apart.cancelled


def test_what_waits_is_freed_by_the_deadline_and_by_a_cancel_but_not_after_its_release() -> None:
    expiring, cancelled, released = CancelScope(0.05), CancelScope(), CancelScope()
    stops = [threading.Event() for _ in range(3)]
    for scope, stop in zip((expiring, cancelled, released), stops, strict=True):
        scope.on_end(stop.set)
    released.release()
    cancelled.cancel()
    released.cancel()
    assert stops[0].wait(30) and stops[1].is_set() and not stops[2].is_set()


def test_what_begins_after_the_end_is_stopped_at_once() -> None:
    scope, stopped = CancelScope(), threading.Event()
    scope.cancel()
    scope.on_end(stopped.set)
    assert stopped.is_set()
    assert scope.child().cancelled
