"""Writes `graph.onnx`, the encoder without its weights: `python -m rag.models.e5.make_graph` (needs `onnx`).

One run encodes one text: the input `x` has a row for each token (the sum of its word, position and type vectors), the output
`mean` is the mean of the rows of the last layer. The graph declares names and shapes of the weights, and
`rag.models.e5.encoder` sets their values when it loads the graph, so the file has only 21 KB.

Matrices keep 4 bits per weight (`MatMulNBits`) and are multiplied as floats; docs/adr/0012-local-embedder.md compares other
ways. Query, key and value are one matrix, whose query part is scaled by 1/√(head size) when it is loaded.
Add and LayerNormalization are two operators, because the fused operator (`SkipLayerNormalization`) is slower here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

GRAPH = Path(__file__).with_name("graph.onnx")
HIDDEN, INTERMEDIATE, LAYERS, HEADS, BLOCK, EPSILON = 384, 1536, 12, 12, 32, 1e-12
CONTRIB = "com.microsoft"
FLOAT_MATH = 0
"""`accuracy_level` of MatMulNBits; level 4 would round the activations to 8 bits."""


class GraphBuilder:
    """Builds the graph from nodes and declarations of weights."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._weights: list[TensorProto] = []

    def build(self) -> ModelProto:
        """Return the whole encoder."""
        flat = self._shape("shape.flat", [-1, HIDDEN])
        batched = self._shape("shape.batched", [1, -1, 3 * HIDDEN])
        rows = self._norm("x", "emb.ln")
        for layer in range(LAYERS):
            name = f"l{layer}"
            joined = self._node("Reshape", [self._linear(rows, f"{name}.qkv", 3 * HIDDEN, HIDDEN), batched])
            parts = [f"{name}.query", f"{name}.key", f"{name}.value"]
            self._nodes.append(helper.make_node("Split", [joined], parts, axis=-1, num_outputs=3))
            context = self._node("MultiHeadAttention", parts, domain=CONTRIB, num_heads=HEADS, scale=1.0)
            context = self._node("Reshape", [context, flat])
            rows = self._residual(rows, self._linear(context, f"{name}.ao", HIDDEN, HIDDEN), f"{name}.aln")
            middle = self._linear(rows, f"{name}.fi", INTERMEDIATE, HIDDEN)
            middle = self._node("Gelu", [middle], domain=CONTRIB)
            rows = self._residual(rows, self._linear(middle, f"{name}.fo", HIDDEN, INTERMEDIATE), f"{name}.oln")
        axis = self._shape("axis.tokens", [0])
        self._nodes.append(helper.make_node("ReduceMean", [rows, axis], ["mean"], keepdims=0))
        graph = helper.make_graph(
            self._nodes,
            "multilingual-e5-small",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["tokens", HIDDEN])],
            [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [HIDDEN])],
            self._weights,
        )
        versions = [helper.make_opsetid("", 18), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=versions, ir_version=9)

    def _node(self, operator: str, inputs: list[str], *, domain: str = "", **attributes: Any) -> str:
        output = f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def _linear(self, rows: str, name: str, outputs: int, inputs: int) -> str:
        blocks = inputs // BLOCK
        packed = self._weight(f"{name}.w", TensorProto.UINT8, [outputs, blocks, BLOCK // 2])
        scales = self._weight(f"{name}.scales", TensorProto.FLOAT, [outputs, blocks])
        bias = self._weight(f"{name}.b", TensorProto.FLOAT, [outputs])
        return self._node(
            "MatMulNBits",
            [rows, packed, scales, "", "", bias],  # no zero points: 8 is the default
            domain=CONTRIB,
            K=inputs,
            N=outputs,
            bits=4,
            block_size=BLOCK,
            accuracy_level=FLOAT_MATH,
        )

    def _residual(self, rows: str, change: str, name: str) -> str:
        return self._norm(self._node("Add", [rows, change]), name)

    def _norm(self, rows: str, name: str) -> str:
        parts = [self._weight(f"{name}.{part}", TensorProto.FLOAT, [HIDDEN]) for part in ("w", "b")]
        return self._node("LayerNormalization", [rows, *parts], axis=-1, epsilon=EPSILON)

    def _weight(self, name: str, kind: int, shape: list[int]) -> str:
        """Declare a weight whose values are set when the graph is loaded; the file that it names does not exist."""
        tensor = TensorProto(name=name, data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value="injected")
        self._weights.append(tensor)
        return name

    def _shape(self, name: str, values: list[int]) -> str:
        self._weights.append(numpy_helper.from_array(np.array(values, dtype=np.int64), name))
        return name


if __name__ == "__main__":
    GRAPH.write_bytes(GraphBuilder().build().SerializeToString(deterministic=True))
