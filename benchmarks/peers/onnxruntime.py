"""ONNX Runtime: predictions only."""

from __future__ import annotations

from typing import Any

import numpy as np
from networks import Network

from peers.common import Call, unsupported


class OnnxRuntime:
    name, module = "ONNX Runtime", "onnxruntime"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        import os

        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        session = onnxruntime.InferenceSession(self._model(network).SerializeToString(), options)
        return lambda: session.run(None, {"X": X})[0]

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        unsupported("ONNX Runtime predicts only")

    def _model(self, network: Network) -> Any:
        from onnx import TensorProto, helper, numpy_helper

        kind = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "gelu": "Gelu"}[network.activation]
        nodes, tensors, name = [], [], "X"
        weights = network.weights()
        for i, (W, B) in enumerate(weights):
            tensors += [numpy_helper.from_array(W, f"W{i}"), numpy_helper.from_array(B, f"B{i}")]
            nodes.append(helper.make_node("Gemm", [name, f"W{i}", f"B{i}"], [f"Z{i}"]))
            name = f"Z{i}"
            if i < len(weights) - 1:
                nodes.append(helper.make_node(kind, [name], [f"A{i}"]))
                name = f"A{i}"
        ends = [
            helper.make_tensor_value_info(n, TensorProto.FLOAT, ["m", width])
            for n, width in (("X", network.sizes[0]), (name, network.sizes[-1]))
        ]
        graph = helper.make_graph(nodes, "dense", [ends[0]], [ends[1]], tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
