"""Report parts on the reliability of the confidence and on fitting the thresholds, in Korean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag.evaluation import svg
from rag.evaluation.calibration import Label, propose
from rag.evaluation.page import Note, Plot, Table
from rag.evaluation.records import Record
from rag.evaluation.runs import SuiteRun
from rag.retrieval.confidence import Calibration, Verdict


def trust_blocks(suite: SuiteRun, trust: Mapping[str, Any]) -> Iterator[Note | Plot]:
    """Risk-coverage curve, reliability diagram and histogram of the confidence. `trust`: as `figures.trust` gives it."""
    yield Note(
        f"AURC {trust['aurc']:.3f} · ECE {trust['ece']:.3f} · 입력 {trust['n']}개 (답이 없는 입력은 틀린 것으로 셈)"
    )
    shown, right = (
        sum(each["n"] * each[key] for each in trust["bins"]) / trust["n"] for key in ("confidence", "right")
    )
    tendency = "낮게" if shown < right else "높게"
    yield Note(
        f"화면의 확신은 평균 {shown:.0%}, 실제로 맞은 것은 {right:.0%}입니다. 실제보다 {tendency} 말하는 편입니다."
    )
    curve = [svg.Series("틀린 비율", "wrong", [tuple(point) for point in trust["curve"]])]
    answered = [
        record
        for record in suite.records
        if record.case.set in ("queries", "ood") and record.result.status == "answered"
    ]
    markers = []
    if answered:
        wrong = sum(record.rank != 1 for record in answered) / len(answered)
        markers.append(("지금 나가는 답", "other", (len(answered) / trust["n"], wrong)))
    yield Plot(
        svg.lines("위험-범위 곡선", curve, "답한 비율", "틀린 비율", markers=markers),
        "위험-범위 곡선. 점이 곡선 아래에 있으면 금액·상품·기관을 맞춰 보는 규칙이 틀린 답을 더 막은 것입니다",
    )
    bins = [(each["confidence"], each["right"]) for each in trust["bins"]]
    diagonal = svg.Series("말한 대로", "missed", [(0.0, 0.0), (1.0, 1.0)])
    yield Plot(
        svg.lines("신뢰도", [diagonal, svg.Series("실제", "right", bins, dots=True)], "보여 준 확신", "맞은 비율"),
        "신뢰도 그림: 확신 구간마다 실제로 맞은 비율",
    )
    yield Plot(svg.histogram("확신의 분포", _confidence_groups(suite.records), "확신"), "결과별 확신의 분포")


def calibration_blocks(suite: SuiteRun) -> Iterator[Note | Table]:
    """The result of `rag calibrate` on the suite's questions: each figure before and after."""
    labels = calibration_labels(suite)
    if not any(label.top3_relevant for label in labels):
        yield Note("맞는 행이 순위에 든 질문이 없어 맞출 수 없습니다.")
        return
    start = Calibration.from_json(suite.calibration)
    proposal = propose(labels, start)
    names = (
        ("precision", "나간 답이 맞음"),
        ("share", "바로 답함"),
        ("declined", "답이 있는데 거절"),
        ("offered", "답이 없는데 제안"),
    )
    gain = (
        "나아집니다. `python -m rag calibrate --apply`가 적용합니다."
        if proposal.has_gain
        else "나아지는 것이 없어 그대로 둡니다."
    )
    yield Note(
        f"이 질문들로 임계값을 맞추면 {gain} 바로 답하는 임계값 {start.answered:.2f} → {proposal.calibration.answered:.2f}, "
        f"제안하는 임계값 {start.suggested:.2f} → {proposal.calibration.suggested:.2f}."
    )
    rows = [(title, getattr(proposal.before, key), getattr(proposal.after, key)) for key, title in names]
    yield Table(
        ("지표 (교차 검증)", "지금", "맞춘 뒤"),
        [(title, f"{before:.1%}", f"{after:.1%}") for title, before, after in rows],
    )


def calibration_labels(suite: SuiteRun) -> list[Label]:
    """The suite's questions and out-of-domain inputs as labels for `calibration.propose`."""
    labels = []
    for record in suite.records:
        if record.case.set in ("queries", "ood"):
            result = record.result
            # Thresholds use the probabilities only, so the verdict needs no rows.
            verdict = Verdict(
                result.status, None, (), (), result.confidence, result.covered, record.case.turns[-1],
                is_blocked=result.is_blocked,
            )  # fmt: skip
            labels.append(Label(verdict, bool(record.case.relevant), record.rank == 1, 1 <= record.rank <= 3))
    return labels


def _confidence_groups(records: Sequence[Record]) -> dict[str, tuple[str, list[float]]]:
    """The confidence of `queries` and `ood` records in three groups by whether the first row is right: class and values."""
    groups: dict[str, tuple[str, list[float]]] = {
        "첫 행이 맞는 질문": ("right", []),
        "첫 행이 틀린 질문": ("declined", []),
        "FAQ에 답이 없는 입력": ("wrong", []),
    }
    for record in records:
        if record.case.set in ("queries", "ood"):
            name = (
                "FAQ에 답이 없는 입력"
                if not record.case.relevant
                else "첫 행이 맞는 질문"
                if record.rank == 1
                else "첫 행이 틀린 질문"
            )
            groups[name][1].append(record.result.confidence)
    return groups
