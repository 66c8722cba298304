"""BM25 in process: Lucene's field lengths, a published BM25 as peer, and updates that equal a rebuild."""

from __future__ import annotations

import math
import random

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.korean import MAX_QUERY_TOKENS
from rag.stores.base import JAMO, TOKENS
from rag.stores.bm25 import LexicalIndex, field_tokens, query_tokens, stored_length
from tests.contract.reference import LUCENE_LENGTHS


def test_lengths_are_stored_as_lucene_does() -> None:
    lengths = np.arange(281)
    expected = [max(each for each in LUCENE_LENGTHS if each <= length) for length in lengths]
    assert stored_length(lengths).tolist() == expected
    # The steps of SmallFloat far out: byte4ToInt(255) is its largest value.
    assert stored_length(np.array([1000, 100_000, 2**31 - 1])).tolist() == [984, 98328, 2_013_265_944]


def test_all_of_lucenes_256_lengths_are_reached_and_kept() -> None:
    free = 24
    encoded = [*range(free), *(free + _int4_to_long(byte) for byte in range(256 - free))]
    assert len(set(encoded)) == 256
    assert stored_length(np.array(encoded)).tolist() == encoded
    assert stored_length(np.array(encoded[1:]) - 1).tolist() == encoded[:-1]


def _int4_to_long(byte: int) -> int:
    """SmallFloat's decoder of four significant bits."""
    bits, shift = byte & 7, (byte >> 3) - 1
    return bits if shift < 0 else (bits | 8) << shift


def test_scores_are_those_of_a_published_bm25() -> None:
    dice = random.Random(3)
    words = [f"w{i}" for i in range(60)]
    documents = [dice.choices(words, weights=range(1, 61), k=dice.randint(1, 40)) for _ in range(400)]
    peer = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    peer.index(documents, show_progress=False)
    index = LexicalIndex.build(documents)
    for _ in range(50):
        query = dice.sample(words, k=dice.randint(1, 12))
        theirs = peer.get_scores(query)
        found = np.array([sum(word in document for document in documents) for word in query])
        most = np.log1p((400 - found + 0.5) / (found + 0.5)).sum()
        assert index.coverage(query) * most == pytest.approx(theirs, rel=1e-5, abs=1e-6)


def test_coverage_is_a_share_of_all_terms_unknown_ones_too() -> None:
    index = LexicalIndex.build([["a", "b"], ["a"], []])
    assert index.coverage(["zz"]).tolist() == [0, 0, 0]
    assert index.coverage([]).tolist() == [0, 0, 0]
    # Two documents: a row without tokens counts for nothing, as in Lucene. Mean length 1.5.
    b, zz = math.log(1 + 1.5 / 1.5), math.log(1 + 2.5 / 0.5)
    saturation = 1.2 * (0.25 + 0.75 * 2 / 1.5)
    assert index.coverage(["b", "zz"]).tolist() == pytest.approx([b / (1 + saturation) / (b + zz), 0, 0], rel=1e-6)


def test_an_index_of_nothing_covers_nothing() -> None:
    assert LexicalIndex.build([]).coverage(["a"]).tolist() == []
    assert LexicalIndex.build([[], []]).coverage(["a"]).tolist() == [0, 0]


_documents = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=12), max_size=12)


@given(_documents, _documents, st.randoms(use_true_random=False))
def test_an_update_equals_a_rebuild(old: list[list[str]], new: list[list[str]], dice: random.Random) -> None:
    kept = np.array([dice.random() < 0.6 for _ in old], np.bool_)
    updated = LexicalIndex.build(old).updated(kept, new)
    rebuilt = LexicalIndex.build([document for document, stays in zip(old, kept, strict=True) if stays] + new)
    for query in (["a"], ["g", "b", "zz"], list("gfedcba")):
        assert updated.coverage(query).tolist() == rebuilt.coverage(query).tolist()


def test_what_each_field_holds() -> None:
    assert field_tokens(TOKENS, {"question": "이체한도"}, "OTP 10원") == ["이체", "체한", "한도", "otp", "10", "원"]
    assert field_tokens(JAMO, {"question": "가"}, "나") == []
    assert field_tokens(JAMO, {"question": "간"}, "나") == ["\u1100\u1161\u11ab"]
    assert field_tokens(TOKENS, {"question": 5}, "가나") == ["가나"]
    assert field_tokens(JAMO, {}, "가나다") == []
    phrased = {"question": "이체한도", "phrasing": "한도 올리기"}
    assert field_tokens(TOKENS, phrased, "영업점") == ["한도", "올리", "리기"]
    assert field_tokens(JAMO, phrased, "영업점") == field_tokens(JAMO, {"question": "한도 올리기"}, "")


def test_a_query_has_distinct_terms_and_a_limit() -> None:
    assert query_tokens("이체 이체한도") == {
        TOKENS: ["이체", "체한", "한도"],
        JAMO: query_tokens("이체 이체한도")[JAMO],
    }
    long = "".join(chr(0xAC00 + i) for i in range(3000))
    assert {field: len(terms) for field, terms in query_tokens(long).items()} == {
        TOKENS: MAX_QUERY_TOKENS,
        JAMO: MAX_QUERY_TOKENS,
    }
