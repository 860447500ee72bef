"""ONNX (https://onnx.ai): networks to its files and from them, by data alone."""

from __future__ import annotations

from fastdense.formats.onnx.reader import read_onnx
from fastdense.formats.onnx.writer import write_onnx

__all__ = ["read_onnx", "write_onnx"]
