"""PyTorch's modules and files of weights: to a `Sequential` and back.

torch itself is only imported by the functions that need it; safetensors files of its weights need none.
"""

from __future__ import annotations

from typing import Any

from fastdense.formats.torch.inferred import network_from_torch_weights
from fastdense.formats.torch.parts import need_torch
from fastdense.formats.torch.weights import read_torch_weights, write_torch_weights
from fastdense.network.sequential import Sequential

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
    module : torch.nn.Module
        A chain from one input to one output: an ``nn.Sequential``, nested ones too, one module alone, or
        any module whose ``forward`` is such a chain (it is followed by ``torch.fx``, not run on data).
    n_in : int, optional
        Columns of the input, where nothing in the module tells (it has no Linear).

    Returns
    -------
    Sequential
        With copies of the weights; float16 and bfloat16 become float32.

    Raises
    ------
    FormatError
        The module holds a part that fastdense has none of, uses weights twice, mixes dtypes, or is no chain.
        The message names the part's path and class, and what is supported.
    ImportError
        There is no PyTorch.

    Notes
    -----
    Linear, the activations, Dropout, Flatten, Identity and BatchNorm1d (by its running statistics, folded
    into its neighbours) are known, as modules, as functions (``torch.relu``, ``F.gelu``) and as methods. A
    Flatten, or a ``view`` to one row an example, does nothing: the network takes the flat rows.
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
