"""One step of training as a pure function: what it reads comes in, what it changes comes out.

Nothing in it waits for a number, so that a library can compile it whole or run it on a device that is still
busy with the step before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from fastdense.array.backend import Backend
from fastdense.array.layers import Mask
from fastdense.array.losses import losses
from fastdense.array.network import backward, forward, head, total_penalty
from fastdense.array.optimizers import Rates, clip, update
from fastdense.core.spec import Factors, LossSpec, NetworkSpec, OptimizerSpec, trained_arrays, with_trained

__all__ = ["Batch", "Functions", "Numbers", "State", "factors_of", "functions", "outputs_of"]

# Networks whose functions are kept. What a library compiles takes from a tenth of a second to half a minute.
KEPT = 64

Weights = list[tuple[Any, ...]]


class State(NamedTuple):
    """All that a step changes, replaced as one so that an interrupt finds the old state or the new."""

    weights: Weights
    slots: list[tuple[Any, ...]]
    steps: Any
    """How many steps have been applied: an array of one whole number, on the device."""


class Batch(NamedTuple):
    """The rows of a step, and one dropout mask per layer (None for other layers; None outside training)."""

    X: Any
    y: Any
    sample_weight: Any | None
    masks: Sequence[Mask | None] | None = None


class Numbers(NamedTuple):
    """What changes from step to step, worked out in double before."""

    rates: Sequence[Rates]
    """For each of `factors_of` the network."""
    penalty_scale: Any
    penalty_scale_in_double: Any
    """The same number; the loss is summed in double."""


class Functions(NamedTuple):
    """What a program runs, compiled where its library compiles."""

    losses: Callable[[Weights, Any, Any], tuple[Any, Any]]
    gradients: Callable[[Weights, Batch], tuple[Any, list[Any]]]
    step: Callable[[State, Any, Batch, Numbers], tuple[State, Any, Any, Any]]


@lru_cache(maxsize=KEPT)
def outputs_of(backend: Backend, network: NetworkSpec) -> Callable[[Weights, Any], Any]:
    """Return the function that predicts, kept and shared as those of `functions`."""

    def outputs(weights: Weights, X: Any) -> Any:
        # By the library's own activations: a caller may differentiate what is predicted.
        return forward(backend.xp, network, weights, X, curve=backend.curve)[-1].A_out

    return backend.compile(outputs)


@lru_cache(maxsize=KEPT)
def functions(backend: Backend, network: NetworkSpec, loss: LossSpec, optimizer: OptimizerSpec) -> Functions:
    """Return the functions of a network's training.

    They hold no weights, so that programs of one network share what was compiled.
    """
    xp = backend.xp

    def losses_and_outputs(weights: Weights, X: Any, y: Any) -> tuple[Any, Any]:
        """Return each row's loss, in double, and the outputs."""
        last = forward(xp, network, weights, X)[-1]
        head_loss, read = head(network, loss, last)
        return xp.astype(losses(xp, head_loss, y, read), xp.float64), last.A_out

    def gradients(weights: Weights, batch: Batch) -> tuple[Any, list[Any]]:
        """Return the loss and its gradient."""
        value, gradients_of, _ = _batch(xp, network, loss, weights, batch, 1.0, 1.0)
        return value, gradients_of()

    def step(state: State, alive: Any, batch: Batch, numbers: Numbers) -> tuple[State, Any, Any, Any]:
        """Return the state after a step, whether training goes on, the loss and the outputs before it.

        ``alive`` says whether it went on so far; a step whose loss is not finite, and all after it, change
        nothing.
        """
        scales = numbers.penalty_scale, numbers.penalty_scale_in_double
        value, gradients_of, A_out = _batch(xp, network, loss, state.weights, batch, *scales)
        alive = alive & xp.isfinite(value)
        if backend.at_once and not alive:
            return state, alive, value, A_out
        new = _applied(xp, network, optimizer, state, gradients_of(), numbers.rates)
        return (new if backend.at_once else _kept(xp, alive, new, state)), alive, value, A_out

    return Functions(*(backend.compile(each) for each in (losses_and_outputs, gradients, step)))


def _batch(
    xp: Any,
    network: NetworkSpec,
    loss: LossSpec,
    weights: Weights,
    batch: Batch,
    scale: Any,
    scale_in_double: Any,
) -> tuple[Any, Callable[[], list[Any]], Any]:
    """Return one batch's loss, the function that gives its gradient, and its outputs."""
    m, row_weight = batch.X.shape[0], batch.sample_weight
    traces = forward(xp, network, weights, batch.X, batch.masks)
    head_loss, read = head(network, loss, traces[-1])
    of_rows = losses(xp, head_loss, batch.y, read)
    if row_weight is not None:
        of_rows = of_rows * row_weight
    penalties = total_penalty(xp, network, weights)
    value = xp.sum(of_rows, dtype=xp.float64) / m + scale_in_double * penalties
    share = 1.0 / m if row_weight is None else row_weight[:, None] / m
    return (
        value,
        lambda: backward(xp, network, weights, loss, batch.y, share, scale, traces),
        traces[-1].A_out,
    )


def _applied(
    xp: Any,
    network: NetworkSpec,
    optimizer: OptimizerSpec,
    state: State,
    gradients: list[Any],
    rates: Sequence[Rates],
) -> State:
    """Return the state with every trainable parameter updated."""
    clipped = clip(xp, optimizer, gradients)
    own = trained_arrays(network, state.weights)
    by_factors = dict(zip(factors_of(network), rates, strict=True))
    updated = [
        update(xp, optimizer, w, g, slots, by_factors[p.factors])
        for p, w, g, slots in zip(network.trained, own, clipped, state.slots, strict=True)
    ]
    weights = with_trained(network, state.weights, [w for w, _ in updated])
    return State(weights, [slots for _, slots in updated], state.steps + 1)


def factors_of(network: NetworkSpec) -> tuple[Factors, ...]:
    """Return the different factors that trained parameters have, of which there are few."""
    return tuple(dict.fromkeys(p.factors for p in network.trained))


def _kept(xp: Any, alive: Any, new: Any, old: Any) -> Any:
    """Return the new arrays if training goes on, else the old ones."""
    if not isinstance(new, list | tuple):
        return xp.where(alive, new, old)
    kept = [_kept(xp, alive, *pair) for pair in zip(new, old, strict=True)]
    return State(*kept) if isinstance(new, State) else type(new)(kept)
