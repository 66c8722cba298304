"""The store contract, third part: filters, restrictions to ids, and validity dates of rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from llama_index.core.vector_stores.types import (
    FilterCondition,
    MetadataFilters,
)

from rag.errors import FilterError
from rag.stores.base import TOKENS
from rag.stores.filters import matches, metadata_filters
from rag.types import Filters
from tests.contract.base import (
    FAQ,
    HYBRID,
    Store,
    StoreFixtures,
    dense,
    ids,
    lexical,
    where,
)
from tests.contract.reference import passage, random_filters, varied_rows


class FilteringContract(StoreFixtures):
    """Filters on every method, get_nodes."""

    def test_random_filters_select_what_the_reference_selects(self, store: Store) -> None:
        rows = varied_rows()
        store.add(rows)
        sizes = []

        @settings(max_examples=300, deadline=None, derandomize=True, database=None)
        @given(random_filters)
        def check(filters: MetadataFilters) -> None:
            expected = [row.node_id for row in rows if matches(filters, row.metadata)]
            sizes.append(len(expected))
            assert [node.node_id for node in store.get_nodes(filters=filters)] == expected
            assert ids(store, dense((1, 0, 0, 0), 60, filters=filters)) == expected
            assert sorted(ids(store, lexical("본문", 60, filters=filters))) == expected

        check()
        assert len(sizes) >= 300
        assert sum(0 < size < len(rows) for size in sizes) >= 100, "most filters should select some rows and not all"

    def test_filters_apply_before_the_search(self, store: Store) -> None:
        near = [passage(f"near-{i:03}", "가까운 이체", (1, i / 1000, 0, 0), bank="a") for i in range(300)]
        far = [passage(f"far-{i}", "이체", (-1, i / 10, 0, 0), bank="b") for i in range(3)]
        store.add([*near, *far])
        for query in (
            dense((1, 0, 0, 0), 3),
            lexical("가까운 이체", 3),
            dense((1, 0, 0, 0), 3, query_str="이체", mode=HYBRID),
        ):
            query.filters = where("bank", "b")
            assert sorted(ids(store, query)) == ["far-0", "far-1", "far-2"]
        found = store.candidates(
            query_embedding=[1, 0, 0, 0], query_str="가까운 이체", size=2, filters=where("bank", "b")
        )
        assert len(found.dense) == len(found.lexical[TOKENS]) == 2
        assert {node.metadata["bank"] for node in found.nodes.values()} == {"b"}

    @pytest.mark.parametrize(
        "filters",
        [
            where("bank", "a", "contains"),
            where("bank", "a", "text_match"),
            where("bank", None, "is_empty"),
            where("bank", None),
            where("bank", ["a"]),
            where("bank", "a", "in"),
            MetadataFilters(filters=[where("x", 1), where("bank", math.nan, ">")], condition=FilterCondition.OR),
        ],
    )
    def test_other_filters_are_refused_by_every_method(self, faq: Store, filters: MetadataFilters) -> None:
        calls: list[Callable[[], object]] = [
            lambda: faq.query(dense((1, 0, 0, 0), filters=filters)),
            lambda: faq.query(lexical("이체", filters=filters)),
            lambda: faq.candidates(query_embedding=None, query_str="이체", size=3, filters=filters),
            lambda: faq.get_nodes(filters=filters),
            lambda: faq.delete_nodes(filters=filters),
        ]
        for call in calls:
            with pytest.raises(FilterError, match="'bank'"):
                call()
        assert faq.count() == len(FAQ)

    def test_node_ids_and_doc_ids_restrict(self, faq: Store) -> None:
        question = (1, 0.5, 0.2, 0)
        assert ids(faq, dense(question, doc_ids=["doc-1"])) == ["otp", "card"]
        assert ids(faq, dense(question, node_ids=["card", "limit", "unknown"])) == ["card", "limit"]
        assert ids(faq, dense(question, node_ids=["card", "limit"], doc_ids=["doc-1", "doc-3"])) == ["card"]
        assert ids(faq, dense(question, doc_ids=["doc-1"], filters=where("question", "OTP를 잃어버렸어요"))) == ["otp"]
        assert ids(faq, lexical("이체", node_ids=["fee"])) == ["fee"]
        assert ids(faq, dense(question, query_str="이체", mode=HYBRID, doc_ids=["doc-3"])) == ["fee"]
        assert len(ids(faq, dense(question, node_ids=[], doc_ids=[]))) == len(FAQ)

    def test_only_rows_in_force_on_the_day_answer(self, store: Store) -> None:
        store.add(
            [
                passage("former", bank="a", effective_from="2024-01-01", effective_until="2025-06-30"),
                passage("present", bank="a", effective_from="2025-07-01", effective_until=""),
                passage("undated", bank="a"),
                passage("elsewhere", bank="b"),
                passage("common"),
                passage("blank", bank=""),
            ]
        )
        found = {
            day: sorted(ids(store, dense((1, 0, 0, 0), filters=metadata_filters(Filters({"bank": "a"}, day)))))
            for day in (date(2023, 1, 1), date(2025, 6, 30), date(2025, 7, 1), None)
        }
        assert found == {
            date(2023, 1, 1): ["blank", "common", "undated"],
            date(2025, 6, 30): ["blank", "common", "former", "undated"],
            date(2025, 7, 1): ["blank", "common", "present", "undated"],
            None: ["blank", "common", "present", "undated"],
        }

    def test_get_nodes(self, faq: Store) -> None:
        def got(*args: Any) -> list[str]:
            return [node.node_id for node in faq.get_nodes(*args)]

        assert got(["fee", "unknown", "card"]) == ["fee", "card"]
        assert got([]) == []
        assert got() == ["card", "fee", "limit", "memo", "otp"]
        assert got(None, where("question", "수수료 안내", "!=")) == ["card", "limit", "memo", "otp"]
        assert got(["otp", "fee"], where("question", "수수료 안내")) == ["fee"]
