"""Compares `python -m rag ingest` with that of an earlier commit, and with LlamaIndex's `IngestionPipeline`.

    python -m benchmarks.ingestion [--rows 10000] [--characters 300] [--commit 376e338] [--rounds 1] [--json OUT]

Rows are repeated from the bundled FAQ with new numbers, their answers cut to `--characters`. Each variant runs in a separate
process and builds a new index, alternately in rounds, with the same embedder. CPU time is that of the whole process, including
its start and the loading of the embedder. The pipeline only embeds and stores; ours also reads the file, checks and splits the
rows, and fits the index's score scales.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path

ROOT = Path(__file__).parents[1]
EARLIER = "376e338"
CPU_LIMIT, MEMORY_LIMIT_MB = 1 / 2.3, 900


def write_rows(path: Path, rows: int, characters: int) -> None:
    given = []
    for file in sorted((ROOT / "data/faq").glob("*.csv")):
        with file.open(encoding="utf-8-sig", newline="") as opened:
            given += list(csv.DictReader(opened))
    with path.open("w", encoding="utf-8", newline="") as written:
        writer = csv.DictWriter(written, ("id", "question", "answer", "bank"))
        writer.writeheader()
        for number in islice(count(), rows):
            row = given[number % len(given)]
            question = f"{row['question']} (안내 {number})"
            writer.writerow(
                {"id": f"r{number}", "question": question, "answer": row["answer"][:characters], "bank": "시험은행"}
            )


def pipeline(path: Path, folder: Path) -> None:
    """LlamaIndex's pipeline with our embedder."""
    import faiss
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.ingestion import IngestionPipeline  # noqa: TID251 - the peer
    from llama_index.core.schema import Document
    from llama_index.vector_stores.faiss import FaissVectorStore

    from rag.models.local_embedding import LocalEmbedding

    model = LocalEmbedding()
    with path.open(encoding="utf-8", newline="") as opened:
        documents = [
            Document(text=f"{row['question']}\n{row['answer']}", doc_id=row["id"], metadata={"bank": row["bank"]})
            for row in csv.DictReader(opened)
        ]
    for document in documents:
        document.excluded_embed_metadata_keys = ["bank"]
    nodes = IngestionPipeline(transformations=[model]).run(documents=documents)
    context = StorageContext.from_defaults(vector_store=FaissVectorStore(faiss.IndexFlatIP(384)))
    VectorStoreIndex(list(nodes), storage_context=context, embed_model=model)
    context.persist(str(folder / "theirs"))


def run(command: list[str], folder: Path, store: Path) -> dict[str, float]:
    """Seconds, CPU seconds and peak MB of a process."""
    environment = os.environ | {"FSI_STORE__DIRECTORY": str(store)}
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command} failed"
    return {
        "seconds": time.perf_counter() - began,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
    }


def measure(rows: int, characters: int, commit: str, rounds: int) -> dict[str, dict[str, float]]:
    ways: dict[str, list[dict[str, float]]] = {"now": [], "earlier": [], "pipeline": []}
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        work = Path(temporary)
        write_rows(file := work / "rows.csv", rows, characters)
        tree = work / "tree"
        subprocess.run(["git", "worktree", "add", "--detach", "-q", str(tree), commit], cwd=ROOT, check=True)
        stack.callback(subprocess.run, ["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)
        ingest = [sys.executable, "-m", "rag", "ingest", str(file), "--index", "bench"]
        theirs = [sys.executable, "-m", "benchmarks.ingestion", "--pipeline", str(file), str(work)]
        for number in range(rounds):
            for name, command, folder in (("now", ingest, ROOT), ("earlier", ingest, tree), ("pipeline", theirs, ROOT)):
                ways[name].append(run(command, folder, work / f"{name}{number}"))
    return {
        name: {
            key: min(each[key] for each in found) if key != "peak_mb" else max(each[key] for each in found)
            for key in found[0]
        }
        for name, found in ways.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--characters", type=int, default=300)
    parser.add_argument("--commit", default=EARLIER)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--pipeline", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pipeline:
        pipeline(*options.pipeline)
        return 0
    found = measure(options.rows, options.characters, options.commit, options.rounds)
    print(f"{options.rows} rows, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name, each in found.items():
        rate = f"{options.rows / each['seconds']:.1f} rows/s, {each['cpu_s'] / each['seconds']:.2f} cores used"
        print(
            f"{name:10} {each['seconds']:8.1f} s  {each['cpu_s']:8.1f} CPU s  {each['peak_mb']:6.0f} MB at most  {rate}"
        )
    now = found["now"]
    for name in ("earlier", "pipeline"):
        print(
            f"to {name}: CPU {now['cpu_s'] / found[name]['cpu_s']:.2f}, time {now['seconds'] / found[name]['seconds']:.2f}"
        )
    if options.json:
        options.json.write_text(json.dumps({"rows": options.rows, **found}, indent=1), encoding="utf-8")
    return int(now["cpu_s"] > CPU_LIMIT * found["earlier"]["cpu_s"] or now["peak_mb"] > MEMORY_LIMIT_MB)


if __name__ == "__main__":
    raise SystemExit(main())
