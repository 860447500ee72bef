"""A PyTorch module as a network: its parts in the order in which they compute, one chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from fastdense.core.notes import note
from fastdense.errors import FormatError
from fastdense.exchange.content import Content
from fastdense.exchange.torch.entry import EntryChain
from fastdense.exchange.torch.follow import compute_weights, follow, in_eval_mode, refuse_unseen
from fastdense.exchange.torch.known import SUPPORTED, TAKES
from fastdense.exchange.torch.patterns import LONGEST, meaning
from fastdense.exchange.torch.programs import program_of
from fastdense.exchange.torch.walk import Step, Walk

__all__ = ["read_module"]

DTYPES = {
    torch.float32: "float32",
    torch.float64: "float64",
    torch.float16: "float32",
    torch.bfloat16: "float32",
}
_WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def read_module(module: Any, n_in: int | None = None) -> Content:
    """Return the network; see `fastdense.formats.torch.from_torch`."""
    if isinstance(module, torch.export.ExportedProgram):
        module = module.module()
    if not isinstance(module, nn.Module):
        raise TypeError(f"from_torch takes a torch.nn.Module, got {type(module).__name__}")
    reader = Reader(EntryChain(n_in, _dtype(module)))
    with in_eval_mode(module):
        reader.take(module, "")
    reader.tell()
    if reader.chain.n_in is None:
        raise FormatError("nothing in the module gives the number of columns that it takes: give n_in=")
    try:
        return reader.chain.content()
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

    def __init__(self, chain: EntryChain) -> None:
        self.chain = chain
        self.places: dict[int, str] = {}  # of each parameter, by its identity
        self.shared: list[str] = []
        self.flattens_input = False

    def take(self, module: nn.Module, place: str) -> None:
        """Take a module and those within it, ``place`` being its path."""
        where = _where(module, place)
        kind = parametrize.type_before_parametrizations(module)
        if kind.__module__.startswith("torch._dynamo."):  # of torch.compile, which changes nothing
            self.take(module._orig_mod, place)
            return
        refuse_unseen(module, where, by_class=kind is nn.Sequential or kind in TAKES)
        compute_weights(module)
        if isinstance(module, _WRAPPERS):
            self.take(module.module, _join(place, "module"))
        elif kind is nn.Sequential:
            for name, child in _children(module):
                self.take(child, _join(place, name))
        elif kind in TAKES:
            self._see_parameters(module, where)
            self.flattens_input |= kind is nn.Flatten and not self.chain.has_columns
            self._apply(lambda chain: TAKES[kind](chain, module), where)
        elif isinstance(module, torch.jit.ScriptModule):
            self._walk(program_of(module, where), module, place)
        elif kind.__module__.startswith(("torch.nn.", "torch.ao.", "fastdense.")):
            raise FormatError(f"{where}: there is no such layer in fastdense; {SUPPORTED}")
        else:
            self._walk(follow(module, where), module, place)

    def tell(self) -> None:
        """Note what a network does not show of the module."""
        if self.chain.gives_logarithms:
            note("the module ends in the logarithm of a softmax: the network gives the probabilities")
        if self.chain.is_squeezed:
            note("the module squeezes its only column: the network keeps it")
        if self.flattens_input:
            note("the module flattens its input first: the network takes rows that are flat already")
        if self.shared:
            note(
                f"weights that the module uses several times ({', '.join(self.shared):.300}) are copied to "
                "each place: training will part them"
            )

    def _walk(self, walk: Walk, module: nn.Module, place: str) -> None:
        """Take the calls of a module's ``forward``."""
        while walk.ahead:
            steps = walk.steps(LONGEST)
            if not steps:
                walk.refuse()
            walk.take(self._first_known(walk, steps, module, place))
        if walk.output is not walk.source:
            walk.refuse()

    def _first_known(self, walk: Walk, steps: list[Step], module: nn.Module, place: str) -> Step:
        """Take the first step that is known, and return it."""
        for step in steps:
            if step.submodule is not None:
                child = step.module(step.nodes[0])
                self.take(child, _join(place, step.submodule.removeprefix("module.")))
                return step
            if step.names == ["view"]:
                self._view(step, walk.at())
                return step
            if (apply := meaning(step, self.chain.dtype)) is not None:
                for parameter in step.parameters():
                    self._see(parameter, walk.at())
                self.flattens_input |= step.names == ["flatten"] and not self.chain.has_columns
                self._apply(apply, walk.at())
                return step
        if len(steps[-1].nodes) > 1:
            walk.refuse()
        raise FormatError(f"{walk.at()}: fastdense has no such function; {SUPPORTED}, and their functions")

    def _view(self, step: Step, where: str) -> None:
        if not step.keeps_rows(self.chain.width):
            raise FormatError(f"{where}: only whole examples can be made rows: view(x.size(0), -1)")
        self.flattens_input |= not self.chain.has_columns

    def _apply(self, apply: Callable[[EntryChain], None], where: str) -> None:
        try:
            apply(self.chain)
        except (ValueError, TypeError, RuntimeError) as error:  # FormatError too
            raise FormatError(f"{where}: {error}") from None

    def _see_parameters(self, module: nn.Module, where: str) -> None:
        for parameter in module.parameters():
            self._see(parameter, where)

    def _see(self, parameter: torch.Tensor, where: str) -> None:
        """Remember a parameter, and the place of one that was seen before."""
        if self.places.setdefault(id(parameter), where) is not where:
            self.shared.append(where)


def _where(module: nn.Module, place: str) -> str:
    kind = type(module).__name__
    return f"module {place!r} ({kind})" if place else f"the module ({kind})"


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _children(module: nn.Sequential) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules with their names, a module as often as it is there."""
    names = [name for name, _ in module.named_modules(remove_duplicate=False) if name and "." not in name]
    return zip(names, module, strict=True)
