"""KoSimCSE in the Hugging Face container, pooled there: one vector for each text in the place of one for each token.

Sent to S3 as model.tar.gz by `python -m deploy up` where the stack file says handler = "kosimcse", format = "embeddings".
The container calls `model_fn` once and `transform_fn` for each request. torch and transformers are the container's.
"""

from __future__ import annotations

import json
import os
from typing import Any

MAX_TOKENS = 512


class BadRequest(Exception):
    """The body is not what this handler takes; the container answers 400 with this text."""


def model_fn(_model_dir: str, _context: Any = None) -> tuple[Any, Any]:
    """Tokenizer and model of FSI_MODEL_ID, which is on the hub: the tarball holds this file alone."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    name = os.environ["FSI_MODEL_ID"]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return AutoTokenizer.from_pretrained(name), AutoModel.from_pretrained(name).eval().to(device)


def transform_fn(
    loaded: tuple[Any, Any], body: bytes | str, _content_type: str, _accept: str, _context: Any = None
) -> str:
    """`{"inputs": text or [texts]}` to `{"embeddings": [[numbers]]}`, in order; a sentence's vector is its first token's."""
    import torch

    tokenizer, model = loaded
    batch = texts(body)
    tokens = tokenizer(batch, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt").to(
        model.device
    )
    with torch.no_grad():
        vectors = model(**tokens).last_hidden_state[:, 0]
    return json.dumps({"embeddings": vectors.float().cpu().tolist()})


def texts(body: bytes | str) -> list[str]:
    """The request's texts. Raises BadRequest."""
    try:
        inputs = json.loads(body)["inputs"]
    except (ValueError, KeyError, TypeError) as exc:
        raise BadRequest("the body must be JSON with `inputs`") from exc
    batch = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(batch, list) or not batch or not all(isinstance(text, str) for text in batch):
        raise BadRequest("inputs: a text, or a list of at least one")
    return batch
