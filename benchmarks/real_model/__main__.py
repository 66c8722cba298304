"""Asks the bundled FAQ through a real model of 270 million parameters, on llama.cpp's OpenAI-compatible server.

    make realmodel            (python -m benchmarks.real_model [--questions N] [--python FILE] [--json OUT])

A base model of that size cannot follow an instruction in Korean: this shows timing, streaming, tokenisation and that nothing
unchecked is shown, not quality. Exit 1 where a shown text of the model holds a quantity that its sources do not state.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Literal

from rag.chat import ChatService
from rag.constraints import StatedQuantities
from rag.factory.chat import build_service
from rag.factory.models import load_models
from rag.factory.stores import open_index
from rag.settings import ChatSettings, LlmSettings, Settings, StoreSettings
from rag.synthesis.prompt_builder import MARKER
from rag.types import Answer, AnswerCompleted, AnswerDelta

ROOT = Path(__file__).parents[2]
QUESTIONS = ROOT / "data" / "evaluation" / "queries.dev.jsonl"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=30)
    parser.add_argument(
        "--python", default=str(ROOT / ".venv-model" / "bin" / "python"), help="Has the model's packages."
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["query"] for line in lines[:: max(1, len(lines) // options.questions)]][
        : options.questions
    ]
    with tempfile.TemporaryDirectory() as folder, serving(options.python, Path(folder)) as address:
        checked, unchecked = chat(Path(folder), address, "sentence"), chat(Path(folder), address, "token")
        figures = measure(checked, unchecked, questions)
    print(json.dumps(figures, ensure_ascii=False, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, ensure_ascii=False, indent=2), encoding="utf-8")
    return int(figures["shown_unstated"] > 0)


@contextmanager
def serving(python: str, folder: Path) -> Iterator[str]:
    """The server's address; it ends with the block."""
    command = [python, str(Path(__file__).with_name("server.py")), str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if not address:
                raise SystemExit(
                    f"the model's server did not start: `{' '.join(command)}` says why; `make realmodel` installs it"
                )
            yield address
        finally:
            process.kill()


def chat(folder: Path, address: str, release: Literal["sentence", "token"]) -> ChatService:
    settings = Settings(
        store=StoreSettings(directory=folder / "indexes"),
        llm=LlmSettings(
            backend="openai_like", base_url=f"{address}/v1", model="gemma-3-270m", context_window=4096, max_new_tokens=96,
            temperature=0.0, stall=120.0, deadline=240.0,
        ),
        chat=ChatSettings(answer_mode="model", release=release, answer_seconds=240.0),
    )  # fmt: skip
    models = load_models(settings)
    return build_service(settings, models, open_index(settings, models))


def measure(checked: ChatService, unchecked: ChatService, questions: list[str]) -> dict[str, Any]:
    """The outcome of each question; seconds to the first piece from the model, and to the first one that is released."""
    notices: Counter[str] = Counter()
    sentences: Counter[str] = Counter()
    first_raw: list[float] = []
    first_released: list[float] = []
    totals: list[float] = []
    tokens = asked = unstated = 0
    for question in questions:
        raw, _, _ = run(unchecked, question)
        released, seconds, answer = run(checked, question)
        if not answer.support and answer.notice is None:
            continue  # the model was not asked: suggestions, refusals
        asked += 1
        notices[answer.notice or "none"] += 1
        sentences.update(f"{each.status}:{each.reason or '-'}" for each in answer.support)
        tokens += answer.usage.get("completion_tokens", 0)
        totals.append(seconds)
        first_raw += [raw[0][0]] if raw else []
        # Also what was shown before the passages took its place.
        if released:
            first_released.append(released[0][0])
            stated = StatedQuantities(
                [f"{source.metadata.get('bank', '')}\n{source.question}\n{source.text}" for source in answer.sources]
            )
            unstated += sum(bool(stated.unsupported(MARKER.sub(" ", text))) for _, text in released)
    return {
        "questions": len(questions),
        "asked": asked,
        "notices": dict(notices),
        "sentences": dict(sentences),
        "shown_unstated": unstated,
        "seconds": {
            "first_word_of_the_model": middle(first_raw),
            "first_checked_sentence": middle(first_released),
            "whole_answer": middle(totals),
        },
        "completion_tokens": tokens,
    }


def run(chat: ChatService, question: str) -> tuple[list[tuple[float, str]], float, Answer]:
    """The model's pieces with their times in seconds, the total time, and the answer."""
    start = time.perf_counter()
    pieces: list[tuple[float, str]] = []
    answer: Answer | None = None
    for event in chat.stream(question):
        if isinstance(event, AnswerDelta):
            pieces += [(time.perf_counter() - start, event.text)] if event.generated else []
        elif isinstance(event, AnswerCompleted):
            answer = event.answer
    assert answer is not None
    return pieces, time.perf_counter() - start, answer


def middle(values: list[float]) -> float | None:
    return round(median(values), 2) if values else None


if __name__ == "__main__":
    raise SystemExit(main())
