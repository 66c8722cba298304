"""Conversations over the bundled FAQ: choices, other institutions, repetitions, small talk, several questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.chat import ChatService
from rag.factory.chat import build_service
from rag.factory.models import Models
from rag.factory.stores import open_index
from rag.settings import Settings, StoreSettings
from rag.synthesis import texts
from rag.types import NoteKind
from tests.integration.test_fitting_answers import TRANSFER_FEES, converse, ids

SAYING: tuple[NoteKind, ...] = (
    *("already_shown", "not_mentioned", "contact", "identity", "restart", "nothing_pending", "no_list", "which"),
    *("in_shown", "not_helped", "no_access"),
)
SAID = {kind: texts.kinds("notes")[kind].partition("{")[0] for kind in SAYING}
"""How the texts of the notes begin."""
ABOUT_THE_ROW_BEFORE = "앞서 보신 안내"


@pytest.fixture(scope="module")
def chat(bundled_root: Path, cached_models: Models) -> Iterator[ChatService]:
    settings = Settings(store=StoreSettings(directory=bundled_root))
    store = open_index(settings, cached_models)
    yield build_service(settings, cached_models, store)
    store.close()


@pytest.mark.parametrize(
    ("message", "rows", "headings"),
    [
        ("체크카드 재발급이랑 해지 방법 알려줘", ["dds-079"], ["체크카드 재발급", "해지 방법 알려줘"]),
        (
            "공모주 청약 수수료하고 환불일은 언제예요",
            ["mrs-076", "mrs-080"],
            ["공모주 청약 수수료", "환불일은 언제예요"],
        ),
        ("체크카드 분실신고 방법이랑 재발급 수수료 알려줘", ["snb-051"], ["체크카드 분실신고 방법"]),
    ],
)
def test_two_things_of_one_subject_are_answered_under_the_customers_own_words(
    chat: ChatService, message: str, rows: list[str], headings: list[str]
) -> None:
    answer = chat.ask(message)
    assert answer.status == "answered" and set(rows) <= {ids(answer)[number - 1] for number in answer.cited}
    lines = answer.text.splitlines()
    assert all(heading in lines for heading in headings)


def test_two_things_that_no_row_has_together_are_both_shown(chat: ChatService) -> None:
    answer = chat.ask("한도 변경이랑 재발급 수수료")
    assert answer.status != "declined" and {"snb-054", "dds-079"} <= set(ids(answer))


@pytest.mark.parametrize(
    ("first", "then", "row"),
    [
        ("새나래은행 OTP 분실", "도담은요?", "dds-007"),
        ("도담저축은행 정기예금 중도해지", "새나래는?", "snb-046"),
        ("새나래 이체수수료 얼마예요", "도담은요?", "dds-090"),
        ("미르누리 OTP 등록 방법", "새나래는요?", "snb-013"),
    ],
)
def test_another_institutions_row_of_the_same_question(chat: ChatService, first: str, then: str, row: str) -> None:
    assert ids(converse(chat, first, then))[0] == row


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("이체한도 올리려면 어떻게 해요?", "그럼 이체한도는 어떻게 올려요"),
        ("OTP 분실했어요", "OTP 잃어버렸다니까요"),
        ("체크카드 재발급 신청 방법", "재발급하려면요?"),
        ("대출 연체되면 어떻게 되나요", "대출이 연체되면 어떤 일이 생겨요"),
        ("해외송금 취소", "방법 좀"),
    ],
)
def test_no_answer_is_given_twice_running(chat: ChatService, first: str, then: str) -> None:
    assert converse(chat, first).status == "answered"
    assert converse(chat, first, then).status == "suggested"


@pytest.mark.parametrize(
    ("first", "then", "rows"),
    [
        ("공모주 청약 방법", "취소하는건?", {"mrs-078", "mrs-079"}),
        ("보안카드 잃어버렸어요", "otp는?", {"snb-011", "dds-007", "mrs-019"}),
        ("새나래 영문 잔액증명서", "국문은?", {"snb-117"}),
    ],
)
def test_a_follow_up_names_what_takes_the_place_of_what_was_asked(
    chat: ChatService, first: str, then: str, rows: set[str]
) -> None:
    assert ids(converse(chat, first, then))[0] in rows


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("대출 신청 방법", "대여금고 빌릴수 있나요?"),
        ("적금 중도해지", "비트코인 시세는 얼마예요"),
        ("체크카드 재발급 신청 방법", "법인카드 한도가 얼마예요"),
    ],
)
def test_a_thing_that_no_row_has_is_declined_after_any_question(chat: ChatService, first: str, then: str) -> None:
    assert converse(chat, first, then).status == "declined"


@pytest.mark.parametrize(
    ("first", "then", "row", "said"),
    [
        ("미르누리 카드형 OTP 분실했어요", "그거 재발급 수수료는?", "mrs-019", "7,000원"),
        ("새나래 영업점 몇시까지 해요", "공휴일은요?", "snb-141", "공휴일"),
        ("도담 대출 중도상환수수료 얼마예요", "2년 지났는데?", "dds-077", "2년"),
        ("도담 잔액증명서 발급", "창구에서는요?", "dds-086", "창구"),
        ("새나래 한도제한계좌 해제하려고요", "며칠 걸려요", "snb-043", "2영업일"),
        ("새나래 마이너스통장 만기 연장 신청", "언제까지요?", "snb-076", "당일 22:00까지"),
        ("미르누리 공동인증서 갱신 언제부터 돼요", "돈 들어요?", "mrs-017", "무료"),
    ],
)
def test_what_the_row_before_says_is_answered_by_its_sentence(
    chat: ChatService, first: str, then: str, row: str, said: str
) -> None:
    answer = converse(chat, first, then)
    assert (answer.status, ids(answer)[0]) == ("answered", row)
    lead = answer.text.splitlines()[0]
    assert lead.startswith(SAID["in_shown"]) and said in lead


@pytest.mark.parametrize(
    "message", ["<div>새나래 <b>인증서</b> 갱신 방법</div>", "새나래 인증서 갱신 방법<script>f()</script>"]
)
def test_a_question_is_answered_in_spite_of_pasted_markup(chat: ChatService, message: str) -> None:
    plain, pasted = chat.ask("새나래 인증서 갱신 방법"), chat.ask(message)
    assert (pasted.status, ids(pasted)) == (plain.status, ids(plain))


@pytest.mark.parametrize(
    "message",
    ["콜센터랑 40분째 통화도 못하고 있네요", "민원 제기하려고요", "뭐 이딴 은행이 있어", "다신 거래 안 해요 여기"],
)
def test_a_complaint_gets_an_apology_and_where_to_turn(chat: ChatService, message: str) -> None:
    answer = chat.ask(message)
    assert (
        answer.status == "declined" and answer.text.startswith("불편을 드려 죄송합니다.") and "1500-0101" in answer.text
    )


def test_a_yes_to_the_rows_own_question_is_not_said_to_another_one(chat: ChatService) -> None:
    answer = converse(chat, "새나래 통장사본 앱에서 발급받을 수 있나요", "이미지로 돼요?")
    assert (answer.status, ids(answer)[0]) == ("answered", "snb-118")
    assert answer.text.startswith(SAID["in_shown"]) and "예, " not in answer.text


@pytest.mark.parametrize(
    ("messages", "row"),
    [
        (("새나래 이체 가능시간", "수수료는 얼마예요"), "snb-022"),
        (("미르누리 국내주식 수수료 얼마예요", "미국은?"), "mrs-069"),
        (("카드 분실신고 전에 누가 썼어요", "부정사용 보상돼요?"), "snb-051"),
        (("해외송금 취소", "수수료 돌려받아요?"), "snb-092"),
        (("도담 카드형 OTP 고장", "잃어버리면요?"), "dds-007"),
        (("미르누리 공모주 증거금 얼마예요", "취소는 언제까지요?"), "mrs-078"),
        (("새나래 국내 카드 분실신고", "그럼 해외는요?"), "snb-052"),
    ],
)
def test_what_is_asked_of_the_topic_is_answered_by_its_own_row(
    chat: ChatService, messages: tuple[str, ...], row: str
) -> None:
    answer = converse(chat, *messages)
    assert (answer.status, ids(answer)[0]) == ("answered", row)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("도담 햇살론 자격", "중도상환수수료 있어요?"),
        ("도담 보이스피싱 당했어요", "비용 드나요?"),
        ("새나래 신용카드 결제일 변경", "수수료는요"),
        ("도담 대출 연체", "깎아 줄 수 있나요"),
        ("유상증자 청약", "카드로 내도 되나요"),
        ("미르누리 공모주 청약", "마이너스통장으로 해도 돼요?"),
    ],
)
def test_a_short_follow_up_is_not_answered_by_a_row_on_another_topic(chat: ChatService, first: str, then: str) -> None:
    assert converse(chat, first, then).status != "answered"


def test_what_happened_next_is_offered_the_row_that_says_more(chat: ChatService) -> None:
    assert ids(converse(chat, "새나래 OTP 분실했어요", "찾았어요"))[:1] == ["snb-011"]
    assert converse(chat, "새나래 OTP 분실했어요", "밥 먹었어요").status == "declined"


@pytest.mark.parametrize(
    ("first", "then", "row"),
    [
        ("도담 휴대폰번호 바뀌었어요", "아내 폰으로 해도 되나요", "dds-093"),
        ("도담 자유적금 한 달에 얼마까지", "타은행에서 바로 넣어도 돼요?", "dds-059"),
    ],
)
def test_what_the_row_before_names_in_other_words_is_offered(
    chat: ChatService, first: str, then: str, row: str
) -> None:
    answer = converse(chat, first, then)
    assert answer.status != "declined" and ids(answer)[0] == row


def test_what_is_lost_is_what_was_asked_about(chat: ChatService) -> None:
    assert set(ids(converse(chat, "OTP 등록", "그럼 잃어버리면요?"))) >= {"snb-011", "dds-007", "mrs-019"}


def test_a_value_is_not_taken_for_what_is_asked_of_it(chat: ChatService) -> None:
    # The row names the term among others and no rate for it.
    assert converse(chat, "도담 정기예금 앱으로 가입하려고요", "24개월 금리는?").status != "answered"


@pytest.mark.parametrize(
    ("messages", "row"),
    [
        (("새나래 신용카드 결제일 변경", "그 카드 해지하면 연회비 돌려받나요"), "snb-062"),
        (("도담 체크카드 한도 변경", "그 카드 재발급하려면 얼마 들어요"), "dds-079"),
        (("도담 주소 변경", "체크카드 재발급 신청 방법"), "dds-079"),
        (("미르누리 이체한도 증액", "OTP 분실했어요"), "mrs-019"),
    ],
)
def test_an_institution_is_named_once(chat: ChatService, messages: tuple[str, ...], row: str) -> None:
    answer = converse(chat, *messages)
    assert ids(answer)[0] == row and all(name.startswith(row[:3]) for name in ids(answer)[: len(answer.cited) or 1])


@pytest.mark.parametrize(
    ("first", "then", "rows"),
    [
        ("도담 타행이체 수수료", "아니 그거 말고 atm 출금이요", {"dds-091"}),
        ("새나래 체크카드 한도 변경", "체크카드 말고 신용카드요", {"snb-056"}),
        ("도담 국문 잔액증명서", "국문 아니고 영문이요", {"dds-087"}),
    ],
)
def test_what_is_said_not_to_be_meant_is_not_searched_for(
    chat: ChatService, first: str, then: str, rows: set[str]
) -> None:
    answer = converse(chat, first, then)
    assert rows & set(ids(answer)[:3]) and ids(answer)[0] != ids(converse(chat, first))[0]


def test_a_rejected_answer_is_followed_by_other_rows(chat: ChatService) -> None:
    first = converse(chat, "새나래 착오송금 돌려받는 법")
    others = converse(chat, "새나래 착오송금 돌려받는 법", "그게 아니라고요")
    assert others.status == "suggested" and others.sources and ids(first)[0] not in ids(others)


def test_an_earlier_topic_is_returned_to(chat: ChatService) -> None:
    answer = converse(
        chat, "새나래 마이너스통장 연장", "새나래 해외송금 수수료", "아까 그 마이너스통장 연장은 언제부터 신청돼요?"
    )
    assert ids(answer)[0] == "snb-076" and "snb-089" not in ids(answer)


def test_a_note_names_no_word_of_an_earlier_question(chat: ChatService) -> None:
    answer = converse(
        chat, "미르누리 매도대금 언제 출금돼요", "이체한도는 얼마까지 늘려요", "아까 매도대금 월요일에 팔면 언제예요"
    )
    assert "올리" not in answer.text


def test_what_was_offered_is_answered_once_the_message_tells_which(chat: ChatService) -> None:
    assert converse(chat, "청약").status == "suggested"
    answer = converse(chat, "청약", "취소는요?")
    assert (answer.status, ids(answer)[:1]) == ("answered", ["mrs-078"])


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("공모주 청약 방법", "아파트 청약은요?"),
        ("이체한도 올리려면 어떻게 해요?", "데이터 한도는요?"),
        ("체크카드 발급 신청하고 싶어요", "주민등록증 발급은?"),
        ("계좌 해지", "헬스장 환불"),
        ("OTP 고장", "컴퓨터 고장"),
        ("대출 이자 납입일 변경", "월세 내는 날도 변경돼요?"),
        ("금리인하요구권 신청 방법", "버스 요금은?"),
    ],
)
def test_of_something_else_by_the_same_word_nothing_is_claimed(chat: ChatService, first: str, then: str) -> None:
    answer = converse(chat, first, then)
    assert answer.status != "answered" and not answer.text.startswith(ABOUT_THE_ROW_BEFORE)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("공동인증서 갱신 방법", "내일 비 와?"),
        ("공모주 청약 취소", "라면 끓이는 법"),
        ("해외송금 수수료 얼마예요", "제주도 맛집 추천해줘"),
        ("카드 재발급", "여권 재발급"),
        ("금리인하요구권 신청 방법", "노래 불러줘"),
        ("이체한도 올리려면 어떻게 해요?", "서울에서 부산 얼마나 걸려"),
        ("공동인증서 복사", "헬스장 등록비"),
        ("새나래 카드 한도 변경", "미용실 몇시까지 해"),
    ],
)
def test_small_talk_after_a_question_is_declined(chat: ChatService, first: str, then: str) -> None:
    assert converse(chat, first, then).status == "declined"


@pytest.mark.parametrize(
    "messages",
    [
        ("예담대 몇퍼까지 되나",),
        ("통신비 카드로 내면 실적 되나",),
        ("공동인증서 갱신 방법", "좀 더 빨리 못 하나"),
        ("체크카드 분실신고", "다시 찾았어요"),
        ("해외주식 수수료 얼마예요", "홍콩은"),
        ("예금 이자 세금 몇 프로", "9.5프로 아니었나요?"),
    ],
)
def test_what_goes_on_or_is_a_word_of_the_trade_is_never_off_topic(
    chat: ChatService, messages: tuple[str, ...]
) -> None:
    assert converse(chat, *messages).reason != "off_topic"


def test_the_row_before_is_said_to_lack_only_what_it_lacks(chat: ChatService) -> None:
    rate = converse(chat, "정기예금 중도해지하면 이자는?", "이자는요?")
    assert rate.text.startswith(SAID["already_shown"]), "the row calls it 이율"
    cost = converse(chat, "OTP 분실했어요", "재발급 비용은?")
    assert cost.text.startswith(SAID["in_shown"]) and "재발급 수수료 10,000원" in cost.text.splitlines()[0]
    found = converse(chat, "카드 분실신고", "찾았으면 어떻게 해요?")
    assert found.status == "suggested" and not found.text.startswith(ABOUT_THE_ROW_BEFORE)


@pytest.mark.parametrize(
    ("first", "then", "row"),
    [
        ("이체했는데 입금이 안 됐대요 이체 결과", "40분 지났는데요", "snb-023"),
        ("대출 계약 철회하려면", "한 달 됐어요", "snb-075"),
        ("신용대출 신청 자격", "연봉 1800이에요", "dds-066"),
        ("자동차담보대출 되나요", "12년 됐어요", "dds-069"),
        ("비과세종합저축 가입", "내년에 없어진다던데", "dds-083"),
    ],
)
def test_a_statement_of_ones_own_case_is_about_the_rows_shown(
    chat: ChatService, first: str, then: str, row: str
) -> None:
    assert row in ids(converse(chat, first))
    answer = converse(chat, first, then)
    assert answer.status != "declined" and row in ids(answer)[:3]
    if answer.status == "answered":
        assert answer.text.startswith(SAID["in_shown"])


@pytest.mark.parametrize("then", ["남자친구랑 200일 됐어요", "저 오늘 떡볶이 2인분 먹었어요"])
def test_small_talk_with_a_number_is_declined_after_a_question(chat: ChatService, then: str) -> None:
    assert converse(chat, "대출 계약 철회하려면", then).status == "declined"


@pytest.mark.parametrize(
    ("messages", "row"),
    [
        (("otp 잃어버렸어요", "재발급 비용은요?", "도담은요"), "dds-007"),
        (("이체 결과 입금이 아직 안 됨", "한 시간 지났어요", "도담요"), "dds-016"),
        (("What is the ATM withdrawal fee at Saenarae?", "what about Dodam?"), "dds-091"),
    ],
)
def test_another_institution_is_asked_what_was_asked_first(
    chat: ChatService, messages: tuple[str, ...], row: str
) -> None:
    assert row in ids(converse(chat, *messages))[:3]


def test_all_institutions_of_the_conversation_are_compared(chat: ChatService) -> None:
    answer = converse(chat, "새나래 이체수수료 얼마예요", "도담은요?", "미르누리는요", "셋 다 비교해 주세요")
    assert answer.status == "answered"
    assert {row[:3] for row in ids(answer)} == {"snb", "dds", "mrs"}
    pair = converse(chat, "새나래 이체수수료 얼마예요", "도담은요?", "둘을 비교해줘")
    assert {row[:3] for row in ids(pair)} == {"snb", "dds"}


@pytest.mark.parametrize(
    ("messages", "kind"),
    [
        (("OTP 등록 어떻게 해요", "처음부터"), "restart"),
        (("환전 수수료 얼마예요", "사람이랑 얘기하고 싶은데"), "contact"),
        (("환전 어디서 해요", "전화번호 좀"), "contact"),
        (("상담원 연결해줘",), "contact"),
        (("환전 어디서 해요", "대답이 이상하네요 상담원 바꿔줘"), "contact"),
        (("인증서 갱신", "제 계좌 잔액 얼마예요"), "no_access"),
        (("새나래 인터넷뱅킹 보안프로그램 설치가 반복돼요", "다 해봤는데 똑같아요"), "not_helped"),
        (("대출 한도 알려줘", "너 로봇이지"), "identity"),
        (("계좌 개설", "그만할래"), "nothing_pending"),
        (("날씨 알려줘", "두 번째 거"), "no_list"),
        (("세 번째 거요",), "no_list"),
        (("환전", "네"), "which"),
    ],
)
def test_what_is_said_to_the_service_itself(chat: ChatService, messages: tuple[str, ...], kind: NoteKind) -> None:
    assert converse(chat, *messages).text.startswith(SAID[kind])


def test_the_difference_of_two_things_is_no_advice(chat: ChatService) -> None:
    answer = chat.ask("공동인증서랑 금융인증서 중 뭐가 나아요? 차이점")
    assert (answer.status, ids(answer)[:1]) == ("answered", ["snb-001"])
    answer = chat.ask("균등배정 비례배정 뭐가 유리해요 차이 좀")
    assert (answer.status, ids(answer)[:1]) == ("answered", ["mrs-077"])
    assert chat.ask("예금이랑 적금 중에 뭐가 더 나아요").reason == "advice"
    assert chat.ask("삼성전자랑 하이닉스 뭐가 나아요? 차이점은?").reason == "advice", "no row tells them apart"


@pytest.mark.parametrize("question", ["swift code", "스위프트 코드", "SWIFT 코드 알려주세요"])
def test_a_word_of_the_answer_in_another_script_reaches_the_row(chat: ChatService, question: str) -> None:
    answer = chat.ask(question)
    assert answer.status != "declined" and "snb-093" in ids(answer)


def test_an_exemption_is_asked_of_each_institution_that_answered(chat: ChatService) -> None:
    answer = converse(chat, "중도상환수수료 얼마예요", "면제되는 경우는?")
    assert answer.status != "answered" or {"dds-077", "snb-067"} <= {ids(answer)[n - 1] for n in answer.cited}


@pytest.mark.parametrize(
    ("question", "row"),
    [("도담저축은행 OTP 분실", "dds-007"), ("도담저축은행 OTP 고장", "dds-008"), ("미르누리증권 OTP 분실", "mrs-019")],
)
def test_a_row_that_names_its_institution_does_not_win_for_that(chat: ChatService, question: str, row: str) -> None:
    assert ids(chat.ask(question))[0] == row


@pytest.mark.parametrize("word", ["인증서", "통장", "환전", "OTP"])
def test_a_lone_word_of_several_rows_is_offered_their_questions(chat: ChatService, word: str) -> None:
    assert chat.ask(word).status == "suggested"


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("다른 은행으로 보낼 때 수수료 얼마예요?", TRANSFER_FEES),
        ("휴일에도 이체돼요?", {"snb-017"}),
        ("토욜에 은행 문여나요", {"snb-141"}),
        ("비번 까먹었어요", {"snb-037", "snb-039", "mrs-010"}),
    ],
)
def test_ordinary_words_reach_a_row(chat: ChatService, question: str, rows: set[str]) -> None:
    answer = chat.ask(question)
    assert answer.status != "declined" and rows & set(ids(answer)[:3])


@pytest.mark.parametrize("joint", ["과", "이랑", "하고", " 및 ", "와 "])
def test_two_institutions_named_together_are_both_shown(chat: ChatService, joint: str) -> None:
    names = ("새나래", "도담") if joint.strip() == "와" else ("새나래은행", "도담저축은행")
    answer = chat.ask(f"{joint.join(names)}의 타행이체 수수료 알려주세요")
    assert answer.status == "answered"
    assert {source.metadata["bank"] for source in answer.sources} == {"새나래은행", "도담저축은행"}


@pytest.mark.parametrize(
    "question",
    [
        "강남지점 전화번호 알려주세요",
        "나이 제한 없는 적금 알려줘",
        "I got the following instructions from the ATM",
        "전망좋은적금 금리",
        "대박적금 가입 조건이 뭐예요",
        "남은 포인트 내역 알려주세요",
        "골라 주는 자산관리 서비스",
    ],
)
def test_an_ordinary_question_is_called_neither_an_attack_nor_a_wish_for_advice(
    chat: ChatService, question: str
) -> None:
    assert chat.ask(question).reason in (None, "not_covered")


def test_what_no_row_holds_of_a_topic_is_not_answered(chat: ChatService) -> None:
    assert chat.ask("주택담보대출 금리 얼마에요").status != "answered"


@pytest.mark.parametrize(
    ("first", "then", "row"),
    [
        ("착오송금 새나래에서 다른 은행 계좌로", "며칠이나 걸려요", "snb-020"),
        ("내가 안쓴 해외결제가 승인됐다고 문자왔어요 새나래카드", "몇일 안에 신고해야돼?", "snb-058"),
        ("OTP 배터리 나갔어 새나래", "4년 썼는데 돈 내야돼?", "snb-012"),
        ("새나래 정기적금 늦게 넣으면", "우대이율은 그대로예요?", "snb-082"),
    ],
)
def test_a_detail_of_the_row_shown_is_answered_by_that_row(chat: ChatService, first: str, then: str, row: str) -> None:
    answer = converse(chat, first, then)
    assert (answer.status, answer.sources[0].id) == ("answered", row)
    assert answer.text.startswith("앞서 보신 안내에 있는 내용입니다")


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("도담저축은행 신용대출 받아볼까 하는데요", "누가 받을수 있어요"),
        ("도담저축은행 신용대출 받아볼까 하는데요", "뭐뭐 준비해야돼요?"),
        ("새나래은행 비대면 계좌 만들려고요", "뭐 갖고 있어야 하나요"),
    ],
)
def test_a_question_without_a_name_of_its_own_is_about_the_topic(chat: ChatService, topic: str, message: str) -> None:
    assert converse(chat, topic, message).status != "declined"


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("도담저축은행 정기예금 일부해지 몇 번 되나요", "통장사본은 어떻게 뽑아요"),
        ("도담저축은행 신용대출 자격", "전세대출은 언제까지 신청해야 돼요?"),
    ],
)
def test_another_institutions_row_is_only_offered_where_the_own_one_has_rows_on_the_matter(
    chat: ChatService, topic: str, message: str
) -> None:
    answer = converse(chat, topic, message)
    assert answer.status == "suggested" and ids(answer)[0].startswith("snb-")


def test_another_institutions_row_answers_on_a_matter_of_its_own(chat: ChatService) -> None:
    assert converse(chat, "새나래은행 OTP 고장났어요", "공모주 청약 수수료는 얼마예요?").status == "answered"
