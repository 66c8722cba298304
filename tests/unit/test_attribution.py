"""Whose a model's statement is: the program names the institution before each sentence that does not name it itself."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.synthesis.attribution import Attribution
from rag.synthesis.release import SentenceRelease
from rag.synthesis.texts import ANSWERING
from rag.synthesis.verification import RuleVerifier
from rag.types import Answer

GAON, NARU = "가온은행", "나루증권"
PASSAGES = {
    1: "이체 수수료는 건당 500원입니다. 앱에서 신청하실 수 있습니다.",
    2: "이체 수수료는 건당 900원입니다. 휴일에는 신청하실 수 없습니다.",
    3: "등록하신 우대고객은 이체 수수료가 면제됩니다.",
    4: "일련번호는 카드 뒷면에 있습니다.",
}
BANKS = {1: GAON, 2: NARU, 3: GAON, 4: ""}
FEE, FREE, OTHER = "이체 수수료는 500원입니다. [1]", "우대고객은 면제됩니다. [3]", "이체 수수료는 900원입니다. [2]"


def release(text: str, cuts: list[int] | None = None, banks: dict[int, str] = BANKS) -> SentenceRelease:
    """The release after the whole text, character by character or cut at these offsets."""
    sources = {number: f"{BANKS[number]}\n이체 수수료\n{passage}" for number, passage in PASSAGES.items()}
    released = SentenceRelease(
        sources, RuleVerifier(), instruction=ANSWERING, approved=PASSAGES, institutions=banks or None
    )
    bounds = range(len(text) + 1) if cuts is None else sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    shown = "".join(released.feed(text[start:end]) for start, end in pairwise(bounds))
    assert shown + released.end() == released.text
    return released


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (FEE, f"{GAON}\n{FEE}"),
        (f"{FEE} {FREE} {OTHER}", f"{GAON}\n{FEE} {FREE}\n\n{NARU}\n{OTHER}"),
        (f"{FEE}\n{OTHER}\n{FREE}", f"{GAON}\n{FEE}\n\n{NARU}\n{OTHER}\n\n{GAON}\n{FREE}"),
        (f"- {FEE}\n- {FREE}\n- {OTHER}", f"{GAON}\n- {FEE}\n- {FREE}\n\n{NARU}\n- {OTHER}"),
        (f"{GAON}의 {FEE} {FREE}\n{NARU}은 {OTHER}", None),
        (f"{GAON}\n- {FEE}\n\n{NARU}\n- {OTHER}", None),
        (
            "수수료가 500원입니다. 앱에서 신청하실 수 있습니다. [1]",
            f"{GAON}\n수수료가 500원입니다. 앱에서 신청하실 수 있습니다. [1]",
        ),
        (
            "이체 수수료는 900원이고 [2], 우대고객은 면제됩니다. [3]",
            f"{NARU} [2], {GAON} [3]\n이체 수수료는 900원이고 [2], 우대고객은 면제됩니다. [3]",
        ),
        (f"{FEE} 일련번호는 카드 뒷면에 있습니다. [4]", f"{GAON}\n{FEE}\n\n일련번호는 카드 뒷면에 있습니다. [4]"),
        (f"{FEE} {OTHER} 감사합니다.", f"{GAON}\n{FEE}\n\n{NARU}\n{OTHER} 감사합니다."),
    ],
    ids=("one", "two", "back", "list", "named", "own titles", "cited by the next", "mixed", "none", "courtesy"),
)
def test_a_sentence_has_its_institutions_name(said: str, shown: str | None) -> None:
    assert release(said).text == (shown or said)


def test_a_sentence_without_a_citation_is_of_the_one_that_states_it() -> None:
    assert release(f"{FEE} {OTHER} 휴일에는 신청하실 수 없습니다.").text.endswith(
        f"{NARU}\n{OTHER} 휴일에는 신청하실 수 없습니다."
    )
    assert release(f"{OTHER} {FEE} 휴일에는 신청하실 수 없습니다.").text.endswith(
        f"{NARU}\n휴일에는 신청하실 수 없습니다."
    )
    # What only the two together state is neither's.
    mixed = release(f"{FEE} {OTHER} 이체 수수료는 500원이고 휴일에는 900원입니다.")
    assert mixed.text == f"{GAON}\n{FEE}\n\n{NARU}\n{OTHER}"
    assert mixed.notice == "withheld"


@pytest.mark.parametrize(
    ("sentence", "before"),
    [
        ("나루증권 말고 가온은행에서 하시면 500원입니다.", ""),
        ("가온 은행은 500원입니다.", ""),
        ("가온뱅크 앱에서 500원입니다.", f"{GAON}\n"),
        ("나루증권보다 쌉니다.", f"{GAON}\n"),
        ("가온은행으로 이체하시면 500원입니다.", f"{GAON}\n"),
    ],
    ids=("not the other", "spaced", "an app", "the other", "where money goes"),
)
def test_what_names_the_institution(sentence: str, before: str) -> None:
    assert Attribution(BANKS).before("", sentence, (1,)) == before


def test_a_replacement_has_its_institutions_name() -> None:
    released = release(f"{FEE} 이체 수수료는 700원입니다. [2]")
    assert released.text == f"{GAON}\n{FEE}\n\n{NARU}\n이체 수수료는 건당 900원입니다. [2]"
    assert [each.is_replacement for each in released.support] == [False, False, True]


def test_sentences_keep_their_offsets() -> None:
    released = release(f"{FEE} {OTHER} {FREE}")
    answer = Answer("수수료", released.text, "answered", generated=True, support=tuple(released.support))
    spans = answer.sentence_spans()
    assert [released.text[span[0] : span[1]] for span in spans if span] == [FEE, OTHER, FREE]


@given(st.lists(st.integers(0, 200), max_size=12))
def test_it_is_the_same_wherever_the_text_is_cut(cuts: list[int]) -> None:
    text = f"네, 알려 드립니다. {FEE}\n- {OTHER}\n- {FREE} 휴일에는 신청하실 수 없습니다."
    assert release(text, cuts).text == release(text, []).text


def test_an_index_of_one_institution_names_none() -> None:
    assert release(f"{FEE} {OTHER}", banks={}).text == f"{FEE} {OTHER}"
