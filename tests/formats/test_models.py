"""Loading and exporting by a file's name."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import FormatError, FormatWarning, NotBuiltError
from fastdense.exchange.table import FORMATS
from tests.compare import assert_identical, assert_within

X = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


@pytest.fixture
def model():
    return fd.Sequential([fd.Input((3,)), fd.Dense(4, "relu"), fd.Dense(2, "softmax")], seed=0)


@pytest.mark.parametrize(("ending", "package"), [(".onnx", "onnx"), (".keras", "h5py")])
def test_a_model_comes_back(tmp_path, model, ending, package):
    pytest.importorskip(package)
    path = tmp_path / f"m{ending}"
    model.export(path)
    assert_identical(fd.load(path).predict(X), model.predict(X))
    assert_identical(fd.models.load_model(str(path)).predict(X), model.predict(X))


def test_the_format_may_be_named(tmp_path, model):
    model.export(tmp_path / "w.safetensors", "torch")
    model.export(tmp_path / "w.c", format="c", name="mine")
    assert "mine_predict" in (tmp_path / "w.h").read_text()
    again = fd.Sequential([fd.Input((3,)), fd.Dense(4, "relu"), fd.Dense(2, "softmax")], seed=1)
    fd.formats.torch.read_torch_weights(again, tmp_path / "w.safetensors")
    assert_identical(again.predict(X), model.predict(X))


def test_saving_as_keras_does(tmp_path, model):
    pytest.importorskip("h5py")
    model.save(tmp_path / "m.keras")
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.warns(FormatWarning, match="holds no loss, optimizer or metrics") as notes:
        model.save(tmp_path / "m.keras")
    assert notes[0].filename == __file__
    model.save(tmp_path / "m.keras", include_optimizer=False)
    assert_identical(fd.models.load_model(tmp_path / "m.keras").predict(X), model.predict(X))


def test_a_table_that_is_left_out_is_said(tmp_path):
    pytest.importorskip("h5py")
    pytest.importorskip("sklearn")
    frame = {"a": X[:, 0], "b": X[:, 1], "y": X[:, 2]}
    table = importlib.import_module("fastdense.tabular")
    model = table.train_table(frame, "y", recipe=table.Recipe(hidden=(2,), epochs=1), verbose=0)
    with pytest.warns(FormatWarning, match="holds no table: what goes in are the features"):
        model.save(tmp_path / "m.keras", include_optimizer=False)
    with pytest.warns(FormatWarning, match="no loss, optimizer or metrics, and no table"):
        model.save(tmp_path / "m.keras")


@pytest.mark.parametrize(("ending", "package"), [("ONNX", "onnx"), ("Keras", "h5py"), ("SafeTensors", None)])
def test_endings_may_be_in_capitals(tmp_path, model, ending, package):
    if package is None:
        model.save(tmp_path / f"m.{ending}")
    else:
        pytest.importorskip(package)
        model.export(tmp_path / f"m.{ending}")
    assert_identical(fd.load(tmp_path / f"m.{ending}").predict(X), model.predict(X))


def test_what_cannot_be_exported(tmp_path, model):
    with pytest.raises(
        FormatError, match=r"m\.txt: exports end in \.onnx, \.keras, \.c, or say what they are"
    ):
        model.export(tmp_path / "m.txt")
    with pytest.raises(FormatError, match="format='onnx', 'keras', 'torch', 'c'"):
        model.export(tmp_path / "m.safetensors")  # our own files' name too
    with pytest.raises(ValueError, match="format must be one of"):
        model.export(tmp_path / "m.onnx", "tensorflow")
    with pytest.raises(TypeError, match="C99 source and header files have no option table; they have only"):
        model.export(tmp_path / "m.c", table=True)
    with pytest.raises(NotBuiltError):
        fd.Sequential([fd.Dense(1)]).export(tmp_path / "m.c")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["m.pt", "m.pkl", "m.joblib"])
def test_pickles_are_not_loaded(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(FormatError, match="pickles run code as they are loaded"):
        fd.load(tmp_path / name)


def test_an_unknown_ending(tmp_path):
    (tmp_path / "m.dat").touch()
    with pytest.raises(
        FormatError, match=r"a model's name ends in \.safetensors, \.onnx, \.keras, \.h5 or \.hdf5"
    ):
        fd.load(tmp_path / "m.dat")


def test_a_loaded_model_trains(tmp_path, model):
    pytest.importorskip("onnx")
    model.export(tmp_path / "m.onnx")
    loaded = fd.load(tmp_path / "m.onnx")
    loaded.compile(fd.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    y = (X[:, 0] > 0).astype(int)
    losses = loaded.fit(X, y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 2
    assert_within(loaded.predict(X).sum(axis=1), np.ones(6, np.float32), 1e-6)


@pytest.mark.parametrize("one", FORMATS, ids=[one.name for one in FORMATS])
def test_the_page_has_a_row_for_every_format(one):
    lines = (Path(__file__).parents[2] / "docs/formats.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]
    title = one.title.split("'")[0].split(" ")[0]
    ((name, _, _, needs),) = [row for row in rows if row[0].startswith(title)]
    assert all(f"`{suffix}`" in name for suffix in one.suffixes)
    assert f"extra `{one.extra}`" in needs if one.extra else "extra" not in needs
