"""The array room over a namespace that has the standard's functions and no others: the same as over NumPy."""

from __future__ import annotations

from dataclasses import replace

import array_api_strict
import numpy as np
import pytest

from fastdense.array.activations import activate, activate_backward
from fastdense.array.backend import Backend
from fastdense.array.erf import erfc
from fastdense.array.losses import losses, losses_gradient
from fastdense.array.optimizers import clip, new_slots, rates_of, update
from fastdense.array.program import ArrayEngine
from fastdense.core.spec import ACTIVATIONS, LOSSES, ActivationSpec, PoissonSpec
from fastdense.engines import Batches
from fastdense.native import dropout_mask
from tests.cases import ALPHAS, CASES, LOGIT_LOSSES, case_named, loss_named
from tests.compare import assert_within
from tests.runs import compiled, state, train

by_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
RNG = np.random.default_rng(6)


def strict(array):
    """Return a NumPy array as one of the strict library's."""
    return array_api_strict.asarray(array)


def plain(array):
    """Return an array of the strict library as one of NumPy's."""
    assert isinstance(array, type(strict(np.zeros(1)))), f"{type(array)} is not the library's own array"
    return np.from_dlpack(array)


def assert_same(found, expected, ulps=8):
    """Assert a strict array's dtype, and its numbers: the two libraries may order a sum differently."""
    assert plain(found).dtype == expected.dtype
    assert_within(plain(found), expected, ulps * np.finfo(expected.dtype).eps * np.max(np.abs(expected)))


@by_dtype
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name, dtype):
    activation = ActivationSpec(name, ALPHAS.get(name, 0.0))
    Z = np.concatenate([RNG.normal(0, 5, 95), [0.0, 90.0, -90.0, 1e30, -1e30]]).reshape(20, 5).astype(dtype)
    if name == "exponential":  # errors are compared with the largest number, which would hide them all
        Z = np.minimum(Z, 5.0)
    dA = RNG.normal(size=Z.shape).astype(dtype)
    A = activate(np, activation, Z)
    found = activate(array_api_strict, activation, strict(Z))
    assert_same(found, A)
    dZ = activate_backward(array_api_strict, activation, strict(Z), found, strict(dA))
    assert_same(dZ, activate_backward(np, activation, Z, A, dA))


@by_dtype
def test_erfc(dtype):
    X = np.linspace(-30, 30, 301).astype(dtype)
    assert_same(erfc(array_api_strict, strict(X)), erfc(np, X))


LOSS_SPECS = [
    *(loss_named(name, delta=0.7, quantile=0.3) for name in LOSSES),
    *(loss_named(name, label_smoothing=0.1) for name in LOGIT_LOSSES),
    *(loss_named(name, from_logits=True) for name in LOGIT_LOSSES),
    PoissonSpec(from_logits=True),
]


def targets(loss, dtype):
    if loss.name == "sparse_categorical_crossentropy":
        return RNG.integers(0, 3, 40)
    if loss.name == "categorical_crossentropy":
        return np.eye(3, dtype=dtype)[RNG.integers(0, 3, 40)]
    return RNG.integers(0, 2, (40, 3)).astype(dtype)


@by_dtype
@pytest.mark.parametrize("loss", LOSS_SPECS, ids=lambda spec: f"{spec.name}-{spec.from_logits}")
def test_losses(loss, dtype):
    y = targets(loss, dtype)
    A = (RNG.normal(0, 4, (40, 3)) if loss.from_logits else RNG.uniform(0.01, 0.99, (40, 3))).astype(dtype)
    assert_same(losses(array_api_strict, loss, strict(y), strict(A)), losses(np, loss, y, A))
    assert_same(
        losses_gradient(array_api_strict, loss, strict(y), strict(A)), losses_gradient(np, loss, y, A)
    )


OPTIMIZERS = sorted({case.training.optimizer for case in CASES}, key=repr)


@by_dtype
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda spec: spec.name)
def test_optimizers(optimizer, dtype):
    """Five steps of clipping and updating two parameters."""
    weights = [RNG.normal(size=shape).astype(dtype) for shape in ((4, 3), (3,))]
    own, expected = ([convert(w) for w in weights] for convert in (strict, np.copy))
    own_slots = [new_slots(array_api_strict, optimizer, w) for w in own]
    slots = [new_slots(np, optimizer, w) for w in expected]
    for step in range(5):
        gradients = [RNG.normal(size=w.shape).astype(dtype) for w in weights]
        own_gradients = clip(array_api_strict, optimizer, [strict(g) for g in gradients])
        clipped = clip(np, optimizer, gradients)
        rates = rates_of(optimizer, 0.05, step)
        for i in range(2):
            arguments = own[i], own_gradients[i], own_slots[i], rates
            own[i], own_slots[i] = update(array_api_strict, optimizer, *arguments)
            expected[i], slots[i] = update(np, optimizer, expected[i], clipped[i], slots[i], rates)
    for found, wanted in zip(own, expected, strict=True):
        assert_same(found, wanted, 64)
    for found, wanted in zip(own_slots, slots, strict=True):
        for mine, numpys in zip(found, wanted, strict=True):
            assert_same(mine, numpys, 64)
    assert not np.array_equal(plain(own[0]), weights[0])


def strict_train(program, case, steps):
    """Train as `tests.runs.train` does, with the strict library's arrays; return losses and outputs."""
    data, step_losses, all_outputs = case.data(), [], []
    for step in range(0, steps, case.steps_per_epoch):
        batches = case.batches(data, epoch=step // case.steps_per_epoch)
        weights = None if data.sample_weight is None else strict(data.sample_weight)
        own = batches._replace(X=strict(data.X), y=strict(data.y), sample_weight=weights)
        outputs = strict(np.full((case.rows, case.network.n_out), np.nan, dtype=case.dtype))
        step_losses += plain(program.train(own, case.learning_rates(step), step, outputs)).tolist()
        all_outputs.append(plain(outputs))
    return step_losses, all_outputs


def strict_program(case):
    engine = ArrayEngine(Backend("strict", array_api_strict), dropout_mask)
    parameters = [tuple(strict(a) for a in own) for own in case.parameters()]
    return engine.compile(case.network, parameters, case.training)


STEPS = 6  # two epochs, each with its odd tail
ENGINE = ArrayEngine(Backend("array", np), dropout_mask)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whole_programs(case):
    """Predictions, losses, gradients, penalties and training of every case that engines are held to."""
    own, expected = strict_program(case), compiled(ENGINE, case)
    data = case.data()
    weights = None if data.sample_weight is None else strict(data.sample_weight)
    X, y = strict(data.X), strict(data.y)
    assert_same(own.predict(X), expected.predict(data.X), 16)
    assert_same(own.losses(X, y), expected.losses(data.X, data.y), 16 * case.eps / np.finfo(float).eps)
    assert_within(own.penalty(), expected.penalty(), 16 * case.eps * expected.penalty())
    loss, gradients = own.gradients(X, y, weights)
    wanted_loss, wanted = expected.gradients(data.X, data.y, data.sample_weight)
    assert_within(loss, wanted_loss, 16 * case.eps * abs(wanted_loss))
    for found, gradient in zip(gradients, wanted, strict=True):
        assert_same(found, gradient, 64)

    step_losses, outputs = strict_train(own, case, STEPS)
    run = train(expected, case, STEPS)
    assert own.steps == expected.steps == len(step_losses)
    assert_within(step_losses, run.losses, 64 * case.eps * np.max(np.abs(run.losses)))
    for found, wanted in zip(outputs, run.outputs, strict=True):
        assert_within(found, wanted, 64 * case.eps * np.max(np.abs(wanted)))
    for found, wanted in zip(state(own), run.states[-1], strict=True):
        assert_same(found, wanted, 256)


def test_out_is_filled():
    case = case_named("float32-everything")
    X = case.data().X
    out = array_api_strict.empty((case.rows, case.network.n_out), dtype=array_api_strict.float32)
    assert strict_program(case).predict(strict(X), out) is out
    assert_same(out, compiled(ENGINE, case).predict(X), 16)


def test_rows_beyond_one_block():
    """5000 rows are predicted in two blocks."""
    case = case_named("float64-everything")
    X = RNG.normal(size=(5000, case.network.n_in))
    assert_same(strict_program(case).predict(strict(X)), compiled(ENGINE, case).predict(X), 16)


def test_training_goes_on_from_given_slots():
    case = replace(case_named("float64-adam"), rows=8)
    program = strict_program(case)
    strict_train(program, case, 2)
    engine = ArrayEngine(Backend("strict", array_api_strict), dropout_mask)
    again = engine.compile(case.network, program.parameters(), case.training, program.slots())
    data = case.data()
    batches = Batches(strict(data.X), strict(data.y), None, np.arange(8), 4)
    for one in (program, again):
        one.train(batches, case.learning_rates(2), 2)
    for found, wanted in zip(state(again), state(program), strict=True):
        assert_within(plain(found), plain(wanted), 0.0)


HABITS = {
    "a method": lambda A: A.sum(),
    "fewer indices than axes": lambda A: A[0:1],
    "a slice beyond the end": lambda A: A[0:9, ...],
    "an index array of NumPy's": lambda A: A[np.array([0]), ...],
    "a NumPy array beside": lambda A: A + np.ones((2, 3)),
    "a function of NumPy's": lambda A: array_api_strict.dot(A, A),
    "mixed kinds": lambda A: A + strict(np.ones((2, 3), dtype=np.int64)),
}


@pytest.mark.parametrize("name", HABITS)
def test_the_library_refuses_what_is_numpys_own(name):
    """Or these tests would prove nothing."""
    with pytest.raises((AttributeError, IndexError, TypeError)):
        HABITS[name](strict(np.ones((2, 3))))
