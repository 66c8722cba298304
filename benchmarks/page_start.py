"""Measures the start of the page: time to the page, the longest request while loading, and time to the first answer.

    python -m benchmarks.page_start [--rounds N] [--json OUT]

Each figure is a ratio to a peer, measured alternately in the same run: the page to an empty Gradio page, the first answer to
importing what it needs. The longest request while loading is in seconds. Exits with 1 over a limit.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx

ROOT = Path(__file__).parents[1]
TIMEOUT_SECONDS = 180.0
"""Time limit of a process in seconds; the first round may build the bundled index."""

BARE = """
import sys
import gradio as gr
with gr.Blocks() as page:
    gr.Textbox()
page.launch(server_port=int(sys.argv[1]), quiet=True, ssr_mode=False)
"""
IMPORTS = "import gradio, llama_index.core, faiss, onnxruntime"
QUESTION = "OTP를 잃어버렸는데 어떻게 하나요?"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    run_answer()
    rounds = [(run_bare(), *run_page(), run_imports(), run_answer()) for _ in range(options.rounds)]
    bare, first, stall, imports, answer = zip(*rounds, strict=True)
    figures = {
        "first_page": {
            "seconds": median(first),
            "bare_gradio": median(bare),
            "ratio": median(first) / median(bare),
            "limit": 1.3,
        },
        "longest_stall": {"seconds": max(stall), "limit": 1.5},
        "first_answer": {
            "seconds": median(answer),
            "imports": median(imports),
            "ratio": median(answer) / median(imports),
            "limit": 1.3,
        },
    }
    for name, figure in figures.items():
        print(name, "  ".join(f"{key} {value:.2f}" for key, value in figure.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(any(figure.get("ratio", figure["seconds"]) > figure["limit"] for figure in figures.values()))


def run_bare() -> float:
    """Seconds from the start of a process with an empty Gradio page to its first response with status 200."""
    port = unused_port()
    with process("-c", BARE, str(port)) as began:
        return until_200(f"http://127.0.0.1:{port}/", began)


def run_page() -> tuple[float, float]:
    """Seconds to our page's first response with status 200, and of the longest request until loading ends."""
    with page() as (url, began):
        first = until_200(url + "/", began)
        return first, longest_request(url)


def run_answer() -> float:
    """Seconds to the first answer, asked for as soon as the page answers."""
    with page() as (url, began):
        until_200(url + "/", began)
        return ask(url) - began


def run_imports() -> float:
    """Seconds of a process that only imports what the first answer needs."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, check=True)
    return time.perf_counter() - began


def longest_request(url: str) -> float:
    """Ask for the page every 50 ms until the service is ready; the longest wait in seconds."""
    longest = 0.0
    with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS) as client:
        while (health := client.get("/healthz").json()["status"]) == "loading":
            began = time.perf_counter()
            client.get("/")
            longest = max(longest, time.perf_counter() - began)
            time.sleep(0.05)
    if health != "ready":
        sys.exit("the page could not load its service; see its messages above")
    return longest


def ask(url: str) -> float:
    """Ask through the page's API; returns the clock at the answer."""
    with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS) as client:
        event = client.post("/gradio_api/call/ask", json={"data": [QUESTION, None, None]}).json()["event_id"]
        if "event: complete" not in client.get(f"/gradio_api/call/ask/{event}").text:
            sys.exit("the page answered with an error; see its messages above")
    return time.perf_counter()


def until_200(url: str, began: float) -> float:
    with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
        while time.perf_counter() - began < TIMEOUT_SECONDS:
            try:
                if client.get(url).status_code == 200:
                    return time.perf_counter() - began
            except httpx.TransportError:
                time.sleep(0.02)
    sys.exit(f"no page at {url} after {TIMEOUT_SECONDS:.0f} s")


@contextmanager
def page() -> Iterator[tuple[str, float]]:
    """Run our page in a separate process; yields its address and the clock at its start."""
    port = unused_port()
    with process("app.py", "--port", str(port)) as began:
        yield f"http://127.0.0.1:{port}", began


@contextmanager
def process(*arguments: str) -> Iterator[float]:
    """Run a Python process in the project's folder and end it afterwards; yields the clock at its start."""
    began = time.perf_counter()
    running = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        yield began
    finally:
        running.terminate()
        running.wait()


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
