"""Runs the bundled `dev` questions once for all tests that use the records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from rag.chat import ChatService
from rag.evaluation.datasets import Case
from rag.evaluation.gates import GateFile, read_gates
from rag.evaluation.records import Record, run_cases
from rag.evaluation.runner import suite_run
from rag.evaluation.runs import Run, identify
from rag.evaluation.suites import Suite
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import open_index
from rag.settings import Settings
from tests.cached_embedding import CachedQueryEmbedding

ROOT = Path(__file__).parents[1]
GATES = ROOT / "data" / "evaluation" / "gates.toml"


def gates() -> GateFile:
    """The bundled gates file with its questions."""
    return read_gates(GATES)


def dev_run(settings: Settings, models: Models, folder: Path, *, sample: bool = False) -> Run:
    """Run the questions of the gates on the bundled index; workers share the records and the vectors through files.

    `sample`: only one in six, as of `some_of`.
    """
    whole = gates().suite.cases
    suite = Suite("bundled dev", tuple(some_of(whole, 6)) if sample else whole)
    meta = identify({"store": {"backend": settings.store.backend}}, models.manifest.fingerprint, [suite])
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"{meta['key']}.jsonl"
    assert isinstance(models.embed_model, CachedQueryEmbedding)
    store = open_index(settings, models)
    chat = build_service(settings, models, store)
    with FileLock(checkpoint.with_suffix(".lock")):
        models.embed_model.load()
        records = run_cases(chat, suite.cases, checkpoint=checkpoint)
        models.embed_model.save()
    run = Run(meta, (suite_run(suite.name, store, chat, records),))
    store.close()
    return run


def some_of(cases: Sequence[Case], part: int = 3) -> list[Case]:
    """About one in `part` of the cases, chosen by a hash of the key, so that the sample is the same in every run."""
    return [case for case in cases if hashlib.sha256(case.key.encode()).digest()[0] % part == 0]


def ask(chat: ChatService, cases: Sequence[Case], wrap: Callable[[Case], Case] = lambda case: case) -> list[Record]:
    """Run the cases as changed by `wrap`; the records have the original cases."""
    return [
        replace(record, case=case)
        for record, case in zip(run_cases(chat, [wrap(c) for c in cases]), cases, strict=True)
    ]
