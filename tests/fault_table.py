"""Generates docs/faults.md: the effect of each of the emulator's faults on the chatbot's model classes.

`python -m tests.fault_table` writes it; tests/deploy/test_fault_table.py fails if it is out of date.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from unittest.mock import patch

from deploy.local.client import EmulatorClient
from deploy.local.server import running
from deploy.local.spec import EndpointSpec, FaultKind
from rag.errors import ModelError, ModelInterrupted
from rag.models.sagemaker import client
from rag.models.sagemaker.client import Runtime
from rag.models.sagemaker.embedding import SageMakerEmbedding
from rag.models.sagemaker.llm import SageMakerLLM

DOCUMENT = Path(__file__).parents[1] / "docs" / "faults.md"
SPEC = Path(__file__).parents[1] / "deploy" / "local" / "spec.py"
DEADLINES = {"hang": (1.0, 0.5), "stall": (6.0, 3.0)}
"""Seconds that a call may take here, and that a stream may be silent, for the faults that end in a deadline. Elsewhere none
is met, however busy the machine is."""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
ANSWER = "이체한도는 앱에서 바꿀 수 있습니다."
HEAD = """# Faults of an endpoint, and what becomes of them

Made by `python -m tests.fault_table` from what `SageMakerEmbedding` and `SageMakerLLM` did with each fault of the emulator
(`deploy/local/spec.py`); a test fails while this page differs from it, and where a call goes on
after its deadline.

Each cell tells what a fault comes to that lasts, after how many tries, and what one comes to that happens once: *recovers*
means that the next try succeeded and nobody noticed. "-": the fault does not concern this kind of call.
A `ModelInterrupted` keeps the text so far, and is never a finished answer.

| fault | what happens | embedding | answer, whole | answer, streamed | on the page |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Outcome:
    """The result of one call: its error, None for success, and the counts of requests and injected faults."""

    error: ModelError | None
    tries: int
    faults: int

    def __str__(self) -> str:
        if self.error is None:
            return "succeeds"
        partial = " with the text so far" if isinstance(self.error, ModelInterrupted) and self.error.partial else ""
        return f"`{type(self.error).__name__}`{partial}"


@dataclass(frozen=True)
class Cell:
    lasting: Outcome
    once: Outcome

    def __str__(self) -> str:
        if self.lasting.error is None:
            return "-"
        tries = f", {self.lasting.tries} tries" if self.lasting.tries > 1 else ""
        once = (
            "recovers" if self.once.error is None else f"{self.once}" if str(self.once) != str(self.lasting) else "same"
        )
        return f"{self.lasting}{tries}; once: {once}"


Ask = Callable[[], Any]
Row = Mapping[str, Cell]


def observe() -> dict[str, Row]:
    """The outcomes of every fault in every kind of call."""
    specs = [
        EndpointSpec(name="emb", task="embed", format="tei", model="hashed"),
        EndpointSpec(name="llm", task="generate", format="lmi", answer=ANSWER),
    ]
    short_pauses = patch.object(client, "FIRST_PAUSE", 0.001)
    with short_pauses, patch.dict(os.environ, CREDENTIALS), running(specs) as emulator:
        runtime = Runtime("ap-northeast-2", emulator.url)
        try:
            return {kind: _row(kind, emulator, runtime) for kind in get_args(FaultKind)}
        finally:
            runtime.close()


def _row(kind: str, emulator: EmulatorClient, runtime: Runtime) -> Row:
    deadline, stall = DEADLINES.get(kind, (600.0, 600.0))
    embed = SageMakerEmbedding("emb", deadline=deadline, runtime=runtime)
    llm = SageMakerLLM("llm", format="lmi", deadline=deadline, stall=stall, runtime=runtime)
    asks: dict[str, tuple[str, Ask]] = {
        "embedding": ("emb", lambda: embed.get_text_embedding_batch(["가", "나", "다"])),
        "whole": ("llm", lambda: llm.complete("질문")),
        "streamed": ("llm", lambda: list(llm.stream_complete("질문"))),
    }

    def cell(endpoint: str, ask: Ask) -> Cell:
        lasting, once = (_outcome(emulator, endpoint, ask, {"kind": kind, **more}) for more in ({}, {"count": 1}))
        return Cell(lasting, once)

    return {name: cell(*asked) for name, asked in asks.items()}


def _outcome(emulator: EmulatorClient, endpoint: str, ask: Ask, fault: Mapping[str, Any]) -> Outcome:
    before = emulator.stats(endpoint)["counts"]
    emulator.change(endpoint, faults=[fault])
    error: ModelError | None = None
    try:
        ask()
    except ModelError as exc:
        error = exc
    counts = emulator.stats(endpoint)["counts"]
    new = {name: counts.get(name, 0) - before.get(name, 0) for name in ("requests", "faults")}
    return Outcome(error, new["requests"], new["faults"])


def document(rows: Mapping[str, Row]) -> str:
    described = descriptions()
    return HEAD + "".join(f"{line}\n" for line in _lines(rows, described))


def _lines(rows: Mapping[str, Row], described: Mapping[str, str]) -> Iterator[str]:
    for kind, row in rows.items():
        errors = (cell.lasting.error for cell in row.values())
        shown = dict.fromkeys(error.korean for error in errors if error is not None)
        cells = [f"`{kind}`", described[kind], *(str(cell) for cell in row.values()), "<br>".join(shown)]
        yield f"| {' | '.join(cells)} |"


def descriptions() -> dict[str, str]:
    """The comment on each fault in the source of `FaultKind`."""
    return dict(re.findall(r'^    "(\w+)",  # (.+)$', SPEC.read_text(encoding="utf-8"), re.MULTILINE))


def main() -> None:
    DOCUMENT.write_text(document(observe()), encoding="utf-8")


if __name__ == "__main__":
    main()
