"""The report's page, its Markdown version, and the counts per hundred people."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from rag.errors import InputError
from rag.evaluation import svg
from rag.evaluation.calibration import outcome
from rag.evaluation.compare import case_results
from rag.evaluation.datasets import Case
from rag.evaluation.figures import suite_figures, trust
from rag.evaluation.front import front_sections
from rag.evaluation.gates import Gate, gate_rows
from rag.evaluation.page import Note, Plot, Section, Table, html_page, markdown_page
from rag.evaluation.records import Prediction, Record
from rag.evaluation.report import answer_blocks, write_report
from rag.evaluation.runs import Row, Run, SuiteRun, find_run, load_run
from rag.evaluation.summary import summary_notes, whole_percentages, worst_answers
from rag.evaluation.trust_report import calibration_blocks, calibration_labels, trust_blocks
from rag.retrieval.confidence import defaults

HOSTILE = '<script>alert("x")</script> & <img src=http://elsewhere.example/a.png>'
META: dict[str, Any] = {
    "at": "2026-11-28T01:02:03+00:00",
    "key": "abcdef012345",
    "as_of": "2026-11-28",
    "settings": {"store": {"backend": "faiss"}},
    "settings_fingerprint": "1",
    "embedding": "e5",
    "code": "c0de",
    "data": {"own": "da7a"},
    "versions": {"python": "3.11"},
    "seed": 1,
}


def record(
    n: int, status: str, first: str, relevant: tuple[str, ...], confidence: float, set_: str = "queries"
) -> Record:
    shown = () if status == "declined" else (first,)
    text = HOSTILE if n == 0 else f"물음 {n}"
    return Record(
        Case(set_, str(n), "keywords", (text,), relevant),
        Prediction((first, "a"), status, shown, confidence, confidence),  # type: ignore[arg-type]
    )


RECORDS = (
    record(0, "answered", "b", ("a",), 0.9),
    record(1, "answered", "a", ("a",), 0.8),
    record(2, "suggested", "a", ("a",), 0.5),
    record(3, "declined", "b", ("a",), 0.1),
    record(4, "answered", "b", (), 0.95, "ood"),
    record(4, "answered", "b", (), 0.95, "ood_after"),
    record(5, "suggested", "b", (), 0.3, "contrast"),
    record(6, "declined", "b", (), 0.1, "afterquestion"),
)
ROWS = {"a": Row("한도는 얼마인가요?", "1억원입니다.", "가온은행"), "b": Row(HOSTILE, HOSTILE * 9, "나루증권")}
LATENCY = {
    "n": 2,
    "steps": {step: {"p50": 1.0, "p95": 2.0, "p99": 3.0} for step in ("embedding", "total")},
    "load": [{"at_once": n, "per_second": 9.0, "p50": 1.0 * n, "p95": 2.0 * n, "p99": 3.0 * n} for n in (1, 2)],
    "cost": {"usd_per_1000": 0.1, "usd_per_hour": 1.0, "instances": ["ml.m5.large"], "prices_of": "2026-01"},
}


@pytest.fixture
def run() -> Run:
    calibration = defaults().as_json()
    return Run(META, (SuiteRun("own", "e5", RECORDS, ROWS, calibration),), {"latency": LATENCY})


class Outline(HTMLParser):
    """Tags that are open, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_self_contained_and_equals_its_markdown(run: Run, tmp_path: Path) -> None:
    figures = {"own": suite_figures(RECORDS, run.suites[0].banks)}
    page, twin = write_report(run, figures, tmp_path / "new" / "report")
    html, markdown = page.read_text(encoding="utf-8"), twin.read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(html)
    assert outline.open == [] and not {"script", "img", "link", "iframe"} & outline.tags
    assert all(address.startswith("#") for address in outline.addresses)
    assert "url(" not in html and "@import" not in html and "default-src 'none'" in html
    assert "prefers-color-scheme:dark" in html and "@media print" in html
    assert html.count("<svg") >= 5
    for part in (
        "100명이 물으면",
        "가장 나쁜 답 스무 개",
        "이 보고서가 말하지 않는 것",
        "0.100 USD",
        "가온은행",
        "abcdef012345",
    ):
        assert part in html and part in markdown
    headings = re.findall(r"<h[23]>(.*?)</h[23]>", html)
    assert headings == re.findall(r"^#{2,3} (.*)$", markdown, re.MULTILINE)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        write_report(run, figures, tmp_path / "file" / "report")


def test_blocks_of_a_section() -> None:
    sections = [
        Section("제목", [Note("큰", True), Plot("<svg></svg>", "그림말"), Table(("가", "나"), [("1|2", "<b>")])])
    ]
    assert "&lt;b&gt;" in html_page("t", "l", sections) and "<figcaption>그림말" in html_page("t", "l", sections)
    markdown = markdown_page("t", "l", sections)
    assert "| 1\\|2 | <b> |" in markdown and "**큰**" in markdown and "그림말" in markdown


@pytest.mark.parametrize(
    "counts", [{"a": 1, "b": 1, "c": 1}, {"a": 224, "b": 0}, {"a": 117, "b": 89, "c": 7, "d": 6, "e": 5}]
)
def test_people_sum_to_a_hundred(counts: dict[str, int]) -> None:
    people = whole_percentages(counts)
    assert sum(people.values()) == 100
    total = sum(counts.values())
    assert all(abs(people[name] - 100 * count / total) < 1 for name, count in counts.items())


def test_the_sentences_have_every_outcome() -> None:
    text = " ".join(note.text for note in summary_notes(suite_figures(RECORDS, {})))
    assert "25명은 맞는 답을" in text and "25명은 틀린 답을" in text
    assert "바로 나간 답 100개 가운데 33개가 맞습니다" in text


def test_the_worst_come_first_and_each_question_once(run: Run) -> None:
    rows = worst_answers(run.suites).rows
    assert [row[0] for row in rows] == ["1. 물음 4", f"2. {HOSTILE}", "3. 물음 3"]
    assert "(FAQ에 답이 없음)" in rows[0][3] and "[a] 한도는" in rows[1][3] and rows[2][2] == "(없음)"


def test_a_run_survives_its_file(run: Run, tmp_path: Path) -> None:
    path = run.save(tmp_path)
    assert load_run(path) == run
    assert find_run("last", tmp_path) == find_run("abcdef", tmp_path) == find_run(str(path), tmp_path) == path
    for name in ("last~1", "nothing"):
        with pytest.raises(InputError, match="evaluate history"):
            find_run(name, tmp_path)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="not a saved run"):
        load_run(path)


def test_what_calibration_says_of_now_is_what_was_measured(run: Run) -> None:
    """A question with suggestions counts as offered: the record has no rows of the verdict, only its probabilities."""
    start = defaults()
    nothing = Record(RECORDS[3].case, Prediction((), "declined", (), 0.0, 0.0))
    suite = replace(run.suites[0], records=(*RECORDS[:3], nothing))
    found = [outcome(label.verdict, start) for label in calibration_labels(suite)]
    assert found == ["answered", "answered", "suggested", "declined"]
    drawn = [block for block in trust_blocks(run.suites[0], trust(RECORDS)) if isinstance(block, Plot)]
    assert len(drawn) == 3 and all(re.search("<(circle|polyline|rect)", plot.svg) for plot in drawn)
    [table] = [block for block in calibration_blocks(run.suites[0]) if isinstance(block, Table)]
    assert [row[0] for row in table.rows] == ["나간 답이 맞음", "바로 답함", "답이 있는데 거절", "답이 없는데 제안"]


def test_the_first_page_shows_the_gates_and_the_lines_to_sign(run: Run) -> None:
    figures = {"own": suite_figures(RECORDS, run.suites[0].banks)}
    gates = [Gate("g", "shown", floor=0.9, korean="맞는 행을 보여 줌"), Gate("h", "not_wrong")]
    rows = gate_rows(gates, {}, case_results(RECORDS))
    assert [(row["name"], row["passed"], row["before"]) for row in rows] == [
        ("맞는 행을 보여 줌", False, None),
        ("h", True, None),
    ]
    page = markdown_page("t", "l", list(front_sections(replace(run, extra={"gates": rows}), figures, [])))
    assert (
        "2개 가운데 1개를 통과하지 못했습니다" in page
        and "| 맞는 행을 보여 줌 | 미달 | 50.0% | 90.0% | – | 4 |" in page
    )
    assert "승인" in page and "다음 실행부터" in page


def test_the_course_over_the_runs_is_of_the_same_questions(run: Run) -> None:
    figures = {"own": suite_figures(RECORDS, run.suites[0].banks)}
    other = replace(run, meta={**META, "data": {"own": "other"}})
    html = html_page("t", "l", list(front_sections(run, figures, [run, other, run])))
    assert "같은 질문으로 잰 실행 3개" in html and html.count("<circle") == 3 * 4


def test_questions_of_a_half_kept_apart_are_not_shown(run: Run) -> None:
    suite = run.suites[0]
    assert worst_answers([replace(suite, name="bundled test")]).rows == []
    assert len(worst_answers([replace(suite, name="bundled dev")]).rows) == 3
    both = {name: suite_figures(RECORDS, suite.banks) for name in ("bundled dev", "bundled test")}
    text = markdown_page("t", "l", list(front_sections(run, both, [])))
    assert "FAQ (test)" in text and "FAQ (dev)" not in text


def test_the_answers_own_texts_have_a_section() -> None:
    share = {"precision": 0.9, "precision_ci95": (0.8, 1.0), "recall": 0.8, "recall_ci95": (0.7, 0.9)}
    texts = {"token_f1": 0.7, "token_f1_ci95": (0.6, 0.8), "rouge_l": 0.6, "rouge_l_ci95": (0.5, 0.7)}
    sentences = {
        "n": 4, "unsupported": 0.5, "unsupported_ci95": (0.1, 0.9), "unsupported_numbers": 0.25,
        "unsupported_numbers_ci95": (0.0, 0.7), "by_status": {"supported": 2, "withheld": 2},
        "withheld_by_reason": {"quantity": 1, "words": 1},
    }  # fmt: skip
    report = {
        "n": 9, "answered": 3, "generated": 3, "model": "m", "units": "syllables",
        "citations": share, "reference": texts, "sentences": sentences,
    }  # fmt: skip
    page = html_page("t", "l", [Section("답변의 글", list(answer_blocks(report)))])
    assert "숫자 때문에 뺀 것은 25.0%" in page and "… 숫자·금액·날짜" in page and "ROUGE-L" in page
    silent = {**report, "answered": 0, "generated": 0}
    assert len(list(answer_blocks(silent))) == 1


def test_plots_of_nothing_and_of_extremes_stay_inside() -> None:
    assert "<svg" in svg.histogram("t", {"없음": ("right", [])}, "x")
    drawn = svg.lines("t", [svg.Series("s", "wrong", [(0.0, 0.0), (1.0, 5.0)])], "x", "y")
    points = re.search(r'points="([^"]+)"', drawn)
    assert points and all(float(pair.split(",")[1]) >= 0 for pair in points[1].split())
    bar = svg.stacked_bars("t", [svg.Bar("<i>", [("right", 1.0)], (0.0, 1.0), "n=1")], [("맞는 답", "right")])
    assert "맞는 답" in bar and "&lt;i&gt;" in bar and "whisker" in bar
