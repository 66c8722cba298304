"""`python -m rag doctor`: sends a small request to each configured model, and suggests settings for what fails.

Indexes are not checked here. A request may take TIMEOUT_SECONDS; on SageMaker all known formats are tried.
"""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rag.errors import ModelError, ModelRefused, ModelTimeout, RagError
from rag.factory.models import language_model, remote_embedding
from rag.settings import EmbeddingSettings, LlmSettings, NliSettings, Settings

TIMEOUT_SECONDS = 10.0
TEXT = "이체한도를 늘리려면 어떻게 하나요?"
ANSWER_TOKENS = 16
SOURCE_TOKENS = 300
"""Tokens of a question and a source of average length."""
MIN_WINDOW = 32
"""Lower limit of the settings for windows, in tokens."""
USUAL_WINDOW = 2048
"""Tokens that every model in use supports."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of checking one model. `fix`: settings to change, as NAME=VALUE, empty if unknown."""

    subject: str
    text: str
    ok: bool = True
    fix: str = ""

    def __str__(self) -> str:
        verdict = "" if self.ok else "failed: "
        return f"{self.subject}: {verdict}{self.text}{f'; set {self.fix}' if self.fix else ''}"


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """A model to check: its name in findings, and the prefix of its settings."""

    name: str
    prefix: str

    def ok(self, text: str) -> Finding:
        """A finding for a model that works."""
        return Finding(self.name, text)

    def fail(self, text: str, **fixes: str) -> Finding:
        """A finding for a failure. `fixes`: values by setting; names of settings, also in the text, get the prefix."""
        fix = " ".join(f"{self.prefix}{name}={value}" for name, value in fixes.items() if value)
        return Finding(self.name, _SETTING.sub(rf"{self.prefix}\1", text), ok=False, fix=fix)


EMBEDDING = CheckedModel("embedding", "FSI_EMBEDDING__")
LLM = CheckedModel("language model", "FSI_LLM__")
NLI = CheckedModel("NLI model", "FSI_NLI__")
_SETTING = re.compile(
    r"(?<![\w'])(BASE_URL|MODEL|API_KEY|FORMAT|DIMENSION|CONTEXT_WINDOW|MAX_NEW_TOKENS|MAX_TOKENS|INFERENCE_COMPONENT)\b"
)
"""Settings without their prefix, as in messages of the model classes."""


def examine(settings: Settings) -> Iterator[Finding]:
    """Check each model that is configured; yields nothing for those that run in this process."""
    yield from _guarded(EMBEDDING, settings.embedding, lambda: _embedding(settings.embedding))
    yield from _guarded(LLM, settings.llm, lambda: _language_model(settings.llm))
    yield from _nli(settings.nli)


def _guarded(
    model: CheckedModel, settings: EmbeddingSettings | LlmSettings, examine_one: Callable[[], Iterable[Finding]]
) -> Iterator[Finding]:
    try:
        yield from examine_one()
    except RagError as exc:
        available = _available_models(settings) if isinstance(exc, ModelRefused) else ()
        # Without a cutoff: most servers have one model, whose name is the fix.
        near = difflib.get_close_matches(settings.model or "", available, n=1, cutoff=0.0)
        if near and near[0] != settings.model:
            yield model.fail(f"{exc}; it serves {', '.join(available)}", MODEL=near[0])
        else:
            yield model.fail(str(exc))


def _available_models(settings: EmbeddingSettings | LlmSettings) -> tuple[str, ...]:
    if settings.backend != "openai_like":
        return ()
    from rag.models.openai_like import served_models

    key = settings.api_key.get_secret_value() if settings.api_key else None
    return served_models(settings.base_url or "", key)


def _embedding(settings: EmbeddingSettings) -> Iterator[Finding]:
    if settings.backend == "local":
        return
    began = time.monotonic()
    if settings.backend == "sagemaker":
        from rag.models.sagemaker.embedding_payloads import EMBEDDING_FORMATS

        bodies = {name: codec(settings.pooling).request([TEXT]) for name, codec in EMBEDDING_FORMATS.items()}
        failure = _SageMaker(EMBEDDING, settings).failure(bodies)
        if failure:
            yield failure
            return
    # Each operation of the class once, with the time limit of a question.
    bounded = settings.model_copy(update={"deadline": min(TIMEOUT_SECONDS, settings.deadline), "dimension": None})
    with _closing(remote_embedding(bounded)) as model:
        size = len(model.get_text_embedding(TEXT))
        # A full batch: an endpoint may accept one text and refuse a batch.
        model.get_text_embedding_batch([f"{TEXT} {number}" for number in range(settings.batch_size)])
        window = _effective_window(model.get_text_embedding_batch, settings.max_tokens)
    if settings.dimension not in (None, size):
        yield EMBEDDING.fail(f"expected vectors of dimension {settings.dimension}; got {size}", DIMENSION=str(size))
        return
    name = settings.endpoint_name or settings.model
    if window < settings.max_tokens:
        text = f"{name} truncates texts silently before {settings.max_tokens} tokens (MAX_TOKENS), so their ends cannot be found"
        yield EMBEDDING.fail(text, MAX_TOKENS=str(max(window, MIN_WINDOW)))
        return
    yield EMBEDDING.ok(f"{name} answers with vectors of dimension {size} ({_elapsed(began)})")


def _effective_window(embed: Callable[[list[str]], list[list[float]]], window: int) -> int:
    """The largest of `window`, its half, its quarter, … at which texts that differ in their last words get two vectors.

    In tokens, estimated as for passages; 0 if there is none down to MIN_WINDOW.
    """
    from rag.korean import estimate_tokens

    while window >= MIN_WINDOW:
        common = TEXT * max(1, window // estimate_tokens(TEXT) - 1)  # leaves room for the last words
        first, second = embed([f"{common} 수수료", f"{common} 비밀번호"])
        if first != second:
            return window
        window //= 2
    return 0


def _language_model(settings: LlmSettings) -> Iterator[Finding]:
    if settings.backend == "none":
        return
    began = time.monotonic()
    if settings.backend == "sagemaker":
        from rag.models.sagemaker.llm_payloads import LLM_FORMATS, Parameters

        few = Parameters(max_new_tokens=ANSWER_TOKENS)
        bodies = {name: codec.request([("user", TEXT)], few) for name, codec in LLM_FORMATS.items()}
        failure = _SageMaker(LLM, settings).failure(bodies)
        if failure:
            yield failure
            return
    from llama_index.core.base.llms.types import ChatMessage

    bounded = settings.model_copy(
        update={
            "deadline": min(TIMEOUT_SECONDS, settings.deadline),
            "max_new_tokens": min(ANSWER_TOKENS, settings.max_new_tokens),
        }
    )
    with _closing(language_model(bounded)) as model:
        pieces = sum(1 for response in model.stream_chat([ChatMessage(content=TEXT)]) if response.delta)
    if failure := _check_context_window(settings):
        yield failure
        return
    name = settings.endpoint_name or settings.model
    streamed = "streams" if pieces > 1 else "answers without streaming"
    yield LLM.ok(f"{name} {streamed} ({_elapsed(began)})")


def _nli(settings: NliSettings) -> Iterator[Finding]:
    if settings.backend == "none":
        return
    from rag.models.sagemaker.nli import NLI_FORMATS, SageMakerNli

    began = time.monotonic()
    refused: RagError | None = None
    for name in sorted(NLI_FORMATS, key=lambda each: each != settings.format):
        target = settings.model_dump(include={"endpoint_name", "inference_component"})
        try:
            labels = SageMakerNli(**target, format=name, deadline=TIMEOUT_SECONDS).scores([(TEXT, TEXT)])[0]
        except RagError as exc:
            refused = refused or exc
            continue
        if name != settings.format:
            yield NLI.fail(f"it refuses {settings.format!r}", FORMAT=name)
        else:
            yield NLI.ok(
                f"{settings.endpoint_name} answers with the labels {', '.join(sorted(labels))} ({_elapsed(began)})"
            )
        return
    yield NLI.fail(str(refused))


def _check_context_window(settings: LlmSettings) -> Finding | None:
    """A finding if no source fits into the context window beside the answer, so that the model would never be used."""
    from rag.korean import estimate_tokens
    from rag.synthesis import texts
    from rag.synthesis.prompt_builder import FRAME

    def tokens_for_sources(answer_tokens: int) -> int:
        return settings.context_window - answer_tokens - FRAME - estimate_tokens(texts.ANSWERING)

    if tokens_for_sources(settings.max_new_tokens) >= SOURCE_TOKENS:
        return None
    quarter = settings.context_window // 4
    fits = tokens_for_sources(quarter) >= SOURCE_TOKENS
    fix = {"MAX_NEW_TOKENS": quarter} if fits else {"CONTEXT_WINDOW": USUAL_WINDOW}
    return LLM.fail(
        f"of {settings.context_window} tokens (CONTEXT_WINDOW), {settings.max_new_tokens} are reserved for the answer "
        "(MAX_NEW_TOKENS), so no source fits and the model would never be used",
        **{name: str(tokens) for name, tokens in fix.items()},
    )


@contextmanager
def _closing(model: Any) -> Iterator[Any]:
    """Close the model afterwards if it has `close`; those of SageMaker share the program's connections."""
    try:
        yield model
    finally:
        if hasattr(model, "close"):
            model.close()


class _SageMaker:
    """Sends requests to one endpoint in each format, the configured one first, until it accepts one."""

    def __init__(self, model: CheckedModel, settings: EmbeddingSettings | LlmSettings) -> None:
        self._finding = model.fail
        self._settings = settings
        self._name = settings.endpoint_name or ""

    def failure(self, bodies: Mapping[str, bytes]) -> Finding | None:
        """A finding on the endpoint's name, its state or the format; None if the configured format works.

        `bodies`: a request body by format.
        """
        from rag.models.sagemaker.stream_decoder import detect_format

        configured = str(self._settings.format)
        refused: ModelError | None = None
        for name in [configured, *(each for each in bodies if each != configured)]:
            try:
                formats = detect_format(self._ask(bodies[name]))
            except ModelError as exc:
                # Another format is worth a try only if the container was reached and refused the request.
                if _code(exc) != "ModelError" or isinstance(exc, ModelTimeout):
                    return self._unreachable(exc)
                refused = refused or exc
                continue
            if configured in formats:
                return None if name == configured else self._finding(f"it refuses {configured!r}", FORMAT=name)
            if fitting := [each for each in formats if each in bodies]:
                return self._finding(f"it does not answer as {configured!r}", FORMAT=fitting[0])
            kind = "an embedding" if formats else "nothing known"
            return self._finding(f"{self._name!r} answers {kind}, as {formats[0] if formats else 'no known format'}")
        summary = "" if type(refused) is ModelError else f"{self._name!r} refuses every known format; "
        return self._finding(f"{summary}as {configured!r}: {refused}")

    def _ask(self, body: bytes) -> bytes:
        from rag.models.cancellation import CancelScope
        from rag.models.sagemaker.client import Endpoint, shared_runtime

        endpoint = Endpoint(self._name, self._settings.inference_component)
        return shared_runtime().invoke(endpoint, body, CancelScope(TIMEOUT_SECONDS))

    def _unreachable(self, error: ModelError) -> Finding:
        """A finding from the endpoint's description if the caller may describe it, else from the error."""
        from rag.models.sagemaker.client import describe_endpoint

        # Only for errors in the request's names: a caller who may invoke need not have permission to describe.
        endpoint = describe_endpoint(self._name) if _code(error) in ("ValidationError", "ValidationException") else None
        if endpoint is None:
            return self._finding(str(error))
        if endpoint.status is None:
            near = difflib.get_close_matches(self._name, endpoint.others, n=1)
            others = f"there are {', '.join(endpoint.others)}" if endpoint.others else "there is none"
            text = f"there is no endpoint {self._name!r} in {endpoint.region}; {others}"
            return self._finding(text, **({"ENDPOINT_NAME": near[0]} if near else {}))
        if endpoint.status != "InService":
            advice = (
                "wait until it is InService"
                if endpoint.status.endswith("ing")
                else endpoint.reason or "create it again"
            )
            return self._finding(f"the endpoint {self._name!r} is {endpoint.status}; {advice}")
        if "nference Component" in str(error):  # InService, and the component is missing or unknown
            if (component := self._settings.inference_component) and not endpoint.components:
                text = f"the endpoint {self._name!r} has no inference component {component!r}; leave INFERENCE_COMPONENT empty"
                return self._finding(text)
            text = f"the endpoint {self._name!r} requires the name of one of its inference components"
            return self._finding(text, INFERENCE_COMPONENT="|".join(endpoint.components) or "NAME")
        return self._finding(str(error))


def _code(error: ModelError) -> str:
    """The error code of the AWS service; empty if the cause is not an error response."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _elapsed(began: float) -> str:
    return f"{1000 * (time.monotonic() - began):.0f} ms"
