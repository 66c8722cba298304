"""Derives an EndpointSpec from a model's container definition: from its image and environment.

The container's variable FSI_EMULATOR may contain JSON with fields that override those derived from the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from deploy.local.spec import EndpointSpec, endpoint_spec
from rag.errors import SettingsError

VARIABLE = "FSI_EMULATOR"

_BY_IMAGE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("tei", {"task": "embed", "format": "tei"}),
    ("tgi", {"task": "generate", "format": "tgi"}),
    ("djl-inference", {"task": "generate", "format": "lmi"}),
    ("vllm", {"task": "generate", "format": "openai"}),
    ("huggingface-pytorch-inference", {"task": "embed", "format": "hf"}),
)
"""Substring of an image's name, and fields of the spec; the first match counts."""


def spec_for_container(name: str, container: Mapping[str, Any]) -> EndpointSpec:
    """The spec for an endpoint with a container definition of CreateModel.

    Raises SettingsError if image and variable do not determine a valid spec.
    """
    repository = str(container.get("Image", "")).rpartition("/")[2].partition(":")[0]
    known = next((dict(values) for part, values in _BY_IMAGE if part in repository), {})
    try:
        overrides = orjson.loads(container.get("Environment", {}).get(VARIABLE, "{}"))
    except orjson.JSONDecodeError as exc:
        raise SettingsError(f"{VARIABLE} of the container is not JSON: {exc}") from exc
    return endpoint_spec({**known, **overrides, "name": name})
