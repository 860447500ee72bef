"""A PyTorch module as a network: its parts in the order in which they compute, one chain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from fastdense.errors import FormatError
from fastdense.formats.chain import Chain
from fastdense.formats.torch.follow import Step, follow, refuse_unseen
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
    module = getattr(module, "_orig_mod", module)  # of torch.compile, which changes nothing
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


class Reader:
    """Takes modules, in the order in which they compute, into a chain."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.places: dict[int, str] = {}  # of each parameter, by its identity

    def take(self, module: nn.Module, place: str) -> None:
        """Take a module and those within it, ``place`` being its path."""
        where = _where(module, place)
        refuse_unseen(module, where, by_class=type(module) is nn.Sequential or type(module) in TAKES)
        if type(module) is nn.Sequential:
            for name, child in _children(module):
                self.take(child, _join(place, name))
        elif type(module) in TAKES:
            self._once(module, where)
            self.step(module, where)
        elif type(module).__module__.startswith(("torch.", "fastdense.")):
            raise FormatError(f"{where}: there is no such layer in fastdense; {SUPPORTED}")
        else:
            for step in follow(module, where):
                self._call(step, module, place)

    def step(self, module: nn.Module, where: str) -> None:
        """Take one module of a known class."""
        try:
            TAKES[type(module)](self.chain, module)
        except (ValueError, TypeError, RuntimeError) as error:  # FormatError too
            raise FormatError(f"{where}: {error}") from None

    def _call(self, step: Step, module: nn.Module, place: str) -> None:
        """Take one call of a module's ``forward``."""
        where = f"{_where(module, place)}, at {step.name!r}"
        if not step.is_of_source_alone():
            raise FormatError(
                f"{where}: it takes other inputs than the last result alone (an addition of an earlier one, "
                "a branch, a parameter of its own), and a network here is one chain"
            )
        if step.submodule is not None:
            self.take(module.get_submodule(step.submodule), _join(place, step.submodule))
        elif step.node.target in ("view", "reshape", torch.reshape):
            if not step.keeps_rows(self.chain.width):
                raise FormatError(f"{where}: only whole examples can be made rows: view(x.size(0), -1)")
        elif step.node.target in FUNCTIONS:
            self.step(_as_module(step, where), where)
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


def _as_module(step: Step, where: str) -> nn.Module:
    """Return the module that does what a function's call does."""
    kind, node = FUNCTIONS[step.node.target], step.node
    # None says that an argument was not given, as its stack level was not by the caller.
    options = {k: v for k, v in node.kwargs.items() if v not in (step.source, None) and k != "_stacklevel"}
    arguments = node.args[1:]
    if kind is nn.Dropout:
        given = dict(zip(("p", "train"), arguments, strict=False)) | options
        if given.get("training", given.get("train")):
            raise FormatError(f"{where}: it drops in predictions too; give it training=self.training")
        arguments, options = (given["p"],), {}
    if kind is nn.Flatten and not arguments:
        options = {"start_dim": 0} | options  # the function's default; the module's is 1
    try:
        module: nn.Module = kind(*arguments, **options)
    except (TypeError, ValueError) as error:
        raise FormatError(f"{where}: {error}") from None
    return module
