"""Compares SageMakerEmbedding with boto3 on threads, and with LlamaIndex's and LangChain's integrations, on 1,000 texts.

    python -m benchmarks.sagemaker_embedding [--rounds N] [--json OUT]

The endpoint takes 50 ms and 1 ms per text, 8 requests at once. Its own limit for n texts in batches of b is then
ceil(ceil(n/b)/8) · (50 + b) ms; each client is shown as a ratio to that of b = 32. Every client runs in a process of its own
against one emulator, and all must give the same vectors in the same order. Exit 1 over our limit.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._emulated import PEERS, emulated, part

ENDPOINT = "bench-embedding"
TEXTS, BATCH, AT_ONCE = 1000, 32, 8
LATENCY_MS, PER_TEXT_MS = 50.0, 1.0
LIMIT = 1.35

Embed = Callable[[list[str]], list[list[float]]]


def ours() -> Embed:
    from rag.models.sagemaker.embedding import SageMakerEmbedding

    model = SageMakerEmbedding(ENDPOINT, format="tei", batch_size=BATCH, concurrency=AT_ONCE)
    return model.get_text_embedding_batch


def boto3_threads() -> Embed:
    from concurrent.futures import ThreadPoolExecutor

    import boto3
    from botocore.config import Config

    client = boto3.client("sagemaker-runtime", config=Config(max_pool_connections=AT_ONCE))
    pool = ThreadPoolExecutor(AT_ONCE)

    def one(batch: list[str]) -> list[list[float]]:
        body = json.dumps({"inputs": batch}).encode()
        response = client.invoke_endpoint(EndpointName=ENDPOINT, Body=body, ContentType="application/json")
        found: list[list[float]] = json.loads(response["Body"].read())
        return found

    def embed(texts: list[str]) -> list[list[float]]:
        batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        return [vector for found in pool.map(one, batches) for vector in found]

    return embed


def llamaindex(batch: int = 10) -> Embed:
    from llama_index.embeddings.sagemaker_endpoint import SageMakerEmbedding

    model = SageMakerEmbedding(endpoint_name=ENDPOINT, embed_batch_size=batch)
    embed: Embed = model.get_text_embedding_batch
    return embed


def llamaindex_32() -> Embed:
    return llamaindex(BATCH)


def langchain() -> Embed:
    from langchain_community.embeddings import SagemakerEndpointEmbeddings
    from langchain_community.embeddings.sagemaker_endpoint import EmbeddingsContentHandler

    class Handler(EmbeddingsContentHandler):  # type: ignore[misc]
        content_type = "application/json"
        accepts = "application/json"

        def transform_input(self, prompt: list[str], model_kwargs: dict[str, Any]) -> bytes:
            return json.dumps({"inputs": prompt, **model_kwargs}).encode()

        def transform_output(self, output: Any) -> Any:
            return json.loads(output.read())

    model = SagemakerEndpointEmbeddings(endpoint_name=ENDPOINT, region_name="ap-northeast-2", content_handler=Handler())
    embed: Embed = model.embed_documents
    return embed


PARTS: dict[str, tuple[str, Callable[[], Embed], bool]] = {
    "ours": (f"SageMakerEmbedding, {BATCH} texts, {AT_ONCE} at once", ours, False),
    "boto3": (f"boto3, {BATCH} texts, {AT_ONCE} threads", boto3_threads, False),
    "llamaindex": ("LlamaIndex, its defaults (10 texts, one at a time)", llamaindex, True),
    "llamaindex_32": (f"LlamaIndex, {BATCH} texts, one at a time", llamaindex_32, True),
    "langchain": ("LangChain, its defaults (64 texts, one at a time)", langchain, True),
}
"""Name, function, and whether it needs the peers' environment."""


def run(name: str, rounds: int) -> dict[str, Any]:
    """Seconds of each round, after one text to warm up, and some of the vectors."""
    embed = PARTS[name][1]()
    embed(["준비"])
    texts = [f"{number}번 질문: 이체한도를 늘리려면 어떻게 하나요?" for number in range(TEXTS)]
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        found = embed(texts)
        seconds.append(time.perf_counter() - began)
    return {"seconds": seconds, "sample": [round(vector[0], 5) for vector in found]}


def endpoint_limit() -> float:
    """Lower limit in seconds for any client."""
    return math.ceil(math.ceil(TEXTS / BATCH) / AT_ONCE) * (LATENCY_MS + BATCH * PER_TEXT_MS) / 1000


def measure(rounds: int) -> dict[str, Any]:
    endpoint = {"name": ENDPOINT, "task": "embed", "format": "tei", "model": "hashed", "max_batch": 64}
    timing = {"latency_ms": LATENCY_MS, "per_text_ms": PER_TEXT_MS, "concurrency": AT_ONCE}
    found: dict[str, Any] = {}
    with emulated({**endpoint, **timing}) as environment:
        for name, (_, _, peer) in PARTS.items():
            if peer and not PEERS.exists():
                continue
            python = {"python": PEERS} if peer else {}
            arguments = ["--part", name, "--rounds", str(rounds)]
            found[name] = part("benchmarks.sagemaker_embedding", arguments, environment, **python)
    samples = {name: result.pop("sample") for name, result in found.items()}
    assert all(sample == samples["ours"] and len(sample) == TEXTS for sample in samples.values()), "vectors differ"
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(run(options.part, options.rounds)))
        return 0
    found, limit = measure(options.rounds), endpoint_limit()
    print(f"{TEXTS} texts; the endpoint's own limit for batches of {BATCH} is {limit:.3f} s")
    for name, result in found.items():
        taken = median(result["seconds"])
        result |= {"median_s": taken, "ratio": taken / limit}
        print(f"{PARTS[name][0]:52}{taken:8.3f} s{taken / limit:8.2f} of it")
    if not PEERS.exists():
        print("LlamaIndex and LangChain are not installed; `make bench` installs them apart from us")
    if options.json:
        options.json.write_text(json.dumps({"limit_s": limit, **found}, indent=1) + "\n", encoding="utf-8")
    print(f"ours: {found['ours']['ratio']:.2f}, at most {LIMIT} wanted")
    return int(found["ours"]["ratio"] > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
