"""Smoke tests of the endpoints with the chatbot's own clients, on AWS and on the emulator."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.stack import Embedding, Llm, Nli, Stack, settings
from rag.errors import DeployError

if TYPE_CHECKING:
    from rag.models.sagemaker.client import Runtime

FAQ = Path(__file__).resolve().parents[1] / "data" / "faq" / "saenarae_bank.csv"
SUMMARISE = "다음 글을 요약해 주세요."
SUMMARY_CHARACTERS = 1500
KOSIMCSE = "BM-K/KoSimCSE-roberta"
PAIRS = (
    ("타기관OTP 이용등록방법 알려주세요", "타기관OTP 등록방법 알려줘요", 94.39),
    ("타기관OTP 이용등록방법 알려주세요", "다른곳OTP 사용방법 알려줘", 74.79),
    ("타기관OTP 이용등록방법 알려주세요", "안녕 친구들!", 14.97),
)
"""Pairs of texts with 100 times their cosine similarity, as the public workshop printed it for KoSimCSE; nearest first."""
NLI_PAIRS = (
    ("이체 수수료는 면제됩니다.", "이체 수수료는 면제됩니다."),
    ("이체 수수료는 면제됩니다.", "이체 수수료는 면제되지 않습니다."),
)
"""A premise with itself and with its opposite as hypotheses."""
TOLERANCE = 1.0
"""Largest accepted difference from the similarities in PAIRS."""
TIMEOUT_SECONDS = 60.0
"""Time allowed for one request, as by SageMaker."""


def probe(stack: Stack, region: str, *, emulated: bool = False, first: bool = False) -> Iterator[str]:
    """Send requests to each endpoint and yield lines of results. Raises ModelError, and DeployError for a wrong answer.

    `first`: only check that each endpoint answers. `emulated`: the emulator serves another model than the stack file names,
    so its similarities are not compared with the model's.
    """
    from rag.models.sagemaker.client import Runtime

    runtime = Runtime(region)
    try:
        if stack.embedding:
            lines = _embedding(stack.embedding, runtime, emulated=emulated)
            yield from islice(lines, 1) if first else lines
        if stack.llm:
            lines = _llm(stack.llm, runtime)
            yield from islice(lines, 1) if first else lines
        if stack.nli:
            yield _nli(stack.nli, runtime)
    finally:
        runtime.close()


def similarities(vectors: list[list[float]]) -> list[float]:
    """100 times the cosine similarity of each pair. `vectors`: of the texts of PAIRS in order, two per pair."""
    from llama_index.core.base.embeddings.base import similarity

    return [100 * similarity(one, other) for one, other in zip(vectors[::2], vectors[1::2], strict=True)]


def check_similarities(measured: list[float], *, kosimcse: bool) -> str | None:
    """Describe what is wrong with the similarities of PAIRS; None if they are plausible.

    `kosimcse`: also compare them with the known values of KoSimCSE.
    """
    if kosimcse and any(abs(value - known) > TOLERANCE for value, (_, _, known) in zip(measured, PAIRS, strict=True)):
        return (
            f"similarities differ from KoSimCSE's by more than {TOLERANCE:g}; "
            "set `pooling` to cls on the endpoint and in the stack file"
        )
    if not measured[0] > measured[2]:
        return "a paraphrase is no more similar than a greeting; check `pooling` and the prefixes in the stack file"
    return None


def _embedding(endpoint: Embedding, runtime: object, *, emulated: bool) -> Iterator[str]:
    from rag.models.sagemaker.embedding import SageMakerEmbedding

    arguments = endpoint.model_dump(exclude_none=True, include={"format", "pooling", "dimension", "query_prefix"})
    # Some containers load the model with the first request, which takes longer than the chatbot's deadline.
    arguments["query_deadline"] = TIMEOUT_SECONDS
    model = SageMakerEmbedding(endpoint.endpoint_name, runtime=runtime, **arguments)  # type: ignore[arg-type]
    began = time.monotonic()
    vectors = [model.get_query_embedding(text) for pair in PAIRS for text in pair[:2]]
    spent = (time.monotonic() - began) / len(vectors)
    yield f"{endpoint.endpoint_name}: dimension {len(vectors[0])}, {1000 * spent:.0f} ms per request"
    measured = similarities(vectors)
    for value, (one, other, known) in zip(measured, PAIRS, strict=True):
        yield f"  {value:6.2f}  {one} / {other}" + (f"  (KoSimCSE: {known})" if endpoint.model == KOSIMCSE else "")
    if problem := check_similarities(measured, kosimcse=endpoint.model == KOSIMCSE and not emulated):
        raise DeployError(f"{endpoint.endpoint_name}: {problem}")


def _llm(endpoint: Llm, runtime: object) -> Iterator[str]:
    from llama_index.core.base.llms.types import ChatMessage, MessageRole

    from rag.models.sagemaker.llm import SageMakerLLM

    named = [name.partition("__")[2].lower() for name, _ in settings(Stack(llm=endpoint))]
    arguments = endpoint.model_dump(exclude_none=True, include=set(named) - {"endpoint_name", "max_new_tokens"})
    model = SageMakerLLM(endpoint.endpoint_name, runtime=runtime, max_new_tokens=256, **arguments)  # type: ignore[arg-type]
    messages = [
        ChatMessage(role=MessageRole.SYSTEM, content=SUMMARISE),
        ChatMessage(role=MessageRole.USER, content=text_to_summarise(model.context_window)),
    ]
    began, first, text = time.monotonic(), None, ""
    for response in model.stream_chat(messages):
        first = first or time.monotonic() - began
        text = str(response.message.content)
    if not text.strip():
        raise DeployError(
            f"{endpoint.endpoint_name}: the answer is empty; check that llm.format fits the container, and read its log"
        )
    whole = time.monotonic() - began
    yield f"{endpoint.endpoint_name}: first text after {first or whole:.2f} s, {len(text)} characters in {whole:.2f} s"
    yield f"  {' '.join(text.split())[:200]}"


def _nli(endpoint: Nli, runtime: Runtime) -> str:
    from rag.models.sagemaker.nli import SageMakerNli

    model = SageMakerNli(endpoint.endpoint_name, format=endpoint.format, deadline=TIMEOUT_SECONDS, runtime=runtime)
    began = time.monotonic()
    same, other = model.scores(NLI_PAIRS)
    spent = (time.monotonic() - began) / len(NLI_PAIRS)
    if same["entailment"] <= other["entailment"] or same["contradiction"] >= other["contradiction"]:
        raise DeployError(
            f"{endpoint.endpoint_name}: the opposite of a premise is entailed rather than the premise; deploy an NLI model "
            "that was trained on Korean"
        )
    figures = f"entailment {same['entailment']:.2f}, of the opposite {other['entailment']:.2f}, {1000 * spent:.0f} ms"
    return f"{endpoint.endpoint_name}: {figures} per pair"


def text_to_summarise(context_window: int) -> str:
    """Answers of a fictional bank, SUMMARY_CHARACTERS at most, fewer for a small context window (tokens)."""
    with FAQ.open(encoding="utf-8-sig", newline="") as file:
        answers = [row["answer"] for row in islice(csv.DictReader(file), 30)]
    return " ".join(answers)[: min(SUMMARY_CHARACTERS, max(200, context_window - 512))]
