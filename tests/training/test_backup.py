"""BackupAndRestore: a run that was killed and started again ends with the bits of one that never was."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastdense as fd
from fastdense.callbacks import BackupAndRestore, EarlyStopping, LambdaCallback
from fastdense.core import files
from fastdense.errors import FormatError
from tests.training.networks import binary, classifier, regressor, same_weights, weights
from tests.training.resumable import Trouble, run

X, y = binary()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The run that nothing happens to, which early stopping ends."""
    whole = run(tmp_path_factory.mktemp("whole"))
    epochs, rates = whole["epochs"], whole["history"]["learning_rate"]
    assert 8 < len(epochs) < 40, "early stopping should have a part in it"
    assert rates[0] > rates[len(rates) // 2] > rates[-1], "and so should the falling rate"
    return whole


def fail():
    raise ZeroDivisionError("trouble")


def last(whole):
    return whole["epochs"][-1]


def resumed(folder, place):
    """Fail at a place, start again, and return what the second run leaves."""
    with pytest.raises(ZeroDivisionError):
        run(folder, Trouble(place, fail))
    return run(folder)


@pytest.mark.parametrize(
    "place",
    [
        ("epoch begin", 0, None),
        ("batch end", 0, 3),
        ("epoch end", 0, None),
        ("epoch begin", 1, None),
        ("batch end", 5, 0),
        ("batch end", 5, 5),
        ("epoch end", 6, None),
    ],
    ids=str,
)
def test_an_error_anywhere(place, uninterrupted, tmp_path):
    assert resumed(tmp_path, place) == uninterrupted
    assert not list((tmp_path / "backup").iterdir()), "a finished run removes its backup"


@pytest.mark.parametrize("hook", ["epoch end", "train end"])
def test_an_error_once_early_stopping_has_decided(hook, uninterrupted, tmp_path):
    assert resumed(tmp_path, (hook, last(uninterrupted), None)) == uninterrupted


def test_an_error_in_every_epoch(uninterrupted, tmp_path):
    for epoch in range(len(uninterrupted["epochs"])):
        with pytest.raises(ZeroDivisionError):
            run(tmp_path, Trouble(("batch end", epoch, 2), fail))
    assert run(tmp_path) == uninterrupted


def test_a_kill_in_the_middle_of_an_epoch(uninterrupted, tmp_path):
    """Twice, each in a process of its own."""
    script, root = "tests.training.resumable", Path(__file__).parents[2]
    for epoch, batch in ((3, 4), (7, 1)):
        command = [sys.executable, "-m", script, str(tmp_path), "batch end", str(epoch), str(batch)]
        killed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert killed.stderr == ""
        assert killed.returncode == -signal.SIGKILL
    assert run(tmp_path) == uninterrupted


def test_an_interrupt(uninterrupted, tmp_path):
    def press():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Trouble(("batch end", 4, 1), press))
    assert run(tmp_path) == uninterrupted


def test_a_schedule_goes_on_where_it_was(tmp_path):
    def optimizer():
        return fd.optimizers.SGD(fd.optimizers.schedules.ExponentialDecay(0.5, 20, 0.9), momentum=0.9)

    (tmp_path / "whole").mkdir()
    whole = run(tmp_path / "whole", optimizer=optimizer())
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, Trouble(("batch end", 3, 2), fail), optimizer=optimizer())
    assert run(tmp_path, optimizer=optimizer()) == whole


def test_a_seed_that_was_chosen_is_kept(tmp_path):
    """Started again without a seed, the run still goes on with the first one's."""
    first, second, backup = classifier(seed=None), classifier(seed=None), tmp_path / "b"
    stop = LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch == 2 and fail())
    with pytest.raises(ZeroDivisionError):
        first.fit(X, y, epochs=4, verbose=0, callbacks=[BackupAndRestore(backup), stop])
    second.fit(X, y, epochs=4, verbose=0, callbacks=[BackupAndRestore(backup), LambdaCallback()])
    first.fit(X, y, initial_epoch=2, epochs=4, verbose=0)
    assert same_weights(first, second)
    assert second.seed == first.seed


def test_a_finished_run_can_keep_its_backup(tmp_path):
    model, again = classifier(), classifier()
    keep = BackupAndRestore(tmp_path, delete_checkpoint=False)
    history = model.fit(X, y, epochs=3, verbose=0, callbacks=keep)
    same = again.fit(X, y, epochs=3, verbose=0, callbacks=keep)
    assert same.history == history.history
    assert same_weights(model, again)
    assert again.optimizer.iterations == 6
    assert again.fit(X, y, epochs=5, verbose=0, callbacks=keep).epoch == [0, 1, 2, 3, 4]


def backed_up(folder, model=None, callbacks=()):
    """Leave the backup of a run; return its path."""
    backup = BackupAndRestore(folder, delete_checkpoint=False)
    (model or classifier()).fit(X, y, epochs=2, verbose=0, callbacks=[backup, *callbacks])
    (path,) = folder.iterdir()
    return path


def refuses(folder, match, model=None, callbacks=()):
    """Check that a run does not start from the backup, and is not changed by it."""
    model = model or classifier()
    before, content = weights(model), [path.read_bytes() for path in folder.iterdir()]
    with pytest.raises(FormatError, match=match):
        model.fit(X, y, epochs=4, verbose=0, callbacks=[BackupAndRestore(folder), *callbacks])
    assert weights(model) == before
    assert model.optimizer.iterations == 0
    assert [path.read_bytes() for path in folder.iterdir()] == content


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_backup(share, tmp_path):
    path = backed_up(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refuses(tmp_path, "damaged")


@pytest.mark.parametrize("place", [0.1, 0.5, 0.999])
def test_a_flipped_bit(place, tmp_path):
    path = backed_up(tmp_path)
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    path.write_bytes(content)
    refuses(tmp_path, "damaged|not one of fastdense")


def test_a_file_that_is_no_backup(tmp_path):
    path = backed_up(tmp_path)
    classifier().save(path)
    refuses(tmp_path, "is not a backup of this version")


def test_a_backup_of_another_version(tmp_path):
    path = backed_up(tmp_path)
    description, arrays = files.read(path)
    files.write(path, {**description, "version": 1}, arrays)
    refuses(tmp_path, "is not a backup of this version")


@pytest.mark.parametrize(
    "other",
    [
        lambda: classifier(dropout=0.5),
        lambda: classifier(dtype="float64"),
        lambda: classifier(fd.optimizers.SGD(0.1)),
        lambda: classifier(fd.optimizers.Adam(0.05, beta_1=0.5)),
        lambda: regressor(fd.optimizers.Adam(0.05)),
    ],
    ids=["dropout", "dtype", "optimizer", "beta_1", "activation and loss"],
)
def test_another_models_backup(other, tmp_path):
    backed_up(tmp_path, other())
    refuses(tmp_path, "is a backup of another model")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [EarlyStopping("loss")]),
        ([EarlyStopping("loss")], []),
        ([EarlyStopping("loss")], [LambdaCallback()]),
    ],
)
def test_other_callbacks(before, after, tmp_path):
    backed_up(tmp_path, callbacks=before)
    refuses(tmp_path, "was made with the callbacks .*start with the same ones", callbacks=after)


class Counting(fd.callbacks.Callback):
    """A user's callback with a state of its own."""

    def __init__(self):
        self.steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1

    def get_state(self):
        return {"steps": np.array(self.steps)}

    def set_state(self, state):
        self.steps = int(state["steps"])


def test_a_users_callback_keeps_its_state(tmp_path):
    for trouble in (fail, int):
        counting, at = (
            Counting(),
            LambdaCallback(on_epoch_begin=lambda epoch, logs, f=trouble: epoch == 2 and f()),
        )
        try:
            classifier().fit(X, y, epochs=4, verbose=0, callbacks=[counting, at, BackupAndRestore(tmp_path)])
        except ZeroDivisionError:
            assert counting.steps == 4
    assert counting.steps == 8


def test_a_flag_in_the_logs_can_be_backed_up(tmp_path):
    add = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(even=epoch % 2 == 0))
    stop = LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch == 2 and fail())
    with pytest.raises(ZeroDivisionError):
        classifier().fit(X, y, epochs=3, verbose=0, callbacks=[add, stop, BackupAndRestore(tmp_path)])
    again = [add, LambdaCallback(), BackupAndRestore(tmp_path)]
    assert classifier().fit(X, y, epochs=3, verbose=0, callbacks=again).history["even"] == [1, 0, 1]
