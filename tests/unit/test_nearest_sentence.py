"""Tests of `rag.conversation.nearest_sentence`, and of what it adds to the sentences found by their words."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from llama_index.core.base.embeddings.base import BaseEmbedding

from rag.conversation.nearest_sentence import AHEAD, NEAR, nearest, no_similarities, similarities_of
from rag.conversation.shown_sentences import sentence_for
from rag.errors import ModelUnavailable
from rag.models.local_embedding import LocalEmbedding
from rag.retrieval.confidence import defaults

QUESTION = "전기자전거 보험에 가입하려면 어떻게 하나요?"
ANSWER = (
    "만 19세 이상이면 앱에서 가입하실 수 있습니다. 보험료는 연 4만 5천원입니다.\n"
    "※ 중고로 산 자전거는 구매 영수증을 함께 올려 주십시오.\n"
    "※ 배달에 쓰는 자전거는 가입하실 수 없습니다.\n"
    "※ 가입한 날의 다음 날 0시부터 보장되며, 잃어버린 열쇠는 보장하지 않습니다."
)


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ("배달 알바하는데 들 수 있나요", "배달에 쓰는"),
        ("열쇠 잃어버린 것까지 보장해 줘요?", "잃어버린 열쇠"),
        ("영수증 안 올리면 어떻게 돼요?", ""),
        ("가족 할인 받을 수 있나요", ""),
        ("오늘 비 오나요", ""),
        ("수수료 내나요", ""),
        ("배달 알바하는데 왜 안 돼요", ""),
    ],
)
def test_a_sentence_is_found_by_its_meaning_or_none_is(message: str, part: str) -> None:
    similarities = similarities_of(LocalEmbedding(), defaults(), None)
    sentence = sentence_for(message, QUESTION, QUESTION, ANSWER, similarities)
    assert part in sentence if part else not sentence


def test_without_embeddings_only_words_count() -> None:
    assert sentence_for("배달 알바하는데 들 수 있나요", QUESTION, QUESTION, ANSWER, no_similarities) == ""


def test_the_nearest_must_be_near_and_ahead() -> None:
    assert nearest([NEAR + AHEAD, NEAR]) == 0
    assert nearest([NEAR + AHEAD / 2, NEAR]) is None
    assert nearest([NEAR - 0.1, NEAR - 2 * AHEAD]) is None
    assert nearest([]) is None


class Failing(BaseEmbedding):
    """An embedding model that cannot be reached."""

    def _get_query_embedding(self, query: str) -> list[float]:
        raise ModelUnavailable("no connection")

    async def _aget_query_embedding(self, query: str) -> list[float]:
        raise ModelUnavailable("no connection")

    def _get_text_embedding(self, text: str) -> list[float]:
        raise ModelUnavailable("no connection")


def test_a_failing_embedding_leaves_the_words() -> None:
    assert similarities_of(Failing(), defaults(), None)("배달", ["하나", "둘"]) == ()
    assert similarities_of(None, defaults(), None)("배달", ["하나", "둘"]) == ()


@pytest.mark.parametrize(
    ("message", "before", "answer"),
    [
        # "까지" names a limit only beside a value of its kind.
        (
            "한도는",
            "결제일을 바꾸려면?",
            "결제일은 앱에서 바꾸십니다. 결제일 당일까지는 청구 작업으로 변경이 제한됩니다.",
        ),
        # Whose clock it is: the sentence is not on that country.
        ("한국은", "미국주식 거래시간", "정규장은 한국시간 23:30에 시작됩니다. 휴장일에는 주문이 되지 않습니다."),
    ],
)
def test_a_sentence_that_shares_a_word_in_another_sense_states_nothing(message: str, before: str, answer: str) -> None:
    assert sentence_for(message, before, before, answer) == ""


def test_a_limit_is_named_by_its_value() -> None:
    answer = "앱에서 바꾸십니다. 하루 500만원까지 보내실 수 있습니다."
    assert sentence_for("한도는", "이체 설정을 바꾸려면?", "이체 설정을 바꾸려면?", answer).startswith("하루 500만원")


@pytest.mark.parametrize(
    ("message", "is_quoted"),
    [
        ("자전거 배달 되나요", True),
        ("자전거 번역 좀 해줘", False),
        ("자전거 할부로 살 수 있나요", False),
        ("자전거 수레를 달아도 되나요", False),
    ],
)
def test_a_thing_that_the_sentence_does_not_name_is_not_passed_over_however_far_ahead(
    message: str, is_quoted: bool
) -> None:
    def third_is_nearest(text: str, sentences: Sequence[str]) -> list[float]:
        return [NEAR + 10.0 if "배달에" in each else 0.0 for each in sentences]

    assert bool(sentence_for(message, "가입하려면 어떻게 하나요?", QUESTION, ANSWER, third_is_nearest)) is is_quoted


def test_a_sentence_that_holds_nothing_of_what_is_named_is_not_quoted_however_far_ahead() -> None:
    def first_is_nearest(text: str, sentences: Sequence[str]) -> list[float]:
        return [NEAR + 10.0, *(0.0 for _ in sentences[1:])]

    assert sentence_for("신용점수에 영향 있나요", QUESTION, QUESTION, ANSWER, first_is_nearest) == ""


def test_of_sentences_that_name_a_thing_the_one_about_it_answers() -> None:
    question = "안내장을 다시 받을 수 있나요?"
    answer = "앱에서 즉시 받으시거나 고객센터에 등기 발송을 요청하십니다. 등기는 4영업일 정도 걸립니다."
    found = sentence_for("등기는 며칠 걸려요", question, question, answer, lambda message, texts: [-2.5, -2.6])
    assert found == "등기는 4영업일 정도 걸립니다."


def test_a_condition_is_stated_by_a_sentence_that_holds_it() -> None:
    question = "인증서는 어떻게 발급하나요?"
    issued, lost = "계좌 비밀번호를 입력하고 발급합니다.", "비밀번호를 분실하시면 영업점에서 재등록합니다."
    assert sentence_for("비밀번호 까먹으면요?", question, question, issued) == ""
    assert sentence_for("비밀번호 까먹으면요?", question, question, f"{issued} {lost}") == lost
    assert sentence_for("계좌 비밀번호였으면요?", question, question, issued) == issued
