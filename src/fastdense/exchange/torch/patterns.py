"""What the calls of a step make of a network: an activation that is composed of them, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import fx

from fastdense.core.arrays import Array
from fastdense.errors import FormatError
from fastdense.exchange.curves import Limits, recognised
from fastdense.exchange.limits import limit
from fastdense.exchange.torch.entry import EntryChain
from fastdense.exchange.torch.follow import refuse_unseen
from fastdense.exchange.torch.known import ELEMENTWISE_MODULES, array_of
from fastdense.exchange.torch.operations import ARITHMETIC, OPERATIONS, is_source
from fastdense.exchange.torch.targets import ELEMENTWISE, UNNAMED
from fastdense.exchange.torch.walk import Step

__all__ = ["LONGEST", "meaning"]

Apply = Callable[[EntryChain], None]

# Calls of the longest way known to write an activation, and some more: GELU by tanh takes nine.
LONGEST = 16
# How far constants may be off: those of float32, which a few operations may have been made on; or of float64.
_TOLERANCE = {"float32": 1e-6, "float64": 1e-12}


def meaning(step: Step, dtype: str) -> Apply | None:
    """Return what adds a step's calls to a chain; None if they are nothing known."""
    if step.asks_sizes():
        return None
    if len(step.nodes) == 1 and step.names[0] in OPERATIONS:
        return lambda chain: OPERATIONS[str(step.names[0])](chain, _named(step))
    if len(step.nodes) == 1 and step.names[0] in ARITHMETIC and _is_linear(step):
        return lambda chain: ARITHMETIC[str(step.names[0])](chain, _named(step))
    for find in (_whole, _stacked):
        if (found := find(step)) is not None:
            return found
    return _activation(step, dtype)


def _named(step: Step) -> dict[str, Any]:
    """Return a call's arguments; FormatError if one is given by a place that is not known."""
    given = step.arguments()
    for name in given:
        if name.startswith(UNNAMED):
            raise FormatError(f"its {name} is not known by its place: give it by its name")
    return given


def _is_linear(step: Step) -> bool:
    """Return True if a sum, product or quotient is linear in what comes from the network."""
    given = step.arguments()
    sources = [is_source(given.get(name)) for name in ("input", "other")]
    return sources.count(True) == 1 or step.names == ["add"]


def _activation(step: Step, dtype: str) -> Apply | None:
    """Return the activation that elementwise calls compute together, if it is one."""
    if not all(_is_elementwise(step, node, name) for node, name in zip(step.nodes, step.names, strict=True)):
        return None

    def evaluate(z: Array) -> Array | None:
        try:
            with torch.no_grad():
                result = step.run(torch.from_numpy(z))
        except (
            TypeError,
            ValueError,
            RuntimeError,
            IndexError,
        ):  # of arguments that a function does not take
            return None
        fits = isinstance(result, torch.Tensor) and result.shape == z.shape and result.is_floating_point()
        return array_of(result.double()) if fits else None

    curve = recognised(evaluate, step.numbers(), _TOLERANCE[dtype])
    if isinstance(curve, Limits):
        return lambda chain: limit(chain, *curve)
    return None if curve is None else lambda chain: chain.activate(curve)


def _is_elementwise(step: Step, node: fx.Node, name: str | None) -> bool:
    if node.op != "call_module":
        return name in ELEMENTWISE
    module = step.module(node)
    if type(module) not in ELEMENTWISE_MODULES:
        return False
    refuse_unseen(module, f"module {node.target!r}", by_class=True)
    return True


def _whole(step: Step) -> Apply | None:
    """Return what takes the whole of a result, which is the only one of several: it adds nothing."""
    match step.names:
        case ["getitem"]:
            index = step.arguments()["index"]
            parts = index if isinstance(index, tuple) else (index,)
            everything = all(part in (slice(None), Ellipsis) for part in parts) and len(parts) <= 2
            return _nothing if everything else None
        case ["chunk" | "unsafe_chunk", "getitem"]:
            alone = step.arguments()["chunks"] == 1 and step.arguments(1)["index"] in (0, -1)
            return _nothing if alone else None
        case ["_native_batch_norm_legit_no_training", "getitem"] if step.arguments(1)["index"] == 0:
            return lambda chain: OPERATIONS["batch_norm"](chain, step.arguments())
        case ["split", "getitem"]:
            given, index = step.arguments(), step.arguments(1)["index"]
            if given.get("dim", 0) not in (1, -1) or index not in (0, -1):
                return None
            return lambda chain: _check_one_part(chain, given["split_size"])
    return None


def _nothing(chain: EntryChain) -> None:
    """Add nothing."""


def _check_one_part(chain: EntryChain, size: Any) -> None:
    sizes = [size] if isinstance(size, int) else list(size)
    if chain.width is None or len(sizes) != 1 or sizes[0] < chain.width:
        raise FormatError(f"it takes a part of the {chain.width} columns")


def _stacked(step: Step) -> Apply | None:
    """Return the product of a batch of one matrix: ``x.unsqueeze(0) @ W`` of shape (1, n_in, n_units)."""
    match step.names:
        case ["unsqueeze", "bmm" | "matmul", "squeeze" | "getitem" | "select"]:
            given = step.arguments(1)
            rows, stacks = given["input"], [given["mat2"] if "mat2" in given else given["other"]]
        case ["unsqueeze", "baddbmm", "squeeze" | "getitem" | "select"]:
            given = step.arguments(1)
            rows, stacks = given["batch1"], [given["batch2"], given["input"]]
        case _:
            return None
    first, last = step.arguments(0), step.arguments(2)
    axes = first.get("dim"), last.get("dim", 0), last.get("index", 0)
    if axes != (0, 0, 0) or not is_source(rows) or not all(_is_one_matrix(stack) for stack in stacks):
        return None
    weights, *biases = (stack[0] for stack in stacks)
    if not biases:
        return lambda chain: OPERATIONS["matmul"](chain, {"input": rows, "other": weights})
    factors = {name: given[name] for name in ("alpha", "beta") if name in given}
    return lambda chain: OPERATIONS["addmm"](
        chain, {"input": biases[0], "mat1": rows, "mat2": weights} | factors
    )


def _is_one_matrix(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.ndim == 3 and len(value) == 1
