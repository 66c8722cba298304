"""Opens and fills the configured store, and gives an index its initial calibration."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding

from rag.errors import IndexDamaged, IndexMissing, SettingsError
from rag.factory.bundled_vectors import BUILD_WAIT, BUNDLED, DATA, bundled_name, with_stored_vectors
from rag.factory.models import Models
from rag.ingestion.pipeline import IngestReport, ingest
from rag.ingestion.sync import Progress, no_progress
from rag.retrieval.confidence import Calibration, defaults
from rag.retrieval.query_analysis import lexicon_version
from rag.retrieval.score_scales import from_own_rows, with_own_words
from rag.settings import OpenSearchSettings, Settings
from rag.stores.base import Manifest, PassageStore
from rag.stores.catalog import IndexCatalog
from rag.stores.faiss.catalog import FaissCatalog

logger = logging.getLogger(__name__)


def open_catalog(settings: Settings) -> IndexCatalog:
    """Return the catalog of the configured store. Sends nothing. Raises SettingsError."""
    if settings.store.backend == "faiss":
        return FaissCatalog(settings.store.directory)
    from rag.stores.opensearch.catalog import OpenSearchCatalog  # takes 0.3 s to import
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
    """Return the `auth` argument of `connect`. Raises SettingsError if AWS credentials or the region are missing."""
    if server.auth == "basic":
        assert server.user and server.password, "checked by the settings"
        return server.user, server.password.get_secret_value()
    if server.auth == "none":
        return None
    import boto3

    from rag.stores.opensearch.client import sigv4

    # boto3 finds credentials as the AWS CLI does and refreshes them.
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
    """Open the index `index`, or the one in the settings, or the bundled FAQ, which is built if it is missing.

    An existing index is not written (docs/adr/0002). Raises IndexMissing, IndexMismatch and, for the bundled index, the
    errors of building it.
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
        # If two processes start at the same time, the second waits here until the first has built the index.
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
    """Make the index `name` contain exactly the rows of these files, and calibrate it.

    `catalog`: the catalog of the index, or a folder of FAISS indexes. `check`: called with the new version, if it differs from
    the previous one, before it is published (see `IndexCatalog.open_for_ingest`); it may raise IndexRejected.
    Raises the errors of `rag.ingestion.pipeline.ingest`.
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
    """Store an initial calibration: scales fitted on the index's own rows, and the default thresholds of the package.

    Runs at the end of each ingestion. Returns whether the calibration was written. A calibration that was fitted with labels
    (`rag calibrate --apply`) is kept; so is an initial one of this package version if no row has changed.
    """
    manifest = store.manifest
    stored = stored_calibration(manifest)
    if stored is not None and stored.origin == "labels":
        return False
    # Written only if necessary, because with OpenSearch writing a calibration copies the whole index.
    is_current = stored is not None and _is_current_default(stored, embed_model)
    if rows_changed or stored is None or not is_current or stored.lexicon != lexicon_version():
        store.replace_manifest(manifest.with_calibration(from_own_rows(store, embed_model).as_json()))
        return True
    return False


def load_calibration(store: PassageStore, embed_model: BaseEmbedding | None) -> Calibration:
    """Return the calibration of the index, or compute an initial one in memory if there is none of this package version.

    A calibration may be missing because an ingestion was killed at its end. Computing it embeds and searches up to 100 of the
    index's own questions, as an ingestion does. The index is not written.
    """
    stored = stored_calibration(store.manifest)
    if stored is not None and (stored.origin == "labels" or _is_current_default(stored, embed_model)):
        # With another lexicon, terms that no row holds would be searched for and count against all rows.
        return stored if stored.lexicon == lexicon_version() else with_own_words(stored, store)
    logger.warning(
        "the index has no calibration of this version; computing one in memory: ingest its files again, or fit one with "
        "`python -m rag calibrate --apply`"
    )
    return from_own_rows(store, embed_model)


def _is_current_default(stored: Calibration, embed_model: BaseEmbedding | None) -> bool:
    """Return whether a calibration equals the defaults of this package version in all that is not read off the rows."""
    default = defaults(dense=embed_model is not None)
    fusion = replace(stored.fusion, scales=default.fusion.scales)
    of_rows = replace(default, few_rows=stored.few_rows, unheld=stored.unheld, subjects=stored.subjects)
    of_rows = replace(of_rows, lexicon=stored.lexicon)
    return of_rows == replace(stored, fusion=fusion)


def stored_calibration(manifest: Manifest) -> Calibration | None:
    """Return the calibration of a manifest; None if it has none, or one that another package version wrote."""
    try:
        return Calibration.from_json(manifest.calibration) if manifest.calibration else None
    except (KeyError, TypeError) as exc:
        logger.warning("the index's calibration was written by another version (missing or unknown: %s)", exc)
        return None
