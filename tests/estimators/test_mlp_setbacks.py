"""Training that diverges, is interrupted or meets an error keeps what was learned."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.exceptions import ConvergenceWarning, NotFittedError

import fastdense as fd
from fastdense import MLPClassifier, MLPRegressor
from tests.compare import assert_within
from tests.estimators import data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = data.X_IRIS, data.Y_IRIS
SMALL = {"max_iter": 5, "random_state": 0, "hidden_layer_sizes": (5,)}


def weights_of(estimator):
    return [array.copy() for array in (*estimator.coefs_, *estimator.intercepts_)]


def assert_weights(estimator, expected):
    for found, wanted in zip(weights_of(estimator), expected, strict=True):
        assert_within(found, wanted, 0.0)


def diverging(**more):
    chosen = {"random_state": 0, "hidden_layer_sizes": (5,), "activation": "identity"}
    return MLPRegressor(n_iter_no_change=500, **chosen, **more)


def test_divergence_goes_back_to_the_best_weights():
    def rate(step):
        return 0.05 if step < 200 else 1e20

    model = diverging(optimizer=fd.optimizers.SGD(rate), early_stopping=True, max_iter=200, batch_size=40)
    with pytest.warns(ConvergenceWarning, match="went back to the weights of the best validation score"):
        model.fit(X, Y, X_val=X, y_val=Y)
    assert np.isnan(model.validation_scores_[-1])
    assert_within(model.score(X, Y), model.best_validation_score_, 1e-5)
    assert model.stopped_

    by_parts = diverging(optimizer=fd.optimizers.SGD(rate), early_stopping=True, batch_size=40)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        while not getattr(by_parts, "stopped_", False):
            by_parts.partial_fit(X, Y, X_val=X, y_val=Y)
    assert "went back to the weights" in str(said[-1].message)
    assert_within(by_parts.score(X, Y), by_parts.best_validation_score_, 1e-5)
    assert by_parts.best_validation_score_ > 0.5


def test_divergence_without_a_good_score_raises_and_keeps_what_was_learned():
    model = diverging(max_iter=300).fit(X, Y)
    score = model.score(X, Y)
    model.set_params(warm_start=True, early_stopping=True, learning_rate_init=1e30)
    with pytest.raises(ValueError, match=r"The loss of epoch \d+ is (nan|inf)"):
        model.fit(X, Y)
    assert all(np.isfinite(array).all() for array in weights_of(model))
    assert score > 0.5


def test_partial_fits_keep_the_weights_in_training_until_they_stop():
    model = MLPClassifier(early_stopping=True, n_iter_no_change=50, random_state=0, learning_rate_init=0.2)
    rng = np.random.default_rng(0)
    rows = {"X_val": X, "y_val": rng.permutation(Y)}
    for _ in range(10):
        model.partial_fit(X, Y, classes=[0, 1, 2], **rows)
    scores = model.validation_scores_
    assert scores[-1] < max(scores)  # the best weights are not the last ones
    assert_within(model.score(X, rows["y_val"]), scores[-1], 1e-9)


def test_an_interrupted_warm_start_keeps_what_was_learned():
    class Interrupting(fd.optimizers.SGD):
        def rates(self, first_step, steps):
            raise KeyboardInterrupt

    model = MLPClassifier(max_iter=200, random_state=0).fit(X, Y)
    expected = weights_of(model)
    model.set_params(warm_start=True, early_stopping=True, optimizer=Interrupting())
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    assert_weights(model, expected)


def test_training_goes_on_from_the_step_of_an_interrupt():
    class Interrupting(fd.optimizers.Adam):
        def rates(self, first_step, steps):
            if first_step == 6 and not seen:
                seen.append(first_step)
                raise KeyboardInterrupt
            return super().rates(first_step, steps)

    seen = []
    chosen = {"batch_size": 50, "shuffle": False, "random_state": 0, "hidden_layer_sizes": (5,)}
    model = MLPClassifier(optimizer=Interrupting(0.01), **chosen)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(X, Y)
    for _ in range(3):
        model.partial_fit(X, Y)
    whole = MLPClassifier(optimizer=fd.optimizers.Adam(0.01), max_iter=5, **chosen).fit(X, Y)
    assert_weights(model, weights_of(whole))


class Failing:
    """A callback that fails in an epoch."""

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_id == 3 and context.parent is not None:
            raise RuntimeError("enough")


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_error_in_a_callback_loses_no_weights(solver):
    model = MLPClassifier(solver=solver, random_state=0).set_callbacks(Failing())
    with pytest.raises(RuntimeError, match="enough"):
        model.fit(X, Y)
    expected = MLPClassifier(solver=solver, random_state=0, max_iter=4).fit(X, Y)
    assert model.n_iter_ == 4
    assert_weights(model, weights_of(expected))


class FailsAtStart(Failing):
    def on_fit_task_begin(self, estimator, context):
        raise RuntimeError("not today")

    def teardown(self, estimator, context):
        self.torn_down = True


def test_a_fit_that_fails_before_its_first_epoch_changes_nothing(monkeypatch):
    model = MLPClassifier(**SMALL).fit(X, Y)
    expected = weights_of(model)
    callback = FailsAtStart()
    with pytest.raises(RuntimeError, match="not today"):
        model.set_callbacks(callback).fit(X, Y)
    assert callback.torn_down
    assert_weights(model, expected)
    model.set_callbacks()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="batch_size"):
            model.set_params(batch_size=500).fit(X, Y)
    assert_weights(model, expected)
    monkeypatch.setenv("FASTDENSE_ENGINE", "abacus")
    fresh = MLPClassifier(**SMALL)
    with pytest.raises(fd.errors.EngineError):
        fresh.fit(X, Y)
    with pytest.raises(NotFittedError):
        fresh.predict(X)


def test_a_callback_that_stops_lbfgs_is_no_failure():
    class Stop(Failing):
        def on_fit_task_end(self, estimator, context):
            return context.parent is not None and context.task_id == 2

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model = MLPClassifier(solver="lbfgs").set_callbacks(Stop()).fit(X, Y)
    assert model.n_iter_ == len(model.loss_curve_) == 3
