"""Files and folders of other software: each is called what it is, with a way on."""

from __future__ import annotations

import json

import pytest

import fastdense as fd
from fastdense.errors import FormatError

SAVED_MODEL = r"it is a TensorFlow SavedModel, .* load it with the package tf_keras"
LITE = r"it is a TensorFlow Lite model: python -m tf2onnx.convert makes an \.onnx file .* \(--tflite\)"
ARCHITECTURE = r"it is the architecture of a Keras model, without its weights: .*read_keras\(path, weights="


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("saved_model.pb", SAVED_MODEL),
        ("config.json", r"it is an unpacked \.keras file: pack what is in it into a zip"),
        ("model.json", r"it is a model of TensorFlow\.js"),
    ],
)
def test_folders(tmp_path, inside, words):
    folder = tmp_path / "model"
    folder.mkdir()
    with pytest.raises(IsADirectoryError):
        fd.load(folder)
    (folder / inside).touch()
    with pytest.raises(FormatError, match=words) as caught:
        fd.load(folder)
    assert str(caught.value).startswith(str(folder))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("m.tflite", b"\x1c\0\0\0TFL3", LITE),
        ("m.keras", b"\x1c\0\0\0TFL3", LITE),
        ("m.h5", b"\x1c\0\0\0TFL3", LITE),
        ("m.pb", b"\x0a\x0b", r"it is a TensorFlow graph: python -m tf2onnx\.convert"),
        ("m.ckpt.data-00000-of-00001", b"", "it is a TensorFlow checkpoint, which holds weights alone"),
        ("m.ckpt.index", b"", "it is a TensorFlow checkpoint, which holds weights alone"),
        ("m.keras", b"", r"it is neither a zip nor an HDF5 file"),
        ("m.json", json.dumps({"class_name": "Sequential"}).encode(), ARCHITECTURE),
        ("m", b' {"class_name": "Sequential"}', ARCHITECTURE),
        ("m.txt", b"weights", r"a model's name ends in \.safetensors, \.onnx"),
    ],
)
def test_files(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match=words) as caught:
        fd.load(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))
