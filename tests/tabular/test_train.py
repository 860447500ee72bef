"""Training on tables: what is held out, what is kept, and what comes back."""

import importlib

import numpy as np
import pandas as pd
import polars as pl
import pytest

import fastdense as fd
from fastdense.errors import TableError, TableWarning
from fastdense.tabular import (
    Recipe,
    evaluate_table,
    kept_epoch,
    predict_table,
    train_table,
)
from fastdense.tabular.best import BestEpoch
from tests.compare import assert_within

SMALL = Recipe(hidden=(32,), epochs=40)


def flowers(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, rows)
    return {
        "length": kind * 2.0 + rng.normal(0, 0.3, rows),
        "width": rng.normal(0, 1, rows),
        "colour": np.array(["red", "blue"])[kind % 2],
        "name": np.array(["iris", "rose", "lily"])[kind],
    }


def houses(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    size = rng.uniform(50, 150, rows)
    return {"size": size, "price": 1000.0 * size + rng.normal(0, 500, rows)}


def test_labels_and_probabilities_come_back():
    model = train_table(flowers(), "name", recipe=SMALL, seed=0, verbose=0)
    values, probabilities = predict_table(model, flowers(seed=1))
    assert np.mean(np.array(values) == flowers(seed=1)["name"]) > 0.95
    assert probabilities.shape == (200, 3)
    best = [model.table.classes[i] for i in probabilities.argmax(axis=1)]
    assert values == best


def test_the_model_predicts_raw_rows_after_loading(tmp_path):
    model = train_table(flowers(), "name", recipe=SMALL, seed=0, verbose=0)
    model.save(tmp_path / "m.safetensors")
    loaded = fd.load(tmp_path / "m.safetensors")
    frame = pd.DataFrame(flowers(seed=1))
    np.testing.assert_array_equal(loaded.predict(frame), model.predict(frame))
    assert predict_table(loaded, pl.from_pandas(frame)).values == predict_table(model, frame).values


@pytest.mark.parametrize("library", [dict, pd.DataFrame, pl.DataFrame])
def test_every_kind_of_frame_trains_the_same_model(library):
    model = train_table(library(flowers()), "name", recipe=SMALL, seed=0, verbose=0)
    plain = train_table(flowers(), "name", recipe=SMALL, seed=0, verbose=0)
    for ours, theirs in zip(model.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_quantities_come_back_in_their_own_units():
    model = train_table(houses(), "price", recipe=Recipe(hidden=(16,)), seed=0, verbose=0)
    values, probabilities = predict_table(model, houses(seed=1))
    assert probabilities is None
    truth = houses(seed=1)["price"]
    assert np.sqrt(np.mean((values - truth) ** 2)) < 0.2 * truth.std()


def test_numbers_of_an_evaluation_are_those_of_the_predictions():
    model = train_table(flowers(), "name", recipe=SMALL, seed=0, verbose=0)
    frame = flowers(seed=2)
    values, probabilities = predict_table(model, frame)
    numbers = evaluate_table(model, frame)
    truth = np.array([model.table.classes.index(name) for name in frame["name"]])
    assert numbers["accuracy"] == np.mean(np.array(values) == frame["name"])
    expected = -np.log(probabilities[np.arange(200), truth]).mean()
    assert_within(np.array(numbers["log loss"]), np.array(expected, dtype=np.float64), 1e-5)
    assert set(numbers) == {"accuracy", "log loss"}


def test_two_classes_have_an_area_under_the_curve():
    frame = flowers()
    frame["name"] = np.where(frame["name"] == "iris", "yes", "no")
    model = train_table(frame, "name", recipe=SMALL, seed=0, verbose=0)
    assert evaluate_table(model, frame)["auc"] > 0.99


def test_numbers_of_a_regression_by_hand():
    model = train_table(houses(), "price", recipe=SMALL, seed=0, verbose=0)
    frame = houses(seed=3)
    errors = predict_table(model, frame).values - frame["price"]
    numbers = evaluate_table(model, frame)
    assert_within(np.array(numbers["rmse"]), np.sqrt(np.mean(errors**2)), 1e-6 * numbers["rmse"])
    assert_within(np.array(numbers["mae"]), np.mean(np.abs(errors)), 1e-6 * numbers["mae"])
    assert_within(np.array(numbers["r2"]), 1 - np.mean(errors**2) / frame["price"].var(), 1e-6)


@pytest.mark.parametrize(("target", "frame"), [("name", flowers(60)), ("price", houses(60))])
def test_the_best_epoch_on_the_held_out_rows_is_kept(target, frame):
    seen = []

    class Weights(fd.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.get_weights())

    model = train_table(frame, target, recipe=SMALL, validation=0.4, seed=3, verbose=0, callbacks=[Weights()])
    assert len(seen) == SMALL.epochs
    for ours, theirs in zip(model.weights, seen[kept_epoch(model)], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("validation", [0.0, 0.4])
def test_among_epochs_of_equal_accuracy_the_surest_is_kept(validation):
    x = np.concatenate([np.linspace(-2, -1, 30), np.linspace(1, 2, 30)])
    frame = {"x": x, "y": ["no"] * 30 + ["yes"] * 30}
    model = train_table(
        frame, "y", recipe=Recipe((16,), epochs=60, dropout=0.0), validation=validation, seed=0, verbose=0
    )
    prefix = "val_" if validation else ""
    accuracies, losses = (model.history.history[f"{prefix}{name}"] for name in ("accuracy", "loss"))
    best = [epoch for epoch, accuracy in enumerate(accuracies) if accuracy == max(accuracies)]
    assert len(best) > 1
    assert kept_epoch(model) == min(best, key=losses.__getitem__) != best[0]


@pytest.mark.parametrize("validation", [0.0, 0.5])
def test_a_row_more_that_is_right_counts_more_than_any_loss(validation):
    """The kept epoch has the highest accuracy, though its loss is not the smallest."""
    rng = np.random.default_rng(0)
    frame = {"x": rng.normal(size=80), "y": rng.choice(["no", "yes"], 80)}
    recipe = Recipe((64,), epochs=60, learning_rate=0.05)
    model = train_table(frame, "y", recipe=recipe, validation=validation, seed=1, verbose=0)
    prefix = "val_" if validation else ""
    accuracies, losses = (model.history.history[f"{prefix}{name}"] for name in ("accuracy", "loss"))
    assert accuracies[kept_epoch(model)] == max(accuracies)
    if validation:
        assert losses[kept_epoch(model)] > min(losses)


@pytest.mark.parametrize("rows", [10, 1000])
def test_one_row_outweighs_the_largest_loss(rows):
    best = BestEpoch("val_", rows, 9)
    more = best.read({"val_accuracy": 6 / rows, "val_loss": float("inf")})
    assert more > best.read({"val_accuracy": 5 / rows, "val_loss": 0.0})


def test_a_loss_that_is_no_number_is_the_largest():
    def broken(epoch, logs):
        logs["val_loss"] = float("nan") if epoch != 2 else 9.0
        logs["val_accuracy"] = 0.5

    breaks = fd.callbacks.LambdaCallback(on_epoch_end=broken)
    best = BestEpoch("val_", 10, 9)
    model = fd.Sequential([fd.Input((1,)), fd.Dense(1)], seed=0)
    model.compile("sgd", "mean_squared_error")
    model.fit([[1.0]], [1.0], epochs=4, verbose=0, callbacks=[breaks, best])
    assert best.restored_epoch == 2


def test_nothing_held_out_still_trains():
    model = train_table(flowers(), "name", recipe=SMALL, validation=0.0, seed=0, verbose=0)
    assert "val_loss" not in model.history.history


def test_a_class_of_one_row_is_trained_on():
    frame = flowers(60)
    frame["name"][0] = "lone"
    with pytest.warns(TableWarning, match="class 'lone' has one row only"):
        model = train_table(frame, "name", recipe=SMALL, validation=0.5, seed=0, verbose=0)
    assert "lone" in model.table.classes


def test_unknown_categories_and_missing_values_are_predicted():
    model = train_table(flowers(), "name", recipe=SMALL, seed=0, verbose=0)
    odd = {"length": [None, 2.0], "width": [0.0, float("nan")], "colour": ["green", None]}
    with pytest.warns(TableWarning, match="column 'colour': 100% of the values are unknown to the model"):
        assert np.isfinite(predict_table(model, odd).probabilities).all()


def test_a_recipe_checks_its_numbers():
    for wrong in (
        {"hidden": (0,)},
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"dropout": 1.0},
        {"batch_size": 0},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong)).replace("hidden", "hidden layer")):
            Recipe(**wrong)


def test_batches_grow_with_the_table():
    assert [Recipe().rows_a_step(rows) for rows in (10, 1000, 4000, 10**6)] == [32, 32, 128, 256]
    assert Recipe(batch_size=7).rows_a_step(10**6) == 7


def test_small_tables_are_gone_through_more_often():
    assert [Recipe().times(rows) for rows in (10, 320, 1000, 10**6)] == [500, 200, 63, 60]
    assert Recipe(epochs=7).times(10) == 7


def test_mistakes_are_named():
    with pytest.raises(TableError, match="did you mean 'name'"):
        train_table(flowers(), "nam", verbose=0)
    with pytest.raises(TableError, match="one class"):
        train_table({"x": [1, 2, 3], "y": ["a", "a", "a"]}, "y", verbose=0)
    plain = fd.Sequential([fd.Input((2,)), fd.Dense(1)])
    with pytest.raises(TableError, match="not trained on a table"):
        predict_table(plain, flowers())


def test_the_learner_keeps_its_former_name():
    former = importlib.import_module("fastdense.estimators.table")
    assert former.train_table is train_table
