"""The recipes that a search of a table tries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fastdense.core.streams import CANDIDATES, generator
from fastdense.search.spaces import log_uniform, uniform
from fastdense.tabular import Recipe

__all__ = ["draw"]

_HIDDEN = ((64,), (128,), (256,), (512,), (64, 64), (128, 128), (256, 256), (128, 128, 128))
_LEARNING_RATE, _WEIGHT_DECAY = log_uniform(3e-4, 1e-2), log_uniform(1e-3, 1.0)
_DROPOUT = uniform(0.0, 0.5)


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
        batch_size=sizes[random.integers(len(sizes))],
        learning_rate=_LEARNING_RATE.rvs(random_state=random),
        weight_decay=_WEIGHT_DECAY.rvs(random_state=random),
        dropout=_DROPOUT.rvs(random_state=random),
    )
