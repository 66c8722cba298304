"""A row that holds the two parts of a name apart, or names a thing in a list of its kinds, is on it."""

from __future__ import annotations

import pytest

from rag.constraints import compare
from rag.constraints.synonyms import is_in_a_list, is_written_apart


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("실손 중지", "해외 근무 중에 실손보험의 납입을 중지할 수 있나요?"),
        ("명의변경", "명의를 딸에게 변경하려면"),
        ("주차요금", "주차장을 나갈 때 요금이 두 번 나갔어요"),
        ("납입증명", "자본금납입보관증명서를 발급합니다"),
        ("금고 기능", "따로 보관하는 기능(금고)이 있나요?"),
        ("예금을 담보", "예금을 그대로 두고 담보로 쓸 수 있나요?"),
    ],
)
def test_both_parts_in_one_sentence_name_it(name: str, text: str) -> None:
    assert is_written_apart(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("판매수수료", "판매되는 펀드는 환매수수료가 없습니다"),  # another word before the second part
        ("주차요금", "주차장이 있습니다. 요금은 무료입니다"),  # two sentences
        ("실손 중지", "실손보험에 가입할 수 있나요?"),
        ("상속세", "상속인이 세금을 냅니다"),  # too short to have two parts
        ("은행에서 받", "은행에서 서류를 받습니다"),  # a part of one syllable occurs anywhere
    ],
)
def test_other_texts_do_not(name: str, text: str) -> None:
    assert not is_written_apart(name, text)


def test_the_order_of_the_name_can_be_required() -> None:
    text = "분실 신고를 한 카드는"
    assert is_written_apart("카드 분실", text)
    assert not is_written_apart("카드 분실", text, in_any_order=False)


def test_a_list_shares_its_last_word() -> None:
    assert is_in_a_list("골프보험", "골프·등산보험은 언제 가입하나요?")
    assert is_in_a_list("이륜차보험", "이륜차(스쿠터) 보험은 의무인가요?")
    assert not is_in_a_list("신용대출", "신용점수와 대출 한도는?")


@pytest.mark.parametrize(
    ("question", "row", "answer"),
    [
        ("빌라 담보", "빌라도 앱에서 담보대출을 신청할 수 있나요?", "영업점에서 신청하실 수 있습니다."),
        ("법인통장 분실", "법인의 통장(종이)을 분실하면 어떻게 하나요?", "고객센터에 신고해 주세요."),
        ("풍수해보험 가입", "풍수해·지진보험은 어떻게 가입하나요?", "주민센터에서 가입하실 수 있습니다."),
    ],
)
def test_such_a_row_answers(question: str, row: str, answer: str) -> None:
    assert not {lack.kind for lack in compare(question, row, answer).lacking} & {"term", "product"}


@pytest.mark.parametrize(
    ("question", "row", "answer"),
    [
        ("통장 분실 신고", "카드를 분실했어요", "통장은 영업점에서, 카드는 앱에서 분실신고하세요."),
        ("신용대출 한도", "신용점수가 낮아도 주택담보대출이 되나요?", "심사를 거쳐 대출해 드립니다."),
    ],
)
def test_a_row_whose_question_is_on_another_thing_still_lacks_it(question: str, row: str, answer: str) -> None:
    assert "product" in {lack.kind for lack in compare(question, row, answer).lacking}
