"""Token ids to vectors: the shipped graph with the weights injected, run by ONNX Runtime one text at a time.

A text's vector depends on the text alone: nothing is padded, and no text shares a run with another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.models.e5.weights import BLOCK, Blocks, Floats, Weights, dequantise

GRAPH = Path(__file__).with_name("graph.onnx")


class Encoder:
    """multilingual-e5-small. Safe to share between threads: a run uses the thread that calls it and no other.

    Two Python threads over one session took .51 of one thread's time for mixed texts, two threads of ONNX Runtime's own
    .64 to .75 and a fifth more CPU. Raises ImportError where ONNX Runtime is not installed or cannot load.
    """

    def __init__(self, weights: Weights) -> None:
        import onnxruntime  # .1 s, and missing on some platforms

        onnxruntime.disable_telemetry_events()  # Microsoft's Windows builds would send some
        self._header = weights.header
        self._words = weights.blocks("emb.word", weights.header.hidden)
        positions = weights.vectors["emb.pos"].reshape(-1, weights.header.hidden)
        self._positions = positions + weights.vectors["emb.type"][: weights.header.hidden]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # EXTENDED would fuse Add and LayerNormalization into an operator that is slower here.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.enable_mem_pattern = False  # it keeps a plan for every length it has seen
        options.log_severity_level = 3
        tensors = graph_weights(weights)
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(tensor) for tensor in tensors.values()]
        options.add_external_initializers(list(tensors), values)
        self._session = onnxruntime.InferenceSession(str(GRAPH), options, providers=["CPUExecutionProvider"])

    @property
    def window(self) -> int:
        """Tokens that one run reads beside the two special ones."""
        return self._header.positions - 2

    def embed(self, ids: Sequence[int]) -> Floats:
        """A unit vector of shape (384,) for a text's ids.

        A longer text is read in windows without overlap, each from position 0 between special tokens of its own, and the
        windows' means are weighted by their tokens: as the engine did it whose weights these are.
        """
        total = np.zeros(self._header.hidden, dtype=np.float64)
        for start in range(0, max(len(ids), 1), self.window):
            part = ids[start : start + self.window]
            total += max(len(part), 1) * self._mean([self._header.bos, *part, self._header.eos])
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)

    def _mean(self, ids: list[int]) -> Floats:
        rows = dequantise(self._words[ids]) + self._positions[: len(ids)]
        mean: Floats = self._session.run(None, {"x": rows})[0]
        return mean


def graph_weights(weights: Weights) -> dict[str, np.ndarray[Any, Any]]:
    """The graph's weights by name (`rag.models.e5.make_graph` declares them), about 15 MB."""
    header = weights.header
    scale = np.float32(1 / math.sqrt(header.hidden // header.heads))
    names = ["emb.ln", *(f"l{layer}.{norm}" for layer in range(header.layers) for norm in ("aln", "oln"))]
    tensors: dict[str, Any] = {f"{name}.{part}": weights.vectors[f"{name}.{part}"] for name in names for part in "wb"}
    for layer in range(header.layers):
        for name, columns in (("ao", header.hidden), ("fi", header.hidden), ("fo", header.intermediate)):
            blocks = weights.blocks(f"l{layer}.{name}.w", columns)
            tensors |= _matrix(f"l{layer}.{name}", blocks, weights.vectors[f"l{layer}.{name}.b"])
        joined = np.concatenate([weights.blocks(f"l{layer}.{part}.w", header.hidden) for part in "qkv"])
        bias = np.concatenate([weights.vectors[f"l{layer}.{part}.b"] for part in "qkv"])
        tensors |= _matrix(f"l{layer}.qkv", joined, bias)
        # The attention's scale, once in the queries' weights instead of in every run.
        tensors[f"l{layer}.qkv.scales"][: header.hidden] *= scale
        tensors[f"l{layer}.qkv.b"][: header.hidden] *= scale
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}


def _matrix(name: str, blocks: Blocks, bias: Floats) -> dict[str, Any]:
    """Q4_0 as MatMulNBits wants it: two neighbours in a byte, the even one low; scales apart, as float32."""
    packed = blocks[..., 2:]
    values = np.concatenate([packed & 0x0F, packed >> 4], axis=-1)
    assert values.shape[-1] == BLOCK
    scales = np.ascontiguousarray(blocks[..., :2]).view(np.float16).astype(np.float32)[..., 0]
    return {f"{name}.w": values[..., 0::2] | (values[..., 1::2] << 4), f"{name}.scales": scales, f"{name}.b": bias}
