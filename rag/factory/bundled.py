"""The name of the bundled FAQ's index, which includes a hash of everything that the index is built from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from rag.retrieval.confidence import defaults
from rag.stores.base import Manifest

BUNDLED = "bundled"
"""The default index name; the directory's name also has a hash of the data and of the embedding."""
_PACKAGED = Path(__file__).resolve().parents[1] / "bundled_faq"
DATA = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).resolve().parents[2] / "data" / "faq"
"""The folder of the bundled FAQ: in the installed package, or in the project folder."""
BUILD_WAIT = 120.0
"""Seconds that a process waits while another one builds the bundled index."""


def bundled_name(manifest: Manifest, data: Path = DATA) -> str:
    """Return the index name for the bundled FAQ. Another FAQ, embedding, analyzer or default calibration has another name."""
    digest = hashlib.sha256(f"{manifest.fingerprint} {manifest.analyzer} {manifest.schema}".encode())
    # With the default calibration, so that an index of an earlier version is not calibrated in memory at each start.
    digest.update(json.dumps(defaults(dense=manifest.dimension > 0).as_json(), sort_keys=True).encode())
    # Sorted, because a folder may list its files in any order.
    for path in sorted(data.glob("*.csv")):
        digest.update(path.read_bytes())
    return f"{BUNDLED}-{digest.hexdigest()[:12]}"
