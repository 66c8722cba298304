"""Where a question shows no sign of what a step reads, the step is skipped: it would find nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.constraints import asked_values, event_states, requested_verbs
from rag.conversation import question_parts

DATA = Path(__file__).parents[2] / "data"
ROW = ("송금을 취소할 수 있나요?", "입금이 완료된 송금은 취소하실 수 없습니다.")


def _texts() -> list[str]:
    """Questions and messages of the development sets, and the bundled rows' questions and answers."""
    texts: set[str] = set()
    for name in ("queries", "contrast", "multiturn", "afterquestion", "ood"):
        for line in (DATA / f"evaluation/{name}.dev.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            texts |= set(record["turns"] if "turns" in record else [record.get("query") or record["text"]])
    for file in sorted((DATA / "faq").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as rows:
            texts |= {text for row in csv.DictReader(rows) for text in (row["question"], row["answer"])}
    return sorted(texts)


SKIPPED: dict[str, tuple[Callable[[str], bool], Callable[[str], bool]]] = {
    "values asked for": (
        lambda text: asked_values.MAY_ASK.search(text) is not None,
        lambda text: bool(asked_values.asked_values(text)),
    ),
    "what has happened": (
        lambda text: event_states.MAY_NAME_STATE.search(text) is not None,
        lambda text: any(event_states.other_states(text, *ROW)) or bool(event_states.happened_by_event(text)),
    ),
    "everyday verbs": (
        lambda text: requested_verbs.MAY_REQUEST.search(text) is not None,
        lambda text: bool(requested_verbs.requested_verbs(text)),
    ),
    "several questions": (
        lambda text: question_parts.MAY_DIVIDE.search(text) is not None,
        lambda text: len(question_parts.split_questions(text)) > 1,
    ),
}


@pytest.mark.parametrize("step", SKIPPED)
def test_a_step_is_skipped_only_where_it_finds_nothing(step: str) -> None:
    is_signed, finds = SKIPPED[step]
    texts = _texts()
    assert [text for text in texts if finds(text) and not is_signed(text)] == []
    assert any(finds(text) for text in texts)


@pytest.mark.parametrize("step", SKIPPED)
def test_an_ordinary_question_skips_it(step: str) -> None:
    is_signed, _ = SKIPPED[step]
    assert not is_signed("공동인증서를 다른 컴퓨터로 복사할 수 있나요?")
