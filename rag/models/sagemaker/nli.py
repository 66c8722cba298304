"""SageMakerNli: a natural language inference (NLI) model on a SageMaker endpoint. Does a premise entail a hypothesis?

hf    {"inputs": [{"text", "text_pair"}…], "parameters"} -> [[{"label", "score"}…]…]    Hugging Face's text-classification
tei   {"inputs": [[premise, hypothesis]…], "truncate"} -> [[{"label", "score"}…]…]      Text Embeddings Inference's /predict
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson

from rag.errors import ModelFormatError
from rag.models.cancellation import CancelScope
from rag.models.sagemaker.client import Endpoint, Runtime, shared_runtime
from rag.models.sagemaker.llm_payloads import raise_reported_error, wrong_format_error

NliFormatName = Literal["hf", "tei"]
NLI_FORMATS: tuple[NliFormatName, ...] = ("hf", "tei")
BATCH = 32
"""Pairs in a request: as many as Text Embeddings Inference accepts by default."""
LABELS = ("entailment", "contradiction")


class SageMakerNli:
    """The NLI model of the endpoint `endpoint_name`. Thread-safe. `deadline`: seconds for a call of `scores`,
    with all its requests and retries.

    The labels are the model's own (`id2label`): "entailment" and "contradiction" in any case, and whatever else it has.
    """

    def __init__(
        self,
        endpoint_name: str,
        *,
        format: NliFormatName = "hf",
        deadline: float = 2.0,
        inference_component: str | None = None,
        runtime: Runtime | None = None,
    ) -> None:
        self._endpoint = Endpoint(endpoint_name, inference_component)
        self._format = format
        self._deadline = deadline
        self._runtime = runtime or shared_runtime()

    def scores(self, pairs: Sequence[tuple[str, str]]) -> list[Mapping[str, float]]:
        """For each pair of a premise and a hypothesis the probability, 0..1, of each label, in lower case.

        Raises ModelError, and its subclass ModelFormatError where an answer has other labels or another shape.
        """
        found: list[Mapping[str, float]] = []
        scope = CancelScope(self._deadline)
        for start in range(0, len(pairs), BATCH):
            batch = pairs[start : start + BATCH]
            body = self._runtime.invoke(self._endpoint, self._request(batch), scope)
            found += self._parse(body, len(batch))
        return found

    def _request(self, pairs: Sequence[tuple[str, str]]) -> bytes:
        if self._format == "tei":
            return orjson.dumps({"inputs": pairs, "truncate": True})
        inputs = [{"text": premise, "text_pair": hypothesis} for premise, hypothesis in pairs]
        # Without top_k the container returns the most likely label alone.
        return orjson.dumps({"inputs": inputs, "parameters": {"top_k": None, "truncation": True}})

    def _parse(self, body: bytes, count: int) -> list[Mapping[str, float]]:
        try:
            value: Any = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise wrong_format_error(self._format, body[:120].decode("utf-8", "replace")) from exc
        raise_reported_error(value)
        try:
            rows = [{str(each["label"]).lower(): float(each["score"]) for each in row} for row in value]
        except (KeyError, TypeError, ValueError) as exc:
            raise wrong_format_error(self._format, value) from exc
        if len(rows) != count:
            raise ModelFormatError(f"expected the labels of {count} pairs from {self._endpoint}; got {len(rows)}")
        if missing := [label for label in LABELS if any(label not in row for row in rows)]:
            raise ModelFormatError(
                f"expected the labels {' and '.join(LABELS)} from {self._endpoint}; got {', '.join(rows[0]) or 'none'}: "
                f"deploy an NLI model whose id2label has {missing[0]!r}"
            )
        return list(rows)
