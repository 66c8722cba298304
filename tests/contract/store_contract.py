"""The store contract (rag.stores.contract, rag.stores.filters) as tests. A store's test module subclasses `StoreContract`,
overrides the fixture `create`, and may loosen the tolerances for its own rounding."""

from __future__ import annotations

import asyncio
import math
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.schema import MetadataMode, NodeRelationship, QueryBundle, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)

from rag.errors import FilterError, StoreError
from rag.korean import jamo_ngrams, tokens
from rag.stores.contract import CONTENT_HASH, FINGERPRINT, JAMO, QUESTION, TOKENS, Manifest, NodeState
from rag.stores.filters import matches, metadata_filters
from rag.types import Filters
from tests.contract.reference import DIMENSION, cosine, coverage, passage, random_filters, ranked, varied_rows

MANIFEST = Manifest(dimension=DIMENSION, fingerprint="test", extra={"제목": "시험"})
TEXT = VectorStoreQueryMode.TEXT_SEARCH
HYBRID = VectorStoreQueryMode.HYBRID
Store = Any  # a PassageStore that is a LlamaIndex vector store too: Python has no type for both
Create = Callable[[Manifest], Store]

FAQ = [
    passage("otp", "앱에서 일회용비밀번호를 다시 발급합니다.", (1, 0, 0, 0), "doc-1", question="OTP를 잃어버렸어요"),
    passage("card", "고객센터로 분실 신고를 하십시오.", (0, 1, 0, 0), "doc-1", question="카드를 잃어버렸어요"),
    passage("limit", "이체한도는 앱에서 바꿉니다.", (0, 0, 1, 0), "doc-2", question="이체한도 증액"),
    passage("fee", "타행이체 수수료는 없습니다.", (0.6, 0, 0.8, 0), "doc-3", question="수수료 안내"),
    passage("memo", "이체 메모만 있는 글", (0, 0, 0, 1)),
]


def dense(vector: Any, k: int = 5, **more: Any) -> VectorStoreQuery:
    return VectorStoreQuery(query_embedding=list(vector), similarity_top_k=k, **more)


def lexical(text: str, k: int = 5, **more: Any) -> VectorStoreQuery:
    return VectorStoreQuery(query_str=text, similarity_top_k=k, mode=TEXT, **more)


def where(key: str, value: Any, operator: str = "==") -> MetadataFilters:
    return MetadataFilters(filters=[MetadataFilter(key=key, value=value, operator=FilterOperator(operator))])


def ids(store: Store, query: VectorStoreQuery) -> list[str]:
    found: list[str] = store.query(query).ids
    return found


class StoreContract:
    """Override `create`."""

    cosine_tolerance = 1e-6
    coverage_tolerance = 1e-6

    @pytest.fixture
    def create(self) -> Create:
        """A function that makes a new, empty store with the given manifest, removed after the test."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, create: Create) -> Store:
        return create(MANIFEST)

    @pytest.fixture
    def faq(self, store: Store) -> Store:
        store.add(FAQ)
        return store

    # The manifest

    def test_the_manifest_comes_back(self, store: Store) -> None:
        assert store.manifest == MANIFEST

    def test_a_replaced_manifest_comes_back(self, faq: Store) -> None:
        calibrated = MANIFEST.with_calibration({"answered": 0.75, "이름": ["가", None]})
        faq.replace_manifest(calibrated)
        assert faq.manifest == calibrated
        assert faq.count() == len(FAQ)

    def test_a_manifest_of_another_dimension_is_refused(self, faq: Store) -> None:
        with pytest.raises(StoreError, match="dimension 4.* 5"):
            faq.replace_manifest(Manifest(dimension=5, fingerprint="test"))
        assert faq.manifest == MANIFEST

    # Adding

    def test_add_returns_the_ids_and_the_next_query_sees_them(self, store: Store) -> None:
        assert store.count() == 0
        assert store.add(FAQ[:2]) == ["otp", "card"]
        assert ids(store, dense((1, 0, 0, 0), 1)) == ["otp"]
        assert store.add(FAQ[2:]) == ["limit", "fee", "memo"]
        assert ids(store, dense((0, 0, 1, 0), 1)) == ["limit"]
        assert store.count() == 5

    def test_add_replaces_a_node_of_the_same_id(self, faq: Store) -> None:
        faq.add([passage("otp", "완전히 새로운 글", (0, 0, 0, -1), "doc-9", question="새 질문", bank="new")])
        assert faq.count() == len(FAQ)
        assert ids(faq, dense((0, 0, 0, -1), 1)) == ["otp"]
        (node,) = faq.get_nodes(["otp"])
        assert (node.get_content(), node.ref_doc_id, node.metadata["bank"]) == ("완전히 새로운 글", "doc-9", "new")
        assert ids(faq, lexical("일회용비밀번호")) == []
        assert ids(faq, lexical("완전히")) == ["otp"]

    def test_the_last_of_one_id_in_a_batch_wins(self, store: Store) -> None:
        assert store.add([passage("a", "first"), passage("b", "other"), passage("a", "second")]) == ["a", "b", "a"]
        assert [node.get_content() for node in store.get_nodes(["a", "b"])] == ["second", "other"]
        assert store.count() == 2

    def test_an_empty_batch_changes_nothing(self, faq: Store) -> None:
        assert faq.add([]) == []
        assert faq.count() == len(FAQ)

    @pytest.mark.parametrize(
        "vector",
        [None, (1, 0, 0), (1, 0, 0, 0, 0), (1, 0, math.nan, 0), (1, math.inf, 0, 0), (0, 0, 0, 0)],
        ids=["missing", "short", "long", "nan", "inf", "zero"],
    )
    def test_a_batch_with_a_bad_vector_writes_nothing(self, faq: Store, vector: Any) -> None:
        before = faq.states()
        with pytest.raises(StoreError, match="'bad'.*embed"):
            faq.add([passage("new"), passage("otp", "changed"), passage("bad", vector=vector), passage("newer")])
        assert faq.states() == before
        assert faq.get_nodes(["otp", "new", "bad", "newer"])[0].get_content() == FAQ[0].text

    @pytest.mark.parametrize("value", [date(2025, 1, 1), (1, 2), math.nan, {1, 2}, {1: "a"}, "\ud800"])
    def test_metadata_that_would_come_back_changed_is_refused(self, store: Store, value: Any) -> None:
        with pytest.raises(StoreError, match="'bad'"):
            store.add([passage("good"), passage("bad", key=value)])
        assert store.count() == 0

    @pytest.mark.parametrize(
        "text",
        [
            "한글과 English, 漢字",
            "NFD: \u1112\u1161\u11ab\u1100\u1173\u11af",
            "emoji 👩🏽‍💻🏦🇰🇷",
            "control \x01\x02\x1b\x7f \r\n\t\u2028 \ufeff\u200b",
            "",
            "  spaces  \n\n",
            "길" * 100_000,
            "'; DROP TABLE nodes; -- \\ \"",
        ],
        ids=["scripts", "nfd", "emoji", "control", "empty", "spaces", "long", "quotes"],
    )
    def test_text_comes_back_byte_for_byte(self, store: Store, text: str) -> None:
        store.add([passage("a", text, question=text[:1000], other=text[:1000])])
        (node,) = store.query(dense((1, 0, 0, 0))).nodes
        assert node.get_content() == text
        assert node.metadata == {"question": text[:1000], "other": text[:1000]}

    def test_a_whole_node_comes_back(self, store: Store) -> None:
        node = TextNode(
            id_="a",
            text="본문",
            embedding=[1.0, 0.0, 0.0, 0.0],
            metadata={"s": "은행", "i": 3, "f": 0.1, "b": True, "n": None, "l": [1, "둘", {"x": []}], "d": {"k": {"z": 1}}},
            excluded_embed_metadata_keys=["s"],
            excluded_llm_metadata_keys=["i", "f"],
            relationships={
                NodeRelationship.SOURCE: RelatedNodeInfo(node_id="doc", metadata={"쪽": 1}, hash="h"),
                NodeRelationship.NEXT: RelatedNodeInfo(node_id="b"),
                NodeRelationship.CHILD: [RelatedNodeInfo(node_id="c"), RelatedNodeInfo(node_id="d")],
            },
            start_char_idx=5,
            end_char_idx=7,
            metadata_template="{key}={value}",
            text_template="{content}",
            mimetype="text/markdown",
        )
        store.add([node])
        expected = node.model_copy(update={"embedding": None})
        (by_id,) = store.get_nodes(["a"])
        (by_query,) = store.query(dense((1, 0, 0, 0))).nodes
        assert by_id == expected
        assert by_query == expected
        assert by_id.get_content(MetadataMode.LLM) == node.get_content(MetadataMode.LLM)
        assert isinstance(by_id.metadata["b"], bool)

    @pytest.mark.parametrize(
        "node_id", ["'; DROP TABLE nodes; --", "a/b c?d#e&f=%20", "한글 번호", "🏦", "..", "\x01", "x" * 400]
    )
    def test_any_text_is_an_id(self, store: Store, node_id: str) -> None:
        store.add([passage(node_id, "둘째 글", (0, 1, 0, 0), node_id), passage("other", "첫째 글")])
        assert ids(store, dense((0, 1, 0, 0), 1)) == [node_id]
        assert ids(store, lexical("둘째", node_ids=[node_id])) == [node_id]
        assert ids(store, lexical("둘째", doc_ids=[node_id])) == [node_id]
        assert [node.node_id for node in store.get_nodes([node_id])] == [node_id]
        store.delete(node_id)
        assert list(store.states()) == ["other"]

    # Dense search

    def test_scores_are_cosines(self, store: Store) -> None:
        dice = random.Random(1)
        vectors = {f"n{i}": [dice.gauss(0, 3) for _ in range(DIMENSION)] for i in range(80)}
        store.add([passage(node_id, vector=vector) for node_id, vector in vectors.items()])
        question = [dice.gauss(0, 3) for _ in range(DIMENSION)]
        expected = {node_id: cosine(question, vector) for node_id, vector in vectors.items()}
        result = store.query(dense(question, 20))
        assert result.ids == ranked(expected)[:20]
        assert [node.node_id for node in result.nodes] == result.ids
        assert result.similarities == pytest.approx(
            [expected[node_id] for node_id in result.ids], abs=self.cosine_tolerance
        )
        assert {type(score) for score in result.similarities} == {float}

    def test_scores_stay_within_one(self, store: Store) -> None:
        store.add([passage("same", vector=(0.1, 0.2, 0.3, 0.7)), passage("opposite", vector=(-0.1, -0.2, -0.3, -0.7))])
        result = store.query(dense((0.1, 0.2, 0.3, 0.7)))
        assert result.similarities == pytest.approx([1, -1], abs=self.cosine_tolerance)
        assert all(-1 <= score <= 1 for score in result.similarities)

    @pytest.mark.parametrize(("k", "count"), [(0, 0), (1, 1), (5, 5), (500, 5)])
    def test_at_most_k_come_back(self, faq: Store, k: int, count: int) -> None:
        question = dict(query_embedding=[1.0, 1.0, 1.0, 1.0], query_str="이체 앱에서 고객센터", similarity_top_k=k)
        assert len(ids(faq, VectorStoreQuery(**question))) == count
        assert len(ids(faq, VectorStoreQuery(**question, mode=HYBRID))) == count
        assert len(ids(faq, VectorStoreQuery(**question, mode=TEXT))) == count

    def test_an_empty_index_answers_nothing(self, store: Store) -> None:
        question = dict(query_embedding=[1.0, 0.0, 0.0, 0.0], query_str="이체", similarity_top_k=3)
        for mode in (VectorStoreQueryMode.DEFAULT, TEXT, HYBRID):
            result = store.query(VectorStoreQuery(**question, mode=mode, filters=where("bank", "x")))
            assert (result.ids, result.similarities, list(result.nodes)) == ([], [], [])
        found = store.candidates(query_embedding=[1.0, 0.0, 0.0, 0.0], query_str="이체", size=3)
        assert (found.dense, dict(found.lexical), found.nodes) == ({}, {TOKENS: {}, JAMO: {}}, {})
        assert store.get_nodes() == []

    @pytest.mark.parametrize("k", [1, 7, 40, 41, 59])
    def test_ties_are_sorted_by_id_even_at_the_last_place(self, store: Store, k: int) -> None:
        vector = (0.3, 0.1, 0.7, 0.2)
        twins = [passage(f"twin-{i:02}", "같은 글", vector, question="같은 질문", even=i % 2) for i in range(40)]
        others = [passage(f"other-{i:02}", "다른 문장", (0.3, 0.1, 0.7, 0.3 + i)) for i in range(20)]
        mixed = [*twins, *others]
        random.Random(2).shuffle(mixed)
        for batch in (mixed[:17], mixed[17:]):
            store.add(batch)
        expected = [node.node_id for node in [*twins, *others]][:k]
        assert ids(store, dense(vector, k)) == expected
        assert ids(store, lexical("같은", k)) == expected[:40]
        assert ids(store, dense(vector, k, query_str="같은", mode=HYBRID)) == expected
        odd = [node_id for node_id in expected if node_id.startswith("twin") and int(node_id[-2:]) % 2]
        assert ids(store, dense(vector, max(len(odd), 1), filters=where("even", 1))) == (odd or ["twin-01"])
        found = store.candidates(query_embedding=vector, query_str="같은", size=k)
        assert list(found.dense) == expected
        assert list(found.lexical[TOKENS]) == list(found.lexical[JAMO]) == expected[:40]

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            (VectorStoreQuery(query_str="이체"), "query_embedding"),
            (VectorStoreQuery(query_str="이체", mode=HYBRID), "query_embedding"),
            (VectorStoreQuery(query_embedding=[1, 0, 0, 0], mode=HYBRID), "query_str"),
            (VectorStoreQuery(query_embedding=[1, 0, 0, 0], mode=TEXT), "query_str"),
            (VectorStoreQuery(query_embedding=[1, 0, 0, 0], query_str="이체", mode=HYBRID, alpha=1.5), "alpha"),
            (VectorStoreQuery(query_embedding=[1, 0, 0, 0], mode=VectorStoreQueryMode.MMR), "mmr"),
            (VectorStoreQuery(query_embedding=[1, 0, 0]), "3 numbers"),
            (VectorStoreQuery(query_embedding=[0, 0, 0, 0]), "direction"),
            (VectorStoreQuery(query_embedding=[1, 0, math.nan, 0]), "direction"),
        ],
    )
    def test_an_impossible_query_says_what_is_wrong(self, faq: Store, query: VectorStoreQuery, message: str) -> None:
        with pytest.raises(StoreError, match=message):
            faq.query(query)

    # Lexical search

    @pytest.mark.parametrize("query", ["이체한도", "앱에서 이체 수수료", "OTP 분실 신고", "이체 이체 이체", "없습니다 없는말씀"])
    def test_lexical_scores_are_coverage(self, faq: Store, query: str) -> None:
        expected = coverage(FAQ, tokens(query))
        assert expected
        result = faq.query(lexical(query))
        assert result.ids == ranked(expected)
        assert result.similarities == pytest.approx(
            [expected[node_id] for node_id in result.ids], abs=self.coverage_tolerance
        )
        assert all(0 < score <= 1 and type(score) is float for score in result.similarities)

    def test_jamo_coverage_is_of_the_question_alone(self, faq: Store) -> None:
        query = "카드를 잃어버렷어요"
        expected = coverage(FAQ, jamo_ngrams(query), JAMO)
        found = faq.candidates(query_embedding=None, query_str=query, size=5).lexical[JAMO]
        assert list(found) == ranked(expected) == ["card", "otp"]
        assert found == pytest.approx(expected, abs=self.coverage_tolerance)
        assert faq.candidates(query_embedding=None, query_str="고객센터", size=5).lexical[JAMO] == {}

    def test_the_question_is_searched_with_the_text(self, faq: Store) -> None:
        assert ids(faq, lexical("증액")) == ["limit"]
        assert ids(faq, lexical("메모")) == ["memo"]

    def test_unknown_terms_lower_the_coverage(self, faq: Store) -> None:
        (alone,) = faq.query(lexical("증액")).similarities
        (beside,) = faq.query(lexical("증액 zzzz")).similarities
        unknown, known = math.log(1 + 5.5 / 0.5), math.log(1 + 4.5 / 1.5)
        assert beside == pytest.approx(alone * known / (known + unknown), abs=self.coverage_tolerance)

    @pytest.mark.parametrize("query", ["", "   ", "?!… 。", "zzzz"])
    def test_a_query_that_matches_nothing_finds_nothing(self, faq: Store, query: str) -> None:
        assert ids(faq, lexical(query)) == []
        found = faq.candidates(query_embedding=None, query_str=query, size=5)
        assert found.nodes == {}

    def test_a_query_of_any_length_is_taken(self, faq: Store) -> None:
        query = "증액 " + "".join(chr(0xAC00 + i) for i in range(6000))
        assert ids(faq, lexical(query)) == ["limit"]

    def test_an_index_without_vectors_searches_by_text(self, create: Create) -> None:
        store = create(Manifest(dimension=0, fingerprint="none"))
        store.add([node.model_copy(update={"embedding": None}) for node in FAQ])
        assert ids(store, lexical("증액")) == ["limit"]
        assert list(store.candidates(query_embedding=None, query_str="증액", size=3).nodes) == ["limit"]
        for call in (
            lambda: store.query(dense((1, 0, 0, 0))),
            lambda: store.candidates(query_embedding=[1, 0, 0, 0], query_str="증액", size=3),
            lambda: store.add([passage("with a vector")]),
        ):
            with pytest.raises(StoreError, match="keeps no vectors"):
                call()
        assert store.count() == len(FAQ)

    # Hybrid search and candidates

    @pytest.mark.parametrize("alpha", [0.0, 0.3, None, 1.0])
    def test_hybrid_scores_are_the_weighted_sum(self, faq: Store, alpha: float | None) -> None:
        question, vector = "이체한도 앱", (0.5, 0.1, 0.4, -0.2)
        share = 0.5 if alpha is None else alpha
        covered = coverage(FAQ, tokens(question))
        expected = {
            node.node_id: share * cosine(vector, node.embedding or ()) + (1 - share) * covered.get(node.node_id, 0)
            for node in FAQ
        }
        result = faq.query(dense(vector, query_str=question, mode=HYBRID, alpha=alpha))
        assert result.ids == ranked(expected)
        assert result.similarities == pytest.approx(
            [expected[node_id] for node_id in result.ids], abs=max(self.cosine_tolerance, self.coverage_tolerance)
        )
        limited = dense(vector, 5, query_str=question, mode=HYBRID, alpha=alpha, hybrid_top_k=2)
        assert ids(faq, limited) == result.ids[:2]

    @pytest.mark.parametrize("size", [1, 2, 50])
    def test_candidates_are_the_lists_of_the_single_searches(self, faq: Store, size: int) -> None:
        question, vector = "이체한도 앱", [0.5, 0.1, 0.4, -0.2]
        found = faq.candidates(query_embedding=vector, query_str=question, size=size)
        assert list(found.dense.items()) == list(_scores(faq, dense(vector, size)).items())
        assert list(found.lexical[TOKENS].items()) == list(_scores(faq, lexical(question, size)).items())
        assert set(found.nodes) == {*found.dense, *found.lexical[TOKENS], *found.lexical[JAMO]}
        assert all(node.node_id == node_id and node.get_content() for node_id, node in found.nodes.items())

    def test_candidates_without_an_embedding_are_lexical(self, faq: Store) -> None:
        found = faq.candidates(query_embedding=None, query_str="증액", size=3)
        assert found.dense == {}
        assert list(found.nodes) == ["limit"]

    # Filters

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
        for query in (dense((1, 0, 0, 0), 3), lexical("가까운 이체", 3), dense((1, 0, 0, 0), 3, query_str="이체", mode=HYBRID)):
            query.filters = where("bank", "b")
            assert sorted(ids(store, query)) == ["far-0", "far-1", "far-2"]
        found = store.candidates(query_embedding=[1, 0, 0, 0], query_str="가까운 이체", size=2, filters=where("bank", "b"))
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
        for call in (
            lambda: faq.query(dense((1, 0, 0, 0), filters=filters)),
            lambda: faq.query(lexical("이체", filters=filters)),
            lambda: faq.candidates(query_embedding=None, query_str="이체", size=3, filters=filters),
            lambda: faq.get_nodes(filters=filters),
            lambda: faq.delete_nodes(filters=filters),
        ):
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
            ]
        )
        found = {
            day: sorted(ids(store, dense((1, 0, 0, 0), filters=metadata_filters(Filters({"bank": "a"}, day)))))
            for day in (date(2023, 1, 1), date(2025, 6, 30), date(2025, 7, 1), None)
        }
        assert found == {
            date(2023, 1, 1): ["undated"],
            date(2025, 6, 30): ["former", "undated"],
            date(2025, 7, 1): ["present", "undated"],
            None: ["present", "undated"],
        }

    # Reading, deleting

    def test_get_nodes(self, faq: Store) -> None:
        def got(*args: Any) -> list[str]:
            return [node.node_id for node in faq.get_nodes(*args)]

        assert got(["fee", "unknown", "card"]) == ["fee", "card"]
        assert got([]) == []
        assert got() == ["card", "fee", "limit", "memo", "otp"]
        assert got(None, where("question", "수수료 안내", "!=")) == ["card", "limit", "memo", "otp"]
        assert got(["otp", "fee"], where("question", "수수료 안내")) == ["fee"]

    def test_delete_takes_the_nodes_of_one_document(self, faq: Store) -> None:
        faq.delete("doc-1")
        faq.delete("no such document")
        faq.delete("")
        assert sorted(faq.states()) == ["fee", "limit", "memo"]
        assert ids(faq, dense((1, 0, 0, 0), 1)) == ["fee"]
        assert ids(faq, lexical("잃어버렸어요")) == []

    def test_delete_nodes(self, faq: Store) -> None:
        with pytest.raises(StoreError, match="clear"):
            faq.delete_nodes()
        faq.delete_nodes([])
        faq.delete_nodes(["otp", "unknown"])
        assert sorted(faq.states()) == ["card", "fee", "limit", "memo"]
        faq.delete_nodes(["fee", "card"], where("question", "수수료 안내"))
        assert sorted(faq.states()) == ["card", "limit", "memo"]
        faq.delete_nodes(filters=where("question", "이체한도 증액", "!="))
        assert sorted(faq.states()) == ["limit"]

    def test_deleted_ids_are_never_confused_with_new_ones(self, store: Store) -> None:
        store.add([passage("a", vector=(1, 0, 0, 0)), passage("b", vector=(0, 1, 0, 0))])
        store.delete_nodes(["a"])
        store.add([passage("c", vector=(0, 0, 1, 0))])
        assert ids(store, dense((0, 0, 1, 0))) == ["c", "b"]
        assert ids(store, dense((0, 1, 0, 0))) == ["b", "c"]

    def test_clear_leaves_the_manifest(self, faq: Store) -> None:
        faq.clear()
        assert (faq.count(), faq.states(), faq.manifest) == (0, {}, MANIFEST)
        assert ids(faq, lexical("이체")) == []
        faq.add(FAQ[:1])
        assert ids(faq, dense((1, 0, 0, 0))) == ["otp"]

    def test_states_are_what_ingestion_wrote(self, store: Store) -> None:
        store.add([passage("a", document="doc", **{CONTENT_HASH: "h1", FINGERPRINT: "f1"}), passage("b")])
        assert store.states() == {"a": NodeState("h1", "f1", "doc"), "b": NodeState("", "", "")}
        store.add([passage("a", document="doc", **{CONTENT_HASH: "h2", FINGERPRINT: "f1"})])
        assert store.states()["a"] == NodeState("h2", "f1", "doc")

    # In LlamaIndex, async, in threads

    def test_a_vector_store_index_retrieves_from_it(self, faq: Store) -> None:
        index = VectorStoreIndex.from_vector_store(faq, embed_model=MockEmbedding(embed_dim=DIMENSION))
        index.insert_nodes([passage("added", "나중에", (0, 0, 0, -1), QUESTION="q")])
        retriever = index.as_retriever(similarity_top_k=2, filters=where("question", "OTP를 잃어버렸어요", "!="))
        found = retriever.retrieve(QueryBundle("질문", embedding=[1.0, 0.0, 0.0, 0.0]))
        assert [hit.node.node_id for hit in found] == ["fee", "added"]
        assert found[0].score == pytest.approx(0.6, abs=self.cosine_tolerance)
        index.delete_nodes(["added"])
        index.delete_ref_doc("doc-3")
        assert sorted(faq.states()) == ["card", "limit", "memo", "otp"]

    def test_async_methods_do_what_their_twins_do(self, store: Store) -> None:
        async def use() -> None:
            assert await store.async_add(FAQ) == [node.node_id for node in FAQ]
            results = await asyncio.gather(*(store.aquery(dense((1, 0, 0, 0), k)) for k in range(5)))
            assert [result.ids for result in results] == [ids(store, dense((1, 0, 0, 0), k)) for k in range(5)]
            assert await store.aget_nodes(["fee"]) == store.get_nodes(["fee"])
            await store.adelete("doc-1")
            await store.adelete_nodes(["fee"])
            assert sorted(store.states()) == ["limit", "memo"]
            await store.aclear()
            assert store.count() == 0

        asyncio.run(use())

    def test_no_async_method_is_the_parents_blocking_one(self, store: Store) -> None:
        for name in ("async_add", "aquery", "aget_nodes", "adelete", "adelete_nodes", "aclear"):
            assert getattr(type(store), name) is not getattr(BasePydanticVectorStore, name), name

    def test_readers_see_whole_batches(self, store: Store) -> None:
        def batch(version: int) -> list[TextNode]:
            return [passage(f"n{i}", f"판본 {version}", (1, i, 0, 0), version=version) for i in range(6)]

        store.add(batch(0))
        done = threading.Event()

        def read() -> set[int]:
            seen = set()
            while not done.is_set():
                versions = {node.metadata["version"] for node in store.query(dense((1, 0, 0, 0), 6)).nodes}
                assert len(versions) == 1
                seen |= versions
                assert len({node.get_content() for node in store.query(lexical("판본", 6)).nodes}) == 1
            return seen

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read) for _ in range(4)]
            try:
                for version in range(1, 13):
                    store.add(batch(version))
            finally:
                done.set()
            seen = set().union(*(reader.result() for reader in readers))
        assert len(seen) > 1, "the readers should have met several versions"

    def test_writers_in_threads_all_land(self, store: Store) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda i: store.add([passage(f"t{i:02}", f"글 {i}")]), range(24)))
        assert sorted(store.states()) == [f"t{i:02}" for i in range(24)]


def _scores(store: Store, query: VectorStoreQuery) -> dict[str, float]:
    result = store.query(query)
    return dict(zip(result.ids, result.similarities, strict=True))
