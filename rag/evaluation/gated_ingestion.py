"""Ingestion with quality gates: a new version of an index is published only if it passes the gates of a gates file.

OpenSearch builds the new version beside the live one, so it is evaluated before the alias moves. A FAISS index is changed in
place, so the files are first ingested into a temporary index; their embeddings are cached for the actual ingestion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.errors import IndexMismatch, IndexMissing, IndexRejected
from rag.evaluation.compare import CaseResults, case_results
from rag.evaluation.gates import GateFile, check_gates, failure_lines
from rag.evaluation.records import Record, run_cases
from rag.factory.bundled_vectors import StoredVectors
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import ingest_files, stored_calibration
from rag.ingestion.pipeline import IngestReport
from rag.ingestion.sync import Progress, no_progress
from rag.settings import Settings
from rag.stores.base import PassageStore
from rag.stores.catalog import IndexCatalog
from rag.stores.faiss.catalog import FaissCatalog


def with_embedding_cache(models: Models) -> Models:
    """The models with an embedding that caches the vectors of texts."""
    if models.embed_model is None:
        return models
    return replace(models, embed_model=StoredVectors(models.embed_model, {}))


def ingest_gated(
    settings: Settings,
    models: Models,
    catalog: IndexCatalog,
    name: str,
    paths: Sequence[Path | str],
    gates: GateFile,
    *,
    columns: Mapping[str, str] | None = None,
    dry_run: bool = False,
    processes: int | None = None,
    progress: Progress = no_progress,
) -> IngestReport:
    """Ingest as `ingest_files` does, unless the new version fails a gate.

    The new version is compared case by case with the present index of that name or, without one, with the baseline of the
    gates file. Raises IndexRejected if a gate fails; the published index is then unchanged.
    """
    models = with_embedding_cache(models)

    def check(store: PassageStore) -> None:
        records = run_cases(build_service(settings, models, store), gates.suite.cases, progress=progress, step="gate")
        before = gates.baseline_results()
        if live := _open(catalog, name, models):
            with closing(live):
                before = case_results(
                    run_cases(build_service(settings, models, live), gates.suite.cases, progress=progress, step="live")
                )
        if lines := gate_lines(gates, before, records):
            raise IndexRejected(lines)

    if catalog.changes_in_place or dry_run:
        with TemporaryDirectory() as scratch:
            trial = FaissCatalog(Path(scratch))
            ingest_files(trial, name, models, paths, columns=columns, processes=processes, progress=progress)
            with closing(trial.open(name, models.manifest)) as store:
                if live := _open(catalog, name, models):
                    with closing(live):
                        # Ingestion keeps thresholds that were fitted to labels, so the trial index uses them too.
                        fitted = stored_calibration(live.manifest)
                        if fitted is not None and fitted.origin == "labels":
                            store.replace_manifest(store.manifest.with_calibration(fitted.as_json()))
                check(store)
    return ingest_files(
        catalog,
        name,
        models,
        paths,
        columns=columns,
        dry_run=dry_run,
        processes=processes,
        progress=progress,
        check=None if catalog.changes_in_place else check,
    )


def gate_lines(gates: GateFile, before: CaseResults, records: Sequence[Record]) -> list[str]:
    """`failure_lines` of the gates that the records fail, empty if all pass."""
    after = case_results(records)
    failures = check_gates(gates.gates, before, after)
    return list(failure_lines(failures, {record.case.key: " / ".join(record.case.turns) for record in records}, after))


def _open(catalog: IndexCatalog, name: str, models: Models) -> PassageStore | None:
    try:
        return catalog.open(name, models.manifest)
    except (IndexMissing, IndexMismatch):
        return None  # there is nothing to compare with: an index of another embedding is replaced as a whole
