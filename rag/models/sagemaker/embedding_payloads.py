"""How embedding containers spell texts and vectors: pure codecs, chosen by name.

hf           {"inputs": [text…]} -> one matrix of tokens a text, [b][1][n][d] (one text: [1][n][d]), to be pooled
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
from rag.models.sagemaker.llm_payloads import refuse_error, wrong_format
from rag.vectors import Matrix

VectorFormatName = Literal["hf", "tei", "embeddings", "openai"]
Pooling = Literal["cls", "mean"]

MEGABYTE = 1_000_000
_TOKEN_ROW_BYTES = 16_000
"""What one token's 768 numbers take as JSON."""


@dataclass(frozen=True, slots=True)
class VectorFormat:
    """Answers [[number…]…], a row a text."""

    pooling: Pooling = "cls"
    name: ClassVar[VectorFormatName]
    max_bytes: ClassVar[int] = 5 * MEGABYTE
    """Of one request or answer: SageMaker's own limit is 6 MB by its older documents."""

    def request(self, texts: Sequence[str]) -> bytes:
        """The body to send; lone surrogates, which no JSON can hold, become question marks."""
        return orjson.dumps(self._request([text.encode("utf-8", "replace").decode("utf-8") for text in texts]))

    def read(self, body: bytes, count: int) -> Matrix:
        """The vectors, [texts][numbers], as they were sent. Raises ModelFormatError where they are in another format."""
        try:
            value = _load(body)
        except (ValueError, RecursionError) as exc:
            raise wrong_format(self.name, body[:120].decode("utf-8", "replace")) from exc
        # Before the rows are looked for: an error in a body with status 200 is not a matter of the format.
        refuse_error(value)
        try:
            matrix = np.asarray(self._rows(value, count), dtype=np.float64)
        except (KeyError, IndexError, TypeError, ValueError) as exc:
            raise wrong_format(self.name, _outline(value)) from exc
        if matrix.ndim != 2:
            raise wrong_format(self.name, _outline(value))
        return matrix

    def cost(self, text: str, token_count: Callable[[str], int]) -> int:
        """The bytes that a text adds to the request or to the answer, whichever is more."""
        return len(text.encode("utf-8", "replace")) + 4

    def _request(self, texts: Sequence[str]) -> dict[str, Any]:
        return {"inputs": texts}

    def _rows(self, value: Any, count: int) -> Any:
        return value


class Tei(VectorFormat):
    """Text Embeddings Inference; `truncate` where a text is over the window, as the other containers do unasked."""

    name = "tei"
    max_bytes = 2 * MEGABYTE

    def _request(self, texts: Sequence[str]) -> dict[str, Any]:
        return {"inputs": texts, "truncate": True}


class HuggingFace(VectorFormat):
    """One row of numbers a token; `cls` takes the first token's, `mean` the mean of all."""

    name = "hf"

    def cost(self, text: str, token_count: Callable[[str], int]) -> int:
        """Of the answer: it has a row of numbers a token, thousands of times its text."""
        return token_count(text) * _TOKEN_ROW_BYTES

    def _request(self, texts: Sequence[str]) -> dict[str, Any]:
        return {"inputs": texts, "parameters": {"truncation": True}}

    def _rows(self, value: Any, count: int) -> Any:
        if depth(value) == 2:
            raise ModelFormatError(
                "the embeddings are not in the format 'hf': one vector a text, not one a token; set FORMAT to tei"
            )
        # Of a single text the container leaves out the outermost list.
        if count == 1 and depth(value) == 3:
            value = [value]
        return [self._pooled(text) for text in value]

    def _pooled(self, tokens: Any) -> Matrix:
        # Each text comes in a list of its own, as if it were a batch of one.
        while depth(tokens) > 2 and len(tokens) == 1:
            tokens = tokens[0]
        matrix = np.asarray(tokens, dtype=np.float64)
        if matrix.ndim != 2 or not len(matrix):
            raise ModelFormatError(
                "the embeddings are not in the format 'hf': a text has no row of numbers a token; set FORMAT"
            )
        pooled: Matrix = matrix[0] if self.pooling == "cls" else matrix.mean(axis=0)
        return pooled


class Embeddings(VectorFormat):
    """{"embeddings": rows}, which several handlers of one's own send."""

    name = "embeddings"

    def _rows(self, value: Any, count: int) -> Any:
        return value["embeddings"]


class OpenAiVectors(VectorFormat):
    """{"data": rows}, each with its index: they may come in any order."""

    name = "openai"

    def _request(self, texts: Sequence[str]) -> dict[str, Any]:
        return {"input": texts}

    def _rows(self, value: Any, count: int) -> Any:
        rows = sorted(value["data"], key=lambda row: row["index"])
        if [row["index"] for row in rows] != list(range(len(rows))):
            raise ModelFormatError("the embeddings are not in the format 'openai': indexes are missing or repeated")
        return [row["embedding"] for row in rows]


VECTORS: Mapping[str, type[VectorFormat]] = {each.name: each for each in (HuggingFace, Tei, Embeddings, OpenAiVectors)}


def _load(body: bytes) -> Any:
    """orjson is many times faster, and refuses NaN, which has to be reported as what it is, a number that is not finite."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def depth(value: Any) -> int:
    """How deep lists of numbers nest; 0 for anything else."""
    depth = 0
    while isinstance(value, list) and value:
        depth, value = depth + 1, value[0]
    return depth if isinstance(value, int | float) else 0


def _outline(value: Any) -> Any:
    """Enough of an answer to recognise it by."""
    if isinstance(value, dict):
        return {str(key): "…" for key in list(value)[:6]}
    levels = depth(value)
    return f"lists {levels} deep" if levels else value
