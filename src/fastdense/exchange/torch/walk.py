"""A traced program, step by step from its input to its output: each step takes the last result alone."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import torch
from torch import fx, nn

from fastdense.errors import FormatError
from fastdense.exchange.torch.targets import ELEMENTWISE, FOLDED, arguments_of, is_in_place, name_of

__all__ = ["Step", "Walk"]


class Walk:
    """The calls of a program, and how far they have been taken.

    Parameters
    ----------
    graph : torch.fx.Graph
    root : torch.nn.Module
        Holds the modules and tensors that the graph names.
    where : str
        What messages begin with.

    Attributes
    ----------
    source : torch.fx.Node
        The result that was reached.
    ahead : list of torch.fx.Node
        The calls that come after it.
    """

    def __init__(self, graph: fx.Graph, root: nn.Module, where: str) -> None:
        self.root, self.where = root, where
        self.constants: dict[fx.Node, Any] = {}
        self.axes: dict[fx.Node, int | None] = {}  # of a result's shape: the axis, None for all of them
        self.rows: int | None = None  # of the input, in a program for one number of rows alone
        self.source, *self.ahead = self._sorted(graph)

    def steps(self, longest: int) -> list[Step]:
        """Return what may be taken next, one step of several calls or of one: those of most calls first."""
        if not self.ahead:
            return []
        sizes = range(min(longest, len(self.ahead)), 0, -1)
        found = [Step(self, self.source, self.ahead[:size]) for size in sizes]
        return [step for step in found if step.is_of_source_alone()]

    def take(self, step: Step) -> None:
        """Go on behind a step."""
        self.source = step.nodes[-1]
        del self.ahead[: len(step.nodes)]

    def refuse(self) -> NoReturn:
        """Raise FormatError at the first call that takes something else than the result before it."""
        before = self.source
        for node in self.ahead:
            if {i for i in node.all_input_nodes if i not in self.axes and i not in self.constants} != {
                before
            }:
                raise FormatError(
                    f"{self.at(node)}: it takes other inputs than the last result alone (an addition of an "
                    "earlier one, a branch), and a network here is one chain"
                )
            before = node
        raise FormatError(f"{self.where}: its output is not the end of one chain")

    def at(self, node: fx.Node | None = None) -> str:
        """Return where a call is; where the next one is, by default."""
        node = node or self.ahead[0]
        name = str(node.target).removeprefix("module.") if node.op == "call_module" else _shown(node)
        return f"{self.where}, at {name!r}"

    def _sorted(self, graph: fx.Graph) -> list[fx.Node]:
        """Return the input and the calls that depend on it; constants and shapes are set apart."""
        flow: list[fx.Node] = []
        for node in graph.nodes:
            if node.op == "placeholder":
                self._enter(node, flow)
            elif node.op == "get_attr":
                self.constants[node] = operator.attrgetter(node.target)(self.root)
            elif node.op == "output":
                self.output = node.args[0][0] if _is_tuple_of_one(node.args[0]) else node.args[0]
            elif any(source in flow for source in node.all_input_nodes):
                if _is_of_shape(node):
                    self.axes[node] = _axis(node)
                elif node.users or not _is_check(node):
                    flow.append(node)
            elif any(source in self.axes for source in node.all_input_nodes):
                self._take_size(node)
            else:
                self.constants[node] = self._folded(node)
        if not flow:
            raise FormatError(f"{self.where}: its forward has no input")
        return flow

    def _enter(self, node: fx.Node, flow: list[fx.Node]) -> None:
        if node.args:
            self.constants[node] = node.args[0]
        elif flow:
            raise FormatError(f"{self.where}: it has several inputs, and a network here has one")
        else:
            flow.append(node)
            rows = getattr(node.meta.get("val"), "shape", (None,))[0]
            self.rows = rows if isinstance(rows, int) else None

    def _take_size(self, node: fx.Node) -> None:
        """Follow what is made of a shape: one of its sizes, as a number."""
        (shape,) = [source for source in node.all_input_nodes if source in self.axes][:1]
        if node.target is operator.getitem and self.axes[shape] is None and isinstance(node.args[1], int):
            self.axes[node] = node.args[1]
        elif node.target is int:
            self.axes[node] = self.axes[shape]
        else:
            raise FormatError(f"{self.where}, at {_shown(node)!r}: it computes with the sizes of its input")

    def _folded(self, node: fx.Node) -> Any:
        """Return what a call makes of constants."""
        if node.op == "call_module":
            function: Callable[..., Any] = self.root.get_submodule(str(node.target))
        elif node.target is getattr and node.args[1] in ("T", "mT", "data", "dtype", "device"):
            function = getattr
        elif name_of(node) in ELEMENTWISE | FOLDED and not is_in_place(node):
            function = _function(node)
        else:
            raise FormatError(
                f"{self.where}, at {_shown(node)!r}: fastdense does not know this function of parameters"
            )
        with torch.no_grad():
            return function(*self.resolved(node.args), **self.resolved(node.kwargs))

    def resolved(self, arguments: Any) -> Any:
        """Return arguments with the constants in the place of their nodes."""
        return fx.node.map_arg(arguments, lambda node: self.constants[node])


class Step:
    """Calls that take one result, their source, and make one.

    Attributes
    ----------
    nodes : sequence of torch.fx.Node
        In order; the last makes the result.
    """

    def __init__(self, walk: Walk, source: fx.Node, nodes: Sequence[fx.Node]) -> None:
        self.walk, self.source, self.nodes = walk, source, nodes
        self.names = [name_of(node) for node in nodes]

    def is_of_source_alone(self) -> bool:
        """Return True if the calls take no other result, and only the last one's is taken elsewhere."""
        inside = {self.source, *self.nodes[:-1]}
        later = set(self.walk.ahead) - set(self.nodes)
        inputs = {i for node in self.nodes for i in node.all_input_nodes if i not in self.walk.axes}
        return inputs - set(self.walk.constants) <= inside and not any(
            users & later or self.walk.output is node for node in inside for users in [set(node.users)]
        )

    @property
    def submodule(self) -> str | None:
        """The path of the one module that is called, if it is one."""
        (node, *more) = self.nodes
        return str(node.target) if node.op == "call_module" and not more else None

    def asks_sizes(self) -> bool:
        """Return True if the calls are given sizes of a result."""
        return any(source in self.walk.axes for node in self.nodes for source in node.all_input_nodes)

    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters that the calls are given themselves."""
        given = [self.walk.constants.get(source) for node in self.nodes for source in node.all_input_nodes]
        return [value for value in given if isinstance(value, nn.Parameter)]

    def keeps_rows(self, width: int | None) -> bool:
        """Return True if a view makes a row of each example: (rows, -1), (rows, width) or (-1, width)."""
        (node,) = self.nodes
        given = node.args[1:] or tuple(v for key, v in node.kwargs.items() if key in ("shape", "size"))
        sizes = given[0] if len(given) == 1 and isinstance(given[0], tuple | list) else given
        if len(sizes) != 2:
            return False
        (rows, columns), axes = (
            sizes,
            [self.walk.axes.get(size) for size in sizes if isinstance(size, fx.Node)],
        )
        all_rows = axes[:1] == [0] if isinstance(rows, fx.Node) else rows in (-1, self.walk.rows)
        if isinstance(columns, fx.Node):
            return all_rows and rows != -1 and axes[-1] in (1, -1)
        return all_rows and (rows != -1 if columns == -1 else width in (None, columns))

    def arguments(self, i: int = 0) -> dict[str, Any]:
        """Return the arguments of a call by name, constants as they are; the source stays its node."""
        node = self.nodes[i]
        arguments = arguments_of(node, self.names[i] or "")
        return {
            key: fx.node.map_arg(value, lambda n: self.walk.constants.get(n, n))
            for key, value in arguments.items()
        }

    def numbers(self) -> list[float]:
        """Return the numbers that the calls are given, of tensors of one number too."""
        found: list[float] = []
        for i in range(len(self.nodes)):
            for value in self.arguments(i).values():
                number = value.item() if isinstance(value, torch.Tensor) and value.numel() == 1 else value
                if isinstance(number, int | float):
                    found.append(float(number))
        return found

    def run(self, x: torch.Tensor) -> Any:
        """Return what the calls make of a float64 tensor, with the constants in float64."""
        values: dict[fx.Node, Any] = {self.source: x.clone()}

        def value(node: fx.Node) -> Any:
            return values[node] if node in values else _doubled(self.walk.constants[node])

        for node in self.nodes:
            arguments = fx.node.map_arg((node.args, node.kwargs), value)
            values[node] = self._function(node)(*arguments[0], **arguments[1])
        return values[self.nodes[-1]]

    def _function(self, node: fx.Node) -> Callable[..., Any]:
        return copy.deepcopy(self.module(node)).double() if node.op == "call_module" else _function(node)

    def module(self, node: fx.Node) -> nn.Module:
        """Return the module that a node calls."""
        return self.walk.root.get_submodule(str(node.target))


def _doubled(value: Any) -> Any:
    """Return a constant in float64; one number as such, however many axes it has."""
    if not isinstance(value, torch.Tensor):
        return value
    value = value.reshape(()) if value.numel() == 1 and value.ndim > 1 else value
    return value.double() if value.is_floating_point() else value


def _function(node: fx.Node) -> Callable[..., Any]:
    if node.op == "call_method":
        name = str(node.target)
        return lambda x, *rest, **named: getattr(x, name)(*rest, **named)
    function: Any = node.target
    return function  # type: ignore[no-any-return]


def _shown(node: fx.Node) -> str:
    """Return what a node calls, for messages."""
    return name_of(node) or str(getattr(node.target, "__name__", node.target))


def _is_of_shape(node: fx.Node) -> bool:
    """Return True if a node asks for a result's shape."""
    return name_of(node) in ("size", "sym_size") or (node.target is getattr and node.args[1] == "shape")


def _is_check(node: fx.Node) -> bool:
    """Return True for what torch.export adds to refuse other inputs than those that it was shown."""
    return node.target == "_guards_fn" or "_assert" in str(node.target)


def _axis(node: fx.Node) -> int | None:
    """Return the axis whose size a node asks for; None for all."""
    found = node.args[1:2] if name_of(node) in ("size", "sym_size") else ()
    found = found or tuple(value for key, value in node.kwargs.items() if key == "dim")
    return found[0] if found and isinstance(found[0], int) else None


def _is_tuple_of_one(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 1
