"""What scikit-learn's MLP does not have."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.utils import compute_class_weight

import fastdense as fd
from fastdense import MLPClassifier, MLPRegressor
from fastdense.core.spec import ACTIVATIONS
from tests.compare import assert_within
from tests.estimators import data

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = data.X_IRIS, data.Y_IRIS
RARE = np.r_[0:50, 50:60]  # fifty rows of one class, ten of another


def same_weights(one, other, bound=0.0):
    pairs = zip([*one.coefs_, *one.intercepts_], [*other.coefs_, *other.intercepts_], strict=True)
    for found, expected in pairs:
        assert_within(found, expected, bound)


@pytest.mark.parametrize("weights", ["balanced", {0: 1.0, 1: 5.0}])
def test_class_weight_is_a_weight_of_rows(weights):
    chosen = {"hidden_layer_sizes": 5, "max_iter": 20, "random_state": 0}
    found = MLPClassifier(class_weight=weights, **chosen).fit(X[RARE], Y[RARE])
    by_class = compute_class_weight(weights, classes=np.array([0, 1]), y=Y[RARE])
    expected = MLPClassifier(**chosen).fit(X[RARE], Y[RARE], sample_weight=by_class[Y[RARE]])
    same_weights(found, expected)
    plain = MLPClassifier(**chosen).fit(X[RARE], Y[RARE])
    assert not np.array_equal(found.coefs_[0], plain.coefs_[0])


def test_class_weight_comes_on_top_of_sample_weight():
    chosen = {"hidden_layer_sizes": 5, "max_iter": 20, "random_state": 0}
    rows = np.linspace(1, 2, 60)
    found = MLPClassifier(class_weight={1: 5.0}, **chosen).fit(X[RARE], Y[RARE], sample_weight=rows)
    expected = MLPClassifier(**chosen).fit(X[RARE], Y[RARE], sample_weight=rows * np.where(Y[RARE], 5.0, 1.0))
    same_weights(found, expected)


MANY = np.c_[Y[RARE], np.arange(60) % 3]
TARGETS = {"two classes": Y[RARE], "three classes": MANY[:, 1], "labels": MANY % 2, "columns": MANY}


@pytest.mark.parametrize("name", TARGETS)
def test_balanced_counts_a_row_of_weight_three_as_three_rows(name):
    y, chosen = TARGETS[name], {"dtype": "float64", "solver": "lbfgs", "max_iter": 5, "random_state": 0}
    times = np.random.default_rng(0).integers(0, 4, 60)
    weighted = MLPClassifier(class_weight="balanced", **chosen).fit(X[RARE], y, sample_weight=times)
    repeated = MLPClassifier(class_weight="balanced", **chosen)
    repeated.fit(X[RARE].repeat(times, axis=0), y.repeat(times, axis=0))
    same_weights(weighted, repeated, 1e-9)
    alike = MLPClassifier(class_weight="balanced", **chosen).fit(X[RARE], y)
    assert np.abs(weighted.coefs_[0] - alike.coefs_[0]).max() > 1e-6


def test_balanced_leaves_out_classes_without_weight():
    chosen = {"max_iter": 5, "random_state": 0, "class_weight": "balanced"}
    rows = np.where(Y == 2, 0.0, 1.0 + Y)
    found = MLPClassifier(**chosen).fit(X, Y, sample_weight=rows, X_val=X, y_val=Y)
    by_class = np.array([1.5, 0.75, 1.0])[Y]  # 150 of weight in two classes, 50 and 100
    expected = MLPClassifier(**chosen | {"class_weight": None})
    expected.fit(X, Y, sample_weight=rows * by_class, X_val=X, y_val=Y, sample_weight_val=by_class)
    same_weights(found, expected, 1e-6)
    assert_within(found.validation_loss_curve_[-1], expected.validation_loss_curve_[-1], 1e-6)
    with pytest.raises(ValueError, match=r"cannot balance class 2: the sample_weight .* sum -50"):
        MLPClassifier(**chosen).fit(X, Y, sample_weight=1.0 - Y)


def test_balanced_classes_need_all_rows():
    with pytest.raises(ValueError, match="'balanced' is not supported for partial_fit"):
        MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])
    weights = {0: 1.0, 1: 2.0, 2: 3.0}
    found = MLPClassifier(class_weight=weights, random_state=0).partial_fit(X, Y, classes=[0, 1, 2])
    rows = Y + 1.0
    expected = MLPClassifier(random_state=0).partial_fit(X, Y, classes=[0, 1, 2], sample_weight=rows)
    same_weights(found, expected)


def test_validation_rows_are_watched():
    train, held = np.arange(0, 150, 2), np.arange(1, 150, 2)
    chosen = {"max_iter": 15, "random_state": 0}
    model = MLPClassifier(**chosen).fit(X[train], Y[train], X_val=X[held], y_val=Y[held])
    same_weights(model, MLPClassifier(**chosen).fit(X[train], Y[train]))
    assert len(model.validation_loss_curve_) == len(model.validation_scores_) == len(model.loss_curve_) == 15
    assert_within(model.validation_scores_[-1], model.score(X[held], Y[held]), 1e-12)
    right = model.predict_proba(X[held])[np.arange(75), Y[held]]
    assert_within(model.validation_loss_curve_[-1], -np.log(right.astype(float)).mean(), 1e-6)
    assert MLPClassifier(**chosen).fit(X, Y).validation_loss_curve_ is None


def test_validation_rows_have_weights():
    weights = np.linspace(0, 1, 150)
    y = data.Y_COUNTS[:150]
    model = MLPRegressor("poisson", max_iter=3, random_state=0)
    model.fit(X, y, X_val=X, y_val=y, sample_weight_val=weights)
    assert_within(model.validation_scores_[-1], model.score(X, y, sample_weight=weights), 1e-6)
    from sklearn.metrics import mean_poisson_deviance

    deviance = mean_poisson_deviance(y, model.predict(X).astype(float), sample_weight=weights)
    assert_within(model.validation_loss_curve_[-1], deviance / 2, 1e-5)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_early_stopping_on_the_callers_rows_keeps_the_best_weights(kind):
    rng = np.random.default_rng(0)
    wrong = rng.permutation(Y[1::2])  # what is learned helps no more after a while
    model = kind(
        early_stopping=True, n_iter_no_change=4, learning_rate_init=0.02, max_iter=100, random_state=0
    )
    model.fit(X[::2], Y[::2], X_val=X[1::2], y_val=wrong)
    assert model.stopped_
    assert model.n_iter_ < 100
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert_within(model.score(X[1::2], wrong), model.best_validation_score_, 1e-6)
    assert model.best_loss_ is None


def test_early_stopping_works_over_partial_fits():
    def model():
        return MLPClassifier(early_stopping=True, n_iter_no_change=3, tol=1e-3, max_iter=500, random_state=0)

    rows = {"X_val": X[1::2], "y_val": Y[1::2]}
    once = model().set_params(shuffle=False).fit(X[::2], Y[::2], **rows)
    by_parts = model().set_params(shuffle=False)
    calls = 0
    while calls == 0 or not by_parts.stopped_:
        by_parts.partial_fit(X[::2], Y[::2], classes=[0, 1, 2], **rows)
        calls += 1
    assert calls == once.n_iter_
    assert by_parts.validation_scores_ == once.validation_scores_
    same_weights(by_parts, once)
    before = [coef.copy() for coef in by_parts.coefs_]
    by_parts.partial_fit(X[::2], Y[::2], **rows)
    for found, expected in zip(by_parts.coefs_, before, strict=True):
        assert_within(found, expected, 0.0)
    assert len(by_parts.validation_scores_) == calls


def test_validation_rows_and_targets_go_together():
    with pytest.raises(ValueError, match="X_val and y_val go together"):
        MLPClassifier().fit(X, Y, X_val=X)
    with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 4"):
        MLPClassifier().fit(X, Y, X_val=X[:, :3], y_val=Y)
    with pytest.raises(ValueError, match=r"classes not in `self\.classes_`"):
        MLPClassifier().fit(X[:100], Y[:100], X_val=X, y_val=Y)


def test_dropout_is_seeded_and_off_in_prediction():
    chosen = {"hidden_layer_sizes": (30, 20), "max_iter": 40, "dropout": 0.3, "dtype": "float64"}
    one, other = (MLPClassifier(random_state=4, **chosen).fit(X, Y) for _ in range(2))
    same_weights(one, other)
    assert not np.array_equal(one.coefs_[0], MLPClassifier(random_state=5, **chosen).fit(X, Y).coefs_[0])
    assert_within(one.predict_proba(X), one.predict_proba(X), 0.0)
    by_arrays = MLPClassifier(random_state=4, engine="array", **chosen).fit(X, Y)
    same_weights(one, by_arrays, 1e-9)
    assert one.score(X, Y) > 0.85
    with pytest.raises(ValueError, match="dropout needs solver"):
        MLPClassifier(dropout=0.5, solver="lbfgs").fit(X, Y)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "softmax"])
def test_every_activation(name):
    model = MLPRegressor(activation=name, hidden_layer_sizes=8, max_iter=3, random_state=0).fit(X, Y)
    layer = fd.dense(X.astype(np.float32), model.coefs_[0], model.intercepts_[0], activation=name)
    expected = layer @ model.coefs_[1] + model.intercepts_[1]
    assert_within(model.predict(X), expected[:, 0], 1e-5)


def test_an_activation_for_each_layer():
    gentle = fd.activations.ActivationFunction("leaky_relu", 0.01)
    model = MLPRegressor("huber", (6, 5), ["tanh", gentle], max_iter=3, random_state=0).fit(X, Y)
    layers = model.to_network().layers
    assert [layer.activation.spec for layer in layers] == [
        fd.activations.tanh.spec,
        gentle.spec,
        fd.activations.linear.spec,
    ]


def test_activations_that_do_not_fit():
    model = MLPClassifier((6, 5), ["tanh", "gelu"], max_iter=3, random_state=0).fit(X, Y)
    assert [layer.activation.name for layer in model.to_network().layers] == ["tanh", "gelu", "softmax"]
    with pytest.raises(ValueError, match="names 1 activations for 2 hidden layers"):
        MLPClassifier((6, 5), ["tanh"]).fit(X, Y)
    with pytest.raises(ValueError, match="The 'activation' parameter of MLPClassifier must be"):
        MLPClassifier(activation="cube").fit(X, Y)
    with pytest.raises(ValueError, match="activation must be one of"):
        MLPClassifier((6, 5), ["tanh", "cube"]).fit(X, Y)


def test_an_optimizer_of_its_own():
    adam = fd.optimizers.Adam(0.003, beta_1=0.8, epsilon=1e-8)
    chosen = {"max_iter": 10, "random_state": 0}
    found = MLPClassifier(optimizer=adam, **chosen).fit(X, Y)
    same_weights(found, MLPClassifier(learning_rate_init=0.003, beta_1=0.8, **chosen).fit(X, Y))
    assert adam.iterations == 0
    for optimizer in ("adamw", "rmsprop", fd.optimizers.Adagrad(0.1), fd.optimizers.SGD(0.1, clipnorm=0.5)):
        assert MLPClassifier(optimizer=optimizer, max_iter=50, random_state=0).fit(X, Y).score(X, Y) > 0.6
    with pytest.raises(ValueError, match="exclude each other"):
        MLPClassifier(optimizer="adamw", solver="lbfgs").fit(X, Y)


def test_a_schedule_goes_on_over_calls():
    steps = []

    def rate(step):
        steps.append(step)
        return 0.01 / (1 + step)

    model = MLPClassifier(optimizer=fd.optimizers.SGD(rate), batch_size=50, max_iter=2).fit(X, Y)
    model.partial_fit(X, Y)
    assert steps == list(range(9))


def test_the_weight_decay_follows_its_schedule():
    def fitted(decay):
        optimizer = fd.optimizers.Adam(0.01, weight_decay=decay)
        return MLPClassifier(optimizer=optimizer, batch_size=50, max_iter=2, random_state=0).fit(X, Y)

    same_weights(fitted(lambda step: 0.5), fitted(0.5))
    seen = []
    fitted(lambda step: seen.append(step) or 0.5)
    assert seen == list(range(6))


def test_gradients_are_clipped():
    chosen = {
        "solver": "sgd",
        "momentum": 0.0,
        "learning_rate_init": 1.0,
        "max_iter": 1,
        "random_state": 0,
        "alpha": 0.0,
    }
    model = MLPRegressor(global_clipnorm=1e-3, warm_start=True, **chosen).fit(X, Y)
    before = [array.copy() for array in (*model.coefs_, *model.intercepts_)]
    model.fit(X, Y)
    after = [*model.coefs_, *model.intercepts_]
    moved = sum(float(((a - b) ** 2).sum()) for a, b in zip(after, before, strict=True))
    assert_within(np.sqrt(moved), 1e-3, 1e-6)
    clips = fd.optimizers.SGD(clipnorm=1.0)
    with pytest.raises(ValueError, match="clips gradients already"):
        MLPRegressor(optimizer=clips, global_clipnorm=1.0).fit(X, Y)


def test_losses_of_the_regressor():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2000, 1))
    y = x[:, 0] + rng.exponential(1.0, 2000)  # mean x + 1, median x + log 2, 0.9 quantile x + log 10
    y[:20] = 500.0
    chosen = {
        "hidden_layer_sizes": (8,),
        "max_iter": 300,
        "random_state": 0,
        "learning_rate_init": 0.01,
        "tol": 0.0,
    }
    for parameters, expected, bound in (
        ({"loss": "absolute_error"}, np.log(2), 0.1),
        ({"loss": "quantile", "quantile": 0.5}, np.log(2), 0.1),
        ({"loss": "quantile", "quantile": 0.9}, np.log(10), 0.35),
        ({"loss": "huber", "delta": 0.1}, np.log(2), 0.15),
    ):
        model = MLPRegressor(**parameters, **chosen).fit(x, y)
        assert_within(model.predict([[0.0]]), [expected], bound)
    assert abs(MLPRegressor(**chosen).fit(x, y).predict([[0.0]])[0] - 1) > 2  # drawn off by the outliers


def test_poisson_takes_counts():
    with pytest.raises(ValueError, match="targets of at least 0, but y holds -1"):
        MLPRegressor("poisson").fit(X, Y - 1.0)


def test_label_smoothing_bounds_the_certainty():
    for y in (Y, Y > 0):
        sure = MLPClassifier(max_iter=300, random_state=0, learning_rate_init=0.02).fit(X, y)
        unsure = MLPClassifier(
            max_iter=300, random_state=0, learning_rate_init=0.02, label_smoothing=0.4
        ).fit(X, y)
        assert sure.predict_proba(X).max() > 0.99
        assert np.median(unsure.predict_proba(X).max(axis=1)) < 0.9
        assert unsure.score(X, y) > 0.9


def test_training_ends_in_time():
    rng = np.random.default_rng(0)
    big = rng.normal(size=(20_000, 100))
    for solver in ("adam", "lbfgs"):
        model = MLPRegressor(
            hidden_layer_sizes=(256, 128), solver=solver, max_time=0.3, max_iter=10_000, tol=0
        )
        clock = time.monotonic()
        with pytest.warns(match="Maximum time|failed to converge"):
            model.fit(big, big[:, 0] ** 2)
        assert time.monotonic() - clock < 30  # it would be minutes
        assert np.isfinite(model.predict(big[:5])).all()
        assert model.n_iter_ >= 1


def test_threads_are_limited_and_change_no_bit():
    seen = []

    class Watch(fd.optimizers.SGD):
        def rates(self, first_step, steps):
            seen.append(fd.get_threads())
            return super().rates(first_step, steps)

    before = fd.get_threads()
    one = MLPClassifier(optimizer=Watch(0.1), n_threads=1, max_iter=2, random_state=0).fit(X, Y)
    assert set(seen) == {1}
    assert fd.get_threads() == before
    same_weights(one, MLPClassifier(optimizer=Watch(0.1), max_iter=2, random_state=0).fit(X, Y))
    assert_within(one.predict_proba(X), one.set_params(n_threads=None).predict_proba(X), 0.0)


def test_an_engine_that_is_not_there():
    with pytest.raises(ValueError, match="The 'engine' parameter of MLPClassifier must be"):
        MLPClassifier(engine="abacus").fit(X, Y)


def test_dtypes():
    for dtype, given, expected in (
        ("float32", np.float64, "float32"),
        ("float64", np.float32, "float64"),
        ("auto", np.float32, "float32"),
        ("auto", np.float64, "float64"),
        ("auto", np.int64, "float64"),
    ):
        model = MLPRegressor(dtype=dtype, max_iter=2).fit((10 * X).astype(given), Y)
        assert {a.dtype.name for a in (*model.coefs_, *model.intercepts_)} == {expected}
        assert model.predict((10 * X).astype(given)).dtype == expected
    assert MLPRegressor(solver="lbfgs", max_iter=2).fit(X, Y).coefs_[0].dtype == np.float64


def test_a_fit_that_diverges_says_when_and_keeps_good_weights():
    model = MLPRegressor(
        solver="sgd", activation="identity", learning_rate_init=10, max_iter=50, random_state=0
    )
    with pytest.raises(ValueError, match=r"non-finite parameter weights.*The loss of epoch \d+ is"):
        model.fit(1e3 * X, 1e3 * Y)
    assert np.isfinite(model.coefs_[0]).all()


def test_interrupted_training_is_kept():
    class Interrupting(fd.optimizers.SGD):
        def rates(self, first_step, steps):
            if first_step >= 3:
                raise KeyboardInterrupt
            return super().rates(first_step, steps)

    model = MLPClassifier(optimizer=Interrupting(0.1), random_state=0)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model.fit(X, Y)
    assert model.n_iter_ == 3
    same_weights(model, MLPClassifier(optimizer=fd.optimizers.SGD(0.1), max_iter=3, random_state=0).fit(X, Y))


def test_the_validation_loss_of_several_outputs_is_their_mean():
    y = data.Y_THREE[:150]
    model = MLPRegressor(max_iter=3, random_state=0).fit(X, y, X_val=X, y_val=y)
    assert_within(model.validation_loss_curve_[-1], 0.5 * ((model.predict(X) - y) ** 2).mean(), 1e-6)


def test_time_runs_out_within_an_epoch():
    """Of one step a row: at 100 nanoseconds each it would still take longer."""
    rows = np.random.default_rng(0).normal(size=(400_000, 4))
    model = MLPRegressor(batch_size=1, max_time=0.02, max_iter=1, hidden_layer_sizes=(8,), random_state=0)
    model.fit(rows, rows[:, 0])
    assert 0 < model.t_ < len(rows)
    assert np.isfinite(model.loss_)


def test_prediction_is_limited_to_its_threads(monkeypatch):
    asked, at_most = [], fd.engines.at_most

    def recorded(threads):
        asked.append(threads)
        return at_most(threads)

    model = MLPRegressor(max_iter=2, n_threads=1, random_state=0).fit(X, Y)
    monkeypatch.setattr(fd.engines, "at_most", recorded)
    model.predict(X)
    assert asked == [1]
