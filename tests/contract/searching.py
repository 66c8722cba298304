"""The store contract, second part: scores, their order, and the lists of candidates."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.vector_stores.types import (
    VectorStoreQuery,
    VectorStoreQueryMode,
)

from rag.errors import StoreError
from rag.korean import jamo_ngrams, tokens
from rag.stores.base import JAMO, TOKENS, Manifest
from tests.contract.base import (
    FAQ,
    HYBRID,
    TEXT,
    Create,
    Store,
    StoreFixtures,
    dense,
    ids,
    lexical,
    scores,
    where,
)
from tests.contract.reference import DIMENSION, cosine, coverage, passage, ranked


class SearchingContract(StoreFixtures):
    """Dense, lexical and hybrid search, candidates."""

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
        question: dict[str, Any] = {
            "query_embedding": [1, 1, 1, 1],
            "query_str": "이체 앱에서 고객센터",
            "similarity_top_k": k,
        }
        assert len(ids(faq, VectorStoreQuery(**question))) == count
        assert len(ids(faq, VectorStoreQuery(**question, mode=HYBRID))) == count
        assert len(ids(faq, VectorStoreQuery(**question, mode=TEXT))) == count

    def test_an_empty_index_answers_nothing(self, store: Store) -> None:
        question: dict[str, Any] = {"query_embedding": [1, 0, 0, 0], "query_str": "이체", "similarity_top_k": 3}
        for mode in (VectorStoreQueryMode.DEFAULT, TEXT, HYBRID):
            result = store.query(VectorStoreQuery(**question, mode=mode, filters=where("bank", "x")))
            assert (result.ids, result.similarities, list(result.nodes)) == ([], [], [])
        found = store.candidates(query_embedding=[1.0, 0.0, 0.0, 0.0], query_str="이체", size=3)
        assert (found.dense, dict(found.lexical), found.nodes) == ({}, {TOKENS: {}, JAMO: {}}, {})
        assert store.get_nodes() == []

    @pytest.mark.parametrize("k", [1, 7, 40, 41, 59])
    def test_ties_are_sorted_by_id_even_at_the_last_place(self, store: Store, k: int) -> None:
        vector = (0.3, 0.1, 0.7, 0.2)
        equal = [passage(f"twin-{i:02}", "같은 글", vector, question="같은 질문", even=i % 2) for i in range(40)]
        others = [passage(f"other-{i:02}", "다른 문장", (0.3, 0.1, 0.7, 0.3 + i)) for i in range(20)]
        mixed = [*equal, *others]
        random.Random(2).shuffle(mixed)
        for batch in (mixed[:17], mixed[17:]):
            store.add(batch)
        expected = [node.node_id for node in [*equal, *others]][:k]
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
            (VectorStoreQuery(query_embedding=[0, 0, 0, 0]), "zeros"),
            (VectorStoreQuery(query_embedding=[1, 0, math.nan, 0]), "not finite"),
        ],
    )
    def test_an_impossible_query_says_what_is_wrong(self, faq: Store, query: VectorStoreQuery, message: str) -> None:
        with pytest.raises(StoreError, match=message):
            faq.query(query)

    # Lexical search

    @pytest.mark.parametrize(
        "query", ["이체한도", "앱에서 이체 수수료", "OTP 분실 신고", "이체 이체 이체", "없습니다 없는말씀"]
    )
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
        calls: list[Callable[[], object]] = [
            lambda: store.query(dense((1, 0, 0, 0))),
            lambda: store.candidates(query_embedding=[1, 0, 0, 0], query_str="증액", size=3),
            lambda: store.add([passage("with a vector")]),
        ]
        for call in calls:
            with pytest.raises(StoreError, match="has no vectors"):
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
        assert list(found.dense.items()) == list(scores(faq, dense(vector, size)).items())
        assert list(found.lexical[TOKENS].items()) == list(scores(faq, lexical(question, size)).items())
        assert set(found.nodes) == {*found.dense, *found.lexical[TOKENS], *found.lexical[JAMO]}
        assert all(node.node_id == node_id and node.get_content() for node_id, node in found.nodes.items())

    def test_candidates_without_an_embedding_are_lexical(self, faq: Store) -> None:
        found = faq.candidates(query_embedding=None, query_str="증액", size=3)
        assert found.dense == {}
        assert list(found.nodes) == ["limit"]
