"""What the protocol promises of every engine, the reference included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastdense.core.spec import AdamSpec, DenseSpec, Factors, Penalty, ScaleSpec
from fastdense.engines import Batches, available, choose
from tests.bounds import GROWTH, output_bound
from tests.cases import case_named
from tests.compare import assert_identical, assert_within
from tests.over_engines import pytest_generate_tests
from tests.runs import compiled, state, train

# All of it is run over the other array libraries too, in tests/libraries.
__all__ = [
    "pytest_generate_tests",
    "test_a_constant_schedule_is_the_constant",
    "test_a_diverging_run_stops",
    "test_a_factor_is_as_good_as_another_rate",
    "test_a_factor_of_zero_keeps_a_parameter",
    "test_a_penalty_scale_of_ones_changes_nothing",
    "test_a_penalty_scale_of_zero_leaves_no_penalty",
    "test_a_program_starts_from_copies",
    "test_a_resumed_run_is_the_uninterrupted_one",
    "test_a_step_takes_its_loss_before_its_update_with_penalties",
    "test_a_step_without_a_finite_loss_is_not_applied",
    "test_arrays_handed_out_are_not_written_to_again",
    "test_gradients_and_the_penalty_itself_are_not_scaled",
    "test_order_may_repeat_rows_and_leave_some_out",
    "test_outputs_are_filled",
    "test_parameters_can_be_set",
    "test_read_only_inputs_are_accepted_and_none_is_changed",
    "test_rows_are_as_many_as_asked_for",
    "test_setting_leaves_alone_what_is_not_trained",
    "test_training_goes_on_from_parameters_that_were_set",
    "test_training_outputs_are_the_rows_before_their_update",
]
ENGINES = available()
by_path = pytest.mark.parametrize(
    "case",
    [
        case_named(f"{dtype}-{name}")
        for dtype in ("float32", "float64")
        for name in ("adam", "weights-sparse", "everything", "rmsprop-centered-momentum", "no-bias")
    ],
    ids=lambda case: case.name,
)


@by_path
def test_outputs_are_filled(engine, case):
    data, program = case.data(), compiled(choose(engine), case)
    expected = program.predict(data.X)
    bound = 2 * output_bound(case, data.X)
    out, from_losses = np.full_like(expected, np.nan), np.full_like(expected, np.nan)
    assert program.predict(data.X, out) is out
    assert_identical(out, expected)
    program.losses(data.X, data.y, from_losses)
    assert_within(from_losses, expected, bound)


def test_training_outputs_are_the_rows_before_their_update(engine):
    case = case_named("float64-adam")
    data, program = case.data(), compiled(choose(engine), case)
    batches, outputs = case.batches(data, 0), np.full((case.rows, case.network.n_out), np.nan)
    first = batches.order[: case.batch_size]
    expected = program.predict(data.X[first])
    program.train(batches, case.learning_rates(0), 0, outputs)
    assert_within(outputs[: case.batch_size], expected, 2 * output_bound(case, data.X[first]))
    assert np.all(np.isfinite(outputs))


def test_a_step_takes_its_loss_before_its_update_with_penalties(engine):
    case = case_named("float64-penalty-everything")
    data, program = case.data(), compiled(choose(engine), case)
    batches = case.batches(data, 0)
    first = batches.order[: case.batch_size]
    expected, _ = program.gradients(data.X[first], data.y[first], None)
    by_hand = np.mean(program.losses(data.X[first], data.y[first])) + program.penalty()
    losses = program.train(batches, case.learning_rates(0), 0)
    assert losses.shape == (case.steps_per_epoch,) == (program.steps,)
    assert losses.dtype == np.float64
    assert_within(losses[0], expected, GROWTH * case.eps * expected)
    assert_within(losses[0], by_hand, GROWTH * case.eps * expected)


def scaled_run(engine, case, scale):
    """Return one epoch's losses and the state after it, the penalties multiplied by a number a step."""
    program = compiled(choose(engine), case)
    batches = case.batches(case.data(), 0)._replace(penalty_scale=scale)
    return program.train(batches, case.learning_rates(0), 0), state(program)


@pytest.mark.parametrize("clipping", [{}, {"clipnorm": 0.2}, {"global_clipnorm": 0.3}])
def test_a_penalty_scale_of_ones_changes_nothing(engine, clipping):
    case = case_named("float32-penalty-everything")
    optimizer = replace(case.training.optimizer, **clipping)
    case = replace(case, training=replace(case.training, optimizer=optimizer))
    losses, arrays = scaled_run(engine, case, np.ones(case.steps_per_epoch))
    expected_losses, expected = scaled_run(engine, case, None)
    assert_identical(losses, expected_losses)
    for found, wanted in zip(arrays, expected, strict=True):
        assert_identical(found, wanted)


def test_a_penalty_scale_of_zero_leaves_no_penalty(engine):
    case = case_named("float64-penalty-everything")
    layers = [
        replace(layer, kernel_penalty=Penalty(), bias_penalty=Penalty()) for layer in case.network.layers
    ]
    free = replace(case, network=replace(case.network, layers=tuple(layers)))  # of the same data by its name
    losses, arrays = scaled_run(engine, case, np.zeros(case.steps_per_epoch))
    expected_losses, expected = scaled_run(engine, free, None)
    assert_within(losses, expected_losses, GROWTH * case.eps)
    for found, wanted in zip(arrays, expected, strict=True):
        assert_within(found, wanted, GROWTH * case.eps)


def test_gradients_and_the_penalty_itself_are_not_scaled(engine):
    case = case_named("float64-penalty-everything")
    data, program = case.data(), compiled(choose(engine), case)
    first = case.batches(data, 0).order[: case.batch_size]
    penalty, (loss, _) = program.penalty(), program.gradients(data.X[first], data.y[first], None)
    losses, _ = scaled_run(engine, case, np.array([3.0, 0.5, 2.0]))
    assert_within(losses[0], loss + 2.0 * penalty, GROWTH * case.eps * loss)


def changed(case, **of_dense):
    """Return a case of the same data with other fields of its dense layers."""
    layers = [replace(layer, **of_dense) for layer in case.network.layers if isinstance(layer, DenseSpec)]
    return replace(case, network=replace(case.network, layers=tuple(layers)))


def state_after(engine, case, **of_batches):
    """Return a program's parameters and slots after an epoch whose batches have other fields."""
    program = compiled(choose(engine), case)
    batches = case.batches(case.data(), 0)._replace(**of_batches)
    program.train(batches, case.learning_rates(0), 0)
    return state(program)


def test_a_constant_schedule_is_the_constant(engine):
    """Also for the dropout layer that has none."""
    case = case_named("float32-schedules-adam")
    assert case.training.optimizer.weight_decay == 0.1
    constant = {"weight_decay": np.full(3, 0.1), "dropout": {1: np.full(3, 0.3)}}
    found = state_after(engine, case, **constant)
    expected = state_after(engine, case, weight_decay=None, dropout={})
    for array, wanted in zip(found, expected, strict=True):
        assert_identical(array, wanted)


@pytest.mark.parametrize("name", ["adam-decay", "adam-clipnorm", "nesterov"])
def test_a_factor_of_zero_keeps_a_parameter(engine, name):
    case = case_named(f"float32-{name}")
    still = changed(case, kernel_factors=Factors(rate=0.0))
    found, before = state_after(engine, still), [a for own in case.parameters() for a in own]
    for at, (array, start) in enumerate(zip(found, before, strict=False)):
        assert np.array_equal(array, start) == (at % 2 == 0)  # the kernels, and not the biases


@pytest.mark.parametrize("clipping", [{}, {"clipnorm": 0.2}])
def test_a_factor_is_as_good_as_another_rate(engine, clipping):
    """The weight decay is multiplied by both factors, as the learning rate is by one."""
    case = case_named("float64-adam-decay")
    optimizer = replace(case.training.optimizer, **clipping)
    case = replace(case, training=replace(case.training, optimizer=optimizer))
    both = Factors(rate=0.5, decay=3.0)
    found = state_after(engine, changed(case, kernel_factors=both, bias_factors=both))
    decaying = replace(case.training, optimizer=replace(optimizer, weight_decay=0.1 * 3.0))
    expected = state_after(engine, replace(case, training=decaying, learning_rate=case.learning_rate / 2))
    for array, wanted in zip(found, expected, strict=True):
        assert_within(array, wanted, GROWTH * case.eps)


@by_path
def test_a_resumed_run_is_the_uninterrupted_one(engine, case):
    whole = compiled(choose(engine), case)
    train(whole, case, steps=7 * case.steps_per_epoch)
    half = compiled(choose(engine), case)
    train(half, case, steps=3 * case.steps_per_epoch)
    resumed = choose(engine).compile(case.network, half.parameters(), case.training, half.slots())
    first_step = 3 * case.steps_per_epoch
    train(resumed, case, steps=4 * case.steps_per_epoch, first_step=first_step)
    for found, expected in zip(state(resumed), state(whole), strict=True):
        assert_identical(found, expected)


@by_path
def test_arrays_handed_out_are_not_written_to_again(engine, case):
    program = compiled(choose(engine), case)
    train(program, case, steps=1)
    handed_out = state(program)
    copies = [a.copy() for a in handed_out]
    train(program, case, steps=10, first_step=case.steps_per_epoch)
    assert any(np.any(a != b) for a, b in zip(state(program), copies, strict=True))
    for a, copy in zip(handed_out, copies, strict=True):
        assert_identical(a, copy)


@by_path
def test_read_only_inputs_are_accepted_and_none_is_changed(engine, case):
    data, parameters = case.data(), case.parameters()
    slots = compiled(choose("reference"), case).slots()
    batches, rates = case.batches(data, 0), case.learning_rates(0)
    arrays = [data.X, data.y, batches.order, rates, *(a for group in (*parameters, *slots) for a in group)]
    arrays += [data.sample_weight] if data.sample_weight is not None else []
    copies = [a.copy() for a in arrays]
    for a in arrays:
        a.setflags(write=False)
    program = choose(engine).compile(case.network, parameters, case.training, slots)
    program.predict(data.X)
    program.losses(data.X, data.y)
    program.gradients(data.X, data.y, data.sample_weight)
    program.train(batches, rates, 0)
    for a, copy in zip(arrays, copies, strict=True):
        assert_identical(a, copy)


def test_a_program_starts_from_copies(engine):
    case = case_named("float64-adam")
    parameters = case.parameters()
    program = choose(engine).compile(case.network, parameters, case.training)
    before = [a.copy() for a in state(program)]
    for group in parameters:
        for a in group:
            a[...] = np.nan
    for found, expected in zip(state(program), before, strict=True):
        assert_identical(found, expected)


@pytest.mark.parametrize("name", ["float64-adam", "float32-everything", "float32-no-bias"])
def test_parameters_can_be_set(engine, name):
    case = case_named(name)
    data = case.data()
    program = compiled(choose(engine), case)
    first, predict = program.parameters(), program.predictor(program.predict)
    outputs = program.predict(data.X)
    before = program.gradients(data.X, data.y, data.sample_weight)
    program.train(case.batches(data, 0), case.learning_rates(0), 0)
    slots = program.slots()
    given = [tuple(a.copy() for a in group) for group in first]
    program.set_parameters(given)
    for a in (a for group in given for a in group):
        a[...] = np.nan
    for found, expected in zip(program.slots(), slots, strict=True):
        for a, b in zip(found, expected, strict=True):
            assert_identical(a, b)
    assert program.steps == case.steps_per_epoch
    assert_identical(predict(data.X), outputs)
    loss, gradients = program.gradients(data.X, data.y, data.sample_weight)
    assert loss == before[0]
    for found, expected in zip(gradients, before[1], strict=True):
        assert_identical(found, expected)


def test_training_goes_on_from_parameters_that_were_set(engine):
    """With penalties, which follow the weights, and running means, which do not."""
    case = case_named("float64-penalty-everything")
    case = replace(case, training=replace(case.training, optimizer=AdamSpec()))
    trained, other = compiled(choose(engine), case), compiled(choose(engine), case)
    train(trained, case, steps=case.steps_per_epoch)
    train(other, case, steps=4 * case.steps_per_epoch)
    trained.set_parameters(other.parameters())
    assert trained.penalty() == other.penalty()
    fresh = choose(engine).compile(case.network, other.parameters(), case.training, trained.slots())
    for program in (trained, fresh):
        train(program, case, case.steps_per_epoch, first_step=case.steps_per_epoch)
    for found, expected in zip(state(trained), state(fresh), strict=True):
        assert_identical(found, expected)


def test_setting_leaves_alone_what_is_not_trained(engine):
    case = case_named("float32-everything")
    data, program = case.data(), compiled(choose(engine), case)
    expected = program.predict(data.X)
    layers = zip(case.network.layers, program.parameters(), strict=True)
    program.set_parameters(
        [tuple(a + 1 for a in own) if isinstance(layer, ScaleSpec) else own for layer, own in layers]
    )
    assert_identical(program.predict(data.X), expected)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_step_without_a_finite_loss_is_not_applied(engine, bad):
    case = case_named("float32-adam")
    data = case.data()
    batches = case.batches(data, 0)
    second = batches.order[case.batch_size]
    data.y[second] = bad
    stopped, expected = compiled(choose(engine), case), compiled(choose(engine), case)
    losses = stopped.train(batches, case.learning_rates(0), 0)
    one_batch = Batches(data.X, data.y, None, batches.order[: case.batch_size], case.batch_size)
    expected.train(one_batch, case.learning_rates(0)[:1], 0)
    assert [bool(np.isfinite(loss)) for loss in losses] == [True, False]
    assert stopped.steps == 1
    for a, wanted in zip(state(stopped), state(expected), strict=True):
        assert_identical(a, wanted)


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_a_diverging_run_stops(engine):
    case = case_named("float32-batch-of-1")
    data, order = case.data(), np.arange(40) % case.rows
    rates = np.full(40, 1e15)
    stopped, expected = compiled(choose(engine), case), compiled(choose(engine), case)
    losses = stopped.train(Batches(data.X, data.y, None, order, 1), rates, 0)
    assert 2 <= len(losses) < 40
    assert np.all(np.isfinite(losses[:-1]))
    assert not np.isfinite(losses[-1])
    assert stopped.steps == len(losses) - 1
    expected.train(Batches(data.X, data.y, None, order[: len(losses) - 1], 1), rates[: len(losses) - 1], 0)
    for a, wanted in zip(state(stopped), state(expected), strict=True):
        assert_identical(a, wanted)


def test_rows_are_as_many_as_asked_for(engine):
    case = case_named("float32-adam")
    program, X = compiled(choose(engine), case), case.data().X
    assert program.predict(X[:0]).shape == (0, case.network.n_out)
    many = np.tile(X, (400, 1))  # more rows than any engine takes at once
    assert_within(
        program.predict(many),
        np.tile(program.predict(X), (400, 1)),
        np.tile(2 * output_bound(case, X), (400, 1)),
    )


def test_order_may_repeat_rows_and_leave_some_out(engine):
    case = case_named("float64-sgd")
    data, order = case.data(), np.array([3, 3, 0, 7, 1], dtype=np.int64)
    program, expected = compiled(choose(engine), case), compiled(choose("reference"), case)
    program.train(Batches(data.X, data.y, None, order, 3), np.array([0.1, 0.05]), 0)
    picked = Batches(data.X[order], data.y[order], None, np.arange(5), 3)
    expected.train(picked, np.array([0.1, 0.05]), 0)
    for found, wanted in zip(state(program), state(expected), strict=True):
        assert_within(found, wanted, GROWTH * case.eps)
