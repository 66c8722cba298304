"""Measures the gain and cost of alternative phrasings: the bundled FAQ with and without `corpora/bank_alternatives`.

`python -m benchmarks.phrasings [--json OUT]` prints hit@1 with the paired interval of its increase, and the ratios of indexing
time, index size and search time. No parameter is chosen by it; the phrasings and the questions were written independently.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from rag.chat import ChatService
from rag.evaluation.datasets import read_queries
from rag.evaluation.metrics import bootstrap, hit
from rag.evaluation.records import predict
from rag.evaluation.runner import read_phrasings, write_phrased
from rag.factory.bundled_vectors import DATA
from rag.factory.chat import build_service
from rag.factory.models import Models, load_models
from rag.factory.stores import ingest_files, open_index
from rag.settings import Settings, StoreSettings

CORPUS = DATA.parent / "evaluation" / "corpora" / "bank_alternatives"
ROUNDS = 5


def built(name: str, faq: Sequence[Path], models: Models, directory: Path) -> tuple[ChatService, float, int]:
    """A chat service over these files, the CPU seconds of indexing, and the size of the index in bytes."""
    settings = Settings(store=StoreSettings(directory=directory, index=name))
    started = time.process_time()
    ingest_files(directory, name, models, faq)
    seconds = time.process_time() - started
    size = sum(file.stat().st_size for file in (directory / name).rglob("*") if file.is_file())
    return build_service(settings, models, open_index(settings, models)), seconds, size


def search_ms(chats: Sequence[ChatService], questions: Sequence[str]) -> list[float]:
    """Mean milliseconds of a search by each service with cached vectors: the best of ROUNDS, measured alternately."""
    best = [[float("inf")] * len(questions) for _ in chats]
    for _ in range(ROUNDS + 1):
        for times, chat in zip(best, chats, strict=True):
            for place, question in enumerate(questions):
                started = time.perf_counter()
                chat.search(question)
                times[place] = min(times[place], 1000 * (time.perf_counter() - started))
    return [fmean(times) for times in best]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    models = load_models(Settings())
    phrasings = read_phrasings(CORPUS / "alternatives.csv")
    queries = read_queries(CORPUS / "queries.jsonl")
    with TemporaryDirectory() as folder:
        root = Path(folder)
        chats, seconds, sizes = zip(
            *(
                built(name, write_phrased(sorted(DATA.glob("*.csv")), given, root / f"{name}-faq"), models, root)
                for name, given in (("plain", {}), ("phrased", phrasings))
            ),
            strict=True,
        )
        results = [[predict(chat, query.query) for query in queries] for chat in chats]
        spent = search_ms(chats, [query.query for query in queries])
    hits = [[hit(r.ranked, q.relevant, 1) for q, r in zip(queries, of, strict=True)] for of in results]
    rises = [after - before for before, after in zip(*hits, strict=True)]
    report = {
        "hit@1": [fmean(each) for each in hits],
        "rise": fmean(rises),
        "rise_ci95": bootstrap(rises),
        "indexing_ratio": seconds[1] / seconds[0],
        "size_ratio": sizes[1] / sizes[0],
        "search_ms": spent,
        "search_ratio": spent[1] / spent[0],
    }
    print("\n".join(f"{name:16} {value}" for name, value in report.items()))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
