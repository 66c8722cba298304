"""The sentence of a row on the case that a yes-or-no question names and the row excludes."""

from __future__ import annotations

import pytest
from llama_index.core.schema import TextNode

from rag.retrieval.confidence import JudgedNode, Verdict
from rag.synthesis import texts
from rag.synthesis.excluded_cases import sentence_on_case
from rag.synthesis.verbatim import verbatim
from rag.types import Answer, Source
from rag.ui.conversation import Exchange
from rag.ui.rendering import RenderOptions, turn_html
from rag.ui.texts import KOREAN

TERMINATE = "적금을 만기 전에 중도해지할 수 있나요?"
SAVINGS = (
    "네, 앱에서 언제든 중도해지하실 수 있습니다. 다만 청년우대형은 영업점에서만 처리됩니다.\n"
    "\n[이용시간] 평일 09:00~22:00\n"
    "※ 대리인은 앱과 고객센터에서 해지하실 수 없습니다.\n※ 담보로 잡힌 적금은 해지되지 않습니다. "
    "타인 명의 적금은 해지되지 않습니다.\n"
    "- 통장이 없는 경우 조회는 가능하나, 해지는 불가합니다.\n이체 번호는 발급 당일에만 유효합니다."
)

PROXY = "본인이 방문하기 어려운 경우 대리인이 계좌를 해지할 수 있나요?"
LOCKED = "비밀번호 오류는 어떻게 해제하나요?"


@pytest.mark.parametrize(
    ("question", "row_question", "text", "said"),
    [
        (
            "대리인이 앱으로 해지해도 되나요",
            PROXY,
            "네, 영업점에서 해지하실 수 있습니다. 대리인 해지는 앱과 고객센터에서는 처리되지 않습니다.",
            "대리인 해지는 앱과 고객센터에서는 처리되지 않습니다.",
        ),
        (
            "비밀번호 오류 해제 전화로 되나요",
            LOCKED,
            "앱에서 해제하실 수 있습니다.\n※ 고객센터 전화로는 해제가 불가능합니다.",
            "고객센터 전화로는 해제가 불가능합니다.",
        ),
        (
            "제 명의로 번호 바꿨는데 app에서 변경돼요?",
            "휴대폰번호는 어떻게 변경하나요?",
            "본인 명의의 번호는 앱에서 변경하실 수 있습니다.\n가족 등 타인 명의 휴대폰은 앱에서 변경할 수 없습니다.",
            "",
        ),
        (
            "한 은행 앱에 있는 OTP도 등록되나요",
            "타 은행 OTP도 등록할 수 있나요?",
            "네, 타 은행 카드형 OTP도 앱에서 등록하실 수 있습니다.\n※ 앱 내장형 OTP는 등록하실 수 없습니다.",
            "앱 내장형 OTP는 등록하실 수 없습니다.",
        ),
        (
            "앱에서 타 은행 OTP 등록되나요",
            "타 은행 OTP도 등록할 수 있나요?",
            "네, 타 은행 카드형 OTP도 앱에서 등록하실 수 있습니다.\n※ 앱 내장형 OTP는 등록하실 수 없습니다.",
            "",
        ),
    ],
)
def test_a_channel_and_the_subject_of_a_sentence(question: str, row_question: str, text: str, said: str) -> None:
    assert sentence_on_case(question, row_question, text) == said


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        ("청년우대형 적금도 만기 전에 중도해지할 수 있나요?", "다만 청년우대형은"),
        ("적금 중도해지 대리인도 되나요?", "대리인은 앱과"),
        ("적금 중도해지 대리인이 전화로 할 수 있나요", "대리인은 앱과"),
        ("담보로 잡힌 적금도 중도해지 돼요?", "담보로"),
        ("통장 없이 적금 만기 전에 중도해지되나요", "통장이 없는 경우"),
        ("적금 중도해지 번호로 내일 이체해도 되죠?", "이체 번호는"),
        ("적금 중도해지 이체는 하루 지나서 해도 되나", "이체 번호는"),
        # The row's own subject, a case that it allows, no yes-or-no question, and nothing that it states.
        ("적금 만기 전에 중도해지할 수 있나요?", ""),
        ("앱에서 적금 만기 전에 중도해지할 수 있나요?", ""),
        ("청년우대형 적금 중도해지 방법 알려줘", ""),
        ("외국인도 적금 중도해지 되나요", ""),
        ("전화로 적금 중도해지 돼요?", ""),  # What a sentence says of a proxy it does not say of the holder.
        ("제 명의 적금도 중도해지되나요", ""),
        ("통장 있으면 적금 만기 전에 중도해지되나요", ""),
        ("오늘 적금 중도해지되나요", ""),
    ],
)
def test_the_sentence_on_a_case_that_a_row_excludes(question: str, begins: str) -> None:
    sentence = sentence_on_case(question, TERMINATE, SAVINGS)
    assert sentence.startswith(begins) if begins else not sentence
    assert sentence in SAVINGS


def test_the_name_of_the_institution_names_no_case() -> None:
    text = "앱에서 됩니다.\n※ 나루은행 앱은 2025년부터 이용하실 수 없습니다."
    assert not sentence_on_case("나루 적금 중도해지 되나요", TERMINATE, text, "나루은행")
    assert sentence_on_case(
        "전화로 적금 중도해지 되나요 나루", TERMINATE, "앱에서 됩니다. 전화로는 안 됩니다.", "나루은행"
    )


def test_the_sentence_stands_before_the_quote_below_the_name() -> None:
    node = TextNode(id_="a", text=SAVINGS, metadata={"question": TERMINATE, "bank": "나루은행"})
    row = JudgedNode(node=node, score=0.9, parts={}, status="answered", quoted=True)
    question = "통장 없이 적금 만기 전에 중도해지되나요"
    shown = verbatim([row], Verdict("answered", None, (row,), (row,), 0.9, 0.9, question, names_banks=True))
    name, lead, rest = shown.split("\n", 2)
    sentence = "통장이 없는 경우 조회는 가능하나, 해지는 불가합니다."
    assert (name, lead) == ("나루은행", texts.frame("on_case", sentence=sentence))
    assert rest == f"{SAVINGS.removeprefix('네, ')} [1]"
    source = Source(1, "a", TERMINATE, SAVINGS, 0.9, metadata={"bank": "나루은행"})
    answer = Answer(question, shown, "answered", sources=(source,), cited=(1,))
    html = turn_html(Exchange(1, question, shown, (source,), answer), RenderOptions(KOREAN))
    assert f'<p class="lead">{lead}</p>' in html and html.count("passage-card") == 1
