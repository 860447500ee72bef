"""JAX, jitted: the whole prediction, the whole step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from networks import Network

from peers.common import EPSILON, RATE, Call, batches


class Jax:
    name, module = "JAX jit", "jax"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        import jax

        forward, weights, rows = jax.jit(self._forward(network)), network.weights(), jax.numpy.asarray(X)
        weights = jax.tree.map(jax.numpy.asarray, weights)
        return lambda: np.asarray(forward(weights, rows))

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        import jax
        import jax.numpy as jnp

        loss_of = self._loss(network)

        def step(state: Any, A: Any, targets: Any) -> Any:
            weights, m, v, t = state
            loss, g = jax.value_and_grad(loss_of)(weights, A, targets)
            alpha = RATE * jnp.sqrt(1 - 0.999 ** (t + 1)) / (1 - 0.9 ** (t + 1))
            m = jax.tree.map(lambda a, b: a + (b - a) * 0.1, m, g)
            v = jax.tree.map(lambda a, b: a + (b * b - a) * 0.001, v, g)
            move = jax.tree.map(lambda w, a, b: w - alpha * a / (jnp.sqrt(b) + EPSILON), weights, m, v)
            return (move, m, v, t + 1), loss

        jitted = jax.jit(step, donate_argnums=0)
        weights = jax.tree.map(jnp.asarray, network.weights())
        zeros = [jax.tree.map(jnp.zeros_like, weights) for _ in range(2)]
        state = [(weights, *zeros, jnp.float32(0))]
        parts = [tuple(map(jnp.asarray, rows)) for rows in batches(X, y, size=batch)]

        def epoch() -> float:
            for A, targets in parts:
                state[0], loss = jitted(state[0], A, targets)
            return float(loss)

        return epoch

    def _loss(self, network: Network) -> Callable[[Any, Any, Any], Any]:
        import jax
        import jax.numpy as jnp

        forward = self._forward(network)

        def cross_entropy(weights: Any, A: Any, labels: Any) -> Any:
            logs = jax.nn.log_softmax(forward(weights, A))
            return -jnp.take_along_axis(logs, labels[:, None], axis=1).mean()

        def squared_error(weights: Any, A: Any, targets: Any) -> Any:
            return jnp.square(forward(weights, A) - targets).mean()

        return cross_entropy if network.classifies else squared_error

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
