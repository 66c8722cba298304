"""Hangul syllables are taken apart into letters and put together again."""

from __future__ import annotations

import unicodedata

import pytest

from rag.korean import compose, decompose, is_syllable


def test_every_syllable_is_composed_of_its_letters() -> None:
    syllables = [chr(code) for code in range(ord("가"), ord("힣") + 1)]
    assert [compose(*decompose(syllable)) for syllable in syllables] == syllables
    # NFKD has the same letters, as conjoining jamo.
    assert all(
        len("".join(decompose(syllable))) == len(unicodedata.normalize("NFKD", syllable)) for syllable in syllables
    )


@pytest.mark.parametrize(
    ("syllable", "letters"), [("한", ("ㅎ", "ㅏ", "ㄴ")), ("쉬", ("ㅅ", "ㅟ", "")), ("값", ("ㄱ", "ㅏ", "ㅄ"))]
)
def test_letters_of_a_syllable(syllable: str, letters: tuple[str, str, str]) -> None:
    assert decompose(syllable) == letters


def test_other_characters_stay_whole() -> None:
    assert [decompose(character) for character in "aㄱ1"] == [("a", "", ""), ("ㄱ", "", ""), ("1", "", "")]
    assert not any(map(is_syllable, "aㄱ1 "))
    with pytest.raises(ValueError, match="substring"):
        compose("ㅏ", "ㅏ")
