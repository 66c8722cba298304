"""The first page of the report, in Korean: summary, key figures, gates, limits, signatures and trend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag.evaluation import svg
from rag.evaluation.page import Note, Plot, Section, Table
from rag.evaluation.quality import quality_figures
from rag.evaluation.runs import Run
from rag.evaluation.summary import share_text, suite_title, summary_notes

HEADLINES = (
    ("hit@1", "맞는 행이 첫째", ("retrieval", "all")),
    ("hit@3", "맞는 행이 셋 안에", ("retrieval", "all")),
    ("answered_share", "바로 답한 비율", ("outcomes",)),
    ("answered_precision", "바로 답한 것 중 맞는 비율", ("outcomes",)),
    ("shown", "맞는 행을 보여 준 비율", ("outcomes",)),
    ("declined", "답이 있는데 답하지 않은 비율", ("outcomes",)),
    ("wrong", "답이 있는데 틀리게 답한 비율", ("outcomes",)),
    ("refused", "답이 없는 입력을 거른 비율", ("outcomes",)),
)
LIMITS = (
    "질문은 FAQ를 아는 사람들이 썼습니다. 실제 고객은 다르게 묻습니다. 자기 고객의 질문 40개면 무엇이 다른지 보입니다.",
    "dev는 고르고 맞추는 데 쓴 질문이라 실제보다 좋게 나옵니다. test와 보험·카드 FAQ는 맞추는 데 쓰지 않았습니다.",
    "FAQ의 내용이 옳은지, 최신인지는 재지 않습니다.",
    "함께 제공된 질문의 어느 수치도 실제 언어 모델, 실제 AWS 계정, 실제 고객으로 잰 것이 아닙니다.",
)
TRENDS = (
    ("first", "맞는 행이 첫째", "other"),
    ("answered", "바로 답한 비율", "right"),
    ("precise", "바로 답한 것 중 맞는 비율", "declined"),
    ("declined", "답이 있는데 답하지 않은 비율", "wrong"),
)
"""Figures of `quality_figures` that are plotted over the runs: key, name and colour class."""
SIGNATURES = ("작성", "검토", "승인")


def front_suite(figures: Mapping[str, Any]) -> str:
    """The name of the suite on the first page: the test half if it was measured, because the dev half was fitted on."""
    return "bundled test" if "bundled test" in figures else next(iter(figures))


def front_sections(run: Run, figures: Mapping[str, Mapping[str, Any]], history: Sequence[Run]) -> Iterator[Section]:
    """The sections of the first page. `figures`: by suite name; `history`: earlier runs, oldest first."""
    first = front_suite(figures)
    yield Section(f"100명이 물으면: {suite_title(first)}", summary_notes(figures[first]))
    # A dev half is left out where its test half was measured: its figures are optimistic, as parameters were fitted on it.
    tested = {name.removesuffix(" test") for name in figures if name.endswith(" test")}
    listed = {name: each for name, each in figures.items() if name.removesuffix(" dev") not in tested}
    yield Section("한눈에 보기", [_headlines(listed)])
    if gates := run.extra.get("gates"):
        yield Section("출시 기준", list(_gates(gates)))
    yield Section("이 보고서가 말하지 않는 것", [Note(text) for text in LIMITS])
    lines = [(line, *("" for _ in SIGNATURES)) for line in ("이름·날짜", "서명")]
    yield Section("확인", [Table(("항목", *SIGNATURES), lines, is_form=True)])
    yield Section("실행 사이의 변화", list(_trend(run, history)), starts_page=True)


def _headlines(figures: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = []
    for key, title, path in HEADLINES:
        cells = []
        for each in figures.values():
            values: Mapping[str, Any] = each
            for part in path:
                values = values.get(part, {})
            # NaN, which does not equal itself, means that nothing was measured.
            cells.append(share_text(values, key) if key in values and values[key] == values[key] else "–")
        rows.append((title, *cells))
    return Table(("지표 [95 % 구간]", *map(suite_title, figures)), rows)


def _gates(rows: Sequence[Mapping[str, Any]]) -> Iterator[Note | Table]:
    failed = [row for row in rows if not row["passed"]]
    verdict = f" 가운데 {len(failed)}개를 통과하지 못했습니다" if failed else "를 모두 통과했습니다"
    meaning = "지난 기준보다 우연 이상으로 나빠지거나 하한보다 낮으면 미달입니다."
    yield Note(f"출시 기준 {len(rows)}개{verdict}. {meaning}", is_large=True)
    yield Table(
        ("기준", "판정", "이번", "하한", "지난 기준", "질문"),
        [
            (
                row["name"],
                "통과" if row["passed"] else "미달",
                f"{row['after']:.1%}",
                f"{row['floor']:.1%}",
                f"{row['before']:.1%}" if row["before"] is not None else "–",
                str(row["n"]),
            )
            for row in rows
        ],
    )


def _trend(run: Run, history: Sequence[Run]) -> Iterator[Note | Plot | Table]:
    """Plot and table of all runs over the first suite's questions, oldest first."""
    name = run.suites[0].name
    same = [each for each in history if each.suite(name) and each.meta["data"].get(name) == run.meta["data"].get(name)]
    measured = [(each.meta, quality_figures(suite.records)) for each in [*same, run] if (suite := each.suite(name))]
    if len(measured) < 2:
        yield Note("같은 질문으로 잰 다른 실행이 아직 없습니다. 다음 실행부터 변화가 그려집니다.")
        return
    places = [index / (len(measured) - 1) for index in range(len(measured))]
    series = [
        svg.Series(
            title,
            style,
            [(x, shares[key][0]) for x, (_, shares) in zip(places, measured, strict=True) if key in shares],
            True,
        )
        for key, title, style in TRENDS
    ]
    ends = ((0.0, measured[0][0]["at"][5:10]), (1.0, measured[-1][0]["at"][5:10]))
    caption = f"{suite_title(name)}: 같은 질문으로 잰 실행 {len(measured)}개, 오른쪽이 이번"
    yield Plot(svg.lines("실행 사이의 변화", series, "실행", "비율", x_ticks=ends), caption)
    yield Table(
        ("때", "프로그램", *(title for _, title, _ in TRENDS)),
        [
            (
                meta["at"][:16].replace("T", " "),
                meta["code"],
                *(f"{shares[key][0]:.1%}" if key in shares else "–" for key, _, _ in TRENDS),
            )
            for meta, shares in measured
        ],
    )
