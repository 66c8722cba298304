"""Inference handler for KoSimCSE in the Hugging Face container; it pools tokens and returns one vector per text.

`python -m deploy up` uploads it as model.tar.gz if the stack file has handler = "kosimcse" and format = "embeddings". The
container calls `model_fn` once and `transform_fn` for each request, and provides torch and transformers.
"""

from __future__ import annotations

import json
import os
from typing import Any

MAX_TOKENS = 512


class BadRequest(Exception):
    """An invalid request body; the container answers with status 400 and this text."""


def model_fn(_model_dir: str, _context: Any = None) -> tuple[Any, Any]:
    """Load tokenizer and model FSI_MODEL_ID from the Hugging Face hub: the tarball contains only this file."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    name = os.environ["FSI_MODEL_ID"]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return AutoTokenizer.from_pretrained(name), AutoModel.from_pretrained(name).eval().to(device)


def transform_fn(
    loaded: tuple[Any, Any], body: bytes | str, _content_type: str, _accept: str, _context: Any = None
) -> str:
    """Embed `{"inputs": text or [texts]}` as `{"embeddings": [[float, …], …]}`, in order, with cls pooling."""
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
    """The texts of a request body. Raises BadRequest."""
    try:
        inputs = json.loads(body)["inputs"]
    except (ValueError, KeyError, TypeError) as exc:
        raise BadRequest("the body must be JSON with `inputs`") from exc
    batch = [inputs] if isinstance(inputs, str) else inputs
    if not isinstance(batch, list) or not batch or not all(isinstance(text, str) for text in batch):
        raise BadRequest("inputs: expected a text or a list of at least one text")
    return batch
