"""Finds the Chromium of the tests."""

from __future__ import annotations

import shutil
from typing import Final

PROGRAMS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The headless shell comes first: a page takes less than half the processor time without the parts around the web view."""


def chromium_path() -> str:
    """The path of the first of PROGRAMS that is installed."""
    path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert path, "no Chromium on the PATH; run tests/browser/install.sh"
    return path
