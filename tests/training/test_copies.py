"""Models in training can be copied and pickled, changed in their layers, and moved to another engine."""

import copy
import pickle

import numpy as np
import pytest

import fastdense as fd

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype(np.float32)
Y = RNG.integers(0, 2, 40)


def trained():
    model = fd.Sequential([fd.Input((3,)), fd.Dense(4, "tanh"), fd.Dense(1, "sigmoid")], seed=0)
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.fit(X, Y, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_goes_on_as_the_model_would(clone):
    model = trained()
    other = clone(model)
    model.fit(X, Y, epochs=2, verbose=0)
    other.fit(X, Y, epochs=2, verbose=0)
    for ours, theirs in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_model_can_be_copied_in_the_midst_of_a_fit():
    kept = []
    model = trained()
    keep = fd.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(pickle.dumps(model)))
    model.fit(X, Y, epochs=3, verbose=0, callbacks=keep)
    other = pickle.loads(kept[1])
    other.fit(X, Y, initial_epoch=2, epochs=3, verbose=0)
    for ours, theirs in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_training_starts_anew_when_layers_change():
    model = trained()
    model.pop()
    assert model.optimizer.iterations == 0
    model.add(fd.Dense(1, "sigmoid"))
    model.fit(X, Y, epochs=1, verbose=0)
    assert model.optimizer.iterations == 2


def test_another_engine_takes_over_at_once(monkeypatch):
    model = trained()
    by_matrices = model.predict(X)
    model.engine = "reference"
    np.testing.assert_allclose(model.predict(X), by_matrices, rtol=1e-5, atol=1e-7)
    model.engine = "nonsense"
    with pytest.raises(fd.errors.EngineError, match="nonsense"):
        model.predict(X)


def test_a_wrong_x_does_not_decide_the_width():
    model = fd.Sequential([fd.Dense(1)])
    model.compile(loss="mse")
    with pytest.raises(fd.errors.ShapeError, match="X has 3 rows but y has 40"):
        model.fit(X.T, Y, verbose=0)
    model.fit(X, Y, verbose=0)
    assert model.input_shape == (None, 3)


def test_masked_values_are_refused():
    model = trained()
    with pytest.raises(fd.errors.NonFiniteError, match="masked"):
        model.fit(np.ma.masked_greater(X, 1.0), Y, verbose=0)


def test_somebody_elses_class_cannot_be_saved(tmp_path):
    class Mine(fd.optimizers.Adam):
        pass

    model = trained()
    model.compile(optimizer=Mine(), loss="binary_crossentropy")
    with pytest.raises(fd.errors.FormatError, match="Mine"):
        model.save(tmp_path / "m.safetensors")
    model.save(tmp_path / "m.safetensors", include_optimizer=False)


@pytest.mark.parametrize("rate", [lambda step: "fast", lambda step: None, lambda step: 10.0 ** (400 + step)])
def test_a_rate_that_is_no_rate_is_refused(rate):
    model = trained()
    model.compile(optimizer=fd.optimizers.SGD(rate), loss="binary_crossentropy")
    with pytest.raises((ValueError, TypeError), match="learning rate of step 0"):
        model.fit(X, Y, verbose=0)
