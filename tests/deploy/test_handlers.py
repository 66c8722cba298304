"""Inference handlers for containers: reproducible archives and correct results."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import sys
import tarfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deploy.aws.storage import HANDLERS, handler_tarball
from rag.errors import SettingsError
from rag.models.sagemaker.embedding_payloads import EMBEDDING_FORMATS


def test_a_handlers_tarball_is_the_same_for_the_same_files() -> None:
    packed = handler_tarball("kosimcse")
    assert packed == handler_tarball("kosimcse")
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as tar:
        assert tar.getnames() == ["code/inference.py"]
        content = tar.extractfile("code/inference.py")
        assert content and content.read() == (HANDLERS / "kosimcse" / "code" / "inference.py").read_bytes()
    with pytest.raises(SettingsError, match=r"no files in .*handlers/none"):
        handler_tarball("none")


def inference() -> ModuleType:
    path = Path(HANDLERS, "kosimcse", "code", "inference.py")
    spec = importlib.util.spec_from_file_location("kosimcse_inference", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Tensor(np.ndarray):
    """The few methods of a tensor that the handler calls."""

    def float(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return self


class Tokens(dict[str, Any]):
    def to(self, device: str) -> Tokens:
        assert device == "cpu"
        return self


def tokenizer(texts: list[str], **options: Any) -> Tokens:
    assert options == {"padding": True, "truncation": True, "max_length": 512, "return_tensors": "pt"}
    return Tokens(lengths=[len(text) for text in texts])


class Model:
    """Its first token's vector is the text's length, twice; the others are noise."""

    device = "cpu"

    def __call__(self, lengths: list[int]) -> Any:
        hidden = np.full((len(lengths), 5, 2), -1.0)
        hidden[:, 0] = np.array(lengths)[:, None]
        return SimpleNamespace(last_hidden_state=hidden.view(Tensor))


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import nullcontext

    module = ModuleType("torch")
    module.no_grad = nullcontext  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", module)


@pytest.mark.usefixtures("torch")
def test_a_sentences_vector_is_its_first_tokens() -> None:
    body = json.dumps({"inputs": ["가나", "다"]})
    said = inference().transform_fn((tokenizer, Model()), body, "application/json", "application/json")
    assert json.loads(said) == {"embeddings": [[2.0, 2.0], [1.0, 1.0]]}
    codec = EMBEDDING_FORMATS["embeddings"]("cls")
    assert np.asarray(codec.parse(said.encode(), 2)).shape == (2, 2)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"inputs": []}', '{"inputs": [1]}', '{"inputs": null}', "\xff"])
def test_wrong_bodies_are_refused(body: str) -> None:
    module = inference()
    with pytest.raises(module.BadRequest):
        module.texts(body)


def test_one_text_or_several() -> None:
    assert inference().texts(b'{"inputs": "a"}') == ["a"]
    assert inference().texts(b'{"inputs": ["a", "b"]}') == ["a", "b"]
