"""BedrockLLM: a model of Amazon Bedrock through its Converse API and LlamaIndex's package; needs requirements-models.txt.

It uses the connections of `rag.models.aws_client`, so that a call can be cancelled and ends at its deadline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llama_index.core.bridge.pydantic import Field
from llama_index.llms.bedrock_converse import BedrockConverse

from rag.errors import ModelError
from rag.models.adapted_llm import AdaptedLLM, FinishInfo
from rag.models.aws_client import tracked_client
from rag.models.aws_errors import AWS_ERRORS, from_aws

PERMISSION = "bedrock:InvokeModelWithResponseStream"
_USAGE = {"inputTokens": "prompt_tokens", "outputTokens": "completion_tokens", "totalTokens": "total_tokens"}


class BedrockLLM(AdaptedLLM, BedrockConverse):
    """The model or inference profile `model`. `temperature` and `top_p` are not sent if they are None."""

    vendor_errors = AWS_ERRORS
    chosen_temperature: float | None = Field(default=None, description="None: not sent.")

    def __init__(
        self,
        model: str,
        *,
        region: str | None = None,
        endpoint_url: str | None = None,
        max_new_tokens: int = 512,
        temperature: float | None = None,
        top_p: float | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(
            model=model,
            max_tokens=max_new_tokens,
            max_retries=1,
            client=_Client(model, region, endpoint_url),
            additional_kwargs={} if top_p is None else {"inferenceConfig": {"topP": top_p}},
        )
        self.chosen_temperature = temperature
        # The package's constructor accepts only its own fields.
        for name, value in fields.items():
            setattr(self, name, value)

    @classmethod
    def class_name(cls) -> str:
        return "BedrockLLM"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def _model_kwargs(self) -> dict[str, Any]:
        return {**super()._model_kwargs, "temperature": self.chosen_temperature}

    def _translate(self, error: Exception) -> ModelError:
        return from_aws(error, self.model, kind="model", permission=PERMISSION)

    def _finish_info(self, response: Any) -> FinishInfo:
        """Read a whole answer, or the last event of a stream."""
        raw: Mapping[str, Any] = response.raw or {}
        last = raw.get("metadata", raw)
        usage = last.get("usage") or {}
        return last.get("stopReason"), {name: usage[theirs] for theirs, name in _USAGE.items() if theirs in usage}


class _Client:
    """The part of a boto3 client that the package uses.

    The package ignores the stop reason of a stream, so this client adds it to the event with the token counts.
    """

    def __init__(self, model: str, region: str | None, endpoint_url: str | None) -> None:
        try:
            self._client = tracked_client("bedrock-runtime", region, endpoint_url)
        except AWS_ERRORS as exc:
            raise from_aws(exc, model, kind="model", permission=PERMISSION) from exc
        self.exceptions = self._client.exceptions
        self.converse = self._client.converse
        self.close = self._client.close

    def converse_stream(self, **arguments: Any) -> dict[str, Any]:
        response: dict[str, Any] = self._client.converse_stream(**arguments)
        return {**response, "stream": _with_reason(response["stream"])}


def _with_reason(events: Any) -> Iterator[dict[str, Any]]:
    reason: str | None = None
    try:
        for event in events:
            reason = event.get("messageStop", {}).get("stopReason") or reason
            if metadata := event.get("metadata"):
                event = {"metadata": {"usage": {"totalTokens": 0}, **metadata, "stopReason": reason}}
            yield event
    finally:
        events.close()
