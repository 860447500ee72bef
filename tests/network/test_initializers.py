"""How weights start: their spread, limits and seeds; and the penalties on them."""

import math

import numpy as np
import pytest

import fastdense as fd
from tests.compare import assert_identical, assert_within

initializers, regularizers = fd.initializers, fd.regularizers
N, U = 300, 500
COUNT = N * U
# The variance of each, and what no number of it goes beyond.
CUT = 2 / 0.87962566103423978
SPREADS = [
    ("glorot_uniform", 2 / (N + U), math.sqrt(3)),
    ("glorot_normal", 2 / (N + U), CUT),
    ("he_uniform", 2 / N, math.sqrt(3)),
    ("he_normal", 2 / N, CUT),
    ("lecun_uniform", 1 / N, math.sqrt(3)),
    ("lecun_normal", 1 / N, CUT),
    ("random_uniform", 0.1**2 / 12, math.sqrt(3)),
    ("random_normal", 0.05**2, 6.0),
    ("truncated_normal", (0.05 * 0.87962566103423978) ** 2, CUT),
    ("variance_scaling", 1 / N, CUT),
    (initializers.VarianceScaling(3.0, "fan_out", "uniform"), 3 / U, math.sqrt(3)),
    (initializers.VarianceScaling(3.0, "fan_avg", "untruncated_normal"), 6 / (N + U), 6.0),
    (initializers.RandomUniform(-1.0, 1.0), 4 / 12, math.sqrt(3)),
]


@pytest.mark.parametrize(("which", "variance", "limit"), SPREADS)
def test_the_spread_is_the_formulas(which, variance, limit):
    values = initializers.get(which)((N, U), "float64", np.random.default_rng(7))
    deviation = math.sqrt(variance)
    # Five standard errors: a right one fails once in a million seeds, and this seed is fixed.
    assert abs(values.mean()) <= 5 * deviation / math.sqrt(COUNT)
    assert abs(values.var() / variance - 1) <= 5 * math.sqrt(2 / COUNT)
    farthest = np.abs(values).max() / deviation
    assert limit * 0.66 < farthest <= limit * (1 + 1e-12)


def test_means_and_limits_are_where_they_are_put():
    rng = np.random.default_rng(1)
    uniform = initializers.RandomUniform(2.0, 3.0)((N, U), "float64", rng)
    assert 2.0 <= uniform.min() < 2.001
    assert 2.999 < uniform.max() <= 3.0
    for kind in (initializers.RandomNormal, initializers.TruncatedNormal):
        values = kind(mean=4.0, stddev=0.5)((N, U), "float64", rng)
        assert abs(values.mean() - 4.0) < 0.01
        assert 0.4 < values.std() < 0.51


def test_constants():
    for which, value in (("zeros", 0.0), ("ones", 1.0), (initializers.Constant(0.25), 0.25)):
        assert_identical(initializers.get(which)((2, 3)), np.full((2, 3), value, np.float32))


def test_every_dtype_starts_from_the_same_numbers():
    draw = initializers.HeNormal(seed=3)
    assert_identical(draw((5, 4), "float64").astype("float32"), draw((5, 4), "float32"))


def test_an_own_seed_repeats_and_comes_first():
    own = initializers.GlorotUniform(seed=3)
    assert_identical(own((5, 4)), own((5, 4), rng=np.random.default_rng(9)))
    assert (own((5, 4)) != initializers.GlorotUniform(seed=4)((5, 4))).any()
    models = [
        fd.Sequential([fd.Input((5,)), fd.Dense(4, kernel_initializer=own)], seed=seed) for seed in (1, 2)
    ]
    assert_identical(models[0].get_weights()[0], models[1].get_weights()[0])


def test_without_any_seed_numbers_are_new():
    draw = initializers.GlorotUniform()
    assert (draw((5, 4)) != draw((5, 4))).any()


def test_kernel_and_bias_are_drawn_one_after_the_other():
    layer = fd.Dense(4, kernel_initializer="random_normal", bias_initializer="random_normal")
    fd.Sequential([fd.Input((4,)), layer], seed=1)
    assert (layer.kernel != layer.bias).all()
    assert np.unique(layer.kernel).size == 16


def test_keras_defaults():
    layer = fd.Dense(400)
    fd.Sequential([fd.Input((200,)), layer], seed=1)
    assert not layer.bias.any()
    limit = math.sqrt(6 / 600)
    assert 0.99 * limit < np.abs(layer.kernel).max() <= limit


def test_keras_other_names():
    assert isinstance(initializers.get("normal"), initializers.RandomNormal)
    assert isinstance(initializers.get("uniform"), initializers.RandomUniform)
    assert isinstance(initializers.get("HeNormal"), initializers.HeNormal)
    assert regularizers.l2(0.5).l2 == 0.5
    assert isinstance(regularizers.get("l1_l2"), regularizers.L1L2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: initializers.Constant("0"), TypeError, "value must be a number"),
        (lambda: initializers.Constant(math.inf), ValueError, "value must be finite"),
        (lambda: initializers.RandomNormal(stddev=-1.0), ValueError, "stddev must be"),
        (lambda: initializers.RandomUniform(1.0, 0.0), ValueError, "maxval must be finite and at least 1"),
        (lambda: initializers.VarianceScaling(0.0), ValueError, "scale must be finite and above 0"),
        (lambda: initializers.VarianceScaling(mode="fan"), ValueError, "mode must be one of 'fan_in'"),
        (lambda: initializers.VarianceScaling(mode=["fan_in"]), ValueError, "mode must be one of"),
        (
            lambda: initializers.VarianceScaling(distribution="normal"),
            ValueError,
            "distribution must be one of 'truncated_normal'",
        ),
        (lambda: initializers.HeNormal(seed=-1), ValueError, "seed must be"),
        (lambda: initializers.HeNormal(seed=0.5), TypeError, "seed must be a whole number"),
        (lambda: initializers.get(initializers.HeNormal), TypeError, "initializer: give a name"),
        (lambda: regularizers.L1(-0.1), ValueError, "l1 must be"),
        (lambda: regularizers.L2("a"), TypeError, "l2 must be a number"),
        (lambda: regularizers.L1L2(0.1, math.nan), ValueError, "l2 must be finite"),
    ],
)
def test_arguments_out_of_range_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("which", "value"),
    [
        (regularizers.L1(0.5), 0.5 * 6),
        (regularizers.L2(0.5), 0.5 * 14),
        (regularizers.L1L2(0.5, 0.25), 0.5 * 6 + 0.25 * 14),
        ("l1", 0.06),
        ("l2", 0.14),
        ("l1_l2", 0.0),
    ],
)
def test_penalties_by_hand(which, value):
    assert_within(regularizers.get(which)([[1.0, -2.0], [3.0, 0.0]]), value, 1e-15)


def test_a_penalty_is_part_of_the_loss():
    layer = fd.Dense(1, kernel_regularizer=regularizers.L2(0.5), bias_regularizer="l1")
    model = fd.Sequential([fd.Input((2,)), layer], dtype="float64")
    model.compile(loss="mse")
    model.set_weights([[[1.0], [2.0]], [-3.0]])
    # The output is 1 + 2 - 3 = 0 and the target 2: 4, and 0.5 * 5 of the kernel, and 0.01 * 3 of the bias.
    assert_within(model.evaluate([[1.0, 1.0]], [2.0], verbose=0), 4 + 2.5 + 0.03, 1e-15)
