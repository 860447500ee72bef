"""Rows that are mostly zeros: the bits of rows in full, on every build and by any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense as fd
from fastdense.core.spec import (
    ActivateSpec,
    ActivationSpec,
    AdamSpec,
    DenseSpec,
    DropoutSpec,
    LayerNormSpec,
    MeanSquaredErrorSpec,
    NetworkSpec,
    Penalty,
    PReLUSpec,
    RMSpropSpec,
    ScaleSpec,
    SGDSpec,
    TrainingSpec,
)
from fastdense.engines import Batches, choose
from fastdense.native import runnable_isas
from fastdense.native.program import NativeEngine
from tests.compare import assert_identical

sparse = pytest.importorskip("scipy.sparse")

N_IN, N_OUT, ROWS = 53, 3, 70
RNG = np.random.default_rng(0)
ORDER = RNG.permutation(ROWS)


def rows(dtype, density=0.1):
    X = RNG.normal(size=(ROWS, N_IN)) * (RNG.random((ROWS, N_IN)) < density)
    X[5] = 0.0
    return X.astype(dtype)


def network(dtype, units, activation, first=None):
    layers = [DenseSpec(N_IN, units, ActivationSpec(activation), kernel_penalty=Penalty(l1=1e-3, l2=1e-2))]
    layers += [DenseSpec(units, N_OUT)]
    parameters = [
        (RNG.normal(size=(n, m)).astype(dtype), RNG.normal(size=m).astype(dtype))
        for n, m in ((N_IN, units), (units, N_OUT))
    ]
    if first is not None:
        layers.insert(0, first)
        parameters.insert(0, tuple(np.full(p.shape, k + 1, dtype) for k, p in enumerate(first.parameters)))
    return NetworkSpec(N_IN, tuple(layers), dtype), parameters


def results(engine, spec, parameters, optimizer, X, y, weights):
    """Return all that a program makes of rows."""
    training = TrainingSpec(MeanSquaredErrorSpec(), optimizer, seed=3)
    program = engine.compile(spec, parameters, training)
    outputs, given = np.empty((ROWS, N_OUT), X.dtype), np.empty((ROWS, N_OUT), X.dtype)
    found = [program.predict(X), program.losses(X, y, outputs), outputs]
    loss, gradients = program.gradients(X, y, weights)
    found += [np.array(loss), *gradients]
    for epoch in range(3):
        order = np.roll(ORDER, epoch)
        found.append(program.train(Batches(X, y, weights, order, 16), np.full(5, 0.01), 5 * epoch, given))
    found += [given, *(a for group in program.parameters() for a in group)]
    return [*found, program.predict(X), program.predict(X[:1])]


def assert_same_of_both(engine, spec, parameters, optimizer, X):
    y = RNG.normal(size=(ROWS, N_OUT)).astype(X.dtype)
    weights = RNG.uniform(0.5, 2, ROWS).astype(X.dtype)
    full = results(engine, spec, parameters, optimizer, X, y, weights)
    for kind in (sparse.csr_array, sparse.csr_matrix):
        for found, expected in zip(
            results(engine, spec, parameters, optimizer, kind(X), y, weights), full, strict=True
        ):
            assert_identical(found, expected)


OPTIMIZERS = {
    "sgd": SGDSpec(),
    "adam": AdamSpec(),
    "clipped": RMSpropSpec(momentum=0.5, global_clipnorm=0.5),
}


@pytest.mark.parametrize("isa", runnable_isas())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("units", "activation"), [(1, "relu"), (16, "gelu"), (17, "tanh"), (100, "softmax")])
def test_the_same_bits_as_in_full(units, activation, optimizer, dtype, isa):
    spec, parameters = network(dtype, units, activation)
    assert_same_of_both(NativeEngine(isa), spec, parameters, OPTIMIZERS[optimizer], rows(dtype))


FIRST = {
    "scale": ScaleSpec(N_IN),
    "dropout": DropoutSpec(N_IN, 0.3, stream=0),
    "norm": LayerNormSpec(N_IN, 0.01),
    "prelu": PReLUSpec(N_IN),
    "activation": ActivateSpec(N_IN, ActivationSpec("silu")),
}


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
@pytest.mark.parametrize("first", [None, *FIRST])
def test_every_engine_and_first_layer(first, engine):
    spec, parameters = network("float64", 4, "tanh", FIRST.get(first))
    assert_same_of_both(choose(engine), spec, parameters, OPTIMIZERS["adam"], rows("float64"))


@pytest.mark.parametrize("density", [0.0, 1.0])
def test_no_zeros_and_nothing_else(density):
    spec, parameters = network("float32", 20, "relu")
    assert_same_of_both(NativeEngine(), spec, parameters, OPTIMIZERS["adam"], rows("float32", density))


def test_any_number_of_threads():
    wide = rows("float32")
    spec, parameters = network("float32", 100, "relu")
    y, found = np.zeros((ROWS, N_OUT), np.float32), []
    for threads in (1, 2, 5):
        fd.set_threads(threads)
        try:
            found.append(
                results(NativeEngine(), spec, parameters, OPTIMIZERS["adam"], sparse.csr_array(wide), y, None)
            )
        finally:
            fd.set_threads(None)
    for other in found[1:]:
        for a, b in zip(other, found[0], strict=True):
            assert_identical(a, b)


def test_full_and_sparse_rows_take_turns():
    spec, parameters = network("float32", 20, "relu")
    training = TrainingSpec(MeanSquaredErrorSpec(), AdamSpec())
    X, y = rows("float32"), np.ones((ROWS, N_OUT), np.float32)
    kinds = ((X, X, X, X), (sparse.csr_array(X), X, sparse.csr_array(X), X))
    found = []
    for kind in kinds:
        program = NativeEngine().compile(spec, parameters, training)
        for each in kind:
            program.train(Batches(each, y, None, ORDER, 16), np.full(5, 0.01), 0)
            program.predict(each[:1])
        found.append(program.predict(X))
    assert_identical(*found)


def damaged(change):
    X = sparse.csr_array(rows("float32"))
    change(X)
    return X


DAMAGED = {
    "a column past the last": damaged(lambda X: X.indices.__setitem__(3, N_IN)),
    "a column before the first": damaged(lambda X: X.indices.__setitem__(3, -1)),
    "a row that ends before it starts": damaged(lambda X: X.indptr.__setitem__(4, 10**6)),
    "a start before the first": damaged(lambda X: X.indptr.__setitem__(0, -1)),
    "fewer numbers than counted": damaged(lambda X: setattr(X, "data", X.data[:-1])),
    "columns in place of rows": sparse.csc_array(rows("float32")),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_rows_never_reach_compiled_code(name):
    spec, parameters = network("float32", 4, "relu")
    program = NativeEngine().compile(spec, parameters, TrainingSpec(MeanSquaredErrorSpec(), SGDSpec()))
    y = np.zeros((ROWS, N_OUT), np.float32)
    for call in (
        lambda: program.predict(DAMAGED[name]),
        lambda: program.losses(DAMAGED[name], y),
        lambda: program.gradients(DAMAGED[name], y, None),
        lambda: program.train(Batches(DAMAGED[name], y, None, ORDER, 16), np.full(5, 0.01), 0),
    ):
        with pytest.raises(ValueError, match="sparse rows must be in the CSR format"):
            call()


def test_no_rows():
    """They once led compiled code to an earlier batch."""
    spec, parameters = network("float32", 4, "relu")
    training = TrainingSpec(MeanSquaredErrorSpec(), SGDSpec())
    X, y = rows("float32"), np.zeros((ROWS, N_OUT), np.float32)
    used = NativeEngine().compile(spec, parameters, training)
    used.gradients(sparse.csr_array(X), y, None)
    for program in (NativeEngine().compile(spec, parameters, training), used):
        found = program.gradients(sparse.csr_array(X[:0]), y[:0], None)
        expected = program.gradients(X[:0], y[:0], None)
        assert found[0] == expected[0]
        for one, other in zip(found[1], expected[1], strict=True):
            assert_identical(one, other)
        assert program.predict(sparse.csr_array(X[:0])).shape == (0, N_OUT)


def test_columns_and_large_indices_are_checked():
    spec, parameters = network("float32", 4, "relu")
    program = NativeEngine().compile(spec, parameters)
    X = sparse.csr_array(rows("float32"))
    for wrong in (sparse.csr_array((1, 10**7)), sparse.csr_array((1, 3)), np.zeros((1, 3))):
        with pytest.raises(ValueError, match="the network takes 53 columns"):
            program.predict(wrong.astype(np.float32))
    X.indices = X.indices.astype(np.int64) + 2**32
    with pytest.raises(ValueError, match="within their shape"):
        program.predict(X)
