"""Summaries of figures in Korean: sentences per hundred customers, outcome tables and the worst answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rag.evaluation.page import Note, Table
from rag.evaluation.records import KINDS
from rag.evaluation.runs import Row, SuiteRun

OUTCOMES = {
    "right": "맞는 답",
    "offered": "맞는 질문을 제안",
    "missed": "맞지 않는 질문만 제안",
    "declined": "답하지 않음",
    "wrong": "틀린 답",
}
"""Korean names of the outcomes of questions that a row answers."""
UNANSWERABLE_OUTCOMES = {**OUTCOMES, "missed": "비슷한 질문을 제안"}
"""Korean names of the outcomes of inputs that no row answers, where no suggestion can be right."""
LABELS = {
    "colloquial": "구어체", "described_problem": "상황 설명", "english_mixed": "영어 섞임", "keywords": "낱말만",
    "long_rambling": "긴 글", "no_spaces": "띄어쓰기 없음", "two_questions": "두 가지 질문", "typos": "오타",
    "everyday_words": "일상어", "informal": "반말", "short_noun": "짧은 명사", "number_form": "다른 꼴의 숫자",
    "opposite_form": "반대 행동의 말", "rule_words": "거절 규칙의 낱말", "alias": "기관의 별칭", "comparison": "기관 비교",
    "near_domain": "FAQ에 없는 금융 질문", "other_topic": "다른 주제", "small_talk": "잡담", "gibberish": "뜻 없는 글자",
    "greeting": "인사", "thanks": "감사", "advice": "투자 조언", "injection": "프롬프트 공격", "english": "영어",
    "number": "다른 숫자", "product": "다른 상품", "opposite": "반대 행동", "institution": "다른 기관",
    "rule_words_uncovered": "규칙의 낱말, 행 없음", "follow_up": "이어 묻기", "topic_change": "주제 바꿈",
    "unrelated": "상관없는 말",
    "cell": "표의 칸", "exception": "예외", "footnote": "각주", "plain": "본문",
    "new_topic": "새 주제", "follow_up_missing": "답이 없는 이어 묻기", "choice": "고르기",
}  # fmt: skip
"""Korean names of the styles and kinds of the bundled questions; other labels are shown unchanged."""
SUITES = {
    "bundled dev": "함께 제공된 FAQ (dev)", "bundled test": "함께 제공된 FAQ (test)", "insurance": "보험 FAQ",
    "card": "카드 FAQ", "phrasings": "표현을 더한 FAQ", "documents dev": "문서 (dev)", "documents test": "문서 (test)",
    "own": "우리 FAQ",
}  # fmt: skip
WORST = 20
"""Answers listed as the worst."""
EXCERPT = 160
"""Characters shown of a row's answer."""


def suite_title(name: str) -> str:
    """The Korean name of a suite; unknown names are returned unchanged."""
    return SUITES.get(name, name)


def share_text(row: Mapping[str, Any], name: str) -> str:
    """A share in per cent, followed by its 95 % interval if the row has one: "81.2% [78.0~84.1]"."""
    interval = row.get(f"{name}_ci95")
    return f"{row[name]:.1%}" + (f" [{100 * interval[0]:.1f}~{100 * interval[1]:.1f}]" if interval else "")


def whole_percentages(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts as whole percentages that sum to 100, by the largest remainder method."""
    total = sum(counts.values())
    shares = {name: 100 * count / total for name, count in counts.items()}
    percentages = {name: int(share) for name, share in shares.items()}
    remainder = 100 - sum(percentages.values())
    # Rounded independently, they could sum to 99 or 101.
    for name in sorted(shares, key=lambda name: percentages[name] - shares[name])[:remainder]:
        percentages[name] += 1
    return percentages


def summary_notes(figures: Mapping[str, Any]) -> list[Note]:
    """Outcomes per hundred customers, one or two sentences for each kind of input that was measured."""
    notes = []
    if "outcomes" in figures:
        outcomes = figures["outcomes"]
        people = whole_percentages(outcomes["counts"])
        notes.append(
            Note(
                f"FAQ에 답이 있는 질문을 100명이 물으면 {people['right']}명은 맞는 답을 바로 받고, "
                f"{people['offered']}명은 제안된 질문 셋 가운데에서 맞는 것을 고를 수 있습니다. "
                f"{people['missed']}명은 맞지 않는 질문만 제안받고, {people['declined']}명은 답 대신 상담 안내를 받으며, "
                f"{people['wrong']}명은 틀린 답을 받습니다{_between(outcomes['wrong_ci95'])}.",
                is_large=True,
            )
        )
        # NaN, which does not equal itself, means that nothing was answered.
        if outcomes["answered_precision"] == outcomes["answered_precision"]:
            notes.append(
                Note(
                    f"바로 나간 답 100개 가운데 {round(100 * outcomes['answered_precision'])}개가 맞습니다"
                    f"{_between(outcomes['answered_precision_ci95'], '개')}. "
                    "FAQ에 없는 것을 물었는데 나간 답도 틀린 것으로 셉니다."
                )
            )
    for row, subject in _unanswerable(figures):
        people = whole_percentages(row["counts"])
        notes.append(
            Note(
                f"{subject} 100명이 물으면 {people['declined']}명은 답할 수 없다는 안내를, "
                f"{people['missed']}명은 비슷한 질문 셋을, "
                f"{people['wrong']}명은 물은 것과 다른 답을 받습니다{_between(row['wrong_ci95'])}."
            )
        )
    return notes


def worst_answers(suites: Sequence[SuiteRun]) -> Table:
    """At most WORST cases: wrong answers first, then questions whose row was not shown, each by falling confidence.

    Cases of test halves are left out, because their texts must not be read.
    """
    bad = [
        (record, suite)
        for suite in suites
        if not suite.name.endswith(" test")
        for record in suite.records
        if record.case.set != "perturbed"
        and (record.outcome == "wrong" or (record.case.relevant and record.outcome in ("missed", "declined")))
    ]
    bad.sort(key=lambda pair: (pair[0].outcome != "wrong", -pair[0].result.confidence, pair[0].case.key))
    # An input in both `ood` and `ood_after` is listed once.
    once = {(suite.name, record.case.turns[-1]): (record, suite) for record, suite in reversed(bad)}
    rows = []
    for number, (record, suite) in enumerate(list(reversed(once.values()))[:WORST], 1):
        shown = record.result.shown[:1] if record.outcome == "wrong" else record.result.shown[:3]
        rows.append(
            (
                f"{number}. {' → '.join(record.case.turns)}",
                f"{OUTCOMES[record.outcome]} (확신 {record.result.confidence:.2f})",
                " / ".join(_row(name, suite.rows) for name in shown) or "(없음)",
                " / ".join(_row(name, suite.rows) for name in record.case.relevant[:2]) or "(FAQ에 답이 없음)",
                f"{suite_title(suite.name)}, {LABELS.get(record.case.label, record.case.label)}, {record.case.id}",
            )
        )
    return Table(("고객의 말", "결과", "보여 준 행", "맞는 행", "출처"), rows, is_prose=True)


def outcome_table(first: str, rows: Mapping[str, Mapping[str, Any]], *, answerable: bool = True) -> Table:
    """A table of outcome counts and the share of wrong answers. `first`: heading of the first column; `rows`: by name."""
    kinds = KINDS if answerable else ("missed", "declined", "wrong")
    names = OUTCOMES if answerable else UNANSWERABLE_OUTCOMES
    return Table(
        (first, "개수", *(names[kind] for kind in kinds), "틀린 답의 비율 [95 % 구간]"),
        [
            (
                LABELS.get(name, name),
                str(row["n"]),
                *(str(row["counts"][kind]) for kind in kinds),
                share_text(row, "wrong"),
            )
            for name, row in rows.items()
        ],
    )


def _unanswerable(figures: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], str]]:
    """Outcome rows of the sets that no row answers, each with the object of its sentence in Korean."""
    rows: list[tuple[Mapping[str, Any], str]] = []
    by_kind = figures.get("refusal", {}).get("by_kind", {})
    if "near_domain" in by_kind:
        rows.append((by_kind["near_domain"], "FAQ에 없는 금융 질문을"))
    if "contrast" in figures:
        rows.append((figures["contrast"]["all"], "비슷한 행은 있으나 다른 숫자·상품·기관·반대 행동을 묻는 질문을"))
    if "ood_after" in figures:
        rows.append((figures["ood_after"]["all"], "다른 질문을 한 다음 FAQ에 없는 것을"))
    return rows


def _between(interval: Sequence[float], unit: str = "명") -> str:
    low, high = (round(100 * value) for value in interval)
    return f" (95 % 구간 {low}~{high}{unit})"


def _row(name: str, rows: Mapping[str, Row]) -> str:
    row = rows.get(name)
    if row is None:
        return name
    text = " ".join(row.answer.split())
    return f"[{name}] {row.question} — {text[:EXCERPT]}{'…' if len(text) > EXCERPT else ''}"
