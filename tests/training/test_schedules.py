"""Learning-rate schedules: values worked out by hand, what they refuse, and their part in training."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import FormatError
from tests.compare import assert_within
from tests.training.networks import Listening, binary, regressor, same_weights, weights

schedules = fd.optimizers.schedules
CosineDecay, ExponentialDecay = schedules.CosineDecay, schedules.ExponentialDecay
PiecewiseConstantDecay, PolynomialDecay = schedules.PiecewiseConstantDecay, schedules.PolynomialDecay
X, y = binary()


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        (ExponentialDecay(0.8, 2, 0.25), {0: 0.8, 1: 0.4, 2: 0.2, 4: 0.05}),
        (ExponentialDecay(0.8, 2, 0.25, staircase=True), {0: 0.8, 1: 0.8, 2: 0.2, 3: 0.2, 4: 0.05}),
        (ExponentialDecay(0.5, 1, 2.0), {0: 0.5, 3: 4.0}),
        (CosineDecay(0.4, 12), {0: 0.4, 4: 0.3, 6: 0.2, 8: 0.1, 12: 0.0, 99: 0.0}),
        (CosineDecay(0.4, 12, alpha=0.5), {0: 0.4, 4: 0.35, 6: 0.3, 12: 0.2, 99: 0.2}),
        (
            CosineDecay(0.1, 6, warmup_target=0.4, warmup_steps=3),
            {0: 0.1, 1: 0.2, 3: 0.4, 6: 0.2, 9: 0.0, 10: 0.0},
        ),
        (CosineDecay(0.1, 6, warmup_target=0.4), {0: 0.4, 3: 0.2, 6: 0.0}),
        (PiecewiseConstantDecay([2, 4], [3.0, 2.0, 1.0]), {0: 3.0, 2: 3.0, 3: 2.0, 4: 2.0, 5: 1.0, 99: 1.0}),
        (PiecewiseConstantDecay([], [0.5]), {0: 0.5, 9: 0.5}),
        (PolynomialDecay(1.1, 10, 0.1), {0: 1.1, 5: 0.6, 10: 0.1, 99: 0.1}),
        (PolynomialDecay(1.0, 10, 0.0, power=2.0), {0: 1.0, 5: 0.25, 10: 0.0}),
        (PolynomialDecay(1.0, 10, 0.0, cycle=True), {0: 1.0, 5: 0.5, 10: 0.0, 15: 0.25, 20: 0.0, 30: 0.0}),
        (PolynomialDecay(0.0, 4, 1.0), {0: 0.0, 2: 0.5, 4: 1.0}),
    ],
    ids=repr,
)
def test_values_by_hand(schedule, values):
    for step, value in values.items():
        rate = schedule(step)
        assert type(rate) is float
        assert_within(rate, value, 1e-12, f"step {step}")


@pytest.mark.parametrize(
    ("make", "kind", "match"),
    [
        (lambda: ExponentialDecay(-0.1, 10, 0.5), ValueError, "initial_learning_rate"),
        (lambda: ExponentialDecay(np.inf, 10, 0.5), ValueError, "initial_learning_rate"),
        (lambda: ExponentialDecay("fast", 10, 0.5), TypeError, "initial_learning_rate"),
        (lambda: ExponentialDecay(0.1, 0, 0.5), ValueError, "decay_steps"),
        (lambda: ExponentialDecay(0.1, 1.5, 0.5), TypeError, "decay_steps"),
        (lambda: ExponentialDecay(0.1, 10, 0.0), ValueError, "decay_rate"),
        (lambda: ExponentialDecay(0.1, 10, 0.5, staircase=1), TypeError, "staircase"),
        (lambda: CosineDecay(0.1, 0), ValueError, "decay_steps"),
        (lambda: CosineDecay(0.1, 10, alpha=-1.0), ValueError, "alpha"),
        (lambda: CosineDecay(0.1, 10, warmup_target=-1.0), ValueError, "warmup_target"),
        (lambda: CosineDecay(0.1, 10, warmup_steps=-1), ValueError, "warmup_steps"),
        (lambda: PiecewiseConstantDecay([1, 2], [0.1, 0.2]), ValueError, "2 boundaries need 3 values, got 2"),
        (lambda: PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]), ValueError, "boundaries must increase"),
        (lambda: PiecewiseConstantDecay([1], [0.1, -0.2]), ValueError, "a value"),
        (lambda: PiecewiseConstantDecay([1.5], [0.1, 0.2]), TypeError, "a boundary"),
        (lambda: PolynomialDecay(0.1, 10, power=0.0), ValueError, "power"),
        (lambda: PolynomialDecay(0.1, 10, end_learning_rate=-1.0), ValueError, "end_learning_rate"),
        (lambda: PolynomialDecay(0.1, 10, cycle="yes"), TypeError, "cycle"),
    ],
)
def test_arguments(make, kind, match):
    with pytest.raises(kind, match=match):
        make()


def test_a_description_makes_the_same_schedule():
    for schedule in (
        CosineDecay(0.1, 6, warmup_target=0.4, warmup_steps=3),
        PiecewiseConstantDecay([2], [1, 0.5]),
    ):
        same = fd.optimizers.SGD(schedule.describe()).learning_rate
        assert repr(same) == repr(schedule)
        assert [same(step) for step in range(9)] == [schedule(step) for step in range(9)]


@pytest.mark.parametrize("schedule", [CosineDecay(0.3, 12), lambda step: 0.3 / (1 + step)])
@pytest.mark.parametrize("callbacks", [[], [Listening()]], ids=["in one piece", "step by step"])
def test_every_step_has_its_own_rate(schedule, callbacks):
    model, by_hand = regressor(fd.optimizers.SGD(schedule)), regressor(fd.optimizers.SGD(0.0))
    model.fit(X, y, batch_size=8, epochs=3, shuffle=False, verbose=0, callbacks=callbacks)
    for step in range(15):
        rows = slice(8 * (step % 5), 8 * (step % 5) + 8)
        by_hand.optimizer.learning_rate = schedule(step)
        by_hand.train_on_batch(X[rows], y[rows])
    assert same_weights(model, by_hand)


def drops(rate, decay):
    layers = [fd.Input((3,)), fd.Dense(4, "tanh"), fd.Dropout(rate), fd.Dense(1)]
    model = fd.Sequential(layers, seed=3)
    model.compile(fd.optimizers.Adam(0.05, weight_decay=decay), "mse")
    return model


@pytest.mark.parametrize("callbacks", [[], [Listening()]], ids=["in one piece", "step by step"])
def test_weight_decay_and_dropout_follow_the_step(callbacks):
    """A scheduled fit takes the same steps as a model whose rate and decay are set by hand before each."""
    rate, decay = PolynomialDecay(0.8, 15, 0.0), lambda step: 0.3 / (1 + step)
    model, by_hand = drops(rate, decay), drops(0.0, 0.0)
    model.fit(X, y, batch_size=8, epochs=3, shuffle=False, verbose=0, callbacks=callbacks)
    for step in range(15):
        rows = slice(8 * (step % 5), 8 * (step % 5) + 8)
        slots, by_hand.layers[1].rate = by_hand.slot_arrays(), rate(step)
        by_hand.optimizer.weight_decay = decay(step)
        if slots:
            by_hand.set_slot_arrays(slots)
        by_hand.train_on_batch(X[rows], y[rows])
    assert same_weights(model, by_hand)


def test_a_schedule_that_stands_still_is_a_number():
    constant, scheduled = drops(0.5, 0.2), drops(lambda step: 0.5, lambda step: 0.2)
    for model in (constant, scheduled):
        model.fit(X, y, batch_size=8, epochs=2, verbose=0)
    assert same_weights(constant, scheduled)


@pytest.mark.parametrize(
    ("rate", "decay", "match"),
    [
        (lambda step: step / 7, 0.0, "the dropout rate of step 7 must be finite and below 1"),
        (0.5, lambda step: 0.6 - step / 10, "the weight decay of step 7 must be finite and at least 0"),
    ],
)
def test_a_schedule_out_of_range(rate, decay, match):
    model = drops(rate, decay)
    model.fit(X, y, batch_size=8, verbose=0)
    before = weights(model)
    with pytest.raises(ValueError, match=match):
        model.fit(X, y, batch_size=8, verbose=0)
    assert weights(model) == before


def test_schedules_are_kept_with_the_model(tmp_path):
    model = drops(CosineDecay(0.6, 30), ExponentialDecay(0.1, 10, 0.5))
    model.fit(X, y, batch_size=8, verbose=0)
    model.save(tmp_path / "model.safetensors")
    loaded = fd.load(tmp_path / "model.safetensors")
    assert repr(loaded.layers) == repr(model.layers)
    assert repr(loaded.optimizer) == repr(model.optimizer)
    for each in (model, loaded):
        each.fit(X, y, batch_size=8, epochs=2, initial_epoch=1, verbose=0)
    assert same_weights(loaded, model)


@pytest.mark.parametrize(("rate", "decay"), [(lambda step: 0.5, 0.0), (0.5, lambda step: 0.1)])
def test_a_function_is_not_kept_in_a_file(rate, decay, tmp_path):
    with pytest.raises(FormatError, match="a Python function"):
        drops(rate, decay).save(tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rate", [-0.1, np.nan, np.inf])
def test_a_rate_that_is_none(rate):
    """The epoch's rates are looked at before its first step."""
    model = regressor(fd.optimizers.SGD(lambda step: rate if step == 7 else 0.1))
    model.fit(X, y, batch_size=8, verbose=0)
    before = weights(model)
    with pytest.raises(ValueError, match="the learning rate of step 7 must be finite and at least 0"):
        model.fit(X, y, batch_size=8, verbose=0)
    assert weights(model) == before
    assert model.optimizer.iterations == 5


@pytest.mark.parametrize(
    ("rate", "kind"),
    [
        (-0.1, ValueError),
        (np.nan, ValueError),
        (np.inf, ValueError),
        ("fast", TypeError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_a_number_that_is_no_rate(rate, kind):
    with pytest.raises(kind, match="learning_rate must be"):
        fd.optimizers.Adam(rate)
    model = regressor()
    with pytest.raises(kind, match="learning_rate must be"):
        model.optimizer.learning_rate = rate
    assert model.optimizer.learning_rate == 0.05


def test_the_base_says_that_it_is_one():
    with pytest.raises(TypeError, match="use one of its subclasses"):
        schedules.LearningRateSchedule()(0)
