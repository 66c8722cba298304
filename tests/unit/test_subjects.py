"""The products that an index's own rows begin with: a row on one is no answer on another."""

from __future__ import annotations

from dataclasses import replace

import pytest
from llama_index.core.schema import TextNode

from rag.conversation.word_rules import content_words
from rag.retrieval.confidence import Calibration, defaults, judge
from rag.retrieval.hybrid import DENSE, FusedNode
from rag.retrieval.offering import Wording
from rag.retrieval.ranking import subjects_not_in
from rag.retrieval.subjects import first_word, other_subject, subjects_of
from rag.stores.base import JAMO, TOKENS

ROWS = (
    ("정수기 렌탈", "정수기를 렌탈하면 필터는 얼마마다 교체하나요?", "정수기 필터는 4개월마다 교체해 드립니다."),
    ("정수기 렌탈", "정수기를 이전 설치하려면 비용이 얼마인가요?", "이전 설치는 3만원입니다."),
    ("침대 렌탈", "침대를 렌탈하면 의무 사용 기간은 얼마인가요?", "침대의 의무 사용 기간은 6년입니다."),
    ("침대 렌탈", "전동침대의 이전 설치는 어떻게 신청하나요?", "고객센터에서 예약하시면 됩니다."),
    ("침대 렌탈", "침대 매트리스 청소를 받을 수 있나요?", "연 3회 방문하여 청소해 드립니다."),
    ("납부", "렌탈료 결제일을 변경하려면 어떻게 하나요?", "앱에서 변경하실 수 있습니다."),
)
SUBJECTS = subjects_of((question, category) for category, question, _ in ROWS)


def hits(*numbers: int) -> list[FusedNode]:
    """Rows by their place, the first ahead of the others."""
    return [
        FusedNode(
            node=TextNode(
                id_=str(number),
                text=ROWS[number][2],
                metadata={"question": ROWS[number][1], "category": ROWS[number][0]},
            ),
            score=6.0 - place,
            parts={DENSE: 0.9, TOKENS: 0.5, JAMO: 0.3},
        )
        for place, number in enumerate(numbers)
    ]


def test_what_several_rows_begin_with_is_a_subject() -> None:
    assert {"정수기", "침대"} == SUBJECTS
    assert subjects_of([("카드 분실", ""), ("카드 한도", ""), ("통장 분실", "")]) == frozenset(), (
        "two rows, no category"
    )
    assert subjects_of([("카드 분실", ""), ("카드 한도", ""), ("체크카드 만들기", "")]) == {"카드"}
    assert subjects_of([("카드 분실", "카드"), ("카드 분실", "카드")]) == frozenset(), "one row in two nodes"


@pytest.mark.parametrize(
    ("question", "word"),
    [("전동침대의 이전", "전동침대"), ("OTP를 잃어", "otp"), ("은행 점", "은행"), ("", ""), ("?", "")],
)
def test_first_words(question: str, word: str) -> None:
    assert first_word(question) == word


@pytest.mark.parametrize(
    ("question", "rows", "word"),
    [
        ("침대 필터 교체 주기", (0, 2), "침대"),
        ("침대는 이전설치 비용이 얼마예요", (1, 3), "침대"),
        ("정수기 의무 사용 기간", (2, 0), "정수기"),
        ("정수기 필터 교체 주기", (0, 2), None),
        ("침대 이전 설치 신청", (3, 1), None),
        ("침대 결제일 변경", (5, 2), None),
        ("침대랑 같이 쓰는 정수기 필터 언제 바꿔요", (0, 2), None),
        ("공기청정기 필터 교체 주기", (0, 2), None),
        ("어제 침대 옮기다가 물이 새서 그런데 정수기 이전 설치 비용 얼마 정도 나올까요", (1, 3), None),
    ],
)
def test_a_row_on_another_subject_is_none(question: str, rows: tuple[int, ...], word: str | None) -> None:
    named = subjects_not_in(hits(*rows)[0], content_words(question), SUBJECTS)
    conflict, _ = other_subject(question, named, hits(*rows), SUBJECTS)
    assert (conflict.asked if conflict else None) == word


def test_the_subjects_own_rows_are_offered_beside_it() -> None:
    _, ordered = other_subject("침대 필터 교체 주기", ("침대",), hits(0, 1, 5, 2, 3), SUBJECTS)
    assert [hit.node.node_id for hit in ordered[:3]] == ["0", "2", "3"]


def test_what_it_keeps_from_being_answered() -> None:
    eager = replace(defaults(), answered=0.0, suggested=0.0, off_topic=0.0)

    def status(question: str, calibration: Calibration) -> str:
        wording = Wording(content_words(question), about_banking=True)
        return judge(question, hits(0, 2, 3), calibration, wording=wording).status

    knows = replace(eager, subjects=SUBJECTS)
    assert status("침대 필터 교체 주기", eager) == "answered"
    assert status("침대 필터 교체 주기", knows) == "suggested"
    assert status("정수기 필터 교체 주기", knows) == "answered"


def test_an_index_from_before_reads_its_rows_again() -> None:
    kept = replace(defaults(), subjects=SUBJECTS, lexicon="today")
    assert Calibration.from_json(kept.as_json()) == kept
    earlier = {name: value for name, value in kept.as_json().items() if name != "subjects"}
    assert Calibration.from_json(earlier).lexicon == ""
