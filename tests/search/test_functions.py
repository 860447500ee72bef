"""Trials of functions that build models: the bits of a fit alone, for any rows, pauses and threads."""

import json

import numpy as np
import pytest

import fastdense as fd
from fastdense.callbacks import EarlyStopping, LambdaCallback, ReduceLROnPlateau, TerminateOnNaN
from fastdense.engines.jobs import alone, together
from fastdense.errors import FormatError, NonFiniteLossError, ShapeError
from fastdense.search.functions import FunctionTrial
from fastdense.training.sample import Sample
from tests.training.networks import same_weights

RNG = np.random.default_rng(3)
X = RNG.normal(size=(90, 4)) * [1, 2, 3, 4] + [0, 1, 2, 3]
y = np.argmax(X[:, :3] + RNG.normal(size=(90, 3)), axis=1)
SAMPLE = Sample(X, y)
FOLDS = [np.flatnonzero(np.arange(90) % 3 != fold) for fold in range(3)]
HELD_OUT = np.arange(0, 90, 3)


def build(units=6, rate=0.05, dropout=0.2, metrics=("accuracy",), normalized=False, seed=4, **settings):
    first = [fd.Normalization()] if normalized else []
    model = fd.Sequential(
        [fd.Input((4,)), *first, fd.Dense(units, "tanh"), fd.Dropout(dropout), fd.Dense(3, "softmax")],
        seed=seed,
        **settings,
    )
    model.compile(fd.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def stopping():
    return EarlyStopping(patience=3, restore_best_weights=True)


OPTIONS = [
    {"epochs": 7},
    {"epochs": 12, "batch_size": 7, "shuffle": False},
    {"epochs": 40, "validation_split": 0.25, "callbacks": [stopping()]},
    {"epochs": 15, "validation_data": (X[:9], y[:9]), "callbacks": ReduceLROnPlateau(patience=1)},
    {"epochs": 5, "class_weight": {0: 2.0, 2: 0.5}, "validation_split": 0.1},
]


def fitted_alone(options, rows, **parameters):
    """Return what a user's own two lines come to."""
    model = build(**parameters)
    callbacks = [stopping()] if options.get("callbacks") and "validation_split" in options else []
    if "validation_data" in options:
        callbacks = [ReduceLROnPlateau(patience=1)]
    model.fit(X[rows], y[rows], verbose=0, **{**options, "callbacks": callbacks})
    return model


def same(model, other):
    assert same_weights(model, other)
    assert model.history.history == other.history.history
    assert model.history.epoch == other.history.epoch
    assert model.optimizer.iterations == other.optimizer.iterations
    return True


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_trial_is_a_fit_alone(options, dtype):
    for rows in FOLDS:
        trial = FunctionTrial(build, {"dtype": dtype}, SAMPLE, rows, options)
        assert (trial.epochs, trial.ended, trial.losses) == (0, False, [])
        alone(trial.go_on())
        other = fitted_alone(options, rows, dtype=dtype)
        assert same(trial.fitted(), other)
        assert trial.ended
        assert trial.epochs == len(other.history.epoch)
        assert trial.losses == other.history.history["loss"]
        assert trial.validation == other.history.history.get("val_loss", [])


@pytest.mark.parametrize("threads", [1, 2])
def test_many_side_by_side_are_each_alone(threads):
    places = [(units, options, rows) for units in (3, 9) for options in OPTIONS for rows in FOLDS]
    trials = [FunctionTrial(build, {"units": n}, SAMPLE, rows, options) for n, options, rows in places]
    ended = dict(together((trial.go_on() for trial in trials), threads))
    assert ended == dict.fromkeys(range(len(trials)))
    for trial, (units, options, rows) in zip(trials, places, strict=True):
        assert same(trial.fitted(), fitted_alone(options, rows, units=units))


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("pauses", [(1,), (2, 3, 4), (0, 3, 4)])
def test_pauses_change_nothing(options, pauses):
    trial = FunctionTrial(build, {}, SAMPLE, FOLDS[0], options)
    for epochs in pauses:
        alone(trial.go_on(epochs))
        assert trial.epochs == epochs
        assert not trial.ended
        if epochs:
            assert same(trial.fitted(), fitted_alone({**options, "epochs": epochs}, FOLDS[0]))
    alone(trial.go_on())
    assert same(trial.fitted(), fitted_alone(options, FOLDS[0]))


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("seed", [4, None])
def test_a_state_goes_on_elsewhere(options, seed):
    """As a file would: arrays, and values through JSON. A seed that was drawn goes with it."""
    trial = FunctionTrial(build, {"seed": seed}, SAMPLE, FOLDS[0], options)
    alone(trial.go_on(4))
    arrays, values = trial.state()
    arrays, values = {name: np.array(array) for name, array in arrays.items()}, json.loads(json.dumps(values))
    other = FunctionTrial(build, {"seed": seed}, SAMPLE, FOLDS[0], options)
    other.restore(arrays, values)
    assert (other.epochs, other.losses) == (trial.epochs, trial.losses)
    for each in (trial, other):
        alone(each.go_on())
    assert same(other.fitted(), trial.fitted())
    again = FunctionTrial(build, {"seed": seed}, SAMPLE, FOLDS[0], options)
    again.restore(*trial.state())
    assert again.ended
    assert same(again.fitted(), trial.fitted())


def test_a_state_before_the_first_epoch():
    first, second = (FunctionTrial(build, {}, SAMPLE, FOLDS[0], OPTIONS[0]) for _ in range(2))
    alone(first.go_on(0))
    second.restore(*first.state())
    alone(second.go_on())
    assert same(second.fitted(), fitted_alone(OPTIONS[0], FOLDS[0]))


def test_a_state_of_another_model_is_refused():
    trial = FunctionTrial(build, {}, SAMPLE, FOLDS[0], OPTIONS[0])
    alone(trial.go_on(2))
    with pytest.raises(FormatError, match="the trial's state is a backup of another model"):
        FunctionTrial(build, {"units": 7}, SAMPLE, FOLDS[0], OPTIONS[0]).restore(*trial.state())


def test_scores_are_evaluates():
    trial = FunctionTrial(build, {}, SAMPLE, FOLDS[0], OPTIONS[0])
    alone(trial.go_on(3))
    loss, accuracy = trial.fitted().evaluate(X[HELD_OUT], y[HELD_OUT], verbose=0)
    assert trial.score(HELD_OUT) == -loss
    assert trial.score(HELD_OUT, lambda model, X, y: model.evaluate(X, y, verbose=0)[1]) == accuracy
    by_name = FunctionTrial(build, {}, SAMPLE, FOLDS[0], OPTIONS[0], metric="accuracy")
    alone(by_name.go_on(3))
    assert by_name.score(HELD_OUT) == accuracy
    assert by_name.validation == []
    unknown = FunctionTrial(build, {}, SAMPLE, FOLDS[0], OPTIONS[0], metric="hits")
    alone(unknown.go_on(1))
    with pytest.raises(ValueError, match="there is no metric 'hits', but loss, accuracy"):
        unknown.score(HELD_OUT)


@pytest.mark.parametrize("options", [OPTIONS[0], OPTIONS[2]])
@pytest.mark.parametrize("scale", [1.0, 1e-6])
def test_a_normalization_is_adapted_to_the_rows_trained_on(options, scale):
    """Also where float32 could not hold a column's mean and deviation."""
    shifted = X * scale + 1.0
    sample = Sample(shifted, y)
    for rows in FOLDS:
        trial = FunctionTrial(build, {"normalized": True}, sample, rows, options, adapt=True)
        alone(trial.go_on())
        model = build(normalized=True)
        count = 45 if "validation_split" in options else 60
        model.layers[0].adapt(shifted[rows[:count]])
        callbacks = [stopping()] if "callbacks" in options else []
        model.fit(shifted[rows], y[rows], verbose=0, **{**options, "callbacks": callbacks})
        assert same(trial.fitted(), model)


def test_a_normalization_to_adapt_must_come_first():
    trial = FunctionTrial(build, {}, SAMPLE, FOLDS[0], OPTIONS[0], adapt=True)
    with pytest.raises(ValueError, match="starts with a Normalization, not Dense"):
        alone(trial.go_on())


def test_weights_of_rows():
    weights = np.linspace(0.5, 2, 90)
    trial = FunctionTrial(build, {}, Sample(X, y, weights), FOLDS[1], {"epochs": 4})
    alone(trial.go_on())
    model = build()
    model.fit(X[FOLDS[1]], y[FOLDS[1]], epochs=4, sample_weight=weights[FOLDS[1]], verbose=0)
    assert same(trial.fitted(), model)


def test_a_model_of_no_declared_width():
    def wide(units):
        model = fd.Sequential([fd.Dense(units, "relu"), fd.Dense(3, "softmax")], seed=1)
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    trials = [FunctionTrial(wide, {"units": 5}, SAMPLE, rows, {"epochs": 3}) for rows in FOLDS]
    assert [found for _, found in together(trial.go_on() for trial in trials)] == [None] * 3
    for trial, rows in zip(trials, FOLDS, strict=True):
        model = wide(5)
        model.fit(X[rows], y[rows], epochs=3, verbose=0)
        assert same(trial.fitted(), model)


def test_a_trial_that_fails_leaves_the_others_alone():
    rates = [0.05, 1e38, 0.05]
    options = {"epochs": 6}
    trials = [FunctionTrial(build, {"rate": rate}, SAMPLE, FOLDS[0], options) for rate in rates]
    found = dict(together([trial.go_on() for trial in trials], 2))
    assert isinstance(found[1], NonFiniteLossError)
    assert (found[0], found[2]) == (None, None)
    assert same(trials[0].fitted(), trials[2].fitted())


def test_callbacks_are_each_trials_own():
    seen = []
    listen = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    options = {"epochs": 2, "callbacks": [listen, TerminateOnNaN()]}
    for rows in FOLDS:
        alone(FunctionTrial(build, {}, SAMPLE, rows, options).go_on())
    assert seen == [0, 1] * 3
    assert listen.model is None


def test_what_is_wrong_is_said():
    with pytest.raises(TypeError, match="must return a compiled Sequential"):
        alone(FunctionTrial(lambda: None, {}, SAMPLE, FOLDS[0]).go_on())
    with pytest.raises(TypeError, match="patience"):
        FunctionTrial(build, {}, SAMPLE, FOLDS[0], {"patience": 3})
    with pytest.raises(ShapeError):
        alone(FunctionTrial(build, {}, Sample(X[:, :3], y), FOLDS[0]).go_on())
    with pytest.raises(ValueError, match="has not begun"):
        FunctionTrial(build, {}, SAMPLE, FOLDS[0]).fitted()
