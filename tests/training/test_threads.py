"""Models in several threads: every result is one that the calls give one after another, or a clear error."""

import copy
import pickle
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest

import fastdense as fd
from fastdense.callbacks import LambdaCallback
from fastdense.errors import BusyError
from tests.training.networks import binary, classifier, same_weights, weights

X, y = binary()
STEPS = {"batch_size": 8, "shuffle": False, "verbose": 0}
SECONDS = 0.3


@pytest.fixture(autouse=True)
def _impatient_threads():
    """Let another thread run after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Meanwhile:
    """Calls a function again and again in another thread for the length of a ``with`` block."""

    def __init__(self, call):
        self.call, self.results, self.errors = call, [], []
        self._over, self._thread = threading.Event(), threading.Thread(target=self._run)

    def _run(self):
        while not self._over.is_set():
            try:
                self.results.append(self.call())
            except Exception as error:  # noqa: BLE001 - the other thread looks at it
                self.errors.append(error)
                return

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        if self.errors:
            raise self.errors[0]


def states(epochs, stepwise):
    """Return the weights after every number of steps at which fit puts new ones in place."""
    model, found = classifier(metrics=["accuracy"]), {}

    def add(*_):
        found[model.optimizer.iterations] = weights(model)

    hook = "on_train_batch_end" if stepwise else "on_epoch_end"
    add()
    model.fit(X, y, epochs=epochs, callbacks=LambdaCallback(**{hook: add}), **STEPS)
    return found


@pytest.mark.parametrize("stepwise", [True, False])
def test_evaluate_changes_no_training(stepwise):
    callbacks = [LambdaCallback(on_train_batch_end=lambda *_: None)] if stepwise else []
    expected, ends = states(4, stepwise)[20], time.monotonic() + SECONDS
    while time.monotonic() < ends:
        model = classifier(metrics=["accuracy"])
        with Meanwhile(partial(model.evaluate, X, y, verbose=0)):
            model.fit(X, y, epochs=4, callbacks=callbacks, **STEPS)
        assert weights(model) == expected


def test_evaluations_are_of_states_that_training_put_in_place():
    expected, model = set(), classifier(metrics=["accuracy"])
    for state in states(30, stepwise=False).values():
        model.set_weights(arrays_of(model, state))
        expected.add(tuple(model.evaluate(X, y, verbose=0)))
    model = classifier(metrics=["accuracy"])
    with Meanwhile(lambda: tuple(model.evaluate(X, y, verbose=0))) as evaluated:
        model.fit(X, y, epochs=30, **STEPS)
    assert set(evaluated.results) <= expected


def arrays_of(model, state):
    flat, arrays = np.frombuffer(state, np.float32), []
    for array in model.get_weights():
        arrays.append(flat[: array.size].reshape(array.shape))
        flat = flat[array.size :]
    return arrays


@pytest.mark.parametrize(
    "clone",
    [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m))],
    ids=["deep", "shallow", "pickle"],
)
def test_copies_are_of_states_that_training_put_in_place(clone):
    expected = states(20, stepwise=True)

    def taken():
        other = clone(model)
        return other if clone is not copy.copy else copy.deepcopy(other)

    model = classifier(metrics=["accuracy"])
    with Meanwhile(taken) as copies:
        model.fit(X, y, epochs=20, callbacks=LambdaCallback(on_train_batch_end=lambda *_: None), **STEPS)
    assert copies.results
    for other in copies.results[:: max(1, len(copies.results) // 20)]:
        steps = other.optimizer.iterations
        assert weights(other) == expected[steps]
        if steps in range(0, 96, 5):  # the optimizer's state is that of the weights, too
            other.fit(X, y, epochs=1, **STEPS)
            assert weights(other) == expected[steps + 5]


def test_saved_models_are_of_states_that_training_put_in_place(tmp_path):
    expected, model = states(30, stepwise=True), classifier(metrics=["accuracy"])

    def saved():
        model.save(tmp_path / "m.safetensors")
        return fd.load(tmp_path / "m.safetensors")

    with Meanwhile(saved) as copies:
        model.fit(X, y, epochs=30, callbacks=LambdaCallback(on_train_batch_end=lambda *_: None), **STEPS)
    assert copies.results
    for other in copies.results:
        assert weights(other) == expected[other.optimizer.iterations]


def two_models():
    """Return a network and two sets of weights whose layers, mixed, predict neither's number."""
    model = fd.Sequential([fd.Input((1,)), *(fd.Dense(1, use_bias=False) for _ in range(6))], seed=0)
    return model, [[np.full((1, 1), value, np.float32)] * 6 for value in (1.0, 2.0)]


def test_predictions_are_of_one_model():
    model, given = two_models()
    ends, one = time.monotonic() + SECONDS, np.ones((1, 1), np.float32)
    model.set_weights(given[0])
    with (
        Meanwhile(lambda: model.predict(one).item()) as first,
        Meanwhile(lambda: model.predict(one).item()) as other,
    ):
        while time.monotonic() < ends:
            for weights_of in given:
                model.set_weights(weights_of)
    assert set(first.results) | set(other.results) <= {1.0, 64.0}
    assert len(first.results) > 10


@pytest.mark.parametrize("read", ["get_weights", "freeze", "weights"])
def test_what_is_read_is_of_one_model(read):
    model, given = two_models()
    ends, one = time.monotonic() + SECONDS / 2, np.ones((1, 1), np.float32)
    model.set_weights(given[0])
    of_model = {
        "get_weights": lambda: float(np.prod(model.get_weights())),
        "freeze": lambda: model.freeze().predict(one).item(),
        "weights": lambda: float(np.prod(model.weights)),
    }
    with Meanwhile(of_model[read]) as found:
        while time.monotonic() < ends:
            for weights_of in given:
                model.set_weights(weights_of)
    assert set(found.results) <= {1.0, 64.0}


def test_two_threads_build_one_model():
    expected = None
    for _ in range(40):
        model = fd.Sequential([fd.Dense(4, "tanh"), fd.Dense(3), fd.Dense(1)], seed=1)
        with Meanwhile(partial(model.predict, X)):
            model.compile("sgd", "mse")
            model.fit(X, y, **STEPS)
        expected = expected or weights(model)
        assert weights(model) == expected


CHANGES = {
    "fit": lambda model: model.fit(X, y, verbose=0),
    "train_on_batch": lambda model: model.train_on_batch(X, y),
    "compile": lambda model: model.compile("sgd", "mse"),
    "add": lambda model: model.add(fd.Dense(1)),
    "pop": lambda model: model.pop(),
}


def in_a_thread(call, model):
    """Return what a call in another thread raised."""
    raised = []

    def run():
        try:
            call(model)
        except Exception as error:  # noqa: BLE001 - the other thread looks at it
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised[0] if raised else None


@pytest.mark.parametrize("name", [*CHANGES, "set_weights", "layer.set_weights", "of another model"])
def test_what_would_change_a_model_in_training_is_refused(name):
    calls = {
        **CHANGES,
        "set_weights": lambda model: model.set_weights(model.get_weights()),
        "layer.set_weights": lambda model: model.layers[0].set_weights(model.layers[0].get_weights()),
        "of another model": lambda model: fd.Sequential(model.layers[:1]).set_weights(
            model.layers[0].get_weights()
        ),
    }
    model, raised = classifier(), []

    def change(*_):
        raised.append(in_a_thread(calls[name], model))

    model.fit(
        X, y, epochs=2, callbacks=LambdaCallback(on_epoch_begin=change, on_train_batch_end=change), **STEPS
    )
    assert all(isinstance(error, BusyError) for error in raised), raised
    assert "fit is training in another thread" in str(raised[0])
    plain = classifier()
    plain.fit(X, y, epochs=2, **STEPS)
    assert same_weights(model, plain)
    assert in_a_thread(calls[name], model) is None  # now it may


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin", "on_train_batch_end", "on_train_end"])
def test_a_callback_does_not_train_its_model(name, hook):
    model, plain = classifier(), classifier()

    def change(*_):
        with pytest.raises(BusyError, match=f"{name} was called inside fit"):
            CHANGES[name](model)

    for network, callbacks in ((model, LambdaCallback(**{hook: change})), (plain, None)):
        history = network.fit(X, y, epochs=2, callbacks=callbacks, **STEPS)
        assert history.epoch == [0, 1]
    assert same_weights(model, plain)


def test_a_callback_may_set_weights_and_train_a_copy():
    model, start = classifier(), classifier().get_weights()

    def restart(epoch, logs):
        model.set_weights(start)
        assert model.evaluate(X, y, verbose=0) == pytest.approx(classifier().evaluate(X, y, verbose=0))
        copy.deepcopy(model).fit(X, y, verbose=0)

    model.fit(X, y, epochs=2, callbacks=LambdaCallback(on_epoch_end=restart), **STEPS)
    assert same_weights(model, classifier())


def test_a_failed_fit_leaves_the_model_free():
    def fail(*_):
        raise KeyError("a mistake in a callback")

    model = classifier()
    with pytest.raises(KeyError) as kept:  # which holds the frames of the failed call
        model.fit(X, y, callbacks=LambdaCallback(on_epoch_begin=fail), verbose=0)
    assert in_a_thread(CHANGES["fit"], model) is None
    assert kept.value.args
