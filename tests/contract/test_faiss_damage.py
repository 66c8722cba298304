"""Flipped bits in an index's files: each is detected, repaired, or changes no result."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

from rag.errors import IndexDamaged, RagError
from rag.stores.base import Manifest
from rag.stores.faiss.store import FaissStore

DIMENSION = 24
FLIPS = 240
SEED = 64


def nodes() -> list[TextNode]:
    numbers = np.random.default_rng(SEED)
    return [
        TextNode(
            id_=f"row-{number}",
            text=f"제{number}조 이체한도는 하루 {number}00만원이며 영업점에서 변경합니다. " * 3,
            metadata={"question": f"이체한도 {number}번 질문", "bank": "가온은행", "content_hash": f"hash{number}"},
            embedding=numbers.normal(size=DIMENSION).tolist(),
            relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=f"row-{number}")},
        )
        for number in range(40)
    ]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("damage") / "faq"
    manifest = Manifest(DIMENSION, "abc").with_calibration({"answered": 0.731, "suggested": 0.25})
    store = FaissStore.create(directory, manifest)
    store.add(nodes())
    contents(store)  # writes the lexical cache
    store.close()
    return directory


def contents(store: FaissStore) -> dict[str, Any]:
    """Everything that a page shows of an index, and its scores."""
    query = VectorStoreQuery(
        query_embedding=nodes()[3].embedding,
        query_str="이체한도 변경",
        similarity_top_k=40,
        mode=VectorStoreQueryMode.HYBRID,
    )
    result = store.query(query)
    dense = store.query(VectorStoreQuery(query_embedding=nodes()[5].embedding, similarity_top_k=40))
    return {
        "nodes": [(node.node_id, node.get_content(), node.metadata) for node in store.get_nodes()],
        "hybrid": list(zip(result.ids or [], result.similarities or [], strict=True)),
        "dense": list(zip(dense.ids or [], dense.similarities or [], strict=True)),
        "states": store.states(),
        "manifest": store.manifest,
        "banks": store.values("bank"),
        "count": store.count(),
    }


def opened(directory: Path) -> dict[str, Any] | str:
    """The contents of the index, or the name of the error."""
    try:
        store = FaissStore.open(directory)
    except RagError as exc:
        return type(exc).__name__
    try:
        return contents(store)
    except RagError as exc:
        return type(exc).__name__
    finally:
        store.close()


def test_no_flipped_bit_goes_unseen(index: Path, tmp_path: Path) -> None:
    expected = opened(index)
    assert isinstance(expected, dict)
    choose = random.Random(SEED)
    outcomes: Counter[str] = Counter()
    files = sorted(path.name for path in index.iterdir())
    assert len(files) == 3
    weights = [2 if name == "CURRENT" else 3 if name.endswith("npz") else 15 for name in files]
    for number in range(FLIPS):
        copy = tmp_path / f"copy{number}"
        shutil.copytree(index, copy)
        target = copy / choose.choices(files, weights=weights)[0]
        content = bytearray(target.read_bytes())
        bit = choose.randrange(8 * len(content))
        if number % 12 == 0:
            del content[bit // 8 :]
        else:
            content[bit // 8] ^= 1 << bit % 8
        target.write_bytes(content)
        outcome = opened(copy)
        assert isinstance(outcome, str) or outcome == expected, f"bit {bit} of {target.name} was silent"
        outcomes[outcome if isinstance(outcome, str) else "no effect"] += 1
        shutil.rmtree(copy)
    assert outcomes["IndexDamaged"] > FLIPS // 4, outcomes


@pytest.mark.parametrize("column", ["id", "ref_doc_id", "content_hash", "fingerprint", "metadata", "extra", "text"])
def test_each_column_of_a_row_is_held_by_a_checksum(index: Path, tmp_path: Path, column: str) -> None:
    copy = tmp_path / "faq"
    shutil.copytree(index, copy)
    (database,) = copy.glob("*.sqlite")
    with sqlite3.connect(database) as connection:
        connection.execute(f"UPDATE nodes SET {column} = CAST({column} || 'x' AS TEXT) WHERE id = 'row-7'")
    connection.close()
    with pytest.raises(IndexDamaged, match=r"row-7.*ingest its files again"):
        FaissStore.open(copy)


def test_a_row_damaged_under_an_open_index_is_not_shown(index: Path, tmp_path: Path) -> None:
    copy = tmp_path / "faq"
    shutil.copytree(index, copy)
    store = FaissStore.open(copy)
    (database,) = copy.glob("*.sqlite")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE nodes SET text = 'forged' WHERE id = 'row-7'")
    connection.close()
    with pytest.raises(IndexDamaged, match="row-7"):
        store.get_nodes(["row-7"])
    assert store.get_nodes(["row-8"])
    store.close()


def test_candidates_are_verified_once_and_kept(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "faq"
    shutil.copytree(index, copy)
    store = FaissStore.open(copy)

    def texts() -> dict[str, str]:
        found = store.candidates(query_embedding=nodes()[7].embedding, query_str="이체한도 7번 질문", size=40)
        for node in found.nodes.values():
            assert node.metadata["bank"] == "가온은행"
            node.metadata["bank"] = "changed by a caller"
        return {node_id: node.get_content() for node_id, node in found.nodes.items()}

    before = texts()
    (database,) = copy.glob("*.sqlite")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE nodes SET text = 'forged' WHERE id = 'row-7'")
    connection.close()
    # What was verified is shown, the forged text never; `verify` and everything else that reads the row reports it.
    assert texts() == before and before["row-7"].startswith("제7조")
    assert {node.metadata["bank"] for node in store.get_nodes(["row-8"])} == {"가온은행"}
    for read in (store.verify, lambda: store.get_nodes(["row-7"])):
        with pytest.raises(IndexDamaged, match="row-7"):
            read()
    # With less room than one question needs, each question reads and verifies its rows again.
    monkeypatch.setattr("rag.stores.faiss.reader.CACHED_NODES", 10)
    other = FaissStore.create(tmp_path / "other", Manifest(DIMENSION, "abc"))
    other.add(nodes())
    for _ in range(2):
        found = other.candidates(query_embedding=nodes()[7].embedding, query_str="이체한도", size=40)
        assert len(found.nodes) == 40
    other.close()
    store.close()


def test_an_invalid_manifest_is_reported(index: Path, tmp_path: Path) -> None:
    for written in ("{", '{"schema": 1}\nbad', "[]", '{"schema": 1, "what": 2}'):
        copy = tmp_path / "faq"
        shutil.copytree(index, copy)
        (database,) = copy.glob("*.sqlite")
        with sqlite3.connect(database) as connection:
            connection.execute("UPDATE meta SET manifest = ?", (written,))
        connection.close()
        with pytest.raises(IndexDamaged, match="manifest"):
            FaissStore.open(copy)
        shutil.rmtree(copy)


def test_an_index_of_an_earlier_version_opens_and_gets_checksums(index: Path, tmp_path: Path) -> None:
    copy = tmp_path / "faq"
    shutil.copytree(index, copy)
    (database,) = copy.glob("*.sqlite")
    with sqlite3.connect(database) as connection:
        for column in ("shown_checksum", "found_checksum"):
            connection.execute(f"ALTER TABLE nodes DROP COLUMN {column}")
        connection.execute("UPDATE meta SET manifest = substr(manifest, 1, instr(manifest, char(10)) - 1)")
    connection.close()
    store = FaissStore.open(copy)
    assert store.verify() == (0, 40)
    assert len(store.get_nodes()) == 40
    store.add(nodes()[:10])
    assert store.verify() == (10, 30)
    store.add(nodes())
    assert store.verify() == (40, 0)
    store.close()
