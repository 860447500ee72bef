"""The ladder: every rung is checked before it is timed, and what it shows is true."""

import importlib
import json
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import FastdenseError
from fastdense.insight import methods
from fastdense.insight.ladders import climb
from fastdense.insight.methods import METHODS, Method, batch, scalars
from fastdense.insight.workload import random_workload

OWN = [method for method in METHODS if method.module is None]
BRIEF = 1e-4


def small_ladder(*methods, rows=9, inputs=5, units=3, activation="sigmoid"):
    return climb(methods or OWN, random_workload(rows, inputs, units, activation), BRIEF)


def off_by(amount):
    """Return a method's function whose very last number is wrong by ``amount``."""

    def prepare(work):
        def run():
            outputs = batch(work)()
            outputs[-1, -1] += amount
            return outputs

        return run

    return prepare


@pytest.fixture(scope="module")
def found():
    return small_ladder()


@pytest.fixture
def broken_framework(tmp_path, monkeypatch):
    """ONNX Runtime, installed but for one of its libraries."""
    package = tmp_path / "onnxruntime"
    package.mkdir()
    (package / "__init__.py").write_text("raise OSError('libfast.so.1: cannot open\\nmore lines')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)


def test_the_rungs_are_the_articles_loops_and_what_is_installed():
    found = fd.insight.ladder(rows=20, inputs=4, units=3, seconds=BRIEF)
    assert [rung.name for rung in found.rungs][:5] == [
        "pure Python loops",
        "one dot product a neuron",
        "one column a unit",
        "one matrix product a row",
        "one matrix product a batch",
    ]
    assert all(rung.problem is None for rung in found.rungs[:5])
    assert isinstance(found, fd.insight.Ladder)
    assert (found.rows, found.inputs, found.units, found.activation) == (20, 4, 3, "sigmoid")


def test_the_numbers_of_a_rung_belong_together(found):
    first = found.rungs[0]
    assert first.speedup == 1.0
    for rung in found.rungs:
        assert rung.seconds > 0
        assert rung.gflops == pytest.approx(2 * 5 * 3 / rung.seconds / 1e9)
        assert rung.speedup == pytest.approx(first.seconds / rung.seconds)
        machine = found.machine
        peak = machine.peak_one_core if rung.cores == 1 else machine.peak_all_cores
        assert rung.percent_of_peak == pytest.approx(100 * rung.gflops / peak)
        assert 1 <= rung.rows <= 9


def test_a_batch_is_timed_whole():
    found = small_ladder(rows=1000)
    assert found.rungs[-1].rows == 1000


@pytest.mark.parametrize("activation", ["linear", "softmax"])
def test_the_smallest_layer_has_a_ladder(activation):
    found = small_ladder(rows=1, inputs=1, units=1, activation=activation)
    assert [rung.rows for rung in found.rungs] == [1] * len(OWN)
    assert all(rung.speedup > 0 for rung in found.rungs)


@pytest.mark.parametrize("amount", [1e-4, -1e-4, np.nan, np.inf])
def test_a_rung_of_ours_with_wrong_numbers_raises(amount):
    wrong = Method("slightly off", off_by(amount), "all")
    with pytest.raises(FastdenseError, match="slightly off: wrong numbers: 1 of 27; at row 8, unit 2"):
        small_ladder(OWN[0], wrong)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_a_framework_with_wrong_numbers_is_shown_and_not_timed(activation):
    wrong = Method("Framework", off_by(1e-4), "all", module="numpy")
    found = small_ladder(OWN[0], wrong, activation=activation)
    rung = found.rungs[1]
    assert rung.name == f"Framework {np.__version__}"
    assert rung.problem.startswith("wrong numbers: 1 of 27; at row 8, unit 2 it gives")
    assert rung.seconds is None
    assert rung.speedup is None
    assert f"Framework {np.__version__} was not timed: wrong numbers" in str(found)


def test_a_transposed_result_is_wrong_even_where_its_numbers_are_right():
    transposed = Method("Framework", lambda work: lambda: batch(work)().T, "all", module="numpy")
    found = small_ladder(OWN[0], transposed)
    assert found.rungs[1].problem == "wrong shape: (3, 9), the definition's is (9, 3)"


def test_a_float64_result_is_compared_too():
    wrong = Method("loops", lambda work: lambda: np.array(scalars(work)()) + 1e-4, "one", loops=True)
    with pytest.raises(FastdenseError, match="wrong numbers"):
        small_ladder(wrong)


def test_a_framework_that_is_not_installed_is_left_out():
    absent = Method("Framework", batch, "all", module="a_framework_that_nobody_wrote")
    assert len(small_ladder(OWN[0], absent).rungs) == 1


@pytest.mark.usefixtures("broken_framework")
def test_a_framework_that_is_installed_but_broken_is_shown_with_the_reason(tmp_path):
    found = fd.insight.ladder(rows=2, inputs=2, units=2, seconds=BRIEF)
    rung = found.rungs[-1]
    assert rung.name == "ONNX Runtime"
    assert rung.problem == "OSError: libfast.so.1: cannot open"
    assert rung.seconds is None
    assert "ONNX Runtime was not timed: OSError: libfast.so.1: cannot open" in str(found)
    found.plot(tmp_path / "chart.svg")
    assert "libfast.so.1" in json.dumps(found.to_dict())


def test_it_is_printed_as_aligned_columns(found):
    lines = str(found).splitlines()
    assert lines[0] == "One dense layer, 5 inputs to 3 units, sigmoid, float32, 9 rows"
    heading, rule, *rows = lines[2 : 4 + len(OWN)]
    assert heading.split() == ["rung", "rows", "time/row", "GFLOP/s", "of", "peak", "cores", "speed-up"]
    assert {len(line) for line in (heading, rule, *rows)} == {len(heading)}
    assert "measured peak" in lines[5 + len(OWN)]


def test_to_dict_is_json(found):
    result = found.to_dict()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["rungs"][1]["seconds"] == found.rungs[1].seconds
    assert result["machine"]["cores"] == found.machine.cores


def test_a_ladder_cannot_be_changed(found):
    with pytest.raises(AttributeError):
        found.rows = 1


def test_a_png_can_be_read_back(found, tmp_path):
    image = pytest.importorskip("matplotlib.image")
    path = tmp_path / "chart.PNG"
    found.plot(path)
    pixels = image.imread(path)
    height, width = pixels.shape[:2]
    assert width > 1000
    assert 300 < height < width
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 10  # not an empty sheet
    assert [entry.name for entry in tmp_path.iterdir()] == ["chart.PNG"]


def test_an_svg_is_drawn_as_one(found, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "chart.svg"
    found.plot(str(path))
    root = ET.parse(path).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > len(OWN)


@pytest.mark.parametrize("name", ["chart.pdf", "chart", ".png", "chart.png.txt"])
def test_a_chart_of_another_kind_is_refused(found, tmp_path, name):
    with pytest.raises(ValueError, match=r"ends in \.png or \.svg"):
        found.plot(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_chart_that_cannot_be_saved_says_where(found, tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        found.plot(tmp_path / "nowhere" / "chart.png")


@pytest.mark.parametrize("name", ["rows", "inputs", "units"])
def test_sizes_are_checked(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        fd.insight.ladder(**{name: 0})
    with pytest.raises(TypeError, match=f"{name} must be a whole number"):
        fd.insight.ladder(**{name: 2.5})
    with pytest.raises(ValueError, match="67,108,864 at most"):
        fd.insight.ladder(**{name: 10**12})


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_seconds_are_checked(seconds):
    with pytest.raises(ValueError, match="seconds must be finite and above 0"):
        fd.insight.ladder(seconds=seconds)


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="activation must be one of 'linear', 'sigmoid'"):
        fd.insight.ladder(activation="sigmoyd")


def test_nothing_heavy_is_imported_before_it_is_used():
    program = (
        "import sys, fastdense as fd; fd.insight.ladder; "
        "print({'matplotlib', 'rich', 'jax', 'torch', 'tensorflow', 'onnxruntime'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_drawing_leaves_pyplot_alone(tmp_path):
    pytest.importorskip("matplotlib")
    program = (
        "import sys; from fastdense.insight.ladders import climb; "
        "from fastdense.insight.methods import METHODS; "
        "from fastdense.insight.workload import random_workload; "
        f"climb(METHODS[:1], random_workload(1, 1, 1, 'relu'), 1e-3).plot({str(tmp_path / 'a.png')!r}); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


class TestCommand:
    @pytest.fixture
    def command(self):
        pytest.importorskip("typer")
        from fastdense.cli.ladder import ladder

        return ladder

    def test_it_prints_and_saves(self, command, capsys, tmp_path, monkeypatch):
        pytest.importorskip("matplotlib")
        monkeypatch.setenv("COLUMNS", "120")  # so brief a time makes percentages that take many digits
        chart, numbers = tmp_path / "ladder.png", tmp_path / "ladder.json"
        command(rows=3, inputs=2, units=1, seconds=BRIEF, plot=chart, json_file=numbers)
        printed = capsys.readouterr().out
        assert "One dense layer, 2 inputs to 1 unit, sigmoid, float32, 3 rows" in printed
        assert "one matrix product a batch" in printed
        assert "measured peak" in printed
        assert f"Chart saved to {chart}" in printed
        assert f"Numbers saved to {numbers}" in printed
        assert chart.read_bytes().startswith(b"\x89PNG")
        assert json.loads(numbers.read_text())["inputs"] == 2

    @pytest.mark.usefixtures("broken_framework")
    def test_it_shows_a_broken_framework(self, command, capsys):
        command(rows=1, inputs=1, units=1, seconds=BRIEF)
        assert "ONNX Runtime was not timed: OSError: libfast.so.1: cannot open" in capsys.readouterr().out

    def test_it_refuses_what_it_could_not_save_before_it_times(self, command, capsys, tmp_path):
        with pytest.raises(ValueError, match=r"chart\.bmp"):
            command(plot=tmp_path / "chart.bmp")
        with pytest.raises(FileNotFoundError, match="folder to save in does not exist"):
            command(json_file=tmp_path / "nowhere" / "ladder.json")
        assert capsys.readouterr().out == ""


class TestAccelerators:
    """There may be none here: NumPy stands in for a framework that has one."""

    @pytest.fixture
    def method(self, monkeypatch):
        monkeypatch.setattr(methods, "accelerators", lambda module: ("gpu:0",))
        return Method("Framework", batch, "all", module="numpy", accelerated=True)

    def test_a_rung_on_one_has_no_cores_and_no_share_of_the_peak(self, method, tmp_path):
        found = small_ladder(OWN[0], method)
        rung = found.rungs[1]
        assert rung.name == f"Framework {np.__version__}, GPU"
        assert (rung.cores, rung.percent_of_peak) == (None, None)
        assert rung.speedup == pytest.approx(found.rungs[0].seconds / rung.seconds)
        line = next(line for line in str(found).splitlines() if line.startswith("Framework"))
        assert line.split()[-3:-1] == ["-", "-"]
        assert "its peak is not measured" in str(found)
        assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()
        pytest.importorskip("matplotlib")
        found.plot(tmp_path / "chart.svg")

    def test_it_is_checked_too(self, method):
        wrong = small_ladder(OWN[0], replace(method, prepare=off_by(1e-4))).rungs[1]
        assert wrong.problem.startswith("wrong numbers")
        assert wrong.seconds is None

    def test_without_one_there_is_no_rung(self, method, monkeypatch):
        monkeypatch.setattr(methods, "accelerators", lambda module: ())
        assert len(small_ladder(OWN[0], method).rungs) == 1

    def test_a_ladder_without_one_does_not_speak_of_it(self, found):
        assert "GPU" not in str(found)


def test_each_rung_is_announced():
    heard = []
    methods = [*METHODS[:2], replace(METHODS[0], module="no_such_framework")]
    climb(methods, random_workload(2, 3, 2, "relu"), BRIEF, lambda *said: heard.append(said))
    assert heard == [(1, 2, METHODS[0].name), (2, 2, METHODS[1].name)]


def test_nothing_is_faster_than_the_machine(monkeypatch):
    slow = replace(fd.info(), peak_one_core=1e-9, peak_all_cores=1e-9)
    monkeypatch.setattr(importlib.import_module("fastdense.insight.ladders"), "info", lambda peak: slow)
    found = small_ladder()
    assert max(rung.percent_of_peak for rung in found.rungs) == pytest.approx(100)
    ones = [rung.gflops for rung in found.rungs if rung.cores == 1]
    assert found.machine.peak_one_core == max(ones)
