"""ONNX: the nodes of a graph, and the layers that they are."""
