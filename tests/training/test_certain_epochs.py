"""Epochs that no callback could act before run as one job: whatever a user can see is as one by one."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.callbacks import (
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from fastdense.engines import jobs
from fastdense.errors import NonFiniteLossError
from fastdense.optimizers.schedules import CosineDecay
from tests.training.networks import binary, classifier, regressor, same_weights, weights

X, y = binary()
ONE_BY_ONE = Callback()  # as any callback of a user's, it hears of every epoch at once


@pytest.fixture
def lengths(monkeypatch):
    """Return the list of the numbers of epochs of the jobs that are run."""
    found, run = [], jobs.run

    def counted(job):
        found.append(len(job.epochs))
        return run(job)

    monkeypatch.setattr(jobs, "run", counted)
    return found


def noisy(make=classifier, rows=40, **settings):
    """Return a network and arguments of fit by which the validation loss soon grows."""
    rng = np.random.default_rng(5)
    held_out = X[:9], rng.integers(0, 2, 9).astype(np.float32)
    return make(**settings), {"x": X[:rows], "y": y[:rows], "verbose": 0, "validation_data": held_out}


def both_ways(callbacks=list, epochs=25, make=classifier, compiled=None, **arguments):
    """Fit in jobs of many epochs and of one, check that they agree in everything, and return the first."""
    found = []
    for listening in ([], [ONE_BY_ONE]):
        model, given = noisy(make, **(compiled or {}))
        listeners = callbacks()
        history = model.fit(
            epochs=epochs, batch_size=8, callbacks=[*listeners, *listening], **{**given, **arguments}
        )
        assert len(history.seconds) == len(history.epoch)
        assert min(history.seconds) > 0
        found.append((model, history, listeners))
    (many, history, listeners), (single, by_one, _) = found
    assert same_weights(many, single)
    assert history.history == by_one.history
    assert (history.epoch, history.begun, history.steps) == (by_one.epoch, by_one.begun, by_one.steps)
    assert many.next_epoch == single.next_epoch
    assert many.optimizer.iterations == single.optimizer.iterations
    assert many.stop_training == single.stop_training
    for model in (many, single):
        model.fit(X, y, epochs=2, verbose=0)
    assert same_weights(many, single), "the optimizer's state is the same too"
    return many, history, listeners


@pytest.mark.parametrize(
    "compiled",
    [
        {},
        {"metrics": ["accuracy", "auc"]},
        {"metrics": ["accuracy"], "weighted_metrics": ["mse"], "dropout": 0.3},
        {"optimizer": fd.optimizers.SGD(CosineDecay(0.1, 60), momentum=0.9).describe()},
        {"optimizer": fd.optimizers.AdamW(weight_decay=CosineDecay(0.1, 60)).describe()},
        {"engine": "array"},
        {"dtype": "float64"},
    ],
)
def test_a_plain_fit(compiled, lengths):
    both_ways(compiled=compiled)
    assert lengths[:1] == [25]


@pytest.mark.parametrize(
    "arguments",
    [
        {"shuffle": False},
        {"validation_data": None},
        {"validation_data": None, "validation_split": 0.25},
        {"sample_weight": np.linspace(0.5, 2, 40), "validation_data": (X, y, np.linspace(0, 1, 40))},
        {"initial_epoch": 3},
    ],
)
def test_rows_of_all_kinds(arguments, lengths):
    both_ways(compiled={"metrics": ["accuracy"]}, **arguments)
    assert lengths[0] > 20


def test_a_function_of_the_users_is_asked_before_its_epoch(lengths):
    model = regressor(fd.optimizers.SGD(lambda step: 0.1 / (1 + model.next_epoch)))
    model.fit(X, y, epochs=5, verbose=0)
    assert lengths == [1] * 5


@pytest.mark.parametrize(("patience", "start"), [(0, 0), (1, 0), (3, 0), (3, 5), (30, 0)])
@pytest.mark.parametrize("restore", [False, True])
def test_early_stopping(patience, start, restore, lengths):
    """It trains not one epoch too many, and the best weights come back from the middle of a job."""

    def stopping():
        return [EarlyStopping(patience=patience, restore_best_weights=restore, start_from_epoch=start)]

    _, history, [stopped] = both_ways(stopping, epochs=30)
    assert len(history.epoch) < 30 or patience == 30
    assert stopped.restored_epoch == (stopped.best_epoch if restore else None)
    if patience > 1:
        assert max(lengths) >= patience


@pytest.mark.parametrize("patience", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("least", [0.02, 0.05])
def test_early_stopping_after_epochs_that_improve(patience, least):
    def stopping():
        return [EarlyStopping("loss", min_delta=least, patience=patience, restore_best_weights=True)]

    _, history, [stopped] = both_ways(stopping, epochs=60)
    assert stopped.best_epoch > 0
    assert len(history.epoch) == stopped.best_epoch + 1 + patience < 60


def test_the_weights_that_come_back_are_those_of_the_best_epoch():
    model, given = noisy()
    stopping = EarlyStopping(patience=3, restore_best_weights=True)
    model.fit(epochs=40, callbacks=stopping, **given)
    other, given = noisy()
    other.fit(epochs=stopping.best_epoch + 1, **given)
    assert same_weights(model, other)


@pytest.mark.parametrize("arguments", [{"patience": 0}, {"patience": 2}, {"patience": 3, "cooldown": 4}])
def test_a_rate_that_falls_on_a_plateau(arguments, lengths):
    _, history, _ = both_ways(lambda: [ReduceLROnPlateau(min_lr=0.01, **arguments)], epochs=40)
    assert len(set(history.history["learning_rate"])) > 1
    assert max(lengths) > 1


@pytest.mark.parametrize("patience", [1, 2, 3, 4])
@pytest.mark.parametrize("cooldown", [0, 2, 3])
def test_a_rate_that_falls_after_epochs_that_improve(patience, cooldown):
    def lower():
        return [ReduceLROnPlateau("loss", min_delta=0.02, patience=patience, cooldown=cooldown, factor=0.5)]

    _, history, _ = both_ways(lower, epochs=40)
    assert len(set(history.history["learning_rate"])) > 2


def test_callbacks_that_only_write(tmp_path, lengths):
    both_ways(lambda: [CSVLogger(tmp_path / "log.csv"), History(), TerminateOnNaN()], epochs=6)
    assert lengths[0] == 6
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 7


def test_a_subclass_with_hooks_hears_of_every_epoch_at_once(lengths):
    seen = []

    class Watching(EarlyStopping):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(weights(self.model))

    model, given = noisy()
    model.fit(epochs=5, callbacks=Watching(patience=9), **given)
    assert lengths == [1] * 5
    assert len(set(seen)) == 5


def test_a_subclass_may_say_when_it_acts(lengths):
    class Even(Callback):
        heard = ()

        def on_epoch_end(self, epoch, logs=None):
            self.heard = (*self.heard, epoch)

        def certain_epochs(self):
            return 2

    model, even = classifier(), Even()
    model.fit(X, y, epochs=5, verbose=0, callbacks=even)
    assert lengths == [2, 2, 1]
    assert even.heard == (0, 1, 2, 3, 4)


def failing(rate, batch_size, callbacks=(), epochs=200, **settings):
    """Return a network whose fit came to a bad loss, and what was said."""
    model = regressor(fd.optimizers.SGD(rate, momentum=0.9), **settings)
    model.fit(X, y, epochs=2, batch_size=batch_size, verbose=0)
    with pytest.raises(NonFiniteLossError) as caught:
        model.fit(
            X, y, epochs=epochs, batch_size=batch_size, verbose=0, initial_epoch=2, callbacks=list(callbacks)
        )
    return model, str(caught.value)


@pytest.mark.parametrize(("rate", "batch_size"), [(0.6, 8), (2.0, 40)])
def test_a_bad_loss_in_the_middle_of_a_job(rate, batch_size, lengths):
    many, said = failing(rate, batch_size)
    assert max(lengths) > 50
    single, same = failing(rate, batch_size, [ONE_BY_ONE])
    assert said == same
    assert "epoch" in said
    assert many.history.history == single.history.history
    assert len(many.history.epoch) > 2
    assert many.next_epoch == single.next_epoch
    assert many.optimizer.iterations == single.optimizer.iterations
    assert same_weights(many, single)
    for model in (many, single):
        model.optimizer.learning_rate = 1e-4
        model.fit(X, y, verbose=0)
    assert same_weights(many, single), "the optimizer's state is that of the same step too"


def test_a_bad_first_loss_goes_back_into_the_job_before(lengths):
    """With one step per epoch the step that did the harm is the last one of a job of many epochs."""
    model, _ = failing(2.0, 40, [ONE_BY_ONE])
    bad = model.next_epoch  # the epoch whose first loss is not finite
    many, single = (regressor(fd.optimizers.SGD(2.0, momentum=0.9)) for _ in range(2))

    class Once(Callback):
        def on_epoch_end(self, epoch, logs=None):
            """Do nothing."""

        def certain_epochs(self):
            return max(1, bad - self.model.next_epoch)

    for network, listener in ((many, Once()), (single, ONE_BY_ONE)):
        with pytest.raises(NonFiniteLossError, match=f"epoch {bad + 1}, step 1"):
            network.fit(X, y, epochs=bad + 9, batch_size=40, verbose=0, callbacks=listener)
    assert bad in lengths
    assert same_weights(many, single)
    assert many.optimizer.iterations == single.optimizer.iterations == bad - 1


def test_terminate_on_nan_in_the_middle_of_a_job(capsys):
    found = []
    for listening in ([], [ONE_BY_ONE]):
        model = regressor(fd.optimizers.SGD(0.6, momentum=0.9), metrics=["mae"])
        history = model.fit(
            X, y, epochs=200, batch_size=8, verbose=0, validation_data=(X, y),
            callbacks=[TerminateOnNaN(), *listening],
        )  # fmt: skip
        found.append((model, history, capsys.readouterr().out))
    (many, history, said), (single, by_one, same) = found
    assert said == same
    assert same_weights(many, single)
    assert repr(history.history) == repr(by_one.history)  # NaN is not equal to itself


def test_what_is_shown_is_looked_at_often(lengths, capsys):
    """Lines come one by one at first, and by more the faster the epochs are."""
    model = classifier()
    model.fit(X, y, epochs=9, verbose=2)
    assert lengths[0] == 1
    assert sum(lengths) == 9
    assert len(capsys.readouterr().out.splitlines()) == 9


def test_large_outputs_make_jobs_short(lengths):
    model = regressor(units=1000, metrics=["mae"], loss="mse")
    model.fit(np.tile(X, (20, 1)), np.zeros((800, 1000)), epochs=6, batch_size=400, verbose=0)
    assert max(lengths) == 2


@pytest.mark.parametrize("press", [2, 7, 11])
def test_ctrl_c_in_the_middle_of_a_job(press, monkeypatch):
    """The model has the weights of the last whole step, and knows the epoch that it is at."""
    model, plain = classifier(dropout=0.3), classifier(dropout=0.3)
    train, calls = type(model.training_program()).train, []

    def interrupted(self, batches, rates, first, outputs=None):
        calls.append(first)
        if len(calls) < press:
            return train(self, batches, rates, first, outputs)
        train(self, batches, rates[:2], first, outputs)
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "run", jobs.in_turn)
    monkeypatch.setattr(type(model.training_program()), "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, epochs=30, batch_size=8, shuffle=False, verbose=0)
    monkeypatch.undo()
    assert model.next_epoch == press - 1
    assert model.optimizer.iterations == 5 * (press - 1) + 2
    plain.fit(X, y, epochs=press - 1, batch_size=8, shuffle=False, verbose=0)
    for step in range(2):
        plain.train_on_batch(X[8 * step : 8 * step + 8], y[8 * step : 8 * step + 8])
    assert same_weights(model, plain)
    model.fit(X, y, verbose=0)
    plain.fit(X, y, verbose=0)
    assert same_weights(model, plain)


def test_a_callbacks_error_after_a_job_loses_nothing():
    """The hooks of a job's epochs are called one after another: an error in one ends the fit there."""

    class Failing(Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise LookupError("mine")

        def certain_epochs(self):
            return 5

    model = classifier()
    with pytest.raises(LookupError, match="mine"):
        model.fit(X, y, epochs=5, verbose=0, callbacks=Failing())
    assert model.history.epoch == [0, 1]
    assert model.next_epoch == 5
    plain = classifier()
    plain.fit(X, y, epochs=5, verbose=0)
    assert same_weights(model, plain)


def test_functions_hear_of_every_epoch_with_its_model(lengths):
    model, seen = classifier(), []
    listen = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(weights(model)))
    model.fit(X, y, epochs=4, verbose=0, callbacks=[listen, EarlyStopping("loss", patience=9)])
    assert lengths == [1] * 4
    assert len(set(seen)) == 4
