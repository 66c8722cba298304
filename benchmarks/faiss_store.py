"""Compares FaissStore with LlamaIndex's FAISS integration and with FAISS itself: adding, loading, querying, memory.

    python -m benchmarks.faiss_store [--rows 20000] [--json OUT]

Every part runs in a separate process, writing and serving too, so that peak memory is that of the part. LlamaIndex's
integration is `FaissVectorStore` + `SimpleDocumentStore` + `VectorStoreIndex`, persisted and loaded again; it has no filters
and no lexical search. The overhead of a query over FAISS is measured on the same index in the same process, alternately and on
one thread: by default FAISS splits a query over all cores, which takes twice as long on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from llama_index.core.schema import TextNode

DIMENSION = 384
BANKS = ("새나래은행", "도담저축은행", "미르누리증권")
OVERHEAD_LIMIT_MS = 1.0
REPEATS = 101


def words() -> Callable[[int], str]:
    """A function that generates Korean-like text of about that many characters from 4,000 words with a skewed distribution."""
    dice = random.Random(1)
    endings = ("은", "를", "에서", "으로", "합니다", "하세요", "됩니다", "")
    stems = ["".join(chr(dice.randrange(0xAC00, 0xD7A4, 28)) for _ in range(dice.randint(2, 4))) for _ in range(4000)]
    weights = [1 / rank for rank in range(1, 4001)]

    def text(length: int) -> str:
        chosen = dice.choices(stems, weights, k=length // 4)
        return " ".join(stem + dice.choice(endings) for stem in chosen)[:length]

    return text


def vectors(rows: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    import numpy as np

    found = np.random.default_rng(2).standard_normal((rows, DIMENSION)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def nodes(rows: int) -> list[TextNode]:
    from llama_index.core.schema import TextNode

    text = words()
    return [
        TextNode(
            id_=f"row-{i:06}",
            text=text(300),
            embedding=vector.tolist(),
            metadata={
                "question": text(40),
                "bank": BANKS[i % 3],
                "category": f"분류 {i % 20}",
                "source_url": f"https://faq.example/{i}",
                "content_hash": f"{i:064x}",
                "effective_from": f"2025-{i % 12 + 1:02}-01",
                "effective_until": "",
            },
        )
        for i, vector in enumerate(vectors(rows))
    ]


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def p50_ms(*works: Callable[[], Any]) -> list[float]:
    """Median milliseconds of each, measured alternately."""
    for work in works:
        work()
    taken = [[seconds(work) for work in works] for _ in range(REPEATS)]
    return [1000 * statistics.median(column) for column in zip(*taken, strict=True)]


def ours_write(folder: Path, rows: int) -> dict[str, float]:
    from rag.stores.base import Manifest
    from rag.stores.faiss.store import FaissStore

    store, given = FaissStore.create(folder / "ours", Manifest(DIMENSION, "bench")), nodes(rows)
    return {"add_s": seconds(lambda: store.add(given))}


def ours_serve(folder: Path, rows: int) -> dict[str, float]:
    import faiss
    from llama_index.core.vector_stores.types import VectorStoreQuery

    from rag.stores.faiss.store import FaissStore
    from rag.stores.filters import metadata_filters
    from rag.types import Filters

    asked = vectors(rows)[rows // 2 :][:1]
    plain = VectorStoreQuery(query_embedding=asked[0].tolist(), similarity_top_k=5)
    filtered = VectorStoreQuery(plain.query_embedding, 5, filters=metadata_filters(Filters({"bank": BANKS[1]})))
    start = time.perf_counter()
    store = FaissStore.open(folder / "ours")
    store.query(plain)
    load = time.perf_counter() - start
    index = store.client

    def alone() -> None:
        faiss.omp_set_num_threads(1)
        index.search(asked, 5)
        faiss.omp_set_num_threads(threads)

    threads = faiss.omp_get_max_threads()
    raw, query, by_filter = p50_ms(alone, lambda: store.query(plain), lambda: store.query(filtered))
    return {
        "load_s": load,
        "raw_query_ms": raw,
        "query_ms": query,
        "filtered_query_ms": by_filter,
        "retrieve_ms": retrieve_ms(store, asked),
    }


def ours_lexical(folder: Path, rows: int) -> dict[str, float]:
    from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

    from rag.stores.faiss.store import FaissStore

    asked, question = vectors(rows)[rows // 2].tolist(), words()(40)
    text = VectorStoreQuery(query_str=question, similarity_top_k=5, mode=VectorStoreQueryMode.TEXT_SEARCH)
    result: dict[str, float] = {}
    for name in ("tokenise_s", "cached_s"):
        store = FaissStore.open(folder / "ours")
        store.query(VectorStoreQuery(query_embedding=asked))
        result[name] = seconds(lambda store=store: store.query(text))  # type: ignore[misc]
    result["text_search_ms"], result["candidates_ms"] = p50_ms(
        lambda: store.query(text),
        lambda: store.candidates(query_embedding=asked, query_str=question, size=50),
    )
    return result


def llamaindex_write(folder: Path, rows: int) -> dict[str, float]:
    import faiss
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.embeddings import MockEmbedding
    from llama_index.vector_stores.faiss import FaissVectorStore

    given = nodes(rows)

    def add() -> None:
        context = StorageContext.from_defaults(vector_store=FaissVectorStore(faiss.IndexFlatIP(DIMENSION)))
        VectorStoreIndex(given, storage_context=context, embed_model=MockEmbedding(embed_dim=DIMENSION))
        context.persist(str(folder / "theirs"))

    return {"add_s": seconds(add)}


def llamaindex_serve(folder: Path, rows: int) -> dict[str, float]:
    from llama_index.core import StorageContext, VectorStoreIndex, load_index_from_storage
    from llama_index.core.embeddings import MockEmbedding
    from llama_index.core.schema import QueryBundle
    from llama_index.vector_stores.faiss import FaissVectorStore

    asked = vectors(rows)[rows // 2 :][:1]
    loaded: list[Any] = []

    def load() -> None:
        store = FaissVectorStore.from_persist_dir(str(folder / "theirs"))
        context = StorageContext.from_defaults(vector_store=store, persist_dir=str(folder / "theirs"))
        index = load_index_from_storage(context, embed_model=MockEmbedding(embed_dim=DIMENSION))
        assert isinstance(index, VectorStoreIndex)
        loaded.append(index.as_retriever(similarity_top_k=5))
        loaded[0].retrieve(QueryBundle("", embedding=asked[0].tolist()))

    load_s = seconds(load)
    (query,) = p50_ms(lambda: loaded[0].retrieve(QueryBundle("", embedding=asked[0].tolist())))
    return {"load_s": load_s, "retrieve_ms": query}


def raw_serve(folder: Path, rows: int) -> dict[str, float]:
    import faiss

    found = vectors(rows)
    index = faiss.IndexFlatIP(DIMENSION)
    add = seconds(lambda: index.add(found))
    faiss.write_index(index, str(folder / "raw"))
    load = seconds(lambda: faiss.read_index(str(folder / "raw")))
    return {"add_s": add, "load_s": load, "query_ms": p50_ms(lambda: index.search(found[:1], 5))[0]}


def retrieve_ms(store: Any, asked: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    """Milliseconds of a retriever, as in LlamaIndex's integration, instead of the store's own method."""
    from llama_index.core import VectorStoreIndex
    from llama_index.core.embeddings import MockEmbedding
    from llama_index.core.schema import QueryBundle

    index = VectorStoreIndex.from_vector_store(store, embed_model=MockEmbedding(embed_dim=DIMENSION))
    retriever = index.as_retriever(similarity_top_k=5)
    return p50_ms(lambda: retriever.retrieve(QueryBundle("", embedding=asked[0].tolist())))[0]


PARTS: dict[str, Callable[[Path, int], dict[str, float]]] = {
    part.__name__: part
    for part in (ours_write, ours_serve, ours_lexical, llamaindex_write, llamaindex_serve, raw_serve)
}


def measure(rows: int) -> dict[str, dict[str, float]]:
    """Run each part in a separate process on the same data."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.faiss_store", "--rows", str(rows), "--folder", folder, "--part"]
        return {
            part: json.loads(subprocess.run([*command, part], check=True, capture_output=True, text=True).stdout)
            for part in PARTS
        }


def lines(found: dict[str, dict[str, float]]) -> Iterator[str]:
    write, serve, tokens = found["ours_write"], found["ours_serve"], found["ours_lexical"]
    their_write, their_serve, raw = found["llamaindex_write"], found["llamaindex_serve"], found["raw_serve"]
    yield f"{'':32}{'FaissStore':>12}{'LlamaIndex':>12}{'FAISS':>10}{'to LlamaIndex':>15}"
    for name, ours, theirs, alone in (
        ("add, s", write["add_s"], their_write["add_s"], raw["add_s"]),
        ("peak while adding, MB", write["peak_mb"], their_write["peak_mb"], None),
        ("load and first query, s", serve["load_s"], their_serve["load_s"], raw["load_s"]),
        ("peak while serving, MB", serve["peak_mb"], their_serve["peak_mb"], raw["peak_mb"]),
        ("retriever p50, ms", serve["retrieve_ms"], their_serve["retrieve_ms"], None),
    ):
        shown = f"{alone:10.2f}" if alone is not None else f"{'':10}"
        yield f"{name:32}{ours:12.2f}{theirs:12.2f}{shown}{ours / theirs:14.2f}x"
    yield f"{'store.query p50, ms':32}{serve['query_ms']:12.2f}{'':12}{serve['raw_query_ms']:10.2f}"
    yield f"{'  with a filter':32}{serve['filtered_query_ms']:12.2f}{'cannot':>12}"
    over = overhead_ms(found)
    yield f"{'  beyond FAISS, ms':32}{over:12.2f}   {over / OVERHEAD_LIMIT_MS:.2f} of the limit of {OVERHEAD_LIMIT_MS} ms"
    yield f"{'token fields, first query, s':32}{tokens['tokenise_s']:12.2f}   from the cache {tokens['cached_s']:.2f}"
    yield f"{'text search p50, ms':32}{tokens['text_search_ms']:12.2f}"
    yield f"{'candidates(50) p50, ms':32}{tokens['candidates_ms']:12.2f}"
    yield f"{'peak with token fields, MB':32}{tokens['peak_mb']:12.2f}"


def overhead_ms(found: dict[str, dict[str, float]]) -> float:
    return found["ours_serve"]["query_ms"] - found["ours_serve"]["raw_query_ms"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        result = PARTS[options.part](options.folder, options.rows)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**result, "peak_mb": peak}))
        return
    found = measure(options.rows)
    print(f"{options.rows} rows of {DIMENSION} dimensions and 300 characters")
    print("\n".join(lines(found)))
    if options.json:
        options.json.write_text(json.dumps({"rows": options.rows, **found}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
