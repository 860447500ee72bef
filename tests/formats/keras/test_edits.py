"""Descriptions that were edited: refused, or read to what Keras makes of them."""

from __future__ import annotations

import copy
import json
import random
import warnings

import numpy as np
import pytest

from fastdense.errors import FormatError, FormatWarning
from fastdense.formats.keras import read_keras
from tests.formats.keras.test_refusals import CONFIG, members, rewrite

pytest.importorskip("h5py")
pytest.importorskip("pyfive")

MODELS = ("every layer", "autoencoder", "scaled by functions", "composed", "every rectifier", "one slope")
EDITS = 6  # of each model
VALUES = (
    None, True, False, 0, 1, -1, 3, 4, 0.5, -0.5, 1.5, 64.0, 1e300, 10**400, float("nan"), "64", "relu",
    "float64", "float16", "int32", "", "a b", [], [1], [4], [None, 4], [None, 5], {}, {"class_name": "L2"},
)  # fmt: skip
NAMES = ("units", "axis", "rate", "alpha", "dtype", "mode", "activation", "trainable", "shared_axes", "x")


def places(value, path=()):
    """Yield the paths of everything in a description."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def edited(config, rng):
    """Return a description with one thing in it replaced, left out, added or moved."""
    config = copy.deepcopy(config)
    paths = [path for path in places(config) if path and "initializer" not in str(path)]
    *way, last = rng.choice(paths)
    inside = config
    for key in way:
        inside = inside[key]
    match rng.choice(("replace", "replace", "replace", "drop", "add", "swap")):
        case "replace":
            inside[last] = rng.choice(VALUES)
        case "drop":
            del inside[last]
        case "add" if isinstance(inside[last], dict):
            inside[last][rng.choice(NAMES)] = rng.choice(VALUES)
        case "add" if isinstance(inside[last], list) and inside[last]:
            inside[last].append(rng.choice(inside[last]))
        case _:
            keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
            other = rng.choice(keys)
            inside[last], inside[other] = inside[other], inside[last]
    return config, (*way, last)


def read(path, X):
    """Return what a file's network makes of rows; None if it is refused."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", FormatWarning)
        try:
            return read_keras(path).predict(X)
        except FormatError:
            return None


def test_edited_descriptions(in_keras, tmp_path):
    rng = random.Random(0)
    X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    accepted, what = {}, {}
    (tmp_path / "edited").mkdir()
    for number, name in enumerate(MODELS):
        in_keras.call("build", name, tmp_path / "m.keras")
        original = (tmp_path / "m.keras").read_bytes()
        config = json.loads(members(tmp_path / "m.keras")[CONFIG])
        for i in range(EDITS):
            path = tmp_path / "edited" / f"{number}_{i}.keras"
            path.write_bytes(original)
            new, place = edited(config, rng)
            rewrite(path, config__json=json.dumps(new))
            found = read(path, X)
            if found is None:
                path.unlink()
            else:
                accepted[path.name], what[path.name] = found, (name, place)
    assert 5 < len(accepted) < len(MODELS) * EDITS - 5
    for name, expected in in_keras.predict_all(tmp_path / "edited", X).items():
        if expected.dtype.kind == "U":  # Keras refuses more than what changes numbers
            continue
        bound = 2e-4 * np.maximum(1.0, np.abs(expected).max())
        differ = np.abs(accepted[name] - expected.reshape(5, -1))
        assert (differ <= bound).all(), what[name]
