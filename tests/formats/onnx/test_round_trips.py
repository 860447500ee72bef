"""Networks to ONNX files and back: ONNX Runtime computes from them what we do, and so does what we read."""

from __future__ import annotations

import functools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

import fastdense as fd
from fastdense.core.spec import ACTIVATIONS
from fastdense.errors import FormatError, NotBuiltError, TableWarning
from fastdense.formats.onnx import read_onnx, write_onnx
from fastdense.tabular import Recipe, predict_table, train_table
from tests.compare import assert_identical, assert_within
from tests.formats.networks import assert_predicts_as, inputs, networks

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx") / "model.onnx"


def run(path, X):
    """Return what ONNX Runtime computes from a file."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["Y"], {"X": X})[0]


@settings(max_examples=60, deadline=None)
@given(model=networks(of_tables=False))
def test_random_networks(path, model):
    """float64 is read back only: ONNX Runtime lacks most activations in it."""
    X = inputs(model, 5)
    write_onnx(model, path)
    onnx.checker.check_model(path, full_check=True)
    if model.dtype == "float32":
        assert_predicts_as(functools.partial(run, path), model, X)
    back = read_onnx(path)
    assert (back.input_shape, back.output_shape, back.dtype) == (
        model.input_shape, model.output_shape, model.dtype
    )  # fmt: skip
    assert_predicts_as(back.predict, model, X)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_comes_back_as_itself(path, name):
    model = fd.Sequential([fd.Input((4,)), fd.Dense(3, name), fd.Activation(name), fd.Dense(2)], seed=0)
    write_onnx(model, path)
    names = [layer.activation.name for layer in read_onnx(path).layers]
    assert names == [name, "linear"] if name == "linear" else names == [name, name, "linear"]


def test_what_is_read_is_the_same_to_the_bit(path):
    layers = [fd.Input((4,)), fd.Dense(7, "tanh"), fd.Dropout(0.3), fd.Dense(3, "softmax")]
    model = fd.Sequential(layers, seed=0)
    write_onnx(model, path)
    assert_identical(read_onnx(path).predict(inputs(model, 9)), model.predict(inputs(model, 9)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("passed", [0, 2])
def test_category_numbers_and_what_is_none(path, dtype, passed):
    layers = [fd.layers.CategoryEmbedding((3, 40, 1), 5), fd.Dense(7, "tanh"), fd.Dense(2)]
    model = fd.Sequential([fd.Input((passed + 3,)), *layers], seed=0, dtype=dtype)
    write_onnx(model, path)
    onnx.checker.check_model(path, full_check=True)
    assert_predicts_as(functools.partial(run, path), model, inputs(model, 200))


def test_float64_networks_of_what_the_runtime_has(path):
    model = fd.Sequential([fd.Input((4,)), fd.Dense(7, "tanh"), fd.Dense(3, "softmax")], dtype="float64")
    write_onnx(model, path)
    assert_predicts_as(functools.partial(run, path), model, inputs(model, 9))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_celu_in_either_dtype(path, dtype):
    """ONNX has the operator for float32 alone: in float64 it is an Elu between two scalings."""
    celu = fd.activations.ActivationFunction("celu", 0.5)
    model = fd.Sequential([fd.Input((4,)), fd.Dense(7, celu), fd.Dense(2)], dtype=dtype, seed=0)
    X = inputs(model, 9)
    write_onnx(model, path)
    onnx.checker.check_model(path, full_check=True)
    (found,) = evaluator(str(path)).run(["Y"], {"X": X})
    assert_within(found, model.predict(X), 16 * np.finfo(dtype).eps)
    back = read_onnx(path)
    assert_within(back.predict(X), model.predict(X), 16 * np.finfo(dtype).eps)
    assert back.layers[0].activation.name == ("celu" if dtype == "float32" else "elu")


def test_means_that_float32_has_no_digits_for(path):
    X = RNG.normal([0.0, 3e5, 7e7], 1.0, (50, 3)).astype(np.float32)
    model = fd.Sequential([fd.Input((3,)), fd.Normalization(), fd.Dense(2)], seed=0)
    model.layers[0].adapt(X)
    write_onnx(model, path)
    for predict in (functools.partial(run, path), read_onnx(path).predict):
        assert_within(predict(X), model.predict(X), 1e-5)


def test_another_dtype_in_the_file(path):
    model = fd.Sequential([fd.Input((4,)), fd.Dense(7, "mish"), fd.Dense(3)], seed=0, dtype="float64")
    write_onnx(model, path, dtype="float32")
    X = inputs(model, 9).astype(np.float32)
    found = run(path, X)
    assert found.dtype == read_onnx(path).dtype == "float32"
    narrow = fd.Sequential([fd.Input((4,)), fd.Dense(7, "mish"), fd.Dense(3)])
    narrow.set_weights(model.get_weights())
    assert_predicts_as(functools.partial(run, path), narrow, X)


def frame(rows=300):
    """Return columns of every kind that is a number, missing values among them."""
    price = RNG.normal(1e6, 1e3, rows)
    price[::7] = np.nan
    code = RNG.integers(0, 4, rows).astype(float)
    code[::11] = np.nan
    return pd.DataFrame(
        {
            "price": price,
            "count": RNG.integers(0, 9, rows),
            "constant": np.ones(rows),
            "code": code,
            "many": np.arange(rows) % 70,
            "name": [f"n{i}" for i in range(rows)],
            "label": np.where(RNG.random(rows) < 0.4, "no", "yes"),
            "amount": RNG.gamma(2.0, 300.0, rows),
        }
    )


def on_table(columns, target):
    kinds = {name: "category" for name in ("code", "many") if name in columns}
    recipe = Recipe(hidden=(8,), epochs=3)
    return train_table(columns, target, types=kinds, recipe=recipe, validation=0.0, seed=0, verbose=0)


def run_on_table(path, columns):
    """Return what ONNX Runtime makes of the rows that a file with a table takes, and the file's metadata."""
    metadata = ort.InferenceSession(path).get_modelmeta().custom_metadata_map
    return run(path, columns[json.loads(metadata["columns"])].to_numpy(float)), metadata


def test_the_table_of_a_classifier(path):
    columns = frame()
    model = on_table(columns.drop(columns="amount"), "label")
    write_onnx(model, path, table=True)
    found, metadata = run_on_table(path, columns)
    assert json.loads(metadata["columns"]) == ["price", "count", "constant", "code", "many"]
    assert json.loads(metadata["classes"]) == ["no", "yes"]
    assert_within(found, model.predict(columns), 8 * np.finfo(np.float32).eps)


def test_the_table_of_a_quantity_comes_out_in_its_own_units(path):
    columns = frame()
    model = on_table(columns.drop(columns=["label", "code"]), "amount")
    write_onnx(model, path, table=True)
    found, metadata = run_on_table(path, columns)
    expected = predict_table(model, columns).values[:, np.newaxis]
    assert "classes" not in metadata
    assert_within(found, expected, 16 * np.finfo(np.float32).eps * model.table.target.std)


def test_rows_never_seen_and_out_of_range(path):
    columns = frame()
    model = on_table(columns.drop(columns="amount"), "label")
    write_onnx(model, path, table=True)
    strange = columns.head(4).assign(price=[1e300, -1e300, np.nan, 0.0], code=[7.0, np.nan, -1.0, 2.0])
    with pytest.warns(TableWarning, match="column 'code': 67% of the values are unknown"):
        expected = model.predict(strange)
    assert_within(run_on_table(path, strange)[0], expected, 8 * np.finfo(np.float32).eps)


def churn(rows=200):
    """Return columns of texts of every kind, with a column of numbers between them."""
    return pd.DataFrame(
        {
            "job": RNG.choice(["clerk", "smith (a+b)", "\u00e9 x", "7", "1.50", "True"], rows),
            "tenure": np.where(np.arange(rows) % 9, RNG.integers(0, 70, rows), np.nan),
            "city": RNG.choice([f"c{i}" for i in range(80)], rows),
            "partner": RNG.choice(["Yes", "No", "", "N/A"], rows),
            "code": RNG.choice(["07", "7", "8"], rows),
            "churn": RNG.choice(["no", "yes"], rows),
        }
    )


def run_on_texts(path, columns):
    """Return what ONNX Runtime makes of the rows that a file with texts takes."""
    session = ort.InferenceSession(path)
    metadata = session.get_modelmeta().custom_metadata_map
    names = {"X": ("columns", float), "texts": ("texts", object)}
    rows = {key: columns[json.loads(metadata[name])].to_numpy(kind) for key, (name, kind) in names.items()}
    return session.run(["Y"], {one.name: rows[one.name] for one in session.get_inputs()})[0]


@pytest.fixture(scope="module")
def churn_model(path):
    types = dict.fromkeys(("job", "city", "partner", "code"), "category")
    recipe = Recipe(hidden=(8,), epochs=3)
    model = train_table(churn(), "churn", types=types, recipe=recipe, validation=0.0, seed=0, verbose=0)
    write_onnx(model, path, table=True)
    onnx.checker.check_model(path, full_check=True)
    return model, path.read_bytes()


def test_the_table_of_texts(path, churn_model):
    model, content = churn_model
    path.write_bytes(content)
    columns = churn()
    assert_within(run_on_texts(path, columns), model.predict(columns), 8 * np.finfo(np.float32).eps)


SPELLED = {
    "job": [
        "07",
        " clerk\u3000",
        "CLERK",
        "+7.0",
        "1.5",
        "tRUE",
        "unseen",
        "?",
        "#N/A",
        " ",
        "7e0",
        "1e400",
        "a",
    ],
    "city": ["c1", "elsewhere", "", "NULL", "c2 ", "\tc3", "C4", "nan", "c5", "c6", "<na>", "c7", "c8"],
    "partner": ["yes", " Yes", "No ", "", "n/a", "maybe", "None", "Yes", "No", "Yes", "No", "NaT", "-"],
    "code": ["07", "7", "7.0", "007", "8.0", "08", "9", "", "8", "7", "+8", "8e0", "0x8"],
}


def test_texts_in_other_spellings(path, churn_model):
    """Blanks around a text, markers of missing values, spellings of a number, and what was never seen."""
    model, content = churn_model
    path.write_bytes(content)
    columns = churn(13).assign(**SPELLED)
    assert_within(run_on_texts(path, columns), model.predict(columns), 8 * np.finfo(np.float32).eps)


def test_texts_alone_have_no_input_of_numbers(path):
    columns = churn()[["partner", "churn"]]
    model = on_table(columns, "churn")
    write_onnx(model, path, table=True)
    session = ort.InferenceSession(path)
    assert [(one.name, one.shape) for one in session.get_inputs()] == [("texts", ["rows", 1])]
    found = session.run(["Y"], {"texts": columns[["partner"]].to_numpy(object)})[0]
    assert_within(found, model.predict(columns), 8 * np.finfo(np.float32).eps)


def test_dates_are_refused(path):
    days = pd.date_range("2024-01-01", periods=60).strftime("%Y-%m-%d")
    model = on_table(churn(60).assign(day=days), "churn")
    path.unlink(missing_ok=True)
    with pytest.raises(FormatError, match="column 'day' is of dates: only numbers and texts"):
        write_onnx(model, path, table=True)
    assert not path.exists()


def test_a_file_with_its_table_says_that_it_is_not_read_back(path, churn_model):
    path.write_bytes(churn_model[1])
    with pytest.raises(FormatError, match="does not read it back: load the model that it was exported from"):
        read_onnx(path)


def test_a_model_without_a_table_has_none_to_include(path):
    with pytest.raises(FormatError, match="no table"):
        write_onnx(fd.Sequential([fd.Input((2,)), fd.Dense(1)]), path, table=True)


def test_what_cannot_be_written(tmp_path):
    model = fd.Sequential([fd.Dense(1)])
    with pytest.raises(NotBuiltError):
        write_onnx(model, tmp_path / "m.onnx")
    model.build((None, 2))
    with pytest.raises(FormatError, match=r"ends in \.onnx"):
        write_onnx(model, tmp_path / "m.txt")
    with pytest.raises(FileNotFoundError):
        write_onnx(model, tmp_path / "no" / "m.onnx")
    with pytest.raises(ValueError, match="dtype"):
        write_onnx(model, tmp_path / "m.onnx", dtype="float16")
    assert not list(tmp_path.iterdir())


X, Y = RNG.normal(size=(80, 3)), RNG.normal(size=(80, 2))
ESTIMATORS = {
    "two classes": (fd.MLPClassifier, {}, Y[:, 0] > 0),
    "three classes": (fd.MLPClassifier, {}, np.arange(80) % 3),
    "several labels": (fd.MLPClassifier, {}, Y > 0),
    "columns of classes": (fd.MLPClassifier, {}, np.stack([np.arange(80) % 3, np.arange(80) % 2], 1)),
    "one quantity": (fd.MLPRegressor, {}, Y[:, 0]),
    "two quantities": (fd.MLPRegressor, {}, Y),
    "counts": (fd.MLPRegressor, {"loss": "poisson"}, np.arange(80) % 5),
    "counts in two columns": (fd.MLPRegressor, {"loss": "poisson"}, np.arange(160).reshape(80, 2) % 5),
}


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fitted_estimators(path, name):
    kind, parameters, y = ESTIMATORS[name]
    fitted = kind(hidden_layer_sizes=(8,), max_iter=5, random_state=0, **parameters).fit(X, y)
    write_onnx(fitted.to_network(), path)
    found = run(path, X.astype(np.float32))
    expected = fitted.predict(X) if kind is fd.MLPRegressor else fitted.predict_proba(X)
    expected = np.hstack(expected) if isinstance(expected, list) else expected
    expected = expected[:, 1:] if name == "two classes" else expected
    assert_within(
        found.reshape(expected.shape), expected, 16 * np.finfo(np.float32).eps * np.abs(expected).max()
    )
