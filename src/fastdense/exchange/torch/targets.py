"""The names of what a traced program calls: one for a function, a method, an operator and its ATen form."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx
from torch.nn import functional

__all__ = ["ELEMENTWISE", "FOLDED", "UNNAMED", "arguments_of", "is_in_place", "name_of"]

# What takes each number by itself, or with one beside it.
ELEMENTWISE = {
    "abs", "add", "celu", "clamp", "clamp_max", "clamp_min", "div", "elu", "eq", "erf", "exp", "expm1", "ge",
    "gelu", "gt", "hardsigmoid", "hardswish", "hardtanh", "le", "leaky_relu", "log", "log1p", "log_sigmoid",
    "logsigmoid", "lt", "maximum", "minimum", "mish", "mul", "neg", "pow", "prelu", "reciprocal", "relu",
    "relu6", "rsqrt", "rsub", "selu", "sigmoid", "silu", "softplus", "softsign", "sqrt", "square", "sub",
    "tanh", "threshold", "where",
}  # fmt: skip
# What else may compute one constant from others, without chance and without changing any.
FOLDED = {
    "bmm", "cat", "chunk", "clone", "contiguous", "detach", "diag", "double", "einsum", "expand", "flatten",
    "float", "full_like", "getitem", "matmul", "mean", "norm", "ones_like", "permute", "select", "slice",
    "softmax", "split", "squeeze", "stack", "std", "sum", "t", "to", "transpose", "unsqueeze", "view",
    "zeros_like",
}  # fmt: skip
_OTHERS = {
    "_log_softmax", "_native_batch_norm_legit_no_training", "_softmax", "addmm", "alias", "baddbmm",
    "batch_norm", "dropout", "layer_norm", "lift_fresh_copy",
    "linear", "log_softmax", "size", "sym_size", "unsafe_chunk",
}  # fmt: skip
_SYNONYMS = {
    "__matmul__": "matmul",
    "clip": "clamp",
    "divide": "div",
    "mm": "matmul",
    "multiply": "mul",
    "negative": "neg",
    "numpy_T": "t",
    "reshape": "view",
    "special_expit": "sigmoid",
    "subtract": "sub",
    "swapaxes": "transpose",
    "true_divide": "div",
    "truediv": "div",
    "_unsafe_view": "view",
}
_ALL = ELEMENTWISE | FOLDED | _OTHERS
_NAMES: dict[Any, str] = {
    getattr(place, name + ending): _SYNONYMS.get(name, name)
    for place in (operator, torch, functional)
    for name in (*_ALL, *_SYNONYMS)
    for ending in ("", "_")
    if hasattr(place, name + ending)
}
_NAMES |= {getattr(operator, f"i{name}"): name for name in ("add", "mul", "sub")}
_NAMES |= {operator.itruediv: "div", operator.imatmul: "matmul", operator.ipow: "pow"}
del _NAMES[torch.batch_norm]  # the weights come before the statistics, unlike in torch.nn.functional's

_IN_PLACE = {"iadd", "imatmul", "imul", "ipow", "isub", "itruediv", "setitem"}

# The names of arguments, of what is not asked by a schema; ATen's own names are changed to these.
_ARGUMENTS = {
    "addmm": ("input", "mat1", "mat2"),
    "baddbmm": ("input", "batch1", "batch2"),
    "batch_norm": ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"),
    "bmm": ("input", "mat2"),
    "celu": ("input", "alpha", "inplace"),
    "chunk": ("input", "chunks", "dim"),
    "dropout": ("input", "p", "training", "inplace"),
    "einsum": ("equation", "input", "other"),
    "flatten": ("input", "start_dim", "end_dim"),
    "getitem": ("input", "index"),
    "layer_norm": ("input", "normalized_shape", "weight", "bias", "eps"),
    "linear": ("input", "weight", "bias"),
    "log_softmax": ("input", "dim"),
    "matmul": ("input", "other"),
    "prelu": ("input", "weight"),
    "softmax": ("input", "dim"),
    "softplus": ("input", "beta", "threshold"),
    "split": ("input", "split_size", "dim"),
    "squeeze": ("input", "dim"),
    "to": ("input", "device", "dtype", "non_blocking", "copy"),  # or the dtype first
    "unsqueeze": ("input", "dim"),
}
UNNAMED = "argument"
_RENAMED = {"self": "input", "train": "training"}


def name_of(node: fx.Node) -> str | None:
    """Return the name of what a node calls: one for ``torch.add``, ``x.add_`` and ``+``; None if unknown."""
    target = node.target
    if node.op == "call_method":
        name = str(target)
    elif isinstance(target, torch._ops.OpOverload | torch._ops.OpOverloadPacket):
        packet = target.overloadpacket if isinstance(target, torch._ops.OpOverload) else target
        space, _, name = packet._qualified_op_name.partition("::")
        if space != "aten":
            return None
    else:
        return _NAMES.get(target) if callable(target) else None
    name = name if name in _SYNONYMS else name.removesuffix("_")
    name = _SYNONYMS.get(name, name)
    return name if name in _ALL else None


def is_in_place(node: fx.Node) -> bool:
    """Return True if a call writes over its first argument."""
    name = str(getattr(node.target, "__name__", node.target)).partition(".")[0]
    return name.endswith("_") or name in _IN_PLACE or bool(node.kwargs.get("inplace")) or "out" in node.kwargs


def arguments_of(node: fx.Node, name: str) -> dict[str, Any]:
    """Return a call's arguments by name, the same whether it is of Python or of ATen.

    What is given by its place and has no name here is called `UNNAMED` and its place.
    """
    if isinstance(node.target, torch._ops.OpOverload):
        names = [argument.name for argument in node.target._schema.arguments]
        given = dict(zip(names, node.args, strict=False)) | node.kwargs
        return {_RENAMED.get(key, key): value for key, value in given.items()}
    known = _ARGUMENTS.get(name, ("input", "other"))
    places = (*known, *(f"{UNNAMED} {i}" for i in range(len(known), len(node.args))))
    named = dict(zip(places, node.args, strict=False)) | node.kwargs
    return {_RENAMED.get(key, key): value for key, value in named.items()}
