"""NumPy: a few dozen lines by hand."""

from __future__ import annotations

import numpy as np
from networks import Network

from peers.common import EPSILON, RATE, Call, batches, unsupported


class NumPy:
    name, module = "NumPy by hand", "numpy"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        if network.activation == "gelu":
            unsupported("NumPy has no error function")
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
        loss_of = cross_entropy if network.classifies else squared_error
        t = 0

        def step(A: np.ndarray, targets: np.ndarray) -> float:
            nonlocal t
            t += 1
            activations = [A]
            for i in range(0, len(weights) - 2, 2):
                activations.append(np.maximum(activations[-1] @ weights[i] + weights[i + 1], 0))
            loss, dZ = loss_of(activations[-1] @ weights[-2] + weights[-1], targets)
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
            return loss

        return lambda: [step(*rows) for rows in batches(X, y, size=batch)][-1]


def cross_entropy(Z: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    Z -= Z.max(axis=1, keepdims=True)
    P = np.exp(Z)
    P /= P.sum(axis=1, keepdims=True)
    rows = np.arange(len(Z))
    loss = -np.log(P[rows, labels]).mean()
    P[rows, labels] -= 1
    return float(loss), P / np.float32(len(Z))


def squared_error(Z: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    error = Z - targets
    return float(np.square(error).mean()), error * np.float32(2 / error.size)


def sigmoid(Z: np.ndarray) -> np.ndarray:
    np.negative(Z, out=Z)
    np.exp(Z, out=Z)
    Z += 1
    return np.reciprocal(Z, out=Z)
