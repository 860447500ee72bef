"""The layer that embeds numbers by cosines: its numbers, missing ones, its start, its files."""

from __future__ import annotations

import math
import subprocess

import numpy as np
import pytest

import fastdense as fd
from fastdense import engines
from fastdense.errors import FormatError, NonFiniteError, NotBuiltError, ShapeError
from fastdense.formats.c import write_c
from fastdense.formats.onnx import write_onnx
from fastdense.layers import PeriodicEmbedding
from tests.compare import assert_identical, assert_within

ENGINES = ["native", "array", "reference"]
X = np.array([[4.0, -1.0, 9.0], [np.nan, 0.25, np.nan], [1e4, np.nan, 0.0]])


def network(engine="native", dtype="float32", columns=2, n_in=3, **settings):
    layers = [PeriodicEmbedding(columns, **settings), fd.Dense(2, "tanh")]
    model = fd.Sequential([fd.Input((n_in,)), *layers], engine=engine, dtype=dtype, seed=0)
    *arrays, missing, kernel, bias = model.get_weights()
    rng = np.random.default_rng(1)
    model.set_weights([*arrays, rng.normal(size=missing.shape), kernel, bias])
    return model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("engine", ENGINES)
def test_numbers_by_hand(engine, dtype):
    model = fd.Sequential(
        [fd.Input((3,)), PeriodicEmbedding(2, frequencies=2, width=2)], engine=engine, dtype=dtype
    )
    frequency, phase = [[0.25, 0.5], [1.0, 1.0]], [[0.0, 0.0], [0.0, math.pi]]
    kernel, bias = [[[3.0], [5.0]], [[1.0], [2.0]]], [[7.0], [0.5]]
    model.set_weights([frequency, phase, kernel, bias, [[-1.0, -2.0], [-3.0, -4.0]]])
    eps = np.finfo(dtype).eps
    # 3 cos(2 pi) + 5 cos(4 pi) + 7 = 15; cos(-2 pi) + 2 cos(-pi) + 0.5 = -0.5
    expected = [[15.0, 4.0, -0.5, -1.0, 9.0], [-1.0, -2.0, -0.5, 1.0, 8.0], [15.0, 8.0, -3.0, -4.0, -9.0]]
    found = model.predict(np.array([[4.0, -1.0, 9.0], [np.nan, 1.0, 8.0], [8.0, np.nan, -9.0]]))
    assert_within(found, np.array(expected, dtype), 100 * eps)


def test_what_is_missing_where_it_is_not_embedded_is_still_not_a_number():
    found = network().predict(np.array([[1.0, 2.0, np.nan], [np.nan, np.nan, 3.0]]))
    assert np.isnan(found).tolist() == [[True, True], [False, False]]


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_with_missing_numbers_are_trained_on(engine):
    model = network(engine)
    model.compile(fd.optimizers.SGD(0.1), "mse")
    before = model.get_weights()
    rows = np.array([[1.0, np.nan, 0.5]])
    model.fit(rows, [[0.3, 0.1]], validation_data=(rows, [[0.3, 0.1]]), epochs=1, verbose=0)
    missing, kept = model.layers[0].weights[4] - before[4], model.layers[0].weights[2] - before[2]
    assert (missing[1] != 0).all()
    assert (missing[0] == 0).all()
    assert (kept[0] != 0).all()
    assert (kept[1] == 0).all()


@pytest.mark.parametrize("bad", [[1.0, np.inf, 0.0], [1.0, 2.0, np.nan]])
def test_other_numbers_that_are_not_finite_are_refused(bad):
    model = network()
    model.compile("sgd", "mse")
    column = int(np.flatnonzero(~np.isfinite(bad))[0])
    with pytest.raises(NonFiniteError, match=f"X holds (inf|nan) at row 0, column {column}"):
        model.fit(np.array([bad]), [[0.0, 0.0]], verbose=0)


def trained(threads):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(512, 21))
    rows[rng.random(rows.shape) < 0.1] = np.nan
    model = fd.Sequential([fd.Input((21,)), PeriodicEmbedding(), fd.Dense(64, "tanh"), fd.Dense(1)], seed=0)
    model.compile(fd.optimizers.Adam(0.01), "mse")
    with engines.at_most(threads):
        model.fit(rows, rng.normal(size=(512, 1)), batch_size=256, epochs=3, verbose=0)
    return model.get_weights()


def test_any_number_of_threads_gives_the_same_bits():
    one, *others = (trained(threads) for threads in (1, 2, 5))
    for weights in others:
        for found, wanted in zip(weights, one, strict=True):
            assert_identical(found, wanted)


def test_it_learns_what_repeats():
    """A sine of five turns, which a small network of the number alone does not find in as many steps."""
    x = np.linspace(-1.0, 1.0, 400)[:, None]
    y = np.sin(5 * math.pi * x)

    def error(*first):
        model = fd.Sequential([fd.Input((1,)), *first, fd.Dense(32, "relu"), fd.Dense(1)], seed=0)
        model.compile(fd.optimizers.Adam(0.01), "mse")
        return model.fit(x, y, batch_size=64, epochs=60, verbose=0).history["loss"][-1]

    assert error(PeriodicEmbedding(sigma=1.0)) < 0.05 < error()


def test_the_start_is_that_of_the_papers():
    layer = PeriodicEmbedding(sigma=0.5, frequencies=25, input_shape=(2000,))
    with pytest.raises(NotBuiltError, match="has no arrays yet"):
        layer.spec(0)
    fd.Sequential([layer], seed=0)
    frequency, phase, kernel, bias, missing = layer.weights
    assert abs(frequency.std() - 0.5) < 0.02
    assert abs(frequency.mean()) < 0.02
    for array, limit in ((phase, math.pi), (kernel, 0.2), (bias, 0.2)):
        assert np.abs(array).max() <= limit
        assert abs(array.std() - limit / math.sqrt(3)) < 0.02 * limit
    assert not missing.any()


def test_columns_all_or_the_first():
    assert PeriodicEmbedding().units_for(5) == 20
    assert PeriodicEmbedding(2, width=3).units_for(5) == 9
    model = fd.Sequential([PeriodicEmbedding(), fd.Dense(1)], seed=0)
    assert model.predict(np.ones((2, 5))).shape == (2, 1)


def test_the_summary_says_what_it_makes(capsys):
    network().summary()
    assert "2 columns, 4 numbers each, of 16 cosines" in capsys.readouterr().out


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("columns", "n_in"), [(2, 3), (None, 3)])
def test_files_compute_the_same(tmp_path, dtype, columns, n_in):
    model = network(dtype=dtype, columns=columns, n_in=n_in)
    rows = np.array(X, dtype)
    rows[1, 2] = 0.5
    expected, bound = model.predict(rows), (1e-4 if dtype == "float32" else 1e-11)
    model.save(tmp_path / "m.safetensors")
    assert_identical(fd.load(tmp_path / "m.safetensors").predict(rows), expected)
    onnx, runtime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    write_onnx(model, tmp_path / "m.onnx")
    onnx.checker.check_model(tmp_path / "m.onnx", full_check=True)
    session = runtime.InferenceSession(tmp_path / "m.onnx")
    assert_within(session.run(None, {"X": rows})[0], expected, bound)


def test_a_module_of_pytorch_computes_the_same_and_comes_back():
    torch = pytest.importorskip("torch")
    from fastdense.formats.torch import from_torch, to_torch

    model, rows = network(), X.astype(np.float32)
    rows[1, 2] = 0.5
    module = to_torch(model)
    with torch.no_grad():
        assert_within(module(torch.from_numpy(rows)).numpy(), model.predict(rows), 1e-4)
    back = from_torch(module, n_in=3)
    assert_within(back.predict(rows), model.predict(rows), 1e-4)


def test_a_module_of_pytorch_that_begins_with_it_needs_the_width():
    pytest.importorskip("torch")
    from fastdense.formats.torch import from_torch, to_torch

    with pytest.raises(FormatError, match="give n_in="):
        from_torch(to_torch(network()))


def test_c_computes_the_same(tmp_path):
    model, rows = network(), X.astype(np.float32)
    rows[1, 2] = 0.5
    write_c(model, tmp_path / "net.c", name="net")
    numbers = [["NAN" if math.isnan(x) else f"{x}f" for x in row] for row in rows.tolist()]
    calls = [f"net_predict((float[]){{{', '.join(row)}}}, y);" for row in numbers]
    body = "".join(f'{call} printf("%.9g %.9g\\n", y[0], y[1]);' for call in calls)
    headers = '#include <math.h>\n#include <stdio.h>\n#include "net.h"\n'
    main = f"{headers}int main(void) {{ float y[2]; {body} return 0; }}\n"
    (tmp_path / "main.c").write_text(main)
    options = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O2"]
    subprocess.run(["cc", *options, "main.c", "net.c", "-lm", "-o", "main"], cwd=tmp_path, check=True)
    shown = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout
    assert_within(np.array(shown.split(), np.float32).reshape(3, 2), model.predict(rows), 1e-4)


def test_keras_has_no_such_layer(tmp_path):
    with pytest.raises(FormatError, match="layer 'periodic_embedding': Keras has no PeriodicEmbedding"):
        network().save(tmp_path / "m.keras")


def test_an_explanation_says_what_is_embedded():
    model = network()
    model.compile("sgd", "mse")
    text = str(model.explain([0.5, 1.0, 2.0], [0.1, 0.2]))
    assert "periodic embedding 'periodic_embedding', 3 to 9" in text
    assert "A1 = concat(periodic1(A0[:, :2]), A0[:, 2:])" in text
    assert "dkernel1 (32, 3)" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"columns": 0}, "columns must be at least 1, got 0"),
        ({"frequencies": 0}, "frequencies must be at least 1, got 0"),
        ({"width": 1}, "width must be at least 2, got 1"),
        ({"sigma": 0.0}, "sigma must be finite and above 0"),
        ({"rate_factor": -1.0}, "rate_factor must be finite and at least 0"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        PeriodicEmbedding(**arguments)


def test_an_input_that_is_too_narrow_is_refused():
    with pytest.raises(ShapeError, match="embeds the first 3 columns, but its input has 2"):
        fd.Sequential([fd.Input((2,)), PeriodicEmbedding(3)])
