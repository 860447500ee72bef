"""Who trains many networks of one shape, on the same rows, in the same orders, from the same weights."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from networks import normal
from peers.common import EPSILON, RATE

SIZES = (20, 64, 64, 3)
BATCH = 64


@dataclass(frozen=True)
class Work:
    """Rows, their classes, one order per epoch, and the first weights of every network: all in float32."""

    X: np.ndarray
    y: np.ndarray
    orders: np.ndarray
    weights: list[np.ndarray]  # each of shape (networks, ...): kernel and biases, layer by layer

    @classmethod
    def of(cls, networks: int, rows: int, epochs: int) -> Work:
        rng = np.random.default_rng(0)
        X = normal(rng, rows, SIZES[0])
        y = np.digitize(X @ normal(rng, SIZES[0]), (-2.0, 2.0))
        orders = np.stack([rng.permutation(rows) for _ in range(epochs)])
        weights = []
        for n, u in pairwise(SIZES):
            weights += [normal(rng, networks, n, u) / np.float32(np.sqrt(n)), normal(rng, networks, u) / 10]
        return cls(X, y, orders, weights)

    @property
    def networks(self) -> int:
        return len(self.weights[0])

    @property
    def flops(self) -> int:
        """Of one network: forward, weight gradients, and input gradients but the first layer's."""
        forward = sum(2 * n * u for n, u in pairwise(SIZES))
        return self.orders.size * (3 * forward - 2 * SIZES[0] * SIZES[1])


class Fastdense:
    """The jobs of all networks, by a crew of threads; or one job after another, as a loop of fits is."""

    def __init__(self, work: Work, threads: int, side_by_side: bool = True) -> None:
        from fastdense import engines
        from fastdense.core.spec import (
            ActivationSpec,
            AdamSpec,
            DenseSpec,
            NetworkSpec,
            SparseCategoricalCrossentropySpec,
            TrainingSpec,
        )

        self.work, self.threads, self.side_by_side = work, threads, side_by_side
        self.training = TrainingSpec(
            SparseCategoricalCrossentropySpec(from_logits=True), AdamSpec(epsilon=EPSILON)
        )
        kinds = ["relu"] * (len(SIZES) - 2) + ["linear"]
        shapes = ((*shape, kind) for shape, kind in zip(pairwise(SIZES), kinds, strict=True))
        self.network = NetworkSpec(
            SIZES[0], tuple(DenseSpec(n, u, ActivationSpec(kind)) for n, u, kind in shapes)
        )
        self.engine = engines.choose("native")

    def __call__(self) -> np.ndarray:
        from fastdense.engines.jobs import alone, together

        fittings = map(self.fitting, range(self.work.networks))
        losses = np.empty(self.work.networks)
        ended = together(fittings, self.threads) if self.side_by_side else enumerate(map(alone, fittings))
        for place, loss in ended:
            losses[place] = loss
        return losses

    def fitting(self, place: int) -> Any:
        """Yield the one job of a network, all its epochs, and return the last loss."""
        passed = yield self.job(place)
        return passed[-1].losses[-1]

    def job(self, place: int) -> Any:
        from fastdense import engines
        from fastdense.engines.jobs import Epoch, Job

        work, arrays = self.work, [each[place] for each in self.work.weights]
        program = self.engine.compile(
            self.network, list(zip(arrays[::2], arrays[1::2], strict=True)), self.training
        )
        rates = np.full(-(-len(work.X) // BATCH), RATE)
        epochs = [Epoch(engines.Batches(work.X, work.y, None, order, BATCH), rates) for order in work.orders]
        return Job(program, epochs, 0)


class JaxVmap:
    """One step of all networks by `jax.vmap`, all steps in one `jax.lax.scan`; compiled at the first call."""

    def __init__(self, work: Work) -> None:
        import jax
        import jax.numpy as jnp

        def loss_of(weights: Any, A: Any, labels: Any) -> Any:
            for W, B in zip(weights[:-2:2], weights[1:-2:2], strict=True):
                A = jax.nn.relu(A @ W + B)
            logs = jax.nn.log_softmax(A @ weights[-2] + weights[-1])
            return -jnp.take_along_axis(logs, labels[:, None], axis=1).mean()

        def step(state: Any, rows: Any) -> Any:
            weights, m, v, t = state
            A, labels = X[rows], y[rows]
            loss, g = jax.vmap(jax.value_and_grad(loss_of), (0, None, None))(weights, A, labels)
            alpha = RATE * jnp.sqrt(1 - 0.999 ** (t + 1)) / (1 - 0.9 ** (t + 1))
            m = jax.tree.map(lambda a, b: a + (b - a) * 0.1, m, g)
            v = jax.tree.map(lambda a, b: a + (b * b - a) * 0.001, v, g)
            move = jax.tree.map(lambda w, a, b: w - alpha * a / (jnp.sqrt(b) + EPSILON), weights, m, v)
            return (move, m, v, t + 1), loss

        X, y = jnp.asarray(work.X), jnp.asarray(work.y)
        self.weights = list(map(jnp.asarray, work.weights))
        self.zeros = [list(map(jnp.zeros_like, self.weights)) for _ in range(2)]
        self.steps = jnp.asarray(work.orders.reshape(-1, BATCH))
        self.run = jax.jit(partial(jax.lax.scan, step))

    def __call__(self) -> np.ndarray:
        state = (self.weights, *self.zeros, np.float32(0))
        return np.asarray(self.run(state, self.steps)[1][-1])


class TorchBmm:
    """Batched matrix products over all networks, their gradients by autograd, the fused Adam."""

    def __init__(self, work: Work) -> None:
        import torch

        self.torch, self.weights = torch, work.weights
        self.X, self.y = torch.from_numpy(work.X), torch.from_numpy(work.y)
        self.steps = torch.from_numpy(work.orders.reshape(-1, BATCH))

    def __call__(self) -> np.ndarray:
        torch = self.torch
        weights = [torch.from_numpy(each.copy()).requires_grad_() for each in self.weights]
        optimizer = torch.optim.Adam(weights, lr=RATE, eps=EPSILON, fused=True)
        networks = len(weights[0])
        for rows in self.steps:
            A = self.X[rows].expand(networks, -1, -1)
            for W, B in zip(weights[:-2:2], weights[1:-2:2], strict=True):
                A = torch.baddbmm(B[:, None], A, W).relu()
            Z = torch.baddbmm(weights[-1][:, None], A, weights[-2])
            labels = self.y[rows].expand(networks, -1)
            losses = torch.nn.functional.cross_entropy(Z.transpose(1, 2), labels, reduction="none").mean(1)
            optimizer.zero_grad()
            losses.sum().backward()
            optimizer.step()
        return losses.detach().numpy()
