"""One sentence of a row for a question: the model's where the row states it, else the row's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.errors import ModelUnavailable
from rag.models.cancellation import CancelScope
from rag.synthesis.summary import Summarizer
from rag.synthesis.texts import SUMMARIZING
from rag.types import Source
from tests.fakes_llm import Said, ScriptedLLM

TEXT = "가온 앱에서 신청하십시오. 1일 한도는 최고 5억 원입니다.\n휴일에는 신청하실 수 없습니다."
ROW = Source(1, "gaon-1", "이체한도를 늘리려면 어떻게 해야 하나요?", TEXT, 0.9, {"bank": "가온은행"})
QUESTION = "1일 한도가 최고 얼마예요?"
OWN = "1일 한도는 최고 5억 원입니다."


def summarize(llm: ScriptedLLM | None, source: Source = ROW) -> tuple[str, bool]:
    summarized = Summarizer(llm).summarized(QUESTION, source, CancelScope(20))
    return summarized.summary, summarized.summary_generated


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


def test_a_passage_with_a_doubted_value_is_not_put_in_a_models_words() -> None:
    llm = ScriptedLLM(["1일 한도는 최고 5억 원입니다."])
    assert summarize(llm, replace(ROW, metadata={"uncertain": "5억 원"})) == (OWN, False)
    assert not llm.messages
