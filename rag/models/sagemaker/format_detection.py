"""Which format, of generation or of embedding, an endpoint's answer is in."""

from __future__ import annotations

from typing import Any

from rag.errors import ModelError
from rag.models.sagemaker.embedding_payloads import depth
from rag.models.sagemaker.llm_payloads import GENERATION
from rag.models.sagemaker.stream_decoder import DATA, IGNORED, load_json, read_whole


def detect(answer: bytes) -> tuple[str, ...]:
    """Names of the formats, of generation or of embedding, that this whole answer is in; the likeliest first."""
    framed = answer.lstrip().startswith((DATA, *IGNORED))
    if (value := load_json(answer)) is not None and (names := detect_vectors(value)):
        return names
    order: tuple[str, ...] = ("tgi", "openai", "lmi", "kullm") if framed else ("lmi", "openai", "kullm", "tgi")
    # Several formats read the same answer; the shape and the framing say which container sends it so.
    if isinstance(value, list):
        order = ("kullm", "tgi") if value and isinstance(value[0], list) else ("tgi", "kullm")
    return tuple(name for name in order if _reads(name, answer))


def _reads(name: str, answer: bytes) -> bool:
    try:
        read_whole(GENERATION[name], answer)
    except ModelError:
        return False
    return True


def detect_vectors(value: Any) -> tuple[str, ...]:
    """The format of embedding answers that this JSON value is in; empty where it is none."""
    if isinstance(value, dict):
        rows = value.get("data")
        if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "embedding" in rows[0]:
            return ("openai",)
        return ("embeddings",) if depth(value.get("embeddings")) == 2 else ()
    return {2: ("tei",), 3: ("hf",), 4: ("hf",)}.get(depth(value), ())
