"""Prometheus metrics of the page: outcomes, durations, failures, refused requests and waiting questions. Without any text."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from rag.types import Answer
from rag.ui.answer_streams import AnswerSlots

BUCKETS_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]


class Metrics:
    """One page's metrics."""

    def __init__(self, slots: AnswerSlots) -> None:
        # Not the library's global registry, in which a second page of the process, as in tests, could not register.
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "faq_answers",
            "Answers given",
            ["channel", "status", "reason", "generated", "notice"],
            registry=self._registry,
        )
        self._failures = Counter("faq_failures", "Questions that ended in an error", registry=self._registry)
        self._refusals = Counter("faq_refusals", "Requests that were refused", ["status"], registry=self._registry)
        self._seconds = Histogram(
            "faq_answer_seconds", "Time of an answer", buckets=BUCKETS_SECONDS, registry=self._registry
        )
        for name, text, read in (
            ("faq_answers_running", "Answers being made", lambda: slots.running),
            ("faq_answers_waiting", "Questions that wait for their turn", lambda: slots.waiting),
        ):
            Gauge(name, text, registry=self._registry).set_function(read)

    def count_answer(self, answer: Answer, channel: str) -> None:
        """Count one answer and its duration. `channel`: "page" or "api"."""
        labels = [channel, answer.status, answer.reason or "", str(answer.generated).lower(), answer.notice or ""]
        self._answers.labels(*labels).inc()
        if "total" in answer.timings_ms:
            self._seconds.observe(answer.timings_ms["total"] / 1000)

    def count_failure(self) -> None:
        """Count a question that ended in an error."""
        self._failures.inc()

    def count_refusal(self, status: int) -> None:
        """Count a request that the guard refused."""
        self._refusals.labels(str(status)).inc()

    def text(self) -> bytes:
        """All metrics in Prometheus's text format."""
        return generate_latest(self._registry)
