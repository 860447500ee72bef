"""Keras in a process of its own: on TensorFlow, whatever backend the other tests have loaded it with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

collect_ignore = ["in_keras.py"]


class Keras:
    """The process; each call names a function of ``in_keras.py`` and its arguments."""

    def __init__(self, folder):
        backend = next((name for name in ("tensorflow", "jax", "torch") if find_spec(name)), None)
        if find_spec("keras") is None or backend is None:
            pytest.skip("Keras or a backend for it is not installed")
        self.folder = folder
        script = Path(__file__).with_name("in_keras.py")
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "KERAS_BACKEND": backend, **quiet},
        )

    def call(self, function, *arguments):
        self.process.stdin.write(json.dumps([function, *map(str, arguments)]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "Keras' process has ended"
        result = json.loads(answer)
        assert result == "done", result
        return result

    def predict(self, path, X):
        """Return what Keras' model in a file makes of rows."""
        rows, outputs = self.folder / "rows.npy", self.folder / "outputs.npy"
        np.save(rows, X)
        self.call("predict", path, rows, outputs)
        return np.load(outputs)

    def predict_all(self, folder, X):
        """Return the same of all files of a folder, by their names: a text for those that Keras refuses."""
        rows, outputs = self.folder / "rows.npy", self.folder / "outputs.npz"
        np.save(rows, X)
        self.call("predict_all", folder, rows, outputs)
        with np.load(outputs) as found:
            return dict(found)


@pytest.fixture(scope="session")
def in_keras(tmp_path_factory):
    peer = Keras(tmp_path_factory.mktemp("keras"))
    yield peer
    peer.process.stdin.close()
    peer.process.stdout.close()
    peer.process.wait(timeout=60)
