"""Where the quote of a row begins that opens with yes or no."""

from __future__ import annotations

import re
from typing import Any

import pytest
from llama_index.core.schema import TextNode

from rag.korean import is_only_yes_or_no, without_yes_or_no
from rag.models.cancellation import CancelScope
from rag.retrieval.confidence import JudgedNode, Verdict
from rag.synthesis.summary import Summarizer
from rag.synthesis.verbatim import VerbatimSynthesizer, verbatim
from rag.synthesis.yes_or_no import asks_the_same
from rag.types import Answer, Note, Section, Source
from rag.ui.answer_text import split_quotes
from rag.ui.conversation import Exchange
from rag.ui.rendering import RenderOptions, turn_html
from rag.ui.texts import KOREAN

TERMINATE = "적금을 만기 전에 중도해지할 수 있나요?"
MINOR = "미성년자도 외화통장을 만들 수 있나요?"
RENEW = "카드를 재발급받으면 자동이체를 다시 신청해야 하나요?"
POST = "잔액증명서를 우편으로 받을 수 있나요?"
CHEQUE = "ATM에서 수표를 입금할 수 있나요?"
PROXY = "본인이 방문하기 어려운 경우 대리인이 적금을 해지할 수 있나요?"
NOT_NEEDED = "이체한도를 올릴 때 영업점에 가지 않아도 되나요?"


@pytest.mark.parametrize(
    ("question", "row_question"),
    [
        (TERMINATE, TERMINATE),
        ("적금을 만기 전에 중도해지할 수 있나요", TERMINATE),
        ("적금 만기 전에 중도해지할 수 있어요?", TERMINATE),
        ("혹시 적금 만기 전에 중도해지 가능한가요?", TERMINATE),
        ("적금 만기전에 중도해지 되나요?", TERMINATE),
        ("그럼 적금을 만기 전에 중도해지할 수 있을까요?", TERMINATE),
        ("도담 적금 만기 전에 중도해지할 수 있나요?", TERMINATE),
        ("미성년자도 외화통장 만들 수 있나요?", MINOR),
        ("외화통장 미성년자도 만들 수 있나요", MINOR),
        ("카드 재발급받으면 자동이체 다시 신청해야 돼요?", RENEW),
        ("카드를 재발급 받으면 자동이체 다시 신청해야하나요", RENEW),
        ("잔액증명서 우편으로 받을수있나요?", POST),
        ("잔액증명서 우편으로 받아도 되나요?", POST),
        ("ATM에서 수표 입금할 수 있나요?", CHEQUE),
        ("atm에서 수표 입금 되나요", CHEQUE),
        ("적금 만기 전에 중도해지 되죠?", TERMINATE),
        (
            "폰 바꾸면 인증서 다시 발급받아야 하나요?",
            "휴대폰 기기를 변경한 경우 발급된 인증서를 다시 발급받아야 하나요?",
        ),
        ("통장사본 앱에서 뽑을 수 있나요?", "통장사본(계좌개설확인서)은 앱에서 발급받을 수 있나요?"),
        (NOT_NEEDED, NOT_NEEDED),
        ("이체한도 올릴 때 영업점에 가지 않아도 되나요", NOT_NEEDED),
        ("타 은행 OTP를 등록할 수 있나요?", "OTP 등록은 어떻게 하나요? 타 은행 OTP도 등록할 수 있나요?"),
    ],
)
def test_the_same_question_in_other_words(question: str, row_question: str) -> None:
    assert asks_the_same(question, [row_question], "도담저축은행")


@pytest.mark.parametrize(
    ("question", "row_question"),
    [
        # Another polarity.
        ("적금 만기 전에 중도해지 안되나요?", TERMINATE),
        ("적금 만기 전에 중도해지 못하죠?", TERMINATE),
        ("적금 만기 전에 중도해지할 수 없나요?", TERMINATE),
        ("미성년자는 외화통장 못만들죠?", MINOR),
        ("미성년자 외화통장 안 만들어주죠", MINOR),
        ("카드 재발급받으면 자동이체 다시 신청 안해도 되죠?", RENEW),
        ("카드 재발급받아도 자동이체 다시 신청하지 않아도 되나요?", RENEW),
        ("잔액증명서 우편으로 받는 건 불가능한가요?", POST),
        ("이체한도를 올릴 때 영업점에 가도 되나요?", NOT_NEEDED),
        # Another modality: what one can do one need not do.
        ("적금 만기 전에 중도해지해야 하나요?", TERMINATE),
        ("잔액증명서 우편으로 받아야 하나요?", POST),
        ("카드 재발급받으면 자동이체 다시 신청할 수 있나요?", RENEW),
        # Beyond the row's question: a case, a channel, a day, a sum, a price.
        ("청년우대형 적금 만기 전에 중도해지할 수 있나요?", TERMINATE),
        ("적금 만기 전에 전화로 중도해지할 수 있나요?", TERMINATE),
        ("적금 만기 전에 내일 중도해지 되죠?", TERMINATE),
        ("적금 만기 전에 500만원 중도해지할 수 있나요?", TERMINATE),
        ("적금 만기 전에 중도해지하면 돈 들죠?", TERMINATE),
        ("미성년자도 외화통장을 앱에서 만들 수 있나요?", MINOR),
        ("미성년자도 부모 없이 외화통장 만들 수 있나요?", MINOR),
        ("카드 재발급받으면 자동이체 그대로 쓰면 되죠?", RENEW),
        ("잔액증명서 해외 우편으로 받을 수 있나요?", POST),
        ("잔액증명서 우편으로 오늘 받을 수 있나요", POST),
        ("ATM에서 100만원 수표 입금할 수 있나요?", CHEQUE),
        ("편의점 ATM에서 수표 입금 되나요", CHEQUE),
        # One of several instead of one more.
        ("미성년자만 외화통장을 만들 수 있나요?", MINOR),
        ("잔액증명서를 우편으로만 받을 수 있나요?", POST),
        ("폰뱅킹으로 한도를 바꿀 수 있나요?", "휴대폰으로 한도를 변경할 수 있나요?"),
        ("자동차세를 카드로 내년에 납부할 수 있나요?", "자동차세를 카드로 납부할 수 있나요?"),
        # Of two questions a yes may answer either.
        ("통장을 다시 만들 수 있나요?", "통장을 다시 만들 수 있나요? 인감을 바꿀 수 있나요?"),
        # Less than the row's question, which names the case that its answer depends on.
        ("적금 해지할 수 있나요?", PROXY),
        ("자동이체 다시 신청해야 하나요?", RENEW),
        # No question that yes or no answers.
        ("적금 만기 전에 중도해지 어떻게 하나요?", TERMINATE),
        ("적금 만기 전 중도해지", TERMINATE),
        ("잔액증명서 우편으로 받고 싶어요", POST),
        ("", TERMINATE),
    ],
)
def test_another_question(question: str, row_question: str) -> None:
    assert not asks_the_same(question, [row_question], "도담저축은행")


def test_a_listed_phrasing_is_the_rows_question_too() -> None:
    assert asks_the_same("만기 안 됐는데 깨도 돼요", [TERMINATE, "만기 안 됐는데 깨도 돼요?"])
    assert asks_the_same("적금 중도해지", [TERMINATE, "적금 중도해지"])


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("네, 앱에서 하실 수 있습니다.", "앱에서 하실 수 있습니다."),
        ("예. 앱에서 하실 수 있습니다.", "앱에서 하실 수 있습니다."),
        ("아니요, 영업점에서만 됩니다.", "영업점에서만 됩니다."),
        ("아니오! 영업점에서만 됩니다.", "영업점에서만 됩니다."),
        ("아닙니다. 영업점에서만 됩니다.", "영업점에서만 됩니다."),
        ("네 가능합니다. 앱을 이용해 주세요.", "앱을 이용해 주세요."),
        ("네, 가능합니다. 앱을 이용해 주세요.", "앱을 이용해 주세요."),
        ("네, 해지하실 수 있습니다. 앱을 이용해 주세요.", "앱을 이용해 주세요."),
        ("가능합니다.\n앱을 이용해 주세요.", "앱을 이용해 주세요."),
        ("불가합니다. 영업점을 이용해 주세요.", "영업점을 이용해 주세요."),
        ("[답변] 네, 앱에서 됩니다.", "앱에서 됩니다."),
        ("네 고객님, 앱에서 됩니다.", "앱에서 됩니다."),
        ("네\n앱에서 됩니다.", "앱에서 됩니다."),
        ("물론입니다. 앱에서 됩니다.", "앱에서 됩니다."),
        # What is no yes or no, or nothing but one.
        ("네 가지 방법이 있습니다.", "네 가지 방법이 있습니다."),
        ("예: 홍길동", "예: 홍길동"),
        ("예금은 보호됩니다.", "예금은 보호됩니다."),
        ("앱에서 가능합니다. 무료입니다.", "앱에서 가능합니다. 무료입니다."),
        ("네, 가능합니다.", "가능합니다."),
        ("앱에서 하세요.\n네, 맞습니다.", "앱에서 하세요.\n네, 맞습니다."),
    ],
)
def test_a_text_without_its_yes_or_no(text: str, rest: str) -> None:
    assert without_yes_or_no(text) == rest and text.endswith(rest)


ANSWER = "네, 앱에서 언제든 해지하실 수 있습니다. 수수료는 없습니다."


def judged(name: str = "a", bank: str = "가온은행", question: str = TERMINATE) -> JudgedNode:
    node = TextNode(id_=name, text=ANSWER, metadata={"question": question, "bank": bank})
    return JudgedNode(node=node, score=0.9, parts={}, status="answered", quoted=True)


def verdict(question: str, *nodes: JudgedNode, **further: Any) -> Verdict:
    return Verdict("answered", None, nodes, nodes, 0.9, 0.9, question, **further)


REST = ANSWER.removeprefix("네, ")
PROXY_ASKS = "대리인이 적금을 만기 전에 해지할 수 있나요?"


def test_a_row_is_quoted_from_after_its_yes_unless_it_was_asked() -> None:
    row = judged()
    assert verbatim([row], verdict(TERMINATE, row)) == f"{ANSWER} [1]"
    assert verbatim([row], verdict(PROXY_ASKS, row)) == f"{REST} [1]"
    assert verbatim([row], verdict(PROXY_ASKS, row, names_banks=True)) == f"가온은행\n{REST} [1]"
    # A row that was chosen among several answers its own question, whatever was typed to choose it.
    assert verbatim([row], verdict("1번이요", row, is_chosen=True)) == f"{ANSWER} [1]"
    noted = verbatim([row], verdict(TERMINATE, row, note=Note("in_shown", {"sentence": "대리인은 안 됩니다."})))
    assert noted.endswith(f"\n\n{REST} [1]")


def test_every_way_to_quote_begins_there() -> None:
    row, other = judged(), judged("b", "나루은행")
    several = verbatim([row, other], verdict(PROXY_ASKS, row, other))
    assert several.endswith(f"가온은행\n{REST} [1]\n\n나루은행\n{REST} [2]")
    assert verbatim([row, other], verdict(TERMINATE, row, other)).count(ANSWER) == 2
    # The parts of a message, each with what was asked of its row; and institutions side by side.
    parts = (Section(PROXY_ASKS, "answered", ("a",)), Section(TERMINATE, "answered", ("b",)))
    divided = verbatim([row, other], verdict("두 가지 질문", row, other, sections=parts))
    assert f"{PROXY_ASKS}\n{REST} [1]" in divided and f"{TERMINATE}\n{ANSWER} [2]" in divided
    banks = (Section("가온은행", "answered", ("a",)), Section("나루은행", "answered", ("b",)))
    assert verbatim([row, other], verdict(PROXY_ASKS, row, other, sections=banks)).count(ANSWER) == 0
    # Without a verdict, for callers with nodes of their own, and in place of a model's answer.
    assert str(VerbatimSynthesizer().synthesize(PROXY_ASKS, [row])) == f"{REST} [1]"
    assert str(VerbatimSynthesizer().synthesize(TERMINATE, [row])) == f"{ANSWER} [1]"


def test_the_summary_of_a_row_begins_after_its_yes() -> None:
    source = Source(1, "a", TERMINATE, ANSWER, 0.9)
    summary = Summarizer(None).summarized("앱에서 해지", source, CancelScope(1)).summary
    assert summary == "앱에서 언제든 해지하실 수 있습니다."


def test_the_page_shows_a_quote_without_its_yes_as_a_card() -> None:
    source = Source(1, "a", TERMINATE, ANSWER, 0.9, metadata={"bank": "가온은행"})
    answer = Answer("질문", f"가온은행\n{REST} [1]", "answered", sources=(source,), cited=(1,))
    assert split_quotes(answer.text, [source], answer) == [("가온은행\n", source, REST)]
    html = turn_html(Exchange(1, "질문", answer.text, (source,), answer), RenderOptions(KOREAN))
    [card] = re.findall(r'<section class="passage-card">(.*?)</section>', html)
    assert REST.split(". ")[0] in card and "네, " not in card


@pytest.mark.parametrize("text", ["네, 가능합니다.", "네, 해지하실 수 있습니다.", "아니요."])
def test_a_text_that_is_a_yes_alone_stands_below_its_question(text: str) -> None:
    row = judged()
    row.node.set_content(text)
    assert verbatim([row], verdict(TERMINATE, row)) == f"{text} [1]"
    shown = verbatim([row], verdict(PROXY_ASKS, row, names_banks=True))
    assert shown == f"가온은행\n{TERMINATE}\n{text} [1]"
    assert is_only_yes_or_no(text) and not is_only_yes_or_no("앱에서 가능합니다.") and not is_only_yes_or_no(ANSWER)
