"""Which rows of a table train, choose the epoch and test; which are left out, and what each is called."""

import os
import signal
import warnings

import numpy as np
import pandas as pd
import pytest

import fastdense as fd
from fastdense.errors import TableError, TableWarning
from fastdense.tabular import (
    Interrupted,
    Recipe,
    evaluate_table,
    evaluate_test,
    kept_epoch,
    predict_table,
    train_table,
)
from tests.tabular.test_train import flowers, houses

TINY = Recipe(hidden=(8,), epochs=3)


def trained(frame, target, **options):
    return train_table(frame, target, **{"recipe": TINY, "seed": 0, "verbose": 0, **options})


def some(frame, rows):
    return {name: np.asarray(column)[rows] for name, column in frame.items()}


@pytest.fixture(scope="module")
def model():
    return trained(flowers(), "name", test=0.2)


@pytest.mark.parametrize("library", [dict, pd.DataFrame])
@pytest.mark.parametrize("wrong", range(0, 60, 7))
def test_errors_name_the_row_of_the_frame_that_was_given(library, wrong):
    """Wherever the row falls: trained on, choosing the epoch or testing; after rows without a target."""
    frame = {**flowers(60), "size": np.arange(60).astype(object) / 7}
    frame["size"][wrong] = float("inf")
    frame["name"] = frame["name"].astype(object)
    frame["name"][[3, 5]] = None
    with pytest.warns(TableWarning, match=r"no value in 2 of 60 rows.*\(rows 4, 6\)"):  # noqa: SIM117
        with pytest.raises(TableError, match=f"column 'size', row {wrong + 1}: "):
            trained(library(frame), "name", validation=0.3, test=0.3, types={"size": "number"})


def test_a_target_that_is_no_number_is_named_by_its_row():
    prices = trained(houses(40), "price")
    frame = {**houses(6), "price": ["1", "", "3", "dear", "5", "6"]}
    with pytest.raises(TableError, match="column 'price', row 4: 'dear'"):
        evaluate_table(prices, frame)
    with pytest.raises(TableError, match="column 'size', row 3: the number is infinite"):  # noqa: SIM117
        with pytest.warns(TableWarning, match="row 2"):
            evaluate_table(prices, {"size": [1.0, 2.0, np.inf], "price": [1.0, None, 3.0]})


@pytest.mark.parametrize(("frame", "target"), [(flowers(60), "name"), (houses(60), "price")])
def test_rows_without_a_target_are_left_out_and_counted(frame, target):
    holes = {name: np.array(column, dtype=object) for name, column in frame.items()}
    holes[target][[2, 50]] = [None, ""]
    with pytest.warns(TableWarning, match=rf"target '{target}': no value in 2 of 60 rows.*\(rows 3, 51\)"):
        found = trained(holes, target)
    rest = [row for row in range(60) if row not in (2, 50)]
    same = trained(some(frame, rest), target)
    for ours, theirs in zip(found.weights, same.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.warns(TableWarning, match="left out"):
        assert evaluate_table(found, holes) == evaluate_table(found, some(frame, rest))


def test_a_table_without_any_target_is_refused():
    with pytest.raises(TableError, match="target 'y' has no value in any row"):
        trained({"x": [1.0, 2.0], "y": [None, ""]}, "y")


def test_labels_that_were_never_seen_count_as_wrong(model):
    frame = flowers(50, seed=1)
    known = evaluate_table(model, frame)
    frame["name"] = frame["name"].astype(object)
    frame["name"][[4, 9]] = ["tulip", "daisy"]
    rest = [row for row in range(50) if row not in (4, 9)]
    words = "2 of 50 rows have labels that the model was not trained on, 'tulip', 'daisy': .* other 48 rows"
    with pytest.warns(TableWarning, match=words):
        numbers = evaluate_table(model, frame)
    guesses = np.array(predict_table(model, frame).values)
    assert numbers["accuracy"] == np.mean(guesses == frame["name"]) < known["accuracy"] + 2 / 50
    assert numbers["log loss"] == evaluate_table(model, some(frame, rest))["log loss"]


def test_nothing_but_unknown_labels(model):
    with pytest.warns(TableWarning, match="5 of 5 rows have labels .*: they count as wrong$"):
        assert evaluate_table(model, {**flowers(5), "name": ["tulip"] * 5}) == {"accuracy": 0.0}


def test_rows_for_a_test_choose_nothing_and_change_nothing_else():
    """The rows that choose the epoch are the same with a test, and every class has its share in both."""
    frame = {**flowers(200), "row": np.arange(200) + 0.5}
    seen = {}
    for test in (0.0, 0.25):
        found = trained(frame, "name", validation=0.2, test=test, types={"row": "ignore"})
        seen[test] = found.run.given.validation_data
    for k in range(2):  # scaled by the rows trained on, which are fewer; their order is the same
        orders = [np.argsort(X[:, k], kind="stable") for X, _ in seen.values()]
        np.testing.assert_array_equal(*orders)
    np.testing.assert_array_equal(seen[0.0][1], seen[0.25][1])
    counts = [np.sum(frame["name"] == name) for name in found.table.classes]
    np.testing.assert_array_equal(np.bincount(seen[0.25][1]), [round(0.2 * count) for count in counts])
    np.testing.assert_array_equal(np.bincount(found.run.test[1]), [round(0.25 * count) for count in counts])
    assert found.run.rows == 200 - len(found.run.test[1]) - len(seen[0.25][1])


def test_the_numbers_of_the_test_are_those_of_its_rows(model, tmp_path):
    numbers = evaluate_test(model)
    X, y = model.run.test
    assert numbers["accuracy"] == np.mean(model.predict(X).argmax(axis=1) == y)
    assert numbers["log loss"] > 0
    prices = trained(houses(), "price", test=0.2)
    X, y = prices.run.test
    errors = prices.table.unscale(prices.predict(X)) - prices.table.unscale(y)
    np.testing.assert_allclose(evaluate_test(prices)["mae"], np.abs(errors).mean(), rtol=1e-6)
    assert evaluate_test(trained(flowers(60), "name")) is None
    model.save(tmp_path / "m.safetensors")
    assert evaluate_test(fd.load(tmp_path / "m.safetensors")) is None


def test_the_same_call_holds_out_the_same_rows(model):
    again = trained(flowers(), "name", test=0.2)
    for ours, theirs in zip(again.run.test, model.run.test, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert "test=0.2" in again.run.call


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.0, 1.0), (0.2, -0.1)])
def test_shares_leave_rows_to_train_on(shares):
    with pytest.raises(ValueError, match=r"test"):
        trained(flowers(), "name", validation=shares[0], test=shares[1])


def test_the_task_found_in_all_rows_is_kept_for_those_trained_on():
    """Of 155 rows a fifth are distinct whole numbers: labels; of the 132 trained on they are more."""
    frame = {"x": np.linspace(0, 1, 150) % 0.3, "y": np.arange(150) % 30}
    assert trained(frame, "y").table.task == "classify"


@pytest.fixture
def ctrl_c():
    """Let Ctrl-C interrupt: a process that was started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Stop(fd.callbacks.Callback):
    """Presses Ctrl-C within an epoch."""

    def __init__(self, epoch):
        self.epoch, self.now = epoch, -1

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if self.now == self.epoch:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(("frame", "target"), [(flowers(60), "name"), (houses(60), "price")])
def test_ctrl_c_leaves_the_best_so_far_within_reach(frame, target):
    longer = Recipe(hidden=(8,), epochs=6)
    with pytest.raises(KeyboardInterrupt) as caught:
        trained(frame, target, recipe=longer, callbacks=[Stop(4)], test=0.2)
    assert isinstance(caught.value, Interrupted)
    model = caught.value.model
    seen = []
    keep = fd.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(whole.get_weights()))

    class Model(fd.callbacks.Callback):
        def on_train_begin(self, logs=None):
            nonlocal whole
            whole = self.model

    whole = None
    trained(frame, target, recipe=longer, callbacks=[Model(), keep], test=0.2)
    assert len(model.history.epoch) == 4
    for ours, theirs in zip(model.get_weights(), seen[kept_epoch(model)], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert evaluate_test(model) is not None
    assert "train_table" in model.run.call


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_in_the_first_epoch_is_an_ordinary_interrupt():
    with pytest.raises(KeyboardInterrupt) as caught:
        trained(flowers(60), "name", callbacks=[Stop(0)])
    assert not isinstance(caught.value, Interrupted)


def test_ordinary_tables_are_trained_on_without_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained(flowers(), "name", test=0.1)
        trained(houses(), "price", test=0.1)
