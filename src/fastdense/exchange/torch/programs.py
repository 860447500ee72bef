"""TorchScript's programs as graphs of ``torch.fx``: frozen first, so that weights and modes are constants."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import fx, nn

from fastdense.errors import FormatError
from fastdense.exchange.torch.walk import Walk

__all__ = ["program_of"]


def program_of(module: torch.jit.ScriptModule, where: str) -> Walk:
    """Return the calls of a scripted or traced module's ``forward``, in eval mode.

    Raises
    ------
    FormatError
        It takes several inputs, or has branches or loops that depend on numbers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TorchScript is no longer developed
        try:
            graph = torch.jit.freeze(module, optimize_numerics=False).graph
        except (RuntimeError, AttributeError):  # it was frozen before
            graph = module.inlined_graph
    program = _Program(module, where)
    inputs = list(graph.inputs())[1:]  # the first is the module itself
    if len(inputs) != 1:
        raise FormatError(f"{where}: it has {len(inputs)} inputs, and a network here has one")
    program.values[inputs[0].debugName()] = program.graph.placeholder("x")
    program.follow(graph)
    (output,) = graph.outputs()
    program.graph.output(program.values[output.debugName()])
    return Walk(program.graph, program.root, where)


class _Program:
    """A graph in the making, and what each value of TorchScript's graph is in it."""

    def __init__(self, module: torch.jit.ScriptModule, where: str) -> None:
        self.module, self.where = module, where
        self.graph, self.root = fx.Graph(), nn.Module()
        self.values: dict[str, Any] = {}

    def follow(self, block: Any) -> None:
        """Follow the nodes of a ``torch.Graph`` or a ``torch.Block``."""
        for node in block.nodes():
            kind = node.kind()
            inputs = [self.values.get(value.debugName(), self.module) for value in node.inputs()]
            plain = not any(isinstance(i, fx.Node) for i in inputs)
            if kind == "prim::If":
                self._branch(node, inputs[0])
            elif kind in ("prim::ListUnpack", "prim::TupleUnpack"):
                self._unpack(node, inputs[0])
            elif kind in _SPECIAL:
                self._set(node, _SPECIAL[kind](self, node, inputs))
            elif kind in _OF_NUMBERS and plain:
                self._set(node, _OF_NUMBERS[kind](*inputs))
            elif kind.startswith("aten::"):
                self._set(node, self._call(node, inputs))
            else:
                raise FormatError(f"{self.where}, at {kind!r}: it is more than calls one behind the other")

    def _set(self, node: Any, value: Any) -> None:
        if node.outputsSize() != 1:
            raise FormatError(f"{self.where}, at {node.kind()!r}: it has {node.outputsSize()} results")
        self.values[node.output().debugName()] = value

    def _unpack(self, node: Any, values: Any) -> None:
        for i, output in enumerate(node.outputs()):
            self.values[output.debugName()] = self._item([values, i])

    def _branch(self, node: Any, condition: Any) -> None:
        """Follow the one of two blocks that a condition chooses."""
        if not isinstance(condition, bool):
            raise FormatError(f"{self.where}: it has a branch that depends on the numbers of its input")
        block = list(node.blocks())[0 if condition else 1]
        self.follow(block)
        for output, value in zip(node.outputs(), block.outputs(), strict=True):
            self.values[output.debugName()] = self.values[value.debugName()]

    def _constant(self, value: Any) -> Any:
        """Return a node for a tensor, and anything else as it is."""
        if not isinstance(value, torch.Tensor):
            return value
        name = f"constant_{len(dict(self.root.named_buffers()))}"
        self.root.register_buffer(name, value.detach())
        return self.graph.get_attr(name)

    def _attribute(self, node: Any, inputs: list[Any]) -> Any:
        return self._constant(getattr(inputs[0], node.s("name")))

    def _item(self, inputs: list[Any]) -> Any:
        values, index = inputs
        return (
            self.graph.call_function(operator.getitem, (values, index))
            if isinstance(values, fx.Node)
            else values[index]
        )

    def _call(self, node: Any, inputs: list[Any]) -> fx.Node:
        """Add a call of one of PyTorch's operators."""
        schema = torch._C.parse_schema(node.schema())
        packet = getattr(torch.ops.aten, schema.name.partition("::")[2])
        function = getattr(packet, schema.overload_name or "default")
        given = [
            (argument, self._dtype(value) if argument.name == "dtype" else value)
            for argument, value in zip(schema.arguments, inputs, strict=True)
        ]
        arguments = tuple(value for argument, value in given if not argument.kwarg_only)
        return self.graph.call_function(function, arguments, {a.name: v for a, v in given if a.kwarg_only})

    def _dtype(self, value: Any) -> Any:
        """Return the dtype that a number stands for."""
        if value is not None and value not in _DTYPES:
            raise FormatError(f"{self.where}: it uses the dtype that PyTorch numbers {value}")
        return None if value is None else _DTYPES[value]


def _first(program: _Program, node: Any, inputs: list[Any]) -> Any:
    return inputs[0]


def _refused(program: _Program, node: Any, inputs: list[Any]) -> Any:
    raise FormatError(f"{program.where}: it raises an error for rows of numbers")


_SPECIAL: dict[str, Callable[[_Program, Any, list[Any]], Any]] = {
    **dict.fromkeys(("aten::Int", "aten::IntImplicit", "aten::ScalarImplicit", "prim::NumToTensor"), _first),
    "aten::__getitem__": lambda program, node, inputs: program._item(inputs),
    "aten::__is__": lambda program, node, inputs: inputs[0] is inputs[1],
    "aten::__isnot__": lambda program, node, inputs: inputs[0] is not inputs[1],
    "aten::dim": lambda program, node, inputs: 2,  # a row per example
    "aten::format": lambda program, node, inputs: "",  # of an error's message
    "prim::Constant": lambda program, node, inputs: program._constant(node.output().toIValue()),
    "prim::GetAttr": lambda program, node, inputs: program._attribute(node, inputs),
    "prim::ListConstruct": lambda program, node, inputs: inputs,
    "prim::RaiseException": _refused,
    "prim::TupleConstruct": lambda program, node, inputs: tuple(inputs),
    "prim::unchecked_cast": _first,
}
_OF_NUMBERS: dict[str, Callable[..., Any]] = {
    "aten::__not__": operator.not_,
    "aten::eq": operator.eq,
    "aten::ge": operator.ge,
    "aten::gt": operator.gt,
    "aten::le": operator.le,
    "aten::len": len,
    "aten::lt": operator.lt,
    "aten::ne": operator.ne,
}
# The numbers by which TorchScript calls the dtypes: those of PyTorch's ScalarType.
_DTYPES = {
    0: torch.uint8,
    1: torch.int8,
    2: torch.int16,
    3: torch.int32,
    4: torch.int64,
    5: torch.float16,
    6: torch.float32,
    7: torch.float64,
    11: torch.bool,
    15: torch.bfloat16,
}
