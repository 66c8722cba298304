"""Settings to services; the only place, with `rag.backends`, that chooses backends."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.llms.llm import LLM

from rag.answering.prompts import DEFAULT_CONTACT
from rag.backends import language_model, remote_embedding
from rag.chat import ChatService
from rag.errors import IndexMissing, ModelUnavailable, SettingsError
from rag.ingestion.command import IngestReport, ingest
from rag.ingestion.embedding import manifest_of
from rag.ingestion.shelves import FaissShelf, OpenSearchShelf, Shelf
from rag.ingestion.sync import quiet
from rag.models.local import LocalEmbedding
from rag.retrieval.confidence import Calibration, defaults
from rag.retrieval.scaling import from_own_rows
from rag.settings import OpenSearchSettings, Settings
from rag.stores.contract import QUESTION, Manifest, PassageStore
from rag.stores.filters import metadata_filters
from rag.types import Filters

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]

BUNDLED = "bundled"
"""What a missing index name stands for; its directory's name also carries a hash of the data and of the embedding."""

DATA = Path(__file__).resolve().parents[1] / "data" / "faq"
BUILD_WAIT = 120.0
"""Seconds a second process waits while the first builds the bundled index."""
LEXICAL_ONLY = "임베딩 모델을 사용할 수 없어 단어 검색으로만 답합니다. 답변 범위가 좁아질 수 있습니다."
STARTERS = 4


@dataclass(frozen=True, slots=True)
class Models:
    """The embedding (None: lexical search alone), the manifest it gives an index, and lines for the customer."""

    embed_model: BaseEmbedding | None
    manifest: Manifest
    warnings: tuple[str, ...] = ()


def load_models(settings: Settings) -> Models:
    """Load the configured embedding; where the local one cannot load, go on without it and say so.

    Raises ModelError where an endpoint does not answer: an index built without it would only have to be built again.
    """
    if settings.embedding.backend != "local":
        endpoint = remote_embedding(settings.embedding)
        return Models(endpoint, manifest_of(endpoint))
    try:
        embed_model = LocalEmbedding(threads=settings.embedding.threads)
    except ModelUnavailable as exc:
        logger.warning("%s", exc)
        return Models(None, manifest_of(None), (LEXICAL_ONLY,))
    return Models(embed_model, manifest_of(embed_model))


def load_llm(settings: Settings) -> LLM | None:
    """The configured language model, None for none. Nothing is sent yet."""
    return language_model(settings.llm)


def shelf(settings: Settings) -> Shelf:
    """Where the configured store keeps its indexes. Nothing is sent yet. Raises SettingsError."""
    if settings.store.backend == "faiss":
        return FaissShelf(settings.store.directory)
    from rag.stores.opensearch.connection import Layout, connect  # .3 s to import

    given = settings.opensearch
    return OpenSearchShelf(
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

    from rag.stores.opensearch.connection import sigv4

    session = boto3.Session(region_name=given.region)
    credentials = session.get_credentials()
    if credentials is None or session.region_name is None:
        raise SettingsError(
            "FSI_OPENSEARCH__AUTH=sigv4 needs AWS credentials and a region: log in with the AWS CLI, or set "
            "FSI_OPENSEARCH__REGION"
        )
    return sigv4(credentials, session.region_name)


def open_index(
    settings: Settings, models: Models, index: str | None = None, *, progress: Progress = quiet
) -> PassageStore:
    """The index of that name (else of the settings, else the bundled FAQ, built if missing), calibrated.

    Raises IndexMissing, IndexMismatch and, for the bundled one, what building it raises.
    """
    place = shelf(settings)
    name = index or settings.store.index or BUNDLED
    if name != BUNDLED:
        store = place.open(name, models.manifest)
        calibrate_from_own_rows(store, models.embed_model, anew=False)
        return store
    name = bundled_name(models.manifest)
    try:
        store = place.open(name, models.manifest)
    except IndexMissing:
        logger.info("building the bundled index %s", name)
        ingest_files(place, name, models, [DATA], progress=progress, wait=BUILD_WAIT)
        return place.open(name, models.manifest)
    calibrate_from_own_rows(store, models.embed_model, anew=False)
    return store


def bundled_name(manifest: Manifest, data: Path = DATA) -> str:
    """Derived data: another FAQ, embedding or analyzer simply has another index."""
    digest = hashlib.sha256(f"{manifest.fingerprint} {manifest.analyzer} {manifest.schema}".encode())
    for path in sorted(data.glob("*.csv")):
        digest.update(path.read_bytes())
    return f"{BUNDLED}-{digest.hexdigest()[:12]}"


def ingest_files(
    place: Shelf | Path,
    name: str,
    models: Models,
    paths: Iterable[Path | str],
    *,
    columns: Mapping[str, str] | None = None,
    dry_run: bool = False,
    progress: Progress = quiet,
    wait: float = 2.0,
) -> IngestReport:
    """Make the index `name` hold exactly these files' rows, ready to answer. Raises as `rag.ingestion.command.ingest`.

    `place`: where it is kept; a folder stands for the FAISS indexes in it.
    """
    kept = FaissShelf(place) if isinstance(place, Path) else place
    opener = partial(
        kept.ingesting, name, wait=wait, finish=lambda store: calibrate_from_own_rows(store, models.embed_model)
    )
    return ingest(
        paths, store_opener=opener, embed_model=models.embed_model, columns=columns, dry_run=dry_run, progress=progress
    )


def calibrate_from_own_rows(store: PassageStore, embed_model: BaseEmbedding | None, *, anew: bool = True) -> None:
    """Give an index without labels its start: scales from its own rows, the thresholds that come with the package.

    What was fitted with labels (`rag calibrate --apply`) is left alone. `anew` False: so is a start that is there
    already, unless another version of the package made it.
    """
    manifest = store.manifest
    if stored := _stored(manifest):
        start = defaults(dense=embed_model is not None)
        same_start = replace(stored, fusion=replace(stored.fusion, scales=start.fusion.scales)) == start
        if stored.origin == "labels" or (same_start and not anew):
            return
    calibration = from_own_rows(store, embed_model)
    store.replace_manifest(manifest.with_calibration(calibration.as_json()))


def _stored(manifest: Manifest) -> Calibration | None:
    """None where there is none yet, or one that another version of the package wrote."""
    try:
        return Calibration.from_json(manifest.calibration) if manifest.calibration else None
    except (KeyError, TypeError) as exc:
        logger.warning(
            "the index's calibration is of another version (%r); `python -m rag calibrate` fits it anew", exc
        )
        return None


def build_chat(settings: Settings, *, index: str | None = None, progress: Progress | None = None) -> ChatService:
    """Everything a question needs. Takes seconds (imports, models), the first time up to a minute (the bundled index)."""
    models = load_models(settings)
    store = open_index(settings, models, index, progress=progress or quiet)
    return service(settings, models, store)


def service(
    settings: Settings, models: Models, store: PassageStore, *, calibration: Calibration | None = None
) -> ChatService:
    """The chat service over an open index; `calibration` in the place of the index's own."""
    if calibration is None:
        calibration = _stored(store.manifest) or defaults(dense=models.embed_model is not None)
    return ChatService(
        store,
        models.embed_model,
        calibration=calibration,
        llm=None if settings.chat.answer_mode == "verbatim" else load_llm(settings),
        answer_seconds=settings.chat.answer_seconds,
        top_k=settings.retrieval.top_k,
        candidates=settings.retrieval.candidates,
        max_question_chars=settings.chat.max_question_chars,
        contact=settings.chat.contact or _contact(store),
        starters=starters(store),
        warnings=models.warnings,
    )


def _contact(store: PassageStore) -> str | None:
    """The default where the index holds a bundled institution; elsewhere none: an invented bank's number misleads."""
    return None if any(bank in DEFAULT_CONTACT for bank in store.values("bank") if bank) else ""


def starters(store: PassageStore) -> list[str]:
    """A short question in force from each of the largest categories."""
    rows = [node.metadata for node in store.get_nodes(filters=metadata_filters(Filters()))]
    sizes = Counter(str(row.get("category", "")) for row in rows)
    chosen = []
    for category, _ in sizes.most_common(STARTERS):
        questions = [str(row.get(QUESTION, "")) for row in rows if str(row.get("category", "")) == category]
        chosen.append(min(questions, key=lambda question: (len(question), question)))
    return [question for question in chosen if question]
