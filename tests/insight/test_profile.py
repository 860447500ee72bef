"""The profile of a prediction: what is counted, what is measured, what is advised."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import ShapeError
from fastdense.insight.limits import Limited
from fastdense.insight.roofs import SIZES, Roofs

BRIEF = 1e-4
profiling = importlib.import_module("fastdense.insight.profile")


@pytest.fixture(autouse=True)
def roofs(monkeypatch):
    """Roofs of a machine that reads a byte and does an operation a nanosecond."""
    made_up = Roofs(1, 1.0, 1.0, SIZES, (1.0,) * len(SIZES), (1.0,) * len(SIZES))
    monkeypatch.setattr(profiling, "measure_roofs", lambda: made_up)
    return made_up


def network(**options):
    layers = [
        fd.Normalization(mean=1.0, variance=4.0),
        fd.Dense(5, "relu"),
        fd.Dropout(0.5),
        fd.Dense(2, "softmax"),
    ]
    return fd.Sequential([fd.Input((3,)), *layers], seed=0, **options)


def test_what_is_counted():
    found = network().profile(np.zeros((4, 3)), BRIEF)
    assert [layer.what for layer in found.layers] == [
        "scale, 3", "dense, 3 to 5, relu", "dropout, 5", "dense, 5 to 2, softmax"
    ]  # fmt: skip
    assert [layer.operations for layer in found.layers] == [0, 2 * 4 * 3 * 5, 0, 2 * 4 * 5 * 2]
    numbers = [4 * 3 + 6 + 4 * 3, 4 * 3 + 15 + 5 + 4 * 5, 4 * 5 + 4 * 5, 4 * 5 + 10 + 2 + 4 * 2]
    assert [layer.traffic for layer in found.layers] == [4 * n for n in numbers]
    assert found.rows == 4
    for layer, count in zip(found.layers, numbers, strict=True):
        assert layer.memory == pytest.approx(4e-9 * count)
        assert layer.arithmetic == pytest.approx(1e-9 * layer.operations)
        assert 0 < layer.calls <= layer.seconds


def test_doubles_count_twice():
    one, two = (network(dtype=dtype).profile(np.zeros((4, 3)), BRIEF) for dtype in ("float32", "float64"))
    assert two.layers[1].traffic == 2 * one.layers[1].traffic
    assert two.layers[1].arithmetic == pytest.approx(2 * one.layers[1].arithmetic)


@pytest.mark.parametrize("engine", ["native", "array", "reference"])
def test_every_engine(engine):
    found = network(engine=engine).profile(np.zeros((2, 3)), BRIEF)
    assert found.engine == engine
    assert len(found.layers) == 4
    assert all(layer.seconds > 0 for layer in found.layers)


def test_advice_is_what_was_measured(monkeypatch):
    """A clock by what is run: the frozen model takes half, more rows a third, the rest as long."""
    times = iter([8.0] + [1.0] * 5 + [4.0, 8.0 * 16 / 3, 8.0])
    monkeypatch.setattr(profiling, "best_time", lambda run, seconds: next(times))
    found = network().profile(np.zeros((8, 3)), BRIEF)
    assert [(a.what.partition(":")[0], a.before, a.after) for a in found.advice] == [
        ("more rows per call", 1.0, pytest.approx(1 / 3)), ("model.freeze().predict", 1.0, 0.5)
    ]  # fmt: skip
    text = str(found)
    assert "more rows per call: 128 instead of 8: 1.00 s to 333 ms per row, 3.0x" in text


def test_float32_is_held_against_the_engine_alone(monkeypatch):
    """The checks of a call would count against doubles only."""
    runs = []
    monkeypatch.setattr(profiling, "best_time", lambda run, seconds: runs.append(run) or 1.0)
    model = network(dtype="float64")
    model.profile(np.zeros((8, 3)), BRIEF)
    dtypes = [run().dtype for run in runs[8:10]]
    assert dtypes == [np.float64, np.float32]


def test_the_columns_of_a_table_are_counted(monkeypatch):
    table = pytest.importorskip("fastdense.tabular")
    frame = {"size": [1.0, 2.0, 3.0, 4.0] * 5, "y": ["no", "yes"] * 10}
    model = table.train_table(frame, "y", recipe=table.Recipe(hidden=(4,), epochs=1), verbose=0, seed=0)
    times = iter([1.0, 3.0] + [1.0] * 50)
    monkeypatch.setattr(profiling, "best_time", lambda run, seconds: next(times))
    found = model.profile({"size": [2.0]}, BRIEF)
    assert (found.seconds, found.encoding) == (3.0, 2.0)
    assert "of it, making numbers of the columns: 2.00 s" in str(found)


def test_nothing_is_advised_that_is_not_faster(monkeypatch):
    monkeypatch.setattr(profiling, "best_time", lambda run, seconds: 1.0)
    monkeypatch.setattr(profiling, "MORE_ROWS", 1)
    found = network(dtype="float64").profile(np.zeros((8, 3)), BRIEF)
    assert found.advice == ()
    assert "nothing that was tried is faster" in str(found)


def test_what_advice_runs_does_what_it_says(monkeypatch):
    """Each of the runs predicts the same, but for the rows that are repeated."""
    runs = []
    monkeypatch.setattr(profiling, "best_time", lambda run, seconds: runs.append(run) or 1.0)
    X = np.random.default_rng(0).normal(size=(3, 3))
    for model in (network(dtype="float64"), network(engine="array")):
        runs.clear()
        model.profile(X, BRIEF)
        expected = model.predict(X)
        for run in [runs[0], *runs[6:]]:
            found = run()
            np.testing.assert_allclose(found, np.tile(expected, (len(found) // 3, 1)), atol=1e-6)


def widths(units, hidden=True):
    layers = [fd.Input((4,)), fd.Dense(units, "relu"), *([fd.Dense(2)] if hidden else [])]
    return fd.Sequential(layers, seed=0)


def test_units_that_make_whole_vectors_are_tried(monkeypatch):
    """A clock by which a layer's time is its number of units, of which the last few cost a whole vector."""
    monkeypatch.setattr(profiling, "MORE_ROWS", 1)
    monkeypatch.setattr(profiling, "best_time", lambda run, seconds: -(-run().shape[1] // 16) * 16.0)
    (advice,) = widths(33).profile(np.zeros((2, 4)), BRIEF).advice
    assert advice.what == "32 units in 'dense' instead of 33, that layer alone"
    assert (advice.before, advice.after) == (24.0, 16.0)


@pytest.mark.parametrize(("units", "hidden"), [(32, True), (40, True), (33, False)])
def test_units_that_are_whole_or_too_many_or_the_answer_stay(monkeypatch, units, hidden):
    monkeypatch.setattr(profiling, "MORE_ROWS", 1)
    monkeypatch.setattr(profiling, "best_time", lambda run, seconds: float(run().shape[1]))
    assert widths(units, hidden).profile(np.zeros((2, 4)), BRIEF).advice == ()


def test_the_text():
    lines = str(network().profile(np.zeros((4, 3)), BRIEF)).splitlines()
    assert lines[0] == "Model 'sequential': 4 rows per call, float32, engine native"
    heads = ["layer", "what", "operations", "bytes", "time", "GFLOP/s", "of", "peak", "limit"]
    assert lines[2].split() == heads
    assert lines[4].startswith("normalization  scale, 3")


def test_to_dict_is_json():
    found = network().profile(np.zeros((4, 3)), BRIEF)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()


def test_limits():
    assert Limited(seconds=4.0, calls=1.0, memory=2.0, arithmetic=0.5).limit == "memory"
    assert Limited(seconds=4.0, calls=1.0, memory=2.0, arithmetic=0.5).explained == 0.5
    assert Limited(seconds=1.0).limit is None


def test_mistakes():
    with pytest.raises(ShapeError, match="X has 4 columns"):
        network().profile(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="at least one row"):
        network().profile(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="X must be at least 1, got 0"):
        network().profile(0)
    with pytest.raises(ValueError, match="seconds must be finite and above 0"):
        network().profile(np.zeros((1, 3)), 0)


def test_the_command(tmp_path, capsys):
    pytest.importorskip("typer")
    from tests.cli.test_cli import call, mistake, write

    network().save(tmp_path / "m.safetensors")
    write(tmp_path / "t.csv", {"a": [1.0, 2.0], "b": [3.0, 4.0], "c": [5.0, 6.0]})
    assert call(f"profile {tmp_path}/m.safetensors --seconds {BRIEF} --rows 3 --json {tmp_path}/p.json") == 0
    assert "3 rows per call" in capsys.readouterr().out
    assert json.loads((tmp_path / "p.json").read_text())["rows"] == 3
    assert call(f"profile {tmp_path}/m.safetensors {tmp_path}/t.csv --rows 2 --seconds {BRIEF}") == 0
    assert "has 2 rows, fewer than --rows 3" in mistake(
        f"profile {tmp_path}/m.safetensors {tmp_path}/t.csv --rows 3"
    )
    assert "--rows must be at least 1" in mistake(f"profile {tmp_path}/m.safetensors --rows 0")


def test_nothing_is_faster_than_the_machine(roofs):
    """A layer that does more than the peak that was measured has shown a higher one."""
    found = network().profile(np.zeros((64, 3)), BRIEF)
    rates = [layer.operations / layer.seconds / 1e9 for layer in found.layers]
    assert found.roofs.peak_all_cores == max(*rates, roofs.peak_all_cores)
    doubles = network(dtype="float64").profile(np.zeros((64, 3)), BRIEF)
    rates = [layer.operations / layer.seconds / 1e9 for layer in doubles.layers]
    assert doubles.roofs.peak_all_cores == pytest.approx(max(2 * max(rates), roofs.peak_all_cores))
