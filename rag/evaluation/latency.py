"""How long an answer takes: by step, to its first text, and with several customers at once; and what 1,000 questions cost.

Times are in milliseconds, of the machine and the endpoints that the settings name.
"""

from __future__ import annotations

import threading
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr

from rag.chat import ChatService
from rag.errors import InputError
from rag.types import AnswerCompleted, AnswerDelta, SourcesFound

CONCURRENCY = (1, 2, 4, 8)
SECONDS_AN_HOUR = 3600.0
STEPS = ("embedding", "search", "sources", "first_text", "text", "total")
"""`search` is all of the retrieval but the embedding; `sources`, `first_text`: since the question was asked."""


class TimedEmbedding(BaseEmbedding):
    """The embedding `inner`, which counts the time spent in it, thread by thread."""

    _inner: BaseEmbedding = PrivateAttr()
    _spent: threading.local = PrivateAttr()

    def __init__(self, inner: BaseEmbedding) -> None:
        super().__init__(model_name=inner.model_name)
        self._inner, self._spent = inner, threading.local()

    def take(self) -> float:
        """Milliseconds spent in this thread since the last call."""
        spent = float(getattr(self._spent, "ms", 0.0))
        self._spent.ms = 0.0
        return spent

    def _get_query_embedding(self, query: str) -> list[float]:
        began = time.perf_counter()
        try:
            return self._inner.get_query_embedding(query)
        finally:
            self._spent.ms = getattr(self._spent, "ms", 0.0) + (time.perf_counter() - began) * 1000

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._inner.get_text_embedding(text)


Service = tuple[ChatService, TimedEmbedding | None]


def measure_latency(
    fresh: Callable[[], Service], questions: Sequence[str], *, concurrency: Sequence[int] = CONCURRENCY
) -> dict[str, Any]:
    """{"n", "steps": {step: {"p50","p95","p99"}}, "load": [{"at_once","per_second","p50","p95","p99"}]}.

    `fresh`: a service that remembers no vector of these questions, and its embedding; another for every round. Raises
    InputError without questions.
    """
    if not questions:
        raise InputError("there are no questions to time")
    chat, embedding = fresh()
    steps: dict[str, list[float]] = defaultdict(list)
    _ask(
        chat, embedding, questions[0]
    )  # what is loaded with the first question is not the second customer's to wait for
    for question in questions[1:] or questions:
        for step, milliseconds in _ask(chat, embedding, question).items():
            steps[step].append(milliseconds)
    return {
        "n": len(steps["total"]),
        "steps": {step: percentiles(steps[step]) for step in STEPS if steps[step]},
        # A fresh service each: else every round but the first would find all vectors remembered.
        "load": [_under_load(*fresh(), questions, at_once) for at_once in concurrency],
    }


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 by the nearest rank."""
    ordered = sorted(values)
    return {f"p{share}": ordered[min(len(ordered) - 1, len(ordered) * share // 100)] for share in (50, 95, 99)}


def cost_of_thousand(prices: Path, instances: Sequence[str], per_second: float, region: str = "") -> dict[str, Any]:
    """USD for 1,000 questions on these instances, asked without a pause at `per_second`, by the dated table of prices.

    An idle endpoint costs the same by the hour: with fewer questions each costs more. Raises InputError for a price that is
    not in the table.
    """
    try:
        table = tomllib.loads(prices.read_text(encoding="utf-8"))
        hourly = sum(float(table["hour"][name]) for name in instances) * float(table["factor"].get(region, 1.0))
    except (OSError, tomllib.TOMLDecodeError, KeyError) as exc:
        raise InputError(f"{prices}: no price of {exc} by the hour; see deploy/costs.toml for the names") from exc
    return {
        "usd_per_1000": hourly / (per_second * SECONDS_AN_HOUR) * 1000,
        "usd_per_hour": hourly,
        "instances": list(instances),
        "prices_of": table["as_of"],
    }


def latency_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report for a terminal."""
    if "of" in report:
        yield ", ".join(f"{part} {name}" for part, name in report["of"].items())
    yield f"{'milliseconds':14} {'p50':>8} {'p95':>8} {'p99':>8}   (n={report['n']})"
    for step, row in report["steps"].items():
        yield f"{step:14} " + " ".join(f"{row[name]:8.1f}" for name in ("p50", "p95", "p99"))
    for row in report["load"]:
        times = " ".join(f"{row[name]:8.1f}" for name in ("p50", "p95", "p99"))
        yield f"{row['at_once']:3} at once    {times}   {row['per_second']:.1f} questions a second"
    if "cost" in report:
        cost = report["cost"]
        yield (
            f"1,000 questions without a pause: {cost['usd_per_1000']:.3f} USD on {', '.join(cost['instances'])} "
            f"({cost['usd_per_hour']:.2f} USD an hour, prices of {cost['prices_of']})"
        )


def _under_load(
    chat: ChatService, embedding: TimedEmbedding | None, questions: Sequence[str], at_once: int
) -> dict[str, float]:
    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as pool:
        totals = list(pool.map(lambda question: _ask(chat, embedding, question)["total"], questions))
    seconds = time.perf_counter() - began
    return {"at_once": at_once, "per_second": len(totals) / seconds, **percentiles(totals)}


def _ask(chat: ChatService, embedding: TimedEmbedding | None, question: str) -> dict[str, float]:
    steps: dict[str, float] = {}
    if embedding:
        embedding.take()
    began = time.perf_counter()
    with closing(chat.stream(question)) as events:
        for event in events:
            # Taken as the event comes: reading it takes time of its own.
            now = (time.perf_counter() - began) * 1000
            if isinstance(event, SourcesFound):
                steps["sources"] = now
            elif isinstance(event, AnswerDelta):
                steps.setdefault("first_text", now)
            elif isinstance(event, AnswerCompleted):
                timings = event.answer.timings_ms
                steps |= {"search": timings["retrieval"], "text": timings["synthesis"], "total": now}
    if embedding:
        steps["embedding"] = embedding.take()
        steps["search"] -= steps["embedding"]
    return steps
