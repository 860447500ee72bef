"""The rows that both libraries are trained on: like the course's, a few hundred of each."""

from __future__ import annotations

import numpy as np

__all__ = ["coffee", "digits"]


def coffee(rows=200):
    """Return roasting temperatures and durations, and 1 where the two make good coffee."""
    rng = np.random.default_rng(0)
    celsius, minutes = rng.uniform(150, 285, rows), rng.uniform(11.5, 15.5, rows)
    good = (celsius > 175) & (celsius < 260) & (minutes > 12) & (minutes < 21 - 3 * celsius / 85)
    return np.column_stack([celsius, minutes]).astype(np.float32), good.astype(np.float32)[:, None]


def digits(classes, rows=200):
    """Return images of 20 x 20 points, each its class's pattern and noise, and the class numbers."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, classes, rows)
    patterns = rng.uniform(0, 1, (classes, 400)) ** 3
    return (patterns[y] + 0.5 * rng.normal(size=(rows, 400))).astype(np.float32), y
