"""Members of contrast sets in ordinary questions: compounds, exceptions, denials, an index's own sets."""

from __future__ import annotations

import pytest

from rag.constraints.contrast_sets import spelled_out
from rag.constraints.contrasts import default_contrasts, is_of_other_product, members_of, mentions_of


@pytest.mark.parametrize(
    ("text", "label"), [("한도 줄이기", "줄이기"), ("한도 줄이고 싶어요", "내리기"), ("한도 감액", "감액")]
)
def test_a_customer_is_told_her_own_word_where_it_can_be_quoted(text: str, label: str) -> None:
    assert [mention.label for mention in default_contrasts().mentions(text) if mention.set_name == "up_down"] == [label]


def named(text: str, set_name: str) -> set[str]:
    return {mention.member for mention in default_contrasts().mentions(text) if mention.set_name == set_name}


@pytest.mark.parametrize(
    ("text", "set_name", "members"),
    [
        ("정기적금 금리", "deposit", {"적금"}),
        ("정기 적금 금리", "deposit", {"적금"}),
        ("예적금 만기", "deposit", {"예금", "적금"}),
        ("예금자보호 한도", "deposit", set()),
        ("무통장 입금", "passbook_or_card", set()),
        ("통장 재발급", "passbook_or_card", {"통장"}),
        ("보안카드 재발급", "passbook_or_card", set()),
        ("신용점수 조회", "loan", set()),
        ("신용 대출 한도", "loan", {"신용대출"}),
        ("공인인증서 갱신", "certificate", {"공동인증서"}),
        ("OTP 없이 이체", "security_device", set()),
        ("otp카드 분실", "otp_type", {"카드형"}),
        ("자동이체 그만두고 싶은데요", "open_close", {"종료"}),
        ("회사를 그만두고 쉬는 중인데", "open_close", set()),
        ("동아리 통장에서 나가려면", "open_close", {"종료"}),
        ("만기를 당겨서 받을래요", "extend", {"단축"}),
        ("토요일에 여나요", "day_of_week", {"주말"}),
        ("원리금 상환", "principal_interest", set()),
        ("안면인증 등록", "biometric", {"얼굴"}),
        ("입국하고 나서 가입", "departure", {"출국 후"}),
        ("특약 제외하려면", "add_remove", {"빼기"}),
        ("통장에서 돈 빼려면", "add_remove", set()),
        ("채권을 살 수 있나요", "buy_sell", {"사기"}),
        ("만 몇 살부터 살 수 있나요", "buy_sell", {"사기"}),
        ("적금 두 개를", "merge_split", set()),
        ("계좌를 숨기려면", "hide_show", {"숨기기"}),
        ("적금 두 개를 합치려면", "merge_split", {"합치기"}),
        ("앱과 인터넷뱅킹을 모두 그만 이용하려면", "open_close", {"종료"}),
        ("해지 신청", "open_close", {"종료"}),
        ("해지하지 않고 신청", "open_close", {"시작"}),
        ("신청한 환전을 찾지 않으면", "open_close", set()),
        ("가입한 정기예금 해지", "open_close", {"종료"}),
        ("OTP 오류 해제", "open_close", set()),
        ("적금 깨면 이자는", "open_close", {"종료"}),
        ("깨끗한 신분증", "open_close", set()),
        ("도담정기예금만기전에앱으로깨려면", "open_close", {"종료"}),
        ("한도를 늘리고 싶어요", "up_down", {"올리기"}),
        ("금리가 오르나요", "up_down", set()),
        ("한도 하향", "up_down", {"내리기"}),
        ("개인사업자 통장", "customer", {"개인사업자"}),
        ("개인정보 유출", "customer", set()),
        ("지점 안 가고 앱에서", "channel", {"앱"}),
        ("체크카드 재발급", "issue", {"재발급"}),
        ("체크카드 잃어버려서 새로 발급", "issue", set()),
        ("국내주식 대체출고 말고 해외주식 대체출고", "country", {"해외"}),
        ("공동인증서 대신 금융인증서로", "certificate", {"금융인증서"}),
        ("예금 말고는 적금도 있나요", "deposit", {"적금"}),
        ("ＩＳＡ 계좌", "investment", {"isa"}),
        ("visa 카드", "investment", set()),
        ("할머니가 보낸 돈", "reward", set()),
        ("머니로 전환", "reward", {"머니"}),
        ("홍콩달러 환전", "currency", {"홍콩달러"}),
        ("결제 비번 변경", "password", {"결제비밀번호"}),
        ("국민건강보험료 납부", "insurance", set()),
        ("건강보험 보험료", "insurance", {"건강보험"}),
        ("최유리 지정가 주문", "order_type", {"최유리", "지정가"}),
        ("확정기여형 퇴직연금", "pension_plan", {"DC"}),
        ("소비자 보호", "card_brand", set()),
        ("스마트폰에서 결제", "spending", set()),
        ("마트 할인", "spending", {"마트"}),
        ("유니온페이 카드", "card_brand", {"유니온페이"}),
        ("무해지형 환급금", "surrender_type", {"무해지"}),
        ("인도네시아 송금", "foreign_country", {"인도네시아"}),
    ],
)
def test_members(text: str, set_name: str, members: set[str]) -> None:
    assert named(text, set_name) == members


def test_mentions_carry_the_customers_own_words() -> None:
    text = "ＯＴＰ를 '정기  예금' 통장에"
    mentions = default_contrasts().mentions(text)
    assert all(text[mention.start : mention.end] == mention.text for mention in mentions)
    assert {mention.text for mention in mentions} >= {"ＯＴＰ", "정기  예금"}


def test_every_bundled_form_names_its_member() -> None:
    """A form hidden by another or void by its own exceptions would be dead data."""
    contrasts = default_contrasts()
    dead = [
        (contrast.name, member, form)
        for contrast in contrasts.sets.values()
        for member, forms in contrast.members.items()
        for form in forms
        if (contrast.name, member) not in {(m.set_name, m.member) for m in contrasts.mentions(form.removeprefix("^"))}
    ]
    assert dead == []


def test_a_words_last_syllable_begins_no_other_word() -> None:
    assert not members_of("취소하면 제 계좌로 들어오나요") & members_of("면제")
    assert members_of("수수료 면 제") >= members_of("면제")


@pytest.mark.parametrize(
    ("text", "word", "is_named"),
    [
        ("청구 서류는 뭐예요", "청구서", False),
        ("실손 청구 서식", "청구서", False),
        ("청구서 다시 보내주세요", "청구서", True),
        ("청구 서 언제 와요", "청구 서", True),
        ("주민번호가 바뀌었어요", "주민번호가 바", True),
    ],
)
def test_a_things_name_ends_with_no_other_words_first_syllable(text: str, word: str, is_named: bool) -> None:
    assert (word in [mention.text for mention in mentions_of(text)]) is is_named


def test_a_row_on_loans_in_general_is_on_one_of_them_but_on_no_policy_loan() -> None:
    row = "대출금을 미리 갚으면 수수료가 있나요? 상환금액의 0.7%입니다."
    assert not is_of_other_product("전문직대출 한도", row)
    assert is_of_other_product("햇살론 자격", row)
    assert is_of_other_product("정기예금 이자", row)


def test_alternatives_in_braces_stand_for_all_their_forms() -> None:
    assert spelled_out("해지") == ["해지"]
    assert spelled_out("{돈,현금}{,을}빼") == ["돈빼", "돈을빼", "현금빼", "현금을빼"]
