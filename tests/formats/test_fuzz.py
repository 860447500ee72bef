"""Damaged files of fastdense's own: refused by a clear error, or read."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fastdense as fd
from fastdense.core import files
from fastdense.tabular import Recipe, train_table
from tests.fuzz import fuzz

X = np.random.default_rng(0).normal(size=(20, 3))


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Return files of a model in training, and of one with a table."""
    path = tmp_path_factory.mktemp("samples") / "m.safetensors"
    layers = [fd.Normalization(), fd.Dense(4, "relu"), fd.Dropout(0.1), fd.Dense(3, "softmax")]
    model = fd.Sequential([fd.Input((3,)), *layers], seed=0)
    model.compile(
        fd.optimizers.Adam(fd.optimizers.schedules.CosineDecay(0.1, 9)), "sparse_categorical_crossentropy"
    )
    model.fit(X, np.arange(20) % 3, verbose=0)
    model.save(path)
    found = {"in training": path.read_bytes()}
    columns = {"a": X[:, 0], "b": ["x", "y"] * 10, "c": np.arange(20) % 2}
    train_table(columns, "c", recipe=Recipe(hidden=(3,), epochs=1), validation=0.0, seed=0, verbose=0).save(
        path
    )
    return found | {"with a table": path.read_bytes()}


def test_damaged_files(tmp_path, samples):
    """A checksum finds whatever is damaged: nothing is read but what a mutation has left as it was."""
    outcomes = fuzz(fd.load, samples, tmp_path / "m.safetensors")
    assert outcomes["refused"] > 20 * outcomes["read"]


def test_damaged_descriptions_with_checksums_made_anew(tmp_path, samples):
    """Whoever means harm makes the checksum fit."""
    path = tmp_path / "m.safetensors"
    arrays, texts = {}, {}
    for name, content in samples.items():
        path.write_bytes(content)
        description, arrays[name] = files.read(path)
        texts[name] = json.dumps(description).encode()
    outcomes = {"not JSON": 0}

    def read(damaged):
        try:
            description = json.loads(damaged.read_bytes())
            name = "in training" if description["table"] is None else "with a table"
            files.write(path, description, arrays[name])
        except (ValueError, TypeError, LookupError, RecursionError):
            outcomes["not JSON"] += 1
            raise fd.errors.FormatError("no description that could be written") from None
        return fd.load(path)

    found = fuzz(read, texts, tmp_path / "damaged")
    assert found["refused"] - outcomes["not JSON"] > 50
