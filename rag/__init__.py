"""Answers from an institution's own FAQ, with their sources: the parts that other programs take.

Each name is imported when it is first used: `import rag` is light, and a part whose package is not installed (an extra
of this one, e.g. `opensearch`) fails only where it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.chat import ChatService
    from rag.errors import RagError
    from rag.factory.chat import build_chat
    from rag.models.local_embedding import LocalEmbedding
    from rag.models.sagemaker.embedding import SageMakerEmbedding
    from rag.models.sagemaker.llm import SageMakerLLM
    from rag.retrieval.hybrid import HybridRetriever
    from rag.settings import Settings, load_settings
    from rag.stores.faiss.store import FaissStore
    from rag.stores.opensearch.store import OpenSearchStore
    from rag.synthesis.cited import CitedAnswerSynthesizer
    from rag.synthesis.verbatim import VerbatimSynthesizer
    from rag.types import Answer, Filters, Source, Turn

_MODULES = {
    "Answer": "rag.types",
    "ChatService": "rag.chat",
    "CitedAnswerSynthesizer": "rag.synthesis.cited",
    "FaissStore": "rag.stores.faiss.store",
    "Filters": "rag.types",
    "HybridRetriever": "rag.retrieval.hybrid",
    "LocalEmbedding": "rag.models.local_embedding",
    "OpenSearchStore": "rag.stores.opensearch.store",
    "RagError": "rag.errors",
    "SageMakerEmbedding": "rag.models.sagemaker.embedding",
    "SageMakerLLM": "rag.models.sagemaker.llm",
    "Settings": "rag.settings",
    "Source": "rag.types",
    "Turn": "rag.types",
    "VerbatimSynthesizer": "rag.synthesis.verbatim",
    "build_chat": "rag.factory.chat",
    "load_settings": "rag.settings",
}

__all__ = [
    "Answer",
    "ChatService",
    "CitedAnswerSynthesizer",
    "FaissStore",
    "Filters",
    "HybridRetriever",
    "LocalEmbedding",
    "OpenSearchStore",
    "RagError",
    "SageMakerEmbedding",
    "SageMakerLLM",
    "Settings",
    "Source",
    "Turn",
    "VerbatimSynthesizer",
    "build_chat",
    "load_settings",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use. Raises AttributeError for any other."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
