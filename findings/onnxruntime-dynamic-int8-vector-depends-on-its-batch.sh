#!/usr/bin/env bash
# What surprises: a model quantised with quantize_dynamic gives a text one vector alone and another beside other texts in a batch.
#   The rows of a batch do not meet in the model, and its float form gives the same vector either way.
# Seen with: onnxruntime 1.32.0, onnx 1.23.2, NumPy 2.4.6, Python 3.11; a small network made here, 8-bit weights and activations.
# Why it matters: passages are embedded in batches and a question alone. A passage's vector then depends on its neighbours in the file:
#   re-embedding one changed row moves unchanged ones, and equal texts are not equal.
# Expected: a row's result does not depend on the other rows, as in float.
# Reason: one scale for the activations of the whole batch is taken from its least and greatest number.
# Output:
#   onnxruntime 1.32.0
#   float: the same text alone and beside another: cosine 1.0000
#   int8 : the same text alone and beside another: cosine 0.9995
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6)
if command -v uv >/dev/null; then
  uv venv --quiet --python python3 "$folder/venv"
  uv pip install --quiet --python "$folder/venv/bin/python" "${packages[@]}"
else
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
fi

"$folder/venv/bin/python" - <<'PYTHON'
import logging
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic


def check(same: bool, what: str) -> None:
    if not same:
        raise SystemExit(f"changed: {what}")


logging.disable(logging.WARNING)  # advice to pre-process the model
numbers = np.random.default_rng(3)
width = 64
weights = [numbers.standard_normal((width, width)).astype("float32") / 8 for _ in range(2)]
graph = helper.make_graph(
    [
        helper.make_node("MatMul", ["text", "first"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["positive"]),
        helper.make_node("MatMul", ["positive", "second"], ["vector"]),
    ],
    "two layers",
    [helper.make_tensor_value_info("text", TensorProto.FLOAT, ["batch", width])],
    [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["batch", width])],
    [numpy_helper.from_array(matrix, name) for matrix, name in zip(weights, ("first", "second"))],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)

text = numbers.standard_normal((1, width)).astype("float32")
# A neighbour whose activations are five times as large sets the scale for both.
neighbour = 5 * numbers.standard_normal((1, width)).astype("float32")

print("onnxruntime", version("onnxruntime"))
with tempfile.TemporaryDirectory() as folder:
    paths = {"float": Path(folder, "float.onnx"), "int8": Path(folder, "int8.onnx")}
    onnx.save(model, paths["float"])
    quantize_dynamic(paths["float"], paths["int8"], weight_type=QuantType.QUInt8)
    cosines = {}
    for name, path in paths.items():
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        alone = session.run(None, {"text": text})[0][0]
        beside_itself = session.run(None, {"text": np.vstack([text, text])})[0][0]
        beside = session.run(None, {"text": np.vstack([text, neighbour])})[0][0]
        check(float(np.abs(alone - beside_itself).max()) < 1e-5, f"{name}: the size of the batch matters")
        cosines[name] = float(alone @ beside / np.linalg.norm(alone) / np.linalg.norm(beside))
        print(f"{name:5}: the same text alone and beside another: cosine {cosines[name]:.4f}")
check(cosines["float"] > 0.999999, "the float model depends on the batch")
check(cosines["int8"] < 0.9999, "the int8 model no longer depends on the batch")
print("as recorded")
PYTHON
