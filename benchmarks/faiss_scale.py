"""Measures FaissStore with many rows against peers: opening, memory, query time, and recall with and without filters.

    python -m benchmarks.faiss_scale [--rows 100000] [--noise 0.4] [--peers faiss llamaindex opensearch] [--lexical] [--json OUT]

Vectors are those of the bundled FAQ with noise, each `--noise` times as long as the vector it is added to, so that they
cluster as passages on one subject do; questions are made in the same way. Filters let 10 % or 1 % of the rows pass: `tenth`
and `hundredth` by chance, `topic` the rows around one in a hundred of the FAQ's vectors, most of them far from the question.
Recall is the share of the true ten nearest, from a search over all float32 vectors. Every part runs in a process of its
own, so that memory means something; all queries on one thread. LlamaIndex's store is `FaissVectorStore` with its document store,
OpenSearch a node on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._scale_data import FILTERS, TOP, asked, chunks, metadata, nodes, resident_mb, timed, true_rows
from benchmarks.faiss_store import DIMENSION, seconds, words

if TYPE_CHECKING:
    pass


def write(folder: Path, rows: int, noise: float) -> dict[str, Any]:
    """Add the rows, then finish as an ingestion does: the first search builds the search structures."""
    from llama_index.core.vector_stores.types import VectorStoreQuery

    from rag.stores.base import Manifest
    from rag.stores.faiss.store import FaissStore

    store = FaissStore.create(folder / "ours", Manifest(DIMENSION, "bench"))
    adding = sum(seconds(lambda given=given: store.add(given)) for given in nodes(rows, noise))  # type: ignore[misc]
    adding_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    building = seconds(lambda: store.query(VectorStoreQuery(query_embedding=asked(noise)[0].tolist())))
    store.close()
    size = sum(file.stat().st_size for file in (folder / "ours").rglob("*") if file.is_file())
    return {"add_s": adding, "add_peak_mb": adding_peak, "build_s": building, "disk_mb": size / 1e6}


def serve(folder: Path, _rows: int, noise: float) -> dict[str, Any]:
    from llama_index.core.vector_stores.types import FilterOperator, MetadataFilter, MetadataFilters, VectorStoreQuery

    from rag.stores.faiss.store import FaissStore

    def filters(name: str) -> MetadataFilters | None:
        wanted = FILTERS[name]
        if wanted is None:
            return None
        return MetadataFilters(filters=[MetadataFilter(key=wanted[0], value=wanted[1], operator=FilterOperator.EQ)])

    before, first = resident_mb(), VectorStoreQuery(asked(noise)[0].tolist(), TOP)
    start = time.perf_counter()
    store = FaissStore.open(folder / "ours")
    store.query(first)
    opened = time.perf_counter() - start

    def ask(question: NDArray[np.float32], name: str) -> list[str]:
        return store.query(VectorStoreQuery(question.tolist(), TOP, filters=filters(name))).ids or []

    result = timed(ask, np.load(folder / "truth.npz"), noise)
    return {"open_s": opened, "queries": result, "resident_mb": resident_mb(), "process_mb": before}


def lexical(folder: Path, _rows: int, _noise: float) -> dict[str, Any]:
    """BM25 over the same rows: built from the texts, then loaded from its cache."""
    from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

    from rag.stores.faiss.store import FaissStore

    text = words()
    questions = [
        VectorStoreQuery(query_str=text(40), similarity_top_k=TOP, mode=VectorStoreQueryMode.TEXT_SEARCH)
        for _ in range(30)
    ]
    result: dict[str, Any] = {}
    for name in ("first_s", "cached_s"):
        store = FaissStore.open(folder / "ours")
        result[name] = seconds(lambda store=store: store.query(questions[0]))  # type: ignore[misc]
        result[name.replace("_s", "_resident_mb")] = resident_mb()
        if name == "first_s":
            store.close()
            del store
    result["p50_ms"] = 1000 * statistics.median(seconds(lambda q=q: store.query(q)) for q in questions)  # type: ignore[misc]
    return result


def faiss_write(folder: Path, rows: int, noise: float) -> dict[str, Any]:
    import faiss

    index = faiss.IndexFlatIP(DIMENSION)
    adding = sum(seconds(lambda vectors=vectors: index.add(vectors)) for _, vectors, _ in chunks(rows, noise))  # type: ignore[misc]
    faiss.write_index(index, str(folder / "flat"))
    return {"add_s": adding}


def faiss_serve(folder: Path, rows: int, noise: float) -> dict[str, Any]:
    import faiss

    origins = np.concatenate([each for _, _, each in chunks(rows, noise)]).tolist()
    selectors = {
        name: faiss.IDSelectorBatch(
            np.array([r for r, origin in enumerate(origins) if metadata(r, origin)[wanted[0]] == wanted[1]], np.int64)
        )
        for name, wanted in FILTERS.items()
        if wanted
    }
    before, start = resident_mb(), time.perf_counter()
    index = faiss.read_index(str(folder / "flat"))
    opened = time.perf_counter() - start
    faiss.omp_set_num_threads(1)

    def ask(question: NDArray[np.float32], name: str) -> list[str]:
        parameters = faiss.SearchParameters(sel=selectors[name]) if name in selectors else None
        _, found = index.search(question[np.newaxis], TOP, params=parameters)
        return [f"row-{row:07}" for row in found[0].tolist()]

    result = timed(ask, np.load(folder / "truth.npz"), noise)
    return {"open_s": opened, "queries": result, "resident_mb": resident_mb(), "process_mb": before}


def llamaindex_write(folder: Path, rows: int, noise: float) -> dict[str, Any]:
    import faiss
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.embeddings import MockEmbedding
    from llama_index.vector_stores.faiss import FaissVectorStore

    context = StorageContext.from_defaults(vector_store=FaissVectorStore(faiss.IndexFlatIP(DIMENSION)))
    index = VectorStoreIndex([], storage_context=context, embed_model=MockEmbedding(embed_dim=DIMENSION))
    adding = sum(seconds(lambda given=given: index.insert_nodes(given)) for given in nodes(rows, noise))  # type: ignore[misc]
    return {"add_s": adding, "save_s": seconds(lambda: context.persist(str(folder / "theirs")))}


def llamaindex_serve(folder: Path, _rows: int, noise: float) -> dict[str, Any]:
    from llama_index.core import StorageContext, load_index_from_storage
    from llama_index.core.embeddings import MockEmbedding
    from llama_index.core.schema import QueryBundle
    from llama_index.vector_stores.faiss import FaissVectorStore

    before, start = resident_mb(), time.perf_counter()
    store = FaissVectorStore.from_persist_dir(str(folder / "theirs"))
    context = StorageContext.from_defaults(vector_store=store, persist_dir=str(folder / "theirs"))
    index: Any = load_index_from_storage(context, embed_model=MockEmbedding(embed_dim=DIMENSION))
    retriever = index.as_retriever(similarity_top_k=TOP)

    def ask(question: NDArray[np.float32], name: str) -> list[str]:
        if name != "none":
            return []  # it has no filters
        return [hit.node.node_id for hit in retriever.retrieve(QueryBundle("", embedding=question.tolist()))]

    ask(asked(noise)[0], "none")
    opened = time.perf_counter() - start
    result = timed(ask, np.load(folder / "truth.npz"), noise)
    return {"open_s": opened, "queries": {"none": result["none"]}, "resident_mb": resident_mb(), "process_mb": before}


def opensearch(folder: Path, rows: int, noise: float) -> dict[str, Any]:
    from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters, VectorStoreQuery

    from benchmarks.opensearch_store import ours, server

    def filters(name: str) -> MetadataFilters | None:
        wanted = FILTERS[name]
        return MetadataFilters(filters=[MetadataFilter(key=wanted[0], value=wanted[1])]) if wanted else None

    with server() as connection, ours(connection, exact=False) as store:
        adding = sum(seconds(lambda given=given: store.add(given)) for given in nodes(rows, noise))  # type: ignore[misc]

        def ask(question: NDArray[np.float32], name: str) -> list[str]:
            return store.query(VectorStoreQuery(question.tolist(), TOP, filters=filters(name))).ids or []

        return {"add_s": adding, "queries": timed(ask, np.load(folder / "truth.npz"), noise)}


PARTS: dict[str, Callable[[Path, int, float], dict[str, Any]]] = {
    part.__name__: part
    for part in (
        true_rows,
        write,
        serve,
        lexical,
        faiss_write,
        faiss_serve,
        llamaindex_write,
        llamaindex_serve,
        opensearch,
    )
}
PEERS = {
    "faiss": ("faiss_write", "faiss_serve"),
    "llamaindex": ("llamaindex_write", "llamaindex_serve"),
    "opensearch": ("opensearch",),
}


def lines(found: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield f"{'':20}{'open s':>9}{'memory MB':>11}" + "".join(
        f"{name + ' p50 / p95 (CPU) ms, recall':>42}" for name in FILTERS
    )
    for part in ("serve", "faiss_serve", "llamaindex_serve", "opensearch"):
        if part not in found:
            continue
        each = found[part]
        cells = [
            f"{q['p50_ms']:.2f} / {q['p95_ms']:.2f} ({q['cpu_ms']:.2f}), {q['recall']:.3f}" if q else "-"
            for q in (each["queries"].get(name) for name in FILTERS)
        ]
        yield f"{part:20}{each.get('open_s', 0):9.2f}{each.get('resident_mb', 0):11.0f}" + "".join(
            f"{cell:>42}" for cell in cells
        )
    for part in ("write", "lexical", "faiss_write", "llamaindex_write", "opensearch"):
        if part in found:
            yield f"{part}: " + ", ".join(
                f"{key} {value:.1f}" for key, value in found[part].items() if key != "queries"
            )
    if "llamaindex_serve" in found:
        ours, theirs = found["serve"], found["llamaindex_serve"]
        query = ours["queries"]["none"]["p50_ms"] / theirs["queries"]["none"]["p50_ms"]
        yield (
            f"to LlamaIndex: open {ours['open_s'] / theirs['open_s']:.2f}, query {query:.2f}, "
            f"memory {ours['resident_mb'] / theirs['resident_mb']:.2f} (at most .35 wanted)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--noise", type=float, default=0.4)
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=["faiss", "llamaindex"])
    parser.add_argument("--lexical", action="store_true", help="BM25 too")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="keep the files here")
    options = parser.parse_args()
    if options.part:
        result = PARTS[options.part](options.folder, options.rows, options.noise)
        print(json.dumps({**result, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    parts = ["true_rows", "write", "serve", *(["lexical"] if options.lexical else [])]
    parts += [part for peer in options.peers for part in PEERS[peer]]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "benchmarks.faiss_scale",
            "--rows",
            str(options.rows),
            "--noise",
            str(options.noise),
        ]
        found = {}
        for part in parts:
            sent = subprocess.run(
                [*command, "--folder", str(folder), "--part", part], check=True, stdout=subprocess.PIPE, text=True
            )
            found[part] = json.loads(sent.stdout)
    print(
        f"{options.rows} rows of {DIMENSION}, noise {options.noise}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print("\n".join(lines(found)))
    if options.json:
        options.json.write_text(json.dumps({"rows": options.rows, **found}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
