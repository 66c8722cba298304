"""What a question pins down: rows that agree move up, rows that conflict are not given as the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from llama_index.core.schema import TextNode

from rag.constraints.contrasts import default_contrasts
from rag.constraints.held_values import missing_values
from rag.retrieval.confidence import Verdict, defaults, judge
from rag.retrieval.differences import names_thing
from rag.retrieval.hybrid import DENSE, FusedNode
from rag.retrieval.ranking import (
    AGREES,
    COMPARED,
    HOLDS,
    LACKS,
    absent,
    order_by_agreement,
)
from rag.stores.base import JAMO, TOKENS
from rag.synthesis.verbatim import verbatim
from rag.types import Note

EAGER = replace(defaults(), answered=0.0, suggested=0.0, off_topic=0.0)
"""Answers whatever it may: what is not answered is kept back by constraints."""


def row(name: str, question: str, answer: str, score: float) -> FusedNode:
    metadata = {"question": question}
    return FusedNode(
        node=TextNode(id_=name, text=answer, metadata=metadata),
        score=score,
        parts={DENSE: 0.9, TOKENS: 0.5, JAMO: 0.3},
    )


DEPOSIT = [
    row("y1", "1년 만기 정기예금 금리는 얼마인가요?", "1년 만기는 연 2.5%입니다.", 5.0),
    row("y2", "2년 만기 정기예금 금리는 얼마인가요?", "2년 만기는 연 2.7%입니다.", 4.8),
    row("book", "통장을 재발급받으려면 어떻게 하나요?", "영업점에 신분증을 들고 오세요.", 1.0),
]


def names(hits: Sequence[FusedNode]) -> list[str]:
    return [hit.node.node_id for hit in hits]


def verdict(question: str, hits: Sequence[FusedNode] = DEPOSIT) -> Verdict:
    return judge(question, hits, EAGER)


@pytest.mark.parametrize("question", ["24개월 정기예금 금리는 얼마인가요?", "2년 만기 정기예금 금리"])
def test_the_row_that_agrees_comes_first_in_whatever_form_the_value_is(question: str) -> None:
    ordered = order_by_agreement(question, DEPOSIT)
    assert names(ordered.hits)[0] == "y2"
    assert ordered.conflicts == ()
    assert verdict(question).status == "answered"


def test_a_value_that_no_row_holds_is_suggested_with_what_differs() -> None:
    found = verdict("3년 만기 정기예금 금리는 얼마인가요?")
    assert found.status == "suggested" and found.is_blocked
    assert names(found.nodes)[:2] == ["y1", "y2"], "the nearest are still offered, in their order"
    [conflict] = found.conflicts
    assert conflict.asked == "3년"
    assert found.note == Note("not_held", {"word": conflict.asked})
    assert verbatim(found.nodes, found).startswith(f"'{conflict.asked}'에 꼭 맞는 안내는 찾지 못했습니다.")


def test_a_value_is_not_called_missing_where_a_row_shown_states_it_in_another_form() -> None:
    early = row("early", "정기예금을 만기 전에 해지하면 이자는 어떻게 되나요?", "기본금리의 절반을 드립니다.", 9.0)
    month = row("y2", "정기예금 24개월 금리는 얼마인가요?", "연 3.5%입니다.", 2.0)
    found = verdict("정기예금 2년짜리 이자", [early, month])
    assert found.status == "suggested" and names(found.nodes) == ["early", "y2"]
    assert found.note is None or found.note.kind != "not_held"


def test_another_product_is_suggested() -> None:
    assert verdict("1년 만기 적금 금리", DEPOSIT[:1]).status == "suggested"


def test_a_value_in_no_part_of_the_first_row_keeps_it_from_being_the_answer() -> None:
    texts = ("카드 결제일을 변경하려면 어떻게 하나요?", "결제일은 5일, 10일 중에서 고르실 수 있습니다.")
    card = [row("day", *texts, 5.0)]
    assert [value.text for value, _ in missing_values("카드 결제일 27일로 변경", *texts)] == ["27일"]
    assert verdict("카드 결제일 27일로 변경", card).status == "suggested"
    assert verdict("카드 결제일 10일로 변경", card).status == "answered"


def test_a_row_on_one_of_two_values_is_not_the_answer() -> None:
    found = verdict("1년 만기와 2년 만기 정기예금 금리 차이는?")
    assert found.status == "suggested" and names(found.nodes)[:2] == ["y1", "y2"]


def test_absent_is_what_the_row_names_nowhere() -> None:
    stop = row("stop", "자동이체를 해지하려면?", "앱의 자동이체 관리에서 해지합니다.", 5.0)
    assert not absent("자동이체 해지하고 싶어요", stop)
    assert absent("자동이체 신청하고 싶어요", stop)
    assert not absent("자동이체 어디서 봐요", stop)


def test_rows_move_by_their_agreement_and_only_the_nearest_are_compared() -> None:
    far = [replace_score(DEPOSIT[0], 9.0 - index / 10) for index in range(COMPARED)] + [DEPOSIT[1]]
    ordered = order_by_agreement("2년 만기 정기예금 금리", far)
    assert ordered.hits[-1].score == pytest.approx(4.8), "what is not compared stays where no row holds all"
    moved = order_by_agreement("2년 만기 정기예금 금리", DEPOSIT).hits
    assert [hit.score for hit in moved] == pytest.approx([4.8 + AGREES + HOLDS, 5.0 + AGREES - LACKS, 1.0 - LACKS])
    assert [hit.score for hit in DEPOSIT] == [5.0, 4.8, 1.0], "the hits themselves stay as they are"


def test_a_row_that_states_the_value_told_comes_before_its_neighbours() -> None:
    fee = row("fee", "OTP 발급 수수료는 얼마인가요?", "카드형은 5천원입니다.", 4.9)
    lost = row("lost", "OTP를 분실한 경우 어떻게 하나요?", "영업점에서 다시 발급해 드립니다.", 5.0)
    assert names(order_by_agreement("오티피 만들고 오천원 냈는데 맞나요", [lost, fee]).hits) == ["fee", "lost"]
    assert names(order_by_agreement("오티피 만들고 돈 냈는데 맞나요", [lost, fee]).hits) == ["lost", "fee"]


def test_a_row_whose_question_names_the_value_comes_before_one_whose_range_covers_it() -> None:
    steps = "만기일부터 1개월까지는 약정이율의 50%, 1개월을 초과하는 기간에는 연 0.2%입니다."
    after = row("after", "정기예금 만기 후 이율은 어떻게 되나요?", steps, 5.0)
    named = row("named", "정기예금 24개월 금리는 얼마인가요?", "연 3.0%입니다.", 4.8)
    assert names(order_by_agreement("정기예금 2년 이율 알려줘", [after, named]).hits) == ["named", "after"]
    assert names(order_by_agreement("정기예금 만기 지난 이율 알려줘", [after, named]).hits) == ["after", "named"]
    assert names(order_by_agreement("정기예금 이율 알려줘", [after, named]).hits) == ["named", "after"], (
        "the rate of a case"
    )


def test_a_row_that_holds_all_that_is_asked_for_comes_before_those_that_lack_it() -> None:
    issue = row("issue", "OTP는 어떻게 발급받나요?", "영업점에서 발급해 드립니다.", 5.0)
    other = row("other", "보안매체 한도는 어떻게 되나요?", "OTP는 1일 5억원까지 증액하실 수 있습니다.", 4.6)
    assert names(order_by_agreement("OTP로 5억까지 올릴 수 있나요", [issue, other]).hits) == ["other", "issue"]


def test_nothing_found_has_no_order() -> None:
    assert order_by_agreement("이체한도", []).hits == ()


def replace_score(hit: FusedNode, score: float) -> FusedNode:
    return FusedNode(node=hit.node, score=score, parts=hit.parts)


@pytest.mark.parametrize(
    ("question", "asked", "answer"),
    [
        ("자동납부 날짜를 변경하려고요", "자동납부는 어떻게 신청하나요?", "앱의 자동납부 메뉴에서 신청하십시오."),
        ("문자 알림 끄고 싶어요", "문자 알림 이용료는 얼마인가요?", "월 300원입니다."),
        ("약관대출 어떻게 갚아요", "약관대출은 얼마까지 받을 수 있나요?", "환급금의 80%까지 받으실 수 있습니다."),
        ("한도를 낮추고 싶어요", "한도는 어떻게 정해지나요?", "소득으로 정합니다. 연체하시면 한도가 감액됩니다."),
        ("인증서 갱신하려면", "인증서는 어떻게 만드나요?", "앱의 인증센터에서 만드십시오."),
        ("이체일을 원래대로 되돌리고 싶어요", "이체일을 바꾸려면?", "앱의 이체 관리에서 바꾸십시오."),
        ("배정받은 주식 포기할 수 있나요", "주식 배정은 언제 되나요?", "청약 다음 날 배정됩니다."),
        ("얼굴 로그인 해제하려면", "얼굴 로그인이 풀렸어요", "기기를 바꾸시면 자동 해제됩니다."),
        ("오픈뱅킹 등록하려면", "다른 은행 계좌를 등록하려면?", "앱의 계좌 등록에서 하십시오."),
        ("체크카드 분실했어요", "신용카드를 분실하면?", "고객센터로 신고하십시오. 체크카드 번호도 알려 주십시오."),
        (
            "연회비 면제 조건이 뭐예요",
            "연회비는 돌려받을 수 있나요?",
            "남은 기간만큼 돌려 드립니다. 해지하실 때 계산합니다.",
        ),
        ("집 담보로 빌리면 금리 얼마예요", "집을 담보로 빌리는 한도는?", "집값의 절반까지 빌려 드립니다."),
        ("우편으로 증명서 받을 수 있나요", "증명서는 어떻게 발급받나요?", "앱에서 발급받으십시오."),
    ],
)
def test_an_action_that_a_row_names_nowhere_is_not_answered_by_it(question: str, asked: str, answer: str) -> None:
    assert verdict(question, [row("other", asked, answer, 5.0)]).status == "suggested"


@pytest.mark.parametrize(
    ("question", "asked", "answer"),
    [
        ("자동납부 날짜를 변경하려고요", "자동납부는 어떻게 신청하나요?", "[경로]\n- 앱 > 자동납부 > 신청/변경/해지"),
        ("대출 이자를 못 갚으면 어떻게 되나요?", "이자를 연체하면 어떻게 되나요?", "연체이율이 적용됩니다."),
        ("달러로 바꾸고 싶어요", "환전은 어떻게 하나요?", "앱에서 환전을 신청하십시오."),
        ("이체 수수료 있나요", "이체하면 돈이 드나요?", "앱에서는 무료입니다."),
        ("가입할 때 준비물 뭐예요", "가입하려면 무엇이 있어야 하나요?", "신분증이 필요합니다."),
        ("등록금 내려고요", "등록금은 어떻게 납부하나요?", "앱에서 납부하십시오."),
    ],
)
def test_an_action_in_the_rows_steps_or_not_asked_for_holds_nothing_back(
    question: str, asked: str, answer: str
) -> None:
    assert verdict(question, [row("own", asked, answer, 5.0)]).status == "answered"


def test_a_value_that_only_a_note_states_is_not_the_answer() -> None:
    answer = "연간 10만달러까지 보내실 수 있습니다.\n※ 연간 50만달러를 넘으면 국세청에 통보됩니다."
    remittance = [row("usd", "증빙서류 없이 얼마까지 송금할 수 있나요?", answer, 5.0)]
    assert verdict("증빙 없이 50만달러 송금할 때 서류가 무엇인가요?", remittance).status == "suggested"
    assert verdict("증빙 없이 10만달러 송금할 수 있나요?", remittance).status == "answered"


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("대출받고 45일 지나도 철회되나요?", "limit"),
        ("대출받은 지 두 달 됐는데 철회할 수 있나요?", "limit"),
        ("대출받고 45일 지나도 철회할 수 있는 방법 알려주세요", "not_held"),
        ("ATM에서 철회되나요?", "not_held"),
    ],
)
def test_a_value_beyond_a_limit_is_suggested_and_the_customer_asked_to_compare_it(question: str, kind: str) -> None:
    withdrawal = [
        row("loan", "대출을 철회할 수 있나요?", "받으신 날부터 14일 이내에 앱에서 철회하실 수 있습니다.", 5.0)
    ]
    found = verdict(question, withdrawal)
    assert found.status == "suggested" and found.note and found.note.kind == kind


def test_what_differs_is_said_once_and_by_a_name() -> None:
    mentions = default_contrasts().mentions("알림 끄는 법이랑 카드 해지 방법")
    assert [(mention.text, mention.label) for mention in mentions if mention.set_name == "open_close"] == [
        ("끄는", "종료"), ("해지", "해지")
    ]  # fmt: skip
    found = verdict("주택담보대출 만기 금리", DEPOSIT[:2])
    assert len({conflict.asked for conflict in found.conflicts}) > 1
    assert found.note == Note("not_held", {"word": "주택담보대출"})


def test_a_row_without_the_kind_of_value_asked_for_is_suggested_and_says_what_is_missing() -> None:
    card = [row("new", "체크카드는 어떻게 만드나요?", "앱에서 신청하시면 5영업일 안에 받으십니다.", 5.0)]
    found = verdict("체크카드 몇 살부터 만들 수 있어요?", card)
    assert found.status == "suggested" and found.note == Note("not_held", {"word": "나이"})
    assert verdict("체크카드 만들면 며칠 걸려요?", card).status == "answered"


def test_a_row_that_is_asked_how_much_and_says_it_is_on_the_cost() -> None:
    worn = [row("worn", "카펫이 훼손되면 얼마를 내야 하나요?", "훼손 부위 1곳당 2만원이 부과됩니다.", 5.0)]
    found = verdict("카펫 훼손 비용", worn)
    assert not (found.note and "비용" in found.note.values["word"])
    clean = [row("clean", "카펫이 훼손되면 어떻게 하나요?", "고객센터로 알려 주시면 교체합니다.", 5.0)]
    assert names_thing(worn[0], "비용") and not names_thing(clean[0], "비용")


def test_a_value_asked_for_at_another_channel_than_a_row_names_is_not_its_own() -> None:
    fee = [row("fee", "이체 수수료는 얼마인가요?", "인터넷뱅킹에서는 건당 300원입니다.", 5.0)]
    assert verdict("창구에서 이체하면 수수료 얼마예요?", fee).status == "suggested"
    assert verdict("인터넷뱅킹 이체 수수료 얼마예요?", fee).status == "answered"


def test_what_was_done_and_should_be_no_more_is_not_answered_by_how_it_is_done() -> None:
    alert = [row("set", "가격 알림은 어떻게 설정하나요?", "앱 알림 메뉴에서 가격을 넣으십시오.", 5.0)]
    assert verdict("설정해 둔 가격 알림 빼려면요", alert).status == "suggested"
    assert verdict("가격 알림 설정하려면요", alert).status == "answered"


@pytest.mark.parametrize(
    ("question", "row_question", "answer"),
    [
        (
            "미국주식 처음 하려면 뭘 신청하나요",
            "해외주식을 처음 매매하려면 어떤 신청이 필요한가요?",
            "해외주식 거래를 신청하십시오.",
        ),
        ("적금도 예금자보호 되나요", "예금자보호는 어떤 상품에 적용되나요?", "예금과 적금이 보호됩니다."),
        ("체크카드 한도 늘리려면", "체크카드 이용한도를 조회하거나 변경하려면 어떻게 하나요?", "앱 카드 > 한도변경"),
        ("안 쓰는 입출금통장 앱에서 없애고 싶어요", "입출금통장을 해지하려면 어떻게 하나요?", "앱 > 계좌 해지"),
        ("인증서 기한 늘리려면", "인증서 유효기간은 어떻게 연장하나요?", "앱 인증센터 > 갱신"),
        ("카드값 나가는 통장을 다른 은행으로 바꾸려면", "결제계좌를 변경하려면 어떻게 하나요?", "앱 > 결제계좌 변경"),
        (
            "밤 11시 넘어서 이체하려니까 안 돼요",
            "이체 가능시간은 언제인가요?",
            "00:30부터 22:30까지 이체하실 수 있습니다.",
        ),
    ],
)
def test_words_in_another_sense_or_more_general_rows_hold_nothing_back(
    question: str, row_question: str, answer: str
) -> None:
    assert verdict(question, [row("it", row_question, answer, 5.0)]).status == "answered"


def test_a_row_that_states_the_value_is_offered_sooner() -> None:
    calibration = replace(defaults(), answered=1.0, suggested=0.999, off_topic=0.0)
    fee = [row("fee", "이체 수수료는 어떻게 되나요?", "창구에서는 건당 3,000원입니다.", 0.0)]
    assert judge("다른 사람한테 부치는데 3천원이 드나요", fee, calibration).status == "suggested"
    assert judge("다른 사람한테 부치는데 4천원이 드나요", fee, calibration).status == "declined"


def test_what_another_row_holds_is_not_said_to_be_missing() -> None:
    alerts = [
        row("set", "문자 알림은 어떻게 신청하나요?", "앱 설정 > 알림에서 신청하십시오.", 5.0),
        row("end", "자동이체를 해지하려면 어떻게 하나요?", "앱에서 해지하십시오.", 4.0),
    ]
    found = verdict("문자 알림 해지하려면요", alerts)
    assert (found.status, found.note) == ("suggested", None)
    assert verdict("문자 알림 해지하려면요", alerts[:1]).note == Note("not_held", {"word": "해지"})


def test_a_table_of_how_long_something_was_held_names_no_term() -> None:
    early = "9개월 미만은 연 1%, 9개월 이상은 연 2%입니다."
    rates = [row("early", "정기예금을 만기 전에 해지하면 이율은 어떻게 되나요?", early, 5.0)]
    found = verdict("3년짜리 정기예금 이율 알려줘", rates)
    assert found.status == "suggested" and found.note == Note("not_held", {"word": "3년"})
    assert verdict("정기예금 만기 전에 해지하면 이율은요", rates).status == "answered"


def test_the_scope_of_a_rows_question_decides_whatever_else_its_answer_names() -> None:
    late = row("late", "실효된 지 30일이 지난 계약을 부활하려면 어떻게 하나요?", "3년 이내에 청약하십시오.", 5.0)
    early = row("early", "실효된 지 30일 이내인 계약을 부활하려면 어떻게 하나요?", "앱에서 부활하십시오.", 4.9)
    assert names(order_by_agreement("실효 20일 된 계약 부활하려면 어떻게 하나요", [late, early]).hits)[0] == "early"
    assert names(order_by_agreement("실효된 지 두 달 지난 계약 부활하려면", [early, late]).hits)[0] == "late"
    assert names(order_by_agreement("실효된 지 이주 됐는데 부활하려면", [late, early]).hits)[0] == "early"


def test_a_verbal_noun_that_the_row_holds_nowhere_keeps_it_from_being_the_answer() -> None:
    limit = [row("limit", "이체한도를 올리려면 어떻게 하나요?", "앱에서 신청하십시오.", 5.0)]
    assert verdict("이체한도 위임 방법 알려주세요", limit).note == Note("not_held", {"word": "위임"})
    assert verdict("이체한도 증액 방법 알려주세요", limit).status == "answered"


def test_what_is_told_of_a_customer_states_no_term_beyond_a_range_from_to() -> None:
    answer = "6개월 이상 이용하신 회원은 3개월 ~ 60개월 동안 빌리실 수 있습니다."
    loan = [row("loan", "장기카드대출의 자격과 기간은 어떻게 되나요?", answer, 5.0)]
    assert verdict("장기카드대출 120개월 방법 알려주세요", loan).note == Note("not_held", {"word": "120개월"})
    assert verdict("장기카드대출 120개월 되나요", loan).note == Note("limit", {"word": "120개월"})
    assert verdict("장기카드대출 48개월 되나요", loan).status == "answered"
    tiers = [row("tiers", "신용융자 이자율은 얼마인가요?", "8~30일 연 7.9%, 31일 이상 연 9.5%입니다.", 5.0)]
    assert verdict("신용융자 이자율 60일이면 얼마인가요?", tiers).status == "answered"


def test_an_error_code_is_the_rows_own_or_another_one() -> None:
    error = [row("error", "이체 중 통신 오류(SN-2001)로 종료되면 어떻게 하나요?", "이체 내역을 확인하십시오.", 5.0)]
    assert verdict("이체하다 통신 오류 SN-4010 떴어요", error).status == "suggested"
    assert verdict("이체하다 통신 오류 sn-2001 떴어요", error).status == "answered"
