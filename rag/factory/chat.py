"""Settings to the chat service: models, index, calibration and texts put together."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from importlib.metadata import PackageNotFoundError, version

from rag.chat import ChatService
from rag.errors import DISTRIBUTION
from rag.factory.bundled import BUNDLED
from rag.factory.models import Models, load_llm, load_models
from rag.factory.stores import calibration_of, open_index
from rag.ingestion.sync import Progress, no_progress
from rag.privacy import own_numbers
from rag.retrieval.confidence import Calibration
from rag.settings import Settings
from rag.stores.base import PHRASING, QUESTION, PassageStore
from rag.stores.filters import metadata_filters
from rag.synthesis.texts import ANSWERING, CONDENSING, DEFAULT_CONTACT
from rag.types import Filters

try:
    VERSION = version(DISTRIBUTION)
except PackageNotFoundError:  # run from its folder
    VERSION = "source"
TOPICS = 8
"""Categories that the page offers before the first question is asked."""
TOPIC_QUESTIONS = 4
"""Questions of each."""


def build_chat(settings: Settings, *, index: str | None = None, progress: Progress = no_progress) -> ChatService:
    """Everything a question needs. Takes seconds: imports, models, the first time the bundled index."""
    models = load_models(settings)
    store = open_index(settings, models, index, progress=progress)
    return service(settings, models, store)


def service(
    settings: Settings, models: Models, store: PassageStore, *, calibration: Calibration | None = None
) -> ChatService:
    """The chat service over an open index; `calibration` replaces the index's own. Raises StoreError, SettingsError."""
    # Where the index holds no bundled institution, no number at all: that of an invented bank would mislead.
    is_bundled = any(bank in DEFAULT_CONTACT for bank in store.values("bank") if bank)
    return ChatService(
        store,
        models.embed_model,
        calibration=calibration or calibration_of(store, models.embed_model),
        llm=None if settings.chat.answer_mode == "verbatim" else load_llm(settings),
        answer_seconds=settings.chat.answer_seconds,
        top_k=settings.retrieval.top_k,
        candidates=settings.retrieval.candidates,
        max_question_chars=settings.chat.max_question_chars,
        institutions=parse_institutions(settings.chat.institution or ""),
        contact=settings.chat.contact or (None if is_bundled else ""),
        topics=topics(store),
        warnings=models.warnings,
        release=settings.chat.release,
        versions=versions(settings, store),
        english=settings.ui.language == "en",
        published=own_numbers(
            text for node in store.get_nodes() for text in (str(node.metadata.get(QUESTION, "")), node.get_content())
        ),
    )


def versions(settings: Settings, store: PassageStore) -> dict[str, str]:
    """What an answer comes from: program, index, embedding, language model and the instructions it is given."""
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
    """`NAME=alias|alias, NAME` to the aliases by name."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {
        name.strip(): tuple(alias.strip() for alias in aliases.split("|") if alias.strip())
        for name, _, aliases in pairs
    }


def topics(store: PassageStore) -> dict[str, list[str]]:
    """The largest categories, each with its shortest questions in force; rows without a category are under ""."""
    nodes = store.get_nodes(filters=metadata_filters(Filters()))
    rows: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for node in nodes:
        row = node.metadata
        # A row that is split into several nodes counts once.
        if PHRASING not in row and row.get(QUESTION):
            rows[str(row.get("category", ""))].add((str(row[QUESTION]), str(row.get("bank", ""))))
    largest = sorted(rows, key=lambda category: (-len(rows[category]), category))[:TOPICS]
    # Short ones fit their buttons; by the text itself among equals, so that every start shows the same.
    return {
        category: sorted({question for question, _ in rows[category]}, key=lambda text: (len(text), text))[
            :TOPIC_QUESTIONS
        ]
        for category in largest
    }
