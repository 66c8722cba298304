"""Fits the linear adapter of the local embedder: `python -m benchmarks.adapter_fit --out rag/models/e5/adapter.npy`.

The adapter is a matrix by which the vectors of questions and rows are multiplied before they are compared. It minimises the
InfoNCE loss over `data/training`: the chance of a question's own row among all rows and among the questions that look like a
row's but that the row does not answer. Adam from the identity, BATCH questions in each step. It overfits in the end: with a
third of the rows, the loss of other files rose after 40 steps. STEPS is set by questions that it was not fitted on
(docs/adr/0023-an-adapter-for-the-embedder.md).

`--held-out NAME…` fits without the files of these names and prints loss and hit@1 of their questions after every PRINTED
steps. Embedding takes some twenty minutes of CPU time, the fit ten.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.ingestion.chunking import nodes as nodes_of_row
from rag.ingestion.embedding import embed_nodes
from rag.ingestion.faq_row import FaqRow
from rag.models.local_embedding import LocalEmbedding
from rag.retrieval.query_analysis import expand

DATA = Path(__file__).resolve().parents[1] / "data" / "training"
TEMPERATURE = 0.04
STEPS = 100
RATE = 1e-3
MOMENTS = (0.9, 0.999)
BATCH = 6000
SEED = 0
PRINTED = 20
UNSPLIT = 10_000

Matrix = NDArray[np.float32]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Unit vectors before the adapter.

    `questions`: (n, 384). `rows`: (m, 384), first each row of an FAQ, then the questions that look like a row's. `own`: (n,)
    the index in `rows` of the row that answers each question.
    """

    questions: Matrix
    rows: Matrix
    own: NDArray[np.intp]


def read_rows(paths: Sequence[Path]) -> list[Row]:
    """The lines of the files, which have `question`, `answer`, `asked` and `near` (data/README.md)."""
    return [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]


def embed_pairs(rows: Sequence[Row], model: LocalEmbedding) -> Pairs:
    """Embed rows as `rag.ingestion` does, and questions as `rag.retrieval.hybrid` does."""
    asked = [text for row in rows for text in row["asked"]]
    questions = _queries(asked, model) + _queries([expand(text) for text in asked], model)
    # A row is one node, however long: `get_text_embedding` has no limit that these reach.
    nodes = [
        node
        for row in rows
        for node in nodes_of_row(FaqRow("", row["question"], row["answer"]), token_count=len, max_tokens=UNSPLIT)
    ]
    own = np.array(embed_nodes(model, nodes), dtype=np.float32)
    near = np.array(model.get_text_embedding_batch([text for row in rows for text in row["near"]]), dtype=np.float32)
    index = np.array([number for number, row in enumerate(rows) for _ in row["asked"]])
    return Pairs(_units(questions), _units(np.concatenate([own, near])), index)


def loss_and_gradient(adapter: Matrix, pairs: Pairs) -> tuple[float, Matrix]:
    """The mean InfoNCE loss at TEMPERATURE, and its gradient (384, 384)."""
    asked, rows = pairs.questions @ adapter, pairs.rows @ adapter
    asked_lengths, row_lengths = (np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (asked, rows))
    asked, rows = asked / asked_lengths, rows / row_lengths
    logits = asked @ rows.T / TEMPERATURE
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    each = np.arange(len(asked))
    loss = -float(np.log(chances[each, pairs.own] + 1e-12).mean())
    chances[each, pairs.own] -= 1
    chances /= len(asked) * TEMPERATURE
    to_asked = _through_scaling(chances @ rows, asked, asked_lengths)
    to_rows = _through_scaling(chances.T @ asked, rows, row_lengths)
    return loss, pairs.questions.T @ to_asked + pairs.rows.T @ to_rows


def fit_adapter(pairs: Pairs, *, held_out: Pairs | None = None, steps: int = STEPS) -> Matrix:
    """The adapter after `steps` steps of Adam."""
    adapter = np.eye(pairs.rows.shape[1], dtype=np.float32)
    mean, square = np.zeros_like(adapter), np.zeros_like(adapter)
    first, second = MOMENTS
    for step, chosen in enumerate(islice(_batches(len(pairs.own)), steps), start=1):
        loss, gradient = loss_and_gradient(
            adapter, replace(pairs, questions=pairs.questions[chosen], own=pairs.own[chosen])
        )
        mean = first * mean + (1 - first) * gradient
        square = second * square + (1 - second) * gradient**2
        adapter = adapter - RATE * (mean / (1 - first**step)) / (np.sqrt(square / (1 - second**step)) + 1e-8)
        if held_out is not None and step % PRINTED == 0:
            other, _ = loss_and_gradient(adapter, held_out)
            print(f"step {step}: loss {loss:.3f}; held out: loss {other:.3f}, hit@1 {hit_at_1(adapter, held_out):.3f}")
    return adapter


def hit_at_1(adapter: Matrix, pairs: Pairs) -> float:
    """The share of questions whose own row is nearest, of all rows and of the questions that look like a row's."""
    scores = _units(pairs.questions @ adapter) @ _units(pairs.rows @ adapter).T
    return float(np.mean(scores.argmax(axis=1) == pairs.own))


def _batches(questions: int) -> Iterator[NDArray[np.intp]]:
    """Indices of BATCH questions at a time, without end; each question once in a pass, except those that fill no batch."""
    generator = np.random.default_rng(SEED)
    size = min(BATCH, questions)
    while True:
        order = generator.permutation(questions)
        for start in range(0, questions - size + 1, size):
            yield order[start : start + size]


def _through_scaling(gradient: Matrix, units: Matrix, lengths: Matrix) -> Matrix:
    """The gradient with respect to vectors, of one with respect to these vectors scaled to length 1."""
    return np.asarray((gradient - units * (gradient * units).sum(axis=1, keepdims=True)) / lengths)


def _queries(texts: Sequence[str], model: LocalEmbedding) -> Matrix:
    return np.array([model.get_query_embedding(text) for text in texts], dtype=np.float32)


def _units(vectors: Matrix) -> Matrix:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def main() -> None:
    """Fit on all files and write the adapter, or without some and print what it does for these."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--held-out", metavar="NAME", nargs="*", default=[])
    options = parser.parse_args()
    paths = sorted(DATA.glob("*.jsonl"))
    model = LocalEmbedding(adapted=False)
    pairs = embed_pairs(read_rows([path for path in paths if path.stem not in options.held_out]), model)
    held_out = None
    if options.held_out:
        held_out = embed_pairs(read_rows([path for path in paths if path.stem in options.held_out]), model)
        print(f"without adapter: held out: hit@1 {hit_at_1(np.eye(384, dtype=np.float32), held_out):.3f}")
    adapter = fit_adapter(pairs, held_out=held_out, steps=2 * STEPS if held_out else STEPS)
    if options.out:
        np.save(options.out, adapter.astype(np.float16))


if __name__ == "__main__":
    main()
