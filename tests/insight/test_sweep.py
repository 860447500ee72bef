"""The sweep: what limits each way of computing, under roofs that are measured or made up."""

from __future__ import annotations

import importlib
import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest

import fastdense as fd
from fastdense.insight.methods import METHODS, Method, batch
from fastdense.insight.roofs import SIZES, Roofs, measure_roofs
from fastdense.insight.workload import random_workload
from tests.compare import assert_within

sweeping = importlib.import_module("fastdense.insight.sweeps")
OWN = [method for method in METHODS if method.module is None]
BRIEF = 1e-4


def made_up(peak=1e9, bandwidth=1e9):
    """Return roofs so high that nothing comes near, but for those that are given."""
    rates = (bandwidth,) * len(SIZES)
    return Roofs(2, peak, peak, SIZES, rates, rates)


def small(monkeypatch, *methods, roofs=None, counts=(1, 4), sizes=(3, 2)):
    if roofs is not None:
        monkeypatch.setattr(sweeping, "measure_roofs", lambda: roofs)
    return sweeping.climb_all(methods, random_workload(counts[-1], *sizes, "relu"), counts, BRIEF)


@pytest.fixture(scope="module")
def found():
    return sweeping.climb_all(OWN, random_workload(16, 3, 2, "relu"), (1, 4, 16), BRIEF)


def test_every_way_has_its_points(found):
    assert [way.name for way in found.ways] == [method.name for method in OWN]
    for way in found.ways:
        assert [point.rows for point in way.points] == [1, 4, 16][: len(way.points)]
        for point in way.points:
            assert point.seconds > 0
            assert point.limit in ("calls", "memory", "arithmetic")
            assert 0 < point.explained <= 1
            assert min(point.calls, point.memory, point.arithmetic) > 0


def slow(work):
    run = batch(work)

    def wait():
        time.sleep(0.003)
        return run()

    return wait


def test_calls_are_what_limits_slow_ones(monkeypatch):
    way = small(monkeypatch, Method("slow", slow, "one"), roofs=made_up()).ways[0]
    assert [point.limit for point in way.points] == ["calls", "calls"]
    assert all(point.explained > 0.5 for point in way.points)


def test_loops_are_charged_a_call_each_turn(monkeypatch):
    """Of a loop over rows, four rows take four calls; of one over nothing, one."""

    def each(work):
        rows = [slow(work.first(1)) for _ in range(work.rows)]

        def run():
            for row in rows:
                row()
            return batch(work)()

        return run

    looping = Method("rows", each, "one", over=("rows",))
    one, four = small(monkeypatch, looping, roofs=made_up()).ways[0].points
    assert four.calls > 2.5 * one.calls


def test_arithmetic_limits_under_a_low_peak(monkeypatch):
    way = small(monkeypatch, Method("batch", batch, "one"), roofs=made_up(peak=1e-6)).ways[0]
    assert [point.limit for point in way.points] == ["arithmetic", "arithmetic"]
    assert_within(way.points[1].arithmetic, 2 * 4 * 3 * 2 / 1e3, 1e-12)


def test_memory_limits_under_a_low_roof(monkeypatch):
    way = small(monkeypatch, Method("batch", batch, "one"), roofs=made_up(bandwidth=1e-6)).ways[0]
    assert [point.limit for point in way.points] == ["memory", "memory"]
    numbers = 4 * 3 + 3 * 2 + 2 + 4 * 2
    assert_within(way.points[1].memory, 4 * numbers / 1e3, 1e-12)


def test_loops_read_what_they_share_again_and_again(monkeypatch):
    roofs = made_up(bandwidth=1e-6)
    method = Method("rows", batch, "one", over=("rows",), itemsize=8)
    point = small(monkeypatch, method, roofs=roofs).ways[0].points[1]
    assert_within(point.memory, 4 * 8 * (3 + 3 * 2 + 2 + 2) / 1e3, 1e-12)
    assert_within(point.arithmetic, 2 * 2 * 4 * 3 * 2 / 1e18, 1e-24)


def test_reading_is_interpolated_between_sizes():
    rates = tuple(float(1000 / (k + 1)) for k in range(len(SIZES)))
    roofs = Roofs(2, 1.0, 2.0, SIZES, rates, tuple(2 * rate for rate in rates))
    assert_within(roofs.memory(1e9, SIZES[3], "one"), 1 / rates[3], 1e-12)
    assert_within(roofs.memory(1e9, 2 * SIZES[3], "all"), 1 / (2 * rates[3]), 1e-12)
    between = roofs.memory(1e9, math.sqrt(SIZES[3] * SIZES[4]), "one")
    assert_within(between, 1 / math.sqrt(rates[3] * rates[4]), 1e-12)
    assert roofs.memory(1e9, 1, "one") == roofs.memory(1e9, SIZES[0], "one")
    assert roofs.arithmetic(1e9, "all", 4) == 0.5
    assert roofs.arithmetic(1e9, "one", 8) == 2.0


def test_the_machines_roofs():
    roofs = measure_roofs()
    assert len(roofs.bandwidth_one_core) == len(roofs.bandwidth_all_cores) == len(roofs.sizes)
    assert min(roofs.bandwidth_one_core) > 0
    assert all(a >= b for a, b in zip(roofs.bandwidth_all_cores, roofs.bandwidth_one_core, strict=True))
    assert roofs.peak_all_cores >= roofs.peak_one_core > 0


def test_a_framework_that_fails_says_why(monkeypatch):
    def broken(work):
        raise OSError("libfast.so.1: cannot open")

    found = small(monkeypatch, Method("Framework", broken, "all", module="numpy"), roofs=made_up())
    assert found.ways[0].points == ()
    assert "was not timed: OSError: libfast.so.1: cannot open" in str(found)


def test_an_accelerator_has_no_limits(monkeypatch):
    method = Method("Framework", batch, "all", module="numpy", accelerated=True)
    monkeypatch.setattr(Method, "installed", True)
    point = small(monkeypatch, method, roofs=made_up()).ways[0].points[0]
    assert (point.limit, point.calls, point.explained) == (None, None, 0.0)


def test_the_text(found):
    lines = str(found).splitlines()
    assert lines[0] == "One dense layer, 3 inputs to 2 units, relu: the time per row, and what limits it"
    assert lines[2].split() == ["rows", "per", "call", "1", "4", "16"]
    assert "GB/s: " in lines[-1]


def test_rows_are_counted_up():
    counts = [fd.insight.sweep(n, 1, 1, seconds=BRIEF).rows for n in (1, 20)]
    assert counts == [(1,), (1, 4, 16, 20)]


def test_what_is_refused():
    with pytest.raises(ValueError, match="rows must be at least 1, got 0"):
        fd.insight.sweep(rows=[4, 0])
    with pytest.raises(ValueError, match="rows holds no number"):
        fd.insight.sweep(rows=[])
    with pytest.raises(ValueError, match="seconds must be finite and above 0"):
        fd.insight.sweep(seconds=0)
    with pytest.raises(ValueError, match="activation must be one of"):
        fd.insight.sweep(activation="sigmoyd")


def test_to_dict_is_json(found):
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == found.to_dict()


@pytest.mark.parametrize("name", ["chart.png", "chart.svg"])
def test_the_chart(found, tmp_path, name):
    pytest.importorskip("matplotlib")
    problem = replace(found.ways[0], name="broken", points=(), problem="no")
    replace(found, ways=(*found.ways, problem)).plot(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    assert content.startswith((b"\x89PNG", b"<?xml"))
    assert len(content) > 20_000


def test_the_command(capsys, tmp_path):
    pytest.importorskip("typer")
    from fastdense.cli.ladder import ladder

    ladder(rows=4, inputs=2, units=1, seconds=BRIEF, sweep=True, json_file=tmp_path / "s.json")
    printed = capsys.readouterr().out
    assert "what limits it" in printed
    assert json.loads((tmp_path / "s.json").read_text())["rows"] == [1, 4]
    assert np.isfinite(json.loads((tmp_path / "s.json").read_text())["roofs"]["peak_one_core"])


def test_each_way_is_announced():
    heard = []
    sweeping.climb_all(OWN, random_workload(4, 3, 2, "relu"), (1, 4), BRIEF, lambda *said: heard.append(said))
    assert heard == [(number, len(OWN), method.name) for number, method in enumerate(OWN, start=1)]


def test_nothing_is_faster_than_the_machine(monkeypatch):
    found = small(monkeypatch, *OWN, roofs=made_up(peak=1e-9))
    rates = {way.name: [point.gflops for point in way.points] for way in found.ways}
    ones = [max(rates[method.name]) for method in OWN if method.cores == "one"]
    assert found.roofs.peak_one_core == max(ones)
    assert found.roofs.peak_all_cores == max(max(each) for each in rates.values())
