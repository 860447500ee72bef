"""Threads: the same bits for any number, as many as are asked for, callers that are threads themselves."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import fastdense as fd
from fastdense import native
from fastdense.core.spec import (
    ActivationSpec,
    AdamSpec,
    CategoricalCrossentropySpec,
    DenseSpec,
    DropoutSpec,
    NetworkSpec,
    Penalty,
    SGDSpec,
    SparseCategoricalCrossentropySpec,
    TrainingSpec,
)
from fastdense.engines import Batches
from fastdense.native.program import NativeEngine
from tests.compare import assert_identical

TASKS = Path("/proc/self/task")


@pytest.fixture(autouse=True)
def default_threads():
    yield
    native.set_threads(None)


def trained(threads, clip=None, steps=12, groups=()):
    """Return the parameters and losses of a training large enough to be shared between threads."""
    native.set_threads(threads)
    rng = np.random.default_rng(1)
    layers = (
        DenseSpec(300, 200, ActivationSpec("gelu"), kernel_penalty=Penalty(1e-4, 1e-3)),
        DropoutSpec(200, 0.2, 1),
        DenseSpec(200, 150, ActivationSpec("relu")),
        DenseSpec(150, 7, ActivationSpec("softmax", groups=groups)),
    )
    parameters = [
        (rng.normal(size=(s.n_in, s.n_units)) / 20, np.zeros(s.n_units)) if isinstance(s, DenseSpec) else ()
        for s in layers
    ]
    optimizer = AdamSpec(global_clipnorm=clip)
    sparse = SparseCategoricalCrossentropySpec()
    loss = CategoricalCrossentropySpec(groups=groups) if groups else sparse
    program = NativeEngine().compile(
        NetworkSpec(300, layers), parameters, TrainingSpec(loss, optimizer, seed=3)
    )
    X = rng.normal(size=(600, 300)).astype(np.float32)
    order = np.tile(rng.permutation(600), 10)[: steps * 500]
    labels = rng.integers(0, 7, 600)
    y = rng.uniform(size=(600, 7)).astype(np.float32) if groups else labels
    batches = Batches(X, y, None, order, 500, np.linspace(0.0, 2.0, steps))
    outputs = np.empty((len(order), 7), np.float32)
    losses = program.train(batches, np.full(steps, 1e-3), 0, outputs)
    predictions = program.predict(X)
    return [w for group in program.parameters() for w in group], losses, outputs, predictions


@pytest.mark.parametrize(("clip", "groups"), [(None, ()), (0.1, ()), (None, (4, 1, 2))])
def test_any_number_of_threads_gives_the_same_bits(clip, groups):
    expected = trained(1, clip, groups=groups)
    for threads in (2, 3, 5):
        weights, losses, outputs, predictions = trained(threads, clip, groups=groups)
        for ours, theirs in zip(weights, expected[0], strict=True):
            assert_identical(ours, theirs)
        assert_identical(losses, expected[1])
        assert_identical(outputs, expected[2])
        assert_identical(predictions, expected[3])


@pytest.mark.parametrize("groups", [(), (1, 400, 20, 879)])
@pytest.mark.parametrize("m", [1, 2, 3, 7, 12, 13])
def test_few_rows_through_many_weights(m, groups):
    """Threads share the units of a layer then, and not the rows."""
    rng = np.random.default_rng(m)
    kinds, widths = ("gelu", "relu", "softmax", "tanh"), (900, 1500, 1400, 1300, 9)
    layers = tuple(
        DenseSpec(n, u, ActivationSpec(k, groups=groups if k == "softmax" else ()))
        for n, u, k in zip(widths, widths[1:], kinds, strict=False)
    )
    layers = (*layers[:2], DropoutSpec(1400, 0.5, 2), *layers[2:])
    sizes = [(s.n_in, s.n_units) if isinstance(s, DenseSpec) else None for s in layers]
    parameters = [(rng.normal(size=s) / 30, rng.normal(size=s[1])) if s else () for s in sizes]
    program = NativeEngine().compile(NetworkSpec(900, layers), parameters)
    X = rng.normal(size=(m, 900)).astype(np.float32)
    native.set_threads(1)
    expected = program.predict(X)
    for threads in (2, 3, 5):
        native.set_threads(threads)
        for _ in range(5):
            assert_identical(program.predict(X), expected)


@pytest.mark.parametrize("groups", [(), (100, 200)])
def test_few_rows_of_a_network_in_training(groups):
    """Its loss reads the logits; what it gives out is still the softmax."""
    rng = np.random.default_rng(0)
    layers = (DenseSpec(1500, 1500), DenseSpec(1500, 300, ActivationSpec("softmax", groups=groups)))
    parameters = [(rng.normal(size=(s.n_in, s.n_units)) / 40, rng.normal(size=s.n_units)) for s in layers]
    network = NetworkSpec(1500, layers)
    training = TrainingSpec(CategoricalCrossentropySpec(groups=groups), SGDSpec())
    X = rng.normal(size=(2, 1500)).astype(np.float32)
    native.set_threads(3)
    expected = NativeEngine().compile(network, parameters).predict(X)
    assert_identical(NativeEngine().compile(network, parameters, training).predict(X), expected)


def test_other_python_threads_run_while_one_predicts():
    """The interpreter's lock is given up meanwhile: this thread gets it before the prediction is done."""
    X = np.broadcast_to(np.random.default_rng(0).normal(size=100).astype(np.float32), (600_000, 100))
    frozen = fd.Sequential([fd.Input((100,)), fd.Dense(400, "tanh"), fd.Dense(1)], seed=0).freeze()
    done = []
    predicting = threading.Thread(target=lambda: (done.append(0), frozen.predict(X), done.append(1)))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(60)  # nobody is made to give the lock up
    try:
        predicting.start()  # the new thread has it until its work gives it up, and again after that
        while not done:
            time.sleep(0)
        seen = len(done)
    finally:
        sys.setswitchinterval(interval)
    predicting.join()
    assert seen == 1


def test_threads_can_be_chosen():
    fd.set_threads(3)
    assert fd.get_threads() == 3
    fd.set_threads(None)
    assert fd.get_threads() == int(run("print(fd.get_threads())"))
    for wrong in (0, -1, 5000):
        with pytest.raises(ValueError, match="threads must be from 1 to"):
            fd.set_threads(wrong)
    for wrong in (2.0, "2", True):
        with pytest.raises(TypeError, match="threads must be a whole number"):
            fd.set_threads(wrong)


def test_a_limit_holds_in_its_block_and_thread_only():
    fd.set_threads(4)
    elsewhere = []
    try:
        with native.at_most(3), native.at_most(2):
            assert fd.get_threads() == 2
            with native.at_most(3), native.at_most(None):
                assert fd.get_threads() == 2  # never more than around it
            other = threading.Thread(target=lambda: elsewhere.append(fd.get_threads()))
            other.start()
            other.join()
        with pytest.raises(ZeroDivisionError), native.at_most(2):
            raise ZeroDivisionError
        assert elsewhere == [4]
        assert fd.get_threads() == 4
    finally:
        fd.set_threads(None)
    for wrong, error in ((0, ValueError), (2.0, TypeError)):
        with pytest.raises(error, match="threads must be"), native.at_most(wrong):
            pass


def test_a_limit_is_of_what_is_set_meanwhile_too():
    fd.set_threads(2)
    with native.at_most(3):
        assert fd.get_threads() == 2
        fd.set_threads(4)
        assert fd.get_threads() == 3
    assert fd.get_threads() == 4


def test_a_limit_changes_no_bit():
    expected = trained(1, 0.1)
    for limit in (1, 2):
        with native.at_most(limit):
            found = trained(3, 0.1)
        for ours, theirs in zip([*found[0], *found[1:]], [*expected[0], *expected[1:]], strict=True):
            assert_identical(ours, theirs)


@pytest.mark.skipif(not TASKS.is_dir(), reason="counts threads as Linux lists them")
def test_a_limit_is_kept_by_predictions_training_and_layers():
    """A process that never had more than one of our threads has not made any."""
    code = """
import os, threading
import numpy as np
from fastdense import native
fd.set_threads(3)
X = np.random.default_rng(0).normal(size=(4000, 100)).astype("float32")
W = np.ones((100, 200), "float32")
model = fd.Sequential([fd.Input((100,)), fd.Dense(200, "tanh"), fd.Dense(3)], seed=0)
model.compile(loss="mse")
def work():
    model.predict(X)
    model.fit(X, X[:, :3], batch_size=1000, verbose=0)
    fd.dense(X, W)
def made(limit):
    before = len(os.listdir("/proc/self/task"))
    with native.at_most(limit):
        work()
    return len(os.listdir("/proc/self/task")) - before
print(made(1), made(None))
"""
    assert run(code) == "0 2"


def run(code, **environment):
    """Return what a new interpreter prints; the variables that set threads are as given here only."""
    plain = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    code = f"import fastdense as fd\n{code}"
    result = subprocess.run(
        [sys.executable, "-c", code], env=plain | environment, capture_output=True, text=True, check=False
    )
    return result.stdout.strip() or result.stderr.strip().splitlines()[-1]


def test_the_environment_sets_the_default():
    shown = "print(fd.get_threads())"
    assert run(shown) == str(native.usable_cores())
    assert run(shown, FASTDENSE_NUM_THREADS="7") == "7"
    assert run(shown, OMP_NUM_THREADS="3") == "3"
    assert run(shown, OMP_NUM_THREADS="3,2") == "3"
    assert run(shown, OMP_NUM_THREADS="5", FASTDENSE_NUM_THREADS="7") == "7"
    assert run(shown, OMP_NUM_THREADS="nonsense") == str(native.usable_cores())
    for wrong in ("0", "-1", "two", "1.5", "99999"):
        expected = f"ValueError: FASTDENSE_NUM_THREADS={wrong!r} must be a whole number from 1 to 4096"
        assert run(shown, FASTDENSE_NUM_THREADS=wrong) == expected


def test_threadpoolctl_limits_our_threads_too():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    fd.set_threads(4)
    NativeEngine()
    with threadpoolctl.threadpool_limits(2, user_api="fastdense"):
        assert fd.get_threads() == 2
    assert fd.get_threads() == 4
    with native.at_most(1), threadpoolctl.threadpool_limits(3, user_api="fastdense"):
        assert fd.get_threads() == 1
    assert fd.get_threads() == 4  # and not 1, for every thread and for ever
    (found,) = [lib for lib in threadpoolctl.threadpool_info() if lib["user_api"] == "fastdense"]
    assert (found["num_threads"], found["version"]) == (4, fd.__version__)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_models_may_be_fitted_side_by_side(backend):
    joblib = pytest.importorskip("joblib")
    alone = [fitted(seed) for seed in range(4)]
    together = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(fitted)(seed) for seed in range(4))
    for ours, theirs in zip(together, alone, strict=True):
        assert_identical(ours, theirs)


def fitted(seed):
    """Return the predictions of a model whose training is worth two threads."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 60)).astype(np.float32)
    model = fd.Sequential([fd.Input((60,)), fd.Dense(120, "relu"), fd.Dense(1)], seed=seed)
    model.compile(loss="mse", optimizer="adam")
    model.fit(X, X[:, 0], epochs=3, batch_size=200, verbose=0)
    return model.predict(X)


@pytest.mark.skipif(not TASKS.is_dir(), reason="counts threads as Linux lists them")
def test_callers_share_one_pool():
    """Whatever number of Python threads call, no more of ours are made than one call may have."""
    fd.set_threads(3)
    X = np.random.default_rng(0).normal(size=(2000, 100)).astype(np.float32)
    frozen = fd.Sequential([fd.Input((100,)), fd.Dense(200, "tanh"), fd.Dense(3)], seed=0).freeze()
    frozen.predict(X)
    before, most = len([*TASKS.iterdir()]), [0]
    callers = [threading.Thread(target=lambda: [frozen.predict(X) for _ in range(30)]) for _ in range(6)]
    for caller in callers:
        caller.start()
    while any(caller.is_alive() for caller in callers):
        most[0] = max(most[0], len([*TASKS.iterdir()]))
    assert before <= most[0] <= before + len(callers)


def test_some_may_train_while_others_predict():
    X = np.random.default_rng(0).normal(size=(600, 60)).astype(np.float32)
    model = fd.Sequential([fd.Input((60,)), fd.Dense(120, "relu"), fd.Dense(1)], seed=9)
    frozen, expected = model.freeze(), model.predict(X)
    trained, results, wrong = fitted(1), [], []
    trainer = threading.Thread(target=lambda: results.append(fitted(1)))
    trainer.start()
    for i in range(50):
        fd.set_threads(1 + i % 3)  # while the other thread's work is under way
        if not np.array_equal(frozen.predict(X), expected):
            wrong.append(1)
    trainer.join()
    assert not wrong
    assert_identical(results[0], trained)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork")
def test_a_forked_child_goes_on():
    """The pool's threads are not there in a child: it must start its own, and not wait for them."""
    program = """
import os, warnings
import numpy as np, fastdense as fd
warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads, which is the point here
fd.set_threads(2)
X = np.random.default_rng(0).normal(size=(5000, 100)).astype("float32")
model = fd.Sequential([fd.Input((100,)), fd.Dense(200, "tanh"), fd.Dense(3)], seed=0)
expected = model.predict(X)
child = os.fork()
if child == 0:
    os._exit(0 if np.array_equal(model.predict(X), expected) else 1)
print(os.waitpid(child, 0)[1])
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.stdout == "0\n", result.stderr
