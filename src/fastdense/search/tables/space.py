"""The recipes that a search of a table tries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastdense.core.streams import CANDIDATES, generator
from fastdense.tabular import Recipe

__all__ = ["draw"]

_HIDDEN = ((64,), (128,), (256,), (512,), (64, 64), (128, 128), (256, 256), (128, 128, 128))
_LEARNING_RATES, _WEIGHT_DECAYS = (3e-4, 1e-2), (1e-3, 1.0)
_MOST_DROPOUT = 0.5


def draw(count: int, rows: int, epochs: int | None, seed: int) -> list[Recipe]:
    """Return candidates for ``rows`` rows to train on: the plain recipe, then what is drawn around it.

    All have the same epochs: ``epochs``, or as many as the plain recipe takes for so many rows.

    References
    ----------
    Y. Gorishniy et al., "Revisiting deep learning models for tabular data", 2021, whose appendix has such
    spaces.
    """
    plain = Recipe(epochs=epochs)
    plain = replace(plain, epochs=plain.times(rows), batch_size=plain.rows_a_step(rows))
    random = generator(seed, CANDIDATES)
    return [plain, *(_drawn(plain, random) for _ in range(count - 1))]


def _drawn(plain: Recipe, random: np.random.Generator) -> Recipe:
    assert plain.batch_size is not None
    sizes = max(16, plain.batch_size // 2), plain.batch_size, 2 * plain.batch_size
    return replace(
        plain,
        hidden=_HIDDEN[random.integers(len(_HIDDEN))],
        learning_rate=_by_logarithm(random, *_LEARNING_RATES),
        weight_decay=_by_logarithm(random, *_WEIGHT_DECAYS),
        dropout=random.uniform(0.0, _MOST_DROPOUT),
        batch_size=sizes[random.integers(len(sizes))],
    )


def _by_logarithm(random: np.random.Generator, low: float, high: float) -> float:
    """Return a number between two ends, each decade as likely as the others."""
    return float(low * (high / low) ** random.uniform())
