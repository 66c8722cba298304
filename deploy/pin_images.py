"""Pins container images: `python -m deploy.pin_images` writes deploy/images.toml from the tables of the `sagemaker` package.

Only this module imports `sagemaker` (requirements-deploy.txt), which takes seconds and 200 MB; all others read images.toml.
It needs neither network nor AWS account.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
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
IMAGE_QUERIES: dict[str, dict[str, Any]] = {
    "tei": {"framework": "huggingface-tei"},
    "tei-cpu": {"framework": "huggingface-tei-cpu"},
    "huggingface": {**_HUGGINGFACE, "instance_type": "ml.g5.xlarge"},
    "huggingface-cpu": {**_HUGGINGFACE, "instance_type": "ml.c5.xlarge"},
    # The newest version whose vLLM is known to run GPT-NeoX, the architecture of KULLM.
    "lmi": {"framework": "djl-lmi", "version": "0.36.0"},
    "tgi": {"framework": "huggingface-llm"},
    "vllm": {"framework": "vllm"},
}
"""Arguments of `image_uris.retrieve` for each container; without a version, the newest one is taken."""


def table() -> dict[str, dict[str, Any]]:
    """Image and ECR account by region of every container. Raises ValueError if the package does not know one."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGIONS[0])  # importing the package fails without a region
    from sagemaker.core import image_uris

    pinned: dict[str, dict[str, Any]] = {}
    for container, query in IMAGE_QUERIES.items():
        accounts: dict[str, str] = {}
        for region in REGIONS:
            host, image = image_uris.retrieve(region=region, image_scope="inference", **query).split("/", 1)
            accounts[region] = host.partition(".")[0]
        pinned[container] = {"image": image, "accounts": accounts}
    return pinned


def to_toml(pinned: dict[str, dict[str, Any]]) -> str:
    """The table of images as the text of deploy/images.toml."""
    version = importlib.metadata.version("sagemaker-core")
    lines = [f"# Written by `python -m deploy.pin_images` from sagemaker-core {version}; a test compares the two."]
    for container, entry in pinned.items():
        lines += ["", f"[{container}]", f'image = "{entry["image"]}"', f"[{container}.accounts]"]
        lines += [f'{region} = "{account}"' for region, account in entry["accounts"].items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        TABLE.write_text(to_toml(table()), encoding="utf-8")
    except ModuleNotFoundError as exc:
        sys.exit(f"error: the package {exc.name!r} is missing: run `pip install -r requirements-deploy.txt`")
