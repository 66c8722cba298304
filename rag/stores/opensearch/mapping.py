"""Converts nodes to OpenSearch documents and back, and defines their mapping. Pure functions.

The field `node` is returned with a hit: a JSON list of metadata, extra and text. It is a stored field, so that reading it
does not read the vector. All other fields are only for searching.
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
from rag.stores.node_codec import Row, StoredNode
from rag.stores.opensearch.client import Layout
from rag.stores.opensearch.metadata_terms import TERMS, metadata_terms

ID: Final = "id"
DOCUMENT: Final = "document"
HASH: Final = "content_hash"
FINGERPRINT: Final = "fingerprint"
NODE: Final = "node"
VECTOR: Final = "vector"
GRAPH: Final = {"m": 16, "ef_construction": 100}
_MAX_KEY_BYTES: Final = 512
_MAX_TOKEN_LENGTH: Final = 10_000

SPACE: Final = "innerproduct"
"""The k-NN space type. For unit vectors it orders like the cosine, without computing norms. Lucene has it since 2.13."""


def index_body(manifest: Manifest, layout: Layout, *, exact: bool) -> dict[str, Any]:
    """Return the request body that creates an index. `exact`: without a graph, so that a search compares all vectors."""
    properties: dict[str, Any] = {
        ID: {"type": "keyword"},
        DOCUMENT: {"type": "keyword"},
        HASH: {"type": "keyword", "index": False},
        FINGERPRINT: {"type": "keyword", "index": False},
        TERMS: {"type": "keyword"},
        NODE: {"type": "keyword", "index": False, "doc_values": False, "store": True},
    }
    for field in LEXICAL_FIELDS:
        # BM25 needs frequencies, but no positions, which are for phrase queries.
        properties[field] = {"type": "text", "analyzer": "ready_made", "index_options": "freqs"}
    if manifest.dimension:
        properties[VECTOR] = {"type": "knn_vector", "dimension": manifest.dimension}
        if not exact:
            # Without a method the vectors are only stored; the k-NN script compares them.
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
                "auto_expand_replicas": "0-1",  # a replica as soon as there is a second node
                "refresh_interval": "-1",  # a batch becomes visible as a whole, by the refresh after it
                **({} if exact or not manifest.dimension else {"knn": True}),
            },
            "analysis": {
                "analyzer": {"ready_made": {"type": "custom", "tokenizer": "spaces"}},
                "tokenizer": {"spaces": {"type": "whitespace", "max_token_length": _MAX_TOKEN_LENGTH}},
            },
        },
        "mappings": {"dynamic": "strict", "_meta": meta, "properties": properties},
    }


def document_key(node_id: str) -> str:
    """Return the `_id` of a node: "r" and its id, or "h" and a hash if that would exceed the server's limit."""
    # The limit is in bytes; a Hangul syllable has three.
    raw = node_id.encode()
    return f"r{node_id}" if len(raw) < _MAX_KEY_BYTES else f"h{hashlib.sha256(raw).hexdigest()}"


def encode_row(row: Row) -> bytes:
    """Return the document of a row as JSON."""
    metadata = orjson.loads(row.metadata) if row.metadata != "{}" else {}
    document: dict[str, Any] = {
        ID: row.id,
        HASH: row.content_hash,
        FINGERPRINT: row.fingerprint,
        TERMS: metadata_terms(metadata),
        # One string, because a stored field cannot hold an object.
        NODE: orjson.dumps([row.metadata, row.extra, row.text]).decode(),
    }
    if row.ref_doc_id is not None:
        document[DOCUMENT] = row.ref_doc_id
    for field in (TOKENS, JAMO):
        words = field_tokens(field, metadata, row.text)
        if words:  # a row without tokens must not have the field, so that it does not count in its statistics
            document[field] = " ".join(words)
    if row.vector is not None:
        document[VECTOR] = np.frombuffer(row.vector, np.float32)
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def decode_hit(hit: Mapping[str, Any]) -> StoredNode:
    """Return a hit's node. The id is the last sort key of every search."""
    node_id, fields = hit["sort"][-1], hit["fields"]
    return StoredNode(node_id, fields.get(DOCUMENT, [None])[0], *orjson.loads(fields[NODE][0]))
