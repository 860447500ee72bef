"""Ctrl-C during fit: the weights of the last whole step, steps counted right, and training that can go on."""

import linecache
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import fastdense as fd
from fastdense.callbacks import EarlyStopping, LambdaCallback
from tests.training.networks import Listening, binary, classifier, regressor, same_weights, weights

X, y = binary()
# Without an order of each epoch's own, step k trains on the same rows however training came to it.
STEPS = {"batch_size": 8, "shuffle": False, "verbose": 0}


def press(*_):
    raise KeyboardInterrupt


def after(steps, **settings):
    """Return the network after so many whole steps."""
    model = classifier(dropout=0.3, **settings)
    for step in range(steps):
        rows = slice(8 * (step % 5), 8 * (step % 5) + 8)
        model.train_on_batch(X[rows], y[rows])
    return model


def interrupted(steps, **hooks):
    """Return the network after an interrupt, having checked that it stands after so many whole steps."""
    model = classifier(dropout=0.3)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, epochs=4, callbacks=LambdaCallback(**hooks), **STEPS)
    assert model.optimizer.iterations == steps
    assert same_weights(model, after(steps))
    return model


@pytest.mark.parametrize(
    ("hook", "steps"),
    [("on_train_begin", 0), ("on_epoch_begin", 0), ("on_train_batch_begin", 0), ("on_train_batch_end", 1)],
)
def test_in_a_callback_at_the_start(hook, steps):
    interrupted(steps, **{hook: press})


@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end"])
def test_in_a_callback_in_the_middle(hook):
    """The fourth step of an epoch, which its end hook sees done."""
    steps = 3 if hook == "on_train_batch_begin" else 4
    interrupted(steps, **{hook: lambda batch, logs: batch == 3 and press()})


def test_at_the_end_of_an_epoch():
    interrupted(10, on_epoch_end=lambda epoch, logs: epoch == 1 and press())


def test_training_goes_on_as_if_it_had_been_asked_for_so_many_steps():
    model, plain = interrupted(10, on_epoch_end=lambda e, logs: e == 1 and press()), after(10)
    for network in (model, plain):
        network.fit(X, y, epochs=3, **STEPS)
    assert same_weights(model, plain)
    assert model.optimizer.iterations == 25


def test_in_a_schedule():
    """The rates of an epoch are asked for before its first step."""

    def rate(step):
        return press() if step == 7 else 0.1

    model, plain = regressor(fd.optimizers.SGD(rate)), regressor(fd.optimizers.SGD(0.1))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, epochs=4, **STEPS)
    plain.fit(X, y, **STEPS)
    assert same_weights(model, plain)
    assert model.optimizer.iterations == 5


class Pressing:
    """A trace function that raises KeyboardInterrupt at one line of fastdense, as a signal could anywhere.

    Lines of ``with`` are left out: tracing meets them a second time on the way out, past what the statement
    guards but before it lets go of the lock, where CPython lets no signal in.
    """

    def __init__(self, line):
        self.line, self.seen = line, 0

    def __call__(self, frame, event, argument):
        file = frame.f_code.co_filename
        if "fastdense" not in file:
            return None
        if linecache.getline(file, frame.f_lineno).lstrip().startswith("with "):
            return self
        self.seen += event == "line"
        if self.seen == self.line:
            self.line = None
            raise KeyboardInterrupt
        return self


def pressed_at(line):
    """Return the network after a fit of two steps interrupted at a line, and the number of lines it ran."""
    model, pressing, tracer = classifier(dropout=0.3), Pressing(line), sys.gettrace()
    sys.settrace(pressing)
    try:
        model.fit(X[:16], y[:16], callbacks=[Listening()], **STEPS)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(tracer)
    return model, pressing.seen


def test_at_any_line():
    """Also while the model takes its new weights over from the engine."""
    whole, lines = [after(steps) for steps in range(4)], pressed_at(None)[1]
    found = set()
    for line in range(1, lines, 3):
        model, _ = pressed_at(line)
        steps = model.optimizer.iterations
        assert same_weights(model, whole[steps]), f"{steps} steps were counted at line {line} of {lines}"
        model.train_on_batch(X[8 * steps : 8 * steps + 8], y[8 * steps : 8 * steps + 8])
        assert same_weights(model, whole[steps + 1]), f"not the optimizer's state of {steps} steps"
        found.add(steps)
    assert found == {0, 1, 2}


def restore(model, best):
    """Go back to the best weights as `EarlyStopping` does at the end of a fit."""
    stopping = EarlyStopping("loss", restore_best_weights=True)
    stopping.set_model(model)
    stopping.best_weights = best
    stopping.on_train_end()


@pytest.mark.parametrize("change", [fd.Sequential.set_weights, restore])
def test_weights_are_replaced_as_a_whole(change):
    """At whatever line Ctrl-C comes the model has the old weights or the new."""
    other, found, tracer = classifier(seed=9), set(), sys.gettrace()
    old, new = weights(classifier()), weights(other)
    pressing = Pressing(None)
    line = 0
    while pressing.line is None:  # until a line was past the last
        line += 2
        model, pressing = classifier(), Pressing(line)
        sys.settrace(pressing)
        try:
            change(model, other.get_weights())
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(tracer)
        assert weights(model) in (old, new), f"a mixture at line {line}"
        found.add(weights(model))
        model.train_on_batch(X, y)  # nothing holds it
    assert found == {old, new}
    assert line > 10


LONG_FIT = """
import signal
import sys
import numpy as np
from tests.training.networks import classifier, same_weights

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job would ignore it
rng = np.random.default_rng(0)
X = rng.normal(size=(4000, 3)).astype(np.float32)
y = (X[:, 0] > 0).astype(np.float32)
model = classifier(dropout=0.3)
before = model.get_weights()
try:
    model.fit(X, y, epochs=10**6, batch_size=4, shuffle=False, verbose=2)
except KeyboardInterrupt:
    pass
steps = model.optimizer.iterations
other = classifier(dropout=0.3)
other.set_weights(before)
whole, rest = divmod(steps, 1000)
other.fit(X, y, epochs=whole, batch_size=4, shuffle=False, verbose=0)
for i in range(rest):
    other.train_on_batch(X[4 * i : 4 * i + 4], y[4 * i : 4 * i + 4])
assert other.optimizer.iterations == steps
assert same_weights(model, other), "not the weights of the last whole step"
for network in (model, other):
    network.fit(X, y, epochs=1, shuffle=False, verbose=0)
assert same_weights(model, other), "the optimizer's state is not that of the last whole step"
print("whole", steps)
"""


def test_a_real_ctrl_c_in_a_long_fit():
    """Pressed as soon as the second epoch has been reported."""
    command, root = [sys.executable, "-c", LONG_FIT], Path(__file__).parents[2]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=root, **pipes) as child:
        for _ in range(2):
            assert child.stdout.readline().startswith("Epoch")
        child.send_signal(signal.SIGINT)
        out, errors = child.communicate(timeout=60)
    assert errors == ""
    assert child.returncode == 0
    steps = int(out.split("whole")[1])
    assert steps >= 2000
