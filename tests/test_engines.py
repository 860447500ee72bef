"""Every engine against the reference, on every case of the one table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastdense.core.spec import (
    ACTIVATIONS,
    LOSSES,
    OPTIMIZERS,
    ActivateSpec,
    ActivationSpec,
    DenseSpec,
    MeanAbsoluteErrorSpec,
    NetworkSpec,
    TrainingSpec,
)
from fastdense.engines import available, choose
from tests.bounds import GROWTH, activation_ulps, is_of_library, library_ulps, output_bound
from tests.cases import ALPHAS, CASES, SGD, case_named
from tests.compare import assert_trajectory_within, assert_within, ulp_error
from tests.over_engines import pytest_generate_tests
from tests.runs import STEPS, Run, compiled, reference_run, train

# What is run over the other array libraries too, in tests/libraries.
__all__ = [
    "pytest_generate_tests",
    "test_activations_at_infinity_and_nan",
    "test_activations_over_the_whole_range",
    "test_gradients",
    "test_losses_and_penalty",
    "test_predictions",
    "test_slopes_over_the_whole_range",
    "test_trajectories",
]

ENGINES = [name for name in available() if name != "reference"]
# NumPy says where a number overflows; the exponential's is then infinite.
of_overflow = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


def assert_runs_agree(actual: Run, expected: Run, case) -> None:
    steps = case.steps_per_epoch
    assert_trajectory_within(actual.losses, expected.losses, GROWTH, case.eps, "loss")
    assert_trajectory_within(actual.outputs, expected.outputs, GROWTH * steps, case.eps, "outputs")
    for place, (found, wanted) in enumerate(zip(*map(_columns, (actual, expected)), strict=True)):
        assert_trajectory_within(found, wanted, GROWTH * steps, case.eps, f"array {place} of the state")


def _columns(run):
    """Return each parameter's and each slot's own history."""
    return list(zip(*run.states, strict=True))


def test_the_table_holds_every_name():
    layers = [layer for case in CASES for layer in case.network.layers]
    assert {layer.activation.name for layer in layers if hasattr(layer, "activation")} == set(ACTIVATIONS)
    assert {case.training.loss.name for case in CASES} == set(LOSSES)
    assert {case.training.optimizer.name for case in CASES} == set(OPTIMIZERS)


def test_predictions(engine, case):
    data = case.data()
    expected = compiled(choose("reference"), case).predict(data.X)
    found = compiled(choose(engine), case).predict(data.X)
    assert found.dtype == case.dtype
    assert_within(found, expected, output_bound(case, data.X))


def test_losses_and_penalty(engine, case):
    data = case.data()
    expected, found = (compiled(choose(name), case) for name in ("reference", engine))
    losses = expected.losses(data.X, data.y)
    assert found.losses(data.X, data.y).dtype == np.float64
    assert_within(found.losses(data.X, data.y), losses, GROWTH * case.eps * np.max(np.abs(losses)))
    assert_within(found.penalty(), expected.penalty(), GROWTH * case.eps * expected.penalty())


def test_gradients(engine, case):
    data = case.data()
    arguments = data.X, data.y, data.sample_weight
    loss, expected = compiled(choose("reference"), case).gradients(*arguments)
    found_loss, found = compiled(choose(engine), case).gradients(*arguments)
    assert_within(found_loss, loss, GROWTH * case.eps * abs(loss))
    largest = max((np.max(np.abs(g)) for g in expected), default=0.0)
    for place, (g, wanted) in enumerate(zip(found, expected, strict=True)):
        assert_within(g, wanted, GROWTH * case.eps * largest, f"gradient {place}")


def test_trajectories(engine, case):
    found = train(compiled(choose(engine), case), case)
    assert len(found.losses) >= STEPS
    assert_runs_agree(found, reference_run(case.name), case)


MUTATIONS = {
    "learning rate": ("sgd", {"learning_rate": 0.0201}, {}),
    "momentum": ("momentum", {}, {"momentum": 0.9001}),
    "nesterov": ("nesterov", {}, {"nesterov": False}),
    "weight decay": ("sgd-decay", {}, {"weight_decay": 0.1001}),
    "clipvalue": ("sgd-clipvalue", {}, {"clipvalue": 0.0505}),
    "clipnorm": ("sgd-clipnorm", {}, {"clipnorm": 0.202}),
    "global clipnorm": ("sgd-global-clipnorm", {}, {"global_clipnorm": 0.303}),
    "rho": ("rmsprop", {}, {"rho": 0.9001}),
    "adagrad's start": ("adagrad", {}, {"initial_accumulator_value": 0.1001}),
    "lion's beta_2": ("lion", {}, {"beta_2": 0.9901}),
    "beta_1": ("adam", {}, {"beta_1": 0.9001}),
    "beta_2": ("adam", {}, {"beta_2": 0.99901}),
    "epsilon": ("adam-constants", {}, {"epsilon": 1.1e-4}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_wrong_constant_is_caught(dtype, mutation):
    name, case_changes, optimizer_changes = MUTATIONS[mutation]
    case = case_named(f"{dtype}-{name}")
    optimizer = replace(case.training.optimizer, **optimizer_changes)
    mutant = replace(case, training=replace(case.training, optimizer=optimizer), **case_changes)
    run = train(compiled(choose("reference"), mutant), mutant)
    with pytest.raises(AssertionError, match="too far off"):
        assert_runs_agree(run, reference_run(case.name), case)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["adam", "dropout"])
def test_a_misnumbered_step_is_caught(dtype, name):
    """Adam without its bias correction (far from the first step), and masks drawn for another step."""
    case = case_named(f"{dtype}-{name}")
    run = train(compiled(choose("reference"), case), case, shift=10**6)
    with pytest.raises(AssertionError, match="too far off"):
        assert_runs_agree(run, reference_run(case.name), case)


@of_overflow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_over_the_whole_range(engine, dtype, name):
    large = np.geomspace(1e-30, np.finfo(dtype).max / 2, 300)
    z = np.concatenate([np.linspace(0, 120, 2001), np.linspace(120, 800, 500), large])
    z = np.concatenate([z, -z]).astype(dtype)[:, None]
    layer = ActivateSpec(1, ActivationSpec(name, ALPHAS.get(name, 0.0)))
    found = choose(engine).compile(NetworkSpec(1, (layer,), dtype), [()]).predict(z)
    expected = choose("reference").compile(NetworkSpec(1, (layer,), "float64"), [()]).predict(np.float64(z))
    expected[expected > np.finfo(dtype).max] = np.inf
    bound = activation_ulps(name, np.float64(z), expected, dtype)
    if is_of_library(engine):
        bound = library_ulps(bound, np.float64(z), expected, dtype)
    assert_within(ulp_error(found, expected), np.zeros(found.shape), bound)


@of_overflow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "softmax"])
def test_slopes_over_the_whole_range(engine, dtype, name):
    """At zero too, where a row of zeros meets fresh biases: a kink belongs to the side below.

    The biases are the activation's arguments; every error is positive, so that ``db`` is the slope over the
    4096 outputs. 64 eps: the slope of gelu_tanh multiplies ``1 - s``, off by eps / 2, by up to 100. The
    exponential's are relative to its slopes, which have no limit.
    """
    z = np.concatenate([np.linspace(-60, 60, 4091), [0.0, 700.0, -700.0, 1e29, -1e29]]).astype(dtype)
    network = NetworkSpec(1, (DenseSpec(1, 4096, ActivationSpec(name, ALPHAS.get(name, 0.0))),), dtype)
    training = TrainingSpec(MeanAbsoluteErrorSpec(), SGD)
    parameters = [(np.zeros((1, 4096), dtype), z)]
    X, y = np.ones((1, 1), dtype), np.full((1, 4096), -1e30, dtype)
    found, expected = (
        choose(which).compile(network, parameters, training).gradients(X, y, None)[1][1] * 4096
        for which in (engine, "reference")
    )
    steep = np.clip(np.float64(expected), 1.0, 1e300) if name == "exponential" else 1.0
    roundings = 192 if is_of_library(engine) else 64  # the slope of mish multiplies a tanh off by 7 by 20
    assert_within(found, expected, roundings * np.finfo(dtype).eps * steep)


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_at_infinity_and_nan(engine, dtype, name):
    z = np.array([[np.inf], [-np.inf], [np.nan]], dtype=dtype)
    layer = ActivateSpec(1, ActivationSpec(name, ALPHAS.get(name, 0.0)))
    found, expected = (
        choose(which).compile(NetworkSpec(1, (layer,), dtype), [()]).predict(z)
        for which in (engine, "reference")
    )
    assert_within(found, expected, 4 * np.finfo(dtype).eps)  # the largest finite limit is selu's 1.76
