"""Two questions in one message, and institutions side by side: where to divide, and what is shown of the parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.conversation.question_parts import (
    combine,
    combine_banks,
    split_questions,
    without_comparison,
    worth_dividing,
)
from rag.retrieval.confidence import Verdict, judge
from rag.synthesis import texts
from rag.synthesis.verbatim import verbatim
from tests.unit.test_confidence import ASKED, PLAIN, hit, rows


def verdict(*ids: str, top: float = 4.0, bank: str = "", question: str = "이체한도는 얼마입니까?") -> Verdict:
    hits = [hit(one, top - 2 * number, bank=bank, question=question) for number, one in enumerate(ids)]
    return judge(ASKED, hits, PLAIN)


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        (
            "이자에서 세금 얼마나 떼요? 천만원 넣으면 얼마 받아요?",
            ("이자에서 세금 얼마나 떼요?", "천만원 넣으면 얼마 받아요?"),
        ),
        ("지점 몇 시까지 하나요? 그리고 예약도 되나요", ("지점 몇 시까지 하나요?", "그리고 예약도 되나요")),
        (
            "이체한도 올리는 방법이랑 OTP 발급 수수료 알려주세요",
            ("이체한도 올리는 방법 알려주세요", "OTP 발급 수수료 알려주세요"),
        ),
        ("카드 재발급 절차와 통장 해지 서류 궁금해요", ("카드 재발급 절차 궁금해요", "통장 해지 서류 궁금해요")),
        ("해외송금 수수료랑 한도 알려줘", ("해외송금 수수료 알려줘", "해외송금 한도 알려줘")),
        (
            "학자금대출의 신청 자격과 대출한도를 알려주세요",
            ("학자금대출의 신청 자격를 알려주세요", "학자금대출의 대출한도를 알려주세요"),
        ),
        ("OTP의 발급 수수료와 체크카드 한도 알려줘", ("OTP의 발급 수수료 알려줘", "체크카드 한도 알려줘")),
        ("국내주식 수수료 vs 해외주식 수수료", ("국내주식 수수료", "해외주식 수수료")),
        ("적금 두 달 안 넣음 어케됨 / 다시 넣을 수는 있음?", ("적금 두 달 안 넣음 어케됨", "다시 넣을 수는 있음?")),
        ("연회비랑 결제일 알려줘", ("연회비 알려줘", "결제일 알려줘")),
        ("자유적금 금리랑 최소금액 둘다 알려줘", ("자유적금 금리 알려줘", "자유적금 최소금액 알려줘")),
        ("이체한도 어떻게 올려요", None),
        ("계좌번호를 잘못 눌렀어요. 어떻게 돌려받나요?", None),
        ("공동인증서 발급과 금융인증서 발급 차이", None),
        ("1년 만기와 2년 만기 금리 차이는?", None),
        ("안녕하세요", None),
        ("", None),
    ],
)
def test_a_message_is_divided_where_it_asks_two_things(message: str, parts: tuple[str, ...] | None) -> None:
    assert tuple(part.text for part in split_questions(message)) == (parts or (message,))


@pytest.mark.parametrize(
    ("message", "texts", "titles"),
    [
        (
            "체크카드 재발급이랑 해지 방법 알려줘",
            ("체크카드 재발급 알려줘", "체크카드 해지 방법 알려줘"),
            ("체크카드 재발급", "해지 방법 알려줘"),
        ),
        ("자동이체 등록하고 변경 둘 다 궁금해요", ("자동이체 등록 궁금해요", "자동이체 변경 궁금해요"), None),
        ("정기예금 중도해지 이율이랑 만기 후 이율", ("정기예금 중도해지 이율", "정기예금 만기 후 이율"), None),
        ("한도 변경이랑 재발급 수수료", ("한도 변경", "재발급 수수료"), ("한도 변경", "재발급 수수료")),
        (
            "비밀번호 변경하고 이체한도 올리는 법 좀요",
            ("비밀번호 변경 좀요", "이체한도 올리는 법 좀요"),
            ("비밀번호 변경", "이체한도 올리는 법 좀요"),
        ),
        ("펀드 환매 수수료와 입금일 알려주세요", ("펀드 환매 수수료 알려주세요", "펀드 환매 입금일 알려주세요"), None),
    ],
)
def test_two_things_of_one_subject_are_asked_of_it_under_the_customers_own_words(
    message: str, texts: tuple[str, ...], titles: tuple[str, ...] | None
) -> None:
    parts = split_questions(message)
    assert tuple(part.text for part in parts) == texts and all(part.joined for part in parts)
    assert titles is None or tuple(part.title for part in parts) == titles
    assert all(part.title in message for part in parts), "no heading says what the customer did not write"


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("중에 이체수수료 어디가 더 싸요?", "이체수수료"),
        ("중도상환수수료 비교해 주세요", "중도상환수수료"),
        ("OTP 발급 수수료 차이가 뭐예요", "OTP 발급 수수료 뭐예요"),
        ("중에 체크카드 재발급 싼 곳", "체크카드 재발급"),
        ("어디가 더 싸요?", "어디가 더 싸요?"),
    ],
)
def test_what_is_compared_is_searched_without_the_words_of_comparing(text: str, topic: str) -> None:
    assert without_comparison(text) == topic


def test_parts_are_worth_showing_where_they_find_different_rows() -> None:
    whole, declined = verdict("a", top=1.0), verdict("x", top=-3.0)
    assert worth_dividing(whole, [verdict("a"), verdict("b")])
    assert worth_dividing(whole, [verdict("a"), verdict("b", top=1.0)])
    assert not worth_dividing(whole, [verdict("a"), verdict("a")]), "one row answers both"
    assert not worth_dividing(whole, [verdict("a", top=1.0), verdict("b", top=1.0)]), "nothing is answered"
    assert not worth_dividing(verdict("c"), [verdict("a"), verdict("b")]), "it takes both to find the row"
    assert worth_dividing(whole, [verdict("a"), replace(declined, reason="not_covered")])
    assert not worth_dividing(whole, [verdict("a"), replace(declined, reason="off_topic")]), "a sentence of context"


def test_each_part_is_answered_offered_or_named_as_not_covered() -> None:
    parts = [verdict("a", "a2"), verdict("b", "b2", "b3", top=1.0), verdict("c", top=-3.0)]
    combined = combine(["첫째?", "둘째?", "셋째?"], parts, "첫째? 둘째? 셋째?")
    assert (combined.status, rows(combined.nodes)) == ("answered", ["a", "b", "b2"])
    assert [node.quoted for node in combined.nodes] == [True, False, False]
    assert verbatim(combined.nodes, combined) == (
        f"{texts.SEVERAL_QUESTIONS}\n\n첫째?\na의 답변 [1]\n\n둘째?\n{texts.SECTION_SUGGESTED}\n- 이체한도는 얼마입니까? [2]\n"
        f"- 이체한도는 얼마입니까? [3]\n\n셋째?\n{texts.SECTION_DECLINED}"
    )
    english = verbatim(combined.nodes, combined, english=True)
    for sentence in (texts.SEVERAL_QUESTIONS_ENGLISH, texts.SECTION_SUGGESTED_ENGLISH, texts.SECTION_DECLINED_ENGLISH):
        assert sentence in english


def test_a_row_that_answers_one_part_is_quoted_though_another_offers_it() -> None:
    combined = combine(["하나?", "둘?"], [verdict("b", "a", top=1.0), verdict("a")], "하나? 둘?")
    assert rows(combined.nodes)[0] == "a" and combined.nodes[0].quoted


def test_parts_of_which_none_is_answered_are_suggested_in_turn() -> None:
    combined = combine(["하나?", "둘?"], [verdict("a", "a2", top=1.0), verdict("b", top=1.0)], "하나? 둘?")
    assert (combined.status, rows(combined.nodes), combined.sections) == ("suggested", ["a", "b", "a2"], ())
    combined = combine(["하나?", "둘?"], [verdict("a", top=-3.0), verdict("b", "b2", top=1.0)], "하나? 둘?")
    assert rows(combined.nodes) == ["b", "b2", "a"], "what is found for a declined part comes last"
    nothing = combine(["하나?", "둘?"], [verdict("a", top=-3.0), verdict("b", top=-3.0)], "하나? 둘?")
    assert (nothing.status, nothing.nodes) == ("declined", ())


def test_institutions_stand_side_by_side_with_the_same_question_of_each() -> None:
    parts = [verdict("g1", bank="가온은행"), verdict("n1", bank="나루증권", top=-3.0)]
    combined = combine_banks(["가온은행", "나루증권"], parts, "이체한도")
    assert verbatim(combined.nodes, combined) == (
        f"{texts.SEVERAL_BANKS}\n\n가온은행\ng1의 답변 [1]\n\n나루증권\nn1의 답변 [2]"
    )
    other = verdict("n1", bank="나루증권", top=-3.0, question="배당금은 언제 입금되나요")
    combined = combine_banks(["가온은행", "나루증권"], [parts[0], other], "이체한도")
    assert verbatim(combined.nodes, combined).endswith(f"나루증권\n{texts.SECTION_DECLINED}")
