"""PyTorch's modules and files of weights: to a `Sequential` and back.

torch itself is only imported by the functions that need it; safetensors files of its weights need none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from fastdense.activations import ActivationFunction
from fastdense.exchange.torch import inferred, weights
from fastdense.exchange.torch.parts import need_torch
from fastdense.models.loading import model_of
from fastdense.models.saving import content_of
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
    from fastdense.exchange.torch.from_module import read_module

    return model_of(read_module(module, n_in))


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
        PyTorch is not installed.
    """
    need_torch("to make a module")
    from fastdense.exchange.torch.to_module import make_module

    return make_module(content_of(model))


def network_from_torch_weights(
    path: str | os.PathLike[str],
    activation: str | ActivationFunction = "relu",
    last: str | ActivationFunction = "linear",
    order: Sequence[str] | None = None,
    prefix: str | None = None,
) -> Sequential:
    """Return the network that a file's weights make as a chain of Linear modules.

    Parameters
    ----------
    path, order, prefix
        As for `read_torch_weights`. Without an ``order``, numbers in the names decide, then the shapes if
        only one order fits, then the order of a file that keeps that of the definition; a `FormatWarning`
        says so.
    activation : str or ActivationFunction
        Between the layers; a file of weights does not say.
    last : str or ActivationFunction
        After the last layer.

    Raises
    ------
    FormatError
        The file is damaged, holds anything but the weights of Linear and BatchNorm1d modules in a chain, or
        more than one order of them fits.
    OSError
        It cannot be opened.

    Notes
    -----
    A batch normalisation is folded into its neighbours. Its epsilon is not in the file and taken to be
    PyTorch's default, 1e-5; it is put before the activation, unless the numbers of a Sequential leave room
    for one between it and the Linear before. A `FormatWarning` says so.
    """
    return model_of(inferred.read(path, activation, last, order, prefix))


def read_torch_weights(
    model: Sequential,
    path: str | os.PathLike[str],
    order: Sequence[str] | None = None,
    prefix: str | None = None,
) -> None:
    """Fill a model with the weights of a PyTorch model of the same layers.

    Parameters
    ----------
    model : Sequential
        Built. Its Dense layers take the file's ``NAME.weight`` and ``NAME.bias``, its Normalization
        layers ``NAME.mean`` and ``NAME.deviation``, one after another.
    path : path-like
        A ".safetensors" file; or a ".pt", ".pth", ".ckpt" or ".bin" file that ``torch.save``,
        ``torch.jit.save`` or Lightning wrote: a ``state_dict``, a checkpoint with one, or a module. Nothing
        in it is run.
    order : sequence of str, optional
        The modules' names, or what the names of several begin with, first layer first. It is needed only if
        more than one order fits the model and no numbers in the names decide: ``fc2`` before ``fc10``.
    prefix : str, optional
        What the names of the wanted tensors begin with, up to a point, if the file holds several networks:
        "actor".

    Raises
    ------
    FormatError
        The file is damaged or of another kind; more than one order of its modules fits, and no ``order`` is
        given; or it does not fit the model: every tensor must have its layer and every layer its tensors, in
        shape and dtype (float16 and bfloat16 fit any). The message lists what differs, and nothing is
        changed.
    NotBuiltError
        The model's weights do not exist yet.
    OSError
        It cannot be opened.
    """
    model.set_weights(weights.read(content_of(model), path, order, prefix))


def write_torch_weights(model: Sequential, path: str | os.PathLike[str]) -> None:
    """Write a model's weights as a safetensors file for PyTorch, which is not needed for it.

    The names and layout are those of ``to_torch(model).state_dict()``: ``0.weight`` of shape (n_units, n_in).

    Parameters
    ----------
    model : Sequential
    path : path-like
        Ends in ".safetensors"; replaced only once the new file is safely on the disk.

    Raises
    ------
    FormatError
        The path has another ending.
    NotBuiltError
        The model's weights do not exist yet.
    OSError
        The file cannot be written.
    """
    weights.write(content_of(model), path)
