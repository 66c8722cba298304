"""Terms of metadata values: equal for equal values, and sorted as the values."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.vector_stores.types import FilterCondition

from rag.stores.filters import EVERYTHING, Group, scalar
from rag.stores.opensearch.mapping import MAX_LENGTH, filter_query, metadata_terms, prefix, strings_pattern, term

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
number = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)


def term_of(key: str, value: Any) -> str:
    found = scalar(value)
    assert found is not None
    return term(key, found)


@given(text, number, number)
def test_numbers_are_ordered_as_terms(key: str, a: float, b: float) -> None:
    one, two = term_of(key, a), term_of(key, b)
    assert (one < two) == (float(a) < float(b))
    assert (one == two) == (float(a) == float(b))


@given(text, text, text)
def test_strings_are_ordered_as_terms(key: str, a: str, b: str) -> None:
    one, two = term_of(key, a).encode(), term_of(key, b).encode()
    assert (one < two) == (a < b)
    assert (one == two) == (a == b)


@given(text, text | number | st.booleans(), text, text | number | st.booleans())
def test_no_two_values_share_a_term(key: str, value: Any, other_key: str, other: Any) -> None:
    same = key == other_key and scalar(value) == scalar(other)
    assert (term_of(key, value) == term_of(other_key, other)) == same


@given(text, text | number | st.booleans(), text)
def test_a_prefix_is_of_one_key_and_type(key: str, value: Any, other_key: str) -> None:
    found = scalar(value)
    assert found is not None
    for kind in ("string", "number", "boolean"):
        assert term_of(key, value).startswith(prefix(other_key, kind)) == (key == other_key and kind == found[0])


def test_what_is_no_scalar_has_no_term() -> None:
    assert metadata_terms({"a": None, "b": [1], "c": {"d": 1}, "e": math.nan, "f": 10**400}) == []
    assert len(metadata_terms({"a": "", "b": 0, "c": False})) == 3


def test_zero_has_one_term() -> None:
    assert term_of("a", 0.0) == term_of("a", -0.0) == term_of("a", 0)


def test_a_long_string_stays_equal_only_to_itself_and_in_its_place() -> None:
    long, other = "가" * (MAX_LENGTH + 5), "가" * (MAX_LENGTH + 4) + "나"
    assert term_of("a", long) != term_of("a", other)
    assert len(term_of("a", long).encode()) < 32_766
    assert term_of("a", "가" * 10) < term_of("a", long) < term_of("a", "나")


def test_groups() -> None:
    assert filter_query(EVERYTHING) == {"match_all": {}}
    assert filter_query(Group(FilterCondition.NOT, (EVERYTHING,))) == {"bool": {"must_not": [{"match_all": {}}]}}


def test_a_pattern_is_of_the_key_as_it_is() -> None:
    assert strings_pattern("a.b") == r"3\:a\.bs.*"
