"""Logging: one line per record; customers' text only at DEBUG."""

from __future__ import annotations

import json
import logging

import pytest

from rag.cli.logging_setup import configure_logging

pytestmark = pytest.mark.usefixtures("loggers_as_before")


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == "", "standard output belongs to the answer"
    return err.splitlines()


def test_text_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    logging.getLogger("rag.chat").info("status=%s", "answered")
    [line] = lines(capsys)
    assert line.endswith("INFO rag.chat: status=answered")


def test_json_lines_are_one_object_each(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(style="json")
    logging.getLogger("rag.chat").info('두 줄\n"따옴표" %s', "한글")
    try:
        raise LookupError("gone")
    except LookupError:
        logging.getLogger("rag.factory.chat").exception("failed")
    first, second = (json.loads(line) for line in lines(capsys))
    assert {key: first[key] for key in ("level", "logger", "message")} == {
        "level": "INFO",
        "logger": "rag.chat",
        "message": '두 줄\n"따옴표" 한글',
    }
    assert set(first) == {"time", "level", "logger", "message"}
    assert second["level"] == "ERROR" and "LookupError: gone" in second["exception"]


def test_the_level_is_the_programs_own(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("WARNING")
    logging.getLogger("rag.chat").info("quiet")
    logging.getLogger("rag.chat").warning("heard")
    configure_logging("DEBUG")
    logging.getLogger("rag.chat").debug("heard too")
    logging.getLogger("httpx").info("another library speaks from WARNING on")
    logging.getLogger("httpx").warning("like this")
    assert [line.rsplit(": ", 1)[1] for line in lines(capsys)] == ["heard", "heard too", "like this"]


def test_configuring_twice_writes_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    configure_logging()
    logging.getLogger("rag").info("once")
    assert len(lines(capsys)) == 1
