"""Everybody who takes part, a file each.

A peer has a name, the module it needs, and two methods: ``predictor(network, X)`` returns a function without
arguments that predicts; ``trainer(network, X, y, batch)`` one that takes a step on every batch of X in turn
and returns the last loss, or None if the library does not return it. Training is with Adam, on the softmax
cross-entropy of class numbers, or on the squared error where there is one output.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from peers.common import Call, Unsupported
from peers.fastdense import Fastdense
from peers.jax import Jax
from peers.keras import Keras
from peers.numpy import NumPy
from peers.onnxruntime import OnnxRuntime
from peers.sklearn import ScikitLearn
from peers.torch import Torch, TorchCompiled

__all__ = ["ALL", "Call", "Unsupported", "installed"]

ALL = (Fastdense(), NumPy(), OnnxRuntime(), Torch(), TorchCompiled(), Jax(), ScikitLearn(), Keras())


def installed(quick: bool) -> list[Any]:
    """Return those that can run here; compiling takes too long to be quick."""
    peers = [peer for peer in ALL if find_spec(peer.module) is not None]
    return [peer for peer in peers if not (quick and isinstance(peer, TorchCompiled))]
