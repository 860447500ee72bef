"""Training and its process: forks amid it, an interpreter that ends meanwhile, memory that runs out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
START = """
import os, signal, sys, threading
import numpy as np
import fastdense as fd
from fastdense.callbacks import LambdaCallback
from tests.training.networks import classifier, regressor, weights

rng = np.random.default_rng(0)
"""


def run(script, *arguments):
    """Return what a script prints; it has to end well, and soon."""
    done = subprocess.run(
        [sys.executable, "-c", START + script, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


AT_EXIT = """
X = rng.normal(size=(4000, 3)).astype(np.float32)
y = X[:, 0].copy()
model, started = regressor(), threading.Event()

def work():
    if sys.argv[1] == "fit":
        after = LambdaCallback(on_epoch_end=lambda *_: started.set())
        model.fit(X, y, epochs=10**6, verbose=0, callbacks=after)
    while True:
        model.predict(X.repeat(20, axis=0))
        started.set()

threading.Thread(target=work, daemon=True).start()
started.wait()
"""


@pytest.mark.parametrize("call", ["fit", "predict"])
def test_the_interpreter_ends_while_a_daemon_thread_computes(call):
    for _ in range(2):
        run(AT_EXIT, call)


FORKED = """
X = rng.normal(size=(400, 3)).astype(np.float32)
y = (X[:, 0] > 0).astype(np.float32)
model, started, over = classifier(dropout=0.3), threading.Event(), []

def after_an_epoch(epoch, logs):
    started.set()
    model.stop_training = bool(over)

def train():
    callbacks = LambdaCallback(on_epoch_end=after_an_epoch)
    model.fit(X, y, batch_size=8, epochs=10**6, verbose=0, callbacks=callbacks)

thread = threading.Thread(target=train)
thread.start()
started.wait()
for _ in range(5):
    child = os.fork()
    if not child:
        signal.alarm(60)
        code = 1
        try:
            steps, before = model.optimizer.iterations, weights(model)
            model.fit(X, y, batch_size=8, epochs=1, verbose=0)
            code = 0 if model.optimizer.iterations == steps + 50 and weights(model) != before else 2
            model.evaluate(X, y, verbose=0)
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
over.append(True)
thread.join()
"""


@forks
def test_a_process_forked_while_another_thread_trains_can_train():
    run(FORKED)


IN_A_HANDLER = """
X = rng.normal(size=(1000, 128)).astype(np.float32)
layers = [fd.Input((128,)), fd.Dense(256, "relu"), fd.Dense(256, "relu"), fd.Dense(1)]
model, children, parent = fd.Sequential(layers, seed=0), [], os.getpid()
model.compile("sgd", "mse")

def fork(*_):
    child = os.fork()
    children.append(child)
    if not child:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)  # should it hang
    elif len(children) < 2:
        signal.setitimer(signal.ITIMER_REAL, 0.03)

signal.signal(signal.SIGALRM, fork)
signal.setitimer(signal.ITIMER_REAL, 0.03)
while os.getpid() == parent and len(children) < 2:
    model.fit(X, X[:, 0].copy(), batch_size=256, epochs=3, verbose=0)
if os.getpid() == parent:
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
"""


@forks
def test_a_signals_handler_may_fork_amid_a_step():
    """Both processes finish the fit."""
    run(IN_A_HANDLER)


SHORT_OF_MEMORY = """
import resource
from pathlib import Path

X = rng.normal(size=(64, 256)).astype(np.float32)
Y = X[:, :1].copy()
model = fd.Sequential([fd.Input((256,)), fd.Dense(512, "relu"), fd.Dense(512, "relu"), fd.Dense(1)], seed=0)
model.compile("adam", "mse")
model.fit(X, Y, batch_size=64, verbose=0)

def suffices(extra, call):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + extra, before[1]))
    try:
        call()
    except MemoryError:
        return False
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    return True

outcomes = []
for extra in range(0, 64 << 20, 1 << 17):
    before, steps = weights(model), model.optimizer.iterations
    outcomes.append(suffices(extra, lambda: model.fit(X, Y, batch_size=64, verbose=0)))
    assert (weights(model) != before) == outcomes[-1] == model.optimizer.iterations - steps, extra
    error = float(np.mean((model.predict(X) - Y) ** 2))
    assert abs(error - model.evaluate(X, Y, verbose=0)) <= 1e-5 * error, extra
    if outcomes[-3:] == [True] * 3:
        break
print(outcomes.count(True), outcomes.count(False))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit of memory is Linux's")
@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="a sanitizer's library needs terabytes of addresses")
def test_a_model_is_as_it_was_if_memory_runs_out():
    enough, short = map(int, run(SHORT_OF_MEMORY).split())
    assert enough == 3
    assert short > 3
