"""Settings to the store of an index: opened, filled, given the start of its calibration."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding

from rag.errors import IndexMissing, SettingsError
from rag.factory.bundled import BUILD_WAIT, BUNDLED, DATA, bundled_name
from rag.factory.models import Models
from rag.ingestion.pipeline import IngestReport, ingest
from rag.ingestion.sync import no_progress
from rag.retrieval.confidence import Calibration, defaults
from rag.retrieval.score_scales import from_own_rows
from rag.settings import OpenSearchSettings, Settings
from rag.stores.base import Manifest, PassageStore
from rag.stores.catalog import FaissCatalog, IndexCatalog, OpenSearchCatalog

logger = logging.getLogger(__name__)
Progress = Callable[[str, int, int], None]


def open_catalog(settings: Settings) -> IndexCatalog:
    """Where the configured store keeps its indexes. Nothing is sent yet. Raises SettingsError."""
    if settings.store.backend == "faiss":
        return FaissCatalog(settings.store.directory)
    from rag.stores.opensearch.client import Layout, connect  # .3 s to import

    given = settings.opensearch
    return OpenSearchCatalog(
        connect(
            given.url or "",
            auth=_opensearch_auth(given),
            ca_certs=str(given.ca_certs) if given.ca_certs else None,
            layout=Layout(given.engine, given.shards),
            timeout=given.timeout,
        )
    )


def _opensearch_auth(given: OpenSearchSettings) -> Any:
    if given.auth == "basic":
        assert given.user and given.password, "held by the settings"
        return given.user, given.password.get_secret_value()
    if given.auth == "none":
        return None
    import boto3

    from rag.stores.opensearch.client import sigv4

    session = boto3.Session(region_name=given.region)
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
    """The index of that name (else of the settings, else the bundled FAQ, built if missing), calibrated.

    Raises IndexMissing, IndexMismatch and, for the bundled one, what building it raises.
    """
    catalog = open_catalog(settings)
    name = index or settings.store.index or BUNDLED
    if name != BUNDLED:
        store = catalog.open(name, models.manifest)
        calibrate_from_own_rows(store, models.embed_model, force=False)
        return store
    name = bundled_name(models.manifest)
    try:
        store = catalog.open(name, models.manifest)
    except IndexMissing:
        logger.info("building the bundled index %s", name)
        ingest_files(catalog, name, models, [DATA], progress=progress, wait=BUILD_WAIT)
        return catalog.open(name, models.manifest)
    calibrate_from_own_rows(store, models.embed_model, force=False)
    return store


def ingest_files(
    catalog: IndexCatalog | Path,
    name: str,
    models: Models,
    paths: Iterable[Path | str],
    *,
    columns: Mapping[str, str] | None = None,
    dry_run: bool = False,
    progress: Progress = no_progress,
    wait: float = 2.0,
) -> IngestReport:
    """Make the index `name` hold exactly these files' rows, ready to answer. Raises as `rag.ingestion.pipeline.ingest`.

    `catalog`: where it is kept; a folder stands for the FAISS indexes in it.
    """
    catalog = FaissCatalog(catalog) if isinstance(catalog, Path) else catalog
    opener = partial(
        catalog.open_for_ingest,
        name,
        wait=wait,
        finish=lambda store: calibrate_from_own_rows(store, models.embed_model),
    )
    return ingest(
        paths, store_opener=opener, embed_model=models.embed_model, columns=columns, dry_run=dry_run, progress=progress
    )


def calibrate_from_own_rows(store: PassageStore, embed_model: BaseEmbedding | None, *, force: bool = True) -> None:
    """Give an index without labels its start: scales from its own rows, the thresholds that come with the package.

    What was fitted with labels (`rag calibrate --apply`) is left alone. `force` False: so is a start that is there
    already, unless another version of the package made it.
    """
    manifest = store.manifest
    if stored := stored_calibration(manifest):
        start = defaults(dense=embed_model is not None)
        same_start = replace(stored, fusion=replace(stored.fusion, scales=start.fusion.scales)) == start
        if stored.origin == "labels" or (same_start and not force):
            return
    calibration = from_own_rows(store, embed_model)
    store.replace_manifest(manifest.with_calibration(calibration.as_json()))


def stored_calibration(manifest: Manifest) -> Calibration | None:
    """None where there is none yet, or one that another version of the package wrote."""
    try:
        return Calibration.from_json(manifest.calibration) if manifest.calibration else None
    except (KeyError, TypeError) as exc:
        logger.warning(
            "the index's calibration is of another version (%r); `python -m rag calibrate` fits it anew", exc
        )
        return None
