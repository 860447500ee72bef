"""What a module's ``forward`` calls, in eval mode, as ``torch.fx`` sees it."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

from torch import fx, nn
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from fastdense.errors import FormatError
from fastdense.exchange.torch.walk import Walk

__all__ = ["compute_weights", "follow", "in_eval_mode", "refuse_unseen"]

WEIGHT_HOOKS = (WeightNorm, SpectralNorm)

# Hooks of all modules at once. That PyTorch keeps them there is not documented, and a test holds it.
_GLOBAL = (nn.modules.module._global_forward_hooks, nn.modules.module._global_forward_pre_hooks)


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


def follow(module: nn.Module, where: str) -> Walk:
    """Return the calls of a module's ``forward``, ``where`` being what messages begin with.

    Raises
    ------
    FormatError
        The ``forward`` takes several inputs or cannot be followed.
    """
    if isinstance(module, fx.GraphModule) and "forward" not in vars(module):
        return Walk(module.graph, module, where)
    _refuse_inputs(module, where)
    root = _Alone(module)
    try:
        graph = _Tracer().trace(root)
    except Exception as error:  # the caller's code was given a stand-in
        raise FormatError(
            f"{where}: its forward cannot be followed ({type(error).__name__}: {error!s:.200}); it must "
            f"not depend on the numbers, or be an nn.Sequential"
        ) from error
    return Walk(graph, root, where)


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
    hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
    if not all(_changes_nothing(hook) for hook in hooks) or any(_GLOBAL):
        raise FormatError(f"{where}: it has hooks, which may change what it computes: remove them first")
    if type(module).__call__ is not nn.Module.__call__ and not isinstance(module, fx.GraphModule):
        raise FormatError(f"{where}: its class has a __call__ of its own, which cannot be followed")
    if by_class and "forward" in vars(module):
        raise FormatError(
            f"{where}: its forward was replaced, so that its class does not say what it computes"
        )


def _changes_nothing(hook: Any) -> bool:
    """Return True for the hooks that check an exported program's input, and those that compute a weight."""
    return str(getattr(hook, "__module__", "")).startswith("torch.export.") or isinstance(hook, WEIGHT_HOOKS)


def compute_weights(module: nn.Module) -> None:
    """Compute the weights that older normalisations of weights compute whenever the module is called."""
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WEIGHT_HOOKS):
            hook(module, ())


@contextlib.contextmanager
def in_eval_mode(module: nn.Module) -> Iterator[None]:
    """Put a module and those within it into eval mode, and then back into the modes that they were in."""
    modes = [(part, part.training) for part in module.modules() if hasattr(part, "training")]
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
