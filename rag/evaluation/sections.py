"""A run as the sections of its report, in Korean: what a risk officer reads first, then every figure by suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag.evaluation import svg
from rag.evaluation.calibration import Label, propose
from rag.evaluation.figures import SEVERAL
from rag.evaluation.page import Note, Plot, Section, Table
from rag.evaluation.records import KINDS
from rag.evaluation.runs import Measured, Run
from rag.evaluation.summary import KOREAN, LABELS, groups_of_scores, hundred_people, outcome_table, worst_answers
from rag.retrieval.confidence import Calibration, Verdict

TITLE = "FAQ 챗봇 평가 보고서"
HEADLINES = (
    ("hit@1", "맞는 행이 첫째", ("retrieval", "all")),
    ("hit@3", "맞는 행이 셋 안에", ("retrieval", "all")),
    ("answered_share", "바로 답한 비율", ("outcomes",)),
    ("answered_precision", "바로 답한 것 중 맞는 비율", ("outcomes",)),
    ("shown", "맞는 행을 보여 준 비율", ("outcomes",)),
    ("declined", "답이 있는데 답하지 않은 비율", ("outcomes",)),
)
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
STEPS = {
    "embedding": "질문 임베딩",
    "search": "검색과 판정",
    "sources": "출처가 나올 때까지",
    "first_text": "첫 글자가 나올 때까지",
    "text": "답변 작성",
    "total": "전체",
}
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
NOT_SAID = (
    "질문은 FAQ를 아는 사람들이 썼습니다. 실제 고객은 다르게 묻습니다. 자기 고객의 질문 40개면 무엇이 다른지 보입니다.",
    "dev는 고르고 맞추는 데 쓴 질문이라 실제보다 좋게 나옵니다. "
    "test와 다른 업종의 FAQ(insurance, card)는 맞추는 데 쓰지 않았습니다.",
    "FAQ의 내용이 옳은지, 최신인지는 재지 않습니다. 언어 모델이 쓴 문장은 이 보고서의 수치에 들어 있지 않습니다.",
    "이 표의 어느 수치도 실제 언어 모델, 실제 AWS 계정, 실제 고객으로 잰 것이 아닙니다.",
)


def report_sections(run: Run, figures: Mapping[str, Mapping[str, Any]]) -> Iterator[Section]:
    """All sections. `figures`: those of each suite, by its name."""
    first = next(iter(figures))
    yield Section(f"100명이 물으면 ({first})", hundred_people(figures[first]))
    yield Section("한눈에 보기", [_headlines(figures)])
    for suite in run.suites:
        yield from _suite_sections(suite, figures[suite.name])
    if latency := run.extra.get("latency"):
        yield Section("응답 시간", list(_latency(latency)))
    yield Section("가장 나쁜 답 스무 개", [worst_answers(run.suites)])
    yield Section("읽는 법", [Note(text) for text in GUIDE])
    yield Section("이 보고서가 말하지 않는 것", [Note(text) for text in NOT_SAID])
    yield Section("무엇으로 쟀나", [_identity(run)])


def lead(run: Run) -> str:
    """When and of what, in a line."""
    asked = sum(len(suite.records) for suite in run.suites)
    return f"{run.meta['at'][:10]} · 입력 {asked:,}개 · {', '.join(suite.name for suite in run.suites)} · 실행 {run.meta['key']}"


def _suite_sections(suite: Measured, figures: Mapping[str, Any]) -> Iterator[Section]:
    yield Section(suite.name, hundred_people(figures))
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
        yield Section("확신을 믿어도 되나", list(_trust(suite, figures["trust"])), 3)
        yield Section("이 질문들로 임계값을 맞추면", list(_calibration(suite)), 3)
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


def _headlines(figures: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = []
    for key, title, path in HEADLINES:
        cells = []
        for each in figures.values():
            values: Mapping[str, Any] = each
            for part in path:
                values = values.get(part, {})
            cells.append(_share(values, key) if key in values else "–")
        rows.append((title, *cells))
    return Table(("지표 [95 % 구간]", *figures), rows)


def _outcome_plot(caption: str, rows: Mapping[str, Mapping[str, Any]]) -> Plot:
    bars = [
        svg.Bar(LABELS.get(name, name), [(kind, row[kind]) for kind in KINDS], row["right_ci95"], f"n={row['n']}")
        for name, row in rows.items()
    ]
    legend = svg.legend([(KOREAN[kind], kind) for kind in KINDS])
    return Plot(svg.stacked_bars(caption, bars) + legend, caption)


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
            (LABELS.get(name, name), str(row["n"]), *(_share(row, key) for key in names))
            for name, row in [("모두", whole), *rows.items()]
        ],
    )


def _trust(suite: Measured, trust: Mapping[str, Any]) -> Iterator[Note | Plot]:
    yield Note(
        f"AURC {trust['aurc']:.3f} · ECE {trust['ece']:.3f} · 입력 {trust['n']}개 (답이 없는 입력은 틀린 것으로 셈)"
    )
    curve = [svg.Series("틀린 비율", "wrong", [tuple(point) for point in trust["curve"]])]
    yield Plot(svg.lines("위험-범위 곡선", curve, "답한 비율", "틀린 비율"), "위험-범위 곡선")
    bins = [(each["confidence"], each["right"]) for each in trust["bins"]]
    diagonal = svg.Series("말한 대로", "missed", [(0.0, 0.0), (1.0, 1.0)])
    yield Plot(
        svg.lines("신뢰도", [diagonal, svg.Series("실제", "right", bins, dots=True)], "보여 준 확신", "맞은 비율"),
        "신뢰도 그림: 확신 구간마다 실제로 맞은 비율",
    )
    yield Plot(svg.histogram("확신의 분포", groups_of_scores(suite.records), "확신"), "결과별 확신의 분포")


def _calibration(suite: Measured) -> Iterator[Note | Table]:
    labels = labels_of(suite)
    if not any(label.top3_relevant for label in labels):
        yield Note("맞는 행이 순위에 든 질문이 없어 맞출 수 없습니다.")
        return
    proposal = propose(labels, Calibration.from_json(suite.calibration))
    names = (
        ("precision", "바로 답한 것 중 맞는 비율"),
        ("share", "바로 답한 비율"),
        ("declined", "답이 있는데 답하지 않은 비율"),
        ("offered", "답이 없는데 답하거나 제안한 비율"),
    )
    yield Table(
        ("지표 (교차 검증)", "지금", "맞춘 뒤"),
        [
            (title, f"{getattr(proposal.before, key):.3f}", f"{getattr(proposal.after, key):.3f}")
            for key, title in names
        ],
    )
    gain = (
        "나아집니다. `python -m rag calibrate --apply`가 적용합니다."
        if proposal.has_gain
        else "나아지는 것이 없어 그대로 둡니다."
    )
    yield Note(f"이 질문들로 임계값을 맞추면 {gain}")


def labels_of(suite: Measured) -> list[Label]:
    """The questions and out-of-domain inputs as `rag calibrate` takes them."""
    labels = []
    for record in suite.records:
        if record.case.set in ("queries", "ood"):
            result = record.result
            # Only that something was ranked matters to a threshold, not what.
            verdict = Verdict(
                result.status, None, (), (), result.confidence, result.covered, record.case.turns[-1],
                is_blocked=result.is_blocked,
            )  # fmt: skip
            labels.append(Label(verdict, bool(record.case.relevant), record.rank == 1, 1 <= record.rank <= 3))
    return labels


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


def _latency(report: Mapping[str, Any]) -> Iterator[Plot | Table | Note]:
    names = ("p50", "p95", "p99")
    yield Table(
        ("단계 (ms)", *names),
        [(STEPS[step], *(f"{row[name]:.0f}" for name in names)) for step, row in report["steps"].items()],
    )
    load: Sequence[Mapping[str, float]] = report["load"]
    longest, most = max(row["p95"] for row in load), max(row["at_once"] for row in load)
    series = [
        svg.Series(name, style, [(row["at_once"] / most, row[name] / longest) for row in load], dots=True)
        for name, style in (("p50", "right"), ("p95", "wrong"))
    ]
    caption = f"동시에 묻는 사람 수(가로, 1 = {most:.0f}명)와 응답 시간(세로, 1 = {longest:.0f} ms)"
    yield Plot(svg.lines("동시 질문과 응답 시간", series, "동시에 묻는 사람", "시간"), caption)
    yield Table(
        ("동시에", "초당 질문", *(f"{name} (ms)" for name in names)),
        [(f"{row['at_once']:.0f}명", f"{row['per_second']:.1f}", *(f"{row[n]:.0f}" for n in names)) for row in load],
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
        *((f"데이터 {name}", digest) for name, digest in meta["data"].items()),
        ("난수 씨앗", str(meta["seed"])),
        ("버전", ", ".join(f"{name} {number}" for name, number in meta["versions"].items())),
    ]
    return Table(("항목", "값"), rows, is_prose=True)


def _bank(name: str) -> str:
    return "여러 기관" if name == SEVERAL else name or "(기관 없음)"


def _share(row: Mapping[str, Any], name: str) -> str:
    interval = row.get(f"{name}_ci95")
    return f"{row[name]:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")
