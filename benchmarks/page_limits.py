"""Measures the effect of a flood by one visitor on another, and whether the time of a failed login reveals user names.

    python -m benchmarks.page_limits [--seconds 60] [--json OUT]

A page over the bundled FAQ in a process of its own. One visitor asks a normal question each half second, for that time
without and for that time with another who sends the longest questions allowed, four at a time without a pause; the ratio of
the p95s is to be at most 2. Then the medians of 30 wrong passwords for a real, an invented and a locked name are to be
within 10 % of each other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from rag.ui.auth import MAX_ATTEMPTS, Login, PasswordHash, hash_password
from rag.ui.connections import free_port

API = "/gradio_api/call/ask"
NORMAL = ("OTP를 잃어버렸는데 어떻게 하나요?", "이체한도를 늘리고 싶어요", "인증서를 갱신하려면 어디로 가나요?")
WORDS = (
    "이체",
    "한도",
    "비밀번호",
    "인증서",
    "카드",
    "대출",
    "예금",
    "금리",
    "분실",
    "신고",
    "재발급",
    "수수료",
    "환율",
)


def browser(url: str) -> httpx.Client:
    client = httpx.Client(base_url=url, timeout=120)
    client.get("/").raise_for_status()
    return client


def ask(client: httpx.Client, question: str) -> float:
    """Seconds to the answer."""
    began = time.perf_counter()
    sent = client.post(API, json={"data": [question, None, None]})
    sent.raise_for_status()
    client.get(f"{API}/{sent.json()['event_id']}").raise_for_status()
    return time.perf_counter() - began


def p95_of(client: httpx.Client, seconds: float) -> float:
    end, times = time.perf_counter() + seconds, []
    while time.perf_counter() < end:
        times.append(ask(client, random.choice(NORMAL)))
        time.sleep(0.5)
    return statistics.quantiles(times, n=20)[-1]


def flood(url: str, stop: threading.Event, sent: list[int]) -> None:
    client = browser(url)

    def one() -> None:
        choose = random.Random()
        while not stop.is_set():
            question = " ".join(choose.choices(WORDS, k=400))[:1000]
            try:
                ask(client, question)
                sent[0] += 1
            except httpx.HTTPStatusError:
                sent[1] += 1

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()


def login_medians() -> dict[str, float]:
    """Milliseconds of a failed login by kind of name, measured alternately so that the machine's load is the same."""
    login = Login({"kim": PasswordHash.parse(hash_password("right")), "lee": PasswordHash.parse(hash_password("word"))})
    times: dict[str, list[float]] = {"real": [], "invented": [], "locked": []}
    with asyncio.Runner() as runner:
        for _ in range(MAX_ATTEMPTS):
            runner.run(login.check("lee", "wrong"))
        for number in range(30):
            names = {"real": "kim", "invented": f"nobody{number}", "locked": "lee"}
            for kind, name in names.items():
                began = time.perf_counter()
                runner.run(login.check(name, "wrong"))
                times[kind].append(1000 * (time.perf_counter() - began))
            runner.run(login.check("kim", "right"))  # so that it is not locked
    return {kind: statistics.median(each) for kind, each in times.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    url = f"http://127.0.0.1:{(port := free_port('127.0.0.1', 7860))}"
    process = subprocess.Popen([sys.executable, "app.py", "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                if httpx.get(f"{url}/healthz").json() == {"status": "ready"}:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        customer = browser(url)
        for question in NORMAL * 3:
            ask(customer, question)
        alone = p95_of(customer, options.seconds)
        stop, sent = threading.Event(), [0, 0]
        flooding = threading.Thread(target=flood, args=(url, stop, sent))
        flooding.start()
        beside = p95_of(customer, options.seconds)
        stop.set()
        flooding.join()
        customer.close()
    finally:
        process.terminate()
        process.wait()
    medians = login_medians()
    result = {
        "p95_alone_s": alone,
        "p95_beside_a_flood_s": beside,
        "ratio": beside / alone,
        "flood_answered": sent[0],
        "flood_refused": sent[1],
        "login_ms": medians,
        "login_spread": max(medians.values()) / min(medians.values()) - 1,
    }
    print(f"p95 alone {alone:.3f} s, beside a flood {beside:.3f} s: {beside / alone:.2f} times (limit 2)")
    print(f"the flood had {sent[0]} answers and {sent[1]} refusals")
    print(
        f"wrong password, ms: {', '.join(f'{kind} {value:.0f}' for kind, value in medians.items())} (limit 10 % apart)"
    )
    if options.json:
        options.json.write_text(json.dumps(result, indent=2), encoding="utf-8")
    return 0 if beside <= 2 * alone else 1


if __name__ == "__main__":
    sys.exit(main())
