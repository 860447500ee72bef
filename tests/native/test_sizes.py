"""Networks of many panels, parts, blocks and pieces, against the same as matrix products in float64.

The shared case table's networks fit into one tile; here every loop goes round more than once.
"""

import numpy as np
import pytest

from fastdense import native
from fastdense.core.spec import (
    ActivationSpec,
    AdamSpec,
    BinaryCrossentropySpec,
    CategoricalCrossentropySpec,
    DenseSpec,
    DropoutSpec,
    HuberSpec,
    MeanAbsoluteErrorSpec,
    MeanSquaredErrorSpec,
    NetworkSpec,
    Penalty,
    PoissonSpec,
    QuantileSpec,
    SGDSpec,
    SparseCategoricalCrossentropySpec,
    TrainingSpec,
)
from fastdense.engines import Batches, choose
from fastdense.native.program import NativeEngine
from tests.compare import assert_within

ROWS, BATCH = 470, 230  # two blocks of rows and more, and a shorter batch at the end
TOLERANCE = {"float32": 3e-4, "float64": 1e-10}  # of the largest number


GROUPS = (1, 17, 130, 2, 150)  # of one number, and of vectors whole and cut short


def layers(last, n_out, penalty=0.0, rate=0.0, groups=()):
    """Return layers of three panels and three parts, some of them cut short in every way."""
    paid = Penalty(penalty, penalty)
    hidden = [
        DenseSpec(210, 75, ActivationSpec("relu"), kernel_penalty=paid, bias_penalty=paid),
        DenseSpec(75, 140, ActivationSpec("gelu"), kernel_penalty=paid),
    ]
    dropped = [DropoutSpec(140, rate, 3)] if rate else []
    return (*hidden, *dropped, DenseSpec(140, n_out, ActivationSpec(last, groups=groups), bias_penalty=paid))


CASES = {
    "labels": (layers("softmax", 300), SparseCategoricalCrossentropySpec(), AdamSpec()),
    "labels smoothed": (
        layers("softmax", 300),
        SparseCategoricalCrossentropySpec(label_smoothing=0.2),
        AdamSpec(clipnorm=0.01),
    ),
    "one-hot": (layers("softmax", 35, penalty=0.01), CategoricalCrossentropySpec(), AdamSpec()),
    "probabilities": (layers("sigmoid", 35), CategoricalCrossentropySpec(), AdamSpec()),
    "groups": (
        layers("softmax", 300, groups=GROUPS),
        CategoricalCrossentropySpec(label_smoothing=0.1, groups=GROUPS),
        AdamSpec(clipnorm=0.01),
    ),
    "groups of probabilities": (
        (*layers("softmax", 300, groups=GROUPS), DropoutSpec(300, 0.0, 5)),
        CategoricalCrossentropySpec(groups=GROUPS),
        AdamSpec(),
    ),
    "many outputs": (
        layers("linear", 600, penalty=0.003),
        MeanSquaredErrorSpec(),
        AdamSpec(clipnorm=0.05),
    ),
    "binary": (
        layers("sigmoid", 300, penalty=0.003),
        BinaryCrossentropySpec(label_smoothing=0.1),
        AdamSpec(global_clipnorm=0.05),
    ),
    "one output": (layers("linear", 1, rate=0.3), HuberSpec(delta=0.3), AdamSpec(weight_decay=0.1)),
    "exponential": (
        layers("exponential", 256, penalty=0.003),
        MeanSquaredErrorSpec(),
        AdamSpec(global_clipnorm=0.05),
    ),
    "counts": (layers("exponential", 35), PoissonSpec(), AdamSpec()),
    "quantile": (layers("linear", 35), QuantileSpec(quantile=0.9), AdamSpec(clipvalue=0.01)),
    "momentum": (
        layers("tanh", 17, rate=0.1),
        MeanAbsoluteErrorSpec(),
        SGDSpec(momentum=0.9, nesterov=True),
    ),
}


def data(loss, n_out):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(ROWS, 210))
    if loss.name.startswith("sparse"):
        y = rng.integers(0, n_out, ROWS)
    elif loss.name == "categorical_crossentropy":
        y = np.eye(n_out)[rng.integers(0, n_out, ROWS)]
    else:
        y = rng.uniform(size=(ROWS, n_out))
    return X, y, rng.uniform(0.5, 2, ROWS), rng.permutation(ROWS)


def results(engine, case, dtype):
    """Return what a program computes: by name, arrays of float64."""
    of_layers, loss, optimizer = CASES[case]
    network = NetworkSpec(210, of_layers, dtype)
    rng = np.random.default_rng(5)
    shapes = [(s.n_in, s.n_units) if isinstance(s, DenseSpec) else None for s in of_layers]
    parameters = [
        tuple(a.astype(dtype) for a in (rng.normal(size=s) / 15, rng.normal(size=s[1]) / 5)) if s else ()
        for s in shapes
    ]
    training = TrainingSpec(loss, optimizer, seed=6)
    program = engine.compile(network, parameters, training)
    X, y, weight, order = data(loss, network.n_out)
    y = y if y.ndim == 1 else y.astype(dtype)
    X, weight = X.astype(dtype), weight.astype(dtype)
    outputs = np.full((ROWS, network.n_out), np.nan, dtype)
    found = {"losses": program.losses(X, y, outputs), "predictions": outputs, "penalty": program.penalty()}
    loss_of_all, gradients = program.gradients(X, y, weight)
    found |= {"loss": loss_of_all} | {f"gradient {i}": g for i, g in enumerate(gradients)}
    trained = np.full((2 * ROWS, network.n_out), np.nan, dtype)
    batches = Batches(X, y, weight, np.concatenate([order, order[::-1]]), BATCH)
    found["training losses"] = program.train(batches, np.full(5, 1e-3), 0, trained)
    found |= {"training outputs": trained, "penalty afterwards": program.penalty()}
    arrays = [a for group in (*program.parameters(), *program.slots()) for a in group]
    found |= {f"state {i}": a for i, a in enumerate(arrays)}
    return {name: np.float64(values) for name, values in found.items()}


@pytest.fixture(scope="module")
def expected():
    return {case: results(choose("array"), case, "float64") for case in CASES}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("isa", native.runnable_isas())
@pytest.mark.parametrize("case", CASES)
def test_large_networks(expected, case, isa, dtype, threads):
    native.set_threads(threads)
    try:
        found = results(NativeEngine(isa), case, dtype)
    finally:
        native.set_threads(None)
    assert found.keys() == expected[case].keys()
    for name, wanted in expected[case].items():
        bound = TOLERANCE[dtype] * np.max(np.abs(wanted), initial=1e-3)
        assert_within(found[name], wanted, bound, f"{case}: {name}")
