"""Tests of `benchmarks.adapter_fit` and of the questions that the adapter is fitted on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.adapter_fit import DATA, Pairs, fit_adapter, hit_at_1, loss_and_gradient, read_rows
from rag.constraints.institutions import InstitutionNames
from rag.korean import compact

EVALUATION = DATA.parent / "evaluation"
SIZE = 12


def pairs(questions: int, *, seed: int = 3) -> Pairs:
    """Questions that lie near their rows in half of the dimensions and anywhere in the others."""
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(8, SIZE)).astype(np.float32)
    own = generator.integers(0, len(rows), size=questions)
    asked = rows[own] + generator.normal(size=(questions, SIZE)).astype(np.float32) * np.repeat([0.3, 3.0], SIZE // 2)
    unit = asked / np.linalg.norm(asked, axis=1, keepdims=True)
    return Pairs(unit.astype(np.float32), rows / np.linalg.norm(rows, axis=1, keepdims=True), own)


def test_the_gradient_is_that_of_the_loss() -> None:
    data = pairs(20)
    data = Pairs(data.questions.astype(np.float64), data.rows.astype(np.float64), data.own)
    adapter = np.eye(SIZE) + np.random.default_rng(1).normal(size=(SIZE, SIZE)) / 10
    _, gradient = loss_and_gradient(adapter, data)  # type: ignore[arg-type]
    for place in ((0, 0), (3, 7), (11, 2)):
        step = np.zeros((SIZE, SIZE))
        step[place] = 1e-5
        above, below = (loss_and_gradient(adapter + sign * step, data)[0] for sign in (1, -1))  # type: ignore[arg-type]
        assert gradient[place] == pytest.approx((above - below) / 2e-5, rel=1e-3)


def test_a_fit_finds_what_other_questions_of_the_same_kind_need() -> None:
    seen, unseen = pairs(300), pairs(300, seed=4)
    before = hit_at_1(np.eye(SIZE, dtype=np.float32), unseen)
    assert hit_at_1(fit_adapter(seen, steps=200), unseen) > before + 0.05


@pytest.mark.parametrize("path", sorted(DATA.glob("*.jsonl")), ids=lambda path: path.stem)
def test_rows_are_of_no_institution_and_no_question_is_one_of_the_evaluation(path: Path) -> None:
    evaluated = {
        compact(text)
        for file in EVALUATION.rglob("*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
        if isinstance(item := json.loads(line), dict)
        for text in (item.get("query", ""), *item.get("turns", ()))
    }
    names = InstitutionNames({})
    rows = read_rows([path])
    assert len({row["question"] for row in rows}) == len(rows) > 100
    for row in rows:
        assert set(row) == {"trade", "question", "answer", "asked", "near"}
        assert len(row["asked"]) >= 3 and row["answer"].strip()
        texts = [row["question"], row["answer"], *row["asked"], *row["near"]]
        assert not [text for text in texts if not text.strip() or names.find(text)]
        assert not evaluated & {compact(text) for text in row["asked"]}
