"""multiprocessing's fork server, for tests that start many processes."""

from __future__ import annotations

from multiprocessing import forkserver


def start_again(module: str) -> None:
    """Start a fork server that has imported this module.

    There is one for each program, and it keeps the modules that were chosen when it started. One that a pool of readers
    started before has others, and each process then imports its own, for more than a second.
    """
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    forkserver.set_forkserver_preload([module])
    forkserver.ensure_running()
