"""Actions, their objects and certificates: a row on another action or another object does not answer the question."""

from __future__ import annotations

import pytest

from rag.constraints.actions import final_verbal_noun, lacks_beginning, other_actions
from rag.constraints.directions import is_reversed
from rag.retrieval.query_analysis import expand


def others(question: str, row: str, answer: str = "") -> list[tuple[str, str, str]]:
    return list(other_actions(question, row, answer, answer, synonyms=expand))


RAISE = ("이용한도를 올리려면 어떻게 하나요?", "앱 카드관리 > 한도상향에서 신청하십시오.")


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("적립금 양도 방법 알려주세요", "양도"),
        ("보관함 예약하고 싶어요", "예약"),
        ("카드론 신청 취소는 어떻게 하나요", "취소"),
        ("연금 계좌를 압류할 수 있나요", "압류"),
        ("등록된 기기 삭제하고 새 기기로 바꾸고 싶어요", ""),
        ("해지했는데 이자가 안 들어왔어요", ""),
        ("이자는 언제 들어와요", ""),
    ],
)
def test_it_is_the_verbal_noun_that_a_question_ends_in(question: str, noun: str) -> None:
    assert final_verbal_noun(question) == noun


@pytest.mark.parametrize("question", ["이용한도 위임 방법", "이용한도 기부하고 싶어요", "이용한도 이월되나요?"])
def test_a_row_that_names_the_verbal_noun_nowhere_does_not_answer(question: str) -> None:
    assert ("action", final_verbal_noun(question), "") in others(question, *RAISE)


@pytest.mark.parametrize(
    "question", ["이용한도 상향 방법", "이용한도 증액하려면요", "이용한도 신청", "이용한도 올리는 법"]
)
def test_other_names_of_the_verbal_noun_and_words_for_anything_count(question: str) -> None:
    assert not others(question, *RAISE)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("보관함 이용료 언제 면제돼요", ("보관함 이용료는 얼마인가요?", "3년을 넘게 쓰시면 없습니다.")),
        ("적금 납입 중지 기간", ("적금 납입을 잠깐 쉴 수 있나요?", "최대 3개월입니다.")),
    ],
)
def test_a_native_word_may_name_the_verbal_noun(question: str, row: tuple[str, str]) -> None:
    assert not others(question, *row)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("진단서 재발급 받으려면 어떻게 해요", "보험증권을 재발급받으려면 어떻게 하나요?"),
        ("배송 요일 바꾸고 싶은데요", "배송 주소를 변경하려면 어떻게 하나요?"),
        ("별명이 바뀌었어요", "전화번호가 바뀌었을 때 어떻게 하나요?"),
        ("수표 분실신고 어디에 해요", "카드를 분실했을 때 어떻게 하나요?"),
    ],
)
def test_the_same_action_done_to_another_thing_is_another_thing(question: str, row: str) -> None:
    assert [kind for kind, *_ in others(question, row, "고객센터로 전화하십시오. 앱에서도 됩니다.")][:1] == ["product"]


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("보험증권 재발급", "보험증권을 재발급받으려면 어떻게 하나요?"),
        ("암보험 해지하고 싶어요", "보험계약을 해지하려면 어떻게 하나요?"),
        ("실비 청구 서류", "실손보험금 청구 서류는 무엇인가요?"),
        ("이름 바꾸고 싶어요", "성명을 변경하려면 어떻게 하나요?"),
        ("결제 날짜 바꾸려면", "결제일을 바꾸고 싶어요."),
        ("바로 재발급되나요", "카드가 훼손된 경우 재발급은 어떻게 하나요?"),
    ],
)
def test_the_same_thing_and_things_in_general_are_left_alone(question: str, row: str) -> None:
    assert not others(question, row, "앱에서 신청하십시오.")


def test_a_row_on_a_paper_answers_only_who_asks_for_a_paper() -> None:
    row = "연말정산용 기부금 납입증명서는 어디에서 발급받나요?"
    assert ("paper", "", "납입증명서") in others("연말정산 환급금은 언제 나와요", row)
    for question in ("연말정산 서류 어디서 떼요", "기부금 증명서 주세요", "홈택스에 기부금이 안 떠요"):
        assert "paper" not in {kind for kind, *_ in others(question, row)}
    assert not others("한도가 얼마예요", "이체한도는 얼마인가요?")


@pytest.mark.parametrize(
    ("question", "row_question", "answer", "target"),
    [
        ("수령 방법을 상품권으로 바꾸려면", "수령 방법을 입금으로 바꾸려면 어떻게 하나요?", "", "상품권"),
        ("수령 주기를 분기로 변경", "수령 주기를 반년으로 변경하려면 어떻게 하나요?", "분기로도 됩니다.", ""),
        ("연락처를 새 번호로 바꾸려면", "수령 계좌를 은행계좌로 바꾸려면 어떻게 하나요?", "", ""),
        ("수령 계좌를 바꾸려면", "수령 계좌를 은행계좌로 바꾸려면 어떻게 하나요?", "", ""),
    ],
)
def test_another_target_of_a_change(question: str, row_question: str, answer: str, target: str) -> None:
    targets = [asked for _, asked, held in others(question, row_question, answer) if not held]
    assert targets == ([target] if target else [])


@pytest.mark.parametrize(
    ("question", "row", "expected"),
    [
        ("디지털키에서 카드키로 바꾸려면", "카드키에서 디지털키로 보안매체를 변경하려면?", True),
        ("미국주식 온주를 조각으로 바꿀 수 있나요", "미국주식 조각 잔고를 온주로 전환할 수 있나요?", True),
        ("미국주식 조각을 온주로 바꾸고 싶어요", "미국주식 조각 잔고를 온주로 전환할 수 있나요?", False),
        ("주소를 바꾸려면", "주소를 회사로 변경하려면?", False),
    ],
)
def test_the_reverse_of_a_change(question: str, row: str, expected: bool) -> None:
    assert is_reversed(question, row) is expected


def test_turning_into_what_a_row_ends_is_its_reverse() -> None:
    row = "제한계좌 해제(일반계좌 전환)는 어떻게 신청하나요?"
    assert is_reversed("일반계좌를 제한계좌로 바꾸려면", row)
    assert not is_reversed("제한계좌를 일반계좌로 바꾸려면", row)


def taken_back(question: str, row: str, steps: str = "앱 설정 > 알림 메뉴에서 고르십시오.") -> bool:
    return lacks_beginning(question, row, steps)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("탈회했는데 다시 가입되나요", "회원 탈회는 어떻게 하나요?"),
        ("중지해 둔 납입을 다시 시작하려면", "납입을 중지할 수 있나요?"),
        ("해지 신청한 거 철회하고 싶어요", "적금 해지는 어떻게 하나요?"),
    ],
)
def test_a_row_on_the_action_does_not_answer_on_taking_it_back(question: str, row: str) -> None:
    assert taken_back(question, row)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("등록해 둔 기기 빼고 싶어요", "기기 등록을 해제하려면 어떻게 하나요?"),
        ("등록된 번호 지우고 새 번호로 바꾸려고요", "휴대폰번호는 어떻게 변경하나요?"),
        ("신청한 거 언제 나와요", "신청한 카드는 언제 받나요?"),
        ("이체한도 내리는 법", "이체한도를 줄이려면 어떻게 하나요?"),
        ("탈회했는데 다시 가입되나요", "재가입은 언제부터 할 수 있나요?"),
        ("알림을 어떻게 끄나요", "가격 알림은 어떻게 설정하나요?"),
    ],
)
def test_what_a_row_says_of_it_or_what_was_never_done_is_left_alone(question: str, row: str) -> None:
    assert not taken_back(question, row)


def test_the_steps_of_an_answer_may_say_it() -> None:
    assert not taken_back(
        "해지 신청한 거 철회하고 싶어요", "적금 해지는 어떻게 하나요?", "[해지 취소] 당일 22:00까지 앱"
    )


def test_a_row_that_says_only_how_a_thing_ends_does_not_say_how_it_begins() -> None:
    steps = "가입되어 있으면 접속이 제한되니 고객센터에서 해제하십시오."
    assert taken_back("야간 접속 차단 걸어두고 싶어요", "야간 접속이 제한된다고 나옵니다.", steps)
    assert not taken_back("야간 접속 차단 걸어두고 싶어요", "야간 접속 차단은 어떻게 신청하나요?", "[해제] 고객센터")
    assert not taken_back("야간 접속 차단 걸고 푸는 법", "야간 접속 차단은 어떻게 해제하나요?", "앱에서 해제하십시오.")


def test_a_row_on_asking_for_something_else_does_not_say_how_a_thing_begins() -> None:
    row, steps = "대출통장의 만기 연장은 어떻게 신청하나요?", "대출관리 > 기한연장에서 신청하십시오."
    assert taken_back("대출통장 새로 만들려면", row, steps)
    assert not taken_back("대출통장 연장하려면", row, steps)
    assert not taken_back(
        "통장을 새로 만들어서 계좌를 바꾸려고요", "출금계좌는 어떻게 변경하나요?", "앱에서 변경하십시오."
    )


@pytest.mark.parametrize(
    "question", ["멈춰 둔 카드 다시 쓰려면", "숨긴 계좌 다시 보고 싶어요", "지운 수취인 복구되나요"]
)
def test_what_was_stopped_begins_again(question: str) -> None:
    assert lacks_beginning(question, "카드를 일시 정지하거나 계좌와 수취인을 지우려면 어떻게 하나요?", "")
    assert not lacks_beginning(question, "일시 정지를 해제하려면 어떻게 하나요?", "")


@pytest.mark.parametrize(
    ("question", "row", "expected"),
    [
        ("금고를 다른 은행 지점으로 옮기려면", "타행에 있는 금고를 당행 지점으로 옮길 수 있나요?", True),
        ("다른 은행 금고를 이 은행으로 옮기려면", "타행에 있는 금고를 당행 지점으로 옮길 수 있나요?", False),
        ("태블릿에서 시계로 지갑을 옮기려면", "시계에서 태블릿으로 지갑을 옮기려면?", True),
        ("시계에서 노트북으로 지갑을 옮기려면", "태블릿에서 시계로 지갑을 옮기려면?", True),
    ],
)
def test_a_direction_is_told_by_other_names_of_its_ends_and_by_where_a_thing_comes_from(
    question: str, row: str, expected: bool
) -> None:
    assert is_reversed(question, row) is expected


ACCOUNT = (
    "입출금통장을 해지하려면 어떻게 하나요?",
    "앱에서 해지하실 수 있습니다.\n\n[해지 전 확인]\n1. 자동이체를 모두 해지합니다.\n2. 체크카드를 해지합니다.",
)


@pytest.mark.parametrize(
    "question",
    ["체크카드 없애려면 어디서 해지하나요", "체크카드 해지하려면요", "자동이체 해지하는 법", "자동이체를 끊고 싶어요"],
)
def test_what_is_to_be_done_first_is_not_what_a_row_is_about(question: str) -> None:
    assert [kind for kind, _, held in others(question, *ACCOUNT) if held == "입출금통장 해지"] == ["product"]


LOST_PASSBOOK = (
    "통장을 분실하면 어떻게 하나요?",
    "고객센터에 신고하십시오. 재발급은 신분증과 도장을 지참하여 영업점에서 합니다.",
)


@pytest.mark.parametrize("question", ["도장을 분실했어요", "신분증을 잃어버렸어요"])
def test_what_is_to_be_brought_is_not_what_is_lost(question: str) -> None:
    assert others(question, *LOST_PASSBOOK)


WITHDRAWAL = (
    "가입한 보험의 청약을 철회하려면 어떻게 하나요?",
    "15일 안에 앱에서 철회하실 수 있으며 보험료를 돌려드립니다.",
)


@pytest.mark.parametrize(
    ("question", "is_other"),
    [
        ("보험금 청구한 거 취소하려면", True),
        ("특약 변경 신청한 거 철회하려면", True),
        ("대출 신청했던 거 무르고 싶어요", True),
        ("계좌 등록 접수한 거 취소할래요", True),
        ("청약 신청한 거 철회하려면", False),
        ("앱에서 신청한 거 취소하려면", False),
        ("어제 신청한 거 철회하려면", False),
        ("보험 신청한 거 취소하려면", False),
    ],
)
def test_what_was_requested_is_what_is_undone(question: str, is_other: bool) -> None:
    assert any(kind == "product" for kind, _, _ in others(question, *WITHDRAWAL)) == is_other
