"""What tests share: the real embedder, a small index and the bundled one, each made once."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest

from rag.evaluation.runs import Run
from rag.factory.models import Models, load_models
from rag.factory.stores import ingest_files, open_index
from rag.retrieval.query_analysis import expand
from rag.settings import Settings, StoreSettings
from rag.stores.faiss.store import FaissStore
from tests.opensearch import Server, serving
from tests.questions import questions
from tests.remembered import RememberedEmbedding
from tests.runs import dev_run
from tests.small_faq import write_faq

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "vectors"

SHARED = ("opensearch", "chromium")
"""Fixtures of the whole run that take long to start: the tests that need one run in one worker."""
GROUP = pytest.StashKey[str]()

hypothesis.settings.register_profile("suite", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("suite")

for _name in [name for name in os.environ if name.upper().startswith("FSI_")]:
    del os.environ[_name]  # a developer's own settings have no say in tests


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-pictures", action="store_true", help="write the pictures of the documents again")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a server run in one worker, all others file by file; the largest groups begin first."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        group = next((name for name in SHARED if name in fixtures), item.nodeid.split("::")[0])
        item.add_marker(pytest.mark.xdist_group(group))
        item.stash[GROUP] = group
    sizes = Counter(item.stash[GROUP] for item in items)
    items.sort(key=lambda item: (item.stash[GROUP] not in SHARED, -sizes[item.stash[GROUP]], item.stash[GROUP]))


@pytest.fixture(scope="session")
def models() -> Models:
    """The real embedder."""
    loaded = load_models(Settings())
    assert loaded.embed_model is not None, "the tests need the local embedder: `make install`"
    return loaded


@pytest.fixture(scope="session")
def remembered(models: Models) -> Models:
    """The real embedder, which has the evaluation questions ready."""
    assert models.embed_model
    memory = RememberedEmbedding(models.embed_model, CACHE / f"{models.manifest.fingerprint}.npz")
    memory.learn(text for question in questions() for text in (question, expand(question)))
    return replace(models, embed_model=memory)


@pytest.fixture(scope="session")
def small_root(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Path:
    """A folder of indexes that holds tests/small_faq.py as "small". To be read only; copy it to change it."""
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
    """The folder that holds the bundled index: the one of the page, for building it takes a moment."""
    root = ROOT / ".fsi" / "indexes"
    open_index(Settings(store=StoreSettings(directory=root)), models).close()
    return root


@pytest.fixture(scope="session")
def bundled_dev(bundled_root: Path, remembered: Models) -> Run:
    """The bundled index asked every question of the gates."""
    settings = Settings(store=StoreSettings(directory=bundled_root))
    return dev_run(settings, remembered, ROOT / ".cache" / "runs")


@pytest.fixture(scope="session")
def opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real OpenSearch server; its start takes some fifteen seconds."""
    with serving(tmp_path_factory.mktemp("opensearch") / "node") as server:
        yield server


@pytest.fixture
def loggers_as_before() -> Iterator[None]:
    """For tests that configure logging."""
    root, names = logging.getLogger(), ("rag", "deploy")
    handlers, level, levels = root.handlers[:], root.level, [logging.getLogger(name).level for name in names]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, former in zip(names, levels, strict=True):
        logging.getLogger(name).setLevel(former)
