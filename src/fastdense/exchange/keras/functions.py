"""Functions among the layers: Keras 3's of ``keras.ops``, and those of TensorFlow that Keras 2 wrote down."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastdense.activations import ActivationFunction
from fastdense.core.curves import CURVES as RECORDS
from fastdense.errors import FormatError
from fastdense.exchange.keras.calls import TENSOR, Arguments
from fastdense.exchange.keras.curves import COMPOSED, CURVES, activate
from fastdense.exchange.keras.flow import Flow
from fastdense.exchange.keras.settings import numbers
from fastdense.exchange.limits import limit

__all__ = ["FUNCTIONS", "call_function"]

Values = dict[str, Any]


class Function(NamedTuple):
    """A function: the names of its parameters in order, and what it appends given their values."""

    parameters: tuple[str, ...]
    step: Callable[[Flow, Values], None]


def call_function(flow: Flow, layer: dict[str, Any], arguments: Arguments) -> None:
    """Append a function of the rows.

    Raises
    ------
    FormatError
        It is not known, or called with arguments that are not.
    """
    kind, config = layer["class_name"], layer["config"]
    if kind == "TFOpLambda":
        name = str(config.get("function"))
        kind, config = _TENSORFLOW.get(name.removeprefix("tf."), ""), {}
    elif kind == "TensorFlowOpLayer":
        name, arguments = _node(config)
        kind, config = _TENSORFLOW_NODES.get(name, ""), {}
    else:
        name = kind
    function = FUNCTIONS.get(kind)
    if function is None:
        raise FormatError(f"the function {name!r:.100} is not one that a dense network has")
    if len(arguments.args) > len(function.parameters):
        raise FormatError(f"it is called with {len(arguments.args)} arguments")
    values = config | dict(zip(function.parameters, arguments.args, strict=False))
    values |= {_TENSORFLOW_NAMES.get(key, key): value for key, value in arguments.kwargs.items()}
    values = {key: value for key, value in values.items() if value is not None and key != "name"}
    unknown = values.keys() - set(function.parameters)
    if unknown:
        raise FormatError(f"it is called with {min(unknown)!r:.100}, which is not known")
    function.step(flow, values)


def _number(values: Values, name: str, default: float | None = None) -> float:
    value = numbers(values.get(name, default))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError(f"its {name!r} is {value!r:.100}, where a number belongs")
    return float(value)


def _constant(values: Values) -> tuple[Any, bool]:
    """Return the constant among two operands, and whether it is the second."""
    second = values.get("x1") is TENSOR
    value = numbers(values.get("x2" if second else "x1"))
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise FormatError("it combines the rows with what are not numbers")
    return array, second


def _scaled(step: Callable[[Any, bool], tuple[Any, Any]]) -> Function:
    """Return a function of two operands: ``step`` makes a scaling of the constant, and if it is x2."""

    def run(flow: Flow, values: Values) -> None:
        constant, second = _constant(values)
        flow.scale(*step(flow.by_column(constant), second))

    return Function(("x1", "x2"), run)


def _quotient(constant: Any, second: bool) -> tuple[Any, Any]:
    if not second:
        raise FormatError("a constant divided by what comes from the network is not a dense layer's")
    return np.divide(1.0, constant), 0.0


def _limited(flow: Flow, values: Values, side: Callable[[float], tuple[float, float]]) -> None:
    constant, _ = _constant(values)
    if constant.size != 1:
        raise FormatError("its limits must be one number for all columns")
    limit(flow, *side(float(constant.reshape(()))))


def _maximum(flow: Flow, values: Values) -> None:
    _limited(flow, values, lambda least: (least, np.inf))


def _minimum(flow: Flow, values: Values) -> None:
    _limited(flow, values, lambda most: (-np.inf, most))


def _clip(flow: Flow, values: Values) -> None:
    limit(flow, _number(values, "x_min"), _number(values, "x_max"))


def _matmul(flow: Flow, values: Values) -> None:
    weights, second = _constant(values)
    if not second:
        raise FormatError("the rows must be its first factor, and the weights its second")
    flow.dense(weights)


def _reshape(flow: Flow, values: Values) -> None:
    shape = values.get("newshape")
    sizes = shape if isinstance(shape, list) and all(type(size) is int for size in shape) else []
    if len(sizes) < 2 or sizes[0] != -1 or min(sizes[1:]) < 1:
        raise FormatError(f"it makes other shapes of the rows, {shape!r:.100}")
    flow.reshape(tuple(sizes[1:]))


def _expand_dims(flow: Flow, values: Values) -> None:
    """Add an axis of one number behind the batch's."""
    shape, axis = flow.shape, values.get("axis")
    if shape is None or type(axis) is not int or not 0 < abs(axis) <= len(shape) + 1:
        raise FormatError(f"it adds the axis {axis!r:.100} to an example of the shape {shape}")
    place = axis - 1 if axis > 0 else axis + len(shape) + 1
    flow.reshape((*shape[:place], 1, *shape[place:]))


def _squeeze(flow: Flow, values: Values) -> None:
    """Drop axes of one number; what has none left is one column."""
    shape, axis = flow.shape or (0,), values.get("axis")
    axes = [i for i, size in enumerate(shape, 1) if size == 1] if axis is None else axis
    listed = axes if isinstance(axes, list) else [axes]
    places = {place % (len(shape) + 1) for place in listed if type(place) is int and abs(place) <= len(shape)}
    if len(places) != len(listed) or any(place == 0 or shape[place - 1] != 1 for place in places):
        raise FormatError(f"it drops the axes {axes!r:.100} of an example of the shape {shape}")
    flow.reshape(tuple(size for i, size in enumerate(shape, 1) if i not in places) or (1,))


def _get_item(flow: Flow, values: Values) -> None:
    """Choose columns by slices, of each row the same."""
    places = values.get("key")
    parts = [place.get("config") if isinstance(place, dict) else None for place in places or [None]]
    cuts = [_slice(part) for part in parts]
    if cuts[0] != slice(None):
        raise FormatError("it chooses among the rows of the batch")
    flow.pick(lambda example: example[tuple(cuts[1:])])


def _slice(value: Any) -> slice:
    ends = [value.get(name) if isinstance(value, dict) else "" for name in ("start", "stop", "step")]
    if not all(end is None or type(end) is int for end in ends):
        raise FormatError("it chooses columns otherwise than by slices")
    return slice(*ends)


def _cast(flow: Flow, values: Values) -> None:
    if values.get("dtype") not in ("float16", "bfloat16", "float32", "float64"):
        raise FormatError(f"it turns the rows into {values.get('dtype')!r:.100}")


def _nothing(flow: Flow, values: Values) -> None:
    """Let everything through."""


def _curve(name: str) -> Function:
    return Function(("x",), lambda flow, values: flow.activate(name))


def _composed(name: str) -> Function:
    return Function(("x",), lambda flow, values: COMPOSED[name](flow))


def _with_alpha(name: str, setting: str, default: float) -> Function:
    return Function(
        ("x", setting),
        lambda flow, values: flow.activate(ActivationFunction(name, _number(values, setting, default))),
    )


def _of_layer(name: str, *settings: str) -> Function:
    """Return the function that does what a layer without weights does."""
    return Function(
        ("x", *settings),
        lambda flow, values: CURVES[name](flow, {key: values.get(key) for key in settings}, []),
    )


def _log_softmax(flow: Flow, values: Values) -> None:
    flow.check_columns(values.get("axis", -1))
    activate(flow, "log_softmax")


def _gelu(default: bool) -> Function:
    def run(flow: Flow, values: Values) -> None:
        flow.activate("gelu_tanh" if values.get("approximate", default) else "gelu")

    return Function(("x", "approximate"), run)


def _class_name(name: str) -> str:
    """Return what Keras calls the operation of an activation.

    Examples
    --------
    >>> _class_name("hard_sigmoid")
    'HardSigmoid'
    """
    return "".join(part.capitalize() for part in name.split("_"))


FUNCTIONS: dict[str, Function] = {
    **{_class_name(name): _curve(name) for name, record in RECORDS.items() if name in record.keras},
    **{_class_name(name): _composed(name) for name in COMPOSED},
    "Add": _scaled(lambda constant, second: (1.0, constant)),
    "Cast": Function(("x", "dtype"), _cast),
    "Celu": _with_alpha("celu", "alpha", 1.0),
    "Clip": Function(("x", "x_min", "x_max"), _clip),
    "Divide": _scaled(_quotient),
    "Elu": _with_alpha("elu", "alpha", 1.0),
    "Exp": _curve("exponential"),
    "Gelu": _gelu(True),
    "GeluOfTensorflow": _gelu(False),
    "ExpandDims": Function(("x", "axis"), _expand_dims),
    "GetItem": Function(("x", "key"), _get_item),
    "Identity": Function(("x",), _nothing),
    "LeakyRelu": _with_alpha("leaky_relu", "negative_slope", 0.2),
    "LeakyReluOfTensorflow": _with_alpha("leaky_relu", "alpha", 0.2),
    "LogSoftmax": Function(("x", "axis"), _log_softmax),
    "Matmul": Function(("x1", "x2"), _matmul),
    "Maximum": Function(("x1", "x2"), _maximum),
    "Minimum": Function(("x1", "x2"), _minimum),
    "Multiply": _scaled(lambda constant, second: (constant, 0.0)),
    "Negative": Function(("x",), lambda flow, values: flow.scale(-1.0)),
    "Reshape": Function(("x", "newshape"), _reshape),
    "Softmax": _of_layer("Softmax", "axis"),
    "Squeeze": Function(("x", "axis"), _squeeze),
    "StopGradient": Function(("x",), _nothing),
    "Subtract": _scaled(lambda c, second: (1.0, -c) if second else (-1.0, c)),
    "TrueDivide": _scaled(_quotient),
}
"""Functions of ``keras.ops``, by the names of their classes."""

# TensorFlow's functions, as a layer `TFOpLambda` names them, and its graphs' nodes.
_TENSORFLOW = {
    "__operators__.add": "Add", "cast": "Cast", "clip_by_value": "Clip", "divide": "Divide", "exp": "Exp",
    "expand_dims": "ExpandDims",
    "identity": "Identity", "linalg.matmul": "Matmul", "math.add": "Add", "math.divide": "Divide",
    "math.exp": "Exp", "math.log_sigmoid": "LogSigmoid", "math.maximum": "Maximum",
    "math.minimum": "Minimum", "math.multiply": "Multiply", "math.negative": "Negative",
    "math.sigmoid": "Sigmoid", "math.softplus": "Softplus", "math.subtract": "Subtract",
    "math.tanh": "Tanh", "math.truediv": "TrueDivide", "nn.elu": "Elu", "nn.gelu": "GeluOfTensorflow",
    "nn.leaky_relu": "LeakyReluOfTensorflow", "nn.log_softmax": "LogSoftmax", "nn.relu": "Relu",
    "nn.relu6": "Relu6", "nn.selu": "Selu", "nn.sigmoid": "Sigmoid", "nn.silu": "Silu",
    "nn.softmax": "Softmax",
    "nn.softplus": "Softplus", "nn.softsign": "Softsign", "nn.swish": "Silu", "nn.tanh": "Tanh",
    "reshape": "Reshape", "squeeze": "Squeeze", "stop_gradient": "StopGradient",
}  # fmt: skip
_TENSORFLOW_NODES = {
    "Add": "Add", "AddV2": "Add", "Elu": "Elu", "Exp": "Exp", "Identity": "Identity", "MatMul": "Matmul",
    "Maximum": "Maximum", "Minimum": "Minimum", "Mul": "Multiply", "Neg": "Negative",
    "RealDiv": "TrueDivide", "Relu": "Relu", "Relu6": "Relu6", "Selu": "Selu", "Sigmoid": "Sigmoid",
    "Softmax": "Softmax", "Softplus": "Softplus", "Softsign": "Softsign", "Sub": "Subtract", "Tanh": "Tanh",
}  # fmt: skip
# Their parameters that have other names there.
_TENSORFLOW_NAMES = {
    "a": "x1", "b": "x2", "clip_value_max": "x_max", "clip_value_min": "x_min",
    "shape": "newshape", "y": "x2",
}  # fmt: skip


def _node(config: Values) -> tuple[str, Arguments]:
    """Return the operation of a ``TensorFlowOpLayer``, and its arguments: constants in places, one tensor."""
    constants = config.get("constants")
    try:
        node = json.loads(str(config.get("node_def")))
    except (ValueError, RecursionError):
        node = None
    if not isinstance(node, dict) or not isinstance(constants, dict):
        raise FormatError("its node is not described as Keras describes it")
    inputs = node.get("input", [])
    args = [constants.get(str(i), TENSOR) for i in range(len(inputs) if isinstance(inputs, list) else 0)]
    if args.count(TENSOR) != 1:
        raise FormatError("it takes another number of inputs than one")
    if "transpose" in str(node.get("attr")):
        raise FormatError("it may transpose one of its factors")
    return str(node.get("op")), Arguments(args, {}, [])
