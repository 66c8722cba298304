"""Is the first row the answer? Three outcomes from thresholds kept in the index's manifest.

answered: clear. suggested: the nearest rows are offered. declined: nothing here covers the question. A wrong answer
shown as the approved word is the worst outcome, so the margin to the next row counts as much as the match itself.
Knows nothing of stores and models: it judges what the retriever found.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle

from rag.constraints import Conflict
from rag.korean import compact, tokens
from rag.retrieval.constraint_order import absent, order_by_agreement
from rag.retrieval.hybrid import DENSE, FusedNode, Fusion, matched_question, question_of
from rag.retrieval.query_analysis import expand
from rag.stores.base import TOKENS
from rag.types import Note, Reason, Section, Status

SUGGESTIONS = 3
RELATED = 0.1
"""Chance of answering from which on a further row is shown beside the quoted one."""
SHORT = 8
"""Characters without spaces up to which a question gets suggestions unless it is off topic."""
FEATURES = ("top", "margin", "margin3", "dense", "tokens", "dense_gap", "tokens_gap", "title", "length", "absent")
GAP_DEPTH = 10
"""Rows among which the best of each list is looked for."""


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression over named features; calling it gives the log-odds."""

    weights: Mapping[str, float]
    bias: float

    def __call__(self, features: Mapping[str, float]) -> float:
        return self.bias + sum(weight * features.get(name, 0.0) for name, weight in self.weights.items())


@dataclass(frozen=True, slots=True)
class Calibration:
    """All that is fitted for one index; kept in its manifest.

    `correct`: log-odds that the first row answers. `covered`: that one of the first three does. `gap`: log-odds lost per
    unit of fused score behind the first row. `answered`, `suggested`: probabilities from which on that outcome is given.
    `off_topic`: covered-probability below which a declined question counts as no banking question at all.
    `same_gap`: fused score within which another institution's row of the same question matches equally.
    `origin`: "own rows" or "labels".
    """

    fusion: Fusion
    correct: Logistic
    covered: Logistic
    gap: float
    answered: float
    suggested: float
    off_topic: float
    same_gap: float = 0.8
    origin: str = "own rows"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        return cls(
            **{
                **data,
                "fusion": Fusion.from_json(data["fusion"]),
                "correct": Logistic(**data["correct"]),
                "covered": Logistic(**data["covered"]),
            }
        )


@cache
def defaults(*, dense: bool = True) -> Calibration:
    """The calibration an index starts with, fitted on several FAQs (`rag.evaluation.default_fit`); another without vectors.

    Its features are in units of the index's own scales, so it carries over; `rag calibrate` with labels replaces it.
    """
    text = resources.files("rag.retrieval").joinpath("calibration.json").read_text(encoding="utf-8")
    return Calibration.from_json(json.loads(text)["hybrid" if dense else "lexical"])


def lexical_only_calibration(calibration: Calibration) -> Calibration:
    """The one for what was found in the same index by words alone: on the index's scales, the thresholds of `defaults`."""
    start = defaults(dense=False)
    return replace(start, fusion=Fusion(start.fusion.weights, calibration.fusion.scales))


_QUESTION_WORDS = frozenset(
    tokens(
        "어떻게 하나요 되나요 해야 하려면 무엇인가요 얼마인가요 언제인가요 어디에서 방법은 알려 주세요 궁금합니다 있나요"
    )
)


class JudgedNode(FusedNode):
    """A row with the outcome it belongs to. `score` is calibrated: the chance in 0..1 that this row answers."""

    status: Status
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one question.

    `nodes` are what the customer is shown (none when declined), `ranked` all rows found, best first, with calibrated
    scores; `confidence` is the chance in 0..1 that the first row answers. `query` is the text that was searched for;
    `lexical_only`: without the embedding, which failed. `note`: what the text says beside or instead of the usual sentence.
    `sections`: the parts of several questions or institutions, each with its rows. `names_banks`: an answer begins with its
    institution's name, for the index holds several.
    `conflicts`: what the question pins down and the nearest row holds
    differently, which kept it from being answered, as does `is_blocked` without any, where it holds one of several values
    asked for. `features`: FEATURES of the ranking.
    """

    status: Status
    reason: Reason | None
    nodes: tuple[JudgedNode, ...]
    ranked: tuple[JudgedNode, ...]
    confidence: float
    covered: float
    query: str = ""
    lexical_only: bool = False
    note: Note | None = None
    sections: tuple[Section, ...] = ()
    names_banks: bool = False
    conflicts: tuple[Conflict, ...] = ()
    is_blocked: bool = False
    features: Mapping[str, float] = field(default_factory=dict)


def judge(
    question: str,
    hits: Sequence[FusedNode],
    calibration: Calibration,
    *,
    top_k: int = 5,
) -> Verdict:
    """Decide the outcome for `hits`, best first; hits without a dense part are judged by the calibration's lexical-only
    thresholds."""
    if not hits:
        return Verdict("declined", "not_covered", (), (), 0.0, 0.0, question)
    # The embedding failed, and the thresholds of both lists would mean another thing.
    if DENSE not in hits[0].parts and calibration.fusion.weights[DENSE]:
        calibration = lexical_only_calibration(calibration)
    ordered = order_by_agreement(question, hits)
    hits = ordered.hits
    signals = features(question, hits, calibration.fusion)
    # The first row cannot be likelier to answer than one of the first three.
    log_odds = min(calibration.correct(signals), calibration.covered(signals))
    confidence, covered = _sigmoid(log_odds), _sigmoid(calibration.covered(signals))
    status: Status = "declined"
    if confidence >= calibration.answered and not ordered.is_blocked:
        status = "answered"
    elif covered >= (calibration.off_topic if is_short(question) else calibration.suggested):
        status = "suggested"
    chances = [_sigmoid(log_odds - calibration.gap * (_score(hits[0]) - _score(hit))) for hit in hits]
    equals = _equals(hits, chances, calibration) if status == "answered" else ()
    ranked = tuple(
        JudgedNode(node=hit.node, parts=hit.parts, score=chances[index], status=status, quoted=index in equals)
        for index, hit in enumerate(hits)
    )
    verdict = Verdict(
        status, None, (), ranked, confidence, covered, question, is_blocked=ordered.is_blocked, features=signals
    )
    if status == "declined":
        reason: Reason = "off_topic" if covered < calibration.off_topic else "not_covered"
        return replace(verdict, reason=reason)
    shown = ranked[:SUGGESTIONS] if status == "suggested" else _answer_nodes(ranked, top_k)
    verdict = replace(verdict, nodes=shown, conflicts=ordered.conflicts)
    if not ordered.conflicts:
        return verdict
    asked = dict.fromkeys(conflict.asked for conflict in ordered.conflicts)
    # "주택담보" beside "주택담보대출" is the same thing said twice.
    words = [word for word in asked if not any(word != other and word in other for other in asked)]
    return replace(verdict, note=Note("not_held", {"word": ", ".join(words)}))


def features(question: str, hits: Sequence[FusedNode], fusion: Fusion) -> dict[str, float]:
    """FEATURES of a ranking: how high the first row is, how far ahead, and how it matched.

    `margin` is the lead over the next row of the same institution, `margin3` over the third row of any. Other institutions'
    rows of the same question, and other phrasings of the same answer, are no reason for doubt: they do not count. The gaps
    say how far the best row of each list lies above the first row in it. All in units of the index's scales; `title` is
    the share of the first row's question (the phrasing that was found) that the expanded question accounts for, 0..1;
    `length` is the natural log of the question's tokens; `absent` 1 where the question names an action or a product that
    the first row does not, else 0.
    """
    first = hits[0]
    top = _score(first)
    rivals = _rivals(hits)
    bank = first.node.metadata.get("bank")
    own = [hit for hit in rivals if hit.node.metadata.get("bank") == bank]
    title = set(tokens(matched_question(first)))
    values = {
        "top": top,
        "margin": top - _score(own[0] if own else hits[-1]),
        "margin3": top - _score(rivals[2] if len(rivals) > 2 else hits[-1]),
        "tokens": fusion.scales[TOKENS](first.parts[TOKENS]),
        "tokens_gap": _gap(hits, TOKENS, fusion),
        "title": len(title & set(tokens(expand(question)))) / max(1, len(title)),
        "length": math.log(len(set(tokens(question))) + 1),
        "absent": float(absent(question, first)),
    }
    if DENSE in first.parts:
        values["dense"] = fusion.scales[DENSE](first.parts[DENSE])
        values["dense_gap"] = _gap(hits, DENSE, fusion)
    return values


class ConfidencePostprocessor(BaseNodePostprocessor):
    """`judge` as a LlamaIndex node postprocessor: keeps what the customer is shown, nothing when declined."""

    calibration: Any
    top_k: int = 5

    @classmethod
    def class_name(cls) -> str:
        return "ConfidencePostprocessor"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        question = query_bundle.query_str if query_bundle else ""
        hits = [node for node in nodes if isinstance(node, FusedNode)]
        return list(judge(question, hits, self.calibration, top_k=self.top_k).nodes)


def _equals(hits: Sequence[FusedNode], chances: Sequence[float], calibration: Calibration) -> tuple[int, ...]:
    """Indices of the first row and of other institutions' rows that answer as well, one each.

    Those are rows that ask the same and match about equally, and rows that would be answered if they came first: a customer
    who names no institution may be any one's, and the first row alone would pass for the rule of all.
    """
    others: dict[str, int] = {}
    own = hits[0].node.metadata.get("bank")
    for index, hit in enumerate(hits[1:], 1):
        bank = hit.node.metadata.get("bank")
        close = _score(hits[0]) - _score(hit) <= calibration.same_gap and same_question(hits[0], hit)
        if not bank or bank == own or not (close or chances[index] >= calibration.answered):
            continue
        # Of an institution's rows the one that asks the same, else its best.
        if bank not in others or (close and not same_question(hits[0], hits[others[bank]])):
            others[bank] = index
    return (0, *sorted(others.values()))


def same_question(one: FusedNode, other: FusedNode) -> bool:
    """Whether two rows ask the same: the Dice coefficient of their questions' tokens is at least .5.

    Without the words that any question has: "…은 어떻게 하나요?" alone would make short questions alike.
    """
    a, b = (set(tokens(question_of(hit))) - _QUESTION_WORDS for hit in (one, other))
    return bool(a and b) and 2 * len(a & b) / (len(a) + len(b)) >= 0.5


def _answer_nodes(ranked: Sequence[JudgedNode], top_k: int) -> tuple[JudgedNode, ...]:
    """Quoted rows first, so that the answer's citations count from 1; then related ones, at most top_k in all."""
    quoted = [hit for hit in ranked if hit.quoted]
    others = [hit for hit in ranked if not hit.quoted and _score(hit) >= RELATED]
    return tuple([*quoted, *others][: max(top_k, len(quoted))])


def is_short(question: str) -> bool:
    """A word or two ("환전", "비번 까먹음") say too little to be sure of, and too little to turn a customer away."""
    return len(compact(question)) <= SHORT


def _gap(hits: Sequence[FusedNode], part: str, fusion: Fusion) -> float:
    best = max(hit.parts.get(part, 0.0) for hit in hits[:GAP_DEPTH])
    return (best - hits[0].parts[part]) / fusion.scales[part].std


def _rivals(hits: Sequence[FusedNode]) -> list[FusedNode]:
    """The rows with other answers than the first and each other, without other institutions' rows of the first's question."""
    first = hits[0]
    bank = first.node.metadata.get("bank")
    # Rows repeat an answer under several questions: whichever is shown, the customer reads the same.
    answers = {first.node.get_content()}
    rivals = []
    for hit in hits[1:]:
        is_counterpart = hit.node.metadata.get("bank") != bank and same_question(first, hit)
        if hit.node.get_content() not in answers and not is_counterpart:
            answers.add(hit.node.get_content())
            rivals.append(hit)
    return rivals


def _score(hit: FusedNode) -> float:
    return hit.score or 0.0


def _sigmoid(log_odds: float) -> float:
    # Beyond 60 the chance is 0 or 1 in float64, and exp would overflow at 710.
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, log_odds))))
