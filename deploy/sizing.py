"""Computes the instance type and storage of an OpenSearch domain for a number of vectors. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deploy.stack import OpenSearch

HNSW_M = 16
"""Links per vector in the HNSW graph, the default of OpenSearch."""
TEXT_BYTES = 8_000
"""Upper estimate of a passage with its fields, tokens and n-grams, for about 1,000 characters of Korean."""
HEADROOM = 1.6
"""Factor for merges, deleted documents before a merge, and the storage that the service reserves."""
_INSTANCE_TYPES = (
    ("t3.small.search", 2),
    ("t3.medium.search", 4),
    ("r6g.large.search", 16),
    ("r6g.xlarge.search", 32),
    ("r6g.2xlarge.search", 64),
    ("r6g.4xlarge.search", 128),
    ("r6g.8xlarge.search", 256),
)
"""Instance types and their memory in GiB, cheapest first."""
_GRAPH_SHARE = 0.25
"""Share of the memory for graphs: half is the Java heap, and k-NN caches graphs in half of the rest before it evicts them."""


@dataclass(frozen=True, slots=True)
class Size:
    """Instance type, storage and graph memory (GiB) of each node."""

    instance_type: str
    storage_gb: int
    graph_gb: float


def size(domain: OpenSearch) -> Size:
    """The cheapest type that holds the HNSW graphs in memory, or the largest if none does.

    The graphs take 1.1 * (4 * dimension + 8 * M) bytes per vector, by OpenSearch's k-NN documentation.
    """
    copies = 2 if domain.nodes > 1 else 1
    graph = 1.1 * (4 * domain.dimension + 8 * HNSW_M) * domain.vectors * copies / domain.nodes
    stored = (3 * 4 * domain.dimension + TEXT_BYTES) * domain.vectors * HEADROOM * copies / domain.nodes
    fitting = (name for name, memory in _INSTANCE_TYPES if graph <= _GRAPH_SHARE * memory * 2**30)
    return Size(
        instance_type=domain.instance_type or next(fitting, _INSTANCE_TYPES[-1][0]),
        storage_gb=domain.storage_gb or max(10, math.ceil(stored / 1e9)),
        graph_gb=graph / 2**30,
    )
