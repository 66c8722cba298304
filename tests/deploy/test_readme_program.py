"""The README's SageMaker program, unchanged, against the emulator."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.local.commands import variables
from deploy.local.server import running
from deploy.local.spec import EndpointSpec
from rag.models.sagemaker import client

README = Path(__file__).parents[2] / "README.md"
ENDPOINTS = [
    EndpointSpec(name="faq-embedding", task="embed", format="tei", model="hashed"),
    EndpointSpec(name="faq-llm", task="generate", format="lmi"),
]


def test_the_readmes_sagemaker_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    program = next(block for block in blocks if "VectorStoreIndex.from_documents(" in block)
    assert len([line for line in program.splitlines() if line.strip()]) <= 10
    assert "as_query_engine(llm=llm, streaming=True)" in program
    monkeypatch.setattr(client, "_SHARED", {})
    with running(ENDPOINTS) as emulator:
        for name, value in variables(emulator.url, {}).items():
            monkeypatch.setenv(name, value)
        exec(compile(program, "README.md", "exec"), {})
        counts = {name: emulator.stats(name)["counts"] for name in ("faq-embedding", "faq-llm")}
    assert "1500-0101" in capsys.readouterr().out
    assert counts["faq-embedding"]["texts"] == 2
    assert (counts["faq-llm"]["requests"], counts["faq-llm"]["streams"]) == (1, 1)
    for made in client._SHARED.values():
        made.close()
