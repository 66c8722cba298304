"""The extractive model cites sentences of the right source, whatever the prompt looks like."""

from __future__ import annotations

import pytest

from deploy.local.extractive import NO_ANSWER, answer

SOURCES = """[1] 이체한도를 늘리고 싶어요
이체한도는 앱의 전체메뉴에서 늘릴 수 있습니다. 하루 최대 5억원입니다.
[2] OTP를 분실하였을 경우 어떻게 해야 하나요?
은행: 새나래은행
고객센터 1500-0101로 먼저 신고해 주세요. 재발급은 앱에서 무료입니다."""
EXPECTED = "고객센터 1500-0101로 먼저 신고해 주세요. [2] 재발급은 앱에서 무료입니다. [2]"
KULLM = "요청을 적절히 완료하는 응답을 작성하세요.\n\n### 명령어:\n{}\n\n### 입력:\n{}\n\n### 응답:\n"


@pytest.mark.parametrize(
    "prompt",
    [
        f"자료로만 답하고 번호를 [n]으로 쓰세요.\n\n{SOURCES}\n\n질문: OTP를 분실했어요",
        f"질문: OTP를 분실했어요\n\n{SOURCES}",
        f"자료로만 답하세요.\n{SOURCES}\n\n고객: OTP를 분실했어요",
        KULLM.format("자료로만 답하세요.", f"{SOURCES}\n\n질문: OTP를 분실했어요"),
        KULLM.format("질문: OTP를 분실했어요", SOURCES),
        f"### 자료\n{SOURCES}\n\n### 질문\nOTP를 분실했어요",
    ],
)
def test_the_source_that_fits_the_question_is_quoted_and_cited(prompt: str) -> None:
    assert answer(prompt) == EXPECTED


def test_another_question_has_another_source() -> None:
    assert answer(f"{SOURCES}\n\n질문: 이체한도를 늘려 주세요").startswith(
        "이체한도는 앱의 전체메뉴에서 늘릴 수 있습니다. [1]"
    )


def test_sources_that_fit_alike_are_both_cited() -> None:
    both = "[1] 수수료는 무료입니다.\n[4] 수수료는 무료이며 앱에서 면제됩니다."
    assert answer(f"{both}\n\n질문: 수수료는?") == "수수료는 무료입니다. [1] 수수료는 무료이며 앱에서 면제됩니다. [4]"


def test_a_follow_up_is_condensed_with_what_came_before() -> None:
    talk = "고객: OTP를 분실했어요.\n상담원: 신고해 주세요.\n고객: 수수료는요?"
    assert (
        answer(KULLM.format("대화의 마지막 말을 독립된 질문으로 다시 쓰세요.", talk)) == "OTP를 분실했어요 수수료는요?"
    )


def test_a_text_without_sources_is_shortened() -> None:
    text = "예금은 보호됩니다. 한도는 5천만원입니다. 나머지는 보호되지 않습니다."
    assert answer(KULLM.format("다음 글을 요약해 주세요.", text)) == "예금은 보호됩니다. 한도는 5천만원입니다."


@pytest.mark.parametrize("prompt", ["", "\n", "?", "[1]\n\n질문: 가"])
def test_an_answer_without_text_is_reported(prompt: str) -> None:
    assert answer(prompt) == NO_ANSWER
