"""`python -m rag doctor`: asks the configured models one small thing each, and says which setting to write.

Knows no index: whether that fits is checked where it is opened. A model gets SECONDS to answer, in each format tried.
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
from rag.settings import EmbeddingSettings, LlmSettings, Settings

SECONDS = 10.0
TEXT = "이체한도를 늘리려면 어떻게 하나요?"
ANSWER_TOKENS = 16
SOURCE_TOKENS = 300
"""About what the question and one source of middling length take."""
LEAST_WINDOW = 32
"""Tokens; no setting goes below."""
WINDOW = 2048
"""What every model in use has at least."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line on one model. `fix`: what to write, as NAME=VALUE, where that is known."""

    subject: str
    text: str
    ok: bool = True
    fix: str = ""

    def __str__(self) -> str:
        verdict = "" if self.ok else "WRONG: "
        return f"{self.subject}: {verdict}{self.text}{f'; write {self.fix}' if self.fix else ''}"


@dataclass(frozen=True, slots=True)
class Subject:
    """A model that is examined: its name in findings, and the prefix of its settings."""

    name: str
    prefix: str

    def ok(self, text: str) -> Finding:
        """A finding that asks for nothing."""
        return Finding(self.name, text)

    def fail(self, text: str, **fixes: str) -> Finding:
        """A finding that asks for `fixes`. Settings in the text, and those to write, get their full names."""
        fix = " ".join(f"{self.prefix}{name}={value}" for name, value in fixes.items() if value)
        return Finding(self.name, _SETTING.sub(rf"{self.prefix}\1", text), ok=False, fix=fix)


EMBEDDING = Subject("embedding", "FSI_EMBEDDING__")
LLM = Subject("language model", "FSI_LLM__")
_SETTING = re.compile(
    r"(?<![\w'])(BASE_URL|MODEL|API_KEY|FORMAT|DIMENSION|CONTEXT_WINDOW|MAX_NEW_TOKENS|MAX_TOKENS|INFERENCE_COMPONENT)\b"
)
"""As messages of the models name them, which do not know whose they are."""


def examine(settings: Settings) -> Iterator[Finding]:
    """What there is to say of each model on a network; nothing of a local one."""
    yield from _guarded(EMBEDDING, settings.embedding, lambda: _embedding(settings.embedding))
    yield from _guarded(LLM, settings.llm, lambda: _language_model(settings.llm))


def _guarded(
    subject: Subject, settings: EmbeddingSettings | LlmSettings, examine_one: Callable[[], Iterable[Finding]]
) -> Iterator[Finding]:
    try:
        yield from examine_one()
    except RagError as exc:
        served = _served(settings) if isinstance(exc, ModelRefused) else ()
        # However far: a server mostly serves one model, and its name is what to write.
        near = difflib.get_close_matches(settings.model or "", served, n=1, cutoff=0.0)
        if near and near[0] != settings.model:
            yield subject.fail(f"{exc}; it serves {', '.join(served)}", MODEL=near[0])
        else:
            yield subject.fail(str(exc))


def _served(settings: EmbeddingSettings | LlmSettings) -> tuple[str, ...]:
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
    # One try of everything the class does, with the limits of a question.
    bounded = settings.model_copy(update={"deadline": min(SECONDS, settings.deadline), "dimension": None})
    with _in_use(remote_embedding(bounded)) as model:
        size = len(model.get_text_embedding(TEXT))
        # A whole batch: an endpoint may take one text and refuse as many as are sent at once.
        model.get_text_embedding_batch([f"{TEXT} {number}" for number in range(settings.batch_size)])
        window = _read_to_the_end(model.get_text_embedding_batch, settings.max_tokens)
    if settings.dimension not in (None, size):
        yield EMBEDDING.fail(f"its vectors have {size} numbers, not {settings.dimension}", DIMENSION=str(size))
        return
    name = settings.endpoint_name or settings.model
    if window < settings.max_tokens:
        said = f"{name} cuts texts silently before {settings.max_tokens} tokens (MAX_TOKENS): what stands after is never found"
        yield EMBEDDING.fail(said, MAX_TOKENS=str(max(window, LEAST_WINDOW)))
        return
    yield EMBEDDING.ok(f"{name} answers with {size} numbers a text ({_spent(began)})")


def _read_to_the_end(embed: Callable[[list[str]], list[list[float]]], window: int) -> int:
    """The longest of `window`, its half, its quarter ... at which texts that differ in their last words get two vectors.

    As many tokens as a passage is given at most, counted as passages are. 0 where even the shortest are the same.
    """
    from rag.models.parameters import estimate_tokens

    while window >= LEAST_WINDOW:
        common = TEXT * max(1, window // estimate_tokens(TEXT) - 1)  # the last words fit too
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
        from rag.models.parameters import Parameters
        from rag.models.sagemaker.llm_payloads import LLM_FORMATS

        few = Parameters(max_new_tokens=ANSWER_TOKENS)
        bodies = {name: codec.request([("user", TEXT)], few) for name, codec in LLM_FORMATS.items()}
        failure = _SageMaker(LLM, settings).failure(bodies)
        if failure:
            yield failure
            return
    from llama_index.core.base.llms.types import ChatMessage

    bounded = settings.model_copy(
        update={
            "deadline": min(SECONDS, settings.deadline),
            "max_new_tokens": min(ANSWER_TOKENS, settings.max_new_tokens),
        }
    )
    with _in_use(language_model(bounded)) as model:
        pieces = sum(1 for response in model.stream_chat([ChatMessage(content=TEXT)]) if response.delta)
    if too_narrow := _too_narrow(settings):
        yield too_narrow
        return
    name = settings.endpoint_name or settings.model
    streamed = "streams" if pieces > 1 else "answers in one piece"
    yield LLM.ok(f"{name} {streamed} ({_spent(began)})")


def _too_narrow(settings: LlmSettings) -> Finding | None:
    """A model whose window its own answer fills is never asked: no source would fit beside it."""
    from rag.models.parameters import estimate_tokens
    from rag.synthesis import texts
    from rag.synthesis.prompt_builder import FRAME

    def room(answer_tokens: int) -> int:
        return settings.context_window - answer_tokens - FRAME - estimate_tokens(texts.ANSWERING)

    if room(settings.max_new_tokens) >= SOURCE_TOKENS:
        return None
    quarter = settings.context_window // 4
    fix = {"MAX_NEW_TOKENS": quarter} if room(quarter) >= SOURCE_TOKENS else {"CONTEXT_WINDOW": WINDOW}
    return LLM.fail(
        f"of {settings.context_window} tokens (CONTEXT_WINDOW), {settings.max_new_tokens} are kept for its answer "
        "(MAX_NEW_TOKENS): no room for a source, so it would never be asked",
        **{name: str(tokens) for name, tokens in fix.items()},
    )


@contextmanager
def _in_use(model: Any) -> Iterator[Any]:
    """Closed afterwards, where it can be: those of SageMaker share the program's connections."""
    try:
        yield model
    finally:
        if hasattr(model, "close"):
            model.close()


class _SageMaker:
    """Asks one endpoint in each format, the configured one first, until it understands."""

    def __init__(self, subject: Subject, settings: EmbeddingSettings | LlmSettings) -> None:
        self._finding = subject.fail
        self._settings = settings
        self._name = settings.endpoint_name or ""

    def failure(self, bodies: Mapping[str, bytes]) -> Finding | None:
        """What is wrong with the endpoint's name, its state or the format; None where all is right."""
        from rag.models.sagemaker.format_detection import detect_format

        configured = str(self._settings.format)
        refused: ModelError | None = None
        for name in [configured, *(each for each in bodies if each != configured)]:
            try:
                formats = detect_format(self._ask(bodies[name]))
            except ModelError as exc:
                # Only where the container was reached and did not like the request is another format worth a try.
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
        all_of_them = "" if type(refused) is ModelError else f"{self._name!r} refuses every known format; "
        return self._finding(f"{all_of_them}as {configured!r}: {refused}")

    def _ask(self, body: bytes) -> bytes:
        from rag.models.cancellation import CancelScope
        from rag.models.sagemaker.client import Endpoint, shared_runtime

        endpoint = Endpoint(self._name, self._settings.inference_component)
        return shared_runtime().invoke(endpoint, body, CancelScope(SECONDS))

    def _unreachable(self, error: ModelError) -> Finding:
        """Told by the control plane where it may be asked, else by the error itself."""
        from rag.models.sagemaker.control_plane import describe_endpoint

        # Asked only where the request names nothing that is there: who may invoke need not have leave to describe.
        endpoint = describe_endpoint(self._name) if _code(error) in ("ValidationError", "ValidationException") else None
        if endpoint is None:
            return self._finding(str(error))
        if endpoint.status is None:
            near = difflib.get_close_matches(self._name, endpoint.others, n=1)
            there = f"there are {', '.join(endpoint.others)}" if endpoint.others else "there is none"
            text = f"there is no endpoint {self._name!r} in {endpoint.region}, {there}"
            return self._finding(text, **({"ENDPOINT_NAME": near[0]} if near else {}))
        if endpoint.status != "InService":
            wait = (
                "wait until it is InService" if endpoint.status.endswith("ing") else endpoint.reason or "make it again"
            )
            return self._finding(f"the endpoint {self._name!r} is {endpoint.status}: {wait}")
        if "nference Component" in str(error):  # InService, and the request names none, or one that is not there
            if (component := self._settings.inference_component) and not endpoint.components:
                text = f"the endpoint {self._name!r} shows no inference component {component!r}: leave INFERENCE_COMPONENT empty"
                return self._finding(text)
            text = f"the endpoint {self._name!r} wants the name of an inference component of its own"
            return self._finding(text, INFERENCE_COMPONENT="|".join(endpoint.components) or "NAME")
        return self._finding(str(error))


def _code(error: ModelError) -> str:
    """The service's own name for what went wrong."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _spent(began: float) -> str:
    return f"{1000 * (time.monotonic() - began):.0f} ms"
