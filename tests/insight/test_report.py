"""What a report says of a run: the numbers and the notes."""

from __future__ import annotations

import copy
import importlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import NotBuiltError, ShapeError
from fastdense.insight.report import report
from tests.insight.fitted import CLASSES, LOSS, RNG, X, classifier, classifier_of_one_epoch


def test_the_rows_held_out_are_measured():
    model = classifier()
    model.fit(X, CLASSES, epochs=20, validation_split=0.2, verbose=0)
    found = report(model)
    (outcome,) = found.outcomes
    loss, accuracy = model.evaluate(X[240:], CLASSES[240:], verbose=0)
    assert found.measured == "60 rows held out"
    assert (found.rows, found.held_out, found.steps, found.epochs) == (240, 60, 8, tuple(range(1, 21)))
    assert outcome.accuracy == pytest.approx(accuracy)
    assert outcome.log_loss == pytest.approx(loss, rel=1e-5)
    assert outcome.labels == ("0", "1", "2")
    assert found.history == model.history.history
    assert len(model.history.seconds) == 20
    assert found.speed.seconds == sum(model.history.seconds) > 0
    assert found.notes == ()


def test_validation_data_are_measured_and_other_rows_where_they_are_given():
    model = classifier()
    model.fit(X, CLASSES, validation_data=(X[:50], CLASSES[:50]), verbose=0)
    assert report(model).outcomes[0].support.sum() == 50
    given = report(model, data=(X[:30], CLASSES[:30]))
    assert given.outcomes[0].support.sum() == 30
    assert given.measured == "30 rows given for it"


def test_rows_that_were_trained_on_flatter_and_that_is_said():
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    found = report(model)
    assert found.measured == "300 rows trained on"
    assert any("flatter" in note for note in found.notes)


def test_the_epoch_that_was_gone_back_to_is_named():
    model = classifier()
    stop = fd.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    model.compile(fd.optimizers.Adam(0.3), LOSS)
    model.fit(X, CLASSES, epochs=200, validation_split=0.2, verbose=0, callbacks=stop)
    found = report(model)
    assert found.kept == stop.best_epoch + 1 == int(np.argmin(found.history["val_loss"])) + 1
    assert f"Training ended after epoch {len(found.epochs)} of 200." in found.notes
    assert f"the weights of epoch {found.kept} kept" in str(found)


@pytest.mark.parametrize("from_logits", [False, True])
def test_an_answer_for_each_output(from_logits):
    y = (X[:, :2] > 0).astype(float)
    model = fd.Sequential([fd.Input((4,)), fd.Dense(2, "linear" if from_logits else "sigmoid")], seed=0)
    model.compile("sgd", fd.losses.BinaryCrossentropy(from_logits=from_logits), metrics=["accuracy"])
    model.fit(X, y, epochs=2, verbose=0)
    first, second = report(model).outcomes
    assert (first.name, second.name) == ("output 1", "output 2")
    assert np.mean([first.accuracy, second.accuracy]) == pytest.approx(model.evaluate(X, y, verbose=0)[1])


@pytest.mark.parametrize("from_logits", [False, True])
def test_an_answer_for_each_group_of_classes(from_logits):
    one_hot = np.eye(5)[CLASSES] + np.eye(5)[3 + (X[:, 2] > 0)]
    softmax = fd.activations.ActivationFunction("softmax", groups=(3, 2))
    model = fd.Sequential([fd.Input((4,)), fd.Dense(5, "linear" if from_logits else softmax)], seed=0)
    loss = fd.losses.CategoricalCrossentropy(from_logits=from_logits, groups=(3, 2))
    model.compile(fd.optimizers.Adam(0.1), loss)
    model.fit(X, one_hot, epochs=10, verbose=0)
    kinds, sizes = report(model).outcomes
    assert (kinds.name, len(kinds.labels), len(sizes.labels)) == ("question 1", 3, 2)
    assert min(kinds.accuracy, sizes.accuracy) > 0.8
    assert kinds.log_loss + sizes.log_loss == pytest.approx(model.evaluate(X, one_hot, verbose=0), rel=1e-5)


def test_quantities():
    y = X @ np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 0.0], [0.0, 3.0]])
    model = fd.Sequential([fd.Input((4,)), fd.Dense(2)], seed=0)
    model.compile(fd.optimizers.Adam(0.05), "mean_squared_error")
    model.fit(X, y, epochs=60, verbose=0)
    first, second = report(model).outcomes
    assert min(first.r2, second.r2) > 0.95
    assert np.square([first.rmse, second.rmse]).mean() == pytest.approx(
        model.evaluate(X, y, verbose=0), rel=1e-3
    )
    assert first.quantile is None


def test_a_quantile_is_held_against_what_it_should_be():
    model = fd.Sequential([fd.Input((4,)), fd.Dense(1)], seed=0)
    model.compile(fd.optimizers.Adam(0.02), fd.losses.Quantile(0.9))
    model.fit(X, RNG.normal(size=300), epochs=300, verbose=0)
    found = report(model)
    assert found.outcomes[0].below == pytest.approx(0.9, abs=0.03)
    assert "below, of 0.9 0." in str(found)


def test_tables_speak_their_own_words():
    table = pytest.importorskip("fastdense.tabular")
    price = 1000 + 50 * X[:, 0]
    frame = {"size": X[:, 0], "kind": np.where(X[:, 1] > 0, "<red>", "green"), "price": price}
    model = table.train_table(frame, "price", recipe=table.Recipe((8,), epochs=60), seed=0, verbose=0)
    found = model.report()
    assert found.outcomes[0].name == "price"
    assert found.outcomes[0].truth.mean() == pytest.approx(1000, abs=30)
    assert found.features == ("size", "kind=<red>", "kind=green")
    assert any("The curves are of 'price' less" in note for note in found.notes)
    assert model.report(data=frame).outcomes[0].rmse == pytest.approx(
        table.evaluate_table(model, frame)["rmse"]
    )
    model = table.train_table(frame, "kind", recipe=table.Recipe((8,), epochs=2), seed=0, verbose=0)
    assert model.report().outcomes[0].labels == ("<red>", "green")


def test_schedules_are_drawn_and_lowered_rates_come_from_the_history():
    model = classifier()
    schedule = fd.optimizers.schedules.CosineDecay(0.1, 30)
    model.compile(fd.optimizers.Adam(schedule), LOSS)
    model.fit(X, CLASSES, epochs=3, verbose=0)
    assert report(model).rates == tuple(schedule(step) for step in (0, 10, 20))
    assert report(classifier_of_one_epoch()).rates == ()


def test_it_is_printed_and_is_json():
    found = report(classifier_of_one_epoch())
    lines = str(found).splitlines()
    assert lines[0].startswith("Model 'three', trained 20")
    assert lines[1] == "300 rows; 1 epoch of 10 steps"
    assert any(line.startswith("  accuracy 0.") for line in lines)
    kept = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert kept["outcomes"][0]["confusion"] == found.outcomes[0].confusion.tolist()
    assert kept["layers"][0]["W"] is None
    assert kept["machine"]["engine"] == "native"


def test_float64_and_other_engines_are_timed_too():
    for settings in ({"dtype": "float64"}, {"engine": "array"}, {"engine": "reference"}):
        model = classifier(**settings)
        model.fit(X[:40], CLASSES[:40], verbose=0)
        speed = report(model).speed
        assert speed.percent_of_peak > 0
        # 4 * 8 + 8 * 3 weights: six operations each, but the gradient of the inputs, which nobody asks for.
        assert speed.gflops * 1e9 * speed.seconds == pytest.approx(40 * (6 * 56 - 2 * 32))


def test_another_library_has_no_peak():
    pytest.importorskip("torch")
    model = classifier(engine="torch")
    model.fit(X, CLASSES, verbose=0, validation_split=0.2)
    found = report(model)
    assert found.speed.percent_of_peak is None
    assert found.outcomes[0].support.sum() == 60


def test_there_must_be_a_run():
    model = classifier()
    with pytest.raises(NotBuiltError, match="no run to report on: call fit first"):
        model.report()
    model.fit(X, CLASSES, epochs=0, verbose=0)
    with pytest.raises(NotBuiltError, match="at least one epoch"):
        model.report()
    model.fit(X, CLASSES, verbose=0)
    with pytest.raises(NotBuiltError, match="call fit first"):
        copy.deepcopy(model).report()


def test_rows_that_are_none(tmp_path):
    model = classifier_of_one_epoch()
    with pytest.raises(ValueError, match=r"data must be \(X, y\)"):
        model.report(data=X)
    with pytest.raises(ValueError, match="the model has no table"):
        model.report(data={"a": [1.0]})
    with pytest.raises(ShapeError):
        model.report(data=(X[:, :3], CLASSES))
    with pytest.raises(ValueError, match=r"run\.txt: a page's name ends in \.html"):
        model.report(tmp_path / "run.txt")
    with pytest.raises(FileNotFoundError):
        model.report(tmp_path / "nowhere" / "run.html")


def test_an_interrupted_run_has_a_report():
    def stop(epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt

    model = classifier()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, CLASSES, epochs=9, verbose=0, callbacks=[fd.callbacks.LambdaCallback(on_epoch_end=stop)])
    assert report(model).notes[0] == f"Training ended after epoch {len(model.history.epoch)} of 9."


def test_no_rows_are_kept_but_those_that_are_measured():
    model = classifier()
    model.fit(X, CLASSES, validation_data=(X[:50], CLASSES[:50]), verbose=0)
    assert model.run.given.X is None
    model.run = None
    assert model.predict(X).shape == (300, 3)


def slope(weight, wrong):
    """A neuron with a very sure answer, and one row of 201 for which it is wrong."""
    rows = np.linspace(-1, 1, 201, dtype=np.float32)[:, None]
    y = (rows[:, 0] > 0).astype(float)
    y[wrong] = 1 - y[wrong]
    model = fd.Sequential([fd.Input((1,)), fd.Dense(1, "sigmoid")], seed=0)
    model.compile("sgd", "binary_crossentropy")
    model.fit(rows, y, verbose=0)
    model.set_weights([[[weight]], [0.0]])
    return model, model.evaluate(rows, y, verbose=0)


@pytest.mark.parametrize("weight", [1.0, 25.0, 300.0])
def test_the_log_loss_is_that_of_the_logits_whichever_class_is_wrong(weight):
    found = [slope(weight, wrong) for wrong in (0, -1)]
    losses = [report(model).outcomes[0].log_loss for model, _ in found]
    assert losses == pytest.approx([loss for _, loss in found])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_several_outputs_are_as_sure_as_a_float_may_be():
    model = fd.Sequential([fd.Input((1,)), fd.Dense(2, "sigmoid")], seed=0)
    model.compile("sgd", "binary_crossentropy")
    model.fit([[1.0]], [[0.0, 1.0]], verbose=0)
    model.set_weights([[[100.0, -100.0]], [0.0, 0.0]])
    first, second = report(model).outcomes
    assert first.log_loss == pytest.approx(second.log_loss, rel=1e-6)
    assert first.log_loss == pytest.approx(-np.log(np.finfo(np.float32).eps), rel=1e-6)


def test_targets_of_a_half_are_a_no():
    model = fd.Sequential([fd.Input((1,)), fd.Dense(1, "sigmoid")], seed=0)
    model.compile("sgd", "binary_crossentropy")
    model.fit([[1.0], [2.0], [3.0]], [0.5, 0.4, 0.6], verbose=0)
    assert report(model).outcomes[0].support.tolist() == [2, 1]


def test_probabilities_are_taken_as_the_loss_takes_them():
    """Outputs that do not add up to one are divided by their sum."""
    model = fd.Sequential([fd.Input((1,)), fd.Dense(3, "relu", kernel_initializer="ones")], seed=0)
    model.compile(fd.optimizers.SGD(0.0), fd.losses.CategoricalCrossentropy(label_smoothing=0.1))
    model.fit([[3.0]], [[0.0, 1.0, 0.0]], verbose=0)
    assert report(model).outcomes[0].log_loss == pytest.approx(np.log(3))


def test_a_callback_of_two_fits_tells_each_of_its_own():
    stop = fd.callbacks.EarlyStopping("val_loss", patience=300, restore_best_weights=True)
    first, second = classifier(), classifier(seed=5)
    first.compile(fd.optimizers.Adam(0.3), LOSS)
    first.fit(X, CLASSES, epochs=30, validation_split=0.2, verbose=0, callbacks=stop)
    kept = report(first).kept
    second.fit(X, CLASSES, epochs=60, validation_split=0.2, verbose=0, callbacks=stop)
    assert report(second).kept == stop.best_epoch + 1 != kept
    assert report(first).kept == kept
    assert stop.best_weights is None


def test_an_epoch_that_ended_early_trained_as_many_rows():
    def stop(batch, logs):
        model.stop_training = batch == 1

    model = classifier()
    listener = fd.callbacks.LambdaCallback(on_train_batch_end=stop)
    model.fit(X, CLASSES, epochs=3, batch_size=10, verbose=0, callbacks=[listener])
    found = report(model)
    assert model.history.steps == [2]
    assert found.speed.rows_per_second * found.speed.seconds == pytest.approx(20)
    assert "Training ended within epoch 1 of 3." in found.notes


def test_rates_of_a_fit_that_goes_on():
    model = classifier()
    schedule = fd.optimizers.schedules.CosineDecay(0.1, 100)
    model.compile(fd.optimizers.Adam(schedule), LOSS)
    model.fit(X, CLASSES, epochs=2, verbose=0)
    model.fit(X, CLASSES, epochs=4, initial_epoch=2, verbose=0)
    assert report(model).rates == (schedule(20), schedule(30))


def test_numbers_of_some_epochs_are_named_and_not_drawn():
    def late(epoch, logs):
        logs["always"] = np.float32(epoch)
        logs["text"] = "a"
        if epoch:
            logs["late"] = 1.0

    model = classifier()
    listener = fd.callbacks.LambdaCallback(on_epoch_end=late)
    model.fit(X, CLASSES, epochs=3, verbose=0, callbacks=[listener])
    found = report(model)
    assert list(found.history) == ["loss", "accuracy", "always"]
    assert "Not in every epoch, or no number, and not drawn: text, late." in found.notes


@pytest.mark.parametrize("fit", [{"sample_weight": np.ones(300)}, {"class_weight": {0: 2.0}}, "validation"])
def test_weights_of_rows_are_told(fit):
    if fit == "validation":
        fit = {"validation_data": (X, CLASSES, np.ones(300))}
    model = classifier()
    model.fit(X, CLASSES, verbose=0, **fit)
    assert "Rows had weights in the run; here every row counts alike." in report(model).notes


def test_targets_beside_a_frame_are_as_in_the_column():
    table = pytest.importorskip("fastdense.tabular")
    frame = {"size": X[:, 0], "price": 1000 + 50 * X[:, 0]}
    model = table.train_table(frame, "price", recipe=table.Recipe((8,), epochs=5), seed=0, verbose=0)
    both = report(model, data=(frame, frame["price"])).outcomes[0]
    assert both.rmse == pytest.approx(report(model, data=frame).outcomes[0].rmse)


def test_the_share_of_the_peak_and_the_commonest_class():
    model = classifier_of_one_epoch()
    found = report(model)
    share = 100 * found.speed.gflops / found.machine.peak_all_cores
    assert found.speed.percent_of_peak == pytest.approx(share)
    doubles = classifier(dtype="float64")
    doubles.fit(X, CLASSES, verbose=0)
    found = report(doubles)
    assert found.speed.percent_of_peak == pytest.approx(
        200 * found.speed.gflops / found.machine.peak_all_cores
    )
    counts = np.bincount(CLASSES)
    assert f"always '{counts.argmax()}' {counts.max() / 300:.4f}" in str(found)


def test_a_row_of_many_costs_its_share(monkeypatch):
    module = importlib.import_module("fastdense.insight.report.measure")
    monkeypatch.setattr(module, "best_time", lambda run, seconds: float(len(run())))
    speed = report(classifier_of_one_epoch()).speed
    assert (speed.one_row, speed.of_many) == (1.0, 1.0)


def test_of_two_callbacks_that_go_back_the_last_has_the_last_word():
    stops = [
        fd.callbacks.EarlyStopping(name, patience=99, restore_best_weights=True)
        for name in ("val_loss", "loss")
    ]
    model = classifier()
    model.compile(fd.optimizers.Adam(0.3), LOSS)
    model.fit(X, CLASSES, epochs=40, validation_split=0.2, verbose=0, callbacks=stops)
    assert stops[0].best_epoch != stops[1].best_epoch
    assert report(model).kept == stops[1].best_epoch + 1


def test_the_log_loss_knows_no_smoothing():
    model = classifier()
    model.compile(fd.optimizers.Adam(0.05), fd.losses.SparseCategoricalCrossentropy(label_smoothing=0.3))
    model.fit(X, CLASSES, epochs=20, verbose=0)
    right = model.predict(X)[np.arange(300), CLASSES]
    assert report(model).outcomes[0].log_loss == pytest.approx(-np.log(right).mean(), rel=1e-5)


def test_a_place_that_cannot_be_written_is_found_before_measuring(tmp_path):
    model = classifier()
    model.fit(X, CLASSES, verbose=0)
    with pytest.raises(FileNotFoundError, match="folder to save in does not exist"):
        model.report(tmp_path / "none" / "run.html", (X[:, :1], CLASSES))  # which is another error, and later


def test_a_missing_package_is_found_before_measuring(tmp_path):
    """In a process of its own: what was imported before stays."""
    source = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from fastdense.insight.report.measure import check_page\n"
        f"check_page({os.fspath(tmp_path / 'run.html')!r})"
    )
    ended = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert "ImportError: pages need Jinja2: pip install 'fastdense[plot]'" in ended.stderr
