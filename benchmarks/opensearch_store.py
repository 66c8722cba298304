"""Compares OpenSearchStore with LlamaIndex's OpenSearch store and with the plain client, on a local node.

    python -m benchmarks.opensearch_store [--rows 20000] [--json OUT]

Adding is compared with dense fields only, because LlamaIndex's store has no token fields; the cost of token fields is shown
separately. LlamaIndex's index is a graph with its default parameters, on the lucene engine (its default engine needs a native
library that the node lacks). Its refresh every second causes merges, which are waited for and not counted. The variants are
measured alternately and the best time counts, because a server is slow in its first minute. A hybrid query is compared with
the same `_msearch` sent as bytes by the plain client, alternately. Exits with 1 over a limit. The last table is the basis for
the size from which an index gets a graph (rag/stores/opensearch/catalog.py, EXACT_ROWS).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from benchmarks.faiss_store import DIMENSION, nodes, p50_ms, seconds, vectors, words

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode

    from rag.stores.opensearch.client import Connection
    from rag.stores.opensearch.store import OpenSearchStore

LIMITS = {"exact_add_ratio": 4.0, "graph_add_ratio": 1.5, "hybrid_to_raw": 1.15}
COSTS = ("hybrid_to_raw",)
"""Figures with an upper limit; the others have a lower limit."""
SIZES = (2_500, 5_000, 10_000, 20_000)
PROBES = 50
REPEATS = 3


@contextmanager
def server() -> Iterator[Connection]:
    from deploy.local import opensearch_node
    from rag.stores.opensearch.client import connect

    with tempfile.TemporaryDirectory() as folder:
        node = opensearch_node.start(Path(folder) / "node", owner=os.getpid())
        connection = connect(node.url, auth=("admin", node.admin_password), ca_certs=node.ca_certs)
        try:
            yield connection
        finally:
            connection.close()
            opensearch_node.stop(Path(folder) / "node")


def published(connection: Connection, given: Sequence[TextNode], asked: Sequence[float]) -> dict[str, float]:
    """LlamaIndex's OpenSearch store."""
    from llama_index.core.vector_stores.types import VectorStoreQuery
    from llama_index.vector_stores.opensearch import OpensearchVectorClient, OpensearchVectorStore

    client = OpensearchVectorClient(
        connection.url,
        "published",
        DIMENSION,
        engine="lucene",
        os_client=connection.client,
        os_async_client=connection.client,
    )
    store = OpensearchVectorStore(client)
    added = seconds(lambda: store.add(list(given)))
    expunge_deletes(connection)
    (query,) = p50_ms(lambda: store.query(VectorStoreQuery(query_embedding=list(asked), similarity_top_k=5)))
    connection.request("DELETE", "/published")
    return {"add_s": added, "query_ms": query}


def expunge_deletes(connection: Connection) -> None:
    """Wait until no segments are being merged."""
    while connection.request("GET", "/_stats/merge")["_all"]["primaries"]["merges"]["current"]:
        time.sleep(0.5)


@contextmanager
def ours(connection: Connection, *, exact: bool) -> Iterator[OpenSearchStore]:
    from rag.stores.base import Manifest
    from rag.stores.opensearch import aliases
    from rag.stores.opensearch.store import OpenSearchStore

    name = f"bench-{'exact' if exact else 'graph'}"
    yield OpenSearchStore.create(connection, name, Manifest(DIMENSION, "bench"), exact=exact)
    aliases.delete(connection, name)


def add_seconds(connection: Connection, given: Sequence[TextNode], *, exact: bool, dense_alone: bool) -> float:
    no_tokens = mock.patch("rag.stores.opensearch.mapping.field_tokens", new=_no_tokens)
    with no_tokens if dense_alone else nullcontext(), ours(connection, exact=exact) as store:
        return seconds(lambda: store.add(given))


def _no_tokens(*_: Any) -> list[str]:
    return []  # a Mock would take longer than what it stands for


def adding(connection: Connection, given: Sequence[TextNode], asked: Sequence[float]) -> dict[str, dict[str, float]]:
    """Seconds of each variant, the best of a few rounds, because other load only increases times."""
    best = {"published": published(connection, given, asked)}
    for _ in range(REPEATS):
        found = {"published": published(connection, given, asked)}
        for exact, name in ((True, "exact"), (False, "graph")):
            dense = add_seconds(connection, given, exact=exact, dense_alone=True)
            whole = add_seconds(connection, given, exact=exact, dense_alone=False)
            found[name] = {"add_dense_s": dense, "add_s": whole}
        best = {name: {key: min(best.get(name, each)[key], each[key]) for key in each} for name, each in found.items()}
    return best


def hybrid(connection: Connection, given: Sequence[TextNode], asked: Sequence[float]) -> dict[str, float]:
    """Milliseconds of `candidates`, which every question uses, and of the same request by the plain client."""
    question, sent = words()(40), []
    with ours(connection, exact=True) as store:
        store.add(given)
        original = type(connection).request

        def spy(self: Connection, method: str, path: str, body: Any = None, **options: Any) -> Any:
            sent.extend([body] if path == "/_msearch" else [])
            return original(self, method, path, body, **options)

        def ask() -> Any:
            return store.candidates(query_embedding=asked, query_str=question, size=50)

        with mock.patch.object(type(connection), "request", spy):
            ask()
        raw, headers = sent[-1], {"content-type": "application/x-ndjson"}
        transport = connection.client.transport
        bare, full = p50_ms(lambda: transport.perform_request("POST", "/_msearch", body=raw, headers=headers), ask)
    return {"raw_msearch_ms": bare, "candidates_ms": full}


def sizes(connection: Connection, given: Sequence[TextNode], top: int) -> Iterator[dict[str, float]]:
    """Dense queries by number of rows: times of exact and graph search, and the graph's recall at 5."""
    from llama_index.core.vector_stores.types import VectorStoreQuery

    probes = [VectorStoreQuery(query_embedding=v.tolist(), similarity_top_k=5) for v in vectors(top + PROBES)[-PROBES:]]
    for rows in [size for size in SIZES if size < top] + [top]:
        with ours(connection, exact=True) as exact, ours(connection, exact=False) as graph:
            for store in (exact, graph):
                store.add(given[:rows])
            both = [partial(store.query, probes[0]) for store in (exact, graph)]
            all_exact, all_graph = p50_ms(*both)
            found = [len(set(exact.query(probe).ids or ()) & set(graph.query(probe).ids or ())) / 5 for probe in probes]
        yield {"rows": rows, "exact_ms": all_exact, "graph_ms": all_graph, "graph_recall@5": statistics.fmean(found)}


def measure(rows: int) -> dict[str, Any]:
    given = nodes(rows)
    asked = vectors(rows)[rows // 2].tolist()
    with server() as connection:
        report: dict[str, Any] = {"rows": rows, **adding(connection, given, asked)}
        report["hybrid"] = hybrid(connection, given, asked)
        report["by_size"] = list(sizes(connection, given, rows))
    report["ratios"] = {
        "exact_add_ratio": report["published"]["add_s"] / report["exact"]["add_dense_s"],
        "graph_add_ratio": report["published"]["add_s"] / report["graph"]["add_dense_s"],
        "hybrid_to_raw": report["hybrid"]["candidates_ms"] / report["hybrid"]["raw_msearch_ms"],
    }
    return report


def lines(report: dict[str, Any]) -> Iterator[str]:
    yield f"{report['rows']} rows of {DIMENSION} dimensions, one node"
    yield f"LlamaIndex's store    add {report['published']['add_s']:7.2f} s    query {report['published']['query_ms']:7.2f} ms"
    for name in ("exact", "graph"):
        found = report[name]
        yield f"ours, {name:6}          add {found['add_dense_s']:7.2f} s dense alone, {found['add_s']:.2f} s with token fields"
    found = report["hybrid"]
    yield f"hybrid query          {found['candidates_ms']:.2f} ms, the same _msearch alone {found['raw_msearch_ms']:.2f} ms"
    for each in report["by_size"]:
        yield (
            f"{each['rows']:8} rows         exact {each['exact_ms']:7.2f} ms    graph {each['graph_ms']:7.2f} ms, "
            f"recall@5 {each['graph_recall@5']:.3f}"
        )
    for name, ratio in report["ratios"].items():
        yield f"{name:22}{ratio:6.2f}    {'at most' if name in COSTS else 'at least'} {LIMITS[name]} wanted"


def fails(ratios: dict[str, float]) -> bool:
    return any((ratio > LIMITS[name]) == (name in COSTS) for name, ratio in ratios.items())


def main() -> int:
    parser = argparse.ArgumentParser(description="OpenSearchStore beside LlamaIndex's own store and the bare client.")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args()
    report = measure(options.rows)
    for line in lines(report):
        print(line)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return int(fails(report["ratios"]))


if __name__ == "__main__":
    raise SystemExit(main())
