"""The reference engine worked by hand: a whole training step, dropout, penalties, rounding."""

from __future__ import annotations

import numpy as np
import pytest

from fastdense.core.spec import (
    ActivationSpec,
    AdagradSpec,
    DenseSpec,
    DropoutSpec,
    MeanSquaredErrorSpec,
    NetworkSpec,
    Penalty,
    ScaleSpec,
    SGDSpec,
    TrainingSpec,
)
from fastdense.engines import Batches
from fastdense.errors import NotBuiltError
from fastdense.reference import ReferenceEngine, backward, backward_layer, dropout_mask, forward
from tests.compare import assert_identical, assert_within

MSE, SGD = MeanSquaredErrorSpec(), SGDSpec()
ALL = np.arange(2, dtype=np.int64)


def compiled(layers, parameters, loss=MSE, optimizer=SGD, dtype="float64"):
    network = NetworkSpec(layers[0].n_in, tuple(layers), dtype)
    return ReferenceEngine().compile(network, parameters, TrainingSpec(loss, optimizer))


def test_one_step_by_hand():
    program = compiled([DenseSpec(1, 1)], [(np.array([[2.0]]), np.array([1.0]))])
    X, y = np.array([[1.0], [3.0]]), np.array([[2.0], [5.0]])
    # outputs 3 and 7, errors 1 and 2: loss (1 + 4) / 2, dW = (2 * 1 * 1 + 2 * 2 * 3) / 2, db = (2 + 4) / 2
    assert_within(program.losses(X, y), [1.0, 4.0], 0.0)
    loss, (dW, db) = program.gradients(X, y, None)
    assert_within([loss, dW.item(), db.item()], [2.5, 7.0, 3.0], 0.0)
    outputs = np.empty((2, 1))
    losses = program.train(Batches(X, y, None, ALL[::-1], 2), np.array([0.5]), 0, outputs)
    assert_within(losses, [2.5], 0.0)
    assert_within(outputs, [[7.0], [3.0]], 0.0)
    ((W, b),) = program.parameters()
    assert_within([W.item(), b.item()], [2 - 3.5, 1 - 1.5], 0.0)


def test_sample_weights_divide_by_the_number_of_rows():
    program = compiled([DenseSpec(1, 1)], [(np.array([[2.0]]), np.array([1.0]))])
    X, y = np.array([[1.0], [3.0]]), np.array([[2.0], [5.0]])
    loss, (dW, db) = program.gradients(X, y, np.array([4.0, 0.0]))
    assert_within([loss, dW.item(), db.item()], [2.0, 4.0, 4.0], 0.0)  # 4 * 1 / 2, and 4 * 2 / 2


def test_penalties_by_hand():
    layer = DenseSpec(1, 1, kernel_penalty=Penalty(l1=0.5, l2=0.25), bias_penalty=Penalty(l1=2.0))
    program = compiled([layer], [(np.array([[-2.0]]), np.array([3.0]))])
    assert_within(program.penalty(), 0.5 * 2 + 0.25 * 4 + 2 * 3, 0.0)
    loss, (dW, db) = program.gradients(np.array([[1.0]]), np.array([[1.0]]), None)  # the output is right
    assert_within([loss, dW.item(), db.item()], [8.0, -0.5 - 1.0, 2.0], 0.0)


def test_scaling_by_hand():
    layers = [ScaleSpec(2), DenseSpec(2, 1, use_bias=False)]
    parameters = [(np.array([1.0, 2.0]), np.array([2.0, 4.0])), (np.array([[3.0], [5.0]]),)]
    program = compiled(layers, parameters)
    assert_within(program.predict(np.array([[5.0, 10.0]])), [[3 * 2 + 5 * 2.0]], 0.0)
    _, (dW,) = program.gradients(np.array([[5.0, 10.0]]), np.array([[15.0]]), None)
    assert_within(dW, [[4.0], [4.0]], 0.0)  # 2 * (16 - 15) * 2


def test_dropout_acts_in_training_only_and_backward_as_forward():
    layers = [DropoutSpec(4, 0.5, stream=3), DenseSpec(4, 1)]
    parameters = [(), (np.ones((4, 1)), np.zeros(1))]
    X = np.array([[1.0, 2.0, 4.0, 8.0]])
    program = compiled(layers, parameters)
    assert_within(program.predict(X), [[15.0]], 0.0)
    for step in range(4):
        program = compiled(layers, parameters)
        outputs, kept = np.empty((1, 1)), dropout_mask(0, step, 3, 1, 4, 0.5)
        a = np.where(kept, 2 * X, 0.0)
        program.train(Batches(X, np.zeros((1, 1)), None, ALL[:1], 1), np.array([0.25]), step, outputs)
        assert_within(outputs, [[a.sum()]], 0.0)
        W = program.parameters()[1][0]
        assert_within(W, 1 - 0.25 * 2 * a.sum() * a.T, 0.0)


@pytest.mark.parametrize("rate", [0.25, 0.5])
def test_dropout_backward_by_hand(rate):
    da, own = backward_layer(
        DropoutSpec(3, rate, 0), (), [1.0, 2.0, 3.0], [6.0, 3.0, 9.0], [True, False, True]
    )
    assert_within(da, [6 / (1 - rate), 0.0, 9 / (1 - rate)], 0.0)
    assert own == ()


def test_the_gradient_through_a_dropout_mask_is_the_limit_of_differences():
    rng = np.random.default_rng(0)
    layers = (DenseSpec(3, 4, ActivationSpec("tanh")), DropoutSpec(4, 0.5, 0), DenseSpec(4, 1))
    parameters = [(rng.normal(size=(3, 4)), rng.normal(size=4)), (), (rng.normal(size=(4, 1)), np.ones(1))]
    network, x = NetworkSpec(3, layers), rng.normal(size=3).tolist()
    kept = [None, [True, False, True, True], None]
    found = backward(network, parameters, forward(network, parameters, x, kept), [1.0], kept)
    W, h = parameters[0][0], 1e-5
    numerical = np.empty_like(W)
    for index in np.ndindex(W.shape):
        ends = []
        for side in (1, -1):
            moved = W.copy()
            moved[index] += side * h
            ends.append(forward(network, [(moved, parameters[0][1]), *parameters[1:]], x, kept)[-1].a_out[0])
        numerical[index] = (ends[0] - ends[1]) / (2 * h)
    assert_within(found[0], numerical, 1e-9)
    assert np.all(found[0][:, 1] == 0)


def test_adagrads_first_accumulator():
    optimizer = AdagradSpec(initial_accumulator_value=0.1)
    program = compiled(
        [DenseSpec(1, 1)], [(np.ones((1, 1)), np.ones(1))], optimizer=optimizer, dtype="float32"
    )
    for own in program.slots():
        assert_identical(own[0].ravel(), np.float32([0.1]))


def test_what_is_handed_out_is_in_the_networks_dtype():
    program = compiled([DenseSpec(1, 1)], [(np.ones((1, 1)), np.ones(1))], dtype="float32")
    X, y = np.float32([[0.1]]), np.float32([[0.7]])
    program.train(Batches(X, y, None, ALL[:1], 1), np.array([0.1]), 0)
    arrays = [program.predict(X), *program.gradients(X, y, None)[1], *program.parameters()[0]]
    assert {a.dtype for a in arrays} == {np.dtype("float32")}
    assert program.losses(X, y).dtype == np.float64


def test_a_network_without_layers_hands_its_input_on():
    program = ReferenceEngine().compile(NetworkSpec(2, (), "float64"), [], TrainingSpec(MSE, SGD))
    assert_within(program.predict(np.array([[1.0, 2.0]])), [[1.0, 2.0]], 0.0)
    assert_within(program.losses(np.array([[1.0, 2.0]]), np.array([[0.0, 0.0]])), [2.5], 0.0)


def test_without_a_loss_there_is_none_to_compute():
    network = NetworkSpec(1, (DenseSpec(1, 1),))
    program = ReferenceEngine().compile(network, [(np.ones((1, 1)), np.ones(1))])
    with pytest.raises(NotBuiltError, match="TrainingSpec"):
        program.losses(np.ones((1, 1)), np.ones((1, 1)))


def test_extreme_inputs_end_in_infinities_and_not_in_exceptions():
    layers = [DenseSpec(1, 1, ActivationSpec("softplus")), DenseSpec(1, 1)]
    parameters = [(np.array([[1e300]]), np.zeros(1)), (np.array([[-1e300]]), np.zeros(1))]
    program = compiled(layers, parameters)
    X = np.array([[1e300], [-1e300], [np.inf], [-np.inf], [np.nan]])
    expected = [[-np.inf], [0.0], [-np.inf], [0.0], [np.nan]]
    assert_within(program.predict(X), expected, 0.0)
    losses = program.train(Batches(X, np.zeros((5, 1)), None, ALL[:1], 1), np.array([1.0]), 0)
    assert_within(losses, [np.inf], 0.0)
    assert_identical(program.parameters()[0][0], parameters[0][0])
