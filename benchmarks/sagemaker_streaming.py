"""Compares SageMakerLLM's streams with those of boto3: first token and total of one, first tokens of 64 concurrent ones.

    python -m benchmarks.sagemaker_streaming [--pairs N] [--json OUT]

Ours and boto3's run in turn in one process, against an emulator in another. One stream: 16 tokens at 10 ms for the first token
(p50), 256 for the total. 64 at once: 32 tokens at 50 ms each, the p95 of first tokens, and of those the median over pairs.
Exit 1 over a limit.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks._emulated import emulated

AT_ONCE = 64
FIRST_TOKEN_MS = 3.0
TOTAL_RATIO = 1.01
BUSY_RATIO, BUSY_MS = 1.2, 10.0
NEW_TOKENS = 300
PROMPT = "이체한도를 늘리려면 어떻게 하나요?"

Pieces = Callable[[str], Iterable[str]]
"""A client: a function from an endpoint's name to the pieces of its answer."""


def raw() -> Pieces:
    import boto3
    from botocore.config import Config

    client = boto3.client("sagemaker-runtime", config=Config(max_pool_connections=AT_ONCE))
    body = json.dumps({"inputs": PROMPT, "parameters": {"max_new_tokens": NEW_TOKENS}, "stream": True}).encode()

    def pieces(endpoint: str) -> Iterator[str]:
        response = client.invoke_endpoint_with_response_stream(
            EndpointName=endpoint, Body=body, ContentType="application/json"
        )
        for event in response["Body"]:
            yield event["PayloadPart"]["Bytes"]

    return pieces


def ours(endpoints: Iterable[str]) -> Pieces:
    from rag.models.sagemaker.llm import SageMakerLLM

    models = {
        name: SageMakerLLM(name, format="lmi", context_window=4096, max_new_tokens=NEW_TOKENS) for name in endpoints
    }

    def pieces(endpoint: str) -> Iterator[str]:
        for response in models[endpoint].stream_complete(PROMPT):
            if response.delta:
                yield response.delta

    return pieces


def one(pieces: Pieces, endpoint: str) -> tuple[float, float]:
    """Milliseconds to the first token and to the end."""
    began = time.perf_counter()
    first = 0.0
    for _ in pieces(endpoint):
        first = first or time.perf_counter() - began
    return 1000 * first, 1000 * (time.perf_counter() - began)


def many(pieces: Pieces, endpoint: str) -> float:
    """The p95 of the first tokens of 64 streams at once, in milliseconds."""
    firsts: list[float] = []
    ready = threading.Barrier(AT_ONCE)

    def stream() -> None:
        ready.wait()
        firsts.append(one(pieces, endpoint)[0])

    threads = [threading.Thread(target=stream) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return quantiles(firsts, n=20)[-1]


def in_turn(work: Callable[[Pieces], Any], clients: dict[str, Pieces], pairs: int) -> dict[str, list[Any]]:
    """The figures of each client; which one goes first alternates from pair to pair."""
    found: dict[str, list[Any]] = {name: [] for name in clients}
    for pair in range(pairs):
        for name in list(clients) if pair % 2 else reversed(list(clients)):
            found[name].append(work(clients[name]))
    return found


def measure(pairs: int) -> dict[str, dict[str, float]]:
    answer = {"task": "generate", "format": "lmi", "latency_ms": 10}
    endpoints = [
        {**answer, "name": "short", "answer": "가나 " * 16, "tokens_per_second": 100},
        {**answer, "name": "long", "answer": "가나 " * 256, "tokens_per_second": 100},
        {**answer, "name": "busy", "answer": "가나 " * 32, "tokens_per_second": 20},
    ]
    with emulated(*endpoints) as environment:
        os.environ.update(environment)
        clients = {"ours": ours(["short", "long", "busy"]), "boto3": raw()}
        in_turn(lambda client: one(client, "short"), clients, 3)
        firsts = in_turn(lambda client: one(client, "short")[0], clients, 3 * pairs)
        totals = in_turn(lambda client: one(client, "long")[1], clients, max(3, pairs // 3))
        in_turn(lambda client: many(client, "busy"), clients, 1)
        busy = in_turn(lambda client: many(client, "busy"), clients, pairs)
    return {
        name: {
            "first_token_p50_ms": median(firsts[name]),
            "total_ms": median(totals[name]),
            "busy_first_token_p95_ms": median(busy[name]),
        }
        for name in clients
    }


def failures(ours: dict[str, float], boto3: dict[str, float]) -> Iterator[str]:
    """A line for each limit that is exceeded."""
    behind = ours["first_token_p50_ms"] - boto3["first_token_p50_ms"]
    if behind > FIRST_TOKEN_MS:
        yield f"the first token comes {behind:.1f} ms later, {FIRST_TOKEN_MS} wanted"
    if ours["total_ms"] > TOTAL_RATIO * boto3["total_ms"]:
        yield f"the total is more than {TOTAL_RATIO} of boto3's"
    key = "busy_first_token_p95_ms"
    if ours[key] > max(BUSY_RATIO * boto3[key], boto3[key] + BUSY_MS):
        yield f"with {AT_ONCE} at once the first token is over {BUSY_RATIO} of boto3's and {BUSY_MS} ms behind"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    found = measure(options.pairs)
    print(f"{'':40}{'ours':>12}{'boto3':>12}{'ratio':>8}")
    for name, shown in (
        ("first_token_p50_ms", "one stream, first token p50, ms"),
        ("total_ms", "one stream, total of 256 tokens, ms"),
        ("busy_first_token_p95_ms", f"{AT_ONCE} streams, first token p95, ms"),
    ):
        mine, theirs = found["ours"][name], found["boto3"][name]
        print(f"{shown:40}{mine:12.1f}{theirs:12.1f}{mine / theirs:8.3f}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    wrong = list(failures(found["ours"], found["boto3"]))
    print("\n".join(wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
