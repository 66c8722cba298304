"""Thresholds moved by a user's labels: as far as they bear, and never to a loss."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

from benchmarks.calibration import halves
from rag.errors import InputError
from rag.evaluation.calibration import MIN_LABELS, Label, figures, judge_labels, outcome, propose
from rag.evaluation.datasets import Case
from rag.retrieval.confidence import Calibration, JudgedNode, Verdict, defaults

START = replace(defaults(), answered=0.6, suggested=0.2, off_topic=0.05)
ASKED = "이체한도를 늘리고 싶은데 어떻게 하나요"


def verdict(confidence: float, covered: float, *, row: str = "r", is_blocked: bool = False) -> Verdict:
    node = TextNode(id_=row, text="답변", relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=row)})
    ranked = (JudgedNode(node=node, parts={}, score=confidence, status="suggested"),)
    return Verdict("suggested", None, ranked, ranked, confidence, covered, ASKED, is_blocked=is_blocked)


def labels(inside: Sequence[tuple[float, bool]], outside: Sequence[float] = ()) -> list[Label]:
    """Questions as (confidence, whether the first row is right), out-of-domain inputs as their confidence; shuffled."""
    found = [Label(verdict(p, max(p, 0.3)), True, right, True) for p, right in inside]
    found += [Label(verdict(p, p), False) for p in outside]
    random.Random(3).shuffle(found)
    return found


CLEAR = [(0.9, True)] * 40
LOW = [0.02] * 20


def test_a_band_that_is_right_is_answered_too() -> None:
    proposal = propose(labels([*CLEAR, *[(0.5, True)] * 80], LOW), START)
    assert proposal.has_gain
    assert proposal.calibration.answered == pytest.approx(0.5)
    assert proposal.before.share == pytest.approx(1 / 3) and proposal.after.share == 1.0
    assert proposal.after.precision >= proposal.before.precision
    assert proposal.calibration.origin == "labels"


@pytest.mark.parametrize(("found", "answered"), [(2, START.answered), (5, 0.5)])
def test_a_few_labels_that_are_all_right_open_a_band_but_two_do_not(found: int, answered: float) -> None:
    """As many as half of a small FAQ's questions give: 24 answers, all right, and a handful below the threshold."""
    proposal = propose(labels([*CLEAR[:24], *[(0.5, True)] * found, *[(0.1, True)] * 10], LOW), START)
    assert proposal.calibration.answered == answered


@pytest.mark.parametrize("right", [20, 28])
def test_a_band_that_is_often_wrong_stays_closed(right: int) -> None:
    band = [(0.5 + n / 1000, n < right) for n in range(40)]
    assert propose(labels([*CLEAR, *band], LOW), START).calibration.answered == START.answered


def test_a_band_less_right_than_what_is_above_it_stays_closed() -> None:
    band = [(0.5 + n / 1000, n != 9) for n in range(20)]
    assert propose(labels([*CLEAR * 6, *band], LOW), START).calibration.answered == START.answered
    wrong = [(0.9, n % 3 > 0) for n in range(40)]
    same = [(0.5 + n / 1000, n % 3 > 0) for n in range(40)]
    assert propose(labels([*wrong, *same], LOW), START).calibration.answered == START.answered, "no leave to err more"


def test_nothing_is_answered_below_a_floor_whatever_few_labels_say() -> None:
    band = [(0.25, True)] * 30
    assert propose(labels([*CLEAR, *band], LOW), START).calibration.answered == START.answered


def test_out_of_domain_inputs_in_a_band_keep_it_closed() -> None:
    proposal = propose(labels([*CLEAR, *[(0.5, True)] * 10], [*LOW, *[0.5] * 10]), START)
    assert proposal.calibration.answered == START.answered


def test_a_handful_of_labels_moves_nothing() -> None:
    proposal = propose(labels([*CLEAR[:20], (0.3, True), (0.3, True)], LOW), START)
    assert proposal.calibration.answered == START.answered


def test_where_there_is_no_gain_the_start_comes_back() -> None:
    inside = [(0.9, True)] * 30 + [(0.3, n % 2 == 0) for n in range(20)]
    proposal = propose(labels(inside, LOW), START)
    assert not proposal.has_gain and proposal.calibration == START
    assert proposal.before == proposal.after


def test_questions_declined_lower_the_suggestion_threshold_by_their_number() -> None:
    lost = [Label(verdict(0.01, 0.17), True, False, True) for _ in range(30)]
    few, many = (propose([*labels(CLEAR, LOW), *lost[:n]], START).calibration.suggested for n in (10, 30))
    assert many < few < START.suggested
    assert many > 0.1, "shrunk towards the default"


def test_only_thresholds_move() -> None:
    moved = propose(labels([*CLEAR, *[(0.5, True)] * 80], LOW), START).calibration
    assert (
        replace(moved, answered=START.answered, suggested=START.suggested, off_topic=START.off_topic, origin="own rows")
        == START
    )
    assert moved.off_topic <= moved.suggested


def test_a_blocked_row_is_never_answered() -> None:
    assert outcome(verdict(0.99, 0.99, is_blocked=True), START) == "suggested"


def test_figures_count_out_of_domain_answers_as_wrong() -> None:
    some = labels([(0.9, True), (0.9, False), (0.1, True)], [0.9, 0.01])
    found = figures(some, [START] * len(some))
    assert found.precision == pytest.approx(1 / 3) and found.share == pytest.approx(2 / 3)
    assert (found.declined, found.offered) == (0.0, 0.5)


QUERIES = [Case("queries", str(n), "", (ASKED,), ("r",)) for n in range(MIN_LABELS)]
OTHERS = [Case("ood", str(n), "other", ("날씨",)) for n in range(MIN_LABELS)]


def rank(_text: str) -> Verdict:
    return verdict(0.9, 0.9)


def test_labels_are_judged_by_the_index() -> None:
    judged = judge_labels(QUERIES, OTHERS, rank)
    assert [label.first_relevant for label in judged] == [True] * len(QUERIES) + [False] * len(OTHERS)
    assert [label.in_domain for label in judged] == [True] * len(QUERIES) + [False] * len(OTHERS)


@pytest.mark.parametrize(("queries", "others"), [(10, MIN_LABELS - 11), (0, 40)])
def test_too_few_labels_are_refused(queries: int, others: int) -> None:
    with pytest.raises(InputError, match=f"at least {MIN_LABELS} labels.* got {queries} questions and "):
        judge_labels(QUERIES[:queries], (OTHERS * 2)[:others], rank)


def test_labels_of_another_index_are_refused() -> None:
    """If they were used, the index would answer nothing."""
    foreign = [replace(query, relevant=("elsewhere",)) for query in QUERIES]
    with pytest.raises(InputError, match="no question ranks a row"):
        judge_labels(foreign, OTHERS, rank)


def test_labels_never_end_worse_where_they_are_drawn_from_one_place() -> None:
    """Thresholds from one half, measured on the other, over many draws of an index the regression is too careful for."""
    generator = random.Random(5)

    def draw(count: int) -> list[Label]:
        found = []
        for _ in range(count):
            confidence = generator.random()
            chance = min(1.0, confidence + 0.5)
            found.append(Label(verdict(confidence, confidence), True, generator.random() < chance, True))
        return found + [Label(verdict(0.3 * generator.random(), 0.05), False) for _ in range(count // 2)]

    gains, losses = 0.0, 0.0
    for _ in range(20):
        calibration: Calibration = propose(draw(400), START).calibration
        other = draw(200)
        plain, moved = figures(other, [START] * len(other)), figures(other, [calibration] * len(other))
        gains += (moved.share - plain.share) / 20
        losses += (plain.precision - moved.precision) / 20
    assert gains > 0.005
    assert losses < 0.02


def test_the_benchmark_measures_on_the_half_it_does_not_fit_on() -> None:
    some = labels([*CLEAR, *[(0.5, True)] * 160], LOW * 3)
    drawn = halves(some, START, 100, draws=5)
    assert len(drawn) == 5
    for plain, moved, has_gain in drawn:
        assert moved.precision >= plain.precision - 0.01
        assert moved.share > plain.share if has_gain else moved == plain
    assert any(has_gain for *_, has_gain in drawn)
