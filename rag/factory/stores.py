"""Settings to the store of an index: opened, filled, given the start of its calibration."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding

from rag.errors import IndexDamaged, IndexMissing, SettingsError
from rag.factory.bundled import BUILD_WAIT, BUNDLED, DATA, bundled_name
from rag.factory.bundled_vectors import with_stored_vectors
from rag.factory.models import Models
from rag.ingestion.pipeline import IngestReport, ingest
from rag.ingestion.sync import Progress, no_progress
from rag.retrieval.confidence import Calibration, defaults
from rag.retrieval.score_scales import from_own_rows
from rag.settings import OpenSearchSettings, Settings
from rag.stores.base import Manifest, PassageStore
from rag.stores.catalog import FaissCatalog, IndexCatalog

logger = logging.getLogger(__name__)


def open_catalog(settings: Settings) -> IndexCatalog:
    """Where the configured store keeps its indexes. Nothing is sent yet. Raises SettingsError."""
    if settings.store.backend == "faiss":
        return FaissCatalog(settings.store.directory)
    from rag.stores.opensearch.catalog import OpenSearchCatalog  # .3 s to import
    from rag.stores.opensearch.client import Layout, connect

    server = settings.opensearch
    return OpenSearchCatalog(
        connect(
            server.url or "",
            auth=_opensearch_auth(server),
            ca_certs=str(server.ca_certs) if server.ca_certs else None,
            layout=Layout(server.engine, server.shards),
            timeout=server.timeout,
        )
    )


def _opensearch_auth(server: OpenSearchSettings) -> Any:
    """What `connect` takes as `auth`. Raises SettingsError where AWS credentials or a region are missing."""
    if server.auth == "basic":
        assert server.user and server.password, "checked by the settings"
        return server.user, server.password.get_secret_value()
    if server.auth == "none":
        return None
    import boto3

    from rag.stores.opensearch.client import sigv4

    # boto3 finds credentials where the AWS CLI does, and they renew themselves.
    session = boto3.Session(region_name=server.region)
    credentials = session.get_credentials()
    if credentials is None or session.region_name is None:
        raise SettingsError(
            "FSI_OPENSEARCH__AUTH=sigv4 needs AWS credentials and a region: log in with the AWS CLI, or set "
            "FSI_OPENSEARCH__REGION"
        )
    return sigv4(credentials, session.region_name)


def open_index(
    settings: Settings, models: Models, index: str | None = None, *, progress: Progress = no_progress
) -> PassageStore:
    """The index of that name, else of the settings, else the bundled FAQ, which is built if it is missing.

    An index that is there is only read (docs/adr/0002).
    Raises IndexMissing, IndexMismatch and, for the bundled one, what building it raises.
    """
    catalog = open_catalog(settings)
    name = index or settings.store.index or BUNDLED
    if name != BUNDLED:
        return catalog.open(name, models.manifest)
    name = bundled_name(models.manifest)
    try:
        return catalog.open(name, models.manifest)
    except (IndexMissing, IndexDamaged) as exc:
        if isinstance(exc, IndexDamaged):
            logger.warning("building the bundled index again: %s", exc)
        logger.info("building the bundled index %s", name)
        # Two pages started at once both come here; the second waits, and finds it built.
        ingest_files(catalog, name, with_stored_vectors(models), [DATA], progress=progress, wait=BUILD_WAIT)
        return catalog.open(name, models.manifest)


def ingest_files(
    catalog: IndexCatalog | Path,
    name: str,
    models: Models,
    paths: Iterable[Path | str],
    *,
    columns: Mapping[str, str] | None = None,
    dry_run: bool = False,
    processes: int | None = None,
    progress: Progress = no_progress,
    wait: float = 2.0,
    check: Callable[[PassageStore], None] | None = None,
) -> IngestReport:
    """Make the index `name` hold exactly these files' rows, ready to answer. Raises as `rag.ingestion.pipeline.ingest`.

    `catalog`: where it is kept; a folder stands for the FAISS indexes in it. `check`: called with the new version where it
    differs from the one before, as `finish` of `IndexCatalog.open_for_ingest` is; may raise IndexRejected.
    """
    catalog = FaissCatalog(catalog) if isinstance(catalog, Path) else catalog

    def finish(store: PassageStore, changed: bool) -> None:
        is_calibrated = calibrate_from_own_rows(store, models.embed_model, rows_changed=changed)
        if check and (changed or is_calibrated):
            check(store)

    opener = partial(catalog.open_for_ingest, name, wait=wait, finish=finish)
    return ingest(
        paths,
        store_opener=opener,
        embed_model=models.embed_model,
        columns=columns,
        dry_run=dry_run,
        processes=processes,
        progress=progress,
    )


def calibrate_from_own_rows(
    store: PassageStore, embed_model: BaseEmbedding | None, *, rows_changed: bool = True
) -> bool:
    """Give an index without labels its start: scales from its own rows, the thresholds that come with the package.

    Returns whether it was written.

    Run at the end of each ingestion. What was fitted with labels (`rag calibrate --apply`) is left alone, and, where no row
    has changed, so is a start of this version of the package.
    """
    manifest = store.manifest
    stored = stored_calibration(manifest)
    if stored is not None and stored.origin == "labels":
        return False
    # Other rows have other scales. With OpenSearch, writing a calibration alone would copy the whole index.
    if rows_changed or stored is None or not _is_own_start(stored, embed_model):
        store.replace_manifest(manifest.with_calibration(from_own_rows(store, embed_model).as_json()))
        return True
    return False


def calibration_of(store: PassageStore, embed_model: BaseEmbedding | None) -> Calibration:
    """The calibration to answer with: the index's own, or, where that cannot be used, a start made in memory.

    It cannot be used where there is none (an ingestion was killed at its end) or another version of the package made it.
    The start is the one an ingestion would store; to make it, up to 100 of the index's own questions are embedded and
    searched for. The index is not written.
    """
    stored = stored_calibration(store.manifest)
    if stored is not None and (stored.origin == "labels" or _is_own_start(stored, embed_model)):
        return stored
    logger.warning(
        "the index has no calibration of this version; computing a start in memory: ingest its files again, or fit it with "
        "`python -m rag calibrate --apply`"
    )
    return from_own_rows(store, embed_model)


def _is_own_start(stored: Calibration, embed_model: BaseEmbedding | None) -> bool:
    """Whether all but the scales, which are the index's own, is what this version of the package comes with."""
    start = defaults(dense=embed_model is not None)
    return replace(stored, fusion=replace(stored.fusion, scales=start.fusion.scales)) == start


def stored_calibration(manifest: Manifest) -> Calibration | None:
    """None where there is none yet, or one that another version of the package wrote."""
    try:
        return Calibration.from_json(manifest.calibration) if manifest.calibration else None
    except (KeyError, TypeError) as exc:
        logger.warning("the index's calibration was written by another version (missing or unknown: %s)", exc)
        return None
