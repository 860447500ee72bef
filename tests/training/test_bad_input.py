"""What cannot be trained on: an error of its own kind, before anything is trained or changed."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import DtypeError, NonFiniteError, NotBuiltError, ShapeError
from tests.training.networks import binary, classes, classifier, regressor, softmax, weights

X, y = binary()
HOLED, ENDLESS = X.copy(), X.copy()
HOLED[4, 1], ENDLESS[2, 0] = np.nan, -np.inf


def with_value(value, row=5):
    """Return the targets with another one in a row."""
    changed = y.astype(np.float64)
    changed[row] = value
    return changed


def refuses(model, kind, match, *data, **arguments):
    """Check that every method refuses the data with that error, leaving the model as it was."""
    before, steps = weights(model), model.optimizer.iterations
    for method in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        silent = {} if "batch" in method.__name__ else {"verbose": 0}
        with pytest.raises(kind, match=match) as error:
            method(*data, **silent, **arguments)
        assert type(error.value) is kind
    assert weights(model) == before
    assert model.optimizer.iterations == steps


@pytest.mark.parametrize(
    ("bad", "kind", "match"),
    [
        (X[:, :2], ShapeError, "X has 2 columns but W has 3 rows"),
        (X[0], ShapeError, r"X must be a matrix"),
        (X[np.newaxis], ShapeError, r"X must be a matrix"),
        (3.0, ShapeError, r"X must be a matrix"),
        (X[:0], ShapeError, "X has no rows"),
        ([], ShapeError, "X must be a matrix"),
        ([[1, 2, 3], [4, 5]], ShapeError, "X is ragged"),
        (HOLED, NonFiniteError, "X holds nan at row 4, column 1"),
        (ENDLESS, NonFiniteError, "X holds -inf at row 2, column 0"),
        (
            np.full((40, 3), 1e39),
            NonFiniteError,
            "X holds 1e.39 at row 0, column 0, which is too",
        ),
        (X.astype(str), DtypeError, "X must hold real numbers, got dtype <U"),
        (
            X.astype(str).astype(object),
            DtypeError,
            "X must hold .* there is '0.001.* at row 0",
        ),
        (X.astype(complex), DtypeError, "X must hold real numbers, got dtype complex"),
        (X.astype("datetime64[s]"), DtypeError, "X must hold real numbers, got dtype datetime64"),
        (X.astype("timedelta64[s]"), DtypeError, "X must hold real numbers, got dtype timedelta64"),
        (None, DtypeError, "X must hold real numbers, but there is None: "),
    ],
)
def test_inputs(bad, kind, match):
    refuses(classifier(), kind, match, bad, y)


@pytest.mark.parametrize(
    ("bad", "kind", "match"),
    [
        (y[:39], ShapeError, "X has 40 rows but y has 39"),
        (1.0, ShapeError, "X has 40 rows but y has no"),
        (y[:0], ShapeError, "X has 40 rows but y has 0"),
        (np.c_[y, y], ShapeError, r"1 outputs a row but y has shape \(40, 2\)"),
        (y[:, None, None], ShapeError, r"y has shape \(40, 1, 1\)"),
        ([[1.0]] * 39 + [[1.0, 2.0]], ShapeError, "y is ragged"),
        (with_value(np.nan), NonFiniteError, "y holds nan at row 5"),
        (with_value(np.inf), NonFiniteError, "y holds inf at row 5"),
        (y.astype(str), DtypeError, "y must hold real numbers, got dtype <U.*np.unique"),
        (y.astype(str).astype(object), DtypeError, "y must hold real numbers, but there is '0.0' at row 0"),
        (
            with_value(-1e39),
            NonFiniteError,
            "y holds -1e.39 at row 5(, column 0)?, which is too large for float32",
        ),
        (y.astype(complex), DtypeError, "y must hold real numbers, got dtype complex"),
        (y.astype("datetime64[D]"), DtypeError, "y must hold real numbers, got dtype datetime64"),
    ],
)
def test_targets_of_any_loss(bad, kind, match):
    for model in (regressor(), classifier(), regressor(loss="poisson"), regressor(loss="huber")):
        refuses(model, kind, match, X, bad)


def test_a_target_too_large_for_the_dtype():
    refuses(
        regressor(),
        NonFiniteError,
        "y holds 1e.39 at row 5, column 0, which is too large for float32",
        X,
        with_value(1e39),
    )


@pytest.mark.parametrize("value", [-0.1, 1.1, 2.0, -1.0])
def test_targets_of_cross_entropies_are_from_0_to_1(value):
    match = rf"takes targets from 0 to 1, but y\[5, 0\] is {value:g}"
    refuses(classifier(), ValueError, match, X, with_value(value))
    rows = np.full((40, 3), 0.3)
    rows[7, 2] = value
    refuses(softmax("categorical_crossentropy"), ValueError, r"from 0 to 1, but y\[7, 2\]", X, rows)


def test_targets_of_poisson_are_not_negative():
    refuses(regressor(loss="poisson"), ValueError, r"at least 0, but y\[5, 0\] is -1", X, with_value(-1.0))


@pytest.mark.parametrize(
    ("value", "kind", "match"),
    [
        (3, ValueError, r"class numbers go from 0 to 2, but y\[5\] is 3"),
        (-1, ValueError, r"class numbers go from 0 to 2, but y\[5\] is -1"),
        (1.5, DtypeError, r"class numbers must be whole, but y\[5\] is 1.5"),
        (np.nan, NonFiniteError, "y holds nan at row 5"),
    ],
)
def test_class_numbers(value, kind, match):
    refuses(softmax(), kind, match, X, with_value(value))


def test_one_hot_rows_and_class_numbers_in_each_others_place():
    _, numbers = classes()
    one_hot = np.eye(3)[numbers]
    refuses(softmax(), ShapeError, "for one-hot rows use categorical_crossentropy", X, one_hot)
    numbered = softmax("categorical_crossentropy")
    refuses(numbered, ShapeError, "for class numbers use sparse_categorical_crossentropy", X, numbers)
    refuses(numbered, ShapeError, r"y must have 3 columns, or the last layer 2 units", X, one_hot[:, :2])


def test_class_numbers_need_an_output_a_class():
    model = regressor(loss="sparse_categorical_crossentropy")
    refuses(model, ShapeError, "needs one output a class, at least 2, but the network has 1", X, y)


@pytest.mark.parametrize(
    ("bad", "kind", "match"),
    [
        (np.ones(39), ShapeError, r"one number per row, shape \(40,\), got \(39,\)"),
        (np.ones((40, 2)), ShapeError, r"one number per row, shape \(40,\), got \(40, 2\)"),
        (2.0, ShapeError, r"one number per row, shape \(40,\), got \(\)"),
        (with_value(-0.5), ValueError, "must not be negative, but row 5 is"),
        (with_value(np.nan), NonFiniteError, "sample_weight holds nan at row 5"),
        (with_value(np.inf), NonFiniteError, "sample_weight holds inf at row 5"),
        (with_value(1e39), NonFiniteError, "sample_weight holds 1e.39 at row 5, which is too large"),
        (np.full(40, "a"), DtypeError, "sample_weight must hold real numbers"),
        (np.full(40, None), DtypeError, "sample_weight must hold real numbers"),
    ],
)
def test_sample_weights(bad, kind, match):
    refuses(classifier(), kind, match, X, y, sample_weight=bad)


def fit_refuses(kind, match, **arguments):
    """Check that fit refuses an argument, leaving the model as it was."""
    model = classifier()
    before = weights(model)
    with pytest.raises(kind, match=match):
        model.fit(X, y, **{"verbose": 0, **arguments})
    assert weights(model) == before
    assert model.optimizer.iterations == 0


@pytest.mark.parametrize(
    ("bad", "kind", "match"),
    [
        ({0: -1.0}, ValueError, r"class_weight\[0\] must be"),
        ({0: np.nan}, ValueError, r"class_weight\[0\] must be"),
        ({0: np.inf}, ValueError, r"class_weight\[0\] must be"),
        ({0: "heavy"}, TypeError, r"class_weight\[0\] must be a number, got 'heavy'"),
        ({0: None}, TypeError, r"class_weight\[0\] must be a number, got None"),
        ({"cat": 1.0}, TypeError, "a class number in class_weight must be a number, got 'cat'"),
        ({-1: 1.0}, ValueError, "a class number in class_weight must be"),
        ([1.0, 2.0], TypeError, "class_weight must map class numbers to weights"),
        ("balanced", TypeError, "class_weight must map class numbers to weights"),
    ],
)
def test_class_weight(bad, kind, match):
    fit_refuses(kind, match, class_weight=bad)


@pytest.mark.parametrize(
    ("bad", "kind", "match"),
    [
        ((X,), ValueError, r"must be \(X, y\) or \(X, y, sample_weight\)"),
        ((X, y, None, None), ValueError, r"must be \(X, y\) or \(X, y, sample_weight\)"),
        (X, ValueError, r"must be \(X, y\) or \(X, y, sample_weight\)"),
        ((X[:, :2], y), ShapeError, "the validation data's X has 2 columns"),
        ((X, y[:3]), ShapeError, "X has 40 rows but the validation data's y has 3"),
        ((X[:0], y[:0]), ShapeError, "the validation data's X has no rows"),
        ((HOLED, y), NonFiniteError, "the validation data's X holds nan at row 4, column 1"),
        ((X, with_value(np.nan)), NonFiniteError, "the validation data's y holds nan at row 5"),
        ((X, with_value(7)), ValueError, r"but the validation data's y\[5, 0\] is 7"),
        ((X, y, with_value(-1)), ValueError, "validation data's sample_weight must not be negative"),
        ((X.astype(str), y), DtypeError, "the validation data's X must hold real numbers"),
    ],
)
def test_validation_data(bad, kind, match):
    fit_refuses(kind, match, validation_data=bad)


@pytest.mark.parametrize(
    ("arguments", "kind", "match"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"batch_size": -3}, ValueError, "batch_size must be at least 1"),
        ({"batch_size": 2.0}, TypeError, "batch_size must be a whole number, got 2.0"),
        ({"batch_size": True}, TypeError, "batch_size must be a whole number"),
        ({"epochs": -1}, ValueError, "epochs must be at least 0, got -1"),
        ({"epochs": 1.5}, TypeError, "epochs must be a whole number"),
        ({"epochs": "3"}, TypeError, "epochs must be a whole number"),
        ({"initial_epoch": -1}, ValueError, "initial_epoch must be at least 0"),
        ({"initial_epoch": None}, TypeError, "initial_epoch must be a whole number"),
        ({"verbose": 3}, ValueError, "verbose must be 'auto', 0, 1 or 2, got 3"),
        ({"verbose": "loud"}, ValueError, "verbose must be"),
        ({"verbose": True}, ValueError, "verbose must be"),
        ({"verbose": None}, ValueError, "verbose must be"),
        ({"shuffle": "yes"}, TypeError, "shuffle must be True or False, got 'yes'"),
        ({"shuffle": 1}, TypeError, "shuffle must be True or False"),
        ({"validation_split": 1.0}, ValueError, "validation_split must be finite and below 1 and at least 0"),
        ({"validation_split": -0.1}, ValueError, "validation_split must be"),
        ({"validation_split": np.nan}, ValueError, "validation_split must be"),
        ({"validation_split": "0.1"}, TypeError, "validation_split must be a number"),
        ({"validation_split": 0.99}, ValueError, "of 40 rows leaves one side without any"),
        ({"callbacks": "history"}, TypeError, "callbacks must be fastdense.callbacks.Callback objects"),
        ({"callbacks": [fd.callbacks.History]}, TypeError, "callbacks must be fastdense.callbacks.Callback"),
        ({"callbacks": [print]}, TypeError, "callbacks must be fastdense.callbacks.Callback"),
    ],
)
def test_arguments_of_fit(arguments, kind, match):
    fit_refuses(kind, match, **arguments)


def test_one_row_cannot_be_split():
    model = classifier()
    with pytest.raises(ValueError, match="of 1 rows leaves one side without any"):
        model.fit(X[:1], y[:1], validation_split=0.5, verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_uncompiled(method):
    model = fd.Sequential([fd.Input((3,)), fd.Dense(1)], seed=0)
    with pytest.raises(NotBuiltError, match="call compile"):
        getattr(model, method)(X, y)
    assert model.predict(X).shape == (40, 1)


@pytest.mark.parametrize(
    ("arguments", "kind", "match"),
    [
        ({"loss": None}, ValueError, "compile needs a loss"),
        ({"loss": "hinge"}, ValueError, "unknown loss 'hinge': use Binary.*; known: binary_crossentropy"),
        ({"loss": 3}, TypeError, "loss.*one of fastdense's own objects"),
        ({"loss": lambda y, p: 0.0}, TypeError, "loss.*one of fastdense's own objects"),
        ({"optimizer": "adamax"}, ValueError, "unknown optimizer 'adamax': use Adam .*; known: sgd"),
        ({"optimizer": None}, TypeError, "optimizer.*one of fastdense's own objects"),
        ({"optimizer": fd.optimizers.Adam}, TypeError, "optimizer.*one of fastdense's own objects"),
        ({"optimizer": fd.losses.Huber()}, TypeError, "optimizer.*one of fastdense's own objects"),
        ({"metrics": ["speed"]}, ValueError, "unknown metric 'speed'; known: binary_accuracy"),
        ({"metrics": [3]}, TypeError, "metric.*one of fastdense's own objects"),
        (
            {"metrics": "accuracy"},
            TypeError,
            r"metrics must be a list, such as \['accuracy'\], got 'accuracy'",
        ),
        ({"metrics": 3}, TypeError, "metrics must be a list"),
        ({"weighted_metrics": "mse"}, TypeError, "weighted_metrics must be a list"),
        ({"weighted_metrics": [None]}, TypeError, "metric.*one of fastdense's own objects"),
    ],
)
def test_arguments_of_compile(arguments, kind, match):
    """What was compiled before stays compiled."""
    model = classifier(metrics=["accuracy"])
    model.fit(X, y, verbose=0)
    before, optimizer = model.evaluate(X, y, verbose=0), model.optimizer
    with pytest.raises(kind, match=match):
        model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    assert model.evaluate(X, y, verbose=0) == before
    assert model.optimizer is optimizer
    assert optimizer.iterations == 2


@pytest.mark.parametrize("bad", [HOLED[:, :2], X[0], X.astype(str), X.astype(complex), None])
def test_prediction_refuses_what_training_does(bad):
    with pytest.raises((ShapeError, DtypeError)):
        classifier().predict(bad)
