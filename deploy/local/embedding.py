"""Request and response bodies of embedding containers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from deploy.local.errors import ContainerError
from deploy.local.spec import EndpointSpec
from deploy.local.vectors import Matrix, embed, token_vectors


def answer(body: bytes, spec: EndpointSpec) -> tuple[bytes, int]:
    """The response body, and the number of texts in the request. Raises ContainerError where the container would."""
    request = _json(body)
    inputs = request.get("input" if spec.format == "openai" else "inputs")
    texts = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ContainerError(422, "inputs: expected a string or a list of at least one string")
    if spec.batch_limit and len(texts) > spec.batch_limit:
        raise ContainerError(413, f"batch size {len(texts)} > maximum allowed batch size {spec.batch_limit}")
    return _encode(texts, embed(texts, spec), spec, single=isinstance(inputs, str)), len(texts)


def corrupt(body: bytes, kind: str) -> bytes:
    """Falsify a response body: "one_short" drops a vector, "not_finite" puts NaN into one."""
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


def _json(body: bytes) -> dict[str, Any]:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise ContainerError(400, f"Failed to parse the request body as JSON: {exc}") from exc
    if not isinstance(payload, dict):
        raise ContainerError(422, "the request body must be a JSON object")
    return payload


def _dump(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY, default=np.ndarray.tolist)
