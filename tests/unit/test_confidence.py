"""The three outcomes, what is quoted, and the calibration they come from."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from llama_index.core.schema import NodeRelationship, NodeWithScore, RelatedNodeInfo, TextNode

from rag.korean import tokens
from rag.retrieval.confidence import (
    SUGGESTIONS,
    Calibration,
    Logistic,
    Verdict,
    defaults,
    judge,
)
from rag.retrieval.hybrid import DENSE, PARTS, PASSAGE_WITHIN, FusedNode, Fusion, Scale
from rag.retrieval.ranking import FEATURES, MOST_TOKENS, features
from rag.retrieval.rows import row_id
from rag.stores.base import JAMO, TOKENS
from rag.synthesis import texts
from rag.synthesis.verbatim import VerbatimSynthesizer, verbatim

FUSION = Fusion(defaults().fusion.weights, {part: Scale(0.0, 0.1) for part in PARTS})
PLAIN = Calibration(
    fusion=FUSION,
    correct=Logistic({"top": 1.0}, -3.0),
    covered=Logistic({"top": 1.0}, 0.0),
    gap=2.0,
    answered=0.5,
    suggested=0.5,
    off_topic=0.2,
    same_gap=0.5,
)
"""Answered where the first score is at least 3, suggested from 0 on, off topic below about -1.4."""
ASKED = "이체한도를 알려 주세요"


def hit(
    row: str,
    score: float,
    *,
    bank: str = "",
    question: str = "이체한도는 얼마입니까?",
    dense: bool = True,
    document: str = "",
) -> FusedNode:
    metadata = {
        "question": question,
        **({"bank": bank} if bank else {}),
        **({"document": document} if document else {}),
    }
    relationships = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=row)}
    node = TextNode(id_=row, text=f"{row}의 답변", metadata=metadata, relationships=relationships)
    parts = {TOKENS: 0.2, JAMO: 0.1} | ({DENSE: 0.3} if dense else {})
    return FusedNode(node=node, score=score, parts=parts)


def rows(hits: Sequence[NodeWithScore]) -> list[str]:
    return [row_id(hit) for hit in hits]


def ranking(top: float, *, count: int = 7) -> list[FusedNode]:
    return [hit(f"r{number}", top - number) for number in range(count)]


def test_of_many_related_rows_top_k_are_shown() -> None:
    close = [hit(f"r{number}", 4.0 - number / 10) for number in range(7)]
    assert rows(judge(ASKED, close, PLAIN, top_k=3).nodes) == ["r0", "r1", "r2"]


def test_a_clear_first_row_is_answered_with_further_rows_behind_it() -> None:
    verdict = judge(ASKED, ranking(4.0), PLAIN, top_k=5)
    assert (verdict.status, verdict.reason) == ("answered", None)
    assert rows(verdict.nodes) == ["r0", "r1"], "rows that hardly answer are no sources"
    assert [node.quoted for node in verdict.nodes] == [True, False]
    assert verdict.confidence == pytest.approx(1 / (1 + math.exp(-1.0)))


def test_an_unclear_first_row_is_suggested_beside_the_next_two() -> None:
    verdict = judge(ASKED, ranking(1.0), PLAIN)
    assert (verdict.status, verdict.reason) == ("suggested", None)
    assert rows(verdict.nodes) == ["r0", "r1", "r2"] and SUGGESTIONS == 3
    assert not any(node.quoted for node in verdict.nodes)


@pytest.mark.parametrize(("top", "reason"), [(-1.0, "not_covered"), (-2.0, "off_topic")])
def test_what_is_not_covered_is_declined_and_shows_nothing(top: float, reason: str) -> None:
    verdict = judge(ASKED, ranking(top), PLAIN)
    assert (verdict.status, verdict.reason, verdict.nodes) == ("declined", reason, ())
    assert len(verdict.ranked) == 7


@pytest.mark.parametrize("text", ["별명", "비번 까먹 음 이요"])
def test_a_word_or_two_gets_suggestions_unless_it_is_off_topic(text: str) -> None:
    assert judge(text, ranking(-1.0), PLAIN).status == "suggested"
    assert judge(text, ranking(-2.0), PLAIN).reason == "off_topic"
    assert judge(text, ranking(4.0), PLAIN).status == "answered"


def test_thresholds_belong_to_the_better_outcome() -> None:
    assert judge(ASKED, ranking(3.0), PLAIN).status == "answered"
    assert judge(ASKED, ranking(0.0), PLAIN).status == "suggested"


def test_nothing_found_is_not_covered() -> None:
    """A filter without rows says nothing about the question, so its customer is not told to ask about banking."""
    assert judge(ASKED, [], PLAIN) == Verdict("declined", "not_covered", (), (), 0.0, 0.0, ASKED)


def test_scores_are_chances_that_fall_with_the_distance_to_the_first() -> None:
    verdict = judge(ASKED, ranking(4.0), PLAIN)
    found = [node.score or 0.0 for node in verdict.ranked]
    assert found[0] == verdict.confidence
    assert found == sorted(found, reverse=True) and all(0 < score < 1 for score in found)
    assert found[1] == pytest.approx(1 / (1 + math.exp(1.0))), "log-odds 1 less the gap of 2"


def test_extreme_scores_stay_chances() -> None:
    assert judge(ASKED, [hit("a", 1e6), hit("b", -1e6)], PLAIN).confidence == pytest.approx(1.0)
    assert judge(ASKED, [hit("a", -1e6)], PLAIN).confidence == pytest.approx(0.0)


def test_judging_leaves_the_hits_as_they_are() -> None:
    hits = ranking(4.0)
    before = [one.model_copy(deep=True) for one in hits]
    judge(ASKED, hits, PLAIN)
    assert hits == before


EQUALS = [
    hit("g1", 5.0, bank="가온은행"),
    hit("x", 4.9, bank="나루증권", question="펀드 환매 대금은 언제 입금됩니까?"),
    hit("g2", 4.8, bank="가온은행"),
    hit("n1", 4.7, bank="나루증권"),
    hit("n2", 4.6, bank="나루증권"),
    hit("d1", 4.4, bank="다솜은행"),
]


def test_banks_that_match_equally_are_each_quoted_once_and_named() -> None:
    """g2 is another row of the first bank, x asks something else, n2 its bank's second, d1 would hardly be answered alone."""
    careful = replace(PLAIN, answered=0.75)
    verdict = judge(ASKED, EQUALS, careful, top_k=4)
    assert rows(verdict.nodes) == ["g1", "n1", "g2", "n2"], "quoted rows first, so that citations count from 1"
    assert [node.quoted for node in verdict.nodes] == [True, True, False, False]
    text = verbatim(verdict.nodes)
    assert text == f"{texts.frame('several_banks')}\n\n가온은행\ng1의 답변 [1]\n\n나루증권\nn1의 답변 [2]"
    english = VerbatimSynthesizer(english=True).answer_verdict(verdict.nodes, verdict)
    assert "".join(english) == text.replace(texts.frame("several_banks"), texts.frame("several_banks", english=True))


def test_equal_banks_are_all_quoted_even_beyond_top_k() -> None:
    assert rows(judge(ASKED, EQUALS, replace(PLAIN, answered=0.75), top_k=1).nodes) == ["g1", "n1"]


def test_another_banks_row_that_would_be_answered_alone_is_quoted_too() -> None:
    """Whoever names no institution may be any one's customer: the first row must not pass for the rule of all."""
    verdict = judge(ASKED, EQUALS, PLAIN, top_k=1)
    assert rows(verdict.nodes) == ["g1", "n1", "d1"]
    other = [
        hit("g1", 5.0, bank="가온은행"),
        hit("n1", 5.0, bank="나루증권", question="모바일 OTP는 어디에서 등록합니까?"),
    ]
    assert [node.quoted for node in judge(ASKED, other, PLAIN).nodes] == [True, True]


def test_rows_without_a_bank_are_never_equals() -> None:
    verdict = judge(ASKED, [hit("a", 5.0), hit("b", 5.0)], PLAIN)
    assert [node.quoted for node in verdict.nodes] == [True, False]
    assert verbatim(verdict.nodes) == "a의 답변 [1]"


def test_equals_count_only_where_the_question_is_answered() -> None:
    near = [hit("g1", 1.0, bank="가온은행"), hit("n1", 1.0, bank="나루증권")]
    assert not any(node.quoted for node in judge(ASKED, near, PLAIN).ranked)


def test_other_banks_rows_are_no_doubt() -> None:
    alone = features("이체한도", [hit("g1", 5.0, bank="가온은행"), hit("g2", 1.0, bank="가온은행")], FUSION)
    rival = [hit("g1", 5.0, bank="가온은행"), hit("n1", 4.9, bank="나루증권"), hit("g2", 1.0, bank="가온은행")]
    assert features("이체한도", rival, FUSION)["margin"] == alone["margin"] == 4.0
    same = [hit("g1", 5.0, bank="가온은행"), hit("g2", 4.9, bank="가온은행")]
    assert features("이체한도", same, FUSION)["margin"] == pytest.approx(0.1)


def test_other_phrasings_of_an_answer_are_no_doubt() -> None:
    same = [hit("a", 5.0), hit("a2", 4.9), hit("b", 1.0)]
    same[1].node.metadata["question"] = "송금 한도 증액"
    assert isinstance(same[1].node, TextNode)
    same[1].node.text = same[0].node.get_content()
    assert features("이체한도", same, FUSION)["margin"] == 4.0


def test_passages_are_no_doubt_of_an_approved_answer() -> None:
    """A document that says the same as the row, or something near it, made the row a suggestion."""
    alone = [hit("faq", 4.0), hit("next", 2.0)]
    among = [alone[0], *(hit(f"terms{number}", 3.9, document="약관.pdf") for number in range(3)), alone[1]]
    assert features(ASKED, among, FUSION) == features(ASKED, alone, FUSION)
    passage_first = [hit("terms", 4.5, document="약관.pdf"), *alone]
    assert features(ASKED, passage_first, FUSION)["margin"] == pytest.approx(0.5), "a row is one of a passage"


def test_an_approved_answer_that_is_clear_comes_before_a_passage_that_matches_better() -> None:
    clear, unclear = hit("faq", 3.5), hit("faq", 2.5)
    passage = hit("terms", 3.9, document="약관.pdf")
    verdict = judge(ASKED, [passage, clear, hit("next", 1.0)], PLAIN)
    assert (verdict.status, rows(verdict.ranked)) == ("answered", ["faq", "terms", "next"])
    assert rows(judge(ASKED, [passage, unclear, hit("next", 1.0)], PLAIN).ranked) == ["terms", "faq", "next"]


def test_a_row_beside_passages_is_judged_as_without_them() -> None:
    """What the question pins down moved it up twice, and rows below ten passages were not compared with the question."""
    asked = "이체한도 1천만원까지 되나요"
    states = hit("faq", 1.5, question="이체한도는 1천만원까지입니까?")
    alone = [states, *(hit(f"row{number}", 1.4 - number / 10) for number in range(14))]
    passages = [hit(f"terms{number}", 4.0 - number / 10, document="약관.pdf") for number in range(12)]
    without = judge(asked, alone, PLAIN)
    assert without.status == "suggested", "1.5, and .9 for the value that it states, are below 3"
    assert judge(asked, [*passages, *alone], PLAIN).ranked[0].node.metadata.get("document"), "so a passage is first"
    clear = [hit("faq", 2.2, question="이체한도는 1천만원까지입니까?"), *alone[1:]]
    among = judge(asked, [*passages, *clear], PLAIN)
    assert (among.status, rows(among.nodes)[0]) == ("answered", "faq")
    assert (among.confidence, among.features) == (
        judge(asked, clear, PLAIN).confidence,
        judge(asked, clear, PLAIN).features,
    )


def test_of_three_suggestions_one_is_a_passage_that_lies_near() -> None:
    faq = [hit(f"faq{number}", 2.0 - number / 10) for number in range(5)]
    near, far = (
        hit("terms", score, document="약관.pdf") for score in (1.8 - PASSAGE_WITHIN + 0.01, 1.7 - PASSAGE_WITHIN)
    )
    assert rows(judge(ASKED, [*faq, near], PLAIN).nodes) == ["faq0", "faq1", "terms"]
    assert rows(judge(ASKED, [*faq, near], PLAIN).ranked) == ["faq0", "faq1", "terms", "faq2", "faq3", "faq4"]
    assert rows(judge(ASKED, [*faq, far], PLAIN).nodes) == ["faq0", "faq1", "faq2"]
    first = hit("terms0", 2.1, document="약관.pdf")
    assert rows(judge(ASKED, [first, *faq, near], PLAIN).nodes) == ["terms0", "faq0", "faq1"], "there is one already"


def test_an_action_that_the_row_does_not_name_is_absent() -> None:
    assert features("이체한도 서비스 해지", [hit("a", 5.0)], FUSION)["absent"] == 1.0
    assert features("이체한도 얼마예요", [hit("a", 5.0)], FUSION)["absent"] == 0.0


def test_features_in_units_of_the_scales() -> None:
    hits = [hit("a", 5.0), hit("b", 3.0), hit("c", 2.0), hit("d", 1.0)]
    found = features("이체한도는?", hits, FUSION)
    assert set(found) == set(FEATURES)
    assert (found["top"], found["margin"], found["margin10"]) == (5.0, 2.0, 4.0)
    assert (found["dense"], found["tokens"]) == pytest.approx((3.0, 2.0))
    assert found["length"] == pytest.approx(math.log(len(set(tokens("이체한도는?"))) + 1))


def test_a_better_match_by_words_soon_tells_no_more() -> None:
    first = hit("a", 5.0)
    first.parts[TOKENS] = 100.0
    assert features("이체한도는?", [first], FUSION)["tokens"] == MOST_TOKENS


def test_how_a_question_is_put_counts_for_nothing_in_a_title() -> None:
    """The rows of one FAQ end in "…은 어떻게 하나요?", those of another in nothing."""
    asked = "통장 재발급"
    long, short = hit("a", 5.0, question="통장 재발급 어떻게 하나요?"), hit("a", 5.0, question="통장 재발급")
    assert features(asked, [long], FUSION)["title"] == features(asked, [short], FUSION)["title"] == 1.0


def test_a_single_row_has_no_margin() -> None:
    found = features("이체한도", [hit("a", 5.0)], FUSION)
    assert (found["margin"], found["margin10"]) == (0.0, 0.0)


def test_without_vectors_no_dense_feature_takes_part() -> None:
    found = features("이체한도", [hit("a", 5.0, dense=False)], FUSION)
    assert set(found) == {name for name in FEATURES if not name.startswith("dense")}


def test_a_calibration_survives_json() -> None:
    kept = replace(PLAIN, unheld=frozenset({"견인", "침수"}))
    assert Calibration.from_json(json.loads(json.dumps(kept.as_json()))) == kept
    earlier = {name: value for name, value in PLAIN.as_json().items() if name != "unheld"}
    assert Calibration.from_json(earlier) == PLAIN


@pytest.mark.parametrize("dense", [True, False])
def test_the_calibration_that_comes_with_the_package(dense: bool) -> None:
    shipped = defaults(dense=dense)
    assert Calibration.from_json(json.loads(json.dumps(shipped.as_json()))) == shipped
    assert shipped.origin == "own rows"
    assert 0 < shipped.off_topic < shipped.suggested < 1 and 0 < shipped.answered < 1
    assert set(shipped.correct.weights) == set(shipped.covered.weights)
    assert set(shipped.correct.weights) == {name for name in FEATURES if dense or not name.startswith("dense")}
    assert (shipped.fusion.weights[DENSE] > 0) is dense
    assert sum(shipped.fusion.weights.values()) == pytest.approx(1.0)
    assert shipped.correct.weights["margin"] > 0, "being far ahead speaks for the first row"
    assert all(scale.std > 0 for scale in shipped.fusion.scales.values())


def test_a_passage_has_the_chance_of_a_row_that_matches_and_leads_as_it_does() -> None:
    calibration = replace(PLAIN, lead=1.0)
    for lead in (0.0, 0.5, 3.0):
        passages = [hit("p", 3.0, document="안내.pdf"), hit("q", 3.0 - lead, document="안내.pdf")]
        as_rows = [hit("p", 3.0), hit("q", 3.0 - lead)]
        assert judge(ASKED, passages, calibration).confidence == judge(ASKED, as_rows, calibration).confidence


@pytest.mark.parametrize(
    ("lead", "status"), [(0.0, "suggested"), (1.4, "suggested"), (1.6, "answered"), (4.0, "answered")]
)
def test_in_an_index_of_few_rows_a_lower_score_answers_where_the_first_row_leads(lead: float, status: str) -> None:
    hits = [hit("r1", 2.5), hit("r2", 2.5 - lead)]
    assert judge(ASKED, hits, PLAIN).status == "suggested"
    assert judge(ASKED, hits, replace(PLAIN, few_rows=1.0)).status == status


@pytest.mark.parametrize(
    ("lead", "status"), [(0.0, "suggested"), (0.4, "suggested"), (0.7, "answered"), (5.0, "answered")]
)
def test_the_first_unit_of_the_lead_decides_where_the_match_leaves_it_open(lead: float, status: str) -> None:
    calibration = replace(PLAIN, correct=Logistic({"top": 1.0}, -2.0), answered=0.5, lead=1.0)
    hits = [hit("r1", 2.0), hit("r2", 2.0 - lead)]
    assert judge(ASKED, hits, calibration).status == status


def test_a_longer_lead_than_a_unit_raises_no_more() -> None:
    calibration = replace(PLAIN, correct=Logistic({"top": 1.0}, -2.0), lead=1.0)
    once, thrice = (judge(ASKED, [hit("r1", 2.0), hit("r2", 2.0 - lead)], calibration) for lead in (1.0, 3.0))
    assert once.confidence == pytest.approx(thrice.confidence)


@pytest.mark.parametrize(("few_rows", "status"), [(0.0, "declined"), (0.9, "suggested")])
def test_in_an_index_of_few_rows_they_are_offered_from_a_lower_chance_on(few_rows: float, status: str) -> None:
    covered = Logistic({}, math.log(PLAIN.suggested / (1 - PLAIN.suggested)) - 0.5)
    calibration = replace(PLAIN, covered=covered, few_rows=few_rows)
    verdict = judge(ASKED, [hit("r1", 2.0), hit("r2", 1.0)], calibration)
    assert verdict.status == status
    assert verdict.covered < PLAIN.suggested


def test_few_rows_say_nothing_of_the_passages_of_documents_beside_them() -> None:
    calibration = replace(PLAIN, correct=Logistic({"top": 1.0}, -6.0))
    for number_of_rows in (0, 1):
        hits = [hit("terms", 3.0, document="약관.pdf"), hit("r1", -3.0, document="" if number_of_rows else "안내.pdf")]
        few = judge(ASKED, hits, replace(calibration, few_rows=2.0))
        assert few.confidence == judge(ASKED, hits, calibration).confidence
