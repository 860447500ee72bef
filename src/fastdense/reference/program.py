"""The engine "reference": a network predicts and trains one example, one neuron, one number at a time.

It computes in float64. After every step parameters and slots are rounded to the network's dtype, so that a
run resumed from them equals the uninterrupted one bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.spec import (
    DropoutSpec,
    LossSpec,
    NetworkSpec,
    TrainingSpec,
    check_parameters,
    loss_of_logits,
    loss_reads_logits,
    trained_arrays,
    with_dropout,
    with_trained,
)
from fastdense.errors import NotBuiltError
from fastdense.reference.backpropagation import Trace, backward, forward, penalty, penalty_gradient
from fastdense.reference.losses import loss, loss_gradient
from fastdense.reference.optimizers import clip, update
from fastdense.reference.philox import dropout_mask
from fastdense.reference.state import State, as_dtype, fresh_slots, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["ReferenceEngine", "ReferenceProgram"]

Matrix = NDArray[np.float64]


class ReferenceEngine:
    """Compiles networks to programs that run as loops.

    Examples
    --------
    >>> from fastdense.core.spec import DenseSpec
    >>> network = NetworkSpec(n_in=2, layers=(DenseSpec(2, 1),), dtype="float64")
    >>> program = ReferenceEngine().compile(network, [(np.array([[3.0], [4.0]]), np.array([0.5]))])
    >>> program.predict(np.array([[1.0, 2.0]]))  # 3 + 8 + 0.5
    array([[11.5]])
    """

    name = "reference"

    def compile(
        self,
        network: NetworkSpec,
        parameters: Sequence[Sequence[Array]],
        training: TrainingSpec | None = None,
        slots: Sequence[Sequence[Array]] | None = None,
    ) -> ReferenceProgram:
        """Return a program that starts from copies of ``parameters`` and ``slots`` (fresh where None)."""
        check_parameters(network, parameters)
        copied = rounded(parameters, network.dtype)
        if training is None:
            return ReferenceProgram(network, State(copied, ()))
        if slots is None:
            slots = [fresh_slots(training, w) for w in trained_arrays(network, copied)]
        return ReferenceProgram(network, State(copied, rounded(slots, network.dtype)), training)


class ReferenceProgram:
    """A network with its parameters and its optimizer's state; see `fastdense.engines.Program`."""

    def __init__(self, network: NetworkSpec, state: State, training: TrainingSpec | None = None) -> None:
        self.network = network
        self._state = state
        self._training_spec = training

    @property
    def steps(self) -> int:
        """How many steps have been applied since the program was compiled."""
        return self._state.steps

    def predict(self, X: Array, out: Array | None = None) -> Array:
        """Return the network's outputs, shape (m, n_out), in ``out`` if given."""
        if out is None:
            out = np.empty((X.shape[0], self.network.n_out), dtype=self.network.dtype)
        with np.errstate(all="ignore"):
            for i, x in enumerate(_rows(X)):
                out[i] = self._forward(x)[-1].a_out
        return out

    def predictor(self, otherwise: Callable[..., Array]) -> Callable[..., Array]:
        """Return ``otherwise``: there is no quicker way."""
        return otherwise

    def losses(self, X: Array, y: Array, outputs: Array | None = None) -> NDArray[np.float64]:
        """Return each row's loss, shape (m,), unweighted and without penalties, dropout off."""
        found = np.empty(X.shape[0])
        with np.errstate(all="ignore"):
            for i, (x, target) in enumerate(zip(_rows(X), y.tolist(), strict=True)):
                traces = self._forward(x)
                found[i] = loss(self._loss, target, self._loss_input(traces[-1]))
                if outputs is not None:
                    outputs[i] = traces[-1].a_out
        return found

    def penalty(self) -> float:
        """Return the sum of the L1 and L2 penalties at the current parameters."""
        weights = trained_arrays(self.network, self._state.parameters)
        return sum((penalty(p.penalty, w) for p, w in zip(self.network.trained, weights, strict=True)), 0.0)

    def gradients(self, X: Array, y: Array, sample_weight: Array | None) -> tuple[float, list[Array]]:
        """Return the loss of all rows as one batch and its gradient, dropout off."""
        no_masks = [None] * len(self.network.layers)
        with np.errstate(all="ignore"):
            total, gradients, _ = self._batch(self.network, X, y, sample_weight, no_masks)
            return total, [g.astype(self.network.dtype) for g in gradients]

    def train(
        self,
        batches: Any,
        learning_rates: NDArray[np.float64],
        first_step: int,
        outputs: Array | None = None,
    ) -> NDArray[np.float64]:
        """Run one optimizer step for every learning rate and return each step's loss."""
        found: list[float] = []
        for index, rate in enumerate(learning_rates.tolist()):
            places = slice(index * batches.batch_size, (index + 1) * batches.batch_size)
            rows = batches.order[places]
            weights = None if batches.sample_weight is None else batches.sample_weight[rows]
            with np.errstate(all="ignore"):
                dropout = {stream: float(rates[index]) for stream, rates in batches.dropout.items()}
                network = with_dropout(self.network, dropout)
                masks = self._masks(network, first_step + index, len(rows))
                scale = 1.0 if batches.penalty_scale is None else float(batches.penalty_scale[index])
                data = batches.X[rows], batches.y[rows], weights
                total, gradients, a_out = self._batch(network, *data, masks, scale)
                found.append(total)
                if outputs is not None:
                    outputs[places] = a_out
                if not np.isfinite(total):
                    break
                decay = None if batches.weight_decay is None else float(batches.weight_decay[index])
                self._state = self._stepped(gradients, rate, decay, first_step + index)
        return np.array(found)

    def set_parameters(self, parameters: Sequence[Sequence[Array]]) -> None:
        """Replace the trained parameters by copies; the optimizer's state and the steps stay."""
        new = trained_arrays(self.network, rounded(parameters, self.network.dtype))
        updated = with_trained(self.network, self._state.parameters, new)
        self._state = replace(self._state, parameters=tuple(updated))

    def parameters(self) -> list[tuple[Array, ...]]:
        """Return the current parameters, arrays that the program will not write to again."""
        return as_dtype(self._state.parameters, self.network.dtype)

    def slots(self) -> list[tuple[Array, ...]]:
        """Return the optimizer's state, arrays that the program will not write to again."""
        return as_dtype(self._state.slots, self.network.dtype)

    @property
    def _training(self) -> TrainingSpec:
        if self._training_spec is None:
            raise NotBuiltError("the network was compiled without a TrainingSpec: it has no loss")
        return self._training_spec

    @property
    def _from_z(self) -> bool:
        return loss_reads_logits(self.network, self._training.loss)

    @property
    def _loss(self) -> LossSpec:
        """The loss to compute: a fused one reads logits."""
        loss = self._training.loss
        return loss_of_logits(loss) if self._from_z else loss

    def _loss_input(self, last: Trace) -> Sequence[float]:
        return last.z if self._from_z else last.a_out

    def _forward(self, x: list[float]) -> list[Trace]:
        return forward(self.network, self._state.parameters, x, [None] * len(self.network.layers))

    def _batch(
        self,
        network: NetworkSpec,
        X: Array,
        y: Array,
        sample_weight: Array | None,
        masks: Sequence[Array | None],
        scale: float = 1.0,
    ) -> tuple[float, list[Matrix], Array]:
        """Return ``sum(weight * loss) / m + scale * penalty`` over a batch, its gradient, and the outputs."""
        m, parameters = X.shape[0], self._state.parameters
        charged = zip(network.trained, trained_arrays(network, parameters), strict=True)
        gradients = [scale * penalty_gradient(p.penalty, w) for p, w in charged]
        total, outputs = scale * self.penalty(), np.empty((m, network.n_out))
        shares = [1.0] * m if sample_weight is None else sample_weight.tolist()
        rows = zip(_rows(X), y.tolist(), shares, strict=True)
        for i, (x, target, share) in enumerate(rows):
            kept = [None if mask is None else mask[i].tolist() for mask in masks]
            traces = forward(network, parameters, x, kept)
            outputs[i], a = traces[-1].a_out, self._loss_input(traces[-1])
            total += share * loss(self._loss, target, a) / m
            start = [share * slope / m for slope in loss_gradient(self._loss, target, a)]
            own = backward(network, parameters, traces, start, kept, from_z=self._from_z)
            gradients = [g + g_row for g, g_row in zip(gradients, own, strict=True)]
        return total, gradients, outputs

    def _masks(self, network: NetworkSpec, step: int, rows: int) -> list[Array | None]:
        """Return each layer's dropout mask for a step, None for layers that drop nothing."""
        seed = self._training.seed
        return [
            dropout_mask(seed, step, layer.stream, rows, layer.n_in, layer.rate)
            if isinstance(layer, DropoutSpec)
            else None
            for layer in network.layers
        ]

    def _stepped(self, gradients: Sequence[Matrix], rate: float, decay: float | None, step: int) -> State:
        """Return the state after one optimizer step; the caller assigns it at once, or not at all.

        ``decay`` is the step's weight decay, None for the optimizer's own.
        """
        optimizer = self._training.optimizer
        decay = optimizer.weight_decay if decay is None else decay
        weights: list[Matrix] = []
        slots: list[tuple[Matrix, ...]] = []
        before = trained_arrays(self.network, self._state.parameters)
        clipped, trained = clip(optimizer, gradients), self.network.trained
        for p, w, g, own in zip(trained, before, clipped, self._state.slots, strict=True):
            elements = zip(w.flat, g.flat, *(slot.flat for slot in own), strict=True)
            of_parameter = replace(optimizer, weight_decay=decay * p.factors.decay)
            moved = partial(update, of_parameter, learning_rate=rate * p.factors.rate, step=step)
            new = [moved(float(v), float(d), tuple(map(float, s))) for v, d, *s in elements]
            weights.append(np.array([w_i for w_i, _ in new]).reshape(w.shape))
            slots.append(tuple(np.array([s[k] for _, s in new]).reshape(w.shape) for k in range(len(own))))
        updated = rounded(with_trained(self.network, self._state.parameters, weights), self.network.dtype)
        return State(updated, rounded(slots, self.network.dtype), self._state.steps + 1)


def _rows(X: Any) -> Iterator[list[float]]:
    """Yield each row of ``X`` as a list of Python floats; one that is mostly zeros is written out in full."""
    if hasattr(X, "indptr"):
        return (X[[i]].toarray()[0].astype(np.float64).tolist() for i in range(X.shape[0]))
    return (np.asarray(x, dtype=np.float64).tolist() for x in X)
