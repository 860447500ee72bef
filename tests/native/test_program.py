"""The native engine beyond the shared case table: bits, threads, forks, odd arrays, interrupts."""

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import fastdense as fd
from fastdense import native
from fastdense.core.spec import ACTIVATIONS, LOSSES, OPTIMIZERS, ActivationSpec, DenseSpec, NetworkSpec
from fastdense.native.program import NativeEngine
from tests.compare import assert_identical, assert_within, dense_bound

RNG = np.random.default_rng(0)
ISAS = native.runnable_isas()


def normal(*shape, dtype="float32"):
    return RNG.normal(size=shape).astype(dtype)


def one_layer(n_in, n_units, dtype="float32", activation="linear"):
    network = NetworkSpec(n_in, (DenseSpec(n_in, n_units, ActivationSpec(activation)),), dtype)
    return network, [(normal(n_in, n_units, dtype=dtype), normal(n_units, dtype=dtype))]


def sizes_around(*widths):
    """Return sizes at which tiles and vectors of these widths begin, end and are just missed."""
    return sorted({n for w in widths for n in (1, w - 1, w, w + 1, 4 * w // 3, 2 * w, 2 * w + 1)})


def test_the_kernels_have_what_the_specs_name():
    assert sorted(native._core.activations()) == sorted(ACTIVATIONS)
    assert sorted(native._core.losses()) == sorted(LOSSES)
    assert sorted(native._core.optimizers()) == sorted(OPTIMIZERS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: native._core.Curve("relu9", 0.0, ()), "unknown activation 'relu9'; known: linear, "),
        (lambda: native._core.LossOptions("mse", False, 0.0, 1.0, ()), "unknown loss 'mse'; known: binary_"),
        (lambda: native._core.Recipe("adamw", {}, 0, 0), "unknown optimizer 'adamw'; known: sgd, "),
        (lambda: native._core.Recipe("sgd", {"moment": 0.5}, 0, 0), "no optimizer has the constant 'moment'"),
    ],
)
def test_names_that_the_kernels_lack_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("isa", ISAS)
def test_every_size_around_tiles_and_vectors(isa, dtype):
    for n_units in sizes_around(4, 16, 32):
        for n_in in (1, 2, 17):
            network, parameters = one_layer(n_in, n_units, dtype)
            program = NativeEngine(isa).compile(network, parameters)
            for m in sizes_around(6, 12):
                X = normal(m, n_in, dtype=dtype)
                (W, B), eps = parameters[0], np.finfo(dtype).eps
                exact = X.astype(np.longdouble) @ W + B
                assert_within(program.predict(X), exact.astype(np.float64), dense_bound(X, W, B, eps))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("isa", ISAS)
def test_nothing_is_written_beside_the_outputs(isa, dtype):
    """The last layer writes straight to the caller's array, of any width, which may end at any byte."""
    for n_units in sizes_around(4, 8, 16, 32):
        network, parameters = one_layer(5, n_units, dtype, "tanh")
        program = NativeEngine(isa).compile(network, parameters)
        for m in (1, 2, 3, 7, 13, 100):
            memory = np.full((m + 2) * n_units, np.nan, dtype)
            out = memory[n_units:-n_units].reshape(m, n_units)
            X = normal(m, 5, dtype=dtype)
            assert program.predict(X, out) is out
            assert_identical(out, program.predict(X))
            assert np.isnan(memory[:n_units]).all()
            assert np.isnan(memory[-n_units:]).all()


@pytest.mark.parametrize("isa", ISAS)
def test_a_row_does_not_depend_on_its_neighbours(isa):
    layers = (
        DenseSpec(20, 50, ActivationSpec("tanh")),
        DenseSpec(50, 33, ActivationSpec("relu")),
        DenseSpec(33, 3),
    )
    parameters = [(normal(s.n_in, s.n_units), normal(s.n_units)) for s in layers]
    program = NativeEngine(isa).compile(NetworkSpec(20, layers), parameters)
    X = normal(203, 20)
    whole = program.predict(X)
    for i in (0, 5, 11, 12, 95, 96, 150, 202):
        assert_identical(program.predict(X[i : i + 1])[0], whole[i])
    assert_identical(program.predict(X[7:60]), whole[7:60])


def test_odd_arrays_give_the_plain_ones_numbers(tmp_path):
    network, parameters = one_layer(6, 5)
    program = NativeEngine().compile(network, parameters)
    X = normal(40, 6)
    expected = program.predict(X)
    X.tofile(tmp_path / "X")
    misaligned = np.frombuffer(b"x" + X.tobytes(), dtype=np.uint8)[1:].view(np.float32).reshape(40, 6)
    read_only = X.copy()
    read_only.flags.writeable = False
    odd = {
        "Fortran": np.asfortranarray(X),
        "sliced": np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
        "reversed": X[::-1].copy()[::-1],
        "read-only": read_only,
        "big-endian": X.astype(">f4"),
        "misaligned": misaligned,
        "mapped": np.memmap(tmp_path / "X", np.float32, "r", shape=(40, 6)),
    }
    for name, array in odd.items():
        assert_identical(program.predict(array), expected, name)
    out = np.empty((40, 10), np.float32)[:, ::2]
    assert program.predict(X, out) is out
    assert_identical(np.ascontiguousarray(out), expected)


def test_widths_of_one_and_of_very_many():
    for n_in, n_units in ((1, 1), (1, 100_000), (100_000, 1)):
        network, parameters = one_layer(n_in, n_units)
        program = NativeEngine().compile(network, parameters)
        X = normal(3, n_in)
        W, B = parameters[0]
        exact = X.astype(np.float64) @ W + B
        assert_within(program.predict(X), exact, dense_bound(X, W, B, np.finfo("float32").eps))
    assert program.predict(normal(0, 100_000)).shape == (0, 1)


def test_memory_that_cannot_be_had_is_a_memory_error():
    model = fd.Sequential([fd.Input((4,)), fd.Dense(3)], seed=0)
    before = model.predict(np.ones((2, 4)))
    network = NetworkSpec(2**40, (DenseSpec(2**40, 2**20),))
    core = native._core.Network32(native.best_isa(), network.n_in)
    with pytest.raises(MemoryError):
        core.dense(2**20, native._core.Curve("linear", 0.0, ()), True, [(0.0, 0.0, 1.0, 1.0)] * 2)
    assert_identical(model.predict(np.ones((2, 4))), before)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_a_long_epoch_and_leaves_usable_weights():
    program = """
import signal
import numpy as np, fastdense as fd
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job would ignore it
X = np.random.default_rng(0).normal(size=(200_000, 50)).astype("float32")
model = fd.Sequential([fd.Input((50,)), fd.Dense(64, "relu"), fd.Dense(1)], seed=0)
model.compile(loss="mse")
print("ready", flush=True)
try:
    model.fit(X, X[:, 0], epochs=1000, batch_size=8, verbose=0)
except KeyboardInterrupt:
    print(model.optimizer.iterations > 0, bool(np.isfinite(model.predict(X)).all()))
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        threading.Timer(0.5, process.send_signal, [signal.SIGINT]).start()
        out, error = process.communicate(timeout=60)
    assert out == "True True\n", error
