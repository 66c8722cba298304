"""The number of files and iterators that one question passes is limited."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trace_question import Figures

FILES_QUOTED = 44
FILES_GENERATED = 60
"""25 and 34 when the layout was made; docs/adr/0015 says why not now. Since then a question is also read for amounts, products
and institutions (rag.constraints), for follow-ups (rag.conversation) and for personal numbers (rag.privacy), and a model's
sentences are checked (rag.synthesis). Who adds a file that every question runs skips it where the question shows no sign of what
it reads, joins another file, or says in that ADR why not."""
ITERATORS = 10
LINES = 320
RAG = Path(__file__).parents[2] / "rag"


@pytest.fixture(scope="module")
def figures() -> Figures:
    """Measured in a separate process, because caches and threads of other tests would be counted too."""
    command = [sys.executable, "-m", "tests.trace_question"]
    printed = subprocess.run(command, cwd=RAG.parent, capture_output=True, text=True, check=True).stdout
    sections = re.split(r"^ *\d+  .*\n", printed, flags=re.MULTILINE)[1:]
    quoted, generated, iterators = (tuple(section.split()) for section in sections)
    return Figures(quoted, generated, iterators)


def test_a_quoted_answer_crosses_few_files(figures: Figures) -> None:
    assert {"chat.py", "conversation/searcher.py", "stores/faiss/store.py"} <= set(figures.quoted)
    assert len(figures.quoted) <= FILES_QUOTED, figures.quoted


def test_a_models_answer_crosses_few_files(figures: Figures) -> None:
    assert {"synthesis/cited.py", "models/sagemaker/llm.py"} <= set(figures.generated)
    assert len(figures.generated) <= FILES_GENERATED, figures.generated


def test_a_token_passes_few_iterators(figures: Figures) -> None:
    names = [name.partition(":")[2] for name in figures.iterators]
    assert {"Dialogue.respond", "ChatService._events", "LLMStream.__next__"} <= set(names)
    assert len(names) <= ITERATORS, figures.iterators


def test_no_file_is_long() -> None:
    """The files must not be long either."""
    lines = {path.relative_to(RAG).as_posix(): len(path.read_text().splitlines()) for path in RAG.rglob("*.py")}
    assert {name: count for name, count in lines.items() if count > LINES} == {}
