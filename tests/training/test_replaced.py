"""What is left of a model's training once a part of it was replaced, and of metrics once they were copied."""

from __future__ import annotations

import copy
import weakref

import numpy as np
import pytest

import fastdense as fd


def test_a_step_that_fails_leaves_predictions_and_weights_of_one_moment():
    """The count of steps is set after the weights, and refuses a number beyond its limit."""
    X = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    model = fd.Sequential([fd.Input((4,)), fd.Dense(1)], seed=1)
    model.compile(fd.optimizers.SGD(0.1), "mse")
    model.predict(X)
    model.optimizer.iterations = 2**53
    with pytest.raises(ValueError, match="iterations must be"):
        model.train_on_batch(X, X[:, :1])
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(X), X @ kernel + bias, rtol=1e-5)


def test_what_trained_before_is_let_go_of():
    X = np.ones((4, 2), np.float32)
    model = fd.Sequential([fd.Input((2,)), fd.Dense(1)], seed=0)
    model.compile("adam", "mse")
    model.train_on_batch(X, X[:, :1])
    former = weakref.ref(model.optimizer)
    model.compile("sgd", "mse")
    assert former() is None


def test_loss_and_optimizer_can_be_replaced():
    X = np.ones((4, 2), np.float32)
    model, expected = (fd.Sequential([fd.Input((2,)), fd.Dense(1)], seed=0) for _ in range(2))
    assert not hasattr(model, "optimizer")
    model.compile("adam", "mse")
    model.train_on_batch(X, X[:, :1])
    expected.set_weights(model.get_weights())
    model.loss, model.optimizer = "mae", fd.optimizers.SGD(0.1)
    expected.compile(fd.optimizers.SGD(0.1), "mae")
    assert model.fit(X, X[:, :1], verbose=0).history == expected.fit(X, X[:, :1], verbose=0).history


def test_a_copied_metric_counts_on_its_own():
    metric = fd.metrics.Precision()
    metric.update_state([[1.0], [0.0]], [[0.9], [0.1]])
    copied = copy.copy(metric)
    metric.update_state([[0.0]], [[0.9]])
    assert (copied.result(), metric.result()) == (1.0, 0.5)


def test_a_metric_of_ones_own_is_named_after_its_class():
    class TopShare(fd.metrics.Metric):
        def reset_state(self):
            self.rows = 0

        def _add(self, y, outputs, weights):
            self.rows += len(y)

        def result(self):
            return float(self.rows)

    model = fd.Sequential([fd.Input((2,)), fd.Dense(1)], seed=0)
    model.compile("sgd", "mse", metrics=[TopShare()])
    assert model.fit(np.ones((4, 2)), np.ones(4), verbose=0).history["top_share"] == [4.0]


def test_the_base_of_the_optimizers_is_not_one():
    with pytest.raises(TypeError, match="Optimizer is a base: make one of sgd, rmsprop"):
        fd.optimizers.Optimizer()
