"""The dense layer as a function of arrays: the bits of a network of that layer, however the arrays lie."""

import numpy as np
import pytest

from fastdense import native
from fastdense.core.spec import ActivationSpec, DenseSpec, NetworkSpec
from fastdense.native.program import NativeEngine
from tests.compare import assert_identical

RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def default_threads():
    yield
    native.set_threads(None)


def normal(*shape, dtype="float32"):
    return RNG.normal(size=shape).astype(dtype)


def network_of(W, B, activation, isa):
    spec = DenseSpec(*W.shape, ActivationSpec(activation), use_bias=B is not None)
    network = NetworkSpec(len(W), (spec,), W.dtype.name)
    return NativeEngine(isa).compile(network, [(W,) if B is None else (W, B)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("isa", native.runnable_isas())
@pytest.mark.parametrize("activation", ["linear", "relu", "tanh", "softmax"])
def test_the_bits_are_those_of_a_network(isa, dtype, activation):
    for n_in, n_units in ((1, 1), (7, 3), (20, 17), (65, 130), (30, 300)):
        W, B = normal(n_in, n_units, dtype=dtype), normal(n_units, dtype=dtype)
        for bias in (B, None):
            program = network_of(W, bias, activation, isa)
            for m in (0, 1, 2, 3, 8, 96, 97, 250):
                A_in = normal(m, n_in, dtype=dtype)
                result = native.dense(A_in, W, bias, activation, isa=isa)
                assert_identical(result, program.predict(A_in), f"{m} rows, {n_in} inputs, {n_units} units")


def test_any_number_of_threads_gives_the_same_bits():
    A_in, W, B = normal(700, 100), normal(100, 90), normal(90)
    results = []
    for threads in (1, 2, 5):
        native.set_threads(threads)
        results.append(native.dense(A_in, W, B, "gelu"))
    for result in results[1:]:
        assert_identical(result, results[0])


def test_odd_arrays_give_the_plain_ones_numbers():
    A_in, W, B = normal(40, 6), normal(6, 5), normal(5)
    expected = native.dense(A_in, W, B, "tanh")
    misaligned = np.frombuffer(b"x" + W.tobytes(), dtype=np.uint8)[1:].view(np.float32).reshape(6, 5)
    odd = {
        "Fortran": (np.asfortranarray(A_in), np.asfortranarray(W), B[None]),
        "reversed": (A_in[:, ::-1].copy()[:, ::-1], W[::-1].copy()[::-1], B[::-1].copy()[::-1]),
        "big-endian": (A_in.astype(">f4"), W.astype(">f4"), B.astype(">f4")),
        "misaligned": (A_in, misaligned, B),
        "sliced": (np.repeat(A_in, 2, axis=0)[::2], np.repeat(W, 3, axis=1)[:, ::3], np.repeat(B, 2)[::2]),
    }
    for name, arrays in odd.items():
        assert_identical(native.dense(*arrays, "tanh"), expected, name)


def test_a_result_is_written_where_it_is_wanted():
    A_in, W, B = normal(30, 8), normal(8, 8), normal(8)
    expected = native.dense(A_in, W, B, "relu")
    padded = np.full((32, 8), np.nan, np.float32)
    assert native.dense(A_in, W, B, "relu", out=padded[1:31]).base is padded
    assert_identical(padded[1:31], expected)
    assert np.isnan(padded[[0, 31]]).all()
    for out in (np.empty((30, 16), np.float32)[:, ::2], np.empty((30, 8), ">f4"), A_in):
        assert native.dense(A_in, W, B, "relu", out=out) is out
        assert_identical(out.astype(np.float32), expected)


def test_what_is_written_over_may_be_any_of_the_arrays():
    A_in, W = normal(8, 8), normal(8, 8)
    expected = native.dense(A_in, W, None)
    native.dense(A_in, W, None, out=W)
    assert_identical(W, expected)
    A_in, W = (
        normal(30, 130),
        normal(130, 130),
    )  # several panels: the first is written before the last is read
    expected = native.dense(A_in, W, None)
    native.dense(A_in, W, None, out=A_in)
    assert_identical(A_in, expected)
    A_in, W, out = normal(8, 8), normal(8, 8), normal(8, 8)
    bias = out[0]
    expected = native.dense(A_in, W, bias.copy())
    native.dense(A_in, W, bias, out=out)
    assert_identical(out, expected)
