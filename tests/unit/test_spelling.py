"""A question's misspelled words are read as the rows found spell them."""

from __future__ import annotations

import pytest

from rag.chat import ChatService
from rag.retrieval.spelling import respelled
from tests.lexical_chat import lexical_chat

ROWS = (
    "여행자보험의 보험료는 얼마인가요?\n보험료는 나이에 따라 다르며 수익자는 따로 정합니다.",
    "결제일을 변경하려면?\n현금서비스 결제일은 앱에서 바꿉니다. 계좌 해지, 대출 상환과 연체 이자도 봅니다.",
    "현금영수증과 예금주 확인, 보험사고 신고",
)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("게좌 헤지", "계좌 해지"),  # by ear
        ("결재일 바꾸기", "결제일 바꾸기"),
        ("데출 연채", "대출 연체"),
        ("수익쟈 지정", "수익자 지정"),
        ("현금서비쓰 한도", "현금서비스 한도"),
        ("보헙료 얼마", "보험료 얼마"),  # a key beside it
        ("보험류 얼마", "보험료 얼마"),
        ("여행자보혐 가입", "여행자보험 가입"),
    ],
)
def test_a_word_is_read_as_the_rows_spell_it(typed: str, meant: str) -> None:
    assert respelled(typed, typed.split(), ROWS) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "연금 수령",  # two syllables: not 현금
        "금리 상한",  # not 상환
        "예금자 보호",  # no neighbouring keys: not 예금주
        "보험사기 신고",  # not 보험사고
        "보험금 청구",
        "계좌가 막힘",
        "결제일은 언제",
        "맞나요",
    ],
)
def test_another_word_stays(typed: str) -> None:
    assert respelled(typed, typed.split(), ROWS) == typed


def test_a_known_word_is_not_changed_by_a_key() -> None:
    assert respelled("여행자보혐", ["여행자보혐"], ROWS, known=["여행자보혐"]) == "여행자보혐"


FAQ = """question,answer,category
긴급출동 서비스는 몇 번 이용할 수 있나요?,긴급출동은 1년에 여섯 번까지 이용하실 수 있습니다.,자동차
계약을 해지하려면 어떻게 하나요?,고객창구에 신분증을 들고 오시면 해지됩니다.,계약
보험료 자동이체 계좌를 바꾸려면 어떻게 하나요?,앱의 납입 메뉴에서 바꿉니다.,납입
수익자를 변경하려면 어떻게 하나요?,수익자 변경 신청서를 내시면 됩니다.,계약
통원 치료비 청구 서류는 무엇인가요?,영수증과 세부내역서입니다.,청구
주소를 변경하려면 어떻게 하나요?,앱의 내 정보에서 바꿉니다.,계약
"""


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> ChatService:
    return lexical_chat(tmp_path_factory.mktemp("spelling"), FAQ)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("긴급출똥 서비쓰 몇 번", "긴급출동 서비스 몇 번"),
        ("통언 치료비 청구 서류", "통원 치료비 청구 서류"),
        ("수익쟈 변경", "수익자 변경"),
    ],
)
def test_a_misspelled_question_has_the_outcome_of_the_right_one(chat: ChatService, typed: str, meant: str) -> None:
    found, expected = chat.rank(typed), chat.rank(meant)
    assert found.status == expected.status != "declined"
    assert [hit.node.node_id for hit in found.nodes] == [hit.node.node_id for hit in expected.nodes]
    assert found.query == typed
