"""Waits for a process or a file by polling: what has started in the background cannot call back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def poll(condition: Callable[[], T], seconds: float, *, pause: float = 0.05) -> T:
    """Call `condition` every `pause` seconds until it is true, for `seconds` at most. Returns its last value."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(pause)
    return value
