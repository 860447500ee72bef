"""The activation kernels: within 4 ulp, the same bits anywhere in an array, nothing touched outside it."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest

from fastdense.core.spec import ACTIVATIONS, ActivationSpec
from fastdense.errors import DtypeError, ShapeError
from fastdense.native import activate, activate_backward, best_isa, runnable_isas
from fastdense.reference import activate as reference
from fastdense.reference import activate_backward as reference_backward
from tests.compare import assert_identical, assert_within, ulp_error
from tests.native.decimals import exact

ELEMENTWISE = [name for name in ACTIVATIONS if name != "softmax"]
ALPHA = 0.3125  # the same number in float32
DTYPES = ("float32", "float64")
LANES = 16  # the most there are: float32 in AVX-512
by_isa = pytest.mark.parametrize("isa", runnable_isas())
by_dtype = pytest.mark.parametrize("dtype", DTYPES)
by_name = pytest.mark.parametrize("name", ELEMENTWISE)


RANGES = {  # of the others it is -1 to infinity, or everything
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "selu": (-1.7580994, np.inf),
    "exponential": (0.0, np.inf),
    "relu6": (0.0, 6.0),
    "hard_sigmoid": (0.0, 1.0),
    "hard_silu": (-0.375, np.inf),
    "softsign": (-1.0, 1.0),
}


def most_ulps(name, isa):
    """All float32 from 2**-6 to 128 were tried: gelu is off by up to 3.8, without fused multiply-adds 4.3."""
    return 4.5 if name == "gelu" and isa in {"sse2", "scalar"} else 4.0


def spec(name):
    return ActivationSpec(name, ALPHA)


def both_signs(z):
    return np.concatenate([z, -z])


@functools.cache
def sample_64():
    """Return numbers of all sizes, the most where the functions bend and where their tails vanish."""
    rng = np.random.default_rng(0)
    parts = [rng.uniform(0, 2, 150), rng.uniform(0, 40, 250), rng.uniform(690, 760, 60)]
    return both_signs(np.concatenate([*parts, np.geomspace(5e-324, 1e308, 120)]))


@functools.cache
def exact_64(name):
    return np.array([exact(name, z, ALPHA) for z in sample_64()])


@by_isa
@by_name
def test_float64_is_within_4_ulp(name, isa):
    found = activate(name, sample_64(), ALPHA, isa=isa)
    assert_within(ulp_error(found, exact_64(name)), np.zeros(found.shape), most_ulps(name, isa))


def floats(step):
    """Return every step-th of the finite float32 numbers, in the order of their bits."""
    z = np.arange(0, 2**32, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
    return z[np.isfinite(z)]


@by_isa
@by_name
def test_float32_is_within_4_ulp(name, isa):
    """4 million numbers of all sizes, against float64."""
    z = floats(997 if isa == best_isa() else 9973)
    expected = activate(name, z.astype(np.float64), ALPHA)
    expected[expected > np.finfo(np.float32).max] = np.inf  # selu's scale is above 1
    found = activate(name, z, ALPHA, isa=isa)
    assert_within(ulp_error(found, expected), np.zeros(found.shape), most_ulps(name, isa))
    below, above = RANGES.get(name, (-1.0, np.inf))
    if name not in {"linear", "leaky_relu"}:
        assert found.min() >= below
        assert found.max() <= above


@by_isa
@by_dtype
@by_name
def test_infinities_extremes_and_nan(name, dtype, isa):
    largest = float(np.finfo(dtype).max)
    z = np.array([np.inf, -np.inf, np.nan, largest, -largest, 0.0], dtype)
    a = activate(name, z, ALPHA, isa=isa)
    with np.errstate(over="ignore"):
        expected = np.array(reference(spec(name), z.tolist())).astype(dtype)
    assert_within(ulp_error(a, expected), np.zeros(6), 1.0)
    slopes = activate_backward(name, z, a, np.ones(6, dtype), ALPHA, isa=isa)
    with np.errstate(over="ignore"):
        expected = np.array(reference_backward(spec(name), z.tolist(), a.tolist(), [1.0] * 6)).astype(dtype)
    assert_within(slopes[name == "linear" :], expected[name == "linear" :], 2 * np.finfo(dtype).eps)


def test_a_leak_of_zero_has_the_limit_zero():
    assert_within(activate("leaky_relu", np.array([-np.inf, -1.0, 2.0]), 0.0), [0.0, 0.0, 2.0], 0.0)


@by_isa
@by_dtype
@by_name
def test_slopes_are_the_references(name, dtype, isa):
    """To 4 eps: they are found from numbers near 1 that are off by half of one each, or from a alone.

    Of the exponential's slopes, which may be large, it is 4 eps of each.
    """
    z = np.concatenate([np.linspace(-60, 60, 1001), np.linspace(-3, 3, 500), [0.0, 700.0, -700.0]]).astype(
        dtype
    )
    z = z[np.abs(z) < 80] if name == "exponential" else z
    da = np.random.default_rng(0).normal(size=z.shape).astype(dtype)
    found = activate_backward(name, z, activate(name, z, ALPHA, isa=isa), da, ALPHA, isa=isa)
    expected = reference_backward(spec(name), z.tolist(), z.tolist(), da.tolist())
    size = np.abs(np.float64(expected if name == "exponential" else da))
    assert_within(found, expected, 4 * np.finfo(dtype).eps * size)


# Up to four vectors and three more, at every place within a vector.
@by_isa
@by_dtype
@by_name
def test_a_result_does_not_depend_on_its_place(name, dtype, isa):
    rng = np.random.default_rng(0)
    z, da = (
        (3 * rng.normal(size=4 * LANES + 3 + 5)).astype(dtype),
        rng.normal(size=4 * LANES + 8).astype(dtype),
    )
    a = activate(name, z, ALPHA, isa=isa)
    dz = activate_backward(name, z, a, da, ALPHA, isa=isa)
    for n in range(4 * LANES + 4):
        part = slice(n % 5, n % 5 + n)
        guarded = np.full(n + 2 * LANES + 1, 77, dtype)
        out = guarded[LANES + n % 3 :][:n]
        activate(name, z[part], ALPHA, out=out, isa=isa)
        assert_identical(out, a[part])
        activate_backward(name, z[part], a[part], da[part], ALPHA, out=out, isa=isa)
        assert_identical(out, dz[part])
        out[:] = 77
        assert (guarded == 77).all()


@by_isa
@by_dtype
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_in_place(name, dtype, isa):
    rng = np.random.default_rng(0)
    z, da = (rng.normal(size=(3, 21)).astype(dtype) for _ in range(2))
    a = activate(name, z, ALPHA, isa=isa)
    dz = activate_backward(name, z, a, da, ALPHA, isa=isa)
    for k in range(3):
        copies = [z.copy(), a.copy(), da.copy()]
        assert activate_backward(name, *copies, ALPHA, out=copies[k], isa=isa) is copies[k]
        assert_identical(copies[k], dz)
    assert activate(name, z, ALPHA, out=z, isa=isa) is z
    assert_identical(z, a)


@by_isa
@by_dtype
def test_softmax_of_1_to_70_columns(dtype, isa):
    rng = np.random.default_rng(0)
    eps = np.finfo(dtype).eps
    for columns in range(1, 71):
        z, da = (4 * rng.normal(size=(3, columns))).astype(dtype), rng.normal(size=(3, columns)).astype(dtype)
        guarded = np.full(3 * columns + 2 * LANES, 77, dtype)
        a = guarded[LANES:-LANES].reshape(z.shape)
        activate("softmax", z, out=a, isa=isa)
        dz = activate_backward("softmax", z, a, da, isa=isa)
        for row in range(3):
            exact_a = np.array(reference(spec("softmax"), z[row].tolist()))
            assert_within(a[row], exact_a, (4 + columns + np.ptp(z[row])) * eps * exact_a)
            assert_identical(activate("softmax", z[row], isa=isa), a[row].copy())
            expected = reference_backward(spec("softmax"), z[row].tolist(), a[row].tolist(), da[row].tolist())
            # the sum of da * a is off by up to columns * eps times the largest da
            assert_within(dz[row], expected, (2 + columns) * eps * np.abs(da[row]).max() * a[row])
        assert (guarded[:LANES] == 77).all()
        assert (guarded[-LANES:] == 77).all()


@by_isa
@by_dtype
@pytest.mark.parametrize("columns", [2, 40])
def test_softmax_of_extremes(columns, dtype, isa):
    large = np.finfo(dtype).max
    rows = [[large, -large], [-np.inf, 3.0], [0.0, -110.0], [large, large]]
    bad = [[np.inf, 0.0], [-np.inf, -np.inf], [np.nan, 0.0], [0.0, np.nan]]
    fill = [-np.inf] * (columns - 2)
    z = np.array([row + fill for row in rows + bad], dtype)
    a = activate("softmax", z, isa=isa)
    expected = [[1.0, 0.0], [0.0, 1.0], [1.0, math.exp(-110)], [0.5, 0.5]]
    assert_within(
        a[:4, :2], np.array(expected, dtype), 4 * np.float64(np.array(expected, dtype)) * np.finfo(dtype).eps
    )
    assert (a[:4, 2:] == 0).all()
    assert np.isnan(a[4:]).all()


@pytest.mark.parametrize("name", ["gelu", "softmax"])
@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3), (2, 3, 4)])
def test_any_shape(shape, name):
    z = np.ones(shape)
    a = activate(name, z)
    assert a.shape == shape
    assert activate_backward(name, z, a, z).shape == shape


def test_a_read_only_input_is_enough():
    z = np.array([-1.0, 2.0])
    z.flags.writeable = False
    assert_within(activate("relu", z), [0.0, 2.0], 0.0)
    assert_within(activate("relu", np.array(-1.0)), np.array(0.0), 0.0)


Z, SHARED = np.ones((2, 3)), np.ones(5)
MISTAKES = {
    "name": (lambda: activate("rellu", Z), ValueError, r"'rellu'; known: linear, sigmoid, .*softmax"),
    "alpha": (lambda: activate("elu", Z, -1.0), ValueError, "alpha must be at least 0, not -1.0"),
    "nan alpha": (lambda: activate("elu", Z, math.nan), ValueError, "alpha must be at least 0, not nan"),
    "a divisor": (lambda: activate("celu", Z), ValueError, "alpha of celu must be above 0: it divides by it"),
    "isa": (
        lambda: activate("elu", Z, isa="abacus"),
        ValueError,
        "isa must be one that runs on this processor",
    ),
    "list": (
        lambda: activate("relu", [1.0]),
        DtypeError,
        "z must be an array of float32 or float64, not list",
    ),
    "int": (lambda: activate("relu", np.arange(3)), DtypeError, "float32 or float64, not int64"),
    "order": (lambda: activate("relu", Z.T), ValueError, "z must be C-contiguous"),
    "scalar": (lambda: activate("softmax", np.array(1.0)), ShapeError, "at least one axis"),
    "out type": (lambda: activate("relu", Z, out=np.float32(Z)), DtypeError, "out must be of type float64"),
    "out shape": (
        lambda: activate("relu", Z, out=Z[:1]),
        ShapeError,
        r"out must have shape \(2, 3\), not \(1, 3\)",
    ),
    "overlap": (lambda: activate("relu", SHARED[:4], out=SHARED[1:]), ValueError, "share no memory"),
    "a": (lambda: activate_backward("relu", Z, Z[:1], Z), ShapeError, r"a must have shape \(2, 3\)"),
    "da": (lambda: activate_backward("relu", Z, Z, np.float32(Z)), DtypeError, "da must be of type float64"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake):
    call, error, message = MISTAKES[mistake]
    with pytest.raises(error, match=message):
        call()
