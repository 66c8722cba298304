"""Which endpoint a model's container stands for, as the deploy scripts describe it: by image and environment.

The variable FSI_EMULATOR of the container holds JSON that is laid over what the image says.
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
"""Part of an image's name, and what such a container serves; the first that fits."""


def served_by(name: str, container: Mapping[str, Any]) -> EndpointSpec:
    """The endpoint of that name over a container definition of CreateModel.

    Raises SettingsError where neither the image nor the variable tells, or the variable is wrong.
    """
    repository = str(container.get("Image", "")).rpartition("/")[2].partition(":")[0]
    known = next((dict(values) for part, values in _BY_IMAGE if part in repository), {})
    try:
        overrides = orjson.loads(container.get("Environment", {}).get(VARIABLE, "{}"))
    except orjson.JSONDecodeError as exc:
        raise SettingsError(f"{VARIABLE} of the container is not JSON: {exc}") from exc
    return endpoint_spec({**known, **overrides, "name": name})
