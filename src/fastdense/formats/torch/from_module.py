"""A PyTorch module as a network: its parts in the order in which they compute, one chain."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import torch
from torch import fx, nn

from fastdense.errors import FormatError
from fastdense.formats.chain import Chain
from fastdense.formats.torch.known import FUNCTIONS, SUPPORTED, TAKES
from fastdense.network.sequential import Sequential

__all__ = ["read_module"]

DTYPES = {
    torch.float32: "float32",
    torch.float64: "float64",
    torch.float16: "float32",
    torch.bfloat16: "float32",
}


def read_module(module: Any, n_in: int | None = None) -> Sequential:
    """Return the network; see `fastdense.formats.torch.from_torch`."""
    if not isinstance(module, nn.Module):
        raise TypeError(f"from_torch takes a torch.nn.Module, got {type(module).__name__}")
    reader = Reader(Chain(n_in, _dtype(module)))
    reader.take(module, "")
    if reader.chain.n_in is None:
        raise FormatError("nothing in the module tells how many columns it takes: give n_in=")
    try:
        return reader.chain.model()
    except ValueError as error:  # groups of another width, say
        raise FormatError(f"{_where(module, '')}: {error}") from None


def _dtype(module: nn.Module) -> str:
    """Return what the network computes in."""
    for name, parameter in module.named_parameters():
        if nn.parameter.is_lazy(parameter):
            raise FormatError(f"the weights {name!r} are not there yet: run the module once on data")
    tensors = [*module.named_parameters(), *module.named_buffers()]
    places = {t.dtype: name for name, t in tensors if t.is_floating_point() or t.is_complex()}
    if len(places) > 1:
        found = ", ".join(f"{dtype} ({name})" for dtype, name in places.items())
        raise FormatError(f"the module mixes dtypes: {found}; convert it, by module.float() for example")
    dtype = next(iter(places), torch.float32)
    if dtype not in DTYPES:
        raise FormatError(f"the module has weights of {dtype}; convert it by module.float()")
    return DTYPES[dtype]


class Tracer(fx.Tracer):
    """Follows a ``forward``, and leaves the modules that it calls to `Reader.take`."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Return True."""
        return True


class Reader:
    """Takes modules, in the order in which they compute, into a chain."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.places: dict[int, str] = {}  # of each parameter, by its identity

    def take(self, module: nn.Module, place: str) -> None:
        """Take a module and those within it, ``place`` being its path."""
        where = _where(module, place)
        if module._forward_hooks or module._forward_pre_hooks:
            raise FormatError(f"{where}: it has hooks, which may change what it computes: remove them first")
        if type(module) is nn.Sequential:
            for name, child in _children(module):
                self.take(child, _join(place, name))
        elif type(module) in TAKES:
            self._once(module, where)
            self.step(module, where)
        elif type(module).__module__.startswith(("torch.", "fastdense.")):
            raise FormatError(f"{where}: there is no such layer in fastdense; {SUPPORTED}")
        else:
            self.follow(module, place)

    def step(self, module: nn.Module, where: str) -> None:
        """Take one module of a known class."""
        try:
            TAKES[type(module)](self.chain, module)
        except (ValueError, TypeError, RuntimeError) as error:  # FormatError too
            raise FormatError(f"{where}: {error}") from None

    def follow(self, module: nn.Module, place: str) -> None:
        """Take what a module's ``forward`` calls, which must be one after the other."""
        where = _where(module, place)
        try:
            graph = Tracer().trace(module)
        except Exception as error:  # the caller's code was given a stand-in
            raise FormatError(
                f"{where}: its forward cannot be followed ({type(error).__name__}: {error!s:.200}); it must "
                f"not depend on the numbers, or be an nn.Sequential"
            ) from error
        value: Any = None
        shapes: set[Any] = set()  # what is not on the way, but made of the value's shape
        for node in graph.nodes:
            if node.op == "placeholder":
                if not node.users:
                    continue  # such as a mask that was left out
                if value is not None:
                    raise FormatError(f"{where}: it has several inputs, and a network here has one")
                value = node
            elif node.op == "output":
                if node.args[0] is not value:
                    raise FormatError(f"{where}: its output is not the end of one chain")
            elif _is_of_shape(node, value, shapes):
                shapes.add(node)
            else:
                self._call(node, value, shapes, module, place)
                value = node

    def _call(self, node: Any, value: Any, shapes: set[Any], module: nn.Module, place: str) -> None:
        """Take one call of a ``forward``."""
        name = getattr(node.target, "__name__", node.target)
        where = f"{_where(module, place)}, at {name!r}"
        if [source for source in node.all_input_nodes if source not in shapes] != [value]:
            raise FormatError(
                f"{where}: it takes other inputs than the last result alone (an addition of an earlier one, "
                "a branch, a parameter of its own), and a network here is one chain"
            )
        if node.op == "call_module":
            self.take(module.get_submodule(node.target), _join(place, node.target))
        elif node.target in ("view", "reshape", torch.reshape):
            if not _keeps_rows(node, self.chain.width, shapes):
                raise FormatError(f"{where}: only whole examples can be made rows: view(x.size(0), -1)")
        elif node.target in FUNCTIONS:
            self.step(_as_module(node, value, where), where)
        else:
            raise FormatError(f"{where}: fastdense has no such function; {SUPPORTED}, and their functions")

    def _once(self, module: nn.Module, where: str) -> None:
        """Refuse weights that are used a second time: training would part them."""
        for parameter in module.parameters():
            first = self.places.setdefault(id(parameter), where)
            if first is not where:
                raise FormatError(f"{where}: it shares its weights with {first}, and layers here do not")


def _where(module: nn.Module, place: str) -> str:
    kind = type(module).__name__
    return f"module {place!r} ({kind})" if place else f"the module ({kind})"


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _children(module: nn.Sequential) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules with their names, a module as often as it is there."""
    names = [name for name, _ in module.named_modules(remove_duplicate=False) if name and "." not in name]
    return zip(names, module, strict=True)


def _is_of_shape(node: Any, value: Any, shapes: set[Any]) -> bool:
    """Whether a node is the value's shape or made of it alone."""
    if node.all_input_nodes and all(source in shapes for source in node.all_input_nodes):
        return node.target in (operator.getitem, int)
    asks = node.target == "size" or (node.target is getattr and node.args[1] == "shape")
    return asks and node.all_input_nodes == [value]


def _keeps_rows(node: Any, width: int | None, shapes: set[Any]) -> bool:
    """Whether a reshaping makes a row of each example: to (rows, -1), (rows, width) or (-1, width)."""
    sizes = node.args[1:] if len(node.args) != 2 or node.args[1] in shapes else node.args[1]
    if not isinstance(sizes, tuple | list) or len(sizes) != 2:
        return False
    rows, columns = sizes
    flat = columns == -1 or (isinstance(columns, int) and width in (None, columns))
    return flat and (rows in shapes if columns == -1 else rows in shapes or rows == -1)


def _as_module(node: Any, value: Any, where: str) -> nn.Module:
    """Return the module that does what a function's call does."""
    kind = FUNCTIONS[node.target]
    # None says that an argument was not given, as its stack level was not by the caller.
    options = {k: v for k, v in node.kwargs.items() if v not in (value, None) and k != "_stacklevel"}
    arguments = node.args[1:]
    if kind is nn.Dropout:  # whether it drops is a matter of training here
        arguments, options = arguments[:1], {k: v for k, v in options.items() if k == "p"}
    if kind is nn.Flatten and not arguments:
        options = {"start_dim": 0} | options  # the function's default; the module's is 1
    try:
        module: nn.Module = kind(*arguments, **options)
    except (TypeError, ValueError) as error:
        raise FormatError(f"{where}: {error}") from None
    return module
