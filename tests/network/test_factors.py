"""What a layer multiplies the learning rate and the weight decay by, for each of its arrays."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense as fd
from fastdense.layers import (
    CategoryEmbedding,
    Dense,
    FeatureScale,
    LayerNormalization,
    ParametricActivation,
    PReLU,
)
from tests.compare import assert_within

RATE, DECAY, STEPS = 0.1, 0.5, 4
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(32, 3)).astype(np.float32), RNG.normal(size=(32, 1)).astype(np.float32)
# Every array that a layer trains, its layer, and the arguments by which none of its arrays starts at zero.
ARRAYS = [
    ("kernel", Dense, {"units": 3, "bias_initializer": "ones"}),
    ("bias", Dense, {"units": 3, "bias_initializer": "ones"}),
    ("alpha", PReLU, {"alpha_initializer": fd.initializers.Constant(0.25)}),
    ("embeddings", CategoryEmbedding, {"sizes": (2, 3)}),
    ("gamma", LayerNormalization, {"beta_initializer": "ones"}),
    ("beta", LayerNormalization, {"beta_initializer": "ones"}),
    ("scale", FeatureScale, {}),
    ("alpha", ParametricActivation, {"activation": "mish"}),
]
each_array = pytest.mark.parametrize(("array", "kind", "settings"), ARRAYS)


def before_and_after(array, kind, settings, learns=True, **factors):
    """Return the arrays of a layer by name, before some steps and after; rows of weight 0 teach nothing."""
    layer = kind(**settings, **{f"{array}_{name}": value for name, value in factors.items()})
    model = fd.Sequential([fd.Input((3,)), layer, Dense(1)], seed=1)
    model.compile(fd.optimizers.SGD(RATE, weight_decay=DECAY), "mse")
    before, names = layer.get_weights(), layer.weight_shapes(3)
    model.fit(X, Y, sample_weight=np.full(32, float(learns)), batch_size=8, epochs=1, verbose=0)
    return {name: pair for name, *pair in zip(names, before, layer.get_weights(), strict=True)}


@each_array
def test_a_rate_factor_of_zero_keeps_that_array_alone(array, kind, settings):
    for name, (before, after) in before_and_after(array, kind, settings, rate_factor=0.0).items():
        assert np.array_equal(before, after) == (name == array)


@each_array
def test_an_array_decays_by_its_own_factors(array, kind, settings):
    """Rows that teach nothing leave the decay: ``1 - rate * decay`` at every step."""
    found = before_and_after(array, kind, settings, learns=False, rate_factor=2.0, decay_factor=3.0)
    for name, (before, after) in found.items():
        factor = 2.0 * 3.0 if name == array else 1.0
        expected = before * (1 - RATE * DECAY * factor) ** STEPS
        assert_within(after, expected, 1e-6 * np.abs(before))


@each_array
def test_the_factors_are_described_if_they_are_not_one(array, kind, settings):
    assert not [name for name in kind(**settings).get_config() if name.endswith("_factor")]
    config = kind(**settings, **{f"{array}_decay_factor": 0.5}).get_config()
    assert [name for name in config if name.endswith("_factor")] == [f"{array}_decay_factor"]
    assert getattr(kind.from_config(config), f"{array}_decay_factor") == 0.5
    with pytest.raises(ValueError, match=f"{array}_rate_factor must be finite and at least 0"):
        kind(**settings, **{f"{array}_rate_factor": -1.0})
