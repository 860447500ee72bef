"""The definition of everything here, in Python loops and float64, for reading and for testing against.

Begin with `dense_neurons`. A network is then a list of layers (`backpropagation`), its mistake is a number
(`losses`), and learning is a small step against that number's gradient (`optimizers`).
"""

from fastdense.reference.activations import activate, activate_backward, softmax, softmax_backward
from fastdense.reference.backpropagation import backward, backward_layer, forward, forward_layer
from fastdense.reference.dense import dense_neurons, dense_scalars, dense_units
from fastdense.reference.losses import loss, loss_gradient
from fastdense.reference.optimizers import clip, update
from fastdense.reference.philox import dropout_mask, philox
from fastdense.reference.program import ReferenceEngine

__all__ = [
    "ReferenceEngine",
    "activate",
    "activate_backward",
    "backward",
    "backward_layer",
    "clip",
    "dense_neurons",
    "dense_scalars",
    "dense_units",
    "dropout_mask",
    "forward",
    "forward_layer",
    "loss",
    "loss_gradient",
    "philox",
    "softmax",
    "softmax_backward",
    "update",
]
