"""An institution named in a question limits the search to it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conversation.word_rules import says
from rag.retrieval.query_analysis import NamedBanks, detect_bank, in_english, in_korean, limit_to_bank, named_banks
from rag.types import Filters

BANKS = ["새나래은행", "도담저축은행", "미르누리증권"]
GROUP = ["하나은행", "하나증권", "우리은행", "신한 은행", "KB증권", "IBK기업은행"]


@pytest.mark.parametrize(
    ("question", "bank"),
    [
        ("새나래은행 이체한도", "새나래은행"),
        ("새나래 이체한도 얼마예요", "새나래은행"),
        ("도담앱에서 적금 해지", "도담저축은행"),
        ("도 담 저축은행 영업시간", "도담저축은행"),
        ("미르누리M 접속이 안 돼요", "미르누리증권"),
        ("저축은행 예금자보호 되나요", "도담저축은행"),
        ("증권 계좌 만들기", "미르누리증권"),
        ("은행 영업시간", None),
        ("이체한도 얼마예요", None),
        ("새나래에서 도담으로 보내기", "새나래은행"),
        ("새나래 계좌를 증권으로", "새나래은행"),
        ("", None),
    ],
)
def test_a_name_or_a_kind_that_only_one_is_of(question: str, bank: str | None) -> None:
    assert detect_bank(question, BANKS) == bank


@pytest.mark.parametrize(
    ("question", "bank"),
    [
        ("하나증권 계좌", "하나증권"),
        ("하나은행에서 하나증권으로", None),
        ("신한은행 OTP", "신한 은행"),
        ("신한 OTP", "신한 은행"),
        ("kb증권 로그인", "KB증권"),
        ("KB 증권 로그인", "KB증권"),
        ("ibk기업 공인인증서", "IBK기업은행"),
        ("ＩＢＫ기업은행 공인인증서", "IBK기업은행"),
        ("증권 계좌", None),
    ],
)
def test_names_that_share_a_beginning(question: str, bank: str | None) -> None:
    assert detect_bank(question, GROUP) == bank


@pytest.mark.parametrize("question", ["하나 더 물어볼게요", "우리 아이 통장", "통장 하나 만들려고요"])
def test_everyday_words_are_no_names(question: str) -> None:
    """하나 (one) and 우리 (we) are also the short names of two banks."""
    assert detect_bank(question, GROUP) is None
    assert detect_bank(question, ["하나은행", "우리은행"]) is None


@pytest.mark.parametrize(
    "question", ["새나래\t은행", "새나래\n은행", "새나래　은행", unicodedata.normalize("NFD", "새나래 한도")]
)
def test_spaces_and_composition_do_not_matter(question: str) -> None:
    assert detect_bank(question, BANKS) == "새나래은행"


def test_a_short_name_is_only_recognised_whole() -> None:
    assert detect_bank("한 번에 얼마까지", ["한은행", "두은행"]) is None
    assert detect_bank("한은행 한도", ["한은행", "두은행"]) == "한은행"


def test_a_kind_tells_nothing_of_a_lone_institution() -> None:
    assert detect_bank("증권 계좌", ["미르누리증권"]) is None
    assert detect_bank("증권 계좌", []) is None


@given(st.text(), st.lists(st.text(min_size=1)))
def test_any_text_is_read(question: str, banks: list[str]) -> None:
    assert detect_bank(question, banks) in {None, *banks}


REAL = ["KB국민은행", "NH농협은행", "IBK기업은행", "SC제일은행", "삼성카드", "현대카드", "가나은행"]


@pytest.mark.parametrize(
    ("question", "bank"),
    [
        ("국민은행 OTP 등록", "KB국민은행"),
        ("농협은행 OTP 등록하려면 어떻게 하나요", "NH농협은행"),
        ("기업은행 영업시간", "IBK기업은행"),
        ("제일은행 통장", "SC제일은행"),
        ("삼성페이 등록", None),
        ("현대자동차 할부", None),
        ("수수료 얼마가 나오나요", None),
        ("국민연금 계좌", None),
    ],
)
def test_everyday_names_count_and_words_that_hold_them_do_not(question: str, bank: str | None) -> None:
    assert detect_bank(question, REAL) == bank


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("도담 말고 새나래 OTP", NamedBanks(("새나래은행",), ("도담저축은행",), (), "OTP")),
        ("새나래은행이 아니라 도담저축은행 OTP", NamedBanks(("도담저축은행",), ("새나래은행",), (), "OTP")),
        ("새나래랑 도담 이체수수료", NamedBanks(("새나래은행", "도담저축은행"), (), (), "이체수수료")),
        ("카카오뱅크 이체한도", NamedBanks((), (), ("카카오뱅크",), "이체한도")),
        ("카카오뱅크로 이체하려면", NamedBanks((), (), (), "카카오뱅크로 이체하려면")),
        ("이체한도", NamedBanks((), (), (), "이체한도")),
    ],
)
def test_what_a_question_says_of_institutions(question: str, wanted: NamedBanks) -> None:
    assert named_banks(question, BANKS) == wanted


def test_where_money_comes_in_is_who_is_asked_if_the_other_place_is_not_known_here() -> None:
    assert named_banks("케이뱅크에서 도담 통장으로 보낸 돈이 안 들어왔어요", BANKS).chosen == ("도담저축은행",)
    assert named_banks("케이뱅크에서 도담으로 이체하려면", BANKS).others == ("케이뱅크",)


@pytest.mark.parametrize(
    "message",
    [
        "도담은요?",
        "그럼 도담은?",
        "미르누리도요",
        "카카오뱅크는요?",
        "도담에선 어떻게 해?",
        "새나래도 알려줘",
        "도담 쪽은요",
    ],
)
def test_a_message_may_ask_the_question_before_of_another_institution(message: str) -> None:
    assert says(named_banks(message, BANKS).rest, "same question")


@pytest.mark.parametrize("message", ["도담 수수료는요?", "도담 앱은 어디서 받아요", "새나래 OTP"])
def test_a_message_that_names_a_topic_of_its_own_does_not(message: str) -> None:
    assert not says(named_banks(message, BANKS).rest, "same question")


def test_of_two_institutions_turning_away_from_one_names_the_other() -> None:
    assert detect_bank("도담 말고 OTP", BANKS[:2]) == "새나래은행"
    assert detect_bank("도담 말고 OTP", BANKS) is None


def test_an_index_may_have_names_of_its_own_and_be_of_an_institution_its_rows_do_not_name() -> None:
    assert detect_bank("샛별 OTP", BANKS, {"새나래은행": ("샛별",)}) == "새나래은행"
    named = named_banks("국민은행 OTP", [], {"KB국민은행": ()})
    assert (named.chosen, named.others) == (("KB국민은행",), ())
    assert named_banks("카카오뱅크 OTP", [], {"KB국민은행": ()}).others == ("카카오뱅크",)
    assert limit_to_bank(Filters(), "국민은행 OTP", [], {"KB국민은행": ()}) == Filters(), "no row could match"


@pytest.mark.parametrize(
    ("question", "korean"),
    [
        ("How do I raise my transfer limit?", "증액 이체한도"),
        ("I forgot my password", "비밀번호를 잊어버렸어요 재설정"),
        ("how to close my account", "계좌 해지"),
        ("How can I transfer money overseas?", "해외송금"),
        ("password 변경", "비밀번호 변경"),
        ("login이 안돼요", "로그인이 안돼요"),
        ("account closing 하고 싶어요", "계좌 해지 하고 싶어요"),
        ("What documents do I need for an insurance claim?", "서류 보험금 청구"),
        ("my flight was delayed, travel insurance", "여행보험"),
        ("how much is a cash advance fee", "현금서비스 단기카드대출 수수료"),
        ("top up 한도", "충전 한도"),
        ("OTP 등록", "OTP 등록"),
        ("What is the weather", "What is the weather"),
        ("scarf", "scarf"),
        ("how do I file a claim for hospitalization", "보험금 청구 입원"),
        ("my car insurance premium", "자동차보험 보험료"),
        ("IPO margin", "공모주 청약 증거금"),
        ("safe deposit box fee?", "대여금고 수수료"),
        ("Prepayment fee", "중도상환수수료"),
    ],
)
def test_english_words_of_banking_are_searched_in_korean(question: str, korean: str) -> None:
    assert in_korean(question) == korean


@pytest.mark.parametrize(
    ("question", "bank", "others"),
    [
        ("애플페이 송금 한도", "별솔페이", ("애플페이",)),
        ("별솔 송금 한도", "별솔페이", ()),
        ("애플페이에 카드 등록", "가온은행", ()),
        ("가온페이에 카드 등록", "가온은행", ()),
    ],
)
def test_a_means_of_payment_is_an_institution_to_one_of_its_kind(
    question: str, bank: str, others: tuple[str, ...]
) -> None:
    assert named_banks(question, [bank]).others == others


@pytest.mark.parametrize(
    ("category", "english"), [("대출·할부", "loan/installment"), ("보험금 청구", "insurance claim"), ("기타 업무", "")]
)
def test_a_category_is_named_in_english_where_the_glossary_knows_all_of_it(category: str, english: str) -> None:
    assert in_english(category) == english


@pytest.mark.parametrize(
    ("question", "korean"),
    [
        ("What will happen if I missed a payment?", "연체"),
        ("I am behind on my payments", "연체"),
        ("can i pay off early", "중도상환"),
        ("I want to end my lease early", "리스 중도해지 위약금"),
        ("how can I change my payment date", "결제일"),
        ("payment with my phone", "결제"),
    ],
)
def test_english_words_for_what_was_not_paid_or_ends_early(question: str, korean: str) -> None:
    assert korean in in_korean(question) and ("연체" in in_korean(question)) == (korean == "연체")


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("도담에서 도담으로 잘못 보냈어요", "같은 은행 계좌로 잘못 보냈어요"),
        ("새나래 통장에서 새나래로 이체 수수료", "통장에서 같은 은행 계좌로 이체 수수료"),
        ("도담 이체 수수료 도담 한도", "이체 수수료 한도"),
    ],
)
def test_that_both_sides_are_at_one_institution_is_kept_without_its_name(question: str, rest: str) -> None:
    assert named_banks(question, BANKS).rest == rest


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("새나래은행 ATM에서 뽑으면", "여기 ATM에서 뽑으면"),
        ("새나래 자동화기기 수수료", "여기 자동화기기 수수료"),
        ("새나래 카드로 타행 ATM에서 뽑으면", "카드로 타행 ATM에서 뽑으면"),
        ("새나래은행 이체 한도", "이체 한도"),
    ],
)
def test_the_owner_of_a_machine_stays_known_without_its_name(question: str, rest: str) -> None:
    assert named_banks(question, ["새나래은행"]).rest == rest


@pytest.mark.parametrize(
    ("question", "rest"),
    [
        ("새나래 OTP 카카오뱅크에 등록", "OTP 카카오뱅크에 등록"),
        ("새나래 토큰 토스뱅크에서도 쓸 수 있나요", "토큰 토스뱅크에서도 쓸 수 있나요"),
        ("새나래 카카오뱅크에 등록된 OTP", "에 등록된 OTP"),
    ],
)
def test_where_a_thing_is_used_stays_known_without_the_own_name(question: str, rest: str) -> None:
    assert named_banks(question, BANKS).rest == rest
