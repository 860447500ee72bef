"""The callbacks that watch a number: early stopping, the best file, a lower rate. The numbers are given."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.callbacks import EarlyStopping, LambdaCallback, ModelCheckpoint, ReduceLROnPlateau
from tests.compare import assert_within
from tests.training.networks import binary, classifier, same_weights, weights

X, y = binary()


def watched(callback, scores, name="score_error", model=None):
    """Fit with the given scores, one an epoch; return the history."""
    model = model or classifier()
    say = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.__setitem__(name, scores[epoch]))
    return model.fit(X, y, epochs=len(scores), verbose=0, callbacks=[say, callback])


@pytest.mark.parametrize(
    ("arguments", "scores", "epochs"),
    [
        ({}, [3, 2, 2, 1, 1], 3),
        ({"patience": 1}, [3, 2, 2, 1, 1], 3),
        ({"patience": 2}, [3, 2, 2, 1, 1, 2, 2], 6),
        ({"patience": 3}, [3, 2, 2, 1, 1, 2], 6),
        ({"patience": 2}, [3, np.nan, np.nan, 1], 3),
        ({"patience": 1}, [np.nan, 3, 2, 2, 2], 4),
        ({"min_delta": 0.5}, [3, 2, 1.6, 1.1], 3),
        ({"min_delta": -0.5}, [3, 2, 1.6, 1.1], 3),
        ({"min_delta": 0.5, "patience": 2}, [3, 2, 1.6, 1.55, 1.2, 1.0], 4),
        ({"mode": "max"}, [1, 2, 3, 3, 9], 4),
        ({"mode": "min"}, [1, 2, 3], 2),
        ({"mode": "max", "min_delta": 1}, [1, 2.5, 3, 9], 3),
        ({"patience": 2, "baseline": 1.5}, [3, 2, 2, 1, 1], 3),
        ({"patience": 2, "baseline": 2.5}, [3, 2, 1, 1, 1, 1], 5),
        ({"patience": 2, "baseline": 2.5, "mode": "max"}, [1, 2, 2, 9], 3),
        ({"start_from_epoch": 3}, [1, 2, 3, 4, 5, 6], 5),
        ({"start_from_epoch": 9}, [1, 2, 3, 4], 4),
    ],
)
def test_when_training_stops(arguments, scores, epochs):
    stopping = EarlyStopping("score_error", **arguments)
    assert len(watched(stopping, scores).epoch) == epochs
    assert stopping.stopped_epoch == (epochs - 1 if epochs < len(scores) else 0)


@pytest.mark.parametrize("name", ["accuracy", "val_binary_accuracy", "acc", "auc", "precision", "val_recall"])
def test_auto_maximises_what_is_better_when_larger(name):
    assert len(watched(EarlyStopping(name), [1, 2, 3, 2, 5], name).epoch) == 4


@pytest.mark.parametrize("name", ["loss", "val_loss", "mae", "val_root_mean_squared_error"])
def test_auto_minimises_the_rest(name):
    assert len(watched(EarlyStopping(name), [3, 2, 1, 2, 0], name).epoch) == 4


@pytest.mark.parametrize(
    ("metric", "name", "scores"),
    [
        (fd.metrics.BinaryAccuracy(name="hits"), "val_hits", [1, 2, 3, 2, 5]),
        (fd.metrics.AUC(name="error_of_ranks"), "error_of_ranks", [1, 2, 3, 2, 5]),
        (fd.metrics.MeanSquaredError(name="accuracy_gap"), "accuracy_gap", [3, 2, 1, 2, 0]),
        ("poisson", "val_poisson", [3, 2, 1, 2, 0]),
        ("logcosh", "logcosh", [3, 2, 1, 2, 0]),
    ],
)
def test_auto_asks_the_metric_and_not_its_name(metric, name, scores):
    model = classifier(metrics=[metric])
    assert len(watched(EarlyStopping(name), scores, name, model).epoch) == 4


def test_auto_needs_a_metric_or_a_name_that_says_it():
    def lift(y_true, y_pred):
        return y_pred - y_true

    model = classifier(metrics=[lift])
    with pytest.raises(ValueError, match="small or a large 'lift' good"):
        model.fit(X, y, verbose=0, callbacks=EarlyStopping("lift"))
    assert model.optimizer.iterations == 0
    assert len(watched(EarlyStopping("lift", mode="max"), [1, 2, 3, 2, 5], "lift", model).epoch) == 4


@pytest.mark.parametrize("arguments", [{}, {"baseline": 0.0, "patience": 3}])
def test_the_best_weights_come_back(arguments):
    model, best = classifier(), classifier()
    stopping = EarlyStopping("score_error", **{"patience": 2, "restore_best_weights": True, **arguments})
    watched(stopping, [3, 1, 2, 2, 2, 2], model=model)
    best.fit(X, y, epochs=2, verbose=0)
    assert same_weights(model, best)
    assert stopping.best_epoch == 1
    assert stopping.best == 1


def test_the_best_weights_come_back_where_nothing_stopped_too():
    model, best = classifier(), classifier()
    watched(EarlyStopping("score_error", patience=9, restore_best_weights=True), [1, 2, 3], model=model)
    best.fit(X, y, epochs=1, verbose=0)
    assert same_weights(model, best)


def test_the_last_weights_stay_unless_asked():
    model, last = classifier(), classifier()
    watched(EarlyStopping("score_error", patience=2), [1, 2, 3], model=model)
    last.fit(X, y, epochs=3, verbose=0)
    assert same_weights(model, last)


def test_every_fit_starts_to_wait_anew():
    stopping = EarlyStopping("score_error", restore_best_weights=True)
    assert len(watched(stopping, [1, 2, 3]).epoch) == 2
    assert len(watched(stopping, [9, 8, 7]).epoch) == 3
    assert stopping.stopped_epoch == 0


def test_stopping_is_told(capsys):
    watched(EarlyStopping("score_error", verbose=1), [1, 2])
    assert capsys.readouterr().out == "Stopped after epoch 2: no better score_error than 1\n"


@pytest.mark.parametrize("kind", [EarlyStopping, ReduceLROnPlateau, ModelCheckpoint])
def test_a_number_that_is_not_there(kind, tmp_path):
    """Nothing is stopped or lowered without it; a file is saved, since it may be the best."""
    path = tmp_path / "m.safetensors"
    callback = kind(path, save_best_only=True) if kind is ModelCheckpoint else kind()
    model = classifier()
    with pytest.warns(
        UserWarning, match=f"{type(callback).__name__} watches 'val_loss', but this epoch has loss"
    ):
        model.fit(X, y, verbose=0, callbacks=callback)
    assert not model.stop_training
    assert path.exists() == (kind is ModelCheckpoint)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"patience": -1}, ValueError),
        ({"patience": 1.5}, TypeError),
        ({"min_delta": "small"}, TypeError),
        ({"min_delta": np.nan}, ValueError),
        ({"mode": "best"}, ValueError),
        ({"baseline": "low"}, TypeError),
        ({"start_from_epoch": -1}, ValueError),
        ({"restore_best_weights": "no"}, TypeError),
    ],
)
def test_arguments_of_early_stopping(arguments, kind):
    with pytest.raises(kind, match=f"{next(iter(arguments))} must be"):
        EarlyStopping(**arguments)


def test_a_file_an_epoch_by_name(tmp_path):
    model, pattern = classifier(), tmp_path / "m-{epoch:02d}-{score_error:.1f}.safetensors"
    watched(ModelCheckpoint(pattern), [3, 1, 2], model=model)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["m-01-3.0.safetensors", "m-02-1.0.safetensors", "m-03-2.0.safetensors"]
    assert same_weights(fd.load(tmp_path / names[-1]), model)
    early = classifier()
    early.fit(X, y, epochs=1, verbose=0)
    assert same_weights(fd.load(tmp_path / names[0]), early)


@pytest.mark.parametrize(("mode", "best"), [("min", 2), ("max", 4), ("auto", 2)])
def test_the_best_file_alone(mode, best, tmp_path, capsys):
    path, model = tmp_path / "best.safetensors", classifier()
    checkpoint = ModelCheckpoint(str(path), "score_error", save_best_only=True, mode=mode, verbose=1)
    watched(checkpoint, [3, 1, 2, 9, np.nan], model=model)
    wanted = classifier()
    wanted.fit(X, y, epochs=best, verbose=0)
    assert same_weights(fd.load(path), wanted)
    assert list(tmp_path.iterdir()) == [path]
    assert capsys.readouterr().out == f"Saved {path}\n" * 2


def test_training_goes_on_from_a_saved_file(tmp_path):
    model = classifier(dropout=0.3)
    saved = ModelCheckpoint(tmp_path / "m-{epoch}.safetensors")
    model.fit(X, y, epochs=4, verbose=0, callbacks=saved)
    resumed = fd.load(tmp_path / "m-2.safetensors")
    resumed.fit(X, y, epochs=2, verbose=0)
    assert same_weights(resumed, model)


@pytest.mark.parametrize("name", ["{accuracy:.2f}.safetensors", "{}.safetensors"])
def test_a_name_that_asks_for_what_is_not_there(name, tmp_path):
    with pytest.raises(ValueError, match="but there are epoch, loss"):
        classifier().fit(X, y, verbose=0, callbacks=ModelCheckpoint(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_made(tmp_path):
    path = tmp_path / "new" / "m.safetensors"
    model = classifier()
    model.fit(X, y, verbose=0, callbacks=ModelCheckpoint(path))
    assert same_weights(fd.load(path), model)


@pytest.mark.parametrize("ending", ["safetensors", "weights.h5"])
def test_weights_alone(ending, tmp_path):
    model, best = classifier(), classifier()
    path = tmp_path / f"best.{ending}"
    watched(
        ModelCheckpoint(path, "score_error", save_best_only=True, save_weights_only=True),
        [3, 1, 2],
        model=model,
    )
    best.fit(X, y, epochs=2, verbose=0)
    model.load_weights(path)
    assert same_weights(model, best)


def test_every_so_many_steps(tmp_path):
    """Steps are counted across epochs: of 5 per epoch the third, the first of the next, the fourth..."""
    model, checkpoint = classifier(), ModelCheckpoint(tmp_path / "m-{epoch}-{batch}.safetensors", save_freq=3)
    model.fit(X, y, batch_size=8, epochs=3, verbose=0, callbacks=checkpoint)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"m-{place}.safetensors" for place in ("1-3", "2-1", "2-4", "3-2", "3-5")]
    assert same_weights(fd.load(tmp_path / names[-1]), model)
    assert fd.load(tmp_path / "m-2-1.safetensors").optimizer.iterations == 6


def test_the_best_of_every_step(tmp_path, capsys):
    checkpoint = ModelCheckpoint(
        tmp_path / "m.safetensors",
        "loss",
        save_best_only=True,
        save_freq=1,
        initial_value_threshold=0.0,
        verbose=1,
    )
    classifier().fit(X, y, batch_size=8, verbose=0, callbacks=checkpoint)
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("save_freq", "reports"), [("epoch", False), (2, True)])
def test_only_counting_steps_makes_training_report_each(save_freq, reports, tmp_path):
    checkpoint = ModelCheckpoint(tmp_path / "m.safetensors", save_freq=save_freq)
    assert fd.callbacks.CallbackList([checkpoint], classifier(), {}).wants_batches == reports


@pytest.mark.parametrize(("threshold", "saved"), [(None, 3), (2.5, 2), (1.0, 0)])
def test_what_the_first_number_must_improve_on(threshold, saved, tmp_path, capsys):
    path = tmp_path / "m.safetensors"
    checkpoint = ModelCheckpoint(
        path, "score_error", save_best_only=True, initial_value_threshold=threshold, verbose=1
    )
    watched(checkpoint, [3, 2, 1])
    assert capsys.readouterr().out == f"Saved {path}\n" * saved


@pytest.mark.parametrize(
    ("arguments", "kind", "match"),
    [
        (
            {"filepath": "m.h5"},
            ValueError,
            "a model must end in .safetensors or .keras, got 'm.h5'",
        ),
        (
            {"filepath": "m.h5", "save_weights_only": True},
            ValueError,
            "filepath of weights alone must end in",
        ),
        ({"save_freq": 0}, ValueError, "save_freq must be at least 1"),
        ({"save_freq": "batch"}, TypeError, "save_freq must be a whole number, got 'batch'"),
        ({"initial_value_threshold": "low"}, TypeError, "initial_value_threshold must be a number"),
        ({"save_weights_only": 1}, TypeError, "save_weights_only must be True or False"),
    ],
)
def test_arguments_of_checkpoints(arguments, kind, match):
    with pytest.raises(kind, match=match):
        ModelCheckpoint(**{"filepath": "m.safetensors", **arguments})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("callback", ["stopping", "plateau"])
@pytest.mark.parametrize(
    ("best", "value", "delta", "mode"),
    [(0.5, 0.49, 0.01, "min"), (0.3, 0.2, 0.1, "min"), (0.7, 0.8, 0.1, "max"), (0.8, 0.7, 0.1, "min")],
)
def test_a_difference_of_min_delta_is_not_an_improvement(best, value, delta, mode, callback, dtype):
    """The numbers are compared as Keras does, in the model's dtype: float64 has 0.7 + 0.1 below 0.8."""
    kind = EarlyStopping if callback == "stopping" else ReduceLROnPlateau
    watching = kind("score_error", min_delta=delta, mode=mode, patience=9)
    watched(watching, [best, value], model=classifier(dtype=dtype))
    assert watching.best == (value if dtype == "float64" and best + value == 1.5 else best)


@pytest.mark.parametrize(
    ("arguments", "scores", "rates"),
    [
        ({"patience": 1}, [3, 2, 2, 2], [1, 1, 1, 0.5]),
        ({"patience": 2}, [3, 2, 2, 2, 2, 2, 2], [1, 1, 1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 2}, [3, 2, 2, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 0.5]),
        ({"patience": 1, "cooldown": 2}, [3, 3, 3, 3, 3, 3], [1, 1, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "min_lr": 0.3}, [3, 3, 3, 3, 3], [1, 1, 0.5, 0.3, 0.3]),
        ({"patience": 1, "factor": 0.1}, [3, 3, 3], [1, 1, 0.1]),
        ({"patience": 1, "min_delta": 0.5}, [3, 2, 1.8, 1.2], [1, 1, 1, 0.5]),
        ({"patience": 1, "mode": "max"}, [1, 2, 2, 2], [1, 1, 1, 0.5]),
        ({"patience": 0}, [3, 3, 3], [1, 1, 0.5]),
        ({"patience": 1}, [3, np.nan, 2, 2], [1, 1, 0.5, 0.5]),
    ],
)
def test_how_the_rate_falls(arguments, scores, rates):
    model = classifier(fd.optimizers.SGD(1.0))
    plateau = ReduceLROnPlateau("score_error", **{"factor": 0.5, **arguments})
    assert_within(watched(plateau, scores, model=model).history["learning_rate"], np.float64(rates), 1e-12)


def test_the_lower_rate_is_trained_with():
    model, plain = classifier(fd.optimizers.SGD(1.0)), classifier(fd.optimizers.SGD(1.0))
    watched(ReduceLROnPlateau("score_error", factor=0.25, patience=1), [1, 1, 1], model=model)
    plain.fit(X, y, epochs=2, verbose=0)
    plain.optimizer.learning_rate = 0.25
    plain.fit(X, y, epochs=1, verbose=0)
    assert same_weights(model, plain)


def test_a_lower_rate_is_told(capsys):
    watched(
        ReduceLROnPlateau("score_error", patience=1, verbose=1),
        [1, 1],
        model=classifier(fd.optimizers.SGD(1.0)),
    )
    assert capsys.readouterr().out == "Learning rate lowered to 0.1\n"


def test_every_fit_starts_to_watch_anew():
    plateau, model = ReduceLROnPlateau("score_error", patience=1), classifier(fd.optimizers.SGD(1.0))
    assert watched(plateau, [1, 1], model=model).history["learning_rate"] == [1.0, 1.0]
    assert watched(plateau, [5, 4], model=model).history["learning_rate"] == [0.1, 0.1]


def test_a_schedule_cannot_be_lowered():
    model = classifier(fd.optimizers.SGD(fd.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)))
    before = weights(model)
    with pytest.raises(ValueError, match="cannot lower a schedule"):
        model.fit(X, y, verbose=0, callbacks=ReduceLROnPlateau("loss"))
    assert weights(model) == before


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"factor": 1.0}, ValueError),
        ({"factor": 0.0}, ValueError),
        ({"patience": -1}, ValueError),
        ({"cooldown": 1.5}, TypeError),
        ({"min_lr": -0.1}, ValueError),
        ({"mode": "down"}, ValueError),
    ],
)
def test_arguments_of_reduce_on_plateau(arguments, kind):
    with pytest.raises(kind, match=f"{next(iter(arguments))} must be"):
        ReduceLROnPlateau(**arguments)
