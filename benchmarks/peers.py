"""Everybody who takes part: each gives a function that predicts, and one that trains by whole steps.

``predictor(network, X)`` returns a function without arguments; ``trainer(network, X, y, batch)`` one that
takes a step on every batch of X in turn, with Adam and softmax cross-entropy, and returns the last loss.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from networks import Network

Call = Callable[[], Any]
RATE = 1e-3
# Libraries add it before or after the bias correction: so small, the two are the same.
EPSILON = 1e-12


class Fastdense:
    """Our own programs, which `fit` and `predict` run."""

    name, module = "fastdense", "fastdense"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        program = self._program(network, None)
        return lambda: program.predict(X)

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        from fastdense.engines import Batches
        from fastdense.spec import LossSpec, OptimizerSpec, TrainingSpec

        loss = LossSpec("sparse_categorical_crossentropy", from_logits=True)
        program = self._program(network, TrainingSpec(loss, OptimizerSpec("adam", epsilon=EPSILON)))
        order, rates = np.arange(len(X)), np.full(len(X) // batch, RATE)
        data = Batches(X, y, None, order, batch)
        return lambda: program.train(data, rates, program.steps)[-1]

    def _program(self, network: Network, training: Any) -> Any:
        from fastdense import engines
        from fastdense.spec import ActivationSpec, DenseSpec, NetworkSpec

        last = len(network.sizes) - 2
        layers = tuple(
            DenseSpec(n, u, ActivationSpec("linear" if i == last else network.activation))
            for i, (n, u) in enumerate(zip(network.sizes, network.sizes[1:], strict=False))
        )
        spec = NetworkSpec(network.sizes[0], layers)
        return engines.choose("native").compile(spec, network.weights(), training)


class NumPy:
    """A dozen lines by hand."""

    name, module = "NumPy by hand", "numpy"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        if network.activation == "gelu":
            return unsupported("NumPy has no error function")
        g = {"relu": lambda Z: np.maximum(Z, 0, out=Z), "tanh": np.tanh, "sigmoid": sigmoid}[
            network.activation
        ]
        *hidden, (V, C) = network.weights()

        def run() -> np.ndarray:
            A = X
            for W, B in hidden:
                Z = A @ W
                Z += B
                A = g(Z)
            return A @ V + C

        return run

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        weights = [w for pair in network.weights() for w in pair]
        m, v = ([np.zeros_like(w) for w in weights] for _ in range(2))
        t = 0

        def step(A: np.ndarray, labels: np.ndarray) -> float:
            nonlocal t
            t += 1
            activations = [A]
            for i in range(0, len(weights) - 2, 2):
                activations.append(np.maximum(activations[-1] @ weights[i] + weights[i + 1], 0))
            Z = activations[-1] @ weights[-2] + weights[-1]
            Z -= Z.max(axis=1, keepdims=True)
            P = np.exp(Z)
            P /= P.sum(axis=1, keepdims=True)
            rows = np.arange(len(A))
            loss = -np.log(P[rows, labels]).mean()
            P[rows, labels] -= 1
            dZ = P / np.float32(len(A))
            gradients = []
            for i in range(len(weights) - 2, -1, -2):
                gradients[:0] = [activations[i // 2].T @ dZ, dZ.sum(axis=0)]
                if i:
                    dZ = (dZ @ weights[i].T) * (activations[i // 2] > 0)
            alpha = np.float32(RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t))
            for w, g, a, b in zip(weights, gradients, m, v, strict=True):
                a += (g - a) * np.float32(0.1)
                b += (g * g - b) * np.float32(0.001)
                w -= alpha * a / (np.sqrt(b) + np.float32(EPSILON))
            return float(loss)

        return lambda: [step(X[i : i + batch], y[i : i + batch]) for i in range(0, len(X), batch)][-1]


class Torch:
    """Eager PyTorch, without gradients where it predicts; fused Adam."""

    name, module = "PyTorch", "torch"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        import torch

        model, rows = self._model(network), torch.from_numpy(X)

        def run() -> np.ndarray:
            with torch.inference_mode():
                return model(rows).numpy()

        return run

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        import torch

        model, rows, labels = self._model(network), torch.from_numpy(X), torch.from_numpy(y)
        optimizer = torch.optim.Adam(model.parameters(), lr=RATE, eps=EPSILON, fused=True)
        loss_of = torch.nn.CrossEntropyLoss()

        def epoch() -> float:
            for i in range(0, len(X), batch):
                loss = loss_of(model(rows[i : i + batch]), labels[i : i + batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            return loss.item()

        return epoch

    def _model(self, network: Network) -> Any:
        import torch

        kinds = {
            "relu": torch.nn.ReLU,
            "sigmoid": torch.nn.Sigmoid,
            "tanh": torch.nn.Tanh,
            "gelu": torch.nn.GELU,
        }
        layers: list[Any] = []
        for W, B in network.weights():
            linear = torch.nn.Linear(*W.shape)
            linear.weight.data, linear.bias.data = torch.from_numpy(W.T.copy()), torch.from_numpy(B)
            layers += [linear, kinds[network.activation]()]
        return torch.nn.Sequential(*layers[:-1])


class Jax:
    """JAX, jitted: the whole prediction, the whole step."""

    name, module = "JAX jit", "jax"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        import jax

        forward, weights, rows = jax.jit(self._forward(network)), network.weights(), jax.numpy.asarray(X)
        weights = jax.tree.map(jax.numpy.asarray, weights)
        return lambda: np.asarray(forward(weights, rows))

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        import jax
        import jax.numpy as jnp

        forward = self._forward(network)

        def loss_of(weights: Any, A: Any, labels: Any) -> Any:
            logs = jax.nn.log_softmax(forward(weights, A))
            return -jnp.take_along_axis(logs, labels[:, None], axis=1).mean()

        def step(state: Any, A: Any, labels: Any) -> Any:
            weights, m, v, t = state
            loss, g = jax.value_and_grad(loss_of)(weights, A, labels)
            alpha = RATE * jnp.sqrt(1 - 0.999 ** (t + 1)) / (1 - 0.9 ** (t + 1))
            m = jax.tree.map(lambda a, b: a + (b - a) * 0.1, m, g)
            v = jax.tree.map(lambda a, b: a + (b * b - a) * 0.001, v, g)
            move = jax.tree.map(lambda w, a, b: w - alpha * a / (jnp.sqrt(b) + EPSILON), weights, m, v)
            return (move, m, v, t + 1), loss

        jitted = jax.jit(step, donate_argnums=0)
        weights = jax.tree.map(jnp.asarray, network.weights())
        zeros = [jax.tree.map(jnp.zeros_like, weights) for _ in range(2)]
        state = [(weights, *zeros, jnp.float32(0))]
        parts = [
            (jnp.asarray(X[i : i + batch]), jnp.asarray(y[i : i + batch])) for i in range(0, len(X), batch)
        ]

        def epoch() -> float:
            for A, labels in parts:
                state[0], loss = jitted(state[0], A, labels)
            return float(loss)

        return epoch

    def _forward(self, network: Network) -> Callable[[Any, Any], Any]:
        import jax

        g = {
            "relu": jax.nn.relu,
            "sigmoid": jax.nn.sigmoid,
            "tanh": jax.numpy.tanh,
            "gelu": lambda Z: jax.nn.gelu(Z, approximate=False),
        }[network.activation]

        def forward(weights: Any, A: Any) -> Any:
            *hidden, (V, C) = weights
            for W, B in hidden:
                A = g(A @ W + B)
            return A @ V + C

        return forward


class OnnxRuntime:
    """ONNX Runtime: predictions only."""

    name, module = "ONNX Runtime", "onnxruntime"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        import os

        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        session = onnxruntime.InferenceSession(self._model(network).SerializeToString(), options)
        return lambda: session.run(None, {"X": X})[0]

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        return unsupported("ONNX Runtime predicts only")

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


class ScikitLearn:
    """scikit-learn's MLPClassifier, its weights replaced; it trains by partial_fit."""

    name, module = "scikit-learn", "sklearn"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        from sklearn.neural_network import MLPRegressor

        if network.activation == "gelu":
            return unsupported("scikit-learn has no GELU")
        kind = {"sigmoid": "logistic"}.get(network.activation, network.activation)
        model = MLPRegressor(hidden_layer_sizes=network.sizes[1:-1], activation=kind, max_iter=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X[:1].repeat(4, axis=0), np.zeros((4, network.sizes[-1]), np.float32))
        model.coefs_, model.intercepts_ = (list(part) for part in zip(*network.weights(), strict=True))
        return lambda: model.predict(X).reshape(len(X), -1)

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        from sklearn.neural_network import MLPClassifier

        options = {
            "learning_rate_init": RATE,
            "batch_size": batch,
            "shuffle": False,
            "alpha": 0.0,
            "epsilon": EPSILON,
        }
        model = MLPClassifier(hidden_layer_sizes=network.sizes[1:-1], **options)
        classes = np.arange(network.sizes[-1])

        def epoch() -> None:
            model.partial_fit(X, y, classes=classes)

        return epoch


class Unsupported(Exception):
    """What this peer does not do; its cell stays empty."""


def unsupported(why: str) -> Call:
    raise Unsupported(why)


def sigmoid(Z: np.ndarray) -> np.ndarray:
    np.negative(Z, out=Z)
    np.exp(Z, out=Z)
    Z += 1
    return np.reciprocal(Z, out=Z)


ALL = (Fastdense(), NumPy(), OnnxRuntime(), Torch(), Jax(), ScikitLearn())


def installed() -> list[Any]:
    return [peer for peer in ALL if find_spec(peer.module) is not None]
