"""Visitors of a running page: a browser and a program."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

API = "/gradio_api"


@dataclass(frozen=True, slots=True)
class Page:
    """A page in its own process `pid`, for which `process` stands."""

    process: subprocess.Popen[str]
    pid: int
    url: str
    log: Path
    clients: list[httpx.Client] = field(default_factory=list)

    def alive(self) -> bool:
        return self.process.poll() is None

    def resident(self) -> int:
        """Bytes of memory of the process."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def browser(self, **options: Any) -> Browser:
        """A new visitor with a cookie."""
        client = self.program(**options)
        client.get("/").raise_for_status()
        return Browser(client)

    def program(self, **options: Any) -> httpx.Client:
        """A visitor without cookies."""
        # Without certificates: the page speaks http, and reading them takes longer than most requests.
        # A kept connection is given up before the server closes it (after 5 s), which would reset the next request.
        options = {"limits": httpx.Limits(keepalive_expiry=2), **options}
        self.clients.append(httpx.Client(base_url=self.url, timeout=240, verify=False, **options))
        return self.clients[-1]


class Browser:
    """A visitor whose client keeps the page's cookie; `session` is one tab."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.config: dict[str, Any] = client.get("/config").json()

    def event(self, target: str) -> int:
        """The number of the event with this name, which a hidden button triggers."""
        ids = {each["id"]: each["props"].get("elem_id") for each in self.config["components"]}
        for each in self.config["dependencies"]:
            if any(ids.get(component) == f"do-{target}" for component, _ in each["targets"]):
                return int(each["id"])
        raise LookupError(target)

    def join(self, event: int, data: list[Any], session: str, **more: Any) -> httpx.Response:
        return self.client.post(
            f"{API}/queue/join", json={"data": data, "fn_index": event, "session_hash": session, **more}
        )

    def stream(self, session: str) -> Iterator[dict[str, Any]]:
        """The messages of a session up to the closing one; then disconnects, as browsers do."""
        with self.client.stream("GET", f"{API}/queue/data", params={"session_hash": session}) as answer:
            if answer.status_code == 200:
                for line in answer.iter_lines():
                    if line.startswith("data: "):
                        yield (message := json.loads(line.removeprefix("data: ")))
                        if message["msg"] == "close_stream":
                            return

    def say(self, question: str, session: str) -> str:
        """Ask as the page does; returns everything that the server sends, as JSON."""
        self.join(self.event("send"), [question, None, "", ""], session).raise_for_status()
        return json.dumps(list(self.stream(session)), ensure_ascii=False)


def ask(client: httpx.Client, *data: Any) -> tuple[int, str]:
    """The status, and the answer of one call of `/ask` or the text of its refusal."""
    sent = client.post(f"{API}/call/ask", json={"data": list(data)})
    if sent.status_code != 200:
        return sent.status_code, sent.text
    with client.stream("GET", f"{API}/call/ask/{sent.json()['event_id']}") as answer:
        return answer.status_code, "".join(answer.iter_text())
