"""The learning-rate schedules: their values step by step, in Keras and here."""

from __future__ import annotations

import numpy as np
import pytest

from tests.keras.both import LIBRARIES, assert_close

SCHEDULES = {
    "exponential": lambda s: s.ExponentialDecay(0.1, decay_steps=30, decay_rate=0.6),
    "staircase": lambda s: s.ExponentialDecay(0.1, decay_steps=30, decay_rate=0.6, staircase=True),
    "inverse": lambda s: s.InverseTimeDecay(0.1, decay_steps=30, decay_rate=0.6),
    "inverse, staircase": lambda s: s.InverseTimeDecay(0.1, 30, 0.6, staircase=True),
    "restarts": lambda s: s.CosineDecayRestarts(0.1, first_decay_steps=19),
    "restarts, lower": lambda s: s.CosineDecayRestarts(0.1, 15, t_mul=1.5, m_mul=0.7, alpha=0.1),
    "restarts, as long": lambda s: s.CosineDecayRestarts(0.1, 15, t_mul=1.0, m_mul=0.7),
    "cosine": lambda s: s.CosineDecay(0.1, decay_steps=80),
    "cosine to alpha": lambda s: s.CosineDecay(0.1, decay_steps=80, alpha=0.2),
    "cosine after warm-up": lambda s: s.CosineDecay(0.01, 80, 0.1, warmup_target=0.3, warmup_steps=20),
    "piecewise": lambda s: s.PiecewiseConstantDecay([10, 50, 90], [1.0, 0.5, 0.1, 0.05]),
    "polynomial": lambda s: s.PolynomialDecay(0.1, decay_steps=60),
    "square": lambda s: s.PolynomialDecay(0.1, decay_steps=60, end_learning_rate=0.01, power=2.0),
    "root": lambda s: s.PolynomialDecay(0.1, decay_steps=60, end_learning_rate=0.0, power=0.5),
    "cycle": lambda s: s.PolynomialDecay(0.1, decay_steps=30, end_learning_rate=0.01, cycle=True),
}
# Round every number above, and beyond them.
STEPS = [0, 1, 10, 11, 19, 20, 21, 29, 30, 31, 50, 51, 60, 61, 80, 81, 91, 100, 120]


@pytest.mark.parametrize("name", SCHEDULES)
def test_values(name):
    """Within 1e-6 of the first rate: Keras computes in float32.

    Each step by itself takes Keras a tenth of a second: a schedule without a warm-up takes all at once.
    """
    theirs, ours = (SCHEDULES[name](lib.optimizers.schedules) for lib in LIBRARIES)
    rates = np.array([ours(step) for step in STEPS])
    assert len(set(rates)) > 1
    wanted = [theirs(step) for step in STEPS] if "warm-up" in name else theirs(np.array(STEPS))
    assert_close(max(rates) + rates, max(rates) + np.asarray(wanted), 1e-6)
