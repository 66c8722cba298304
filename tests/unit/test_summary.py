"""One sentence of a row for a question: the model's where the row states it, else the row's own."""

from __future__ import annotations

import pytest

from rag.errors import ModelUnavailable
from rag.models.cancellation import CancelScope
from rag.synthesis.summary import Summarizer
from rag.synthesis.texts import SUMMARIZING
from tests.fakes_llm import Said, ScriptedLLM

TEXT = "가온 앱에서 신청하십시오. 1일 한도는 최고 5억 원입니다.\n휴일에는 신청하실 수 없습니다."
PASSAGE = f"가온은행\n이체한도를 늘리려면 어떻게 해야 하나요?\n{TEXT}"
QUESTION = "1일 한도가 최고 얼마예요?"
OWN = "1일 한도는 최고 5억 원입니다."


def summarize(llm: ScriptedLLM | None) -> tuple[str, bool]:
    return Summarizer(llm).summarize(QUESTION, PASSAGE, TEXT, CancelScope(20))


def test_without_a_model_the_rows_own_sentence_is_the_summary() -> None:
    assert summarize(None) == (OWN, False)


def test_a_model_sums_up_the_row_for_the_question() -> None:
    llm = ScriptedLLM([" 가온은행의 1일 한도는 ", "5억원입니다. [1] 그 밖에도 많습니다."])
    assert summarize(llm) == ("가온은행의 1일 한도는 5억원입니다.", True)
    ((system, user),) = llm.messages
    assert system.content == SUMMARIZING and user.content and user.content.endswith(f"질문: {QUESTION}")


@pytest.mark.parametrize(
    "said",
    [
        ["1일 한도는 최고 6억 원입니다."],
        ["휴일에도 신청하실 수 있습니다."],
        [SUMMARIZING],
        ["<b>1일 한도는 최고 5억 원입니다.</b>"],
        ["1일 한도는 " * 300],
        [""],
        ["[1]"],
        ["1일 한도는 ", ModelUnavailable("gone")],
    ],
)
def test_what_the_row_does_not_state_is_no_summary(said: list[Said]) -> None:
    assert summarize(ScriptedLLM(said)) == (OWN, False)
