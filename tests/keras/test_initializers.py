"""The initializers: the distributions of 180 000 weights, in Keras and here."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compare import assert_identical, assert_within
from tests.keras.both import LIBRARIES, assert_close

SHAPE = (300, 600)
EXACT = {
    "zeros": lambda i: i.Zeros(),
    "ones": lambda i: i.Ones(),
    "constant": lambda i: i.Constant(0.25),
}
BOUNDED = ("glorot", "he_", "lecun", "random_uniform", "truncated_normal", "defaults: variance_scaling")
DRAWN = {
    "glorot_uniform": lambda i: i.GlorotUniform(seed=1),
    "glorot_normal": lambda i: i.GlorotNormal(seed=1),
    "he_uniform": lambda i: i.HeUniform(seed=1),
    "he_normal": lambda i: i.HeNormal(seed=1),
    "lecun_uniform": lambda i: i.LecunUniform(seed=1),
    "lecun_normal": lambda i: i.LecunNormal(seed=1),
    "random_normal": lambda i: i.RandomNormal(mean=0.5, stddev=0.2, seed=1),
    "random_uniform": lambda i: i.RandomUniform(minval=-1.0, maxval=3.0, seed=1),
    "truncated_normal": lambda i: i.TruncatedNormal(mean=0.5, stddev=0.2, seed=1),
    "variance_scaling": lambda i: i.VarianceScaling(2.0, "fan_out", "untruncated_normal", seed=1),
    "defaults: random_normal": lambda i: i.RandomNormal(seed=1),
    "defaults: random_uniform": lambda i: i.RandomUniform(seed=1),
    "defaults: truncated_normal": lambda i: i.TruncatedNormal(seed=1),
    "defaults: variance_scaling": lambda i: i.VarianceScaling(seed=1),
}


def draw(make):
    return [np.asarray(make(lib.initializers)(SHAPE)) for lib in LIBRARIES]


@pytest.mark.parametrize("name", EXACT)
def test_fixed_values(name):
    theirs, ours = draw(EXACT[name])
    assert_identical(ours, theirs)


@pytest.mark.parametrize("name", DRAWN)
def test_distributions(name):
    """Mean and deviation within 5 standard errors of a difference, each decile within 2 % of a deviation.

    The largest of so many uniform or truncated numbers is within 0.2 % of a deviation from the limit; a
    normal has none.
    """
    theirs, ours = draw(DRAWN[name])
    assert ours.dtype == theirs.dtype
    deviation = theirs.std()
    standard_error = np.sqrt(2 / theirs.size)
    assert_within(ours.mean(), theirs.mean(), 5 * standard_error * deviation)
    assert_close(ours.std(), deviation, 5 * standard_error)
    deciles = np.linspace(0.1, 0.9, 9)
    assert_within(np.quantile(ours, deciles), np.quantile(theirs, deciles), 0.02 * deviation)
    if any(word in name for word in BOUNDED):
        limits = [np.array([a.min(), a.max()]) for a in (ours, theirs)]
        assert_within(*limits, 2e-3 * deviation)


NAMES = [name for name in (*EXACT, *DRAWN) if name != "constant" and ":" not in name]


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    """The name that a layer is given makes an initializer of the class that Keras makes.

    Without "constant", which Keras cannot make from its name.
    """
    theirs, ours = (lib.initializers.get(name) for lib in LIBRARIES)
    assert type(ours).__name__ == type(theirs).__name__
