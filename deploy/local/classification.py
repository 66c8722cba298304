"""Request and response bodies of text-classification containers with a natural language inference (NLI) model.

The labels come from words alone: how many of the hypothesis's tokens the premise has, and whether one of them denies. They
show that requests, batches and labels are read rightly, and nothing about a real model's quality.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from deploy.local.errors import ContainerError
from deploy.local.spec import EndpointSpec
from rag.korean import sentences, tokens

_DENIAL = re.compile(r"않|없|못|불가|아니|아닙")


def answer(body: bytes, spec: EndpointSpec) -> tuple[bytes, int]:
    """The response body, and the number of pairs in the request. Raises ContainerError where the container would."""
    try:
        request = orjson.loads(body)
        inputs = request["inputs"]
        pairs = [_pair(each, spec) for each in inputs]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as exc:
        raise ContainerError(422, f"inputs: expected pairs of texts in the format {spec.format} ({exc})") from exc
    if spec.batch_limit and len(pairs) > spec.batch_limit:
        raise ContainerError(413, f"batch size {len(pairs)} > maximum allowed batch size {spec.batch_limit}")
    rows = [_scores(premise, hypothesis, spec) for premise, hypothesis in pairs]
    if spec.format == "hf" and "top_k" not in request.get("parameters", {}):
        return orjson.dumps([row[0] for row in rows]), len(pairs)
    return orjson.dumps(rows), len(pairs)


def _pair(value: Any, spec: EndpointSpec) -> tuple[str, str]:
    if isinstance(value, list) != (spec.format == "tei"):
        raise ValueError("a pair in another format")
    first, second = value if spec.format == "tei" else (value["text"], value["text_pair"])
    if not isinstance(first, str) or not isinstance(second, str):
        raise ValueError("not two strings")
    return first, second


def _scores(premise: str, hypothesis: str, spec: EndpointSpec) -> list[dict[str, Any]]:
    """The labels with their probabilities, the most likely first, by the sentence of the premise that shares most tokens."""
    words = set(tokens(hypothesis))
    parts = [part for start, end in sentences(premise) for part in premise[start:end].split("\n")]
    share, nearest = max((len(words & set(tokens(part))) / max(1, len(words)), part) for part in parts or [""])
    is_same = bool(_DENIAL.search(nearest)) == bool(_DENIAL.search(hypothesis))
    entailment, contradiction = (share, 0.0) if is_same else (0.0, share)
    found = zip(spec.labels, (entailment, 1 - share, contradiction), strict=True)
    return sorted(({"label": label, "score": score} for label, score in found), key=lambda each: -each["score"])
