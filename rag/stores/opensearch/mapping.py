"""Nodes to the server's documents and back, and the mapping that holds them. Pure functions.

`node` is what comes back with a hit: a JSON list of document id, metadata, extra and text, kept as a stored field, so that
reading it needs no look at the vector beside it. All other fields are there to search by.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import orjson

from rag.stores.base import JAMO, LEXICAL_FIELDS, TOKENS, Manifest
from rag.stores.bm25 import field_tokens
from rag.stores.node_codec import Columns, Row
from rag.stores.opensearch.client import Layout
from rag.stores.opensearch.metadata_terms import TERMS, metadata_terms

ID: Final = "id"
DOCUMENT: Final = "document"
HASH: Final = "content_hash"
PRINT: Final = "fingerprint"
NODE: Final = "node"
VECTOR: Final = "vector"
GRAPH: Final = {"m": 16, "ef_construction": 100}
_LONGEST_KEY: Final = 512  # bytes
_LONGEST_TOKEN: Final = 10_000

SPACE: Final = "innerproduct"
"""The similarity: over unit vectors the order of cosines, without reckoning both lengths for every pair. lucene: from 2.13 on."""


def body(manifest: Manifest, layout: Layout, *, exact: bool) -> dict[str, Any]:
    """The request body that creates an index. `exact`: no graph, every vector is compared."""
    properties: dict[str, Any] = {
        ID: {"type": "keyword"},
        DOCUMENT: {"type": "keyword"},
        HASH: {"type": "keyword", "index": False},
        PRINT: {"type": "keyword", "index": False},
        TERMS: {"type": "keyword"},
        NODE: {"type": "keyword", "index": False, "doc_values": False, "store": True},
    }
    for field in LEXICAL_FIELDS:
        # Frequencies for BM25, no positions: nothing is searched as a phrase.
        properties[field] = {"type": "text", "analyzer": "ready_made", "index_options": "freqs"}
    if manifest.dimension:
        properties[VECTOR] = {"type": "knn_vector", "dimension": manifest.dimension}
        if not exact:
            # Without a method the vectors are only stored, for the k-NN script to compare.
            properties[VECTOR]["method"] = {
                "name": "hnsw",
                "engine": layout.engine,
                "space_type": SPACE,
                "parameters": GRAPH,
            }
    meta = {"manifest": json.dumps(manifest.as_json(), ensure_ascii=False), "exact": exact}
    return {
        "settings": {
            "index": {
                "number_of_shards": layout.shards,
                "auto_expand_replicas": "0-1",
                "refresh_interval": "-1",  # a batch is seen whole: after the refresh at its end
                **({} if exact or not manifest.dimension else {"knn": True}),
            },
            "analysis": {
                "analyzer": {"ready_made": {"type": "custom", "tokenizer": "spaces"}},
                "tokenizer": {"spaces": {"type": "whitespace", "max_token_length": _LONGEST_TOKEN}},
            },
        },
        "mappings": {"dynamic": "strict", "_meta": meta, "properties": properties},
    }


def key(node_id: str) -> str:
    """The `_id` of a node: r and its id, or h and a hash of one that is longer than the server takes."""
    # The limit is in bytes, of which a Hangul syllable has three.
    raw = node_id.encode()
    return f"r{node_id}" if len(raw) < _LONGEST_KEY else f"h{hashlib.sha256(raw).hexdigest()}"


def encode_row(row: Row) -> bytes:
    """The document of a row, as JSON."""
    metadata = orjson.loads(row.metadata) if row.metadata != "{}" else {}
    document: dict[str, Any] = {
        ID: row.id,
        HASH: row.content_hash,
        PRINT: row.fingerprint,
        TERMS: metadata_terms(metadata),
        # As one string, for a stored field holds no objects.
        NODE: orjson.dumps([row.metadata, row.extra, row.text]).decode(),
    }
    if row.ref_doc_id is not None:
        document[DOCUMENT] = row.ref_doc_id
    for field in (TOKENS, JAMO):
        words = field_tokens(field, metadata, row.text)
        if words:  # without any the field is left out: then the row does not count in its statistics
            document[field] = " ".join(words)
    if row.vector is not None:
        document[VECTOR] = np.frombuffer(row.vector, np.float32)
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def columns(hit: Mapping[str, Any]) -> Columns:
    """What a hit's node is made of. Every list is sorted by id last, so `sort` ends with it."""
    return Columns(hit["sort"][-1], *orjson.loads(hit["fields"][NODE][0]))
