"""What training shows: lines where there is no terminal, a bar where there is one, nothing when silent."""

import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

import fastdense as fd
from tests.training.networks import binary, classifier, regressor

X, y = binary()
NUMBERS = " - ".join(rf"{name}: \d\.\d{{4}}" for name in ("loss", "accuracy", "val_loss", "val_accuracy"))


def output(capsys, verbose, **arguments):
    model = classifier(metrics=["accuracy"])
    model.fit(X, y, epochs=3, validation_split=0.25, verbose=verbose, **arguments)
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_silence(capsys):
    assert output(capsys, 0) == ""
    model = classifier()
    model.evaluate(X, y, verbose=0)
    model.train_on_batch(X, y)
    model.test_on_batch(X, y)
    model.predict(X)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_a_line_an_epoch_without_a_terminal(verbose, capsys):
    lines = output(capsys, verbose).splitlines()
    assert len(lines) == 3
    for number, line in enumerate(lines, 1):
        assert re.fullmatch(rf"Epoch {number}/3 - \d+\.\d\ds - {NUMBERS}", line), line


def test_numbers_are_the_historys(capsys):
    history = regressor().fit(X, y, verbose=2).history
    assert f"loss: {history['loss'][0]:.4f}\n" in capsys.readouterr().out


def test_small_numbers_keep_their_digits(capsys):
    regressor(fd.optimizers.SGD(0.0)).fit(X * 1e-4, y * 0, verbose=2)
    assert re.search(r"loss: \d\.\d{4}e-\d\d\n", capsys.readouterr().out)


def test_epochs_are_counted_where_they_start(capsys):
    lines = output(capsys, 2, initial_epoch=1).splitlines()
    assert [line.split(" - ")[0] for line in lines] == ["Epoch 2/3", "Epoch 3/3"]


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_evaluate_prints_one_line(verbose, capsys):
    loss, accuracy = classifier(metrics=["accuracy"]).evaluate(X, y, verbose=verbose)
    assert capsys.readouterr().out == f"loss: {loss:.4f} - accuracy: {accuracy:.4f}\n"


@pytest.mark.parametrize("verbose", [3, -1, "loud", None, True, [1]])
def test_evaluate_checks_verbose_too(verbose):
    with pytest.raises(ValueError, match="verbose must be 'auto', 0, 1 or 2"):
        classifier().evaluate(X, y, verbose=verbose)


SCRIPT = """
import sys
import numpy as np
import fastdense as fd
from tests.training.networks import binary, classifier, weights

X, y = binary()
model, silent = (classifier(metrics=["accuracy", "mae"], dropout=0.3) for _ in range(2))
how = sys.argv[1]
verbose = 2 if how == "in lines" else "auto"


def end(epoch, logs):
    print("said in between")
    if how == "error":
        raise LookupError("mine")
    if how == "interrupt":
        raise KeyboardInterrupt


fit = dict(epochs=2, batch_size=3, validation_split=0.25)
try:
    history = model.fit(X, y, callbacks=fd.callbacks.LambdaCallback(on_epoch_end=end), verbose=verbose, **fit)
    assert silent.fit(X, y, verbose=0, **fit).history == history.history
    assert weights(model) == weights(silent)
except (LookupError, KeyboardInterrupt) as error:
    print("ended by", type(error).__name__)
print("the end")
"""


def in_a_terminal(how):
    """Run the script in a pseudo-terminal; return what it wrote there and how the terminal is left."""
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    outer, inner = pty.openpty()
    before = termios.tcgetattr(inner)
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    for name in ("NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        environment.pop(name, None)
    streams = {"stdin": inner, "stdout": inner, "stderr": inner}
    command, root = [sys.executable, "-c", SCRIPT, how], Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, env=environment, **streams) as child:
        written = read_to_end(outer, child)
    unchanged = termios.tcgetattr(inner) == before
    os.close(inner)
    os.close(outer)
    assert child.returncode == 0, written
    return written, unchanged


def read_to_end(outer, child):
    """Read while the child writes, so that it never waits for room in the terminal."""
    parts, ended = [], False
    while not ended:
        ended = child.poll() is not None
        while select.select([outer], [], [], 0.01)[0]:
            parts.append(os.read(outer, 65536))
    return b"".join(parts).decode()


@pytest.mark.parametrize("how", ["well", "error", "interrupt"])
def test_a_bar_in_a_terminal(how):
    """It comes to its end, lets others print, and leaves the cursor shown and the settings as they were."""
    pytest.importorskip("rich")
    written, unchanged = in_a_terminal(how)
    assert "━" in written
    assert "said in between" in written
    assert unchanged
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == 1
    assert written.endswith("the end\r\n")
    if how == "well":
        assert "Epoch 2/2" in written
        assert re.search(r"loss: 0\.\d{4} - accuracy: [01]\.\d{4} - mae: 0\.\d{4} - val_loss", written)
    else:
        assert "ended by" in written


def test_lines_in_a_terminal():
    written, unchanged = in_a_terminal("in lines")
    assert unchanged
    assert "\x1b" not in written
    assert [line.split(" - ")[0] for line in written.splitlines()] == [
        *("said in between", "Epoch 1/2", "said in between", "Epoch 2/2"),
        "the end",
    ]
