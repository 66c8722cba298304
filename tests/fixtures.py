"""Shared fixtures: the real embedder, a small index, the bundled index and an OpenSearch server, each created once."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import botocore.session
import hypothesis
import pytest

import tests.gradio_import  # noqa: F401 - before any test imports it
from rag.evaluation.runs import Run
from rag.factory.models import Models, load_models
from rag.factory.stores import ingest_files, open_index
from rag.retrieval.query_analysis import expand
from rag.settings import Settings, StoreSettings
from rag.stores.faiss.store import FaissStore
from tests.cached_embedding import CachedQueryEmbedding
from tests.opensearch import Server, serving
from tests.questions import questions
from tests.runs import dev_run
from tests.small_faq import write_faq

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "vectors"

# Every boto3 session reads botocore's data again, half a second of each test that makes a client; its loader caches them.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

hypothesis.settings.register_profile("suite", deadline=None)  # a slow machine must not fail a test
hypothesis.settings.load_profile("suite")

# A test's OpenSearch node ends before the optimizing compiler repays its work: it starts in two thirds of the processor time.
_TLS = Path(__file__).with_name("opensearch_tls.properties")
os.environ.setdefault("JAVA_TOOL_OPTIONS", f'-XX:TieredStopAtLevel=1 "-Djava.security.properties={_TLS}"')

for _name in [name for name in os.environ if name.upper().startswith("FSI_")]:
    del os.environ[_name]  # tests must not depend on the developer's settings


@pytest.fixture(scope="session")
def models() -> Models:
    """The real embedder."""
    loaded = load_models(Settings())
    assert loaded.embed_model is not None, "the tests need the local embedder: `make install`"
    return loaded


@pytest.fixture(scope="session")
def cached_models(models: Models) -> Models:
    """The real embedder with cached vectors of the evaluation questions."""
    assert models.embed_model
    memory = CachedQueryEmbedding(models.embed_model, CACHE / f"{models.manifest.fingerprint}.npz")
    memory.embed_queries(text for question in questions() for text in (question, expand(question)))
    return replace(models, embed_model=memory)


@pytest.fixture(scope="session")
def small_root(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Path:
    """A folder of indexes with tests/small_faq.py as the index "small". It must not be changed; copy it instead."""
    root = tmp_path_factory.mktemp("indexes")
    ingest_files(root, "small", models, [write_faq(root / "faq.csv")])
    return root


@pytest.fixture(scope="module")
def small_store(small_root: Path, models: Models) -> Iterator[FaissStore]:
    opened = FaissStore.open(small_root / "small", models.manifest)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def bundled_root(models: Models) -> Path:
    """The folder of the bundled index, shared with the page because building the index takes time."""
    root = ROOT / ".fsi" / "indexes"
    open_index(Settings(store=StoreSettings(directory=root)), models).close()
    return root


@pytest.fixture(scope="session")
def bundled_dev(bundled_root: Path, cached_models: Models) -> Run:
    """The run of all questions of the gates on the bundled index."""
    settings = Settings(store=StoreSettings(directory=bundled_root))
    return dev_run(settings, cached_models, ROOT / ".cache" / "runs")


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real OpenSearch server, which takes some fifteen seconds to start."""
    with serving(tmp_path_factory.mktemp("opensearch") / "node") as server:
        yield server


@pytest.fixture
def loggers_as_before() -> Iterator[None]:
    """Restore handlers and levels after tests that configure logging."""
    root, names = logging.getLogger(), ("rag", "deploy")
    handlers, level, levels = root.handlers[:], root.level, [logging.getLogger(name).level for name in names]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, former in zip(names, levels, strict=True):
        logging.getLogger(name).setLevel(former)
