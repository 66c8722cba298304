"""Image, host AMI and environment variables of an endpoint's container. Pure: images are pinned in images.toml."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from deploy.stack import Embedding, Endpoint, Llm, Nli
from rag.errors import SettingsError

TABLE = Path(__file__).with_name("images.toml")
MODEL_DIRECTORY = "/opt/ml/model"
"""Where SageMaker puts model files from S3 in the container."""
_CUDA_13 = re.compile(r"-cu13\d")
_CUDA_13_AMI, _CUDA_12_AMI = "al2023-ami-sagemaker-inference-gpu-4-1", "al2-ami-sagemaker-inference-gpu-3-1"
"""CUDA 13 needs driver 580, CUDA 12 runs with 550. With the wrong AMI a container fails without a log."""
_MODEL_VARIABLES = {
    "tei": ("HF_MODEL_ID", "HF_MODEL_REVISION"),
    "huggingface": ("HF_MODEL_ID", "HF_MODEL_REVISION"),
    "lmi": ("HF_MODEL_ID", "HF_REVISION"),
    "vllm": ("SM_VLLM_MODEL", "SM_VLLM_REVISION"),
    "tgi": ("HF_MODEL_ID", "HF_MODEL_REVISION"),
}
"""The variables for the model and its revision, by container."""
_GPU = re.compile(r"^ml\.(g|p)\d")


@lru_cache(maxsize=1)
def pinned() -> dict[str, dict[str, Any]]:
    """The table of images: for each container its `image` (repository and tag) and the ECR `accounts` by region."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def has_gpu(instance_type: str) -> bool:
    """Whether instances of this type have a GPU, according to the family's name."""
    return bool(_GPU.match(instance_type))


def image(endpoint: Endpoint, region: str) -> str:
    """The URI of the container image. Raises SettingsError if none is pinned for the region."""
    if endpoint.image:
        return endpoint.image
    container = str(endpoint.container)
    if not has_gpu(str(endpoint.instance_type)):
        container += "-cpu"
    if container not in pinned():
        raise SettingsError(f"{endpoint.endpoint_name}: container {endpoint.container!r} needs a GPU instance_type")
    known = pinned()[container]
    if region not in known["accounts"]:
        raise SettingsError(
            f"{endpoint.endpoint_name}: no image of {container!r} is pinned for {region}; "
            f"set `image`, or one of the regions {', '.join(known['accounts'])}"
        )
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{known['accounts'][region]}.dkr.ecr.{region}.{domain}/{known['image']}"


def ami(endpoint: Endpoint, uri: str) -> str | None:
    """The AMI of the host; None for SageMaker's default, which instances without a GPU get."""
    if endpoint.ami or not has_gpu(str(endpoint.instance_type)):
        return endpoint.ami
    return _CUDA_13_AMI if _CUDA_13.search(uri) else _CUDA_12_AMI


def environment(endpoint: Endpoint) -> dict[str, str]:
    """The container's environment variables; the stack file's `environment` overrides the defaults."""
    model, revision = _MODEL_VARIABLES[str(endpoint.container)]
    if endpoint.model_folder or endpoint.model_data:
        variables = {model: MODEL_DIRECTORY}
    else:
        variables = {model: str(endpoint.model)} | ({revision: endpoint.revision} if endpoint.revision else {})
    match endpoint:
        case Embedding():
            variables |= _embedding(endpoint)
        case Llm():
            variables |= _llm(endpoint)
        case Nli() if endpoint.container == "huggingface":
            variables |= {"HF_TASK": "text-classification"}
    return {**variables, **endpoint.environment}


def _embedding(endpoint: Embedding) -> dict[str, str]:
    match endpoint.container:
        case "tei":
            # Without AUTO_TRUNCATE a text that is too long is an error; POOLING overrides the model repository's setting.
            return {"AUTO_TRUNCATE": "true"} | ({"POOLING": endpoint.pooling} if endpoint.pooling else {})
        case "huggingface" if endpoint.handler:
            # A custom handler loads the model itself; with HF_MODEL_ID the toolkit would ignore the handler.
            return {"FSI_MODEL_ID": str(endpoint.model), "HF_TASK": "feature-extraction"}
        case "huggingface":
            return {"HF_TASK": "feature-extraction"}
        case _:
            return {}


def _llm(endpoint: Llm) -> dict[str, str]:
    window = str(endpoint.context_window) if endpoint.context_window else None
    match endpoint.container:
        case "lmi":
            return {"TENSOR_PARALLEL_DEGREE": "max"} | ({"OPTION_MAX_MODEL_LEN": window} if window else {})
        case "vllm":
            return {"SM_VLLM_MAX_MODEL_LEN": window} if window else {}
        case "tgi":
            return {"MAX_TOTAL_TOKENS": window} if window else {}
        case _:
            return {}
