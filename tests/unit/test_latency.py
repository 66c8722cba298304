"""Percentiles and cost from measured times; the command's own test measures times."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import cast

import pytest

from rag.chat import ChatService
from rag.errors import InputError
from rag.evaluation.latency import STEPS, TimedEmbedding, cost_of_thousand, latency_lines, measure_latency, percentiles
from rag.types import Answer, AnswerCompleted, AnswerDelta, AnswerEvent, SourcesFound
from tests.fakes_embedding import HashedEmbedding

PRICES = 'as_of = "2026-01"\n[hour]\n"a" = 1.0\n"b" = 2.6\n[factor]\n"far" = 2.0\n'


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentiles([float(n) for n in range(1, 101)]) == {"p50": 51.0, "p95": 96.0, "p99": 100.0}
    assert percentiles([7.0]) == {"p50": 7.0, "p95": 7.0, "p99": 7.0}


@pytest.mark.parametrize(("region", "usd"), [("", 0.1), ("far", 0.2)])
def test_the_cost_of_a_thousand(tmp_path: Path, region: str, usd: float) -> None:
    """3.60 USD an hour at 10 questions a second: 36,000 questions."""
    prices = tmp_path / "costs.toml"
    prices.write_text(PRICES, encoding="utf-8")
    found = cost_of_thousand(prices, ["a", "b"], 10.0, region)
    assert found["usd_per_1000"] == pytest.approx(usd) and found["prices_of"] == "2026-01"
    with pytest.raises(InputError, match="'c'"):
        cost_of_thousand(prices, ["c"], 10.0)
    with pytest.raises(InputError, match="no hourly price"):
        cost_of_thousand(tmp_path / "missing.toml", ["a"], 10.0)


class Echo:
    """Answers every question with two words, after one embedding."""

    def __init__(self, embedding: TimedEmbedding) -> None:
        self._embedding = embedding

    def stream(self, question: str) -> Generator[AnswerEvent, None, None]:
        self._embedding.get_query_embedding(question)
        yield SourcesFound("answered", ())
        yield AnswerDelta("두")
        yield AnswerDelta("말")
        yield AnswerCompleted(Answer(question, "두말", "answered", timings_ms={"retrieval": 5.0, "synthesis": 1.0}))


def test_every_step_and_load_is_measured() -> None:
    inner = HashedEmbedding()

    def new_service() -> tuple[ChatService, TimedEmbedding]:
        timed = TimedEmbedding(inner)
        return cast("ChatService", Echo(timed)), timed

    report = measure_latency(new_service, ["하나", "둘", "셋"], concurrency=(1, 3))
    assert report["n"] == 2, "the first question warms up"
    assert set(report["steps"]) == set(STEPS)
    assert [row["at_once"] for row in report["load"]] == [1, 3]
    assert report["steps"]["sources"]["p50"] <= report["steps"]["first_text"]["p50"] <= report["steps"]["total"]["p50"]
    assert any("3 at once" in line for line in latency_lines(report))
    with pytest.raises(InputError):
        measure_latency(new_service, [])
