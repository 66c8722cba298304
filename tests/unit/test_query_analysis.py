"""The lexicon: what it may hold, and what it adds to a question."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import InputError
from rag.retrieval.query_analysis import Lexicon, LexiconEntry, bundled_lexicon, expand, parse_lexicon, unheld_terms

LEXICON = parse_lexicon(
    ["비번|pw\t비밀번호", "까먹|기억 안\t분실 재설정", "잃어\t분실 신고", "OTP|오티피\tOTP 일회용비밀번호"]
)


def test_parsing_skips_comments_and_blank_lines() -> None:
    assert list(parse_lexicon(["# 제목", "", "   ", "비번|PW 번호\t비밀번호  암호"])) == [
        LexiconEntry(("비번", "pw번호"), ("비밀번호", "암호"))
    ]


@pytest.mark.parametrize(
    "line",
    ["비번 비밀번호", "비번\t", "비번\t  ", "\t비밀번호", "비번||pw\t비밀번호", "비번|\t비밀번호", " | \t비밀번호"],
)
def test_a_wrong_line_is_named(line: str) -> None:
    with pytest.raises(InputError, match=r"^mine\.tsv, line 3: expected `stem\|stem<TAB>term term`$"):
        parse_lexicon(["# 제목", "비번\t비밀번호", line], name="mine.tsv")


@pytest.mark.parametrize(
    "question", ["비번 기억안나요", "비번 기 억 안나요", "비번\n기억　안 나요", "비번 기억안나요!"]
)
def test_stems_match_without_spaces(question: str) -> None:
    assert LEXICON.terms_for(question) == ("비밀번호", "분실", "재설정")


@pytest.mark.parametrize("question", ["ＰＷ 바꾸기", "Pw 바꾸기", unicodedata.normalize("NFD", "비번")])
def test_stems_match_whatever_the_case_width_and_composition(question: str) -> None:
    assert LEXICON.terms_for(question) == ("비밀번호",)


def test_each_term_is_called_for_once_and_none_that_is_there() -> None:
    assert LEXICON.terms_for("잃어버리고 까먹었어요") == ("분실", "재설정", "신고")
    assert LEXICON.terms_for("카드 분 실? 잃어버림") == ("신고",)
    assert LEXICON.terms_for("otp 안돼요") == ("일회용비밀번호",)
    assert LEXICON.terms_for(" 이체 한도 ") == LEXICON.terms_for("") == ()


def test_terms_that_no_row_holds_are_not_added() -> None:
    unheld = unheld_terms(["자동차 견인\n고장 난 차를 옮겨 드립니다.", "긴급 출동 안내"])
    assert "견인" not in unheld and "긴급출동" not in unheld, "with or without spaces"
    assert "해약환급금" in unheld
    assert expand(" 날씨 ", without=unheld) == " 날씨 "
    assert expand("렉카 불러줘", without=unheld) == "렉카 불러줘 견인 긴급출동"
    assert expand("보험 깨면 얼마", without=unheld) == "보험 깨면 얼마"


@given(st.text())
def test_any_question_comes_first_then_distinct_terms(question: str) -> None:
    expanded = expand(question)
    assert expanded.startswith(question)
    assert (expanded == question) is (bundled_lexicon().terms_for(question) == ())
    added = expanded[len(question) :].split()
    assert len(added) == len(set(added))


def test_the_bundled_lexicon_serves_a_customer() -> None:
    expanded = expand("비번 까먹었어요")
    assert "비밀번호" in expanded and "분실" in expanded


def test_the_bundled_lexicon_fires_on_stems_long_enough_to_mean_something() -> None:
    """A single Latin letter, or an empty stem, would fire on nearly every question."""
    stems = [stem for entry in bundled_lexicon() for stem in entry.stems]
    assert len(stems) > 1000
    assert [stem for stem in stems if len(stem) < 2 and not re.fullmatch("[가-힣]", stem)] == []
    assert all(stem == "".join(stem.lower().split()) for stem in stems)


def test_every_bundled_entry_adds_something() -> None:
    """A term that every stem of its entry already holds is never added."""
    idle = [entry for entry in bundled_lexicon() if not any(map(Lexicon([entry]).terms_for, entry.stems))]
    assert idle == []


def test_no_bundled_entry_repeats_a_term() -> None:
    assert [entry for entry in bundled_lexicon() if len(set(entry.terms)) < len(entry.terms)] == []


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("실비 청구하려면", "실손의료보험"),
        ("해외주식 수익 세금 신고해요?", "양도소득세"),
        ("공모주 넣은 거 빼 주세요", "취소"),
        ("오르면 알아서 팔아 줘요?", "자동감시주문"),
        ("유로 바꿔 놓고 깜빡했어요", "미수령"),
        ("관리비 자동으로 나가게 해 주세요", "자동이체"),
        ("보험료를 못 냈는데요", "미납"),
        ("리스를 넘기고 싶어요", "승계"),
        ("카드값 먼저 갚아도 되나요", "선결제"),
        ("연금 타려면 언제부터", "개시"),
        ("차키를 두고 내렸어요", "긴급출동"),
        ("계단에서 넘어져서 깁스했어요", "골절"),
        ("보험금 신청했는데 거절당했어요", "이의제기"),
        ("일시불을 할부로 돌리고 싶어요", "전환"),
        ("일 년 치 보험료를 한꺼번에 낼래요", "선납"),
        ("천장에서 물이 떨어져요", "누수"),
        ("벌써 나와서 가입하려는데요", "출국"),
        ("언제 쓴 게 이번에 청구돼요", "이용기간"),
        ("주식 안 사고 계좌에 둔 돈은요", "예탁금이용료"),
        ("퇴직연금 알아서 굴려 주나요", "디폴트옵션"),
        ("모자라면 자동으로 채워지게 해 주세요", "자동충전"),
        ("친구 셋이랑 엔빵하려고요", "더치페이"),
        ("천만 원 석 달만 묻어두면요", "정기예탁금"),
        ("적금 잡고 돈 빌릴래요", "예적금담보대출"),
        ("농협보험도 되나요", "공제"),
        ("조합에서 나가려는데요", "출자금"),
        ("가게하고 있는데 되나요", "개인사업자"),
        ("알바생 여러 명한테 한 번에요", "다계좌이체"),
        ("보냈다는 증거를 내래요", "이체확인증"),
        ("홍콩에서 쓰고 남은 돈이요", "재환전"),
        ("기계가 돈 두고 그냥 나왔어요", "자동화기기"),
        ("어르신이 거동불편하셔서요", "위임장"),
        ("옆구리가 우그러졌는데 물어내나요", "파손"),
        ("일 년에 이만 키로 넘게 타요", "주행거리"),
        ("첫 달에 처음 내는 돈이 얼마예요", "선수금"),
        ("타던 차를 그냥 살게요", "인수"),
        ("리스비가 안 빠졌어요", "리스료"),
        ("조합에 낸 돈을 다 빼고 싶어요", "출자금"),
        ("트랙터 사려고 하는데요", "농기계"),
        ("애들 클 때까지 몇 년 동안 받을까요", "확정기간"),
        ("삼쩜삼 떼고 받는 사람인데요", "원천징수"),
        ("종소세 낼 때가 됐어요", "종합소득세"),
        ("외국에서 보내준 돈이 아직이에요", "타발송금"),
        ("청약통장을 물려주고 싶어요", "명의변경"),
        ("집문서를 못 찾겠어요", "등기권리증"),
        ("주인이 집을 팔았대요 새 집주인이랑은요", "임대인"),
        ("카드로 판 돈은 어느 통장으로 와요", "매출대금"),
        ("구멍가게인데 좀 덜 떼나요", "우대수수료율"),
        ("직원들 월급을 한꺼번에 쏘려고요", "급여이체"),
        ("회사 도장이 바뀌었어요", "법인인감"),
        ("펀드를 빼면 며칠 걸려요", "환매"),
        ("대출회사가 제 빚을 팔았대요", "채권양도"),
        ("통장이 텅 비었어요", "잔액"),
        ("보증에서 빠지고 싶은데요", "변경"),
        ("재산보다 빚이 더 많아요", "한정승인"),
        ("형제들 다 가야 하나요", "공동상속인"),
        ("세븐일레븐에서 뽑으면요", "편의점"),
        ("오사카에서 지갑을 잃어버렸어요", "해외"),
        ("나눠 사 둔 거 말고 쪼개 산 주식이요", "소수점"),
        ("퇴근하고 나서도 살 수 있나요", "거래시간"),
        ("빌린 돈 없이 내 돈만큼만 사고 싶어요", "증거금"),
        ("한 사람당 몇 개예요", "1인당"),
        ("계주를 다른 사람으로요", "모임주"),
        ("이체가 튕겼어요", "실패"),
        ("자취방 보증금 빌릴 데 있나요", "전세자금대출"),
        ("간판을 바꿔 달았어요", "상호"),
        ("쓰러지면 누가 대신 받아줄 수 있나요", "지정대리청구인"),
        ("길에서 멈췄어요 시동이 꺼졌나 봐요", "긴급출동"),
        ("신용에 흠이 갈까요", "신용점수"),
    ],
)
def test_the_lexicon_knows_the_words_of_other_trades(question: str, word: str) -> None:
    assert word in expand(question).split()


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("통장 비밀번호 변경", "부족"),
        ("카드 기한 연장", "단말기"),
        ("회사 차이가 뭐예요", "업무용"),
        ("앱에 장애 있나요", "장애인"),
        ("지금 팔면 얼마예요", "골드바"),
        ("돈을 받아내려면", "배우자"),
        ("설정 비밀번호", "설정비용"),
        ("쓸 일이 없어요", "실직"),
        ("금리가 3.3%예요", "원천징수"),
        ("증빙 서류 조회 서비스", "금융거래조회서"),
        ("앞으로 바꾸면 언제부터예요", "명의변경"),
        ("보험 사망 수익자", "예금자보호"),
    ],
)
def test_an_everyday_word_is_not_found_across_two_words(question: str, word: str) -> None:
    assert word not in expand(question).split()


@pytest.mark.parametrize("question", ["앱이 이상해요", "청약대금 환불", "한도수정", "투자차익 세금", "상대인지 확인"])
def test_a_word_of_another_trade_is_not_found_inside_another_word(question: str) -> None:
    assert not {"재해", "보험계약대출", "비급여", "자기차량손해", "대인배상"} & set(expand(question).split())


@pytest.mark.parametrize(
    ("question", "is_abroad"),
    [
        ("카드 없어졌는데 나 지금 대만이야", True),
        ("저는 스페인 여행 중인데요 카드를 도둑맞았어요", True),
        ("지갑 잃어버림 여기 영국이에요", True),
        ("지금 외국에 있는데 인증서가 안 돼요", True),
        ("미국 주식 사려면", False),
        ("일본 엔화 환전", False),
        ("영국으로 돈 보내기", False),
    ],
)
def test_a_customer_who_says_to_be_in_another_country_is_abroad(question: str, is_abroad: bool) -> None:
    assert ("해외" in expand(question).removeprefix(question).split()) is is_abroad
