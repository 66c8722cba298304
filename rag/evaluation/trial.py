"""An ingestion that publishes nothing worse: the new version is asked the questions of a gates file before readers see it.

OpenSearch builds a version beside the live one, so that version itself is asked before the alias moves. A FAISS index is changed
in place, so the files are first tried in one that is thrown away; what that embeds is remembered for the ingestion itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.errors import IndexMismatch, IndexMissing, IndexRejected
from rag.evaluation.compare import Mark, marks_of
from rag.evaluation.gates import Failure, GateFile, check_gates, failure_lines
from rag.evaluation.records import Progress, Record, measure
from rag.factory.bundled_vectors import StoredVectors
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import ingest_files, stored_calibration
from rag.ingestion.pipeline import IngestReport
from rag.ingestion.sync import no_progress
from rag.settings import Settings
from rag.stores.base import PassageStore
from rag.stores.catalog import FaissCatalog, IndexCatalog


def remembering(models: Models) -> Models:
    """The models with an embedding that embeds no text twice."""
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
    """As `ingest_files`. Raises IndexRejected where the new version does not pass the gates; readers then see what they saw.

    It is compared with the index of that name as it is now, question by question; where there is none, with the file's
    baseline.
    """
    models = remembering(models)

    def check(store: PassageStore) -> None:
        records = measure(build_service(settings, models, store), gates.suite.cases, progress=progress, step="gate")
        before = gates.marks()
        if live := _open(catalog, name, models):
            with closing(live):
                before = marks_of(
                    measure(build_service(settings, models, live), gates.suite.cases, progress=progress, step="live")
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
                        # As the ingestion itself does: thresholds that were fitted with labels stay.
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


def gate_lines(gates: GateFile, before: Mapping[str, Mark], records: Sequence[Record]) -> list[str]:
    """What fails of the gates, as lines."""
    after = marks_of(records)
    failures: list[Failure] = check_gates(gates.gates, before, after)
    return list(failure_lines(failures, {record.case.key: " / ".join(record.case.turns) for record in records}, after))


def _open(catalog: IndexCatalog, name: str, models: Models) -> PassageStore | None:
    try:
        return catalog.open(name, models.manifest)
    except (IndexMissing, IndexMismatch):
        return None  # nothing to be held to: another embedding's index is replaced as a whole
