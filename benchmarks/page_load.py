"""Compares the page under load with that of an earlier commit: time to first text, CPU per question, CPU while idle.

    python -m benchmarks.page_load [--commit 376e338] [--users 50] [--seconds 120] [--json OUT]

Both pages run over the bundled FAQ, on ports and in folders of their own; the earlier one from a worktree that is removed at
the end. They take turns, and the one that has none is stopped (SIGSTOP), so that both meet the same machine. A user asks
through the event of the page's own script, without a pause, questions of `dev` that both pages answer, each from another row:
for the CPU in conversations of ten, for the first text each in a conversation of its own, where both give it the text it is known
by. An answer is lost where the event ends without one, and mixed up where it shows another question than was asked. The users
run on the same cores. Over the rounds questions come again, whose vectors the page may keep.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from rag.ui.connections import free_port

ROOT = Path(__file__).parents[1]
EARLIER = "376e338"
TURNS = 10
ROUNDS = 2
IDLE_SECONDS = 15.0
LETTERS = re.compile(r"[^가-힣0-9A-Za-z]+")


@dataclass
class Page:
    """A running page."""

    name: str
    url: str
    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """CPU seconds of the process with all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @contextmanager
    def running(self) -> Iterator[None]:
        self.process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGSTOP)


@dataclass
class Tally:
    """Counts and times of the simulated users."""

    first: list[float] = field(default_factory=list)
    """Seconds until the first text of an answer."""
    whole: list[float] = field(default_factory=list)
    """Seconds until the end of an answer's event, after which the user asks again."""
    lost: int = 0
    otherwise: int = 0
    """Complete, with another text than the question gets alone: it was read as following what was said before."""
    mixed: int = 0
    sent_bytes: list[int] = field(default_factory=list)


def letters(text: str) -> str:
    """The letters of a text, without the punctuation, spaces and markup in which the two pages differ."""
    return LETTERS.sub("", re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), re.sub(r"<[^>]*>", "", text)))


def questions() -> list[str]:
    lines = (ROOT / "data/evaluation/queries.dev.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["query"] for line in lines]


@contextmanager
def page(name: str, folder: Path, work: Path) -> Iterator[Page]:
    port = free_port("127.0.0.1", 8130 if name == "now" else 8140)
    environment = os.environ | {"FSI_STORE__DIRECTORY": str(work / name)}
    command = [sys.executable, "app.py", "--port", str(port)]
    with (work / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    shown = Page(name, f"http://127.0.0.1:{port}", process)
    try:
        while answer(shown, "OTP를 잃어버렸어요") is None:  # the earlier commit embeds its FAQ first: minutes
            assert process.poll() is None, f"{name} has ended: see its log"
            time.sleep(1)
        yield shown
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:  # the earlier one waits for its visitors
            process.kill()
            process.wait()


def answer(shown: Page, question: str) -> str | None:
    """The text of the answer in the page's API, or None before there is one."""
    api = f"{shown.url}/gradio_api/call/ask"
    try:
        with httpx.Client(timeout=60) as client:
            client.get(shown.url)
            sent = client.post(api, json={"data": [question, None, None]})
            body = client.get(f"{api}/{sent.json()['event_id']}").text
    except (httpx.HTTPError, KeyError, ValueError):
        return None
    if "event: complete" not in body:
        return None
    found = json.loads(body.rpartition("data: ")[2].splitlines()[0])[0]
    return str(found["answer"]) if found["status"] == "answered" else ""


async def ask(client: httpx.AsyncClient, session: str, question: str, expected: str, tally: Tally) -> None:
    """Ask one question through the event of the page's script."""
    began, mark, seen, size = time.perf_counter(), expected[:16], False, 0
    body = {"data": [question, None, "", ""], "fn_index": 0, "session_hash": session, "trigger_id": None}
    joined = await client.post("/gradio_api/queue/join", json=body)
    if joined.status_code != 200:
        tally.lost += 1
        return
    last: Any = None
    async with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
        async for line in stream.aiter_lines():
            size += len(line)
            if not line.startswith("data: "):
                continue
            message = json.loads(line[6:])
            if not seen and mark in letters(line):
                seen = True
                tally.first.append(time.perf_counter() - began)
            if message["msg"] == "process_completed":
                last = message if message.get("success") else None
            if message["msg"] == "close_stream" or message["msg"] == "process_completed":
                break
    tally.whole.append(time.perf_counter() - began)
    tally.sent_bytes.append(size)
    tally.lost += last is None
    tally.otherwise += last is not None and not seen
    tally.mixed += last is not None and letters(question) not in letters(json.dumps(last, ensure_ascii=False))


async def user(
    url: str, asked: Sequence[tuple[str, str]], until: float, turns: int | None, tally: Tally, seed: int
) -> None:
    """Simulate a user. `turns`: one conversation with that many; None: conversations of one question until the time ends."""
    choose = random.Random(seed)
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        await client.get("/")
        if turns:
            for each in choose.sample(asked, turns):  # the page gives no row twice in a conversation
                await ask(client, f"user{seed}", *each, tally)
            return
        while time.perf_counter() < until:
            await ask(client, f"user{seed}x{choose.randrange(1 << 40)}", *choose.choice(asked), tally)


async def load(
    shown: Page, asked: Sequence[tuple[str, str]], users: int, seconds: float, turns: int | None, seed: int
) -> Tally:
    tally, until = Tally(), time.perf_counter() + seconds
    await asyncio.gather(*(user(shown.url, asked, until, turns, tally, 1000 * seed + n) for n in range(users)))
    return tally


def measure(pages: Sequence[Page], users: int, seconds: float) -> dict[str, dict[str, Any]]:
    pool = random.Random(13).sample(questions(), 160)
    known: dict[str, list[tuple[str, str]]] = {}
    found: dict[str, dict[str, Any]] = {}
    for shown in pages:
        with shown.running():
            answers = [(question, letters(answer(shown, question) or "")) for question in pool]
            by_text = {text: question for question, text in answers if len(text) >= 16}
            known[shown.name] = [(question, text) for text, question in by_text.items()]
            time.sleep(3)
            before = shown.cpu_s()
            time.sleep(IDLE_SECONDS)
            found[shown.name] = {"idle_cpu_ms_a_second": 1000 * (shown.cpu_s() - before) / IDLE_SECONDS}
    both = set.intersection(*({question for question, _ in each} for each in known.values()))
    crowd = {shown.name: Tally() for shown in pages}
    cpu: dict[str, list[float]] = {shown.name: [] for shown in pages}
    for turn in range(ROUNDS):
        for shown in pages:
            asked = [each for each in known[shown.name] if each[0] in both]
            with shown.running():
                began = shown.cpu_s()
                tally = asyncio.run(load(shown, asked, 20, 600, TURNS, 100 + turn))
                cpu[shown.name].append(1000 * (shown.cpu_s() - began) / (20 * TURNS))
                part = asyncio.run(load(shown, asked, users, seconds / ROUNDS, None, turn))
            crowd[shown.name].first += part.first
            crowd[shown.name].whole += part.whole
            crowd[shown.name].lost += part.lost + tally.lost
            crowd[shown.name].mixed += part.mixed + tally.mixed
            crowd[shown.name].otherwise += part.otherwise + tally.otherwise
    for name, tally in crowd.items():
        found[name] |= {
            "cpu_ms_a_question": statistics.median(cpu[name]),
            "answers": len(tally.first),
            "first_text_p50_s": statistics.median(tally.first),
            "first_text_p95_s": statistics.quantiles(tally.first, n=20)[-1],
            "whole_p50_s": statistics.median(tally.whole),
            "whole_p95_s": statistics.quantiles(tally.whole, n=20)[-1],
            "lost": tally.lost,
            "otherwise": tally.otherwise,
            "mixed": tally.mixed,
        }
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", default=EARLIER, help=f"the earlier page, {EARLIER} by default")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--work", type=Path, help="keep the indexes here: the earlier one takes minutes to build")
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        work = options.work or Path(temporary)
        work.mkdir(exist_ok=True)
        tree = Path(temporary) / "tree"
        subprocess.run(["git", "worktree", "add", "--detach", "-q", str(tree), options.commit], cwd=ROOT, check=True)
        stack.callback(subprocess.run, ["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)
        pages = []
        for name, folder in (("earlier", tree), ("now", ROOT)):
            pages.append(stack.enter_context(page(name, folder, work)))
            pages[-1].process.send_signal(signal.SIGSTOP)
        found = measure(pages, options.users, options.seconds)
    earlier, now = found["earlier"], found["now"]
    print(f"{options.commit} and now, {options.users} users for {options.seconds:.0f} s", end=", ")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for key in now:
        print(
            f"{key:24}{earlier[key]:12.3f}{now[key]:12.3f}{now[key] / earlier[key] if earlier[key] else float('nan'):9.2f} x"
        )
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return int(now["lost"] + now["mixed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
