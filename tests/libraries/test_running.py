"""How the libraries' engines run: what is compiled and how often, where it computes, what it leaves alone."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import numpy as np
import pytest

import fastdense as fd
from fastdense.array import step
from fastdense.engines import Library
from fastdense.errors import DtypeError, EngineError, ShapeError
from tests.compare import assert_identical, assert_within
from tests.libraries.arrays import LIBRARIES, array_of, numpy_of

pytestmark = pytest.mark.skipif(not LIBRARIES, reason="no array library is installed")
by_library = pytest.mark.parametrize("library", LIBRARIES)
COMPILING = [name for name in LIBRARIES if name != "cupy"]

X = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.float32)


def network(engine, units=5):
    model = fd.Sequential(
        [fd.Input((4,)), fd.Dense(units, "tanh"), fd.Dense(1, "sigmoid")], seed=3, engine=engine
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture
def passes(monkeypatch):
    """Return a list that grows by the rows of each batch that goes through the network's Python."""
    seen, forward = [], step.forward

    def counted(xp, network, weights, X, *arguments, **options):
        seen.append(X.shape[0])
        return forward(xp, network, weights, X, *arguments, **options)

    monkeypatch.setattr(step, "forward", counted)
    for cached in (step.functions, step.outputs_of):
        cached.cache_clear()
    yield seen
    for cached in (step.functions, step.outputs_of):
        cached.cache_clear()


def fit(library, compiled, epochs):
    network(Library(library, compiled=compiled)).fit(X, Y, epochs=epochs, batch_size=32, verbose=0)


@pytest.mark.parametrize("library", [name for name in COMPILING if name != "torch"])
def test_a_step_is_compiled_for_each_size_of_a_batch_and_no_more(library, passes):
    fit(library, True, epochs=3)
    assert set(passes) <= {32, 8}
    compiled = len(passes)
    assert compiled < 12  # of 21 steps
    fit(library, True, epochs=3)
    assert len(passes) == compiled
    fit(library, False, epochs=2)
    assert len(passes) == compiled + 14


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's, of its own parts
def test_pytorch_compiles_a_step_twice_at_most():
    """For the first size of a batch, and then for any."""
    pytest.importorskip("torch")
    counters = importlib.import_module("torch._dynamo.utils").counters
    for cached in (step.functions, step.outputs_of):
        cached.cache_clear()
    counters.clear()
    fit("torch", False, epochs=1)
    assert counters["stats"]["unique_graphs"] == 0
    fit("torch", True, epochs=3)
    assert 1 <= counters["stats"]["unique_graphs"] <= 2
    counters.clear()
    fit("torch", True, epochs=3)
    assert counters["stats"]["unique_graphs"] == 0


@pytest.mark.parametrize("library", [name for name in COMPILING if name != "torch"])
def test_predictions_are_compiled_for_few_numbers_of_rows(library, passes):
    model, expected = network(library), network("native")
    for rows in range(1, 140):
        assert_within(model.predict(X[:rows]), expected.predict(X[:rows]), 1e-6)
    assert passes == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    found = model.evaluate(X[:77], Y[:77], verbose=0)
    assert_within(found, expected.evaluate(X[:77], Y[:77], verbose=0), 1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pytorch_compiles_for_any_number_of_rows():
    pytest.importorskip("torch")
    model, expected = network(Library("torch", compiled=True), units=3), network("native", units=3)
    for rows in range(1, 14):
        assert_within(model.predict(X[:rows]), expected.predict(X[:rows]), 1e-6)


@by_library
def test_a_long_epoch_of_short_stretches(library):
    """Losses and outputs of 1, 2, 3 ... steps come back together, and nothing is compiled for each number."""
    model, expected = network(library), network("native")
    for m in (model, expected):
        m.fit(X, Y, epochs=2, batch_size=1, verbose=0)
    assert_within(model.history.history["accuracy"], expected.history.history["accuracy"], 1e-6)


@pytest.mark.parametrize("library", [name for name in COMPILING if name != "torch"])
def test_a_first_prediction_that_is_traced_leaves_the_model_whole(library):
    model, expected = network(library), network("native").predict(X)
    if library == "jax":
        traced = pytest.importorskip("jax").jit(model.predict)
    else:
        traced = pytest.importorskip("tensorflow").function(model.predict, autograph=False)
    assert_within(numpy_of(traced(array_of(library, X))), expected, 1e-6)
    assert_within(model.predict(X), expected, 1e-6)


@by_library
def test_a_network_that_computes_nothing_returns_copies(library):
    model = fd.Sequential([fd.Input((4,)), fd.Dropout(0.5), fd.Activation("linear")], engine=library)
    for rows in (X.copy(), array_of(library, X)):
        found = model.predict(rows)
        if library in ("torch", "cupy") or isinstance(found, np.ndarray):
            found[...] = 0.0
        assert_identical(numpy_of(rows), X)


@by_library
def test_weights_are_copies(library):
    model = network(library)
    weights = [np.array(w) for w in model.get_weights()]
    model.set_weights(weights)
    before = model.predict(X)
    for w in weights:
        w[...] = 7.0
    model.layers[0].weights[0].flags  # noqa: B018  (read-only, or it would be written to)
    assert_identical(model.predict(X), before)


def test_pytorchs_autocast_changes_nothing():
    torch = pytest.importorskip("torch")
    A, K = torch.from_numpy(X), torch.linspace(-1, 1, 12).reshape(4, 3)
    model, expected = network("torch"), network("torch").predict(X)
    layer = fd.dense(A, K, torch.ones(3), "tanh")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_identical(model.predict(X), expected)
        assert fd.dense(A, K).dtype == torch.float32
        assert torch.equal(fd.dense(A, K, torch.ones(3), "tanh"), layer)


@by_library
def test_lists_keep_their_digits(library):
    one = array_of(library, np.ones((1, 1)))
    assert float(numpy_of(fd.dense([[0.1]], one))[0, 0]) == 0.1
    assert float(numpy_of(fd.dense(one, [[0.1]]))[0, 0]) == 0.1
    assert float(numpy_of(fd.dense(one, one, [0.1]))[0, 0]) == 1.1
    with pytest.raises(DtypeError, match="A_in"):
        fd.dense([["a"]], one)


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name in ("jax", "tensorflow")])
def test_arrays_that_cannot_be_written_to(library):
    A, K = array_of(library, X), array_of(library, np.ones((4, 1), np.float32))
    out = array_of(library, np.zeros((200, 1), np.float32))
    with pytest.raises(DtypeError, match=f"arrays of {library} cannot be written to: leave out=None"):
        fd.dense(A, K, out=out)
    with pytest.raises(DtypeError, match="cannot be written to"):
        network(library).predict(A, out=out)


@by_library
def test_out_is_of_the_same_library_and_device(library):
    A, K = array_of(library, X), array_of(library, np.ones((4, 1), np.float32))
    with pytest.raises(DtypeError, match=f"A_in is an array of {library} but out of numpy"):
        fd.dense(A, K, out=np.zeros((200, 1), np.float32))
    with pytest.raises(ShapeError, match=r"dtype float32, of X's library and on its device, got float32"):
        network(library).predict(A, out=np.zeros((200, 1), np.float32))


def test_pytorchs_out_lies_where_the_rest_does():
    torch = pytest.importorskip("torch")
    A, K, out = torch.from_numpy(X), torch.ones(4, 1), torch.empty(200, 1, device="meta")
    with pytest.raises(EngineError, match="out lies on meta but W on cpu"):
        fd.dense(A, K, out=out)
    with pytest.raises(ShapeError, match=r"on its device, got torch\.Tensor"):
        network("torch").predict(A, out=out)


def test_what_is_of_a_library_and_no_matrix():
    if "torch" in LIBRARIES:
        torch = pytest.importorskip("torch")
        loader = torch.utils.data.DataLoader(torch.from_numpy(X))
        with pytest.raises(DtypeError, match="X"):
            network("native").predict(loader)
    if "tensorflow" in LIBRARIES:
        tf = pytest.importorskip("tensorflow")
        with pytest.raises(DtypeError, match="a RaggedTensor is not a dense matrix"):
            network("tensorflow").predict(tf.ragged.constant([[1.0], [2.0, 3.0]]))
        layer = tf.function(
            lambda A: fd.dense(A, tf.ones((4, 2))), input_signature=[tf.TensorSpec((None, None), tf.float32)]
        )
        assert_within(layer(tf.constant(X)).numpy(), fd.dense(X, np.ones((4, 2), np.float32)), 1e-6)


def test_engines_are_checked_when_they_are_named():
    with pytest.raises(EngineError, match="there is no engine 'abacus'"):
        fd.Sequential(engine="abacus")
    with pytest.raises(TypeError, match="an engine is a name or a Library, got 3"):
        fd.Sequential(engine=3)
    with pytest.raises(EngineError, match="'jax:' names no device"):
        fd.Sequential(engine="jax:")


SEVERAL = """
import os, numpy as np, fastdense as fd
from fastdense.libraries import module_of
X = np.ones((5, 4), np.float32)
if LIBRARY == "jax":
    import jax
    second = jax.devices()[1]
    place = lambda a: jax.device_put(a, second)
else:
    import tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    def place(a):
        with tf.device("cpu:1"):
            return tf.constant(a)
where = lambda a: module_of(LIBRARY).device_of(a)
A, K = place(X), place(np.ones((4, 3), np.float32))
print(where(fd.dense(A, K, place(np.ones(3, np.float32)), "gelu")), where(fd.dense([[1, 2, 3, 4]], K)))
model = fd.Sequential([fd.Input((4,)), fd.Dense(2, "relu")], seed=0, engine=LIBRARY + ":cpu:1")
print(where(model.predict(A)), where(model.program().state.weights[0][0]))
try:
    fd.dense(A, module_of(LIBRARY).backend("cpu:0", None).place(np.ones((4, 3), np.float32)))
except fd.errors.EngineError as error:
    print(error)
default = fd.Sequential([fd.Input((4,)), fd.Dense(2, "relu")], seed=0, engine=LIBRARY)
print(where(default.predict(module_of(LIBRARY).backend("cpu:0", None).place(X))))
if LIBRARY == "jax":
    with jax.default_device(second):
        print(where(default.predict(A)))
    print(where(default.predict(module_of(LIBRARY).backend("cpu:0", None).place(X))))
"""


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name in ("jax", "tensorflow")])
def test_several_devices(library):
    """Two processors that the libraries make of one: what lies on the second is computed there."""
    env = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2", "TF_CPP_MIN_LOG_LEVEL": "3"}
    code = SEVERAL.replace("LIBRARY", repr(library))
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    expected = [
        "cpu:1 cpu:1",
        "cpu:1 cpu:1",
        "A_in lies on cpu:1 but W on cpu:0: move one to the other's device",
    ]
    expected += ["cpu:0", *(["cpu:1", "cpu:0"] if library == "jax" else [])]
    assert done.stdout.splitlines() == expected
