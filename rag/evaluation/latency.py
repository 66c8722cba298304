"""Measures the latency of answers by step and under concurrent load, and the cost of 1,000 questions.

Times are wall-clock milliseconds on this machine with the configured endpoints.
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
"""`search`: retrieval without the embedding; `text`: synthesis; `sources`, `first_text`, `total`: since the question came."""


class TimedEmbedding(BaseEmbedding):
    """Wraps an embedding and adds up the time spent in it, per thread."""

    _inner: BaseEmbedding = PrivateAttr()
    _spent: threading.local = PrivateAttr()

    def __init__(self, inner: BaseEmbedding) -> None:
        super().__init__(model_name=inner.model_name)
        self._inner, self._spent = inner, threading.local()

    def take(self) -> float:
        """Milliseconds spent embedding in this thread since the last call of `take`."""
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
    new_service: Callable[[], Service], questions: Sequence[str], *, concurrency: Sequence[int] = CONCURRENCY
) -> dict[str, Any]:
    """Ask all questions one after the other, then once per level of `concurrency`.

    Returns {"n", "steps": {step: {"p50","p95","p99"}}, "load": [{"at_once","per_second","p50","p95","p99"}]}.
    `new_service` builds a chat service with an empty vector cache, and returns it with its timed embedding, None for lexical
    search. Raises InputError without questions.
    """
    if not questions:
        raise InputError("expected at least one question to time; got none")
    chat, embedding = new_service()
    steps: dict[str, list[float]] = defaultdict(list)
    # The first question loads models and files, which later ones do not wait for: it is not counted.
    _ask(chat, embedding, questions[0])
    for question in questions[1:] or questions:
        for step, milliseconds in _ask(chat, embedding, question).items():
            steps[step].append(milliseconds)
    return {
        "n": len(steps["total"]),
        "steps": {step: percentiles(steps[step]) for step in STEPS if steps[step]},
        # A new service for each level: otherwise all but the first would find every vector in the cache.
        "load": [_under_load(*new_service(), questions, at_once) for at_once in concurrency],
    }


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99 of `values`, by the nearest-rank method."""
    ordered = sorted(values)
    return {f"p{share}": ordered[min(len(ordered) - 1, len(ordered) * share // 100)] for share in (50, 95, 99)}


def cost_of_thousand(prices: Path, instances: Sequence[str], per_second: float, region: str = "") -> dict[str, Any]:
    """Cost in USD of 1,000 questions on these instances at full load, `per_second` questions a second.

    `prices`: a TOML table of hourly prices with its date, such as deploy/costs.toml. Endpoints are billed by the hour, so
    with less load a question costs more. Raises InputError for an instance type that is not in the table.
    """
    try:
        table = tomllib.loads(prices.read_text(encoding="utf-8"))
        hourly = sum(float(table["hour"][name]) for name in instances) * float(table["factor"].get(region, 1.0))
    except (OSError, tomllib.TOMLDecodeError, KeyError) as exc:
        raise InputError(f"{prices}: no hourly price of {exc}; deploy/costs.toml lists the instance types") from exc
    return {
        "usd_per_1000": hourly / (per_second * SECONDS_AN_HOUR) * 1000,
        "usd_per_hour": hourly,
        "instances": list(instances),
        "prices_of": table["as_of"],
    }


def latency_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report as lines for a terminal."""
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
            # Read the clock first: handling the event takes time of its own.
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
