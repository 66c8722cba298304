"""The tokenizer gives the same ids as the engine of its weights, and accepts any text."""

from __future__ import annotations

import random
import sys
import unicodedata
from typing import Any

import pytest

from rag.models.e5.tokenizer import MAX_PIECE_LENGTH, SPECIAL, Tokenizer
from rag.models.e5.weights import Weights, load
from tests.record_e5 import pieces, recorded, vocabulary_digests

EXPANSION = 18
"""Characters that the normalisation makes of one at most."""


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load()


@pytest.fixture(scope="module")
def tokenizer(weights: Weights) -> Tokenizer:
    return Tokenizer(weights)


@pytest.fixture(scope="module")
def reference() -> Any:
    return recorded()


def test_two_thousand_texts_have_the_engines_ids(tokenizer: Tokenizer, reference: Any) -> None:
    assert len(reference["texts"]) == 2000
    assert [text for text, ids in reference["texts"] if tokenizer.encode(text) != ids] == []


def test_every_piece_of_the_vocabulary_has_the_engines_ids(tokenizer: Tokenizer, reference: Any) -> None:
    digests = vocabulary_digests(tokenizer.encode, pieces())
    assert len(digests) > 1000
    assert [number for number, digest in enumerate(digests) if digest != reference["vocabulary"][number]] == []


@pytest.mark.parametrize("name", SPECIAL)
def test_names_of_special_tokens_are_plain_text(tokenizer: Tokenizer, weights: Weights, name: str) -> None:
    special = {weights.pieces.index(token.encode()) for token in SPECIAL}
    for text in (name, f"계좌{name}해지", f"한도 {name} 조회"):
        ids = tokenizer.encode(text)
        assert not special & set(ids)
        assert joined(weights, ids) == tokenizer.normalise(text)


def test_ids_spell_the_text(tokenizer: Tokenizer, weights: Weights, reference: Any) -> None:
    for text, ids in reference["texts"][:300]:
        if weights.header.unk not in ids:
            assert joined(weights, ids) == tokenizer.normalise(text)


def joined(weights: Weights, ids: list[int]) -> str:
    return b"".join(weights.pieces[number] for number in ids).decode()


def test_unknown_characters_are_one_token_each(tokenizer: Tokenizer, weights: Weights) -> None:
    unknown = "\U00010900\U00010901"  # Phoenician
    assert tokenizer.encode(unknown).count(weights.header.unk) == 2


@pytest.mark.parametrize("text", ["한도를 올리고 싶어요", "é ñ ü", "서울특별시"])
def test_composed_and_decomposed_texts_are_the_same(tokenizer: Tokenizer, text: str) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert decomposed != text
    assert tokenizer.encode(decomposed) == tokenizer.encode(text)


def test_every_code_point_is_tokenised_within_the_bound(tokenizer: Tokenizer, weights: Weights) -> None:
    size = 997
    for start in range(0, sys.maxunicode + 1, size):
        check(tokenizer, weights, "".join(map(chr, range(start, min(start + size, sys.maxunicode + 1)))))


def test_random_strings_are_tokenised_within_the_bound(tokenizer: Tokenizer, weights: Weights) -> None:
    drawn = random.Random(7)
    ranges = [(0, 0x7F), (0, 0x10FFFF), (0xAC00, 0xD7A3), (0x1100, 0x11FF), (0x300, 0x36F), (0xFB00, 0xFFFF)]
    for _ in range(10_000):
        chosen = drawn.sample(ranges, drawn.randint(1, 3))
        points = (drawn.randint(*drawn.choice(chosen)) for _ in range(drawn.randint(0, 60)))
        check(tokenizer, weights, "".join(map(chr, points)))


def check(tokenizer: Tokenizer, weights: Weights, text: str) -> None:
    ids = tokenizer.encode(text)
    assert 1 <= len(ids) <= len(tokenizer.normalise(text)) <= EXPANSION * len(text) + 1
    assert all(0 <= number < len(weights.pieces) for number in ids)


@pytest.mark.parametrize("text", ["가" * 5000, "ﷺ" * 3000, " " * 5000 + "한도", "a" * 5000, "한도 조회 " * 2000])
def test_a_bound_on_characters_keeps_the_first_tokens(tokenizer: Tokenizer, text: str) -> None:
    tokens = 60
    bounded = tokenizer.encode(text, characters=tokens * MAX_PIECE_LENGTH)
    assert len(bounded) <= tokens * MAX_PIECE_LENGTH
    if " 조회 " in text:  # words: only the last may be cut, and spelled in another way
        assert len(bounded) > tokens
        assert bounded[:tokens] == tokenizer.encode(text)[:tokens]


def test_the_longest_piece_is_as_long_as_stated(weights: Weights) -> None:
    assert max(len(piece.decode()) for piece in weights.pieces) == MAX_PIECE_LENGTH
