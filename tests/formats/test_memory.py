"""Memory that runs out while a file is written or read: a MemoryError; the model and the old file stay."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys, warnings
from pathlib import Path

import fastdense as fd
from tests.fuzz import limited_memory

warnings.simplefilter("ignore")  # a .keras file holds no optimizer
path, load = Path(sys.argv[1]), fd.load  # whose modules are imported before memory is short
model = fd.Sequential([fd.Input((1000,)), fd.Dense(3000), fd.Dense(500)], seed=0)  # 18 MB
other = fd.Sequential([fd.Input((1,)), fd.Dense(1)], seed=0)
for limit in range(0, 200 * 2**20, 10 * 2**20):
    other.export(path, format=sys.argv[2]) if sys.argv[2:] else other.save(path)
    before = path.read_bytes()
    try:
        with limited_memory(limit):
            model.export(path, format=sys.argv[2]) if sys.argv[2:] else model.save(path)
        print("written")
    except MemoryError:
        assert path.read_bytes() == before
        print("not written")

model.export(path, format=sys.argv[2]) if sys.argv[2:] else model.save(path)
for limit in range(0, 200 * 2**20, 10 * 2**20):
    try:
        with limited_memory(limit):
            load(path)
        print("read")
    except MemoryError:
        print("not read")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is Linux's")
@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="HDF5 does not survive a sanitizer's lack of memory")
@pytest.mark.parametrize("arguments", [("m.safetensors",), ("m.onnx", "onnx"), ("m.keras", "keras")])
def test_a_lack_of_memory_is_a_memory_error(tmp_path, arguments):
    command = [sys.executable, "-c", PROGRAM, tmp_path / arguments[0], *arguments[1:]]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    # Our own files are written from where the arrays lie: that needs no memory worth limiting.
    never = set() if len(arguments) > 1 else {"not written"}
    assert set(result.stdout.splitlines()) == {"written", "not written", "read", "not read"} - never
