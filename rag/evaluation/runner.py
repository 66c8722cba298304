"""Runs suites on their indexes, building the indexes of suites that bring their own files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rag.chat import ChatService
from rag.evaluation.datasets import check_labels
from rag.evaluation.perturbations import perturbed
from rag.evaluation.records import Record, run_cases
from rag.evaluation.runs import Row, Run, SuiteRun, identify
from rag.evaluation.suites import Corpus, Suite
from rag.factory.bundled_vectors import with_stored_vectors
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import ingest_files, open_catalog, open_index
from rag.ingestion.sync import Progress, no_progress
from rag.settings import Settings
from rag.stores.base import QUESTION, PassageStore
from rag.stores.catalog import IndexCatalog


def run_suites(
    settings: Settings,
    models: Models,
    suites: Sequence[Suite],
    *,
    index: str | None = None,
    folder: Path | None = None,
    perturb: bool = True,
    progress: Progress = no_progress,
) -> Run:
    """Run every suite and return the run, which is not saved.

    `index`: the index of suites without a corpus, as in `open_index`. `folder`: holds the indexes built from corpora and the
    checkpoints; with None there are no checkpoints, and every suite runs on `index`. `perturb`: also run the perturbed
    questions.
    """
    meta = identify(run_settings(settings), models.manifest.fingerprint, suites)
    checkpoints = folder / f"unfinished-{meta['key']}" if folder else None
    measured = []
    for suite in suites:
        catalog = None
        if suite.corpus and folder:
            # In a folder of their own, so that `index list` shows only the user's indexes.
            store_settings = settings.store.model_copy(update={"directory": folder / "indexes", "index": None})
            catalog = open_catalog(settings.model_copy(update={"store": store_settings}))
            store = _build_corpus_index(catalog, suite.corpus, models, progress)
        else:
            store = open_index(settings, models, index, progress=progress)
        check_labels(store, {case.key: case.relevant for case in suite.cases})
        cases = [*suite.cases, *(perturbed(suite.cases) if perturb else ())]
        chat = build_service(settings, models, store)
        file = checkpoints / f"{suite.name.replace(' ', '-')}.jsonl" if checkpoints else None
        records = run_cases(chat, cases, checkpoint=file, progress=progress, step=suite.name)
        measured.append(suite_run(suite.name, store, chat, records))
        if suite.corpus and catalog and settings.store.backend != "faiss":
            catalog.delete(_index_name(suite.corpus))  # a server is shared: leave no index of ours there
    return Run(meta, tuple(measured))


def save_run(run: Run, folder: Path) -> Path:
    """Save a completed run, delete its checkpoints, and return the path of the file."""
    path = run.save(folder)
    delete_checkpoint(folder / f"unfinished-{run.meta['key']}")
    return path


def delete_checkpoint(folder: Path) -> None:
    """Delete a folder of checkpoint files, if it exists."""
    for file in folder.glob("*.jsonl"):
        file.unlink()
    if folder.is_dir():
        folder.rmdir()


def run_settings(settings: Settings) -> dict[str, Any]:
    """The settings that figures depend on."""
    return settings.model_dump(mode="json", include={"store", "embedding", "retrieval", "llm", "chat"})


def suite_run(name: str, store: PassageStore, chat: ChatService, records: Sequence[Record]) -> SuiteRun:
    """The records, with the rows, the fingerprint and the calibration of the index that the report shows."""
    return SuiteRun(name, store.manifest.fingerprint, tuple(records), _rows(store, records), chat.calibration.as_json())


def _build_corpus_index(catalog: IndexCatalog, corpus: Corpus, models: Models, progress: Progress) -> PassageStore:
    """Ingest a corpus and open its index; unchanged rows of an existing index are not embedded again."""
    name = _index_name(corpus)
    with TemporaryDirectory() as scratch:
        files: Sequence[Path] = corpus.files
        if corpus.phrasings:
            files = write_phrased(files, read_phrasings(corpus.phrasings), Path(scratch))
        ingest_files(catalog, name, with_stored_vectors(models), files, progress=progress)
    return catalog.open(name, models.manifest)


def read_phrasings(path: Path) -> dict[str, str]:
    """Read a CSV file with the columns `id` and `alternatives`, as {id: alternatives}."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["alternatives"] for row in csv.DictReader(file)}


def write_phrased(files: Sequence[Path], phrasings: Mapping[str, str], folder: Path) -> list[Path]:
    """Copy the CSV files into `folder` with an added column `alternatives`, joined by `id`; returns the paths of the copies."""
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        copies.append(folder / path.name)
        with copies[-1].open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [*rows[0], "alternatives"])
            writer.writeheader()
            writer.writerows({**row, "alternatives": phrasings.get(row["id"], "")} for row in rows)
    return copies


def _index_name(corpus: Corpus) -> str:
    return f"evaluation-{corpus.name}"


def _rows(store: PassageStore, records: Iterable[Record]) -> dict[str, Row]:
    """The rows that a record names, by id; the first part of a row that was split."""
    named = {row for record in records for row in (*record.case.relevant, *record.result.ranked, *record.result.shown)}
    rows: dict[str, Row] = {}
    for node in store.get_nodes():
        name = node.ref_doc_id or node.node_id
        if name in named and name not in rows:
            metadata: dict[str, Any] = node.metadata
            rows[name] = Row(str(metadata.get(QUESTION, "")), node.get_content(), str(metadata.get("bank") or ""))
    return rows
