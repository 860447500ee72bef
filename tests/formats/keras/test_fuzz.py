"""Damaged files of Keras': refused by a clear error, or read."""

from __future__ import annotations

import io
import warnings
import zipfile

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import FormatWarning
from fastdense.formats.keras import read_keras, write_keras
from tests.formats.keras.test_refusals import members, old_file
from tests.fuzz import fuzz

pytest.importorskip("h5py")
pytest.importorskip("pyfive")


def read(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        return read_keras(path)


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Return two files: one model is a Sequential, the other a functional one."""
    path, found = tmp_path_factory.mktemp("samples") / "m.keras", {}
    for last in ("softmax", "gelu_tanh"):
        layers = [fd.Normalization(), fd.Dense(3, "relu"), fd.Dropout(0.5), fd.Dense(2, last)]
        write_keras(fd.Sequential([fd.Input((4,)), *layers], seed=0), path)
        found[last] = path.read_bytes()
    return found


def test_damaged_archives(tmp_path, archives):
    outcomes = fuzz(read, archives, tmp_path / "m.keras")
    assert min(outcomes["read"], outcomes["refused"]) > 20


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
def test_damaged_members_in_archives_that_are_whole(tmp_path, archives, member):
    """The archive's checksums find most damage: whoever means harm makes them anew."""
    path = tmp_path / "m.keras"
    contents = {}
    for name, archive in archives.items():
        path.write_bytes(archive)
        contents[name] = members(path)

    def read_member(damaged):
        content = next(iter(contents.values())) | {member: damaged.read_bytes()}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in content.items():
                archive.writestr(zipfile.ZipInfo(name), data)
        path.write_bytes(buffer.getvalue())
        return read(path)

    samples = {name: content[member] for name, content in contents.items()}
    outcomes = fuzz(read_member, samples, tmp_path / "damaged")
    assert min(outcomes["read"], outcomes["refused"]) > 20


def test_damaged_old_files(tmp_path):
    path = tmp_path / "m.h5"
    layers = [
        {"class_name": "Dense", "config": {"name": "a", "batch_input_shape": [None, 4], "units": 3}},
        {"class_name": "BatchNormalization", "config": {"name": "b"}},
    ]
    statistics = {
        name: np.ones(3, np.float32) for name in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    arrays = {"a": {"kernel": np.ones((4, 3), np.float32), "bias": np.ones(3, np.float32)}, "b": statistics}
    old_file(path, layers, arrays, keras_version="2.15.0")
    outcomes = fuzz(read, {"old": path.read_bytes()}, path)
    assert min(outcomes["read"], outcomes["refused"]) > 20
