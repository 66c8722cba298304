"""The store contract, first part: writing, replacing and deleting; what is read equals what was written."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
from llama_index.core.schema import MetadataMode, NodeRelationship, RelatedNodeInfo, TextNode

from rag.errors import StoreError
from rag.stores.base import Manifest, NodeState
from tests.contract.base import (
    FAQ,
    MANIFEST,
    Store,
    StoreFixtures,
    dense,
    ids,
    lexical,
    where,
)
from tests.contract.reference import passage


class WritingContract(StoreFixtures):
    """The manifest, add, delete, clear, states."""

    # The manifest

    def test_the_manifest_comes_back(self, store: Store) -> None:
        assert store.manifest == MANIFEST

    def test_a_replaced_manifest_comes_back(self, faq: Store) -> None:
        calibrated = MANIFEST.with_calibration({"answered": 0.75, "이름": ["가", None]})
        faq.replace_manifest(calibrated)
        assert faq.manifest == calibrated
        assert faq.count() == len(FAQ)

    def test_a_manifest_of_another_dimension_is_refused(self, faq: Store) -> None:
        with pytest.raises(StoreError, match=r"dimension 4.* 5"):
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

    def test_a_replaced_node_keeps_no_metadata(self, faq: Store) -> None:
        asked = where("question", "OTP를 잃어버렸어요")
        assert ids(faq, dense((1, 0, 0, 0), 1, filters=asked)) == ["otp"]
        faq.add([passage("otp", "새로운 글", (1, 0, 0, 0))])
        assert "question" not in faq.get_nodes(["otp"])[0].metadata
        assert ids(faq, dense((1, 0, 0, 0), 1, filters=asked)) == []

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
        with pytest.raises(StoreError, match=r"'bad'.*embed"):
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
            metadata={
                "s": "은행",
                "i": 3,
                "f": 0.1,
                "b": True,
                "n": None,
                "l": [1, "둘", {"x": []}],
                "d": {"k": {"z": 1}},
            },
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

    # Deleting

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
        store.add([passage("a", document="doc", content_hash="h1", embedding_fingerprint="f1"), passage("b")])
        assert store.states() == {"a": NodeState("h1", "f1", "doc"), "b": NodeState("", "", "")}
        store.add([passage("a", document="doc", content_hash="h2", embedding_fingerprint="f1")])
        assert store.states()["a"] == NodeState("h2", "f1", "doc")
