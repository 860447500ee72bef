"""What a module's ``forward`` calls, in eval mode: one call after the other, as ``torch.fx`` sees it."""

from __future__ import annotations

import contextlib
import inspect
import operator
from collections.abc import Iterator
from typing import Any

from torch import fx, nn

from fastdense.errors import FormatError

__all__ = ["Step", "follow", "refuse_unseen"]

# Hooks of all modules at once. That PyTorch keeps them there is not documented, and a test holds it.
_GLOBAL = (nn.modules.module._global_forward_hooks, nn.modules.module._global_forward_pre_hooks)


class Step:
    """One call of a ``forward``: of a module within it, a function, or a method of a tensor.

    Attributes
    ----------
    node : torch.fx.Node
    source : torch.fx.Node
        The result that the call takes.
    shapes : set of torch.fx.Node
        What is made of a result's shape alone.
    """

    def __init__(self, node: fx.Node, source: fx.Node, shapes: set[fx.Node]) -> None:
        self.node, self.source, self.shapes = node, source, shapes

    @property
    def submodule(self) -> str | None:
        """The path of the module that is called, from the module whose ``forward`` it is."""
        return str(self.node.target).partition(".")[2] if self.node.op == "call_module" else None

    @property
    def name(self) -> str:
        """What is called."""
        return self.submodule or str(getattr(self.node.target, "__name__", self.node.target))

    def is_of_source_alone(self) -> bool:
        """Whether the call takes the last result, and of the others their shapes at most."""
        return [node for node in self.node.all_input_nodes if node not in self.shapes] == [self.source]

    def keeps_rows(self, width: int | None) -> bool:
        """Whether a reshaping makes a row of each example: to (rows, -1), (rows, width) or (-1, width)."""
        given = self.node.args[1:] or tuple(v for k, v in self.node.kwargs.items() if k in ("shape", "size"))
        sizes = given[0] if len(given) == 1 and given[0] not in self.shapes else given
        if not isinstance(sizes, tuple | list) or len(sizes) != 2:
            return False
        rows, columns = sizes
        if columns == -1:
            return rows in self.shapes
        return isinstance(columns, int) and width in (None, columns) and (rows in self.shapes or rows == -1)


class _Alone(nn.Module):
    """Calls a module's ``forward`` with one input, and its other arguments as they are by default."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Any) -> Any:
        """Return what the module's ``forward`` does, a replaced one's too."""
        return self.module.forward(x)


class _Tracer(fx.Tracer):
    """Follows a ``forward``, but not into the modules that it calls."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Return True."""
        return True


def follow(module: nn.Module, where: str) -> Iterator[Step]:
    """Yield the calls of a module's ``forward``, which must make one chain from its input to its output.

    Raises
    ------
    FormatError
        The ``forward`` takes several inputs, cannot be followed, or its output is not that of the last call.
    """
    _refuse_inputs(module, where)
    try:
        with _in_eval_mode(module):
            graph = _Tracer().trace(_Alone(module))
    except Exception as error:  # the caller's code was given a stand-in
        raise FormatError(
            f"{where}: its forward cannot be followed ({type(error).__name__}: {error!s:.200}); it must "
            f"not depend on the numbers, or be an nn.Sequential"
        ) from error
    value, *nodes = graph.nodes
    shapes: set[fx.Node] = set()
    for node in nodes:
        if node.op == "output":
            if node.args[0] is not value:
                raise FormatError(f"{where}: its output is not the end of one chain")
        elif _is_of_shape(node, value, shapes):
            shapes.add(node)
        else:
            yield Step(node, value, shapes)
            value = node


def refuse_unseen(module: nn.Module, where: str, by_class: bool) -> None:
    """Refuse what changes a module's outputs and is not in its ``forward``.

    Parameters
    ----------
    module : torch.nn.Module
    where : str
        Begins the message.
    by_class : bool
        Whether the class is to say what the module computes, and not its ``forward``.
    """
    if module._forward_hooks or module._forward_pre_hooks or any(_GLOBAL):
        raise FormatError(f"{where}: it has hooks, which may change what it computes: remove them first")
    if type(module).__call__ is not nn.Module.__call__:
        raise FormatError(f"{where}: its class has a __call__ of its own, which cannot be followed")
    if by_class and "forward" in vars(module):
        raise FormatError(
            f"{where}: its forward was replaced, so that its class does not say what it computes"
        )


@contextlib.contextmanager
def _in_eval_mode(module: nn.Module) -> Iterator[None]:
    """Put a module and those within it into eval mode, and then back into the modes that they were in."""
    modes = [(part, part.training) for part in module.modules()]
    try:
        for part, _ in modes:
            part.training = False
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _refuse_inputs(module: nn.Module, where: str) -> None:
    """Refuse a ``forward`` that needs more than one argument."""
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [
        name
        for name, parameter in inspect.signature(module.forward).parameters.items()
        if parameter.default is parameter.empty and parameter.kind not in variable
    ]
    if len(needed) > 1:
        raise FormatError(f"{where}: it has several inputs ({', '.join(needed)}), and a network here has one")


def _is_of_shape(node: fx.Node, value: fx.Node, shapes: set[fx.Node]) -> bool:
    """Whether a node is the value's shape or made of it alone."""
    if node.all_input_nodes and all(source in shapes for source in node.all_input_nodes):
        return node.target in (operator.getitem, int)
    asks = node.target == "size" or (node.target is getattr and node.args[1] == "shape")
    return asks and node.all_input_nodes == [value]
