"""Builds the chat service from settings: models, index, calibration and texts."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, version

from rag.chat import ChatService
from rag.conversation.searcher import Searcher
from rag.errors import DISTRIBUTION
from rag.factory.bundled_vectors import BUNDLED
from rag.factory.models import Models, language_model, load_models, sentence_verifier
from rag.factory.stores import load_calibration, open_index
from rag.ingestion.sync import Progress, no_progress
from rag.models.cancellation import CancelScope
from rag.privacy import own_numbers
from rag.retrieval.confidence import Calibration
from rag.settings import Settings
from rag.stores.base import PHRASING, QUESTION, PassageStore
from rag.stores.filters import metadata_filters
from rag.synthesis.texts import ANSWERING, CONDENSING, DEFAULT_CONTACT
from rag.types import Filters

try:
    VERSION = version(DISTRIBUTION)
except PackageNotFoundError:  # run from the project folder without being installed
    VERSION = "source"
TOPICS = 8
"""The number of categories that the page offers before the first question."""
TOPIC_QUESTIONS = 4
"""The number of questions per category."""
TRIAL_QUESTION = "통장 재발급하려면 어떻게 하나요?"
"""Asked of a service that was just built: it names a product and an action, whose lists are read so."""


def build_chat(settings: Settings, *, index: str | None = None, progress: Progress = no_progress) -> ChatService:
    """Load the models, open the index and build the chat service, ready for its first question. Takes seconds, longer the
    first time for the bundled index."""
    models = load_models(settings)
    store = open_index(settings, models, index, progress=progress)
    service = build_service(settings, models, store)
    # Word lists and the store's lists are read where they are first needed, .2 s that the first customer would wait for. By
    # words alone: no model is called.
    Searcher(store, None, service.calibration, None, CancelScope()).judge(TRIAL_QUESTION, (), Filters())
    return service


def build_service(
    settings: Settings, models: Models, store: PassageStore, *, calibration: Calibration | None = None
) -> ChatService:
    """Build the chat service for an open index. `calibration` replaces that of the index. Raises StoreError, SettingsError."""
    # The invented banks' telephone numbers are only shown with the bundled FAQ; elsewhere they would mislead.
    is_bundled = any(bank in DEFAULT_CONTACT for bank in store.values("bank") if bank)
    return ChatService(
        store,
        models.embed_model,
        calibration=calibration or load_calibration(store, models.embed_model),
        llm=None if settings.chat.answer_mode == "verbatim" else language_model(settings.llm),
        answer_seconds=settings.chat.answer_seconds,
        top_k=settings.retrieval.top_k,
        candidates=settings.retrieval.candidates,
        max_question_chars=settings.chat.max_question_chars,
        institutions=parse_institutions(settings.chat.institution or ""),
        contact=settings.chat.contact or (None if is_bundled else ""),
        topics=topics(store),
        warnings=models.warnings,
        release=settings.chat.release,
        verifier=sentence_verifier(settings.nli),
        versions=versions(settings, store),
        english=settings.ui.language == "en",
        published=own_numbers(
            text for node in store.get_nodes() for text in (str(node.metadata.get(QUESTION, "")), node.get_content())
        ),
    )


def versions(settings: Settings, store: PassageStore) -> dict[str, str]:
    """Return the versions that an answer depends on: program, index, embedding, language model and prompts."""
    manifest, llm = store.manifest, settings.llm
    model = "none" if settings.chat.answer_mode == "verbatim" else llm.model or llm.endpoint_name or llm.backend
    prompts = hashlib.sha256(f"{ANSWERING}\n{CONDENSING}".encode()).hexdigest()[:12]
    return {
        "program": VERSION,
        "index": settings.store.index or BUNDLED,
        "manifest": hashlib.sha256(json.dumps(manifest.as_json(), sort_keys=True).encode()).hexdigest()[:12],
        "embedding": manifest.fingerprint,
        "model": model,
        "prompts": prompts,
    }


def parse_institutions(text: str) -> dict[str, tuple[str, ...]]:
    """Parse `NAME=alias|alias, NAME`. Returns the aliases by name."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {
        name.strip(): tuple(alias.strip() for alias in aliases.split("|") if alias.strip())
        for name, _, aliases in pairs
    }


def topics(store: PassageStore) -> dict[str, list[str]]:
    """Return the largest categories, each with its shortest questions in force; "" has the rows without a category."""
    nodes = store.get_nodes(filters=metadata_filters(Filters()))
    rows: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for node in nodes:
        row = node.metadata
        # A set, because a row may be split into several nodes.
        if PHRASING not in row and row.get(QUESTION):
            rows[str(row.get("category", ""))].add((str(row[QUESTION]), str(row.get("bank", ""))))
    largest = sorted(rows, key=lambda category: (-len(rows[category]), category))[:TOPICS]
    # Short questions fit the buttons. Equal lengths are sorted by text, so that every start shows the same questions.
    return {
        category: sorted({question for question, _ in rows[category]}, key=lambda text: (len(text), text))[
            :TOPIC_QUESTIONS
        ]
        for category in largest
    }
