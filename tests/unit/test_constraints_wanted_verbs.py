"""What a customer wants done in an everyday verb, the row must say how to do, in the same verb or in the bank's words for it."""

from __future__ import annotations

import re

import pytest

from rag.constraints.actions import is_reversed
from rag.constraints.agreement import compare
from rag.constraints.everyday_values import values_of
from rag.constraints.wanted_verbs import conjugated, lacks_wanted, wanted, wanted_words

SWITCH = ("적립 예약은 어떻게 등록하나요?", "앱 적립 > 예약 메뉴에서 등록하십시오.")
PRICE = ("보관함의 이용 횟수와 무료 시간은 어떻게 되나요?", "달마다 4회입니다. [서비스] 보관, 해제, 반환")


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("끄다", ("끄", "끄", "끌", "꺼")),
        ("풀다", ("풀", "푸", "풀", "풀어")),
        ("끊다", ("끊", "끊", "끊을", "끊어")),
        ("무르다", ("무르", "무르", "무를", "물러")),
        ("모으다", ("모으", "모으", "모을", "모아")),
        ("낮추다", ("낮추", "낮추", "낮출", "낮춰")),
        ("맡기다", ("맡기", "맡기", "맡길", "맡겨")),
        ("갚다", ("갚", "갚", "갚을", "갚아")),
        ("빼다", ("빼", "빼", "뺄", "빼")),
        ("그만하다", ("그만하", "그만하", "그만할", "그만해")),
        ("쉬다", ("쉬", "쉬", "쉴", "쉬어")),
    ],
)
def test_a_verb_is_conjugated_by_rule(verb: str, forms: tuple[str, str, str, str]) -> None:
    assert conjugated(verb) == forms


def test_the_listed_verbs_are_dictionary_forms_each_with_words() -> None:
    for verb, words in wanted_words().items():
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
    assert wanted(question) == verbs


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
    assert lacks_wanted(question, *row) == lacks


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
