"""What of a model's answer is released, wherever its pieces are cut: never a sentence that its source does not state."""

from __future__ import annotations

import csv
import random
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.datasets import Claim, read_claims
from rag.synthesis.release import SentenceRelease
from rag.synthesis.texts import ANSWERING
from rag.synthesis.verification import RuleVerifier

SOURCES = {
    1: "가온은행\n이체한도는 얼마인가요?\n1일 이체한도는 최고 5억원입니다. 앱에서 신청하실 수 있습니다. 문의 1500-1111",
    2: "나루증권\n수수료는 얼마인가요?\n이체 수수료는 건당 500원입니다. 휴일에는 신청하실 수 없습니다.",
}
CLAIMS = Path(__file__).parents[2] / "data" / "evaluation" / "claims.dev.jsonl"
NUMBERS = [claim for claim in read_claims(CLAIMS) if claim.type in ("number", "unit", "date", "direction")]
MIXED = (
    "네, 알려 드립니다. 1일 이체한도는 6억원입니다. [1] 이체 수수료는 건당 500원입니다.[2]\n"
    "앱에서 신청하실 수 있습니다 [1]. 감사합니다."
)


def release(text: str, cuts: list[int] | None = None, sources: dict[int, str] | None = None) -> SentenceRelease:
    """The release after the whole text, cut at these offsets, or character by character; what it returned is its text."""
    released = SentenceRelease(sources or SOURCES, RuleVerifier(), instruction=ANSWERING)
    bounds = (
        list(range(len(text) + 1)) if cuts is None else sorted({0, len(text), *(c % (len(text) + 1) for c in cuts)})
    )
    shown = ""
    for start, end in pairwise(bounds):
        shown += released.feed(text[start:end])
        if released.stopped:
            return released
    shown += released.end()
    assert released.stopped or shown == released.text
    return released


@pytest.mark.parametrize(
    ("said", "shown", "notice"),
    [
        ("1일 이체한도는 5억원입니다. [1]", "1일 이체한도는 5억원입니다. [1]", None),
        ("1일 이체한도는 6억원입니다. [1] 수수료는 500원입니다. [2]", "수수료는 500원입니다. [2]", "withheld"),
        ("1일 이체한도는 5억원입니다. 앱에서 신청하실 수 있습니다. [1]", None, None),
        ("1일 이체한도는 5억원입니다. [2]", "", "withheld"),
        ("1일 이체한도는 5억원입니다. [7]", "", "uncited"),
        ("[1]", "", "uncited"),
        ("1. [1]\n2. [2]", "", "uncited"),
        ("[1] 금융회사: 가온은행\n[1] 제목: 이체한도\n질문: 한도는? [1]", "", "uncited"),
        ("[1] 금융회사: 가온은행\n수수료는 500원입니다. [2]", "수수료는 500원입니다. [2]", None),
        ("자료에서 답을 찾을 수 없습니다.", "", "uncited"),
        ("", "", "model_unavailable"),
    ],
)
def test_what_is_released(said: str, shown: str | None, notice: str | None) -> None:
    released = release(said)
    assert (released.text, released.notice) == (said if shown is None else shown, notice), released.support


@given(st.lists(st.integers(0, 200), max_size=12))
def test_it_is_the_same_wherever_the_text_is_cut(cuts: list[int]) -> None:
    released, whole = release(MIXED, cuts), release(MIXED, [])
    assert (released.text, released.cited, released.notice) == (whole.text, whole.cited, whole.notice)
    assert released.support == whole.support
    assert "6억" not in released.text and released.cited == (1, 2)


@pytest.mark.parametrize("claim", NUMBERS, ids=[claim.id for claim in NUMBERS])
def test_no_false_number_is_released_from_any_stream(claim: Claim) -> None:
    text = f"{claim.sentence} [1] {claim.sentence.rstrip('.')} [1]. 감사합니다."
    rng = random.Random(claim.id)
    for _ in range(2):
        assert release(text, [rng.randrange(len(text)) for _ in range(8)], {1: claim.passages[0]}).text == ""


@pytest.mark.parametrize(
    ("said", "notice"),
    [
        (ANSWERING, "withheld"),
        (f"1일 이체한도는 5억원입니다. [1] {ANSWERING[30:90]}", "withheld"),
        ("<think>5억원이다 [1].</think> 5억원입니다 [1].", "withheld"),
        ("5억원입니다 [1]. <img src=x>", "withheld"),
        ("```5억원입니다 [1].```", "withheld"),
        ("https://gaon.evil.example 에서 신청하실 수 있습니다. [1]", "withheld"),
        ("1588-0000으로 신청하실 수 있습니다. [1]", "withheld"),
        ("1일 이체한도는 5억원입니다. [1] " * 4, "interrupted"),
        ("앱에서 " * 400, "interrupted"),
        ("".join(f"가{number}나" for number in range(400)), "interrupted"),
    ],
)
def test_what_no_answer_may_hold_ends_it(said: str, notice: str) -> None:
    released = release(said)
    assert released.stopped
    assert (released.text, released.notice, released.cited) == ("", notice, ())


def test_the_sources_own_numbers_may_stand() -> None:
    assert release("문의는 1500-1111로 하실 수 있습니다. [1]").stopped == ""


def test_every_bundled_row_may_be_quoted_whole() -> None:
    faq = Path(__file__).parents[2] / "data" / "faq"
    texts = [file.read_text(encoding="utf-8") for file in sorted(faq.glob("*.csv"))]
    rows = [row for text in texts for row in csv.DictReader(StringIO(text, newline=""))]
    withheld = {
        row["id"]: released.support
        for row in rows
        if (
            released := release(f"{row['answer']} [1]", [], {1: f"{row['bank']}\n{row['question']}\n{row['answer']}"})
        ).notice
    }
    assert len(rows) > 300 and withheld == {}
