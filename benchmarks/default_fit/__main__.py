"""Fits the package's default calibration: `python -m benchmarks.default_fit DIR… --out rag/retrieval/calibration.json`.

The bundled FAQ with its `dev` questions is always used, as a whole and in parts with the rows of one institution, which give
other sizes and questions that are not covered. Each DIR is another FAQ: faq.csv, queries.jsonl, ood.jsonl. Takes minutes.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.default_fit.fit import LabelledFaq, build_examples, fit_defaults
from rag.evaluation.datasets import Case, read_out_of_domain, read_queries
from rag.evaluation.gated_ingestion import with_embedding_cache
from rag.factory.chat import build_service
from rag.factory.models import Models, load_models
from rag.factory.stores import ingest_files, open_index
from rag.ingestion.embedding import manifest_of
from rag.retrieval.confidence import Calibration, defaults
from rag.retrieval.query_analysis import BANK, detect_bank
from rag.settings import Settings, StoreSettings

DATA = Path(__file__).resolve().parents[2] / "data"
PARTS = (None, 15, 15, 15, 30, 30, 30, 60, 60, 60)
"""Rows of each part, drawn from one institution after the other; None: all three whole."""
PART_WEIGHT = 0.08
FULL = 100
"""Questions from which on a FAQ counts whole: some twenty on as many rows are no second corpus."""
SEED = 5


def faqs(directories: list[Path], scratch: Path) -> Iterator[tuple[Path, LabelledFaq]]:
    """Files and labels of the bundled FAQ, of its parts (written into `scratch`), and of those in the directories."""
    queries = read_queries(DATA / "evaluation" / "queries.dev.jsonl")
    others = read_out_of_domain(DATA / "evaluation" / "ood.dev.jsonl")
    yield DATA / "faq", LabelledFaq("bundled", queries, others)
    yield from _parts(queries, others, scratch)
    for number, path in enumerate(directories):
        labelled, outside = read_queries(path / "queries.jsonl"), read_out_of_domain(path / "ood.jsonl")
        weight = min(1.0, len(labelled) / FULL)
        yield path / "faq.csv", LabelledFaq(f"faq{number}", labelled, outside, weight, sets_thresholds=weight >= 1)


def _parts(queries: list[Case], others: list[Case], scratch: Path) -> Iterator[tuple[Path, LabelledFaq]]:
    rows = [row for path in sorted((DATA / "faq").glob("*.csv")) for row in _rows(path)]
    banks = sorted({row[BANK] for row in rows})
    generator = random.Random(SEED)
    drawn = 0
    for size in PARTS:
        for bank in banks if size is None else [banks[drawn % len(banks)]]:
            whole = [row for row in rows if row[BANK] == bank]
            part = whole if size is None else generator.sample([r for r in whole if not r["effective_until"]], size)
            drawn += size is not None
            ids = {row["id"] for row in part}
            asked = [query for query in queries if detect_bank(query.query, banks) in (None, bank)]
            covered = [replace(q, relevant=own) for q in asked if (own := tuple(r for r in q.relevant if r in ids))]
            uncovered = [Case("ood", q.id, "uncovered", (q.query,)) for q in asked if not ids & set(q.relevant)]
            name = f"part-{bank}-{size}-{drawn}"
            path = scratch / f"{name}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, part[0].keys())
                writer.writeheader()
                writer.writerows(part)
            yield path, LabelledFaq(name, covered, [*uncovered, *others], PART_WEIGHT, sets_thresholds=False)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fitted(sources: list[tuple[Path, LabelledFaq]], models: Models, scratch: Path) -> Calibration:
    """The fit over indexes of all these FAQs."""
    examples = []
    for number, (path, faq) in enumerate(sources):
        settings = Settings(store=StoreSettings(directory=scratch, index=f"i{number}"))
        ingest_files(scratch, f"i{number}", models, [path])
        chat = build_service(settings, models, open_index(settings, models))
        examples += build_examples(faq, chat)
        if number == 0:  # scales for indexes too small to have their own
            start = chat.calibration
        print(f"{faq.name}: {len(faq.queries)} questions, {len(faq.out_of_domain)} other inputs", flush=True)
    return fit_defaults(examples, start)


def main() -> None:
    """Fit with and without the embedding and write both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directories", nargs="*", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    options = parser.parse_args()
    loaded = load_models(Settings())
    assert loaded.embed_model is not None, "the hybrid calibration needs the embedding"
    found = {}
    for name, models in (
        ("hybrid", with_embedding_cache(loaded)),  # the parts of an FAQ have the same rows and questions
        ("lexical", Models(None, manifest_of(None))),
    ):
        with TemporaryDirectory() as directory:
            scratch = Path(directory)
            calibration = fitted(list(faqs(options.directories, scratch)), models, scratch / "indexes")
        print(f"{name}: answered from {calibration.answered}, suggested from {calibration.suggested}")
        found[name] = replace(calibration, origin=defaults().origin, unheld=frozenset()).as_json()
    options.out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
