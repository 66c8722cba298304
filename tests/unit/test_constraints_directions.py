"""The direction of a change that names only its target, and of one that goes back: "시험계좌로 다시 바꾸고 싶어요"."""

from __future__ import annotations

import pytest

from rag.constraints import compare
from rag.constraints.directions import is_reversed

RELEASE = "시험제한계좌 해제(정식계좌 전환)는 어떻게 신청하나요?"
FORMAL = "시험계좌를 정식계좌로 전환하려면 어떻게 해야 하나요?"
PAPERLESS = "우편 명세서를 이메일로 변경하려면 어떻게 하나요?"
TOKEN = "보안카드에서 디지털키로 보안매체를 변경하려면?"
MONTHLY = "연납 보험료를 월납으로 바꿀 수 있나요?"
SHARES = "조각 잔고를 온주로 전환할 수 있나요?"
RELEASED = "시험제한계좌의 거래한도와 해제 방법은 무엇인가요?"


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("시험계좌로 다시 바꾸고 싶어요", RELEASE),
        ("시험계좌로 다시 바꾸고 싶어요", FORMAL),
        ("시험계좌로 돌아가고 싶어요", FORMAL),
        ("시험계좌로 전환하려면", FORMAL),
        ("정식계좌에서 시험계좌로 바꾸려면", FORMAL),
        ("시험제한계좌로 되돌릴 수 있나요", RELEASE),
        ("다시 시험계좌로", RELEASE),
        ("다시 시험계좌로", FORMAL),
        ("시험계좌로 다시?", FORMAL),
        ("풀었는데 나중에 다시 시험계좌로 바뀔 수도 있나요", FORMAL),
        ("안 쓰면 시험계좌로 바뀌나요", FORMAL),
        ("시험계좌로 다시 바뀔 수 있나요", FORMAL),
        ("시험계좌로 다시 바뀌나요", RELEASE),
        ("시험제한계좌로 다시 돌아갈 수도 있어요?", RELEASED),
        ("이제 다시 연납으로", MONTHLY),
        ("도로 우편으로", PAPERLESS),
        ("우편으로 다시 바꿀래요", PAPERLESS),
        ("명세서 우편으로 다시 받고 싶어요", PAPERLESS),
        ("명세서를 이메일에서 우편으로 바꾸려면", PAPERLESS),
        ("보안카드로 다시 바꿀 수 있나요", TOKEN),
        ("보안카드로 돌아가려면", TOKEN),
        ("연납으로 바꾸고 싶어요", MONTHLY),
        ("조각으로 다시 전환되나요", SHARES),
    ],
)
def test_the_other_direction(question: str, row: str) -> None:
    assert is_reversed(question, row)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("정식계좌로 바꾸고 싶어요", RELEASE),
        ("정식계좌로 바꾸고 싶어요", FORMAL),
        ("정식계좌로 전환", FORMAL),
        ("시험계좌에서 정식계좌로 바꾸려면", FORMAL),
        ("시험계좌 풀고 싶어요", RELEASE),
        ("앱으로 전환 신청 되나요", FORMAL),
        ("이메일로 바꿀래요", PAPERLESS),
        ("명세서 이메일로 받고 싶어요", PAPERLESS),
        ("우편으로 받던 거 이메일로 바꿀래요", PAPERLESS),
        ("우편으로 받고 있는데 변경하려면", PAPERLESS),
        ("디지털키로 바꾸고 싶어요", TOKEN),
        ("보안카드로 쓰다가 디지털키로 바꾸고 싶어요", TOKEN),
        ("월납으로 바꾸고 싶어요", MONTHLY),
        ("온주로 전환되나요", SHARES),
        ("다시 정식계좌로", FORMAL),
        ("정식계좌로 바뀌는 데 며칠 걸려요", RELEASED),
        ("시험제한계좌 어떻게 풀어요", RELEASED),
        ("다시 앱으로", FORMAL),
        ("갑자기 시험제한계좌로 바뀌었는데 어떻게 해요", RELEASED),
        ("통장이 시험제한계좌로 전환됐는데 풀어 주세요", RELEASE),
        ("시험계좌로 바뀌어 있던데 정식계좌로 하려면", FORMAL),
        ("다른 번호로 바꾸고 싶어요", "휴대폰번호를 변경하려면 어떻게 하나요?"),
        ("다른 은행 계좌로 바꾸고 싶어요", "결제계좌를 변경하려면 어떻게 하나요?"),
        ("우리 계좌로 자동이체 바꾸고 싶어요", "타행에 등록된 자동이체의 출금계좌를 당행 계좌로 변경할 수 있나요?"),
        ("", FORMAL),
    ],
)
def test_the_same_direction_or_none(question: str, row: str) -> None:
    assert not is_reversed(question, row)


ISSUED_ELSEWHERE = "타 금융기관에서 발급받은 토큰을 등록하려면 어떻게 하나요?"
USED_ELSEWHERE = "당사에서 발급받은 토큰을 다른 은행에 등록하려면 어떻게 하나요?"
OF_BOTH = "타 금융회사에서 발급한 토큰을 등록할 수 있나요? 당행 토큰을 타 금융회사에서도 쓸 수 있나요?"


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("여기 토큰 다른 은행에서 등록하려면", ISSUED_ELSEWHERE),
        ("토큰을 타행에 이용등록하는 방법", ISSUED_ELSEWHERE),
        ("토큰 딴 은행 앱에서 써도 돼요?", ISSUED_ELSEWHERE),
        ("토큰 다른 증권사에서도 사용할 수 있나요", ISSUED_ELSEWHERE),
        ("여기서 발급받은 토큰 타기관 인터넷뱅킹에 등록", ISSUED_ELSEWHERE),
        ("다른 은행에서 발급받은 토큰 등록하려면", USED_ELSEWHERE),
        ("타행에서 쓰던 토큰 여기 등록되나요", USED_ELSEWHERE),
    ],
)
def test_a_thing_that_is_used_elsewhere_was_not_issued_there(question: str, row: str) -> None:
    assert is_reversed(question, row)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("다른 은행에서 발급받은 토큰 등록하려면", ISSUED_ELSEWHERE),
        ("다른 은행에서 쓰던 토큰 등록하려면", ISSUED_ELSEWHERE),
        ("다른 은행에서 쓰는 토큰 여기서도 쓸 수 있나요", ISSUED_ELSEWHERE),
        ("타행에 등록된 토큰 여기에도 등록", ISSUED_ELSEWHERE),
        ("타기관 토큰 등록 방법", ISSUED_ELSEWHERE),
        ("다른 은행 토큰 등록해서 써도 되나요", ISSUED_ELSEWHERE),
        ("여기 토큰 다른 은행에서 등록하려면", USED_ELSEWHERE),
        ("여기 토큰 다른 은행에서 등록하려면", OF_BOTH),
        ("다른 은행에서 발급받은 토큰 등록하려면", OF_BOTH),
        ("다른 은행에서 쓰려면 토큰을 어떻게 하나요", "토큰은 어떻게 등록하나요?"),
    ],
)
def test_a_thing_that_was_issued_elsewhere_is_used_here(question: str, row: str) -> None:
    assert not is_reversed(question, row)


@pytest.mark.parametrize(
    "question",
    [
        "열쇠를 다른 태블릿으로 옮기려면",
        "태블릿 열쇠를 다른 태블릿으로 복사",
        "태블릿에 있는 열쇠 새 태블릿으로 옮기기",
    ],
)
def test_another_device_of_the_same_kind(question: str) -> None:
    assert is_reversed(question, "노트북에 저장된 열쇠를 태블릿으로 복사하려면 어떻게 하나요?")
    assert not is_reversed(question, "태블릿에 저장된 열쇠를 다른 태블릿으로 복사하려면 어떻게 하나요?")
    assert not is_reversed("열쇠를 태블릿으로 옮기려면", "노트북에 저장된 열쇠를 태블릿으로 복사하려면 어떻게 하나요?")


@pytest.mark.parametrize(
    "question",
    [
        "여기 토큰 카카오뱅크에 등록하려면",
        "든든은행 토큰 토스뱅크 앱에 등록",
        "든든 토큰을 신한은행에서도 쓸 수 있나요",
        "발급받은 토큰 국민은행에 등록해도 되나요",
        "토큰 키움증권에 이용등록하는 법",
    ],
)
def test_a_named_institution_where_a_thing_is_used_is_another_one(question: str) -> None:
    row = ISSUED_ELSEWHERE, "타 금융기관에서 발급받은 토큰은 앱 [인증 > 토큰 등록]에서 등록하실 수 있습니다."
    assert compare(question, *row, institution="든든은행").status == "conflict"


@pytest.mark.parametrize(
    "question",
    [
        "카카오뱅크에서 발급받은 토큰 등록하려면",
        "카카오뱅크에 등록된 토큰 여기도 등록",
        "신한은행에서 쓰던 토큰 든든은행에 등록하려면",
        "토큰 든든은행 앱에 등록하는 법",
    ],
)
def test_a_thing_of_a_named_institution_is_used_here(question: str) -> None:
    row = ISSUED_ELSEWHERE, "타 금융기관에서 발급받은 토큰은 앱 [인증 > 토큰 등록]에서 등록하실 수 있습니다."
    assert not [each for each in compare(question, *row, institution="든든은행").lacking if each.kind == "action"]
