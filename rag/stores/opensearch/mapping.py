"""Converts nodes to OpenSearch documents and back, defines their mapping, and writes filters as queries. Pure functions.

The field `node` is returned with a hit: a JSON list of metadata, extra and text. It is a stored field, so that reading it
does not read the vector. All other fields are only for searching.

Each scalar of a row's metadata is one term of one keyword field: the length of the key, the key, a letter for the type, and
the value. This allows any key, distinguishes types, and does not grow the mapping. A range of terms is a range of values:
strings are in code point order, numbers are encoded as eight bytes in numeric order. A missing field has no term.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import orjson
from llama_index.core.vector_stores.types import FilterCondition, FilterOperator

from rag.stores.base import JAMO, LEXICAL_FIELDS, TOKENS, Manifest
from rag.stores.bm25 import field_tokens
from rag.stores.filters import Clause, Group, Scalar, scalar
from rag.stores.node_codec import Row, StoredNode
from rag.stores.opensearch.client import Layout

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


TERMS: Final = "facts"
"""The field's name on the server, which existing indexes use."""
MAX_LENGTH: Final = 8000
"""The longest string in characters (Lucene limits a term to 32,766 bytes). A longer string is truncated and a hash appended:
it is equal only to itself, and ordered correctly relative to strings that differ within these characters."""

_LETTERS: Final[Mapping[str, str]] = {"boolean": "b", "number": "n", "string": "s"}
_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1

Query = dict[str, Any]
MATCH_ALL: Final[Query] = {"match_all": {}}
MATCH_NONE: Final[Query] = {"match_none": {}}


def metadata_terms(metadata: Mapping[str, Any]) -> list[str]:
    """Return the terms of a row, one for each scalar of its metadata."""
    scalars = ((key, scalar(value)) for key, value in metadata.items())
    return [term(key, value) for key, value in scalars if value is not None]


def term(key: str, value: Scalar) -> str:
    """Return the term of a value under a key. Terms are equal only if key, type and value are equal."""
    kind, content = value
    start = prefix(key, kind)
    if isinstance(content, str):
        return start + _truncate_with_hash(content)
    if isinstance(content, bool):
        return start + str(int(content))
    # 16 hexadecimal digits in numeric order: IEEE 754 with the sign bit (or all bits of a negative number) inverted.
    # Adding 0.0 turns -0.0 into 0.0.
    (bits,) = struct.unpack(">Q", struct.pack(">d", content + 0.0))
    return f"{start}{bits ^ (_ALL if bits & _SIGN else _SIGN):016x}"


def prefix(key: str, kind: str) -> str:
    """Return the prefix that all terms of this type under this key have, and no other term."""
    # The length comes first so that a key and its value cannot be confused with a longer key.
    return f"{len(key)}:{_truncate_with_hash(key)}{_LETTERS[kind]}"


def strings_pattern(key: str) -> str:
    """Return a Lucene regular expression that matches the terms of all strings under a key."""
    return re.sub(r"([^\w])", r"\\\1", prefix(key, "string"), flags=re.ASCII) + ".*"


def filter_query(node: Clause | Group) -> Query:
    """Return the query for validated filters."""
    if isinstance(node, Clause):
        return _clause(node)
    if not node.children:
        return MATCH_ALL
    children = [filter_query(child) for child in node.children]
    match node.condition:
        case FilterCondition.AND:
            return {"bool": {"filter": children}}
        case FilterCondition.OR:
            return {"bool": {"should": children, "minimum_should_match": 1}}
        case FilterCondition.NOT:
            return {"bool": {"must_not": children}}


def _clause(clause: Clause) -> Query:
    # Sorted, so that equal filters make equal requests, which the server can cache.
    terms = [term(clause.key, value) for value in sorted(clause.values, key=repr)]
    match clause.operator:
        case FilterOperator.IN:
            return {"terms": {TERMS: terms}} if terms else MATCH_NONE
        case FilterOperator.NIN:
            return {"bool": {"must_not": [{"terms": {TERMS: terms}}]}} if terms else MATCH_ALL
    (value,) = clause.values
    start = prefix(clause.key, value[0])
    # The upper limit for terms of this key and type, so that a range never includes others.
    end = start[:-1] + chr(ord(start[-1]) + 1)
    bound = {_BOUNDS[clause.operator]: terms[0]}
    if clause.operator in (FilterOperator.GT, FilterOperator.GTE):
        return {"range": {TERMS: bound | {"lt": end}}}
    return {"range": {TERMS: {"gte": start} | bound}}


_BOUNDS: Final[Mapping[FilterOperator, str]] = {
    FilterOperator.GT: "gt",
    FilterOperator.GTE: "gte",
    FilterOperator.LT: "lt",
    FilterOperator.LTE: "lte",
}


def _truncate_with_hash(text: str) -> str:
    if len(text) <= MAX_LENGTH:
        return text
    return text[:MAX_LENGTH] + hashlib.sha256(text.encode()).hexdigest()
