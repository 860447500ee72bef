"""The type stub in the package is the one that the compiled module gives."""

import subprocess
import sys
from importlib.resources import files


def test_stub_is_current(tmp_path):
    fresh = tmp_path / "_core.pyi"
    command = [
        sys.executable,
        "-m",
        "nanobind.stubgen",
        "-q",
        "-m",
        "fastdense.native._core",
        "-o",
        str(fresh),
    ]
    subprocess.run(command, check=True)
    kept = files("fastdense.native") / "_core.pyi"
    assert kept.read_text() == fresh.read_text(), "run `make stub`"
