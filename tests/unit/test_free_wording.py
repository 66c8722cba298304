"""Sentences in a model's own words: what says the same as a passage of an invented institution, and what turns it."""

from __future__ import annotations

import pytest

from rag.evaluation.claims import evaluate_claims
from rag.evaluation.datasets import read_claims
from rag.synthesis.normalisation import written_form
from rag.synthesis.verification import RuleVerifier
from rag.synthesis.words import PassageWords, content_words, synonyms
from tests.unit.test_verification import CLAIMS

LOAN = """해솔저축은행
해솔 안심대출은 어떻게 신청하나요?
만 20세 이상 본인은 해솔 앱에서 무료로 신청하실 수 있으며, 한도는 최대 2천만원입니다. 보증료는 고객이 부담합니다.

[준비물] 신분증 원본, 소득확인서 사본
- 심사: 접수일부터 3영업일 이내
- 제외 대상: 법인, 휴업 중인 사업자

대출 기간 중 금리는 그대로 유지되며 한도만 변경될 수 있습니다.
다만 해외 체류 중인 경우 신청하실 수 없습니다. 철회는 영업점에서만 가능합니다.
※ 남은 한도는 매년 소멸합니다.
약정일로부터 30일이 지난 신청은 취소할 수 없습니다. 담보 등록이 필요합니다.
※ 유효한 신분증만 인정됩니다. 신청은 매일 08:00~22:30입니다."""
GRADES = """해솔증권
등급별 증거금률은 얼마인가요?
| 등급 | 증거금률 | 미수 |
| --- | --- | --- |
| 가 | 20% | 가능 |
| 나 | 45% | 가능 |

국내시장은 수수료 0.1%와 세금 0.2%, 해외시장은 수수료 0.4%입니다. 매도할 때 거래세 0.15%를 냅니다.
첨부 파일은 20MB까지, 비상급수는 5리터입니다.
주간조는 본사에, 야간조는 지점에 신고합니다. 매도대금은 다음 날 입금됩니다.
연 2회를 넘지 않는 범위에서 3개월, 6개월, 9개월 중에서 고르십시오."""


@pytest.mark.parametrize(
    ("passage", "sentence"),
    [
        (LOAN, "스무 살이 넘은 본인이라면 앱에서 돈을 내지 않고 신청할 수 있어요."),
        (LOAN, "2천만원을 넘지 않으면 빌릴 수 있어요."),
        (LOAN, "보증료는 손님이 내야 해요."),
        (LOAN, "심사는 사흘(3영업일) 안에 끝나요."),
        (LOAN, "밤 10시 반까지 신청하면 돼요."),
        (LOAN, "금리는 대출 기간 동안 바뀌지 않아요."),
        (LOAN, "외국에 나가 있으면 신청이 안 됩니다."),
        (GRADES, "3개월에서 9개월 사이에서 선택하면 돼요."),
        (GRADES, "1년에 두 번까지 가능하고 기간은 3개월부터 9개월까지예요."),
        (GRADES, "주식을 팔면 이튿날 돈이 들어와요."),
    ],
)
def test_what_says_the_same_in_other_words_is_not_withheld(passage: str, sentence: str) -> None:
    finding = RuleVerifier().verify(sentence, [passage])
    assert finding.status != "withheld", finding


@pytest.mark.parametrize(
    ("passage", "sentence", "reason"),
    [
        (GRADES, "나 등급의 증거금률은 20%예요.", "quantity"),  # another row's
        (GRADES, "해외시장 세금은 0.2%입니다.", "quantity"),  # another topic's
        (GRADES, "매수할 때 거래세 0.15%를 내야 해요.", "quantity"),  # the other side
        (GRADES, "파일은 20GB까지 첨부할 수 있어요.", "quantity"),
        (GRADES, "비상급수는 5갤런까지예요.", "quantity"),
        (GRADES, "매도대금은 당일에 입금됩니다.", "quantity"),
        (LOAN, "보증료는 은행이 부담해요.", "entity"),
        (LOAN, "휴업 중인 사업자도 신청할 수 있어요.", "polarity"),
        (LOAN, "대출 기간 중 금리는 변경될 수 있어요.", "polarity"),
        (LOAN, "남은 한도는 다음 해로 이월돼요.", "polarity"),
        (LOAN, "신분증 사본을 내도 됩니다.", "polarity"),
        (LOAN, "해외 체류 중이어도 신청할 수 있어요.", "condition"),
        (LOAN, "앱에서 철회할 수 있어요.", "condition"),
        (LOAN, "약정일로부터 30일이 지나도 신청할 수 있어요.", "condition"),
        (LOAN, "담보 등록 없이 신청할 수 있어요.", "condition"),
        (LOAN, "앱에서 신청하시면 커피 쿠폰과 사은품을 드려요.", "words"),
    ],
)
def test_what_turns_a_passage_is_withheld(passage: str, sentence: str, reason: str) -> None:
    finding = RuleVerifier().verify(sentence, [passage])
    assert finding.status == "withheld", finding
    assert finding.reason == reason, finding


def test_a_count_of_what_is_cited_is_no_quantity_of_the_passages() -> None:
    first, second = "가람은행\n한도\n한도는 1억원입니다.", "나루은행\n한도\n한도는 1억원입니다."
    sentence = "두 곳 모두 한도는 1억원이에요."
    assert RuleVerifier().verify(sentence, [first, second]).status != "withheld"
    assert RuleVerifier().verify(sentence, [first]).status == "withheld"


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("50만원을 넘지 않으면", "50만원 이하이면"),
        ("4분의 1을", "25%을"),
        ("여섯 번째부터", "6번째부터"),
        ("3% 밑으로", "3% 미만으로"),
        ("1천만원보다 많은", "1천만원 초과"),
        ("이틀(2영업일) 안에", "(2영업일) 안에"),
        ("0분의 1", "0분의 1"),
    ],
)
def test_spoken_quantities_are_put_into_their_written_form(spoken: str, written: str) -> None:
    assert written_form(spoken) == written


def test_a_verb_is_known_by_the_word_after_it() -> None:
    nouns = {
        word.stem
        for word in content_words("포인트가 쌓이지 않아요. 알림이 켜져 있는지 보고 돈을 넣을 수 있어요.")
        if word.is_noun
    }
    assert {"포인트", "알림"} <= nouns
    assert not nouns & {"쌓이", "켜져", "넣을"}


def test_words_of_one_meaning_hold_each_other_but_not_what_goes_on_from_them() -> None:
    held = PassageWords(["수수료는 면제되고 우대 조건은 없습니다."])
    for sentence, is_held in (("공짜", True), ("우대금리", False)):
        (word,) = content_words(sentence)
        assert held.holds(word) is is_held
    assert "무료" in synonyms("공짜")
    assert "공짜" not in synonyms("공짜")


def test_the_free_claims_the_checks_were_fitted_on() -> None:
    report = evaluate_claims(read_claims(CLAIMS / "claims.free.dev.jsonl"), RuleVerifier())
    assert report["f1"] >= 0.9
    assert report["false_alarms"] <= 0.05
