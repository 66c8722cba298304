"""What a customer wants done in an everyday verb, the row must say how to do, in the same verb or in the bank's words for it."""

from __future__ import annotations

import re
from datetime import date

import pytest

from rag.constraints.agreement import compare
from rag.constraints.conjugation import conjugate
from rag.constraints.directions import is_reversed
from rag.constraints.everyday_values import values_of
from rag.constraints.requested_verbs import is_opposite, lacks_request, requested_verbs, words_by_verb

SWITCH = ("적립 예약은 어떻게 등록하나요?", "앱 적립 > 예약 메뉴에서 등록하십시오.")
PRICE = ("보관함의 이용 횟수와 무료 시간은 어떻게 되나요?", "달마다 4회입니다. [서비스] 보관, 해제, 반환")


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("끄다", ("끄", "끄", "끄", "끌", "끈", "꺼", "껐")),
        ("풀다", ("풀", "푸", "풀", "풀", "푼", "풀어", "풀었")),
        ("끊다", ("끊", "끊", "끊으", "끊을", "끊은", "끊어", "끊었")),
        ("무르다", ("무르", "무르", "무르", "무를", "무른", "물러", "물렀")),
        ("모으다", ("모으", "모으", "모으", "모을", "모은", "모아", "모았")),
        ("낮추다", ("낮추", "낮추", "낮추", "낮출", "낮춘", "낮춰", "낮췄")),
        ("맡기다", ("맡기", "맡기", "맡기", "맡길", "맡긴", "맡겨", "맡겼")),
        ("갚다", ("갚", "갚", "갚으", "갚을", "갚은", "갚아", "갚았")),
        ("빼다", ("빼", "빼", "빼", "뺄", "뺀", "빼", "뺐")),
        ("그만하다", ("그만하", "그만하", "그만하", "그만할", "그만한", "그만해", "그만했")),
        ("쉬다", ("쉬", "쉬", "쉬", "쉴", "쉰", "쉬어", "쉬었")),
    ],
)
def test_a_verb_is_conjugated_by_rule(verb: str, forms: tuple[str, ...]) -> None:
    assert conjugate(verb) == forms


def test_the_listed_verbs_are_dictionary_forms_each_with_words() -> None:
    for verb, words in words_by_verb().items():
        assert re.fullmatch("[가-힣]+다", verb), verb
        assert words, verb


@pytest.mark.parametrize(
    ("question", "verbs"),
    [
        ("예약 잠깐 멈추려면요", ("멈추다",)),
        ("알림 끄는 법", ("끄다",)),
        ("약정 끊을 수 있나요", ("끊다",)),
        ("보관함 좀 잠가주세요", ("잠그다",)),
        ("통장을깨고싶어요", ("깨다",)),
        ("카드 막아 두고 싶은데요", ("막다",)),
        ("어제 끊었는데 돈이 나갔어요", ()),
        ("문이 안 열려요", ()),
        ("만기 전에 찾으면 이자는요", ()),
        ("포인트 바꿀래 최소 몇 점", ()),
        ("다른 데로 옮기려면 수수료 얼마", ()),
        ("한 번에 얼마까지 보낼 수 있어요", ("보내다",)),
    ],
)
def test_a_wish_is_read_in_all_forms_and_what_happened_is_none(question: str, verbs: tuple[str, ...]) -> None:
    assert requested_verbs(question) == verbs


@pytest.mark.parametrize(
    ("question", "row", "lacks"),
    [
        ("적립 예약 잠깐 멈추려면", SWITCH, True),
        ("적립 예약을 쪼개고 싶어요", SWITCH, True),
        ("적립 예약 걸어두고 싶어요", SWITCH, False),  # 등록
        ("적립 예약은 어떻게 하죠", SWITCH, False),
        ("보관함 빼는 법", PRICE, True),  # what a row on a value mentions is no guidance
        ("보관함 풀려면 몇 번 되나요", PRICE, False),
    ],
)
def test_the_row_holds_the_verb_or_a_word_of_the_banks(question: str, row: tuple[str, str], lacks: bool) -> None:
    assert lacks_request(question, *row) == lacks


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("정식계좌를 다시 시험계좌로 돌려주세요", "시험제한계좌 해제(정식계좌 전환)는 어떻게 신청하나요?"),
        ("나눠 내기로 한거 한꺼번에로 바꿔주세요", "한꺼번에 낸 금액을 나눠 내기로 바꾸려면?"),
        ("5세대 상품을 4세대로 바꾸고 싶어요", "기존 상품을 5세대로 바꾸려면?"),
    ],
)
def test_turning_back_is_the_reverse(question: str, row: str) -> None:
    assert is_reversed(question, row)
    assert not is_reversed(row, row)


def test_thousands_of_kilometres_and_the_next_time_are_values() -> None:
    assert [(int(value.low or 0), value.unit) for value in values_of("1만5천키로 탔어요")] == [(15000, "km")]
    assert [(int(value.low or 0), value.unit) for value in values_of("여섯번째 가면 얼마예요")] == [(6, "회")]
    assert not values_of("두번째 거요")
    lounge = ("온천을 무료로 이용할 수 있나요?", "한 해 5회까지 무료입니다.")
    assert compare("온천 여섯번째 가면 얼마 내요", *lounge).lacking
    assert not compare("온천 네번째 가면 얼마 내요", *lounge).lacking


def test_a_tier_that_the_row_has_no_value_for_is_lacking() -> None:
    row = ("등급별 한도는 어떻게 되나요?", "골드는 200%, VIP는 300%입니다.")
    assert compare("실버 등급은 한도가 몇 프로예요", *row).lacking
    assert not compare("골드 등급은 한도가 몇 프로예요", *row).lacking


def test_what_should_come_no_more_is_no_row_on_what_does_not_come() -> None:
    row = ("결제 문자가 오지 않습니다.", "수신을 거부하셨는지 확인하십시오.")
    assert compare("결제 문자 그만 오게 해주세요", *row).conflicts
    assert compare("결제 문자 안 오게 해주세요", *row).conflicts


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("장치 뗐는데 할인은요", ("장치를 달면 얼마나 할인되나요?", "3%입니다.")),
        ("조각 파는 법", ("조각을 살 수 있나요?", "1천원부터 사실 수 있습니다.")),
        ("한 명 내보내려면요", ("회원을 초대하려면 어떻게 하나요?", "링크를 보내십시오.")),
        ("야간 결제 끌 수 있나요", ("야간 결제를 켜려면 어떻게 하나요?", "설정에서 켜십시오.")),
        ("납입일 앞당기고 싶어요", ("납입일을 미룰 수 있나요?", "한 달까지 됩니다.")),
    ],
)
def test_a_row_on_what_turns_it_round_does_not_answer(question: str, row: tuple[str, str]) -> None:
    assert is_opposite(question, *row)
    assert not is_opposite(row[0], *row)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        (
            "결제 켜져 있는 거 끌 수 있나요",
            ("야간 결제를 켜려면?", "설정에서 켜고 끄는 메뉴를 누르십시오. 끄려면 한 번 더 누르십시오."),
        ),
        ("잃어버린 줄 알았는데 찾았어요", ("카드를 잃어버리면 어떻게 하나요?", "찾으시면 해제하십시오.")),
        ("사고 접수하려면", ("차를 팔면 어떻게 되나요?", "서류를 내십시오.")),
    ],
)
def test_both_sides_and_other_words_are_not_turned_round(question: str, row: tuple[str, str]) -> None:
    assert not is_opposite(question, *row)


TIERS = (
    "한도는 얼마이고 어떻게 올리나요?",
    "1회 2천만원, 1일 5억원까지입니다. 1일 1억원을 넘게 올리시려면 영상통화를 하십시오.",
)


def test_a_sum_beyond_all_limits_is_not_covered_by_a_tier_below_them() -> None:
    assert compare("하루 7억으로 올려줘", *TIERS).lacking
    assert not compare("하루 3억으로 올려줘", *TIERS).lacking


def test_a_sum_for_a_period_is_compared_with_sums_for_that_period() -> None:
    row = ("저축계좌에는 얼마까지 넣나요?", "연 2,000만원, 총 1억원까지 넣으실 수 있습니다.")
    assert compare("1년에 6천만원 넣을 수 있나요", *row).lacking
    assert not compare("1년에 천만원 넣을 수 있나요", *row).lacking
    assert not compare("6천만원 넣을 수 있나요", *row).lacking


def test_what_a_value_was_once_the_row_must_say() -> None:
    rate = ("우리적금 금리는 얼마인가요?", "연 3.1%입니다.")
    assert compare("우리적금 재작년 금리 얼마였어요", *rate).lacking
    assert not compare("우리적금 금리 얼마였죠", *rate).lacking
    assert not compare("우리적금 예전 금리 얼마였어요", rate[0], "연 3.1%이며, 2024년까지는 연 2.9%였습니다.").lacking


def test_what_was_acquired_before_a_date_has_no_answer_in_what_holds_since() -> None:
    today = date(2031, 5, 1)
    row = ("우리카드 할인율은 얼마인가요?", "2030년 3월 1일 이후 발급된 카드는 10%입니다.")
    assert compare("작년에 발급받은 우리카드 할인 몇 프로예요", *row, today=today).lacking
    assert compare("예전에 만든 우리카드 할인 몇 프로예요", *row, today=today).lacking
    earlier = (row[0], row[1].replace("2030년", "2028년"))
    assert not compare("작년에 발급받은 우리카드 할인 몇 프로예요", *earlier, today=today).lacking


def test_what_is_named_instead_the_row_must_hold() -> None:
    row = ("납부일을 바꾸려면 어떻게 하나요?", "내 정보에서 바꾸십시오.")
    assert compare("납부일 말고 결제계좌 바꾸려면", *row).lacking
    assert not compare("결제계좌 말고 납부일 바꾸려면", *row).lacking


def test_the_thing_before_a_fee_the_row_must_name() -> None:
    row = ("송금할 때 수수료는 얼마인가요?", "건당 500원입니다.")
    assert compare("감정 수수료 얼마예요", *row).lacking
    assert not compare("송금 수수료 얼마예요", *row).lacking
    assert not compare("낸돈 수수료 얼마예요", *row).lacking


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("고양이 보험 가입돼요?", ("강아지 보험은 몇 살까지 가입되나요?", "만 8세까지입니다.")),
    ],
)
def test_another_of_what_a_row_lists_is_lacking(question: str, row: tuple[str, str]) -> None:
    agreement = compare(question, *row)
    assert agreement.lacking or agreement.conflicts


def test_what_a_thing_is_only_likened_to_need_not_be_held() -> None:
    row = ("미리 갚으면 수수료가 있나요?", "중도상환수수료는 1%입니다.")
    assert not compare("미리 갚으면 벌금 같은 거 있나요", *row).lacking
    assert compare("미리 갚으면 벌금 있나요", *row).lacking


def test_how_often_a_customer_has_paid_is_her_story() -> None:
    row = ("요금을 이중으로 냈으면 어떻게 하나요?", "앱에서 환급을 신청하십시오.")
    assert not compare("요금 두번 냈어요 돌려받고 싶어요", *row).lacking
    assert compare("요금을 세번 내도 되나요", *row).lacking


def test_a_particle_is_no_part_of_what_something_is_done_to() -> None:
    row = ("예전 사고도 청구할 수 있나요?", "3년 안에 청구하십시오.")
    assert not compare("오래전 사고도 청구 되나요", *row).lacking
    assert not compare("묶인 거 어케 풀어요", "묶인 계좌는 어떻게 풀어요?", "앱에서 해제하십시오.").lacking


def test_enough_is_an_end_however_it_is_said() -> None:
    row = ("나눠 내기는 어떻게 신청하나요?", "앱에서 신청하십시오.")
    assert compare("나눠 내기 그만", *row).lacking
    assert not compare("그만큼 나눠 내기 신청", *row).lacking
    assert [int(value.low or 0) for value in values_of("만2천키로 탔어요")] == [12000]
