"""Fusing the lists of candidates, and the retriever around it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.schema import NodeRelationship, QueryBundle, RelatedNodeInfo, TextNode

from rag.conversation.row_search import DEPTH, RowSearch
from rag.errors import ModelUnavailable
from rag.ingestion.chunking import nodes as nodes_of
from rag.ingestion.embedding import manifest_of
from rag.ingestion.faq_row import FaqRow
from rag.ingestion.sync import sync
from rag.retrieval.confidence import defaults
from rag.retrieval.hybrid import DENSE, MAX_EMBEDDED, FusedNode, Fusion, HybridRetriever, Retrieved, Scale, fuse
from rag.retrieval.query_analysis import expand
from rag.retrieval.rows import is_passage, row_id
from rag.stores.base import JAMO, TOKENS, Candidates
from rag.stores.faiss.store import FaissStore
from rag.stores.filters import metadata_filters
from rag.types import Filters
from tests.fakes_embedding import HashedEmbedding

PLAIN = Fusion(
    weights={DENSE: 0.5, TOKENS: 0.3, JAMO: 0.2}, scales={part: Scale(0.0, 1.0) for part in (DENSE, TOKENS, JAMO)}
)


def node(node_id: str, row: str | None = None) -> TextNode:
    relationships = {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=row or node_id)}
    return TextNode(id_=node_id, text=f"{node_id}의 답변", relationships=relationships)


def found(
    dense: Mapping[str, float], tokens: Mapping[str, float], jamo: Mapping[str, float], *pieces: TextNode
) -> Candidates:
    by_id = {piece.node_id: piece for piece in pieces}
    names = dict.fromkeys((*dense, *tokens, *jamo))
    nodes = {name: by_id.get(name, node(name)) for name in names}
    documents = {name: found_node.ref_doc_id or name for name, found_node in nodes.items()}
    return Candidates(dense, {TOKENS: tokens, JAMO: jamo}, documents, nodes)


def scores(hits: list[FusedNode]) -> dict[str, float]:
    return {row_id(hit): round(hit.score or 0.0, 6) for hit in hits}


def test_scores_are_the_weighted_sum_of_scaled_parts() -> None:
    fusion = Fusion(PLAIN.weights, {DENSE: Scale(0.8, 0.1), TOKENS: Scale(0.1, 0.2), JAMO: Scale(0.0, 0.5)})
    [hit] = fuse(found({"a": 0.9}, {"a": 0.5}, {"a": 0.25}), fusion, size=5)
    assert hit.score == pytest.approx(0.5 * 1.0 + 0.3 * 2.0 + 0.2 * 0.5)
    assert hit.parts == {DENSE: 0.9, TOKENS: 0.5, JAMO: 0.25}


def test_a_node_missing_from_a_full_list_gets_its_last_score() -> None:
    hits = fuse(found({"a": 0.9, "b": 0.7}, {"c": 0.4, "a": 0.2}, {}), PLAIN, size=2)
    assert {row_id(hit): hit.parts for hit in hits} == {
        "a": {DENSE: 0.9, TOKENS: 0.2, JAMO: 0.0},
        "b": {DENSE: 0.7, TOKENS: 0.2, JAMO: 0.0},
        "c": {DENSE: 0.7, TOKENS: 0.4, JAMO: 0.0},
    }


def test_a_node_missing_from_a_shorter_list_does_not_match_at_all() -> None:
    hits = fuse(found({"a": 0.9, "b": 0.7}, {"a": 0.2}, {"b": 0.3}), PLAIN, size=2)
    assert {row_id(hit): (hit.parts[TOKENS], hit.parts[JAMO]) for hit in hits} == {"a": (0.2, 0.0), "b": (0.0, 0.3)}


def test_a_split_row_counts_once_by_its_best_node() -> None:
    pieces = [node("long#0", "long"), node("long#1", "long")]
    dense = {"long#0": 0.2, "long#1": 0.9, "b": 0.5}
    hits = fuse(found(dense, {"long#0": 0.3}, {}, *pieces), PLAIN, size=3)
    assert [(row_id(hit), hit.node.node_id) for hit in hits] == [("long", "long#1"), ("b", "b")]
    assert hits[0].parts == {DENSE: 0.9, TOKENS: 0.0, JAMO: 0.0}


def test_equal_scores_are_ordered_by_row() -> None:
    same = {"b": 0.5, "c": 0.5, "a": 0.5}
    assert [row_id(hit) for hit in fuse(found(same, {}, {}), PLAIN, size=3)] == ["a", "b", "c"]


def test_without_vectors_the_dense_list_counts_nothing() -> None:
    hits = fuse(found({}, {"a": 0.5, "b": 0.4}, {"b": 0.5}), PLAIN, size=5)
    assert scores(hits) == {"b": 0.22, "a": 0.15}
    assert all(DENSE not in hit.parts for hit in hits)


def test_nothing_found_is_an_empty_ranking() -> None:
    assert fuse(found({}, {}, {}), PLAIN, size=5) == []


LISTS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 1), max_size=5)


@given(LISTS, LISTS, LISTS, st.integers(1, 5))
def test_every_candidate_is_ranked_once_best_first(
    dense: dict[str, float], tokens: dict[str, float], jamo: dict[str, float], size: int
) -> None:
    hits = fuse(found(dense, tokens, jamo), PLAIN, size=size)
    assert sorted(map(row_id, hits)) == sorted(dense.keys() | tokens.keys() | jamo.keys())
    assert hits == sorted(hits, key=lambda hit: (-(hit.score or 0.0), row_id(hit)))


def test_a_fusion_survives_json() -> None:
    assert Fusion.from_json(PLAIN.as_json()) == PLAIN


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FaissStore]:
    rows = [
        FaqRow("a", "비밀번호를 분실하였습니다.", "영업점에서 재설정합니다.", bank="가온은행"),
        FaqRow("b", "이체한도를 늘리고 싶습니다.", "앱에서 신청합니다.", bank="가온은행"),
        FaqRow("c", "이체한도는 얼마입니까?", "하루 오천만 원입니다.", bank="나루증권"),
    ]
    model = HashedEmbedding()
    store = FaissStore.create(tmp_path / "faq", manifest_of(model))
    sync(store, [piece for row in rows for piece in nodes_of(row, token_count=len, max_tokens=400)], model)
    yield store
    store.close()


def test_passages_push_no_row_out_of_what_is_judged(tmp_path: Path) -> None:
    model = HashedEmbedding()
    store = FaissStore.create(tmp_path / "both", manifest_of(model))
    rows = [
        FaqRow(f"{name}{number:02}", f"이체한도 {number}번", "앱에서 신청합니다.")
        for name in ("row", "terms")
        for number in range(25)
    ]
    nodes = [piece for row in rows for piece in nodes_of(row, token_count=len, max_tokens=400)]
    for node in nodes:
        if node.node_id.startswith("terms"):
            node.metadata["document"] = "이체 약관.pdf"
    sync(store, nodes, model)
    search = RowSearch(store, model, defaults())
    hits = search.hits("이체한도")
    assert [sum(is_passage(hit) is kind for hit in hits) for kind in (False, True)] == [DEPTH, DEPTH]
    assert hits == sorted(hits, key=lambda hit: -(hit.score or 0.0))
    store.close()


class Recording(HashedEmbedding):
    """Records the queries embedded, and the threads that did it."""

    queries: list[str] = []  # noqa: RUF012 -- a pydantic field, copied for each instance
    threads: list[str] = []  # noqa: RUF012

    def _get_query_embedding(self, query: str) -> list[float]:
        self.queries.append(query)
        self.threads.append(threading.current_thread().name)
        return super()._get_query_embedding(query)


def test_a_question_is_searched_together_with_its_expansion(store: FaissStore) -> None:
    model = Recording()
    hits = HybridRetriever(store, model).retrieve("비번 까먹음")
    assert model.queries == ["비번 까먹음", expand("비번 까먹음")] and "비밀번호" in model.queries[1]
    assert row_id(hits[0]) == "a"
    assert isinstance(hits[0], FusedNode) and hits[0].parts[TOKENS] > 0
    assert len(hits) == 3


def test_terms_that_no_row_holds_are_not_searched_for(store: FaissStore) -> None:
    model = Recording()
    HybridRetriever(store, model, unheld=frozenset({"분실", "재설정"})).retrieve("비번 까먹음")
    assert model.queries[1].startswith("비번 까먹음 비밀번호") and "분실" not in model.queries[1]


@pytest.mark.parametrize("length", [1, MAX_EMBEDDED, MAX_EMBEDDED + 1, 1000])
def test_a_long_question_is_embedded_once_and_cut(store: FaissStore, length: int) -> None:
    model, question = Recording(), ("비번" * 500)[: length - 1] + "끝"
    HybridRetriever(store, model).retrieve(question)
    assert all(len(query) <= MAX_EMBEDDED + 64 for query in model.queries)
    if length > MAX_EMBEDDED:
        assert len(model.queries) == 1
        assert len(model.queries[0]) == MAX_EMBEDDED
        assert model.queries[0].startswith("비번비번")
        assert model.queries[0].endswith("끝")


def test_retrieving_leaves_the_callers_query_as_it_is(store: FaissStore) -> None:
    """LlamaIndex's own retriever writes its embedding into it, which a second one with another embedder would use."""
    bundle = QueryBundle("이체한도")
    HybridRetriever(store, HashedEmbedding()).retrieve(bundle)
    assert bundle == QueryBundle("이체한도")
    assert bundle.embedding is None


def test_an_embedding_given_is_used(store: FaissStore) -> None:
    model = Recording()
    vector = HashedEmbedding().get_query_embedding("비밀번호를 분실하였습니다.")
    hits = HybridRetriever(store, model).retrieve(QueryBundle("이체한도", embedding=vector))
    assert model.queries == []
    dense = {row_id(hit): hit.parts[DENSE] for hit in hits if isinstance(hit, FusedNode)}
    assert max(dense, key=lambda row: dense[row]) == "a"


def test_top_k_and_filters(store: FaissStore) -> None:
    assert len(HybridRetriever(store, HashedEmbedding(), top_k=2).retrieve("이체한도")) == 2
    only = metadata_filters(Filters({"bank": "나루증권"}))
    assert [row_id(hit) for hit in HybridRetriever(store, HashedEmbedding(), filters=only).retrieve("비밀번호")] == [
        "c"
    ]


def test_an_institutions_rows_among_those_found_are_its_own_and_those_of_none() -> None:
    candidates = found({"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6}, {"b": 0.5}, {})
    for name, bank in {"a": "가온은행", "b": "나루증권", "c": "", "d": "나루증권"}.items():
        candidates.nodes[name].metadata["bank"] = bank
    hits = fuse(candidates, PLAIN, size=4)
    there = Retrieved("이체한도", hits, candidates, PLAIN, 4, lexical_only=False).hits_at("나루증권")
    assert [row_id(hit) for hit in there] == ["b", "c", "d"]
    assert scores(there) == {row: score for row, score in scores(hits).items() if row != "a"}


def test_without_an_embedder_words_alone_are_searched(store: FaissStore) -> None:
    hits = HybridRetriever(store, None).retrieve("이체한도 늘리기")
    assert row_id(hits[0]) == "b"
    assert HybridRetriever(store, None).retrieve("xyz") == []


def test_a_failing_embedder_is_an_error_unless_words_alone_will_do(store: FaissStore) -> None:
    class Failing(HashedEmbedding):
        def _get_query_embedding(self, query: str) -> list[float]:
            raise ModelUnavailable("throttled")

    with pytest.raises(ModelUnavailable):
        HybridRetriever(store, Failing()).retrieve("이체한도 늘리기")
    fusion = Fusion({DENSE: 0.0, TOKENS: 0.7, JAMO: 0.3}, PLAIN.scales)
    retriever = HybridRetriever(store, Failing(), lexical_only_fusion=fusion)
    assert retriever.retrieve("이체한도 늘리기") == HybridRetriever(store, None, fusion=fusion).retrieve(
        "이체한도 늘리기"
    )
    assert retriever.retrieved and retriever.retrieved.lexical_only


def test_async_gives_the_same_without_holding_the_loop(store: FaissStore) -> None:
    model = Recording()
    retriever = HybridRetriever(store, model)
    hits = asyncio.run(retriever.aretrieve("이체한도"))
    assert [(row_id(hit), hit.score) for hit in hits] == [
        (row_id(hit), hit.score) for hit in retriever.retrieve("이체한도")
    ]
    main = threading.main_thread().name
    assert model.threads[0] != main


def test_a_phrasing_that_matches_better_counts_half() -> None:
    own, other = node("a"), node("a?1", "a")
    [hit] = fuse(found({"a?1": 1.0, "a": 0.5}, {"a?1": 0.6}, {}, own, other), PLAIN, size=5)
    assert (row_id(hit), hit.node.node_id) == ("a", "a?1")
    assert hit.parts == {DENSE: 0.75, TOKENS: 0.3, JAMO: 0.0}
    assert hit.score == pytest.approx(0.5 * 0.75 + 0.3 * 0.3)


def test_a_phrasing_that_matches_worse_counts_nothing() -> None:
    [hit] = fuse(found({"a": 0.9, "a?1": 0.5}, {}, {}, node("a"), node("a?1", "a")), PLAIN, size=5)
    assert hit.node.node_id == "a" and hit.parts[DENSE] == 0.9


def test_a_row_found_by_its_phrasing_alone_has_the_floors_for_its_question() -> None:
    lists = found({"b": 0.9, "a?1": 0.7}, {"a?1": 0.4, "b": 0.2}, {}, node("a?1", "a"))
    hits = {row_id(hit): hit for hit in fuse(lists, PLAIN, size=2)}
    assert hits["a"].parts == pytest.approx({DENSE: 0.7, TOKENS: 0.3, JAMO: 0.0})


def test_a_row_whose_id_looks_like_a_phrasing_is_a_row() -> None:
    hits = fuse(found({"a": 0.9, "a?1": 0.8}, {}, {}), PLAIN, size=5)
    assert [row_id(hit) for hit in hits] == ["a", "a?1"]
