"""`ingest` as the command line calls it: from files to an index, in place or rebuilt."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.embeddings import MockEmbedding

from rag.errors import IndexBusy, IndexMissing, ModelError, RowErrors, StoreError
from rag.ingestion.embedding import manifest_of
from rag.ingestion.pipeline import IngestReport, StoreOpener, embedding_window, ingest
from rag.ingestion.sync import BATCH
from rag.stores.base import WAIT
from rag.stores.faiss.catalog import FaissCatalog
from rag.stores.faiss.store import FaissStore
from tests.fakes_embedding import HashedEmbedding, Vectors

COUNT = 2 * BATCH
MIDWAY = 3 * BATCH // 8
"""Batches of eight texts, two texts a row: the first batch of rows is in, the second is not."""


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "indexes" / "mine"


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    return write(tmp_path / "faq.csv", *range(COUNT))


def opener(index: Path, wait: float = WAIT) -> StoreOpener:
    return partial(FaissCatalog(index.parent).open_for_ingest, index.name, wait=wait)


def write(file: Path, *numbers: int, version: str = "") -> Path:
    lines = [f"{number},질문 {number},{number} 답변{version}" for number in numbers]
    file.write_text("\n".join(["id,question,answer", *lines]), encoding="utf-8")
    return file


def run(index: Path, *files: Path, model: HashedEmbedding | None = None, dry_run: bool = False) -> IngestReport:
    store_opener = opener(index, wait=0.1)
    return ingest(files, store_opener=store_opener, embed_model=model or HashedEmbedding(), dry_run=dry_run)


@contextmanager
def opened(index: Path, model: HashedEmbedding | None = None) -> Iterator[FaissStore]:
    store = FaissStore.open(index, manifest_of(model or HashedEmbedding()))
    yield store
    store.close()


def contents(index: Path, model: HashedEmbedding | None = None) -> dict[str, str]:
    with opened(index, model) as store:
        return {node.node_id: node.get_content() for node in store.get_nodes()}


def files_below(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class FailsAfter(HashedEmbedding):
    """Fails at the given batch of texts; the probes of the fingerprint are the first."""

    def __init__(self, batches: int, **kwargs: Any) -> None:
        left = batches

        def tamper(vectors: Vectors) -> Vectors:
            nonlocal left
            left -= 1
            if left < 0:
                raise ModelError("the endpoint is gone")
            return vectors

        super().__init__(tamper=tamper, **kwargs)


def test_each_ingest_states_the_whole_content(index: Path, faq: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.csv", 9000, 9001)
    assert str(run(index, faq, other)).startswith(
        f"{COUNT + 2} rows: {COUNT + 2} passages added, 0 updated, 0 unchanged"
    )
    write(faq, *range(1, COUNT), version="")
    report = run(index, faq).changes
    assert (report.added, report.updated, report.unchanged, report.deleted) == (0, 0, COUNT - 1, 3)
    assert contents(index).keys() == {str(number) for number in range(1, COUNT)}


def test_a_bad_row_stops_everything_before_anything_is_written(index: Path, faq: Path) -> None:
    run(index, faq)
    before = files_below(index)
    faq.write_text("id,question,answer\n1,질문,답변\n2,,답변\n", encoding="utf-8")
    with pytest.raises(RowErrors, match="row 3, column 'question'"):
        run(index, faq)
    assert files_below(index) == before


def test_all_questions_too_long_for_the_window_are_named(index: Path, tmp_path: Path) -> None:
    long = "가" * 300
    file = tmp_path / "faq.csv"
    file.write_text(f"question,answer\n{long},답변\n질문,답변\n{long},다른 답변\n", encoding="utf-8")
    with pytest.raises(RowErrors) as caught:
        run(index, file)
    assert [(error.row, error.column) for error in caught.value.errors] == [(2, "question"), (4, "question")]
    assert not index.exists()


def test_a_dry_run_tells_the_same_and_writes_nothing(index: Path, faq: Path, tmp_path: Path) -> None:
    assert run(index, faq, dry_run=True).changes.added == COUNT
    assert not index.parent.exists()
    run(index, faq)
    write(faq, *range(5), COUNT, version=" 2")
    before = files_below(tmp_path)
    dry = run(index, faq, dry_run=True)
    assert files_below(tmp_path) == before
    assert "would be added" in str(dry)
    wet = run(index, faq)
    assert (dry.changes.added, dry.changes.updated, dry.changes.deleted) == (1, 5, COUNT - 5)
    assert (wet.changes.added, wet.changes.updated, wet.changes.deleted) == (1, 5, COUNT - 5)


def test_an_interrupted_first_ingest_shows_no_half_index_and_is_continued(index: Path, faq: Path) -> None:
    with pytest.raises(ModelError):
        run(index, faq, model=FailsAfter(MIDWAY))
    with pytest.raises(IndexMissing):
        FaissStore.open(index)
    report = run(index, faq).changes
    assert (report.added, report.unchanged) == (COUNT - BATCH, BATCH)
    assert len(contents(index)) == COUNT


def test_another_embedder_rebuilds_the_index_and_rollback_brings_the_former_back(
    index: Path, faq: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(index, faq)
    other = HashedEmbedding(salt="other", dimension=32)
    with caplog.at_level(logging.WARNING):
        report = run(index, faq, model=other).changes
    assert (report.added, report.unchanged) == (COUNT, 0)
    assert "rebuilding the index" in caplog.text and "dimension 64" in caplog.text
    assert len(contents(index, other)) == COUNT
    FaissStore.rollback(index)
    assert len(contents(index)) == COUNT


def test_the_former_index_answers_until_a_rebuild_is_whole(index: Path, faq: Path) -> None:
    run(index, faq)
    with opened(index) as reader:
        with pytest.raises(ModelError):
            run(index, faq, model=FailsAfter(MIDWAY, salt="other"))
        assert reader.count() == COUNT
    assert run(index, faq, model=HashedEmbedding(salt="other")).changes.added == COUNT - BATCH
    assert sorted(path.name for path in index.parent.iterdir()) == [".mine.lock", "mine"]


def test_a_rebuild_given_up_leaves_nothing_behind(index: Path, faq: Path) -> None:
    run(index, faq)
    with pytest.raises(ModelError):
        run(index, faq, model=FailsAfter(MIDWAY, salt="other"))
    run(index, faq)
    assert sorted(path.name for path in index.parent.iterdir()) == [".mine.lock", "mine"]


def test_a_damaged_index_is_rebuilt(index: Path, faq: Path) -> None:
    run(index, faq)
    [database] = index.glob("*.sqlite")
    database.write_bytes(b"no database" * 1000)
    run(index, faq)
    assert len(contents(index)) == COUNT


def test_an_index_for_lexical_search_alone(index: Path, faq: Path) -> None:
    report = ingest([faq], store_opener=opener(index), embed_model=None)
    assert report.changes.added == COUNT
    store = FaissStore.open(index, manifest_of(None))
    found = store.candidates(query_embedding=None, query_str="질문 57", size=3)
    assert next(iter(found.lexical["tokens"])) == "57"
    store.close()


def test_a_second_ingest_at_the_same_time_is_refused(index: Path, faq: Path) -> None:
    with (
        opener(index)(manifest_of(HashedEmbedding()), size=0, dry_run=False),
        pytest.raises(IndexBusy, match="mine"),
    ):
        run(index, faq)
    assert run(index, faq).changes.added == COUNT


def test_a_folder_that_cannot_be_written_is_named_with_its_setting(index: Path, faq: Path) -> None:
    index.parent.write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=rf"{index.parent} cannot be written .* FSI_STORE__DIRECTORY"):
        run(index, faq)


def test_progress_tells_each_step(index: Path, faq: Path) -> None:
    seen: dict[str, tuple[int, int]] = {}

    def progress(step: str, done: int, total: int) -> None:
        seen[step] = (done, total)

    ingest(
        [faq],
        store_opener=opener(index),
        embed_model=HashedEmbedding(),
        progress=progress,
    )
    assert seen == {"split": (COUNT, COUNT), "embed": (COUNT, COUNT)}


def test_window_of_an_embedder_that_cannot_count_is_in_characters() -> None:
    assert embedding_window(MockEmbedding(embed_dim=8)) == (len, 512)
    assert embedding_window(HashedEmbedding())[1] == 400
    assert embedding_window(None) == (len, sys.maxsize)
