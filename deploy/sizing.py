"""How large an OpenSearch domain must be for so many vectors. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deploy.stack import OpenSearch

LINKS = 16
"""Neighbours of a vector in the HNSW graph, the servers' own default."""
TEXT_BYTES = 8_000
"""A passage with its fields, tokens and n-grams: about 1,000 characters of Korean, with room."""
HEADROOM = 1.6
"""For merges, deleted rows until a merge, and the share that the service keeps for itself."""
_KINDS = (
    ("t3.small.search", 2),
    ("t3.medium.search", 4),
    ("r6g.large.search", 16),
    ("r6g.xlarge.search", 32),
    ("r6g.2xlarge.search", 64),
    ("r6g.4xlarge.search", 128),
    ("r6g.8xlarge.search", 256),
)
"""Instance types and their memory in GiB, the cheapest first."""
_SHARE = 0.25
"""Of an instance's memory: half is the heap's, and half of the rest is what k-NN takes before it throws graphs out."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of each node."""

    instance_type: str
    storage_gb: int
    graph_gb: float


def size(domain: OpenSearch) -> Size:
    """The smallest that holds the vectors' graphs in memory; the largest known where none does."""
    copies = 2 if domain.nodes > 1 else 1
    graph = 1.1 * (4 * domain.dimension + 8 * LINKS) * domain.vectors * copies / domain.nodes
    stored = (3 * 4 * domain.dimension + TEXT_BYTES) * domain.vectors * HEADROOM * copies / domain.nodes
    fitting = (name for name, memory in _KINDS if graph <= _SHARE * memory * 2**30)
    return Size(
        instance_type=domain.instance_type or next(fitting, _KINDS[-1][0]),
        storage_gb=domain.storage_gb or max(10, math.ceil(stored / 1e9)),
        graph_gb=graph / 2**30,
    )
