"""Keras' model files, ``.keras`` and the older ``.h5``: read as data alone, and written."""

from __future__ import annotations

from fastdense.formats.keras.reader import read_keras
from fastdense.formats.keras.weights import read_weights, write_weights
from fastdense.formats.keras.writer import write_keras

__all__ = ["read_keras", "read_weights", "write_keras", "write_weights"]
