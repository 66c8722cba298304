"""Spreads the tests over the workers. The fixtures are in `tests/fixtures.py`."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SHARED = ("opensearch", "chromium")
"""Session fixtures that are slow to start: all tests that need one of them run in the same worker."""
LONG = (
    "tests/integration/test_package.py",
    "tests/integration/test_gates.py",
    "tests/deploy/test_cli.py",
    "tests/integration/test_cell_questions.py",
    "tests/integration/test_documents_killed.py",
    "tests/deploy/test_fault_table.py",
)
"""Files with few tests that take more than twenty seconds."""
GROUP = pytest.StashKey[str]()

gc.disable()  # until all tests are collected, because what importing them makes is not thrown away


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-pictures", action="store_true", help="write the pictures of the documents again")


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures, except in the process that gives tests to workers and so needs none of their imports."""
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("tests.fixtures")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group tests for xdist: those that share a server in one worker, all others by file.

    Groups start in this order: the shared servers', which take longest; LONG; then by size, those of tests/unit last,
    because their short tests keep all workers busy until the end.
    """
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        group = next((name for name in SHARED if name in fixtures), item.nodeid.split("::")[0])
        item.add_marker(pytest.mark.xdist_group(group))
        item.stash[GROUP] = group
    sizes = Counter(item.stash[GROUP] for item in items)

    def order(item: pytest.Item) -> tuple[bool, bool, bool, int, str]:
        group = item.stash[GROUP]
        return group not in SHARED, group not in LONG, group.startswith("tests/unit/"), -sizes[group], group

    items.sort(key=order)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
