"""The bundled vectors belong to the bundled FAQ and the local embedder, and are used for no other embedding."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from rag.factory import bundled_vectors
from rag.factory.bundled_vectors import DATA, PASSAGE, PATH, QUERY, StoredVectors, text_key, with_stored_vectors
from rag.factory.models import Models
from rag.factory.stores import open_index
from rag.ingestion.chunking import embedded_texts
from rag.ingestion.embedding import manifest_of
from rag.ingestion.pipeline import split_rows
from rag.ingestion.readers import read
from rag.models.local_embedding import LocalEmbedding
from rag.settings import Settings, StoreSettings
from tests.fakes_embedding import HashedEmbedding

STALE = "stale: `python -m rag.factory.bundled_vectors` writes data/vectors/bundled.npz"


def test_the_first_start_embeds_nothing_but_the_fingerprints_probes(
    models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    embed = LocalEmbedding._embed

    def counted(self: LocalEmbedding, text: str, tokens: int) -> list[float]:
        asked.append(text)
        return embed(self, text, tokens)

    monkeypatch.setattr(LocalEmbedding, "_embed", counted)
    store = open_index(Settings(store=StoreSettings(directory=tmp_path)), models)
    assert store.count() > 300 and store.manifest.fingerprint == models.manifest.fingerprint
    store.close()
    assert 3 <= len(asked) <= 6, STALE  # as queries the probes may be known already


def test_a_sample_is_what_the_embedder_gives(models: Models) -> None:
    known = bundled_vectors.load_vectors(PATH, models.manifest.fingerprint)
    assert known, STALE
    assert models.embed_model
    rows = split_rows(read([DATA]), models.embed_model)
    for node in rows[:: len(rows) // 12]:
        for text in embedded_texts(node):
            stored = known[text_key(PASSAGE, text)]
            assert np.dot(stored, models.embed_model.get_text_embedding(text)) > 0.99999
    # Of the questions a spread sample is kept, for the scales.
    question = next(text for text in (embedded_texts(node)[0] for node in rows) if text_key(QUERY, text) in known)
    assert np.dot(known[text_key(QUERY, question)], models.embed_model.get_query_embedding(question)) > 0.99999


def test_another_embedding_takes_none_of_them(models: Models) -> None:
    other = HashedEmbedding()
    others = Models(other, manifest_of(other))
    assert with_stored_vectors(others).embed_model is other
    lexical = Models(None, manifest_of(None))
    assert with_stored_vectors(lexical) is lexical
    assert isinstance(with_stored_vectors(models).embed_model, StoredVectors)


def test_a_missing_or_broken_file_costs_time_only(
    models: Models, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert with_stored_vectors(models, tmp_path / "none.npz") is models
    broken = tmp_path / "broken.npz"
    broken.write_bytes(PATH.read_bytes()[:1000])
    with caplog.at_level(logging.WARNING):
        assert with_stored_vectors(models, broken) is models
    assert "computing them" in caplog.text


def test_what_is_not_stored_is_computed(tmp_path: Path) -> None:
    inner = HashedEmbedding()
    known = {text_key(PASSAGE, "하나"): [1.0] + [0.0] * 63}
    stored = StoredVectors(inner, dict(known))
    first, second = stored.get_text_embedding_batch(["하나", "둘"])
    assert first == known[text_key(PASSAGE, "하나")]
    assert second == inner.get_text_embedding("둘")
    assert stored.get_query_embedding("하나") == inner.get_query_embedding("하나")
    assert set(stored.requested) == {text_key(PASSAGE, "하나"), text_key(PASSAGE, "둘"), text_key(QUERY, "하나")}
    path = tmp_path / "vectors" / "some.npz"
    bundled_vectors.save_vectors(path, "abc", stored.requested)
    assert set(bundled_vectors.load_vectors(path, "abc")) == set(stored.requested)
    assert bundled_vectors.load_vectors(path, "abd") == {}
