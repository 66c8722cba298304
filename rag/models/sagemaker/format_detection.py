"""Detects the payload format of an endpoint's answer."""

from __future__ import annotations

from typing import Any

from rag.errors import ModelError
from rag.models.sagemaker.embedding_payloads import nesting_depth
from rag.models.sagemaker.llm_payloads import LLM_FORMATS
from rag.models.sagemaker.stream_decoder import DATA, IGNORED, decode_answer, load_json


def detect_format(answer: bytes) -> tuple[str, ...]:
    """Return the names of the LLM or embedding formats that fit this whole answer, the most likely first."""
    framed = answer.lstrip().startswith((DATA, *IGNORED))
    if (value := load_json(answer)) is not None and (names := detect_embedding_format(value)):
        return names
    order: tuple[str, ...] = ("tgi", "openai", "lmi", "kullm") if framed else ("lmi", "openai", "kullm", "tgi")
    # Several formats can decode the same answer; shape and framing tell which container is likely to send it.
    if isinstance(value, list):
        order = ("kullm", "tgi") if value and isinstance(value[0], list) else ("tgi", "kullm")
    return tuple(name for name in order if _can_decode(name, answer))


def _can_decode(name: str, answer: bytes) -> bool:
    try:
        decode_answer(LLM_FORMATS[name], answer)
    except ModelError:
        return False
    return True


def detect_embedding_format(value: Any) -> tuple[str, ...]:
    """Return the name of the embedding format that fits this JSON value, or an empty tuple."""
    if isinstance(value, dict):
        rows = value.get("data")
        if isinstance(rows, list) and rows and isinstance(rows[0], dict) and "embedding" in rows[0]:
            return ("openai",)
        return ("embeddings",) if nesting_depth(value.get("embeddings")) == 2 else ()
    return {2: ("tei",), 3: ("hf",), 4: ("hf",)}.get(nesting_depth(value), ())
