"""A chat service over a small FAQ, searched by words alone: for what needs rows and no embedding."""

from __future__ import annotations

from pathlib import Path

from rag.chat import ChatService
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import ingest_files, open_catalog
from rag.ingestion.embedding import manifest_of
from rag.settings import Settings, StoreSettings


def lexical_chat(directory: Path, faq: str) -> ChatService:
    """The service of the FAQ given as CSV text, ingested into `directory`."""
    (directory / "faq.csv").write_text(faq, encoding="utf-8")
    settings = Settings(store=StoreSettings(directory=directory / "indexes", index="faq"))
    models = Models(None, manifest_of(None))
    catalog = open_catalog(settings)
    ingest_files(catalog, "faq", models, [directory / "faq.csv"])
    return build_service(settings, models, catalog.open("faq", models.manifest))
