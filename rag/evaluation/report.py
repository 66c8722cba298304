"""Writes a run's report in Korean, as HTML and as Markdown: the first page, then all figures by suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.evaluation import svg
from rag.evaluation.figures import SEVERAL, with_interval
from rag.evaluation.front import front_sections, front_suite
from rag.evaluation.page import Note, Plot, Section, Table, html_page, markdown_page
from rag.evaluation.records import KINDS
from rag.evaluation.runs import Run, SuiteRun
from rag.evaluation.summary import (
    LABELS,
    OUTCOMES,
    outcome_table,
    share_text,
    suite_title,
    summary_notes,
    worst_answers,
)
from rag.evaluation.trust_report import calibration_blocks, trust_blocks

TITLE = "FAQ 챗봇 평가 보고서"
HTML_FILE, MARKDOWN_FILE = "report.html", "report.md"
SETS = (
    ("ood_after", "다른 질문 다음에 물은, FAQ에 답이 없는 입력", False),
    ("contrast", "비슷한 행은 있으나 다른 것을 묻는 입력", False),
    ("multiturn", "대화의 마지막 말: 보여 준 것으로 셈", True),
    ("afterquestion", "질문 다음에 오는 말", True),
)
RULES = {
    "no_spaces": "띄어쓰기 없이",
    "jamo_typo": "자모 하나를 잘못 침",
    "honorific": "높임말로",
    "informal": "반말로",
    "latin": "영어 낱말을 섞어",
}
PARTS = {"store": "저장소", "embedding": "임베딩", "language model": "언어 모델"}
STEPS = {
    "embedding": "질문 임베딩",
    "search": "검색과 판정",
    "sources": "출처가 나올 때까지",
    "first_text": "첫 글자가 나올 때까지",
    "text": "답변 작성",
    "total": "전체",
}
CHECKS = {"supported": "출처가 말함", "weak": "출처와 다른 낱말", "withheld": "출처가 말하지 않아 빼거나 바꿈"}
REASONS = {
    "quantity": "숫자·금액·날짜", "entity": "이름", "condition": "조건", "polarity": "부정", "words": "출처에 없는 말",
    "contradicted": "출처와 모순(NLI)", "uncited": "출처 표시 없음", "form": "답의 꼴이 아님",
}  # fmt: skip
MEASURES = (
    ("citations", "precision", "인용한 행 가운데 맞는 것"),
    ("citations", "recall", "맞는 행 가운데 인용한 것"),
    ("reference", "token_f1", "기준 답과 같은 말 (token F1)"),
    ("reference", "rouge_l", "기준 답과 같은 순서의 말 (ROUGE-L)"),
)
GUIDE = (
    "맞는 답: 바로 나간 답의 첫 출처가 질문에 답하는 행입니다. 제안: 가까운 질문 셋을 보여 주고 고객이 고릅니다.",
    "구간: 같은 종류의 질문을 다시 모아 재면 100번에 95번은 이 안에 듭니다. 질문이 적을수록 넓습니다. "
    "두 구간이 겹치면 차이를 말하지 마십시오.",
    "위험-범위 곡선: 확신이 높은 것부터 답해 갈 때 답한 비율(가로)에 따라 틀린 비율(세로)입니다. "
    "낮을수록 좋고, AURC는 그 평균입니다.",
    "신뢰도 그림: 화면에 보이는 확신(가로)과 실제로 맞은 비율(세로)입니다. 점이 대각선 위에 있으면 실제보다 낮게, "
    "아래에 있으면 높게 말한 것입니다. ECE는 그 평균 거리입니다.",
    "순위 지표(hit, MRR, nDCG)는 결과와 상관없이 검색만 봅니다.",
)


def write_report(
    run: Run, figures: Mapping[str, Mapping[str, Any]], folder: Path, history: Sequence[Run] = ()
) -> tuple[Path, Path]:
    """Write the HTML and the Markdown report of a run into a folder, and return their paths.

    `figures`: by suite name; `history`: earlier runs, oldest first. Raises InputError if they cannot be written.
    """
    sections = list(report_sections(run, figures, history))
    html, markdown = folder / HTML_FILE, folder / MARKDOWN_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        html.write_text(html_page(TITLE, subtitle(run), sections), encoding="utf-8")
        markdown.write_text(markdown_page(TITLE, subtitle(run), sections), encoding="utf-8")
    except OSError as exc:
        raise InputError(f"{folder}: the report cannot be written ({exc.strerror})") from exc
    return html, markdown


def report_sections(
    run: Run, figures: Mapping[str, Mapping[str, Any]], history: Sequence[Run] = ()
) -> Iterator[Section]:
    """All sections of the report. `figures`: `suite_figures` by suite name; `history`: earlier runs, oldest first."""
    yield from front_sections(run, figures, history)
    for suite in run.suites:
        is_front = suite.name == front_suite(figures)
        yield from _suite_sections(suite, figures[suite.name], is_front=is_front)
    if answers := run.extra.get("answers"):
        yield Section("답변의 글", list(answer_blocks(answers)))
    if latency := run.extra.get("latency"):
        yield Section("응답 시간", list(_latency(latency)))
    yield Section("가장 나쁜 답 스무 개", [worst_answers(run.suites)], starts_page=True)
    yield Section("읽는 법", [Note(text) for text in GUIDE])
    yield Section("무엇으로 쟀나", [_identity(run)])


def subtitle(run: Run) -> str:
    """Date, number of inputs, suites and key of the run, in one line."""
    asked = sum(len(suite.records) for suite in run.suites)
    names = ", ".join(suite_title(suite.name) for suite in run.suites)
    return f"{run.meta['at'][:10]} · 입력 {asked:,}개 · {names} · 실행 {run.meta['key']}"


def _suite_sections(suite: SuiteRun, figures: Mapping[str, Any], *, is_front: bool) -> Iterator[Section]:
    # The summary of the front suite is on the first page already.
    yield Section(suite_title(suite.name), () if is_front else summary_notes(figures))
    if "outcomes" in figures:
        outcomes = figures["outcomes"]
        rows = {"모두": outcomes, **outcomes["by_style"]}
        yield Section(
            "답이 있는 질문의 결과",
            [
                _outcome_plot("질문의 종류별 결과. 가로선은 맞는 답 비율의 95 % 구간", rows),
                _hit_plot(figures["retrieval"]),
                outcome_table("종류", rows),
                outcome_table("기관", {_bank(name): row for name, row in outcomes["by_bank"].items()}),
            ],
            level=3,
        )
        yield Section(
            "검색 순위", [_ranking_table("종류", figures["retrieval"]["by_style"], figures["retrieval"]["all"])], 3
        )
        yield Section("확신을 믿어도 되나", list(trust_blocks(suite, figures["trust"])), 3)
        yield Section("이 질문들로 임계값을 맞추면", list(calibration_blocks(suite)), 3)
    if "refusal" in figures:
        yield Section(
            "답이 없는 입력의 결과", [outcome_table("종류", figures["refusal"]["by_kind"], answerable=False)], 3
        )
    if "contrast_queries" in figures:
        other_forms = figures["contrast_queries"]
        yield Section(
            "같은 것을 다른 꼴로 물을 때",
            [
                _ranking_table("종류", other_forms["by_style"], other_forms["all"]),
                outcome_table("종류", other_forms["outcomes_by_style"]),
            ],
            3,
        )
    for key, title, answerable in SETS:
        if key in figures:
            rows = {"모두": figures[key]["all"], **figures[key]["by_kind"]}
            yield Section(title, [outcome_table("종류", rows, answerable=answerable)], 3)
    if "perturbations" in figures:
        yield Section("같은 질문을 다르게 입력하면", [_perturbation_table(figures["perturbations"])], 3)


def _outcome_plot(caption: str, rows: Mapping[str, Mapping[str, Any]]) -> Plot:
    bars = [
        svg.Bar(LABELS.get(name, name), [(kind, row[kind]) for kind in KINDS], row["right_ci95"], f"n={row['n']}")
        for name, row in rows.items()
    ]
    return Plot(svg.stacked_bars(caption, bars, [(OUTCOMES[kind], kind) for kind in KINDS]), caption)


def _hit_plot(retrieval: Mapping[str, Any]) -> Plot:
    rows = {"모두": retrieval["all"], **retrieval["by_style"], **{_bank(k): v for k, v in retrieval["by_bank"].items()}}
    caption = "맞는 행이 첫째로 나온 비율(hit@1)과 95 % 구간"
    return Plot(
        svg.points(caption, [(LABELS.get(name, name), row["hit@1"], row["hit@1_ci95"]) for name, row in rows.items()]),
        caption,
    )


def _ranking_table(first: str, rows: Mapping[str, Mapping[str, Any]], whole: Mapping[str, Any]) -> Table:
    names = ("hit@1", "hit@3", "hit@5", "mrr@10", "ndcg@10", "recall@10")
    return Table(
        (first, "개수", *(f"{name} [95 %]" for name in names)),
        [
            (LABELS.get(name, name), str(row["n"]), *(with_interval(row, key) for key in names))
            for name, row in [("모두", whole), *rows.items()]
        ],
    )


def _perturbation_table(rows: Mapping[str, Mapping[str, Any]]) -> Table:
    def change(row: Mapping[str, Any], key: str) -> str:
        return f"{row['before'][key]:.3f} → {row['after'][key]:.3f}"

    return Table(
        ("바꾼 방법", "질문", "hit@1", "맞는 행을 보여 줌", "틀린 답", "맞는 행을 잃은 질문"),
        [
            (
                RULES.get(name, name),
                str(row["n"]),
                *(change(row, key) for key in ("hit@1", "shown", "wrong")),
                str(len(row["lost"])),
            )
            for name, row in rows.items()
        ],
    )


def answer_blocks(report: Mapping[str, Any]) -> Iterator[Note | Table]:
    """The blocks of the section. `report`: as `answers.evaluate_answer_texts` gives it."""
    unit = "형태소" if report["units"] == "morphemes" else "글자"
    yield Note(
        f"질문 {report['n']}개 가운데 {report['answered']}개에 바로 답했고, 그 가운데 {report['generated']}개를 언어 모델"
        f"({report['model']})이 썼습니다. 기준 답과는 {unit} 단위로 비교했습니다."
    )
    if not report["answered"]:
        return
    yield Table(
        ("지표 [95 % 구간]", "값"), [(title, share_text(report[group], name)) for group, name, title in MEASURES]
    )
    sentences = report["sentences"]
    if sentences["by_status"]:
        yield Note(
            f"모델의 문장 {sentences['n']}개 가운데 출처가 말하지 않아 빼거나 바꾼 것은 {share_text(sentences, 'unsupported')}, "
            f"숫자 때문에 뺀 것은 {share_text(sentences, 'unsupported_numbers')}입니다."
        )
        yield Table(
            ("모델이 쓴 문장", "개수"),
            [(CHECKS.get(name, name), str(count)) for name, count in sentences["by_status"].items()]
            + [(f"… {REASONS.get(name, name)}", str(count)) for name, count in sentences["withheld_by_reason"].items()],
        )


def _latency(report: Mapping[str, Any]) -> Iterator[Table | Note]:
    names = ("p50", "p95", "p99")
    if parts := report.get("of"):
        yield Note(", ".join(f"{PARTS.get(part, part)} {name}" for part, name in parts.items()))
    yield Table(
        ("단계 (ms)", *names),
        [(STEPS[step], *(f"{row[name]:.0f}" for name in names)) for step, row in report["steps"].items()],
    )
    yield Table(
        ("동시에", "초당 질문", *(f"{name} (ms)" for name in names)),
        [
            (f"{row['at_once']:.0f}명", f"{row['per_second']:.1f}", *(f"{row[n]:.0f}" for n in names))
            for row in report["load"]
        ],
    )
    if "cost" in report:
        cost = report["cost"]
        machines = f"{', '.join(cost['instances'])}, 가격표 {cost['prices_of']}"
        yield Note(f"쉬지 않고 물을 때 1,000건에 {cost['usd_per_1000']:.3f} USD ({machines}).")


def _identity(run: Run) -> Table:
    meta = run.meta
    rows = [
        ("실행", meta["key"]),
        ("때", meta["at"]),
        ("기준일", meta["as_of"]),
        ("설정", f"{meta['settings_fingerprint']} ({meta['settings'].get('store', {}).get('backend', '')})"),
        ("임베딩", str(meta["embedding"])),
        ("프로그램", meta["code"]),
        *((f"데이터 {suite_title(name)}", digest) for name, digest in meta["data"].items()),
        ("난수 씨앗", str(meta["seed"])),
        ("버전", ", ".join(f"{name} {number}" for name, number in meta["versions"].items())),
    ]
    return Table(("항목", "값"), rows, is_prose=True)


def _bank(name: str) -> str:
    return "여러 기관" if name == SEVERAL else name or "(기관 없음)"
