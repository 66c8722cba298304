"""FaissStore: passages on one machine. SQLite keeps them, FAISS and BM25 in memory find them.

Subclasses LlamaIndex's `FaissVectorStore` and takes its place wherever one is expected. Overridden, each for a measured
defect held by tests/contract/test_upstream_defects.py: `stores_text` (the text was kept elsewhere), `add` (ids were
running numbers), `query` (distances passed for similarities; no filters), `delete` and the rest of the contract (missing),
`persist` and its readers (a bare file name crashed; the file was no index without its other half).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (
    DEFAULT_PERSIST_DIR,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from llama_index.vector_stores.faiss import FaissVectorStore
from llama_index.vector_stores.faiss.base import DEFAULT_PERSIST_PATH

from rag.errors import StoreError
from rag.stores.base import (
    LEXICAL_FIELDS,
    TOKENS,
    AsyncFromSync,
    Candidates,
    Manifest,
    NodeState,
    check_deletion,
    check_query,
)
from rag.stores.faiss.database import Database, delete, read_manifest, upsert, write_manifest
from rag.stores.faiss.files import IndexFiles
from rag.stores.faiss.reader import IndexReader
from rag.stores.faiss.snapshot import Hits
from rag.stores.filters import check
from rag.stores.node_codec import Nodes, encode, unit_vector

WAIT: Final = 2.0
"""Seconds a write waits for another process's before IndexBusy."""


class FaissStore(AsyncFromSync, FaissVectorStore):
    """A `PassageStore` (rag.stores.base) in a directory of its own. Safe to use from several threads and processes.

    Raises IndexMissing where there is no index, IndexMismatch where it is not the `expected` one (also later, once
    another was swapped in), and IndexBusy where a write waited `wait` seconds for another process's.
    """

    stores_text: bool = True
    _reader: IndexReader = PrivateAttr()

    def __init__(self, directory: Path, expected: Manifest | None = None, *, wait: float = WAIT) -> None:
        # No index for the parent: it would number rows in the order of their coming.
        super().__init__(faiss_index=None)
        self._reader = IndexReader(IndexFiles(directory), expected, wait)

    @classmethod
    def create(cls, directory: Path, manifest: Manifest, *, replace: bool = False, wait: float = WAIT) -> FaissStore:
        """A new, empty index. `replace`: in the place of an existing one, which `rollback` brings back."""
        files = IndexFiles(directory)
        if files.exists() and not replace:
            raise StoreError(f"index {files.name!r} exists already: open it, or create it with replace=True")
        files.install(lambda path: Database.create(path, manifest).close(), wait)
        return cls(directory, manifest, wait=wait)

    @classmethod
    def open(cls, directory: Path, expected: Manifest | None = None, *, wait: float = WAIT) -> FaissStore:
        """An existing index. `expected` None: whatever it was built with."""
        return cls(directory, expected, wait=wait)

    @classmethod
    def swap_in(cls, built: Path, directory: Path, *, wait: float = WAIT) -> None:
        """Put the index of the directory `built` in the place of the one in `directory`, in one step; remove `built`.

        Open stores answer from it at their next call. `rollback` brings the former one back.
        """
        if built.resolve() == directory.resolve():
            raise StoreError(f"index {directory.name!r} cannot be swapped with itself: build it in another directory")
        IndexFiles(directory).install_copy(IndexFiles(built), wait)
        shutil.rmtree(built, ignore_errors=True)

    @classmethod
    def rollback(cls, directory: Path, *, wait: float = WAIT) -> None:
        """Exchange the index with the one before it. Raises StoreError if there is none."""
        IndexFiles(directory).rollback(wait)

    def verify(self) -> tuple[int, int]:
        """(rows checked, rows of an earlier version, without checksums). Raises IndexDamaged."""
        return self._reader.verify()

    @property
    def client(self) -> Any:
        """The FAISS index of the moment, to read; None if the index keeps no vectors."""
        with self._reader.reading() as reading:
            dense = reading.snapshot.dense
            return None if dense is None else dense.index

    @property
    def manifest(self) -> Manifest:
        """As it is stored now, calibration included."""
        with self._reader.connected() as connection:
            return read_manifest(connection, self._reader.files.name)

    def replace_manifest(self, manifest: Manifest) -> None:
        """Store another manifest. Raises StoreError for another dimension or schema than the rows have."""
        with self._reader.writing() as connection:
            name = self._reader.files.name
            read_manifest(connection, name).check_replacement(manifest, index=name)
            write_manifest(connection, manifest)
        # Else this very store would refuse the index it has just changed.
        if self._reader.expected is not None:
            self._reader.expected = manifest

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Write all nodes or, raising StoreError, none. A node of the same id is replaced; the last of a batch wins."""
        with self._reader.writing() as connection:
            dimension = read_manifest(connection, self._reader.files.name).dimension
            # Encoded on the way in: the first that is refused undoes the transaction.
            upsert(connection, (encode(node, dimension) for node in nodes))
        return [node.node_id for node in nodes]

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """The best `similarity_top_k` (HYBRID: `hybrid_top_k`, if given) in a mode of the contract, filters first.

        `node_ids` and `doc_ids` restrict too, unless empty: `VectorStoreIndex.as_retriever` sends an empty list to a store
        that keeps texts itself. `alpha` is .5 unless given.
        Raises FilterError, and StoreError for another mode or where the mode's embedding or text is missing.
        """
        filters = check(query.filters)
        check_query(query)
        with self._reader.reading() as reading:
            seqs = reading.of_documents(query.doc_ids) if query.doc_ids else None
            allowed = reading.snapshot.allowed(filters, query.node_ids or None, seqs)
            k, text = query.similarity_top_k, query.query_str or ""
            if query.mode is VectorStoreQueryMode.TEXT_SEARCH:
                return reading.result(reading.snapshot.best_lexical(reading.coverage(text)[TOKENS], k, allowed))
            embedding = unit_vector(query.query_embedding or (), reading.snapshot.dimension, source="the query")
            if query.mode is VectorStoreQueryMode.DEFAULT:
                return reading.result(reading.check_vectors(reading.snapshot.best_dense(embedding, k, allowed)))
            k = k if query.hybrid_top_k is None else query.hybrid_top_k
            alpha = 0.5 if query.alpha is None else query.alpha
            coverage = reading.coverage(text)[TOKENS]
            hits = reading.snapshot.best_hybrid(embedding, coverage, alpha, k, allowed)
            return reading.result(reading.check_vectors(hits))

    def candidates(
        self,
        *,
        query_embedding: Sequence[float] | None,
        query_str: str,
        size: int,
        filters: MetadataFilters | None = None,
    ) -> Candidates:
        """All lists of one query, from one generation. Raises FilterError, StoreError."""
        checked = check(filters)
        with self._reader.reading() as reading:
            snapshot, allowed = reading.snapshot, reading.snapshot.allowed(checked)
            dense: Hits = []
            if query_embedding is not None:
                vector = unit_vector(query_embedding, snapshot.dimension, source="the query")
                dense = reading.check_vectors(snapshot.best_dense(vector, size, allowed))
            coverage = reading.coverage(query_str)
            lexical = {field: snapshot.best_lexical(coverage[field], size, allowed) for field in LEXICAL_FIELDS}
            # Each row once: most are in more than one list.
            rows = list(dict.fromkeys(row for hits in (dense, *lexical.values()) for row, _ in hits))
            return Candidates(
                dense={snapshot.ids[row]: score for row, score in dense},
                lexical={field: {snapshot.ids[row]: score for row, score in hits} for field, hits in lexical.items()},
                documents=dict(zip((snapshot.ids[row] for row in rows), reading.documents(rows), strict=True)),
                nodes=Nodes(reading.columns(rows)),
            )

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Nodes by id (in that order, unknown ids left out), by filter (sorted by id) or by both; neither: all."""
        checked = check(filters)
        with self._reader.reading() as reading:
            return reading.nodes(reading.snapshot.rows(checked, node_ids))

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of this document; none is not an error."""
        with self._reader.writing() as connection:
            connection.execute("DELETE FROM nodes WHERE ref_doc_id = ?", (ref_doc_id,))

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Delete nodes by id, by filter, or those in both. Raises StoreError for neither: `clear` empties an index."""
        checked = check(filters)
        check_deletion(node_ids, filters)
        with self._reader.writing() as connection:
            snapshot = self._reader.snapshot(connection)
            assert snapshot is not None, "nobody can have written after us"
            delete(connection, snapshot.seqs[snapshot.rows(checked, node_ids)].tolist())

    def clear(self) -> None:
        """Delete all nodes; the manifest stays."""
        with self._reader.writing() as connection:
            connection.execute("DELETE FROM nodes")

    def states(self) -> dict[str, NodeState]:
        """What is stored, by node id, without reading texts or vectors."""
        with self._reader.connected() as connection:
            rows = connection.execute("SELECT id, content_hash, fingerprint, ref_doc_id FROM nodes")
            return {node_id: NodeState(content, fingerprint, ref or "") for node_id, content, fingerprint, ref in rows}

    def values(self, key: str) -> list[str]:
        """The distinct strings under a metadata key, sorted."""
        with self._reader.reading() as reading:
            return reading.snapshot.columns.strings(key)

    def count(self) -> int:
        """How many nodes there are."""
        with self._reader.connected() as connection:
            return int(connection.execute("SELECT count(*) FROM nodes").fetchone()[0])

    def close(self) -> None:
        """Let go of the files. Later calls raise StoreError."""
        self._reader.close()

    def persist(self, persist_path: str = DEFAULT_PERSIST_PATH, fs: AbstractFileSystem | None = None) -> None:
        """Copy the whole index to the directory `persist_path`. The store itself is on disk after every call anyway."""
        _check_local(fs)
        target = IndexFiles(Path(persist_path))
        # Its own directory holds all already, and a copy there would take the place of the version before.
        if target.directory.resolve() != self._reader.files.directory.resolve():
            target.install_copy(self._reader.files, WAIT)

    @classmethod
    def from_persist_path(cls, persist_path: str, fs: AbstractFileSystem | None = None) -> FaissStore:
        """Open what `persist` wrote. Raises IndexMissing."""
        _check_local(fs)
        return cls.open(Path(persist_path))

    @classmethod
    def from_persist_dir(
        cls, persist_dir: str = DEFAULT_PERSIST_DIR, fs: AbstractFileSystem | None = None
    ) -> FaissStore:
        """Open what `StorageContext.persist` had `persist` write. Raises IndexMissing."""
        return cls.from_persist_path(str(Path(persist_dir) / Path(DEFAULT_PERSIST_PATH).name), fs)


def _check_local(fs: AbstractFileSystem | None) -> None:
    if fs is not None and not isinstance(fs, LocalFileSystem):
        raise StoreError(f"an index is kept on a local disk, not on {type(fs).__name__}: copy it there yourself")
