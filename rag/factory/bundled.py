"""The bundled FAQ's index: derived data, named by what it was made from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from rag.retrieval.confidence import defaults
from rag.stores.base import Manifest

BUNDLED = "bundled"
"""What a missing index name stands for; its directory's name also carries a hash of the data and of the embedding."""
_PACKAGED = Path(__file__).resolve().parents[1] / "bundled_faq"
DATA = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).resolve().parents[2] / "data" / "faq"
"""The bundled FAQ's files: inside an installed package, else in the project's folder."""
BUILD_WAIT = 120.0
"""Seconds a second process waits while the first builds the bundled index."""


def bundled_name(manifest: Manifest, data: Path = DATA) -> str:
    """Derived data: another FAQ, embedding, analyzer or start of a calibration simply has another index."""
    digest = hashlib.sha256(f"{manifest.fingerprint} {manifest.analyzer} {manifest.schema}".encode())
    # Else an index of the version before would be calibrated again in memory, with a warning, each time it is opened.
    digest.update(json.dumps(defaults(dense=manifest.dimension > 0).as_json(), sort_keys=True).encode())
    # Sorted: a folder lists its files in any order.
    for path in sorted(data.glob("*.csv")):
        digest.update(path.read_bytes())
    return f"{BUNDLED}-{digest.hexdigest()[:12]}"
