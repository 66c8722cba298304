"""Suites asked of their indexes, each built first where it comes as a file: settings to a Run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rag.chat import ChatService
from rag.evaluation.datasets import check_labels
from rag.evaluation.perturbations import perturbed
from rag.evaluation.phrased_faq import read_phrasings, write_phrased
from rag.evaluation.records import Progress, Record, measure
from rag.evaluation.runs import Measured, Row, Run, identify
from rag.evaluation.suites import Corpus, Suite
from rag.factory.bundled_vectors import with_stored_vectors
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import ingest_files, open_catalog, open_index
from rag.ingestion.sync import no_progress
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
    """Ask every suite; `index` is for those without a file of their own, as in `open_index`.

    `folder`: where the indexes of the others and the records so far are kept; None: nothing is kept, and only suites
    without a file can be asked. `perturb`: ask the questions' variants as well.
    """
    meta = identify(run_settings(settings), models.manifest.fingerprint, suites)
    kept = folder / f"unfinished-{meta['key']}" if folder else None
    measured = []
    for suite in suites:
        catalog = None
        if suite.corpus and folder:
            # In a folder of their own, so that `index list` shows the user's indexes alone.
            apart = settings.store.model_copy(update={"directory": folder / "indexes", "index": None})
            catalog = open_catalog(settings.model_copy(update={"store": apart}))
            store = _built(catalog, suite.corpus, models, progress)
        else:
            store = open_index(settings, models, index, progress=progress)
        check_labels(store, {case.key: case.relevant for case in suite.cases})
        cases = [*suite.cases, *(perturbed(suite.cases) if perturb else ())]
        chat = build_service(settings, models, store)
        file = kept / f"{suite.name.replace(' ', '-')}.jsonl" if kept else None
        records = measure(chat, cases, kept=file, progress=progress, step=suite.name)
        measured.append(measured_suite(suite.name, store, chat, records))
        if suite.corpus and catalog and settings.store.backend != "faiss":
            catalog.delete(_index_name(suite.corpus))  # a server is others' too
    return Run(meta, tuple(measured))


def finish(run: Run, folder: Path) -> Path:
    """Save a whole run, and forget the records that were kept while it was not whole."""
    path = run.save(folder)
    forget(folder / f"unfinished-{run.meta['key']}")
    return path


def forget(unfinished: Path) -> None:
    """Remove the folder of what was kept of a run that was not whole yet."""
    for file in unfinished.glob("*.jsonl"):
        file.unlink()
    if unfinished.is_dir():
        unfinished.rmdir()


def run_settings(settings: Settings) -> dict[str, Any]:
    """The settings on which figures depend."""
    return settings.model_dump(mode="json", include={"store", "embedding", "retrieval", "llm", "chat"})


def measured_suite(name: str, store: PassageStore, chat: ChatService, records: Sequence[Record]) -> Measured:
    """The records with what of the index the report shows."""
    return Measured(name, store.manifest.fingerprint, tuple(records), _rows(store, records), chat.calibration.as_json())


def _built(catalog: IndexCatalog, corpus: Corpus, models: Models, progress: Progress) -> PassageStore:
    """The index of a corpus; where it is there already, nothing is embedded again."""
    name = _index_name(corpus)
    with TemporaryDirectory() as scratch:
        files: Sequence[Path] = corpus.files
        if corpus.phrasings:
            files = write_phrased(files, read_phrasings(corpus.phrasings), Path(scratch))
        ingest_files(catalog, name, with_stored_vectors(models), files, progress=progress)
    return catalog.open(name, models.manifest)


def _index_name(corpus: Corpus) -> str:
    return f"evaluation-{corpus.name}"


def _rows(store: PassageStore, records: Iterable[Record]) -> dict[str, Row]:
    """Those that a record names. Of a split row, the first part."""
    named = {row for record in records for row in (*record.case.relevant, *record.result.ranked, *record.result.shown)}
    rows: dict[str, Row] = {}
    for node in store.get_nodes():
        name = node.ref_doc_id or node.node_id
        if name in named and name not in rows:
            metadata: dict[str, Any] = node.metadata
            rows[name] = Row(str(metadata.get(QUESTION, "")), node.get_content(), str(metadata.get("bank") or ""))
    return rows
