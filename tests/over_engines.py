"""The tests of engines, run over the engines and the cases that a module of tests names."""

from __future__ import annotations

import pytest

from fastdense.engines import installed
from fastdense.libraries import accelerators
from tests.cases import CASES
from tests.fuzz import TIMES

__all__ = ["LIBRARIES", "engines_of", "part_of_cases", "pytest_generate_tests"]

LIBRARIES = [name for name in installed() if name != "cupy" or accelerators("cupy")]
"""The array libraries that can run here: CuPy needs a GPU."""


def engines_of(library):
    """Return the engines of a library; a module of tests for one that cannot run is skipped."""
    if library not in LIBRARIES:
        pytest.skip(f"{library} cannot run here", allow_module_level=True)
    return [library]


def part_of_cases(place):
    """Return every sixth case of the table from a place on; all of them by `make fuzz`.

    A library that compiles takes a second for each. What the cases tell apart is code of the array engine,
    which runs them all by NumPy and PyTorch.
    """
    return CASES if TIMES > 1 else CASES[place::6]


def pytest_generate_tests(metafunc):
    """Give ``engine`` the values of the module's ``ENGINES``, ``case`` of its ``CASES`` or the table."""
    own = {name for mark in metafunc.definition.iter_markers("parametrize") for name in [mark.args[0]]}
    for name in ("case", "engine"):  # no set: every process that runs a part has to find the same order
        if name in metafunc.fixturenames and name not in own:
            values = getattr(metafunc.module, f"{name.upper()}S", CASES)
            metafunc.parametrize(name, values, ids=[getattr(value, "name", str(value)) for value in values])
