"""PyTorch's modules and files of weights: to a `Sequential` and back.

torch itself is only imported by the functions that need it; safetensors files of its weights need none.
"""

from __future__ import annotations

from typing import Any

from fastdense.formats.torch.inferred import network_from_torch_weights
from fastdense.formats.torch.parts import need_torch
from fastdense.formats.torch.weights import read_torch_weights, write_torch_weights
from fastdense.models.sequential import Sequential

__all__ = [
    "from_torch",
    "network_from_torch_weights",
    "read_torch_weights",
    "to_torch",
    "write_torch_weights",
]


def from_torch(module: Any, n_in: int | None = None) -> Sequential:
    """Return a network that predicts what a PyTorch module does in eval mode.

    Parameters
    ----------
    module : torch.nn.Module, torch.jit.ScriptModule or torch.export.ExportedProgram
        A chain from one input to one output: an ``nn.Sequential``, nested ones too, one module alone, or
        any module whose ``forward`` is such a chain (it is followed by ``torch.fx``, not run on data).
    n_in : int, optional
        Columns of the input, if nothing in the module gives them (it has no Linear).

    Returns
    -------
    Sequential
        With copies of the weights; float16 and bfloat16 become float32.

    Raises
    ------
    FormatError
        The module holds a part that fastdense does not know, mixes dtypes, or is not a chain. The message
        names the part's path and class, and what is supported.
    ImportError
        PyTorch is not installed.

    Notes
    -----
    Linear, the activations, Dropout, Flatten, Identity and BatchNorm1d (by its running statistics, folded
    into its neighbours) are known, as modules, functions (``torch.relu``, ``F.gelu``) and methods; so are
    products and sums with constants or parameters (``(x - mean) / std``, ``x @ W.T + b``), and activations
    that several calls compute together (``x * torch.sigmoid(x)``). A Flatten, or a ``view`` to one row per
    example, does nothing: the network takes the flat rows. A `FormatWarning` says so if the module's input
    need not be flat, if weights that are used several times were copied, and if a logarithm of a softmax was
    left out at the end.
    """
    need_torch("to read a module")
    from fastdense.formats.torch.from_module import read_module

    return read_module(module, n_in)


def to_torch(model: Sequential) -> Any:
    """Return a model as a ``torch.nn.Sequential`` in eval mode, with copies of the weights.

    Parameters
    ----------
    model : Sequential

    Returns
    -------
    torch.nn.Sequential
        Of PyTorch's own modules; what it has none of (the exponential, a softmax by groups, a normalisation)
        is one of ``fastdense.formats.torch.modules``. In train mode, dropouts drop.

    Raises
    ------
    NotBuiltError
        The model's weights do not exist yet.
    ImportError
        There is no PyTorch.
    """
    need_torch("to make a module")
    from fastdense.formats.torch.to_module import make_module

    return make_module(model)
