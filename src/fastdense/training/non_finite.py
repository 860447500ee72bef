"""What a loss that is not finite most likely comes from."""

from __future__ import annotations

import math

from fastdense.core.spec import loss_reads_logits
from fastdense.losses import Poisson
from fastdense.training.model import Learner

__all__ = ["diagnosis"]


def diagnosis(model: Learner, loss: float, place: str) -> str:
    """Return what went wrong and where, with its likely cause."""
    overflowed = "the weights or the optimizer's state overflowed"
    what = overflowed if math.isfinite(loss) else f"the loss is {loss}"
    cause = (
        "the learning rate is too large, or the inputs or targets are not scaled: lower it, scale them "
        "(Normalization), or clip gradients (clipnorm=1)"
    )
    poisson = model.loss if math.isnan(loss) and isinstance(model.loss, Poisson) else None
    if poisson and not loss_reads_logits(model.network(), poisson.spec()):  # logarithms may be negative
        cause = (
            "an output is negative, where a Poisson loss is not defined: end the network in exponential or "
            "softplus"
        )
    return f"{what} at {place}. Most likely {cause}. The model is back at its last good weights"
