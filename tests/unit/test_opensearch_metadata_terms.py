"""Terms stand for values: equal terms for equal values, and in the order of the values."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.vector_stores.types import FilterCondition

from rag.stores.filters import EVERYTHING, Group, scalar
from rag.stores.opensearch.metadata_terms import MAX_LENGTH, filter_query, metadata_terms, prefix, strings_pattern, term

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
number = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)


def made(key: str, value: Any) -> str:
    found = scalar(value)
    assert found is not None
    return term(key, found)


@given(text, number, number)
def test_numbers_are_ordered_as_terms(key: str, a: float, b: float) -> None:
    one, two = made(key, a), made(key, b)
    assert (one < two) == (float(a) < float(b))
    assert (one == two) == (float(a) == float(b))


@given(text, text, text)
def test_strings_are_ordered_as_terms(key: str, a: str, b: str) -> None:
    one, two = made(key, a).encode(), made(key, b).encode()
    assert (one < two) == (a < b)
    assert (one == two) == (a == b)


@given(text, text | number | st.booleans(), text, text | number | st.booleans())
def test_no_two_values_share_a_term(key: str, value: Any, other_key: str, other: Any) -> None:
    same = key == other_key and scalar(value) == scalar(other)
    assert (made(key, value) == made(other_key, other)) == same


@given(text, text | number | st.booleans(), text)
def test_a_prefix_is_of_one_key_and_type(key: str, value: Any, other_key: str) -> None:
    found = scalar(value)
    assert found is not None
    for kind in ("string", "number", "boolean"):
        assert made(key, value).startswith(prefix(other_key, kind)) == (key == other_key and kind == found[0])


def test_what_is_no_scalar_has_no_term() -> None:
    assert metadata_terms({"a": None, "b": [1], "c": {"d": 1}, "e": math.nan, "f": 10**400}) == []
    assert len(metadata_terms({"a": "", "b": 0, "c": False})) == 3


def test_zero_has_one_term() -> None:
    assert made("a", 0.0) == made("a", -0.0) == made("a", 0)


def test_a_long_string_stays_equal_only_to_itself_and_in_its_place() -> None:
    long, other = "가" * (MAX_LENGTH + 5), "가" * (MAX_LENGTH + 4) + "나"
    assert made("a", long) != made("a", other)
    assert len(made("a", long).encode()) < 32_766
    assert made("a", "가" * 10) < made("a", long) < made("a", "나")


def test_groups() -> None:
    assert filter_query(EVERYTHING) == {"match_all": {}}
    assert filter_query(Group(FilterCondition.NOT, (EVERYTHING,))) == {"bool": {"must_not": [{"match_all": {}}]}}


def test_a_pattern_is_of_the_key_as_it_is() -> None:
    assert strings_pattern("a.b") == r"3\:a\.bs.*"
