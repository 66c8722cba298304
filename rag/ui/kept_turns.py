"""A conversation's exchanges to what the history keeps of them, and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rag.types import Answer, Source
from rag.ui.conversation import Exchange


def to_body(each: Exchange) -> dict[str, Any]:
    """An answered exchange as JSON."""
    answer = each.answer
    assert answer, "only what was answered is kept"
    return {
        "question": each.question, "text": each.text, "remark": each.remark, "record": each.record,
        "generated": each.generated, "checked": each.checked, "status": answer.status, "reason": answer.reason,
        "notice": answer.notice, "cited": list(answer.cited),
        "sources": [{**asdict(source), "metadata": dict(source.metadata)} for source in each.sources],
    }  # fmt: skip


def to_exchange(turn: int, body: Mapping[str, Any]) -> Exchange:
    """The exchange again."""
    sources = tuple(Source(**source) for source in body["sources"])
    answer = Answer(
        body["question"], body["text"], body["status"], reason=body["reason"], notice=body["notice"], sources=sources,
        cited=tuple(body["cited"]), generated=body["generated"],
    )  # fmt: skip
    return Exchange(
        turn, body["question"], body["text"], sources, answer, body["remark"], body["generated"], body["checked"],
        record=body["record"],
    )  # fmt: skip
