"""Request and response bodies of containers with an encoder: embeddings of texts, and labels of pairs (NLI).

The labels come from words alone: how many of the hypothesis's tokens the premise has, and whether one of them denies. They
show that requests, batches and labels are read rightly, and nothing about a real model's quality.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from deploy.local.errors import ContainerError
from deploy.local.spec import EndpointSpec
from deploy.local.vectors import Matrix, embed, token_vectors
from rag.korean import sentences, tokens

_DENIAL = re.compile(r"않|없|못|불가|아니|아닙")


def answer(request: Mapping[str, Any], spec: EndpointSpec) -> tuple[bytes, int]:
    """The response body, and the number of texts or pairs in the request. Raises ContainerError where the container would."""
    if spec.task == "classify":
        return _classify(request, spec)
    inputs = request.get("input" if spec.format == "openai" else "inputs")
    texts = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ContainerError(422, "inputs: expected a string or a list of at least one string")
    _check_batch(len(texts), spec)
    return _encode(texts, embed(texts, spec), spec, single=isinstance(inputs, str)), len(texts)


def corrupt(body: bytes, kind: str) -> bytes:
    """Falsify a response body: "one_short" drops a vector or the labels of a pair, "not_finite" puts NaN into a vector."""
    payload = orjson.loads(body)
    rows = payload if isinstance(payload, list) else payload.get("data", payload.get("embeddings"))
    if kind == "one_short":
        rows.pop()
        return orjson.dumps(payload)
    innermost = rows
    while isinstance(innermost[0], list | dict):
        innermost = innermost[0]["embedding"] if isinstance(innermost[0], dict) else innermost[0]
    innermost[0] = "NaN of Python's json module"
    return orjson.dumps(payload).replace(b'"NaN of Python\'s json module"', b"NaN")


def _check_batch(count: int, spec: EndpointSpec) -> None:
    if spec.batch_limit and count > spec.batch_limit:
        raise ContainerError(413, f"batch size {count} > maximum allowed batch size {spec.batch_limit}")


def _encode(texts: Sequence[str], vectors: Matrix, spec: EndpointSpec, *, single: bool) -> bytes:
    match spec.format:
        case "hf":
            rows = [token_vectors(text, vector, spec) for text, vector in zip(texts, vectors, strict=True)]
            return _dump(rows if single else [[row] for row in rows])
        case "tei":
            return _dump(vectors)
        case "embeddings":
            return _dump({"embeddings": vectors})
        case _:
            return _dump(_openai(texts, vectors, spec))


def _openai(texts: Sequence[str], vectors: Matrix, spec: EndpointSpec) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    used = sum(len(text) // 2 + 2 for text in texts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": data, "model": spec.name, "usage": usage}


def _dump(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY, default=np.ndarray.tolist)


def _classify(request: Mapping[str, Any], spec: EndpointSpec) -> tuple[bytes, int]:
    try:
        pairs = [_pair(each, spec) for each in request["inputs"]]
    except (KeyError, TypeError, ValueError) as exc:
        raise ContainerError(422, f"inputs: expected pairs of texts in the format {spec.format} ({exc})") from exc
    _check_batch(len(pairs), spec)
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
    scores = zip(spec.labels, (entailment, 1 - share, contradiction), strict=True)
    return sorted(({"label": label, "score": score} for label, score in scores), key=lambda each: -each["score"])
