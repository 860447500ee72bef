"""The rows that each network trains on, and those that it holds out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastdense.core.streams import FOLDS, generator

__all__ = ["Part", "parts_of"]

Rows = NDArray[np.int64]


class Part(NamedTuple):
    """Rows by number: those to train on, those to choose the epoch, and which of these are in the first half.

    The epoch that each half chooses predicts the other one, so that no prediction comes from an epoch that
    its row helped to choose.
    """

    training: Rows
    held_out: Rows
    first_half: NDArray[np.bool_]


def parts_of(strata: Rows, n_models: int, n_folds: int, seed: int) -> list[Part]:
    """Return a part per network: network ``i`` holds out fold ``i % n_folds``, of a new deal per round.

    Every fold has the same share of each stratum, rounded. A stratum of one row is trained on by all.

    Parameters
    ----------
    strata : int64 array of shape (m,)
        The class of each row, or zeros.
    n_models, n_folds : int
    seed : int
    """
    parts: list[Part] = []
    for model in range(n_models):
        number, fold = divmod(model, n_folds)
        if fold == 0:
            dealt = _dealt(strata, n_folds, generator(seed, FOLDS, number))
        held_out = np.flatnonzero(dealt == fold)
        parts.append(Part(np.flatnonzero(dealt != fold), held_out, halves(len(held_out), seed, model)))
    return parts


def halves(rows: int, seed: int, model: int) -> NDArray[np.bool_]:
    """Return which rows held out are in the first half."""
    return generator(seed, FOLDS, model, 1).permutation(rows) < rows // 2


def _dealt(strata: Rows, n_folds: int, rng: np.random.Generator) -> Rows:
    """Return the fold of each row, -1 for one that is alone in its stratum.

    One stratum is dealt after another, so that the sizes of the folds differ by at most one row.
    """
    order = rng.permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    counts = np.bincount(strata)
    order = order[counts[strata[order]] > 1]
    dealt = np.full(len(strata), -1, dtype=np.int64)
    dealt[order] = np.arange(len(order)) % n_folds
    return dealt
