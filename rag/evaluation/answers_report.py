"""Report part on the quality of answer texts, in Korean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rag.evaluation import svg
from rag.evaluation.page import Note, Plot, Table
from rag.evaluation.summary import share_text

CHECKS = {"supported": "출처가 말함", "weak": "출처와 다른 낱말", "withheld": "출처가 말하지 않아 뺌"}
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


def answer_blocks(report: Mapping[str, Any]) -> Iterator[Note | Plot | Table]:
    """The blocks of the section. `report`: as `answers.evaluate_answer_texts` gives it."""
    unit = "형태소" if report["units"] == "morphemes" else "글자"
    yield Note(
        f"질문 {report['n']}개 가운데 {report['answered']}개에 바로 답했고, 그 가운데 {report['generated']}개를 언어 모델"
        f"({report['model']})이 썼습니다. 기준 답과는 {unit} 단위로 비교했습니다."
    )
    if not report["answered"]:
        return
    caption = "답변의 인용과 글, 95 % 구간"
    rows = [(title, report[group][name], report[group][f"{name}_ci95"]) for group, name, title in MEASURES]
    yield Plot(svg.points(caption, rows), caption)
    yield Table(
        ("지표 [95 % 구간]", "값"), [(title, share_text(report[group], name)) for group, name, title in MEASURES]
    )
    sentences = report["sentences"]
    if sentences["by_status"]:
        yield Note(
            f"모델의 문장 {sentences['n']}개 가운데 출처가 말하지 않아 뺀 것은 {share_text(sentences, 'unsupported')}, "
            f"숫자 때문에 뺀 것은 {share_text(sentences, 'unsupported_numbers')}입니다."
        )
        yield Table(
            ("모델이 쓴 문장", "개수"),
            [(CHECKS.get(name, name), str(count)) for name, count in sentences["by_status"].items()]
            + [(f"… {REASONS.get(name, name)}", str(count)) for name, count in sentences["withheld_by_reason"].items()],
        )
