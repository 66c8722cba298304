"""Fills one version of an OpenSearch index from several processes and publishes it when complete, as in docs/scale.md.

    python -m benchmarks.sharded_ingestion [--rows 900] [--processes 3] [--json OUT]

Runs on a local node. This process holds the lock and the version; each of the others, standing for a machine, reads the file,
keeps the rows whose IDs fall into its shard, embeds and writes them. Then the rows are counted, the score scales fitted, and
the alias is moved. One process is killed and restarted, and a reader searches all the time. Exits with 1 if a row is missing
or duplicated, or if the reader saw an incomplete version.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.ingestion import write_rows

ROOT = Path(__file__).parents[1]
INDEX = "sharded"


def shard_of(row_id: str, shards: int) -> int:
    """The shard by the row's ID, not the node's, so that the passages of a long row are in one shard."""
    return zlib.crc32(row_id.encode()) % shards


def fill(file: Path, shard: int, shards: int, where: dict[str, str]) -> None:
    """Ingest one shard; calling it again continues an interrupted call."""
    from rag.ingestion.embedding import manifest_of
    from rag.ingestion.pipeline import split_rows
    from rag.ingestion.sources import read_sources
    from rag.ingestion.sync import sync
    from rag.models.local_embedding import LocalEmbedding
    from rag.stores.opensearch.catalog import BUILDING
    from rag.stores.opensearch.client import connect
    from rag.stores.opensearch.store import OpenSearchStore

    model = LocalEmbedding(threads=1)
    rows = [row for row in read_sources([file]).rows if shard_of(row.id, shards) == shard]
    connection = connect(where["url"], auth=(where["user"], where["password"]), ca_certs=where["ca_certs"])
    store = OpenSearchStore(connection, INDEX, manifest_of(model), role=BUILDING)
    # Rows of other shards must not be deleted.
    report = sync(store, split_rows(rows, model), model, is_kept=lambda _: True)
    print(f"shard {shard}: {report.added} added, {report.unchanged} there already", flush=True)
    connection.close()


def measure(rows: int, processes: int) -> dict[str, Any]:
    from llama_index.core.vector_stores.types import VectorStoreQuery

    from deploy.local import opensearch_node
    from rag.errors import IndexMissing
    from rag.factory.stores import calibrate_from_own_rows
    from rag.ingestion.embedding import manifest_of
    from rag.models.local_embedding import LocalEmbedding
    from rag.stores.opensearch.catalog import OpenSearchCatalog
    from rag.stores.opensearch.client import connect

    model = LocalEmbedding()
    manifest, question = manifest_of(model), model.get_query_embedding("이체한도를 늘리고 싶어요")
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        write_rows(file := Path(temporary) / "rows.csv", rows, 60)
        node = opensearch_node.start(Path(temporary) / "node", owner=os.getpid())
        stack.callback(opensearch_node.stop, Path(temporary) / "node")
        where = {"url": node.url, "user": node.user, "password": node.password, "ca_certs": str(node.ca_certs)}
        connection = connect(node.url, auth=(node.user, node.password), ca_certs=node.ca_certs)
        stack.callback(connection.close)
        catalog, seen, done = OpenSearchCatalog(connection), set[int](), threading.Event()

        def read() -> None:
            while not done.is_set():
                try:
                    store = catalog.open(INDEX)
                    seen.add(store.count())
                    store.query(VectorStoreQuery(query_embedding=question))
                except IndexMissing:
                    seen.add(0)

        def start(shard: int) -> subprocess.Popen[bytes]:
            command = [
                sys.executable,
                "-m",
                "benchmarks.sharded_ingestion",
                "--fill",
                str(file),
                str(shard),
                str(processes),
            ]
            return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"BENCH_WHERE": json.dumps(where)})

        reader, began = threading.Thread(target=read), time.perf_counter()
        reader.start()
        try:
            with catalog.open_for_ingest(
                INDEX,
                manifest,
                size=rows,
                finish=lambda store, changed: calibrate_from_own_rows(store, model, rows_changed=changed),
            ) as store:
                working = [start(shard) for shard in range(processes)]
                while store.count() < rows // 10:
                    time.sleep(0.2)
                working[0].kill()
                working[0].wait()
                working[0] = start(0)
                assert not any(process.wait() for process in working), "a shard failed: nothing is published"
                written = store.count()
                assert written >= rows, f"{written} passages of {rows} rows"
            published = catalog.open(INDEX)
            count = published.count()
            documents = {state.ref_doc_id for state in published.states().values()}
        finally:
            done.set()
            reader.join()
        return {
            "rows": rows,
            "processes": processes,
            "seconds": time.perf_counter() - began,
            "passages": count,
            "rows_found": len(documents),
            "counts_seen_by_a_reader": sorted(seen),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=900)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--fill", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill:
        file, shard, shards = options.fill
        fill(Path(file), int(shard), int(shards), json.loads(os.environ["BENCH_WHERE"]))
        return 0
    found = measure(options.rows, options.processes)
    print(json.dumps(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    whole = found["rows_found"] == options.rows and set(found["counts_seen_by_a_reader"]) <= {0, found["passages"]}
    return 0 if whole else 1


if __name__ == "__main__":
    raise SystemExit(main())
