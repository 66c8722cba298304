"""Ranking metrics compared with trec_eval: 1,000 random runs, including ties and empty results (docs/adr/0018)."""

from __future__ import annotations

import random

import pytest
import pytrec_eval

from rag.evaluation.metrics import MEASURES

PEER = {
    "hit@1": "success_1",
    "hit@3": "success_3",
    "hit@5": "success_5",
    "mrr@10": "recip_rank",
    "ndcg@10": "ndcg_cut_10",
    "recall@10": "recall_10",
}
RUNS = 1000


def random_run(generator: random.Random) -> tuple[dict[str, float], list[str]]:
    """Scored rows, a third of the runs with many ties, and the relevant ones."""
    rows = [f"row-{number:02}" for number in range(generator.randint(1, 40))]
    ranked = generator.sample(rows, generator.choice([0, 1, len(rows), generator.randint(0, len(rows))]))
    levels = generator.choice([1, 3, 10_000])
    scores = {row: generator.randint(1, levels) / levels for row in ranked}
    return scores, generator.sample(rows, generator.randint(1, len(rows)))


def test_the_measures_are_trec_evals() -> None:
    generator = random.Random(18)
    runs = [random_run(generator) for _ in range(RUNS)]
    assert sum(not scores for scores, _ in runs) > 100
    assert sum(len(set(scores.values())) < len(scores) for scores, _ in runs) > 200
    qrels = {str(number): dict.fromkeys(relevant, 1) for number, (_, relevant) in enumerate(runs)}
    families = {"success", "recip_rank", "ndcg_cut_10", "recall_10"}
    # In trec_eval's own order: by score, then by descending id. Of a run, only the first ten count here.
    orders = [sorted(scores, key=lambda row: (scores[row], row), reverse=True)[:10] for scores, _ in runs]
    given = {str(n): {row: runs[n][0][row] for row in order} for n, order in enumerate(orders)}
    found = pytrec_eval.RelevanceEvaluator(qrels, families | {"success_1,3,5"}).evaluate(given)
    for number, order in enumerate(orders):
        # trec_eval leaves out a query without any row; it is a miss here, and counts in the mean.
        peer = found.get(str(number), dict.fromkeys(PEER.values(), 0.0))
        for name, measure in MEASURES.items():
            ours = measure(order, runs[number][1])
            assert ours == pytest.approx(peer.get(PEER[name], 0.0), abs=1e-9), (name, number)
