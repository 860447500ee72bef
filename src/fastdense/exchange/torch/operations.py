"""What a call of a function or method adds to a network: a product with constants, a scaling, nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.torch.entry import EntryChain
from fastdense.exchange.torch.known import TAKES, array_of
from fastdense.exchange.torch.parts import normalised

__all__ = ["ARITHMETIC", "OPERATIONS", "is_source"]

Arguments = dict[str, Any]
Operation = Callable[[EntryChain, Arguments], None]


def is_source(value: Any) -> bool:
    """Return True for the result that a call takes from the network, which stays a node of its graph."""
    return isinstance(value, fx.Node)


def _constant(value: Any, what: str) -> Array:
    """Return a constant's numbers."""
    if is_source(value):
        raise FormatError(f"{what} must be a constant; the rows of the network are another of its arguments")
    return np.asarray(array_of(value) if isinstance(value, torch.Tensor) else np.float64(value))


def _row(value: Any) -> Array:
    """Return a constant that is one number, without axes, or one number per column."""
    array = np.asarray(_constant(value, "what is added or multiplied"), np.float64)
    if array.ndim > 2 or (array.ndim and array.size != array.shape[-1]):
        raise FormatError(f"its constant has the shape {array.shape}, which is not one number per column")
    return array.reshape(() if array.size == 1 else -1)


def _weights(value: Any) -> Array:
    array = _constant(value, "the second factor")
    if array.ndim != 2:
        raise FormatError(f"its weights have the shape {array.shape}, and a dense layer's are a matrix")
    return np.ascontiguousarray(array)


def _rows_first(value: Any) -> None:
    if not is_source(value):
        raise FormatError("the rows must be its first factor, and the weights its second")


def _linear(chain: EntryChain, given: Arguments) -> None:
    _rows_first(given["input"])
    bias = given.get("bias")
    weights = np.ascontiguousarray(_weights(given["weight"]).T)
    chain.dense(weights, None if bias is None else _constant(bias, "the bias"))


def _product(chain: EntryChain, given: Arguments) -> None:
    _rows_first(given["input"])
    chain.dense(_weights(given["other"] if "other" in given else given["mat2"]))


def _sum_and_product(chain: EntryChain, given: Arguments) -> None:
    """``beta * bias + alpha * (x @ W)``."""
    _rows_first(given["mat1"])
    W = _weights(given["mat2"]) * given.get("alpha", 1)
    bias = np.broadcast_to(_row(given["input"]) * given.get("beta", 1), W.shape[1])
    chain.dense(W, bias.astype(W.dtype))


def _add(chain: EntryChain, given: Arguments) -> None:
    a, b, alpha = given["input"], given["other"], given.get("alpha", 1)
    if is_source(a) and is_source(b):
        chain.scale(1.0 + alpha)
    elif is_source(a):
        chain.scale(1.0, alpha * _row(b))
    else:
        chain.scale(float(alpha), _row(a))


def _subtract(chain: EntryChain, given: Arguments) -> None:
    a, b, alpha = given["input"], given["other"], given.get("alpha", 1)
    if is_source(a):
        chain.scale(1.0, -alpha * _row(b))
    else:
        chain.scale(-float(alpha), _row(a))


def _subtract_from(chain: EntryChain, given: Arguments) -> None:
    _subtract(chain, given | {"input": given["other"], "other": given["input"]})


def _multiply(chain: EntryChain, given: Arguments) -> None:
    chain.scale(_row(given["other"] if is_source(given["input"]) else given["input"]))


def _divide(chain: EntryChain, given: Arguments) -> None:
    if given.get("rounding_mode") is not None or not is_source(given["input"]):
        raise FormatError("a constant divided by what comes from the network is not a dense layer's")
    with np.errstate(all="ignore"):  # the chain refuses what is not finite
        chain.scale(1.0 / _row(given["other"]))


def _batch_norm(chain: EntryChain, given: Arguments) -> None:
    _rows_first(given["input"])
    if given.get("training") or given["running_mean"] is None or given["running_var"] is None:
        raise FormatError("it has no running statistics, so a row's outputs depend on the rows beside it")
    names = ("running_mean", "running_var", "weight", "bias")
    tensors = [None if given.get(name) is None else _constant(given[name], name) for name in names]
    mean, variance, weight, bias = tensors
    chain.scale(*normalised(mean, variance, weight, bias, given.get("eps", 1e-5)))  # type: ignore[arg-type]


def _softmax(chain: EntryChain, given: Arguments) -> None:
    if given.get("dtype") is not None:
        raise FormatError("it computes in another dtype")
    TAKES[nn.Softmax](chain, nn.Softmax(given.get("dim")))


def _log_softmax(chain: EntryChain, given: Arguments) -> None:
    if given.get("dtype") is not None:
        raise FormatError("it computes in another dtype")
    TAKES[nn.LogSoftmax](chain, nn.LogSoftmax(given.get("dim")))


def _dropout(chain: EntryChain, given: Arguments) -> None:
    if given.get("training", True):
        raise FormatError("it drops in predictions too; give it training=self.training")
    chain.dropout(given.get("p", 0.5))


def _flatten(chain: EntryChain, given: Arguments) -> None:
    TAKES[nn.Flatten](chain, nn.Flatten(given.get("start_dim", 0), given.get("end_dim", -1)))


def _layer_norm(chain: EntryChain, given: Arguments) -> None:
    weight, bias = given.get("weight"), given.get("bias")
    affine = {"elementwise_affine": weight is not None or bias is not None, "bias": bias is not None}
    module = nn.LayerNorm(given["normalized_shape"], given.get("eps", 1e-5), **affine)
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None:
            setattr(module, name, nn.Parameter(tensor.detach(), requires_grad=False))
    TAKES[nn.LayerNorm](chain, module)


def _prelu(chain: EntryChain, given: Arguments) -> None:
    chain.leak(_row(given["weight"]), chain.width)


def _celu(chain: EntryChain, given: Arguments) -> None:
    TAKES[nn.CELU](chain, nn.CELU(given.get("alpha", 1.0)))


def _softplus(chain: EntryChain, given: Arguments) -> None:
    TAKES[nn.Softplus](chain, nn.Softplus(given.get("beta", 1.0), given.get("threshold", 20.0)))


def _log_sigmoid(chain: EntryChain, given: Arguments) -> None:
    TAKES[nn.LogSigmoid](chain, nn.LogSigmoid())


def _slice(chain: EntryChain, given: Arguments) -> None:
    """Take all of an axis, as ``x[:, :]`` does."""
    end = given.get("end")
    if given.get("start") or given.get("step", 1) != 1 or not (end is None or end >= 2**63 - 1):
        raise FormatError("it takes a part of the rows or of the columns")


def _squeeze(chain: EntryChain, given: Arguments) -> None:
    if given.get("dim") not in (1, -1):
        raise FormatError("only the last axis can be squeezed: squeeze(-1)")
    chain.squeeze()


def _einsum(chain: EntryChain, given: Arguments) -> None:
    """``bi,oi->bo`` and ``bi,io->bo``, in any letters."""
    if "tensors" in given:  # as ATen has it
        given = given | dict(zip(("input", "other"), given["tensors"], strict=True))
    _rows_first(given["input"])
    rows, _, rest = str(given["equation"]).replace(" ", "").partition(",")
    second, _, result = rest.partition("->")
    if not len(rows) == len(second) == len(set(rows)) == 2 or rows[1] not in second or rows[0] in second:
        raise FormatError(f"the equation {given['equation']!r:.50} is not the product of rows and weights")
    new = second.replace(rows[1], "")
    if result != rows[0] + new:
        raise FormatError(f"the equation {given['equation']!r:.50} is not the product of rows and weights")
    W = _weights(given["other"])
    chain.dense(W if second[0] == rows[1] else np.ascontiguousarray(W.T))


def _as_it_is(chain: EntryChain, given: Arguments) -> None:
    """Add nothing, since the numbers stay what they are."""
    for value in given.values():
        dtype = value.dtype if isinstance(value, torch.Tensor) else value  # of x.to(another)
        if isinstance(dtype, torch.dtype) and dtype != getattr(torch, chain.dtype):
            raise FormatError(f"it turns the network's numbers into {dtype}")


def _as_of(dtype: str) -> Operation:
    return lambda chain, given: _as_it_is(chain, {"dtype": getattr(torch, dtype)})


ARITHMETIC: dict[str, Operation] = {
    "add": _add,
    "div": _divide,
    "mul": _multiply,
    "neg": lambda chain, given: chain.scale(-1.0),
    "rsub": _subtract_from,
    "sub": _subtract,
}
"""What is a scaling by columns if all but one of its arguments are constants."""

OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(("alias", "clone", "contiguous", "detach", "lift_fresh_copy", "to"), _as_it_is),
    "_log_softmax": _log_softmax,
    "_softmax": _softmax,
    "addmm": _sum_and_product,
    "batch_norm": _batch_norm,
    "celu": _celu,
    "double": _as_of("float64"),
    "dropout": _dropout,
    "einsum": _einsum,
    "flatten": _flatten,
    "float": _as_of("float32"),
    "layer_norm": _layer_norm,
    "linear": _linear,
    "log_softmax": _log_softmax,
    **dict.fromkeys(("log_sigmoid", "logsigmoid"), _log_sigmoid),
    "matmul": _product,
    "prelu": _prelu,
    "slice": _slice,
    "squeeze": _squeeze,
    "softmax": _softmax,
    "softplus": _softplus,
}
"""What the other calls add, by the names of their functions."""
