"""The networks that are measured, and their weights: the same for everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Network:
    """Layer widths from the input on, and the activation of the hidden layers; the output is linear."""

    sizes: tuple[int, ...]
    activation: str = "relu"

    @property
    def name(self) -> str:
        hidden = "-".join(map(str, self.sizes))
        return hidden if self.activation == "relu" else f"{hidden} {self.activation}"

    @property
    def classifies(self) -> bool:
        """Whether it is trained on class numbers; with one output, on numbers."""
        return self.sizes[-1] > 1

    @property
    def flops(self) -> int:
        """Of a row forward: two for each multiply-add, the activations not counted."""
        return sum(2 * n * u for n, u in zip(self.sizes, self.sizes[1:], strict=False))

    @property
    def training_flops(self) -> int:
        """Of a row in training: forward, weight gradients, and input gradients but the first layer's."""
        return 3 * self.flops - 2 * self.sizes[0] * self.sizes[1]

    def weights(self) -> list[tuple[np.ndarray, np.ndarray]]:
        rng = np.random.default_rng(0)
        shapes = zip(self.sizes, self.sizes[1:], strict=False)
        return [(normal(rng, n, u) / np.float32(np.sqrt(n)), normal(rng, u) / 10) for n, u in shapes]


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, dtype=np.float32)


RELU = tuple(
    Network(sizes)
    for sizes in (
        (2, 3, 1),
        (64, 32, 10),
        (64, 64, 64, 10),
        (128, 128, 128, 1),
        (784, 256, 128, 10),
        (256, 256, 256, 256, 10),
        (1024, 1024, 1024, 10),
        (2048, 2048, 10),
    )
)
CURVED = tuple(
    Network(sizes, activation)
    for sizes in ((64, 64, 64, 10), (256, 256, 256, 256, 10))
    for activation in ("sigmoid", "tanh", "gelu")
)
ROWS = (1, 8, 32, 256, 1024, 16384)
BATCHES = (32, 256, 1024)
