"""The description of the machine."""

import platform

import numpy as np
import pytest

import fastdense._version
from fastdense import native
from fastdense.engines.machine import info


def test_info_says_what_is_in_use():
    found = info()
    assert found.version == fastdense._version.__version__
    assert found.python == platform.python_version()
    assert found.numpy == np.__version__
    assert found.engine == "native"
    assert found.isa == native.isa_in_use()
    assert found.cores == native.usable_cores()
    assert found.threads == native.get_threads()
    assert found.peak_one_core is None
    assert "peak" not in str(found)


def test_peaks_are_measured_on_request():
    found = info(peak=True)
    assert found.peak_one_core > 0
    assert found.peak_all_cores > 0
    assert "peak, one core   " in str(found)


def test_printed_lines_are_aligned():
    lines = str(info()).splitlines()
    values = [len(line) - len(line[18:].lstrip()) for line in lines]
    assert len(set(values)) == 1


def test_info_cannot_be_changed():
    with pytest.raises(AttributeError):
        info().cores = 64
