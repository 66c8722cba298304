"""Two questions in one message, and institutions side by side: where to divide, and what is shown of the parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.constraints import Conflict
from rag.conversation.joined_things import Part
from rag.conversation.part_answers import (
    combine,
    combine_banks,
    rank_parts,
    with_other_case,
    without_comparison,
    worth_dividing,
)
from rag.conversation.question_parts import split_questions
from rag.retrieval.confidence import Verdict, judge
from rag.synthesis import texts
from rag.synthesis.verbatim import verbatim
from tests.unit.test_confidence import PLAIN, hit, rows


def verdict(
    *ids: str, top: float = 4.0, gap: float = 2.0, bank: str = "", question: str = "이체한도는 얼마입니까?"
) -> Verdict:
    hits = [hit(one, top - gap * number, bank=bank, question=question) for number, one in enumerate(ids)]
    return judge(question, hits, PLAIN)


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
            ("학자금대출의 신청 자격 알려주세요", "학자금대출의 대출한도 알려주세요"),
        ),
        ("OTP의 발급 수수료와 체크카드 한도 알려줘", ("OTP의 발급 수수료 알려줘", "체크카드 한도 알려줘")),
        ("국내주식 수수료 vs 해외주식 수수료", ("국내주식 수수료", "해외주식 수수료")),
        ("적금 두 달 안 넣음 어케됨 / 다시 넣을 수는 있음?", ("적금 두 달 안 넣음 어케됨", "다시 넣을 수는 있음?")),
        ("연회비랑 결제일 알려줘", ("연회비 알려줘", "결제일 알려줘")),
        ("자유적금 금리랑 최소금액 둘다 알려줘", ("자유적금 금리 알려줘", "자유적금 최소금액 알려줘")),
        ("골드적금 금리/월 한도", ("골드적금 금리", "월 한도")),
        ("외화통장이랑 외화적금 이자 몇 프로예요", ("외화통장 이자 몇 프로예요", "외화적금 이자 몇 프로예요")),
        ("할부 이자 vs 리볼빙 이자", ("할부 이자", "리볼빙 이자")),
        ("주차 할인, 주유 적립", ("주차 할인", "주유 적립")),
        ("전세보증 가입 그리고 보증료 환급", ("전세보증 가입", "보증료 환급")),
        ("여행자보험 청구랑 보장범위 둘 다 궁금해요", ("여행자보험 청구 궁금해요", "여행자보험 보장범위 궁금해요")),
        ("환불 얼마나 걸림 / 취소는 어디서 함", ("환불 얼마나 걸림", "취소는 어디서 함")),
        ("보증료 언제 빠져요\n환급은 며칠 걸려요", ("보증료 언제 빠져요", "환급은 며칠 걸려요")),
        ("보증료는 언제 빠지고 환급은 어디로 들어와요", ("보증료는 언제 빠지고", "환급은 어디로 들어와요")),
        ("포인트, 마일리지, 쿠폰 소멸", ("포인트 소멸", "마일리지 소멸", "쿠폰 소멸")),
        ("모바일과 창구 이체한도가 궁금해요", ("모바일 이체한도 궁금해요", "창구 이체한도 궁금해요")),
        ("대출 나이/주택 평가", ("대출 나이", "주택 평가")),
        ("적금 자격하고 깰 때 이자도요", ("적금 자격", "적금 깰 때 이자")),
        (
            "다음주 출국인데 로밍 수수료 얼만지, 글고 차단 방법도요",
            ("다음주 출국인데 로밍 수수료 얼만지", "글고 차단 방법도요"),
        ),
        ("여행보험 환불되는지랑 몇 살까지 되는지 알려줘", ("여행보험 환불되는지", "몇 살까지 되는지 알려줘")),
        ("증거금 몇 프로 넣어야 되고 취소도 되는지요", ("증거금 몇 프로 넣어야 되고", "취소도 되는지요")),
        (
            "예금 자동으로 다시 넣는거랑, 안 찾으면 이자 어찌되는지요",
            ("예금 자동으로 다시 넣는거", "안 찾으면 이자 어찌되는지요"),
        ),
        ("국내채권하고 해외채권 수수료 비교해 주세요", ("국내채권 수수료", "해외채권 수수료")),
        ("보험료 올리는거랑 내리는거 알려줘", ("보험료 올리는거 알려줘", "보험료 내리는거 알려줘")),
        ("리볼빙 거는 법이랑 푸는 법", ("리볼빙 거는 법", "리볼빙 푸는 법")),
        ("달러 살 때랑 팔 때 환율", ("달러 살 때 환율", "달러 팔 때 환율")),
        ("청구서 메일로 받는거랑 종이로 받는거", ("청구서 메일로 받는거", "청구서 종이로 받는거")),
        ("적금 넣는거랑 폰번호 바꾸는거", ("적금 넣는거", "폰번호 바꾸는거")),
        ("모바일카드 등록하는거 글구 지우는거", ("모바일카드 등록하는거", "모바일카드 지우는거")),
        ("증권 재발급 또 배당금 언제 나와요", ("증권 재발급 언제 나와요", "증권 배당금 언제 나와요")),
        ("카드 긁히면 언제 재발급돼요 또 돈 내요?", ("카드 긁히면 언제 재발급돼요", "또 돈 내요?")),
        ("지갑 도둑맞았는데 신고랑 재발급", ("지갑 도둑맞았는데 신고", "지갑 도둑맞았는데 재발급")),
        ("상담 접수 하고 결과 조회", ("상담 접수", "결과 조회")),
        ("마일리지 유효기간이랑 상품권으로 바꾸기", ("마일리지 유효기간", "상품권으로 바꾸기")),
        ("예약 이체 방법, 안 나가면 어떻게 돼요?", ("예약 이체 방법", "안 나가면 어떻게 돼요?")),
        ("공모주 신청 시간이랑 떨어지면 돈 나오는 날짜요", ("공모주 신청 시간", "떨어지면 돈 나오는 날짜요")),
        ("면허증 잃어버려서요 1) 재발급 서류 2) 은행 신고 방법", ("재발급 서류", "은행 신고 방법")),
        ("회사랑 집 주소", ("회사 주소", "집 주소")),
        ("로그인 또 막혔어요", None),
        ("한도랑 상관없이 결제되나요", None),
        ("컴퓨터랑 폰에서 인증서 쓰는 법", None),
        ("사고나서 수리하고 내년 보험료 얼마예요", None),
        ("1.5배 한도 2.5배 한도", None),
        ("저축하는거랑 투자하는거랑 뭐가 나아요", None),
        ("왜 안 되는지도 모르겠고 어떻게 풀어요", None),
        ("원화와 외화에 같은 세율이 붙나요", None),
        ("누가 제 카드를 썼어요. 어떻게 막아요?", None),
        ("누가 제 카드를 썼더라고요. 어제 신고했는데 보상되나요", None),
        ("얼마가 빠져나갔네요. 취소되나요?", None),
        ("동생이랑 공동명의 통장 만들기", None),
        ("통장이랑 카드의 차이", None),
        ("폰 잃어버려서 새로 샀는데, 앱 옮기려면", None),
        ("한도 초과 해제", None),
        ("1,000원 미만 결제", None),
        ("카드 해지하고 새로 만들고 싶어요", None),
        ("회사에서 카드하고 마트에서 포인트 적립", None),
        ("입/출금 알림", None),
        ("이체한도 어떻게 올려요", None),
        ("계좌번호를 잘못 눌렀어요. 어떻게 돌려받나요?", None),
        ("공동인증서 발급과 금융인증서 발급 차이", None),
        ("1년 만기와 2년 만기 금리 차이는?", None),
        ("안녕하세요", None),
        ("", None),
        ("통장이 찢어졌고요 그리고 한도도 올리고 싶어요", ("통장이 찢어졌고요", "그리고 한도도 올리고 싶어요")),
    ],
)
def test_a_message_is_divided_where_it_asks_two_things(message: str, parts: tuple[str, ...] | None) -> None:
    assert tuple(part.readings[0] for part in split_questions(message)) == (parts or (message,))


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
    assert tuple(part.readings[0] for part in parts) == texts and all(part.joined for part in parts)
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


SENTENCES = tuple(Part(text, (text,)) for text in ("하나?", "둘?"))


def test_parts_are_worth_showing_where_they_find_different_rows() -> None:
    whole, declined = verdict("a", top=1.0), verdict("x", top=-3.0)
    assert worth_dividing(whole, [verdict("a"), verdict("b")], SENTENCES)
    assert worth_dividing(whole, [verdict("a"), verdict("b", top=1.0)], SENTENCES)
    assert not worth_dividing(whole, [verdict("a"), verdict("a")], SENTENCES), "one row answers both"
    nothing = [verdict("a", top=1.0), verdict("b", top=1.0)]
    assert not worth_dividing(whole, nothing, SENTENCES), "nothing is answered"
    assert not worth_dividing(verdict("c"), [verdict("a"), verdict("b")], SENTENCES), "it takes both to find the row"
    assert worth_dividing(verdict("b"), [verdict("a", top=1.0), verdict("b")], SENTENCES), (
        "the whole leaves the first out"
    )
    not_covered, off_topic = (replace(declined, reason=reason) for reason in ("not_covered", "off_topic"))
    assert worth_dividing(whole, [verdict("a"), not_covered], SENTENCES)
    assert not worth_dividing(whole, [verdict("a"), off_topic], SENTENCES), "a sentence of context"
    assert not worth_dividing(verdict("b"), [not_covered, verdict("b")], SENTENCES), "a sentence of context"


def test_a_row_that_names_both_things_is_not_divided_between_them() -> None:
    joined = (Part("OTP", ("OTP",), True, ("otp",)), Part("카드 분실", ("카드 분실",), True, ("카드", "분실")))
    parts = [verdict("a"), verdict("b")]
    assert worth_dividing(verdict("a", question="OTP를 분실하였습니다"), parts, joined)
    assert not worth_dividing(verdict("a", question="OTP나 카드를 분실하였습니다"), parts, joined)
    assert worth_dividing(verdict("c", question="OTP를 받으려면"), parts, joined), "each thing has a row of its own"
    assert not worth_dividing(verdict("c"), [verdict("a"), verdict("b", top=1.0)], joined)
    again = (Part("발급", ("발급",), True, ("발급",)), Part("재발급", ("재발급",), True, ("재발급",)))
    assert worth_dividing(verdict("a", question="재발급 신청"), parts, again), "재발급 does not name 발급 as well"


def test_each_part_is_answered_offered_or_named_as_not_covered() -> None:
    parts = [verdict("a", "a2"), verdict("b", "b2", "b3", top=1.0, gap=0.1), verdict("c", top=-3.0)]
    combined = combine(["첫째?", "둘째?", "셋째?"], parts, "첫째? 둘째? 셋째?")
    assert (combined.status, rows(combined.nodes)) == ("answered", ["a", "b", "b2"])
    assert [node.quoted for node in combined.nodes] == [True, False, False]
    assert verbatim(combined.nodes, combined) == (
        f"{texts.frame('several_questions')}\n\n첫째?\na의 답변 [1]\n\n둘째?\n{texts.frame('section_suggested')}\n"
        f"- 이체한도는 얼마입니까? [2]\n- 이체한도는 얼마입니까? [3]\n\n셋째?\n{texts.frame('section_declined')}"
    )
    english = verbatim(combined.nodes, combined, english=True)
    for sentence in (
        texts.frame("several_questions", english=True),
        texts.frame("section_suggested", english=True),
        texts.frame("section_declined", english=True),
    ):
        assert sentence in english


def test_the_same_question_of_two_institutions_is_offered_with_their_names() -> None:
    gaon, naru = verdict("g", bank="가온은행", top=1.0, gap=0.1), verdict("n", bank="나루증권", top=1.0, gap=0.1)
    offered = replace(gaon, nodes=(*gaon.nodes[:1], *naru.nodes[:1]), ranked=(*gaon.ranked[:1], *naru.ranked[:1]))
    combined = combine(["첫째?", "둘째?"], [verdict("a"), offered], "첫째? 둘째?")
    lines = verbatim(combined.nodes, combined).split("\n")
    assert lines[-2:] == ["- 이체한도는 얼마입니까? (가온은행) [2]", "- 이체한도는 얼마입니까? (나루증권) [3]"]


def test_a_row_that_answers_one_part_is_quoted_though_another_offers_it() -> None:
    combined = combine(["하나?", "둘?"], [verdict("b", "a", top=1.0), verdict("a")], "하나? 둘?")
    assert rows(combined.nodes)[0] == "a" and combined.nodes[0].quoted


def test_under_a_part_neither_a_row_given_above_nor_one_far_behind_is_offered() -> None:
    combined = combine(["하나?", "둘?"], [verdict("a"), verdict("a", "b", "c", top=1.0, gap=0.1)], "하나? 둘?")
    assert [section.rows for section in combined.sections] == [("a",), ("b", "c")]
    combined = combine(["하나?", "둘?"], [verdict("a"), verdict("a", "b", top=1.0, gap=3.0)], "하나? 둘?")
    assert [section.rows for section in combined.sections] == [("a",), ()], "which names the part as not found"


def test_parts_of_which_none_is_answered_are_suggested_in_turn() -> None:
    parts = [verdict("a", "a2", top=1.0), verdict("b", top=1.0)]
    combined = combine(["하나?", "둘?"], parts, "하나? 둘?")
    assert (combined.status, rows(combined.nodes), combined.sections) == ("suggested", ["a", "b", "a2"], ())
    assert combined.note is None
    lacking = [
        replace(part, conflicts=(Conflict("product", word, ""),))
        for part, word in zip(parts, ("분실", "재발급"), strict=True)
    ]
    note = combine(["하나?", "둘?"], lacking, "하나? 둘?").note
    assert note and (note.kind, note.values) == ("not_held", {"word": "분실, 재발급"})
    lacking[1] = replace(lacking[1], conflicts=(Conflict("product", "이체한도", ""),))
    assert combine(["하나?"], lacking[1:], "하나?").note is None, "one of the rows is about it"
    combined = combine(["하나?", "둘?"], [verdict("a", top=-3.0), verdict("b", "b2", top=1.0)], "하나? 둘?")
    assert rows(combined.nodes) == ["b", "b2", "a"], "what is found for a declined part comes last"
    nothing = combine(["하나?", "둘?"], [verdict("a", top=-3.0), verdict("b", top=-3.0)], "하나? 둘?")
    assert (nothing.status, nothing.nodes) == ("declined", ())


def test_institutions_stand_side_by_side_with_the_same_question_of_each() -> None:
    parts = [verdict("g1", bank="가온은행"), verdict("n1", bank="나루증권", top=-3.0)]
    combined = combine_banks(["가온은행", "나루증권"], parts, "이체한도")
    assert verbatim(combined.nodes, combined) == (
        f"{texts.frame('several_banks')}\n\n가온은행\ng1의 답변 [1]\n\n나루증권\nn1의 답변 [2]"
    )
    other = verdict("n1", bank="나루증권", top=-3.0, question="배당금은 언제 입금되나요")
    combined = combine_banks(["가온은행", "나루증권"], [parts[0], other], "이체한도")
    assert verbatim(combined.nodes, combined).endswith(f"나루증권\n{texts.frame('section_declined')}")


def test_a_part_names_what_takes_the_place_of_what_the_first_names() -> None:
    """Searched with the first one, both channels would be asked for at once."""
    asked = split_questions("창구에서 환전하면 수수료 얼마예요? 앱으로 하면?")
    searched: list[str] = []

    def rank(text: str, before: object) -> Verdict:
        searched.append(text)
        found = verdict("app") if text == "앱에서 환전하면 수수료 얼마예요?" else verdict("both", top=-3.0)
        return verdict("desk") if text == asked[0].title else found

    parts = rank_parts(asked, rank, lambda text: True)
    assert [part.status for part in parts] == ["answered", "answered"], searched
    assert parts[1].ranked[0].node.node_id == "app"


def test_a_part_joined_to_another_is_not_answered_by_that_ones_row() -> None:
    """ "한도 올리는 거랑 내리는 거": together, both are answered by the row on raising it."""
    asked = split_questions("이체한도 올리는 거랑 내리는 거")

    def rank(text: str, before: object) -> Verdict:
        return verdict("lower", "raise", top=0.5) if text == asked[1].readings[0] and not before else verdict("raise")

    parts = rank_parts(asked, rank, lambda text: True)
    assert [part.status for part in parts] == ["answered", "suggested"]
    assert combine([part.title for part in asked], parts, "").sections[1].rows == ("lower",)


def test_a_part_that_the_row_of_the_other_conflicts_with_is_named() -> None:
    """ "펀드 사는 거랑 파는 거 기준가": the row on buying stands first for both."""
    asked = split_questions("펀드 사는 거랑 파는 거 기준가")
    buying = verdict("buy", question="펀드를 살 때 기준가는 언제 정해지나요?")
    conflicting = replace(buying, status="suggested", conflicts=(Conflict("action", "", "살 때"),))
    assert worth_dividing(buying, [buying, conflicting], asked)
    assert not worth_dividing(buying, [buying, buying], asked)


DOMESTIC = "국내에서 카드를 분실하면 어떻게 신고하나요?"
ABROAD = "해외에서 카드를 분실하면 어떻게 신고하나요?"


def lost(question: str, *asked: str, gap: float = 0.1, bank: str = "") -> Verdict:
    """The answer to a question by rows that ask `asked`, with what is shown beside it."""
    hits = [hit(f"r{number}", 4.0 - gap * number, question=one, bank=bank) for number, one in enumerate(asked)]
    return with_other_case(judge(question, hits, PLAIN), question)


def test_of_a_condition_that_a_question_leaves_open_both_cases_are_quoted_under_their_questions() -> None:
    both = lost("카드 분실 신고", DOMESTIC, ABROAD)
    assert [node.quoted for node in both.nodes] == [True, True]
    shown = verbatim(both.nodes, both)
    assert shown == f"{texts.frame('several_cases')}\n\n{DOMESTIC}\nr0의 답변 [1]\n\n{ABROAD}\nr1의 답변 [2]"
    assert verbatim(both.nodes, both, english=True).startswith(texts.frame("several_cases", english=True))


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("카드 분실 신고", (DOMESTIC, ABROAD)),
        # The bank's word for one of them is not the customer's.
        (
            "해외송금 취소",
            ("해외송금 전문이 완료된 송금을 취소(퇴결)하려면?", "해외송금 전문 발송 전인 송금을 취소하려면?"),
        ),
        # The questions are alike but for a member of a contrast set.
        ("카드 재발급", ("훼손되거나 안 읽히는 카드를 재발급받으려면?", "분실한 카드를 재발급받으려면?")),
        ("보험금 청구 서류", ("통원한 날 병원비로 보험금 청구 서류", "입원한 경우에 필요한 보험금 청구 서류")),
    ],
)
def test_however_unlikely_the_other_case_is_shown_where_both_rows_hold_all_that_is_asked(
    question: str, asked: tuple[str, ...]
) -> None:
    both = lost(question, *asked, gap=5.0)
    assert [section.title for section in both.sections] == list(asked)


def test_beside_each_institutions_row_its_other_case_is_quoted() -> None:
    hits = [
        hit("a1", 4.0, question=DOMESTIC, bank="가나은행"),
        hit("b1", 3.9, question=DOMESTIC, bank="다라은행"),
        hit("a2", 0.0, question=ABROAD, bank="가나은행"),
        hit("b2", -1.0, question=ABROAD, bank="다라은행"),
    ]
    cases = with_other_case(judge("카드 분실 신고", hits, PLAIN), "카드 분실 신고")
    assert [(section.title, section.rows) for section in cases.sections] == [
        (DOMESTIC, ("a1", "b1")),
        (ABROAD, ("a2", "b2")),
    ]
    assert all(node.quoted for node in cases.nodes)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        (
            "잃어버린 카드 재발급",
            ("분실한 카드를 재발급받으려면?", "훼손되거나 안 읽히는 카드를 재발급받으려면?"),
        ),  # its word
        ("적금 가입 조건", ("적금에 가입하는 조건과 방법", "적금을 해지하는 조건과 방법")),  # another matter
        ("통장 비밀번호 변경", ("통장 비밀번호를 변경하려면?", "앱 비밀번호를 변경하려면?")),  # names the one
    ],
)
def test_what_the_customers_words_tell_apart_is_not_left_open(question: str, asked: tuple[str, ...]) -> None:
    assert not lost(question, *asked, gap=5.0).sections


@pytest.mark.parametrize(
    ("question", "asked", "gap"),
    [
        ("해외에서 카드 분실 신고", (ABROAD, DOMESTIC), 0.1),  # names the case
        ("가방째 카드 분실 신고", (DOMESTIC, ABROAD), 5.0),  # the other is unlikely, and neither says all that is told
        ("카드 분실 신고", (DOMESTIC, "통장 비밀번호를 바꾸려면 어떻게 하나요?"), 0.1),  # another matter
        ("카드 분실 신고", ("카드를 분실하면 어떻게 신고하나요?", DOMESTIC), 0.1),  # the plain row is the general one
        (DOMESTIC, (DOMESTIC, ABROAD), 0.1),
    ],
)
def test_a_case_that_is_named_and_a_plain_row_are_answered_alone(
    question: str, asked: tuple[str, ...], gap: float
) -> None:
    alone = lost(question, *asked, gap=gap)
    assert sum(node.quoted for node in alone.nodes) <= 1 and not alone.sections


@pytest.mark.parametrize(
    ("message", "count"),
    [
        ("I lost my OTP card, Mirnuri Securities", 1),
        ("How do I raise my limit, Dodam Savings Bank?", 1),
        ("transfer limit, exchange rate", 2),
        ("transfer limit, exchange rate, Saenarae Bank", 2),
    ],
)
def test_whom_an_english_question_is_to_is_no_question(message: str, count: int) -> None:
    assert len(split_questions(message)) == count
