"""Visitors' input is not logged, and can neither forge log lines nor fill the log."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from rag.cli.logging_setup import MAX_MESSAGE, JsonFormatter, TextFormatter
from tests.attack.visitors import API, Page, ask

MARK = "표식이된문장"


def lines(page: Page, since: int) -> list[str]:
    return page.log.read_text(encoding="utf-8").splitlines()[since:]


@pytest.mark.parametrize(
    "data",
    [
        [],
        [MARK],
        [MARK, None],
        [MARK, None, None, None],
        [MARK, None, None, {"a": MARK}],
        [None, MARK, MARK],
        [12345, MARK, None],
        [[MARK], None, None],
        [{"text": MARK}, None, None],
        [True, None, None],
        [MARK, 7, None],
        [MARK, [MARK], None],
    ],
)
@pytest.mark.parametrize("route", ["call/ask", "queue/join"])
def test_wrong_values_get_the_pages_own_text_and_one_line(page: Page, data: list[object], route: str) -> None:
    since = len(lines(page, 0))
    visitor = page.browser()
    number = next(each["id"] for each in visitor.config["dependencies"] if each["api_name"] == "ask")
    body = {"data": data, "fn_index": number, "session_hash": "abc"}
    answer = visitor.client.post(f"{API}/{route}", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("요청 형식이 맞지 않습니다")
    written = lines(page, since)
    assert len(written) == 1
    assert MARK not in written[0]
    assert "12345" not in written[0]


@pytest.mark.parametrize("bank", [MARK, MARK * 5000, f"{MARK}\n2026-01-01 ERROR rag: forged", "{}", "%s%n"])
def test_unknown_institutions_are_reported_in_one_short_text(page: Page, bank: str) -> None:
    since = len(lines(page, 0))
    status, answer = ask(page.program(), "질문", bank, None)
    assert status == 200
    assert answer.startswith("event: error")
    assert len(answer) < 1500
    browser = page.browser()
    browser.join(browser.event("send"), ["질문", None, bank, ""], "tab").raise_for_status()
    assert "고를 수 없는 값입니다" in str(list(browser.stream("tab")))
    assert len(lines(page, since)) <= 2
    assert not [line for line in lines(page, since) if line.startswith("2026-01-01 ERROR")]
    assert MARK * 10 not in "".join(lines(page, since))


@pytest.mark.parametrize(
    "path", [f"/{MARK}", "/a%0A2026-01-01%20ERROR%20rag:%20forged", "/" + "a" * 30_000, "/%00%1b[2J"]
)
def test_paths_forge_no_line(page: Page, path: str) -> None:
    since = len(lines(page, 0))
    assert page.program().get(path).status_code == 404
    written = lines(page, since)
    assert len(written) == 1
    assert len(written[0]) < MAX_MESSAGE + 200


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
@pytest.mark.parametrize(
    "end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x00", "\x1b[2J", "\ud800"]
)
def test_one_record_is_one_line_of_bounded_length(formatter: logging.Formatter, end: str) -> None:
    try:
        raise ValueError(f"a{end}2026-01-01 ERROR rag: forged" * 5000)
    except ValueError:
        trace = sys.exc_info()
    record = logging.LogRecord(
        "rag", logging.INFO, "x", 1, "value=%s of %s", (f"a{end}b" * 100_000, {"a": end * 9999}), trace
    )
    written = formatter.format(record)
    assert len(written) < 40_000
    written.encode("utf-8")
    if isinstance(formatter, JsonFormatter):
        assert len(written.splitlines()) == 1
        assert set(json.loads(written)) == {"time", "level", "logger", "message", "exception"}
    else:
        first, *rest = written.splitlines()
        assert " INFO rag: value=" in first
        assert all(line.startswith("    | ") for line in rest)
