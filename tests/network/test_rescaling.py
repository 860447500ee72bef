"""The layer that multiplies and shifts: its numbers, and that it is kept in files."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import ShapeError
from tests.compare import assert_within

X = np.array([[0.0, 255.0], [51.0, 102.0]], np.float32)


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
@pytest.mark.parametrize(("scale", "offset"), [(1 / 255, 0.0), (1 / 127.5, -1.0), ([2.0, -0.5], [1.0, 0.25])])
def test_values(scale, offset, engine):
    model = fd.Sequential([fd.Input((2,)), fd.layers.Rescaling(scale, offset)], engine=engine)
    assert_within(model.predict(X), (X * scale + offset).astype(np.float32), 1e-6 * 600)
    assert_within(model.predict(X)[0], (X[0] * scale + offset).astype(np.float32), 1e-4)


@pytest.mark.parametrize("ending", ["safetensors", "keras"])
def test_files(ending, tmp_path):
    layers = [fd.layers.Rescaling(1 / 255, offset=[0.5, -0.5]), fd.Dense(3, "relu"), fd.Dense(1)]
    model = fd.Sequential([fd.Input((2,)), *layers], seed=0)
    model.save(tmp_path / f"m.{ending}")
    assert_within(fd.load(tmp_path / f"m.{ending}").predict(X), model.predict(X), 1e-6)


def test_it_is_trained_behind(capsys):
    model = fd.Sequential([fd.layers.Rescaling(1 / 255, input_shape=(2,)), fd.Dense(1)], seed=0)
    model.compile("sgd", "mse")
    other = fd.Sequential([fd.Input((2,)), fd.Dense(1)], seed=0)
    other.set_weights(model.get_weights())
    other.compile("sgd", "mse")
    model.fit(X, [0.0, 1.0], epochs=3, shuffle=False, verbose=0)
    other.fit(X / 255, [0.0, 1.0], epochs=3, shuffle=False, verbose=0)
    for found, wanted in zip(model.get_weights(), other.get_weights(), strict=True):
        assert_within(found, wanted, 1e-6)
    model.summary()
    assert "x * scale + offset" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"scale": 0.0}, ValueError, "scale must not be 0"),
        ({"scale": [1.0, 0.0]}, ValueError, "scale must not be 0"),
        ({"scale": [[1.0]]}, ShapeError, "scale must be a number or one per column"),
        ({"scale": np.nan}, ValueError, "scale holds nan"),
        ({"scale": [1.0, 2.0, 3.0]}, ShapeError, "its scale has 3 columns, but its input has 2"),
        ({"scale": 1.0, "offset": [1.0]}, ShapeError, "its offset has 1 columns, but its input has 2"),
    ],
)
def test_arguments(arguments, kind, message):
    with pytest.raises(kind, match=message):
        fd.Sequential([fd.Input((2,)), fd.layers.Rescaling(**arguments)])
