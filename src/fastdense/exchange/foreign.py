"""Files and folders of other software that no reader takes: what each is, and what to do with it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["foreign"]

_RESAVE = "load it there, and save it as .keras (model.save('model.keras')), which is read"
_CONVERT = "python -m tf2onnx.convert makes an .onnx file of it, which is read"
_KINDS = {
    "saved_model.pb": (
        "a TensorFlow SavedModel, which holds a program: load it with the package tf_keras "
        "(tf_keras.models.load_model), and save it as .keras, which is read"
    ),
    "config.json": "an unpacked .keras file: pack what is in it into a zip file that ends in .keras",
    "model.json": f"a model of TensorFlow.js: {_RESAVE}",
    ".pb": f"a TensorFlow graph: {_CONVERT}",
    ".tflite": f"a TensorFlow Lite model: {_CONVERT} (--tflite)",
    ".index": f"a TensorFlow checkpoint, which holds weights alone: load it into its model there; {_RESAVE}",
    ".json": (
        "the architecture of a Keras model, without its weights: fastdense.formats.keras.read_keras(path, "
        "weights=...) reads it with a file of them"
    ),
}
_PICKLE = (
    "a pickle: pickles run code as they are loaded and are not read; for PyTorch's weights there is "
    "fastdense.formats.torch.network_from_torch_weights, for a module from_torch"
)
_KINDS |= dict.fromkeys((".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".joblib"), _PICKLE)
_LITE = b"TFL3"  # from the fifth byte on


def foreign(path: Path) -> str | None:
    """Return what a path that no reader takes is, and what to do with it; None if that is not known.

    Examples
    --------
    >>> foreign(Path("model.pb"))
    'a TensorFlow graph: python -m tf2onnx.convert makes an .onnx file of it, which is read'
    """
    if path.is_dir():
        return next((_KINDS[name] for name in list(_KINDS)[:3] if (path / name).is_file()), None)
    if path.suffix.lower() in _KINDS:
        return _KINDS[path.suffix.lower()]
    if ".data-" in path.name:
        return _KINDS[".index"]
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(16)
        if head[4:8] == _LITE:
            return _KINDS[".tflite"]
        if head.lstrip().startswith(b"{"):
            return _KINDS[".json"]
    return None
