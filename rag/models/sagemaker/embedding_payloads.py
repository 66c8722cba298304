"""Payload formats of embedding containers: codecs without I/O, chosen by name.

hf           {"inputs": [text…]} -> a matrix of token vectors per text, [b][1][n][d] (one text: [1][n][d]), to be pooled
tei          {"inputs": [text…], "truncate"} -> [[number…]…]
embeddings   {"inputs": [text…]} -> {"embeddings": [[number…]…]}
openai       {"input": [text…]} -> {"data": [{"index", "embedding"}…]}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import orjson

from rag.errors import ModelFormatError
from rag.models.sagemaker.llm_payloads import raise_reported_error, wrong_format_error
from rag.vectors import Matrix

VectorFormatName = Literal["hf", "tei", "embeddings", "openai"]
Pooling = Literal["cls", "mean"]

MEGABYTE = 1_000_000
_TOKEN_ROW_BYTES = 16_000
"""The size of a token's 768 numbers in JSON."""


@dataclass(frozen=True, slots=True)
class VectorFormat:
    """The base class, for answers with a row per text: [[number…]…]."""

    pooling: Pooling = "cls"
    name: ClassVar[VectorFormatName]
    max_bytes: ClassVar[int] = 5 * MEGABYTE
    """The largest request or answer. SageMaker's limit is 6 MB according to older documentation."""

    def request(self, texts: Sequence[str]) -> bytes:
        """Return the body of a request. Lone surrogates, which JSON cannot represent, become question marks."""
        return orjson.dumps(self._request([text.encode("utf-8", "replace").decode("utf-8") for text in texts]))

    def parse(self, body: bytes, count: int) -> Matrix:
        """Return the vectors (texts, dimension) of an answer, not normalised. Raises ModelFormatError for another format."""
        try:
            value = _load(body)
        except (ValueError, RecursionError) as exc:
            raise wrong_format_error(self.name, body[:120].decode("utf-8", "replace")) from exc
        # Checked first: a container may report an error with status 200.
        raise_reported_error(value)
        try:
            matrix = np.asarray(self._rows(value, count), dtype=np.float64)
        except (KeyError, IndexError, TypeError, ValueError) as exc:
            raise wrong_format_error(self.name, _summarise(value)) from exc
        if matrix.ndim != 2:
            raise wrong_format_error(self.name, _summarise(value))
        return matrix

    def payload_bytes(self, text: str, token_count: Callable[[str], int]) -> int:
        """Return the bytes that a text adds to the request or the answer, whichever is larger."""
        return len(text.encode("utf-8", "replace")) + 4

    def _request(self, texts: Sequence[str]) -> dict[str, Any]:
        return {"inputs": texts}

    def _rows(self, value: Any, count: int) -> Any:
        return value


class Tei(VectorFormat):
    """Text Embeddings Inference. `truncate` shortens a text above the window, as other containers do by default."""

    name = "tei"
    max_bytes = 2 * MEGABYTE

    def _request(self, texts: Sequence[str]) -> dict[str, Any]:
        return {"inputs": texts, "truncate": True}


class HuggingFace(VectorFormat):
    """Hugging Face's inference toolkit, which returns a vector per token; `cls` takes the first one, `mean` the mean."""

    name = "hf"

    def payload_bytes(self, text: str, token_count: Callable[[str], int]) -> int:
        """Return the size of the answer, which has a vector per token and is thousands of times larger than the text."""
        return token_count(text) * _TOKEN_ROW_BYTES

    def _request(self, texts: Sequence[str]) -> dict[str, Any]:
        return {"inputs": texts, "parameters": {"truncation": True}}

    def _rows(self, value: Any, count: int) -> Any:
        if nesting_depth(value) == 2:
            raise ModelFormatError(
                "the embeddings are not in the format 'hf': expected a vector per token, got one per text; set FORMAT to tei"
            )
        # For a single text the container omits the outermost list.
        if count == 1 and nesting_depth(value) == 3:
            value = [value]
        return [self._pool(text) for text in value]

    def _pool(self, tokens: Any) -> Matrix:
        # Each text is in a list of its own, like a batch of one.
        while nesting_depth(tokens) > 2 and len(tokens) == 1:
            tokens = tokens[0]
        matrix = np.asarray(tokens, dtype=np.float64)
        if matrix.ndim != 2 or not len(matrix):
            raise ModelFormatError(
                "the embeddings are not in the format 'hf': expected a vector per token; set FORMAT to the container's format"
            )
        pooled: Matrix = matrix[0] if self.pooling == "cls" else matrix.mean(axis=0)
        return pooled


class Embeddings(VectorFormat):
    """{"embeddings": rows}, as custom handlers often answer."""

    name = "embeddings"

    def _rows(self, value: Any, count: int) -> Any:
        return value["embeddings"]


class OpenAiVectors(VectorFormat):
    """{"data": rows}, where each row has an index, because rows may be in any order."""

    name = "openai"

    def _request(self, texts: Sequence[str]) -> dict[str, Any]:
        return {"input": texts}

    def _rows(self, value: Any, count: int) -> Any:
        rows = sorted(value["data"], key=lambda row: row["index"])
        if [row["index"] for row in rows] != list(range(len(rows))):
            raise ModelFormatError("the embeddings are not in the format 'openai': indexes are missing or repeated")
        return [row["embedding"] for row in rows]


EMBEDDING_FORMATS: Mapping[str, type[VectorFormat]] = {
    each.name: each for each in (HuggingFace, Tei, Embeddings, OpenAiVectors)
}


def _load(body: bytes) -> Any:
    """Parse JSON with orjson, which is much faster, or with `json` for NaN, so that it is reported as not finite."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def nesting_depth(value: Any) -> int:
    """Return the nesting depth of lists of numbers; 0 for any other value."""
    depth = 0
    while isinstance(value, list) and value:
        depth, value = depth + 1, value[0]
    return depth if isinstance(value, int | float) else 0


def _summarise(value: Any) -> Any:
    """Return a short description of an answer for an error message."""
    if isinstance(value, dict):
        return {str(key): "…" for key in list(value)[:6]}
    levels = nesting_depth(value)
    return f"{levels} nested lists" if levels else value
