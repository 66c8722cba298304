"""The screenshot in the READMEs: the page answers from the bundled FAQ. --update-pictures writes it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import open_index
from rag.settings import Settings, StoreSettings
from tests.browser.conftest import Serve, Visit
from tests.conftest import ROOT

PICTURE = ROOT / "docs" / "images" / "page.png"
SIZE = {"width": 1100, "height": 700}
KILOBYTES = 200


def test_picture_of_the_page(
    bundled_root: Path,
    models: Models,
    serve: Serve,
    visit: Callable[..., Visit],
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    settings = Settings(store=StoreSettings(directory=bundled_root))
    server, _ = serve(build_service(settings, models, open_index(settings, models)))
    visitor = visit(server.url, viewport=SIZE, color_scheme="light", reduced_motion="reduce").ready()
    visitor.answered("새나래은행 이체 수수료는 얼마인가요?")
    visitor.page.click('#chat a[href="#src-1-1"]')
    expect(visitor.page.locator("#src-1-1 summary")).to_be_focused()
    target = PICTURE if pytestconfig.getoption("--update-pictures") else tmp_path / PICTURE.name
    visitor.page.screenshot(path=target)
    assert size_of(target) == size_of(PICTURE) == (SIZE["width"], SIZE["height"])
    assert PICTURE.stat().st_size < KILOBYTES * 1024
    for page in ("README.md", "README.ko.md"):
        assert PICTURE.relative_to(ROOT).as_posix() in (ROOT / page).read_text(encoding="utf-8")


def size_of(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG, at bytes 16 to 24."""
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height
