"""Fixtures and helpers of tests that read the files of a FAISS index."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from rag.stores.base import JAMO, TOKENS
from rag.stores.faiss.store import FaissStore
from tests.forks import command

ROOT = Path(__file__).parents[2]


def found(store: FaissStore, question: str = "이체한도 앱에서 잃어버렸어요") -> Any:
    """All results of a question, to compare two stores."""
    result = store.candidates(query_embedding=[0.5, 0.1, 0.4, -0.2], query_str=question, size=50)
    return result.dense, result.lexical[TOKENS], result.lexical[JAMO], result.nodes


def live_file(directory: Path, suffix: str = ".sqlite") -> Path:
    return directory / ((directory / "CURRENT").read_text().split()[0] + suffix)


def other_process(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Run the code as `python -c` does (see `tests.forks`)."""
    return subprocess.Popen(
        command(code, *arguments), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
