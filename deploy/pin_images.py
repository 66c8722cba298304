"""Pins container images: `python -m deploy.pin_images` writes deploy/images.toml from what the `sagemaker` package knows.

The only place that imports `sagemaker` (seconds, 200 MB), which requirements-deploy.txt brings; everything else reads the
table. Needs no network and no account.
"""

from __future__ import annotations

import importlib.metadata
import os
from typing import Any

from deploy.containers import TABLE

REGIONS = (
    *("ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1"),
    *("eu-central-1", "eu-west-1", "eu-west-2", "us-east-1", "us-east-2", "us-west-2"),
)
_HUGGINGFACE: dict[str, Any] = {
    "framework": "huggingface",
    "version": "4.51.3",
    "base_framework_version": "pytorch2.6.0",
    "py_version": "py312",
}
WANTED: dict[str, dict[str, Any]] = {
    "tei": {"framework": "huggingface-tei"},
    "tei-cpu": {"framework": "huggingface-tei-cpu"},
    "huggingface": {**_HUGGINGFACE, "instance_type": "ml.g5.xlarge"},
    "huggingface-cpu": {**_HUGGINGFACE, "instance_type": "ml.c5.xlarge"},
    "lmi": {
        "framework": "djl-lmi",
        "version": "0.36.0",
    },  # the newest whose vLLM is known to run GPT-NeoX, KULLM's kind
    "tgi": {"framework": "huggingface-llm"},
    "vllm": {"framework": "vllm"},
}
"""Each container, and how the package is asked for it. No version: the newest that the package knows."""


def table() -> dict[str, dict[str, Any]]:
    """Image and account by region of every wanted container. Raises ValueError where the package knows none."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGIONS[0])  # the package refuses to be imported without one
    from sagemaker.core import image_uris

    pinned: dict[str, dict[str, Any]] = {}
    for container, query in WANTED.items():
        accounts: dict[str, str] = {}
        for region in REGIONS:
            host, image = image_uris.retrieve(region=region, image_scope="inference", **query).split("/", 1)
            accounts[region] = host.partition(".")[0]
        pinned[container] = {"image": image, "accounts": accounts}
    return pinned


def text(pinned: dict[str, dict[str, Any]]) -> str:
    """The table as TOML."""
    version = importlib.metadata.version("sagemaker-core")
    lines = [f"# Written by `python -m deploy.pin_images` from sagemaker-core {version}; a test compares the two."]
    for container, entry in pinned.items():
        lines += ["", f"[{container}]", f'image = "{entry["image"]}"', f"[{container}.accounts]"]
        lines += [f'{region} = "{account}"' for region, account in entry["accounts"].items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(text(table()), encoding="utf-8")
