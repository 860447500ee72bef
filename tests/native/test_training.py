"""Training by the native engine beyond the shared case table: no traces left, and odd arguments."""

import threading

import numpy as np
import pytest

import fastdense as fd
from fastdense.core.spec import (
    OPTIMIZERS,
    ActivationSpec,
    AdamSpec,
    DenseSpec,
    DropoutSpec,
    MeanSquaredErrorSpec,
    NetworkSpec,
    Penalty,
    SGDSpec,
    TrainingSpec,
)
from fastdense.engines import Batches, choose
from fastdense.errors import ShapeError
from fastdense.native.program import NativeEngine
from tests.compare import assert_identical, assert_within

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 6)).astype(np.float32), RNG.normal(size=(40, 2)).astype(np.float32)
ORDER = np.arange(40)


ADAM = AdamSpec()


def program(activation="linear", optimizer=ADAM):
    penalty = Penalty(0.0, 0.01)
    layers = (
        DenseSpec(6, 5, ActivationSpec("relu"), kernel_penalty=penalty, bias_penalty=penalty),
        DenseSpec(5, 2, ActivationSpec(activation), kernel_penalty=penalty),
    )
    rng = np.random.default_rng(1)
    parameters = [(rng.normal(size=(s.n_in, s.n_units)), np.zeros(s.n_units)) for s in layers]
    training = TrainingSpec(MeanSquaredErrorSpec(), optimizer)
    return NativeEngine().compile(NetworkSpec(6, layers), parameters, training)


def weights(trained):
    return [array for group in trained.parameters() for array in group]


@pytest.mark.parametrize("activation", ["linear", "tanh", "gelu", "softplus"])
@pytest.mark.parametrize("clipnorm", [None, 0.1])
def test_a_row_that_is_not_finite_leaves_no_trace(activation, clipnorm):
    clean, tried = (program(activation, AdamSpec(clipnorm=clipnorm)) for _ in range(2))
    bad = X.copy()
    bad[3] = np.nan
    rates = np.full(4, 0.01)
    losses = tried.train(Batches(bad, Y, None, ORDER, 10), rates, 0)
    assert len(losses) == 1
    assert not np.isfinite(losses[0])
    tried.gradients(bad, Y, None)
    batches = Batches(X, Y, None, ORDER, 10)
    assert_identical(tried.train(batches, rates, 0), clean.train(batches, rates, 0))
    for found, expected in zip(weights(tried), weights(clean), strict=True):
        assert_identical(found, expected)


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_an_input_that_is_always_zero_needs_no_epsilon_to_speak_of(name):
    """Its gradient is 0, and so are the running means that it is divided by."""
    inputs = X.copy()
    inputs[:, 2] = 0
    trained = program(optimizer=OPTIMIZERS[name](epsilon=1e-45))
    losses = trained.train(Batches(inputs, Y, None, np.tile(ORDER, 3), 10), np.full(12, 1e-3), 0)
    assert len(losses) == 12
    assert all(np.isfinite(array).all() for array in weights(trained))


def test_sample_weights_may_lie_anywhere():
    record = np.zeros(40, dtype=[("flag", "u1"), ("weight", "f4")])
    record["weight"] = RNG.uniform(0.5, 2, 40)
    plain = record["weight"].copy()
    for odd in (record["weight"], plain.astype(">f4"), np.repeat(plain, 2)[::2]):
        for found, expected in zip(
            program().gradients(X, Y, odd)[1], program().gradients(X, Y, plain)[1], strict=True
        ):
            assert_identical(found, expected)
        batches = [Batches(X, Y, given, ORDER, 10) for given in (odd, plain)]
        assert_identical(*(program().train(each, np.full(4, 0.01), 0) for each in batches))


def test_outputs_may_lie_anywhere():
    expected = np.empty((40, 2), np.float32)
    program().losses(X, Y, expected)
    for out in (np.empty((40, 2), np.float32, order="F"), np.empty((40, 4), np.float32)[:, ::2]):
        program().losses(X, Y, out)
        assert_identical(np.ascontiguousarray(out), expected)
        out[...] = np.nan
        program().train(Batches(X, Y, None, ORDER, 40), np.full(1, 0.01), 0, out)
        assert_identical(np.ascontiguousarray(out), expected)


def test_no_rows_have_the_penalty_for_a_loss():
    loss, gradients = program().gradients(X[:0], Y[:0], None)
    assert_within(loss, program().penalty(), 1e-12)
    reference = choose("reference")
    trained = program()
    expected = reference.compile(trained.network, trained.parameters(), trained.training).gradients(
        X[:0], Y[:0], None
    )
    for found, wanted in zip(gradients, expected[1], strict=True):
        assert_within(found, wanted, 1e-6)
    assert program().losses(X[:0], Y[:0]).shape == (0,)


def test_one_program_is_trained_by_one_call_at_a_time():
    trained, order = program(), np.tile(ORDER, 20_000)
    other = threading.Thread(
        target=trained.train, args=(Batches(X, Y, None, order, 4), np.full(200_000, 1e-6), 0)
    )
    other.start()
    while trained.steps == 0:
        pass
    with pytest.raises(RuntimeError, match="another call is training this model already"):
        trained.gradients(X, Y, None)
    with pytest.raises(RuntimeError, match="another call is training this model already"):
        trained.set_parameters(trained.parameters())
    other.join()
    assert trained.steps == 200_000
    trained.gradients(X, Y, None)


KERNEL, BIAS = np.ones((5, 2)), np.ones(2)
WRONG_PARAMETERS = {
    "too few rows": [(KERNEL[:2], BIAS)],
    "transposed": [(KERNEL.T, BIAS)],
    "a short bias": [(KERNEL, BIAS[:1])],
    "no bias": [(KERNEL,)],
    "one array more": [(KERNEL, BIAS, BIAS)],
    "no layer": [],
}


@pytest.mark.parametrize("wrong", WRONG_PARAMETERS)
def test_parameters_of_another_shape_are_refused_and_nothing_is_changed(wrong):
    trained = program()
    before = weights(trained)
    with pytest.raises(ShapeError, match=r"the shapes \[\(5, 2\), \(2,\)\], not|has 2 layers, but"):
        trained.set_parameters([(np.ones((6, 5)), np.ones(5)), *WRONG_PARAMETERS[wrong]])
    for found, expected in zip(weights(trained), before, strict=True):
        assert_identical(found, expected)


def test_a_batch_larger_than_any_number_of_rows():
    model = fd.Sequential([fd.Input((6,)), fd.Dense(2)], seed=0)
    model.compile(loss="mse")
    assert len(model.fit(X, Y, batch_size=2**63 - 1, epochs=2, verbose=0).history["loss"]) == 2


def test_a_setting_of_a_layer_that_is_changed_counts_from_then_on():
    model = fd.Sequential([fd.Input((6,)), fd.Dense(5, "relu"), fd.Dropout(0.5), fd.Dense(2)], seed=0)
    model.compile(loss="mse")
    model.fit(X, Y, epochs=1, verbose=0)
    before = model.predict(X)
    model.layers[0].activation = fd.activations.get("tanh")
    assert not np.array_equal(model.predict(X), before)
    assert_identical(model.predict(X), model.freeze().predict(X))
    twin = fd.Sequential([fd.Input((6,)), fd.Dense(5, "tanh"), fd.Dropout(0.0), fd.Dense(2)], seed=0)
    twin.set_weights(model.get_weights())
    twin.compile(loss="mse", optimizer=fd.optimizers.SGD(0.1))
    model.compile(loss="mse", optimizer=fd.optimizers.SGD(0.1))
    model.layers[1].rate = 0.0
    for each in (model, twin):
        each.fit(X, Y, epochs=1, shuffle=False, verbose=0)
    for found, expected in zip(model.get_weights(), twin.get_weights(), strict=True):
        assert_identical(found, expected)


def test_there_are_no_more_steps_than_batches():
    for rows in (40, 0):
        with pytest.raises(ValueError, match="5 learning rates were given for"):
            program().train(Batches(X, Y, None, ORDER[:rows], 10), np.full(5, 0.01), 0)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"penalty_scale": np.ones(2)}, "penalty scales"),
        ({"weight_decay": np.ones(2)}, "weight decays"),
        ({"dropout": {1: np.zeros(2)}}, "dropout rates"),
    ],
)
def test_every_step_has_its_numbers(given, what):
    network = NetworkSpec(4, (DenseSpec(4, 3), DropoutSpec(3, 0.5, stream=1)))
    training = TrainingSpec(MeanSquaredErrorSpec(), SGDSpec())
    own = NativeEngine().compile(network, [(np.ones((4, 3), "f"), np.zeros(3, "f")), ()], training)
    batches = Batches(np.ones((40, 4), "f"), np.ones((40, 3), "f"), None, ORDER, 10, **given)
    with pytest.raises(ValueError, match=f"2 {what} were given for 3 learning rates"):
        own.train(batches, np.full(3, 0.01), 0)
