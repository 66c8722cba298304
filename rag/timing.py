"""How long the steps of an answer take."""

from __future__ import annotations

import time


class StepTimer:
    """Milliseconds of each step since the one before, and in all since it was made."""

    def __init__(self) -> None:
        self._began = self._last = time.perf_counter()
        self._steps: dict[str, float] = {}

    def lap(self, step: str) -> None:
        """End `step`, and begin the next one."""
        now = time.perf_counter()
        self._steps[step] = (now - self._last) * 1000
        self._last = now

    def timings(self) -> dict[str, float]:
        """The steps so far in order, then `total`."""
        return {**self._steps, "total": (time.perf_counter() - self._began) * 1000}
