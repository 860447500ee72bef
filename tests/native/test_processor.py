"""What the native room says about the processor, against what the operating system says."""

import math
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from fastdense import native
from fastdense.errors import DtypeError

CPUINFO = Path("/proc/cpuinfo")
X86_SETS = {"sse2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"}


@pytest.mark.skipif(
    not CPUINFO.exists() or platform.machine() != "x86_64", reason="reads the x86 flags of /proc/cpuinfo"
)
def test_instruction_sets_are_those_linux_lists():
    flags = next(line for line in CPUINFO.read_text().splitlines() if line.startswith("flags"))
    assert set(native.instruction_sets()) == X86_SETS & set(flags.split())


def test_best_isa_is_one_whose_parts_are_found():
    found = set(native.instruction_sets())
    needed = {
        "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx2", "fma"},
        "avx2": {"avx2", "fma"},
        "sse2": {"sse2"},
        "neon": {"neon"},
        "scalar": set(),
    }
    assert needed[native.best_isa()] <= found
    assert native.best_isa() == native.runnable_isas()[0]
    assert native.runnable_isas()[-1] == "scalar"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity masks")
def test_usable_cores_respect_the_affinity_mask():
    one = sorted(os.sched_getaffinity(0))[:1]
    code = f"import os, fastdense.native as n; os.sched_setaffinity(0, {one}); print(n.usable_cores())"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "1"
    assert 1 <= native.usable_cores() <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("isa", native.runnable_isas())
def test_peak_is_a_positive_rate(isa, dtype):
    peak = native.measure_peak(dtype=dtype, isa=isa)
    assert peak > 0
    assert math.isfinite(peak)


def test_peak_of_more_threads_than_cores_ends():
    assert native.measure_peak(threads=native.usable_cores() + 1) > 0


@pytest.mark.parametrize("threads", [0, -1, 10**6])
def test_peak_refuses_odd_numbers_of_threads(threads):
    with pytest.raises(ValueError, match="threads must be from 1 to"):
        native.measure_peak(threads)


@pytest.mark.parametrize("isa", native.runnable_isas())
@pytest.mark.parametrize("size", [1024, 5000, 2**20])
def test_bandwidth_is_a_positive_rate(isa, size):
    found = native.measure_bandwidth(size, isa=isa)
    assert found > 0
    assert math.isfinite(found)


def test_bandwidth_of_several_threads():
    assert native.measure_bandwidth(2**16, threads=native.usable_cores() + 1) > 0


@pytest.mark.parametrize("size", [0, 1023, -1, 2**40])
def test_bandwidth_refuses_odd_sizes(size):
    with pytest.raises(ValueError, match="size must be from 1024 to"):
        native.measure_bandwidth(size)


@pytest.mark.parametrize("threads", [0, 10**6])
def test_bandwidth_refuses_odd_numbers_of_threads(threads):
    with pytest.raises(ValueError, match="threads must be from 1 to"):
        native.measure_bandwidth(2**16, threads)


def test_peak_refuses_other_types():
    with pytest.raises(DtypeError, match="float16"):
        native.measure_peak(dtype="float16")


def test_peak_refuses_an_isa_that_does_not_run_here():
    with pytest.raises(ValueError, match="isa must be one that runs on this processor"):
        native.measure_peak(isa="abacus")


def test_the_environment_chooses_the_kernels(monkeypatch):
    monkeypatch.setenv("FASTDENSE_ISA", "scalar")
    assert native.isa_in_use() == "scalar"
    monkeypatch.setenv("FASTDENSE_ISA", "mmx")
    with pytest.raises(ValueError, match=r"'mmx' does not run on this processor; it runs .*scalar"):
        native.isa_in_use()
    monkeypatch.delenv("FASTDENSE_ISA")
    assert native.isa_in_use() == native.best_isa()


def test_a_message_between_threads_takes_a_while():
    assert 0 < native.measure_round_trip() < 1
