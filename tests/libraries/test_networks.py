"""Whole networks with other array libraries' engines: training, callbacks, files, their own arrays."""

from __future__ import annotations

import copy
import pickle
import sys
import warnings

import numpy as np
import pytest

import fastdense as fd
from fastdense import engines, libraries
from fastdense.engines import Library
from fastdense.errors import DtypeError, EngineError, NonFiniteError, NonFiniteLossError, ShapeError
from tests.compare import assert_identical, assert_within
from tests.libraries.arrays import LIBRARIES, array_of, numpy_of

pytestmark = pytest.mark.skipif(not LIBRARIES, reason="no array library is installed")
by_library = pytest.mark.parametrize("library", LIBRARIES)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.float32)
EPS = float(np.finfo(np.float32).eps)


def network(engine, **options):
    layers = [fd.Input((4,)), fd.Dense(6, "tanh"), fd.Dropout(0.2), fd.Dense(1, "sigmoid")]
    model = fd.Sequential(layers, seed=3, engine=engine, **options)
    model.compile(fd.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    return model


def trained(engine, **options):
    model = network(engine)
    model.fit(X, Y, epochs=3, batch_size=16, verbose=0, **options)
    return model


def assert_close(found, expected):
    """Nine steps, each within the 32 eps that engines may differ by, of numbers of about 1."""
    assert_within(numpy_of(found), expected, 9 * 32 * EPS)


@by_library
def test_the_same_training_as_here(library):
    found, expected = trained(library), trained("native")
    assert type(found.predict(X)) is np.ndarray
    assert_close(found.predict(X), expected.predict(X))
    for ours, theirs in zip(found.history.history["loss"], expected.history.history["loss"], strict=True):
        assert_within(ours, theirs, 9 * 32 * EPS)


@by_library
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's, of its own parts
@pytest.mark.parametrize("compiled", [False, True])
def test_compiled_or_not_it_is_the_same(library, compiled):
    found = trained(Library(library, compiled=compiled))
    assert_close(found.predict(X), trained("native").predict(X))


@by_library
def test_the_librarys_own_arrays(library):
    """They go in and come out, and train as NumPy's do."""
    model, expected = network(library), network(library)
    rows, targets = array_of(library, X), array_of(library, Y)
    history = model.fit(rows, targets, epochs=2, batch_size=16, verbose=0, validation_split=0.25).history
    assert history == expected.fit(X, Y, epochs=2, batch_size=16, verbose=0, validation_split=0.25).history
    outputs = model.predict(rows)
    assert libraries.library_of(outputs) == library
    assert_identical(numpy_of(outputs), expected.predict(X))
    assert model.evaluate(rows, targets, verbose=0) == expected.evaluate(X, Y, verbose=0)
    weights = array_of(library, np.linspace(0, 1, len(X), dtype=np.float32))
    assert np.isfinite(model.train_on_batch(rows, targets, sample_weight=weights)[0])


@by_library
def test_the_librarys_own_arrays_are_checked(library):
    model = network(library)
    with pytest.raises(ShapeError, match="4 rows"):
        model.predict(array_of(library, X[:, :3]))
    with pytest.raises(DtypeError, match="real numbers"):
        model.predict(array_of(library, X.astype(np.complex64)))
    bad = X.copy()
    bad[3, 1] = np.nan
    with pytest.raises(NonFiniteError, match="row 3, column 1"):
        model.fit(array_of(library, bad), Y, verbose=0)
    assert_within(numpy_of(model.predict(array_of(library, np.float64(X)))), model.predict(X), 4 * EPS)


@by_library
def test_the_native_engine_takes_arrays_in_main_memory(library):
    model = network("native")
    outputs = model.predict(array_of(library, X))
    assert type(outputs) is np.ndarray
    assert_identical(outputs, model.predict(X))


@by_library
def test_callbacks_and_files(tmp_path, library):
    best = fd.callbacks.EarlyStopping("loss", patience=5, restore_best_weights=True)
    kept = fd.callbacks.ModelCheckpoint(tmp_path / "best.safetensors", monitor="loss", save_best_only=True)
    model = trained(library, callbacks=[best, kept])
    model.save(tmp_path / "m.safetensors")
    loaded = fd.load(tmp_path / "m.safetensors")
    assert loaded.engine == "auto"
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert_identical(ours, theirs)
    assert (tmp_path / "best.safetensors").exists()


@by_library
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path, library):
    straight = network(library)
    straight.fit(X, Y, epochs=4, batch_size=16, verbose=0)
    halves = network(library)
    halves.fit(X, Y, epochs=2, batch_size=16, verbose=0)
    halves.save(tmp_path / "m.safetensors")
    resumed = fd.load(tmp_path / "m.safetensors")
    resumed.engine = library
    resumed.fit(X, Y, epochs=4, initial_epoch=2, batch_size=16, verbose=0)
    for ours, theirs in zip(resumed.get_weights(), straight.get_weights(), strict=True):
        assert_identical(ours, theirs)


@by_library
def test_copies_and_pickles(library):
    model = trained(Library(library))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.engine == Library(library)
        assert_identical(other.predict(X), model.predict(X))


@by_library
def test_a_loss_that_is_not_finite_stops_training(library):
    model = network(library)
    model.compile(fd.optimizers.SGD(1e30), "mean_squared_error")
    with pytest.raises(NonFiniteLossError, match="epoch"):
        model.fit(X * 1e10, Y * 1e30, epochs=5, batch_size=8, verbose=0)
    assert all(np.isfinite(weights).all() for weights in model.get_weights())


@by_library
def test_estimators(library):
    pytest.importorskip("sklearn")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three epochs are no training
        one, other = (
            fd.MLPClassifier(hidden_layer_sizes=(5,), max_iter=3, random_state=0, engine=engine).fit(X, Y)
            for engine in (library, "native")
        )
    assert_close(one.predict_proba(X).astype(np.float32), other.predict_proba(X).astype(np.float32))


@by_library
def test_named_by_the_environment(monkeypatch, library):
    monkeypatch.setenv("FASTDENSE_ENGINE", library)
    assert fd.info().engine.startswith(library)
    assert_close(trained("auto").predict(X), trained("native").predict(X))


@by_library
def test_a_device_that_there_is_not(library):
    with pytest.raises(EngineError, match=r"its devices here are .*cpu"):
        network(f"{library}:gpu:97").predict(X)


@by_library
def test_a_library_that_is_not_installed(monkeypatch, library):
    for module in (library, f"fastdense.libraries.{library}"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delattr(libraries, library, raising=False)
    with pytest.raises(
        EngineError, match=rf"the engine '{library}' cannot be loaded .*: pip install {library}"
    ):
        network(library).predict(X)


def test_names_and_choices():
    assert set(LIBRARIES) <= set(engines.installed()) <= set(engines.known())
    with pytest.raises(EngineError, match="there is no engine 'abacus'"):
        network("abacus").predict(X)
    with pytest.raises(EngineError, match="no array library 'numpy'"):
        Library("numpy")
    with pytest.raises(TypeError, match="device must be a string"):
        Library("torch", device=0)
    with pytest.raises(TypeError, match="compiled must be True, False or None"):
        Library("torch", compiled="yes")
    assert str(Library("torch", "cuda:1")) == "torch:cuda:1"
