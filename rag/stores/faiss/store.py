"""FaissStore: passages on one machine, stored in SQLite and searched in memory with FAISS and BM25.

Subclasses LlamaIndex's `FaissVectorStore`, so that it can be used wherever one is expected. Each override corrects a defect
that tests/contract/test_upstream_defects.py demonstrates: `stores_text` (the text was stored elsewhere), `add` (ids were
row numbers), `query` (distances returned as similarities; no filters), `delete` and other methods (not implemented),
`persist` and the methods that read its result (a bare file name crashed; the file alone was not a usable index).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
    WAIT,
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


class FaissStore(AsyncFromSync, FaissVectorStore):
    """A `PassageStore` (rag.stores.base) in its own directory. Safe to use from several threads and processes.

    Methods raise IndexMissing if there is no index, IndexMismatch if its manifest differs from `expected` (also when such
    an index is swapped in later), and IndexBusy if a write waits `wait` seconds for the write of another process.
    """

    stores_text: bool = True
    _reader: IndexReader = PrivateAttr()

    def __init__(self, directory: Path, expected: Manifest | None = None, *, wait: float = WAIT) -> None:
        # The parent class gets no index: its own would use row numbers as ids.
        super().__init__(faiss_index=None)
        self._reader = IndexReader(IndexFiles(directory), expected, wait)

    @classmethod
    def create(cls, directory: Path, manifest: Manifest, *, replace: bool = False, wait: float = WAIT) -> FaissStore:
        """Create an empty index. With `replace` it replaces an existing one, which `rollback` can restore."""
        files = IndexFiles(directory)
        if files.exists() and not replace:
            raise StoreError(f"index {files.name!r} already exists: open it, or create it with replace=True")
        files.install(lambda path: Database.create(path, manifest).close(), wait)
        return cls(directory, manifest, wait=wait)

    @classmethod
    def open(cls, directory: Path, expected: Manifest | None = None, *, wait: float = WAIT) -> FaissStore:
        """Open an existing index. `expected` None: do not check the manifest."""
        return cls(directory, expected, wait=wait)

    @classmethod
    def swap_in(cls, built: Path, directory: Path, *, wait: float = WAIT) -> None:
        """Replace the index in `directory` by the one in `built`, in one step, and remove `built`.

        Open stores use the new index from their next call. `rollback` can restore the previous one.
        """
        if built.resolve() == directory.resolve():
            raise StoreError(f"index {directory.name!r} cannot be swapped with itself: build it in another directory")
        IndexFiles(directory).install_copy(IndexFiles(built), wait)
        shutil.rmtree(built, ignore_errors=True)

    @classmethod
    def rollback(cls, directory: Path) -> None:
        """Exchange the index with its previous version. Raises StoreError if there is none."""
        IndexFiles(directory).rollback(WAIT)

    def verify(self) -> tuple[int, int]:
        """Return (rows checked, rows without checksums, which an earlier version wrote). Raises IndexDamaged."""
        return self._reader.verify()

    @property
    def client(self) -> Any:
        """The current FAISS index, read-only; None if the index has no vectors."""
        with self._reader.read() as view:
            dense = view.snapshot.dense
            return None if dense is None else dense.index

    @property
    def manifest(self) -> Manifest:
        """The manifest as it is stored now, including the calibration."""
        with self._reader.connect() as connection:
            return read_manifest(connection, self._reader.files.name)

    def replace_manifest(self, manifest: Manifest) -> None:
        """Replace the stored manifest. Raises StoreError if its dimension or schema differs from that of the rows."""
        with self._reader.write() as connection:
            name = self._reader.files.name
            read_manifest(connection, name).check_replacement(manifest, index=name)
            write_manifest(connection, manifest)
        # Otherwise this store would reject the index that it has just changed.
        if self._reader.expected is not None:
            self._reader.expected = manifest

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Write all nodes, or none and raise StoreError. Replaces nodes with the same id; in a batch the last one wins."""
        with self._reader.write() as connection:
            dimension = read_manifest(connection, self._reader.files.name).dimension
            # Encoded within the transaction: an invalid node rolls it back.
            upsert(connection, (encode(node, dimension) for node in nodes))
        return [node.node_id for node in nodes]

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Return the best `similarity_top_k` rows (HYBRID: `hybrid_top_k` if given) that pass the filters.

        `node_ids` and `doc_ids` restrict the search as well, unless they are empty: `VectorStoreIndex.as_retriever` passes
        an empty list to a store that stores texts. The default of `alpha` is 0.5.
        Raises FilterError, and StoreError for an unsupported mode or a missing embedding or text.
        """
        filters = check(query.filters)
        check_query(query)
        with self._reader.read() as view:
            seqs = view.seqs_of_documents(query.doc_ids) if query.doc_ids else None
            allowed = view.snapshot.allowed(filters, query.node_ids or None, seqs)
            k, text = query.similarity_top_k, query.query_str or ""
            if query.mode is VectorStoreQueryMode.TEXT_SEARCH:
                return view.result(view.snapshot.search_lexical(view.coverage(text)[TOKENS], k, allowed))
            embedding = unit_vector(query.query_embedding or (), view.snapshot.dimension, source="the query")
            if query.mode is VectorStoreQueryMode.DEFAULT:
                return view.result(view.check_vectors(view.snapshot.search_dense(embedding, k, allowed)))
            k = k if query.hybrid_top_k is None else query.hybrid_top_k
            alpha = 0.5 if query.alpha is None else query.alpha
            coverage = view.coverage(text)[TOKENS]
            hits = view.snapshot.search_hybrid(embedding, coverage, alpha, k, allowed)
            return view.result(view.check_vectors(hits))

    def candidates(
        self,
        *,
        query_embedding: Sequence[float] | None,
        query_str: str,
        size: int,
        filters: MetadataFilters | None = None,
    ) -> Candidates:
        """Return all lists of one query, from one generation. Raises FilterError, StoreError."""
        checked = check(filters)
        with self._reader.read() as view:
            snapshot, allowed = view.snapshot, view.snapshot.allowed(checked)
            dense: Hits = []
            if query_embedding is not None:
                vector = unit_vector(query_embedding, snapshot.dimension, source="the query")
                dense = view.check_vectors(snapshot.search_dense(vector, size, allowed))
            coverage = view.coverage(query_str)
            lexical = {field: snapshot.search_lexical(coverage[field], size, allowed) for field in LEXICAL_FIELDS}
            # Each row once, because most rows are in more than one list.
            stored = view.candidates(list(dict.fromkeys(row for hits in (dense, *lexical.values()) for row, _ in hits)))
            return Candidates(
                dense={snapshot.ids[row]: score for row, score in dense},
                lexical={field: {snapshot.ids[row]: score for row, score in hits} for field, hits in lexical.items()},
                documents={node.node_id: node.document_id for node in stored},
                nodes=Nodes(stored),
            )

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Return nodes by id (in the order given, without unknown ids), by filter (sorted by id) or both; default: all."""
        checked = check(filters)
        with self._reader.read() as view:
            return view.nodes(view.snapshot.rows(checked, node_ids))

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of this document. An unknown document is not an error."""
        with self._reader.write() as connection:
            connection.execute("DELETE FROM nodes WHERE ref_doc_id = ?", (ref_doc_id,))

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Delete nodes by id, by filter, or by both (the intersection). Raises StoreError if neither is given."""
        checked = check(filters)
        check_deletion(node_ids, filters)
        with self._reader.write() as connection:
            snapshot = self._reader.snapshot(connection)
            assert snapshot is not None, "no other writer is possible within this transaction"
            delete(connection, snapshot.seqs[snapshot.rows(checked, node_ids)].tolist())

    def clear(self) -> None:
        """Delete all nodes and keep the manifest."""
        with self._reader.write() as connection:
            connection.execute("DELETE FROM nodes")

    def states(self) -> dict[str, NodeState]:
        """Return the state of each stored node by node id, without reading texts or vectors."""
        with self._reader.connect() as connection:
            rows = connection.execute("SELECT id, content_hash, fingerprint, ref_doc_id FROM nodes")
            return {node_id: NodeState(content, fingerprint, ref or "") for node_id, content, fingerprint, ref in rows}

    def values(self, key: str) -> list[str]:
        """Return the distinct strings under a metadata key, sorted."""
        with self._reader.read() as view:
            return view.snapshot.strings(key)

    def count(self) -> int:
        """Return the number of nodes."""
        with self._reader.connect() as connection:
            return int(connection.execute("SELECT count(*) FROM nodes").fetchone()[0])

    def close(self) -> None:
        """Close the files. Later calls raise StoreError."""
        self._reader.close()

    def persist(self, persist_path: str = DEFAULT_PERSIST_PATH, fs: AbstractFileSystem | None = None) -> None:
        """Copy the whole index to the directory `persist_path`. Not needed to save the store, which writes to disk itself."""
        _check_local(fs)
        target = IndexFiles(Path(persist_path))
        # Its own directory is up to date; a copy there would replace the previous version.
        if target.directory.resolve() != self._reader.files.directory.resolve():
            target.install_copy(self._reader.files, WAIT)

    @classmethod
    def from_persist_path(cls, persist_path: str, fs: AbstractFileSystem | None = None) -> FaissStore:
        """Open an index that `persist` wrote. Raises IndexMissing."""
        _check_local(fs)
        return cls.open(Path(persist_path))

    @classmethod
    def from_persist_dir(
        cls, persist_dir: str = DEFAULT_PERSIST_DIR, fs: AbstractFileSystem | None = None
    ) -> FaissStore:
        """Open an index that `StorageContext.persist` wrote. Raises IndexMissing."""
        return cls.from_persist_path(str(Path(persist_dir) / Path(DEFAULT_PERSIST_PATH).name), fs)


def _check_local(fs: AbstractFileSystem | None) -> None:
    if fs is not None and not isinstance(fs, LocalFileSystem):
        raise StoreError(
            f"expected a local file system; got {type(fs).__name__}: persist locally and copy the files there"
        )
