"""All customer messages of the bundled evaluation files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.evaluation.datasets import read_conversations, read_out_of_domain, read_queries

DATA = Path(__file__).parents[1] / "data" / "evaluation"
HALVES = ("dev", "test")


def questions() -> Sequence[str]:
    """Texts of queries, out-of-domain inputs and conversation turns of both halves."""
    said: list[str] = []
    for half in HALVES:
        said += [query.query for query in read_queries(DATA / f"queries.{half}.jsonl")]
        said += [item.query for item in read_out_of_domain(DATA / f"ood.{half}.jsonl")]
        said += [turn for talk in read_conversations(DATA / f"multiturn.{half}.jsonl") for turn in talk.turns]
    return said
