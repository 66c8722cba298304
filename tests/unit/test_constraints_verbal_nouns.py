"""Actions, their objects and certificates: a row on another action or another object does not answer the question."""

from __future__ import annotations

import pytest

from rag.constraints.objects import other_objects, unrequested_certificate
from rag.constraints.verbal_nouns import final_verbal_noun, verbal_noun_not_held
from rag.retrieval.query_analysis import expand

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
    assert verbal_noun_not_held(question, *RAISE)


@pytest.mark.parametrize(
    "question", ["이용한도 상향 방법", "이용한도 증액하려면요", "이용한도 신청", "이용한도 올리는 법"]
)
def test_other_names_of_the_verbal_noun_and_words_for_anything_count(question: str) -> None:
    assert not verbal_noun_not_held(question, *RAISE, synonyms=expand)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("보관함 이용료 언제 면제돼요", ("보관함 이용료는 얼마인가요?", "3년을 넘게 쓰시면 없습니다.")),
        ("적금 납입 중지 기간", ("적금 납입을 잠깐 쉴 수 있나요?", "최대 3개월입니다.")),
    ],
)
def test_a_native_word_may_name_the_verbal_noun(question: str, row: tuple[str, str]) -> None:
    assert not verbal_noun_not_held(question, *row)


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
    assert other_objects(question, row, "고객센터로 전화하십시오. 앱에서도 됩니다.", synonyms=expand)


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
    assert not other_objects(question, row, "앱에서 신청하십시오.", synonyms=expand)


def test_a_row_on_a_paper_answers_only_who_asks_for_a_paper() -> None:
    row = "연말정산용 기부금 납입증명서는 어디에서 발급받나요?"
    assert unrequested_certificate("연말정산 환급금은 언제 나와요", row) == "납입증명서"
    for question in ("연말정산 서류 어디서 떼요", "기부금 증명서 주세요", "홈택스에 기부금이 안 떠요"):
        assert not unrequested_certificate(question, row)
    assert not unrequested_certificate("한도가 얼마예요", "이체한도는 얼마인가요?")
