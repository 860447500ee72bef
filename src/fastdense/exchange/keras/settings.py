"""What Keras writes of each layer's settings: their names, types and ranges. Anything else is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fastdense.errors import FormatError

__all__ = ["OF_KERAS_1", "check_settings", "number", "numbers"]

Config = dict[str, Any]

# Of float32's numbers, which a setting becomes.
_LARGEST = 3.4028234e38


class Setting(NamedTuple):
    """Which values a setting may have, and what these are in words."""

    accepts: Callable[[Any], bool]
    words: str


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -_LARGEST <= value <= _LARGEST


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _is_object(value: Any) -> bool:
    """Return True for the name or the description of an initialiser, a penalty, a constraint..."""
    return isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("class_name"), str))


def _is_shape(value: Any) -> bool:
    return isinstance(value, list) and all(size is None or _is_whole(size) for size in value)


def _is_axes(value: Any) -> bool:
    return _is_whole(value) or (isinstance(value, list) and all(map(_is_whole, value)))


def number(value: Any) -> float | None:
    """Return a setting that is one number, also as an array of Keras 2's or 3's; None if it is not.

    Examples
    --------
    >>> number({"type": "ndarray", "value": 0.25})
    0.25
    """
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        value = value["config"]
    if isinstance(value, dict):
        value = value.get("value")
    return float(value) if _is_number(value) else None


def numbers(value: Any) -> Any:
    """Return a setting that is a number or nested lists of them, also as Keras 3 writes an array."""
    if isinstance(value, dict) and value.get("class_name") in ("__numpy__", "__tensor__"):
        config = value.get("config")
        return config.get("value") if isinstance(config, dict) else None
    return value


def _are_numbers(value: Any) -> bool:
    value = numbers(value)
    return _is_number(value) or (isinstance(value, list) and all(map(_are_numbers, value)))


_PRECISIONS = ("bfloat16", "float16", "float32", "float64", "mixed_bfloat16", "mixed_float16")
_INPUT_KINDS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", *_PRECISIONS)


def _is_precision(value: Any) -> bool:
    """Return True for the name of a precision, or the description that Keras has of it as a policy."""
    if not isinstance(value, dict):
        return value in _PRECISIONS
    config = value.get("config")
    return (
        value.get("class_name") in ("DTypePolicy", "FloatDTypePolicy", "Policy", "PolicyV1")
        and str(value.get("module", "keras")).partition(".")[0] == "keras"
        and value.get("registered_name") in (None, value["class_name"])
        and isinstance(config, dict)
        and config.get("name") in _PRECISIONS
        and config.keys() <= {"name", "loss_scale"}
    )


def _is_rate(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


_FLAG = Setting(lambda value: isinstance(value, bool), "true or false")
_COUNT = Setting(lambda value: _is_whole(value) and value > 0, "a whole number from 1 on")
_WHOLE = Setting(_is_whole, "a whole number")
_NUMBER = Setting(_is_number, "a number")
_SCALAR = Setting(lambda value: number(value) is not None, "a number")
_NUMBERS = Setting(_are_numbers, "a number or a list of them")
_RATE = Setting(_is_rate, "a rate from 0 to 1")
_POSITIVE = Setting(lambda value: _is_number(value) and value > 0, "a positive number")
_TEXT = Setting(lambda value: isinstance(value, str) and value != "", "a name")
_OBJECT = Setting(_is_object, "a name or a description")
_SHAPE = Setting(_is_shape, "a shape")
_AXES = Setting(_is_axes, "an axis or a list of them")
_LAYOUT = Setting(lambda value: value in ("channels_last", "channels_first"), "a layout of channels")
_ANYTHING = Setting(lambda value: True, "anything")

_COMMON = {
    "name": _TEXT,
    "trainable": _FLAG,
    "dtype": Setting(_is_precision, f"one of {', '.join(_PRECISIONS)}; others are not computed in here"),
    "batch_input_shape": _SHAPE,
    "activity_regularizer": _OBJECT,
    "autocast": _FLAG,
}
"""What any layer may say."""


_PENALTIES = ("l1", "l2", "l1_l2", "L1", "L2", "L1L2", "orthogonal_regularizer", "OrthogonalRegularizer")
_CONSTRAINTS = (
    "max_norm", "min_max_norm", "non_neg", "unit_norm", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"
)  # fmt: skip


def _is_one_of(kind: str, names: tuple[str, ...] | None = None) -> Callable[[Any], bool]:
    """Return a check for the name of one of Keras', or the description of such a class or a user's."""

    def accepts(value: Any) -> bool:
        if isinstance(value, str):
            return value != "" if names is None else value in names
        module = str(value.get("module", "")) if isinstance(value, dict) else ""
        return _is_object(value) and (not module.startswith("keras") or kind in module)

    return accepts


_PARTS = {
    "initializer": Setting(_is_one_of("initializers"), "an initialiser"),
    "regularizer": Setting(_is_one_of("regularizers", _PENALTIES), "a regularizer"),
    "constraint": Setting(_is_one_of("constraints", _CONSTRAINTS), "a constraint"),
}


def _of(*parts: str) -> dict[str, Setting]:
    """Return the settings that each array of weights has."""
    return {f"{part}_{kind}": setting for part in parts for kind, setting in _PARTS.items()}


_NOISE = {"seed": _WHOLE, "noise_shape": _SHAPE}
_SETTINGS: dict[str, dict[str, Setting]] = {
    "Activation": {"activation": _ANYTHING},
    "ActivityRegularization": {"l1": _NUMBER, "l2": _NUMBER},
    "AlphaDropout": {"rate": _RATE, **_NOISE},
    "BatchNormalization": {
        "axis": _AXES, "momentum": _NUMBER, "epsilon": _NUMBER, "center": _FLAG, "scale": _FLAG,
        "synchronized": _FLAG, "fused": _FLAG, "moving_mean_initializer": _OBJECT,
        "moving_variance_initializer": _OBJECT, "renorm": _FLAG, "renorm_clipping": _ANYTHING,
        "renorm_momentum": _NUMBER, **_of("beta", "gamma"),
    },
    "Cropping1D": {"cropping": _ANYTHING},
    "Cropping2D": {"cropping": _ANYTHING, "data_format": _LAYOUT},
    "Dense": {
        "units": _COUNT, "activation": _ANYTHING, "use_bias": _FLAG, "quantization_config": _ANYTHING,
        **_of("kernel", "bias"),
    },
    "Dropout": {"rate": _RATE, **_NOISE},
    "ELU": {"alpha": _SCALAR},
    "EinsumDense": {
        "equation": _TEXT, "output_shape": _ANYTHING, "bias_axes": _ANYTHING, "activation": _ANYTHING,
        "quantization_config": _ANYTHING, **_of("kernel", "bias"),
    },
    "Flatten": {"data_format": _LAYOUT},
    "Functional": {"layers": _ANYTHING, "input_layers": _ANYTHING, "output_layers": _ANYTHING},
    "GaussianDropout": {"rate": _RATE, **_NOISE},
    "GaussianNoise": {"stddev": _NUMBER, **_NOISE},
    "Identity": {},
    "InputLayer": {
        "batch_shape": _SHAPE, "sparse": _FLAG, "ragged": _FLAG, "optional": _FLAG,
        "dtype": Setting(
            lambda value: _is_precision(value) or value in _INPUT_KINDS, f"one of {', '.join(_INPUT_KINDS)}"
        ),
    },
    "LayerNormalization": {
        "axis": _AXES, "epsilon": _POSITIVE, "center": _FLAG, "scale": _FLAG, "rms_scaling": _FLAG,
        **_of("beta", "gamma"),
    },
    "LeakyReLU": {"negative_slope": _SCALAR, "alpha": _SCALAR},
    "Normalization": {"axis": _AXES, "invert": _FLAG, "mean": _NUMBERS, "variance": _NUMBERS},
    "PReLU": {"shared_axes": _AXES, **_of("alpha")},
    "Permute": {"dims": _AXES},
    "ReLU": {"max_value": _SCALAR, "negative_slope": _SCALAR, "threshold": _SCALAR},
    "Rescaling": {"scale": _NUMBERS, "offset": _NUMBERS},
    "Reshape": {"target_shape": _SHAPE},
    "Sequential": {"layers": _ANYTHING, "build_input_shape": _SHAPE},
    "Softmax": {"axis": _AXES},
    "SpatialDropout1D": {"rate": _RATE, **_NOISE},
    "SpatialDropout2D": {"rate": _RATE, "data_format": _LAYOUT, **_NOISE},
    "ThresholdedReLU": {"theta": _SCALAR},
}  # fmt: skip
OF_KERAS_1 = (
    "whose files are not read: load the model with Keras 2 (pip install 'keras<2.4') and save it again"
)
"""What is said of a file of Keras 1, after its name."""
# What Keras 1 called settings that have other names since.
_KERAS_1 = {"W_regularizer", "bias", "dim_ordering", "init", "mode", "output_dim", "p"}
# The settings without a default.
_NEEDED = {
    "Activation": "activation", "Dense": "units", "Dropout": "rate", "EinsumDense": "equation",
    "Rescaling": "scale",
}  # fmt: skip


def check_settings(class_name: str, config: Config) -> None:
    """Raise FormatError for a layer's or a model's setting that is not known or not of Keras' values."""
    known = _COMMON | _SETTINGS.get(class_name, {})
    old = _KERAS_1 & (config.keys() - known.keys())
    if old:
        raise FormatError(f"{min(old)!r} is a setting of Keras 1, {OF_KERAS_1}")
    needed = _NEEDED.get(class_name)
    if needed and (needed not in config or (config[needed] is None and needed != "activation")):
        raise FormatError(f"its {needed!r} is not given")
    _check_values(known, config)


def _check_values(known: Mapping[str, Setting], config: Config) -> None:
    for name, value in config.items():
        if name not in known:
            raise FormatError(f"its setting {name!r:.100} is not one that is known")
        if value is not None and not known[name].accepts(value):
            raise FormatError(f"its {name!r} must be {known[name].words}, not {value!r:.100}")
