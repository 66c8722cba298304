"""The report of `make eval` in a real browser, and its screenshots for the documents. --update-pictures writes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from rag.evaluation.compare import case_results
from rag.evaluation.figures import suite_figures
from rag.evaluation.gates import gate_rows
from rag.evaluation.report import write_report
from rag.evaluation.runs import Run
from tests.browser.conftest import Visit
from tests.browser.test_screenshot import size_of
from tests.conftest import ROOT
from tests.runs import gates

DESKTOP = (1100, 800, "light", ROOT / "docs" / "images" / "report.png")
PHONE = (390, 844, "dark", ROOT / "docs" / "images" / "report-phone.png")
KILOBYTES = 200


@pytest.fixture(scope="module")
def page_file(bundled_dev: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    [suite] = bundled_dev.suites
    run = replace(
        bundled_dev, extra={"gates": gate_rows(gates().gates, gates().baseline_results(), case_results(suite.records))}
    )
    figures = {suite.name: suite_figures(suite.records, suite.banks)}
    return write_report(run, figures, tmp_path_factory.mktemp("report"), [bundled_dev])[0]


@pytest.mark.parametrize(("width", "height", "scheme", "picture"), [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_report_is_read_offline_on_every_screen(
    chromium: Browser,
    page_file: Path,
    width: int,
    height: int,
    scheme: str,
    picture: Path,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        offline=True,
    )
    visit = Visit(context.new_page(), page_file.as_uri())
    visit.listen()
    visit.page.goto(page_file.as_uri())
    assert visit.foreign() == [] and visit.complaints == []
    assert visit.page.evaluate("document.documentElement.scrollWidth") == width, "wide tables scroll by themselves"
    violations = Axe().run(visit.page).response["violations"]
    assert [each["id"] for each in violations] == []
    # The plots are what is worth a picture.
    visit.page.locator("h3").first.evaluate("heading => heading.scrollIntoView()")
    target = picture if pytestconfig.getoption("--update-pictures") else tmp_path / picture.name
    visit.page.screenshot(path=target)
    assert size_of(target) == size_of(picture) == (width, height)
    assert picture.stat().st_size < KILOBYTES * 1024
    assert f"images/{picture.name}" in (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    context.close()


def test_the_first_printed_page_is_the_one_to_sign_and_nothing_is_cut_off(
    chromium: Browser, page_file: Path, tmp_path: Path
) -> None:
    page = chromium.new_page()
    page.goto(page_file.as_uri())
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    sheets = [sheet.get_textpage().get_text_range() for sheet in pypdfium2.PdfDocument(tmp_path / "report.pdf")]
    for part in ("100명이 물으면", "출시 기준", "통과", "이 보고서가 말하지 않는 것", "승인", "서명"):
        assert part in sheets[0]
    assert sheets[1].startswith("실행 사이의 변화")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1000})  # A4 between its margins
    wider = (
        "all => all.filter(each => each.scrollWidth > each.clientWidth + 1).map(each => each.textContent.slice(0, 80))"
    )
    assert page.locator(".wide").evaluate_all(wider) == []
    page.close()


def test_it_prints_in_black_on_white(chromium: Browser, page_file: Path) -> None:
    context = chromium.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("nav").is_hidden()
    context.close()
