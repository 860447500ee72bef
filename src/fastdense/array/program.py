"""The array engine: the engine protocol over one array library."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

from fastdense.array.backend import Backend
from fastdense.array.layers import Mask
from fastdense.array.network import total_penalty
from fastdense.array.optimizers import Rates, new_slots, rates_of
from fastdense.array.step import Batch, Functions, Numbers, State, factors_of, functions, outputs_of
from fastdense.core.spec import (
    DropoutSpec,
    NetworkSpec,
    TrainingSpec,
    check_parameters,
    trained_arrays,
    with_dropout,
    with_trained,
)

__all__ = ["ArrayEngine", "ArrayProgram"]

DropoutMask = Callable[[int, int, int, int, int, float], Any]
"""``(seed, step, layer, rows, columns, rate)`` to a boolean matrix, true for each unit that is kept."""


class ArrayEngine:
    """Networks as matrix products of the library behind ``backend``."""

    def __init__(self, backend: Backend, dropout_mask: DropoutMask) -> None:
        self.name = backend.name
        self.backend = backend
        self.dropout_mask = dropout_mask

    def compile(
        self,
        network: NetworkSpec,
        parameters: Sequence[Sequence[Any]],
        training: TrainingSpec | None = None,
        slots: Sequence[Sequence[Any]] | None = None,
    ) -> ArrayProgram:
        """Return a program that starts from ``parameters`` and ``slots``; it never writes to either."""
        check_parameters(network, parameters)
        with self.backend.for_good(), self.backend.scope():
            weights = self._copy(parameters, network.dtype)
            own = [] if training is None or slots is not None else trained_arrays(network, weights)
            fresh = [new_slots(self.backend.xp, training.optimizer, w) for w in own if training is not None]
            kept = fresh if slots is None else self._copy(slots, network.dtype)
            return ArrayProgram(self, network, training, State(weights, kept, self.backend.place(0, "int64")))

    def _copy(self, groups: Sequence[Sequence[Any]], dtype: str) -> list[tuple[Any, ...]]:
        return [tuple(self.backend.place(a, dtype, copy=True) for a in group) for group in groups]


class ArrayProgram:
    """A compiled network; see `fastdense.engines.Program` for what its methods promise.

    Every step makes new arrays, so those handed out are never written to again. Arrays come in from main
    memory or as the library's own, on its device; outputs go the way that ``X`` came.
    """

    def __init__(
        self,
        engine: ArrayEngine,
        network: NetworkSpec,
        training: TrainingSpec | None,
        state: State,
    ) -> None:
        self.engine = engine
        self.backend = engine.backend
        self.network = network
        self.training = training
        self.state = state

    @property
    def steps(self) -> int:
        """How many steps have been applied."""
        return int(self.backend.fetch(self.state.steps))

    def predict(self, X: Any, out: Any | None = None) -> Any:
        """Return the outputs for every row of X, a block of rows at a time."""
        with self.backend.scope():
            primitives = chain.from_iterable(self.network.lower(self.state.weights))
            if not any(primitive.computes for primitive in primitives):  # X itself would come out
                A_out = self.backend.place(X, copy=True)
                A_out = A_out if self.backend.owns(X) else self.backend.fetch(A_out)
            else:
                run = outputs_of(self.backend, self.network)
                found = [run(self.state.weights, block) for block in self._blocks(X, self._pads(X))]
                A_out = self._joined(found) if self.backend.owns(X) else self._fetched_rows(found, X.shape[0])
        if out is None:
            return A_out
        out[...] = A_out
        return out

    def predictor(self, otherwise: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``otherwise``: there is no quicker way."""
        return otherwise

    def losses(self, X: Any, y: Any, outputs: Any | None = None) -> Any:
        """Return each row's loss in float64, and fill ``outputs`` with the predictions."""
        with self.backend.scope():
            pads, rows = self._pads(X) and self._pads(y), X.shape[0]
            blocks = zip(self._blocks(X, pads), self._blocks(y, pads), strict=True)
            found = [self._trained.losses(self.state.weights, *block) for block in blocks]
            if outputs is not None:
                outputs[...] = self._fetched_rows([A_out for _, A_out in found], rows)
            return self._fetched_rows([losses for losses, _ in found], rows)

    def penalty(self) -> float:
        """Return the sum of the L1 and L2 penalties."""
        with self.backend.scope():
            return float(total_penalty(self.backend.xp, self.network, self.state.weights))

    def gradients(self, X: Any, y: Any, sample_weight: Any | None) -> tuple[float, list[Any]]:
        """Return the loss of all rows as one batch and its gradient, dropout off."""
        with self.backend.scope():
            batch = Batch(self._rows(X, None), self._rows(y, None), self._rows(sample_weight, None))
            loss, gradients = self._trained.gradients(self.state.weights, batch)
            return float(loss), [self.backend.fetch(g) for g in gradients]

    def train(self, batches: Any, learning_rates: Any, first_step: int, outputs: Any | None = None) -> Any:
        """Run one step per learning rate and return the losses; see the protocol.

        Losses and outputs stay on the device until all steps are under way, so that none is waited for.
        """
        rows, size = batches.order, batches.batch_size
        step_losses, step_outputs = [], []
        with self.backend.scope():
            data = self._at_hand(batches)
            alive = self.backend.place(True)
            for i, rate in enumerate(learning_rates.tolist()):
                taken = rows[i * size : (i + 1) * size]
                X, y, weights = (self._rows(a, taken) for a in data)
                batch = Batch(X, y, weights, self._masks(batches, i, len(taken), first_step + i))
                numbers = self._numbers(batches, i, rate, first_step + i)
                self.state, alive, loss, A_out = self._trained.step(self.state, alive, batch, numbers)
                step_losses.append(loss)
                if outputs is not None:
                    step_outputs.append(A_out)
                if self.backend.at_once and not alive:
                    break
            return self._reported(step_losses, step_outputs, outputs)

    def set_parameters(self, parameters: Any) -> None:
        """Replace the trained parameters by copies; the optimizer's state and the steps stay."""
        with self.backend.scope():
            given = trained_arrays(self.network, parameters)
            new = [self.backend.place(w, self.network.dtype, copy=True) for w in given]
            weights = with_trained(self.network, self.state.weights, new)
            self.state = self.state._replace(weights=weights)

    def parameters(self) -> list[tuple[Any, ...]]:
        """Return the current parameters."""
        return self._fetched(self.state.weights)

    def slots(self) -> list[tuple[Any, ...]]:
        """Return the optimizer's state."""
        return self._fetched(self.state.slots)

    def _at_hand(self, batches: Any) -> tuple[Any, Any, Any]:
        """Return X, y and the weights of rows, on the device once and for all if all rows are taken.

        A call that takes fewer, a step at a time it may be, brings only its own rows there.
        """
        arrays = batches.X, batches.y, batches.sample_weight
        if len(batches.order) < batches.X.shape[0]:
            return arrays
        X, y, weights = (a if a is None or _is_sparse(a) else self.backend.place(a) for a in arrays)
        return X, y, weights

    def _rows(self, array: Any, rows: Any) -> Any:
        """Return some rows on the device, None for all; sparse ones are written out in full."""
        if array is None:
            return None
        if _is_sparse(array):
            return self.backend.place((array if rows is None else array[rows]).toarray())
        if rows is None:
            return self.backend.place(array)
        return self.backend.take(array, rows) if self.backend.owns(array) else self.backend.place(array[rows])

    def _pads(self, array: Any) -> bool:
        """Whether rows may be added to an array's blocks: to a library's own even that would be compiled."""
        return not (self.backend.owns(array) or _is_sparse(array))

    def _blocks(self, array: Any, pads: bool) -> Iterator[Any]:
        """Yield an array a block of rows at a time, on the device."""
        rows, size = array.shape[0], self.backend.block
        for begin in range(0, max(rows, 1), size):  # the standard wants the whole index, and no row too far
            end = min(begin + size, rows)
            whole = end - begin == rows
            block = array if whole else array[begin:end] if _is_sparse(array) else array[begin:end, ...]
            yield self._rows(self.backend.pad(block) if pads else block, None)

    def _fetched_rows(self, blocks: Sequence[Any], rows: int) -> Any:
        """Return the first rows of blocks one after another, as callers are handed them."""
        joined = (
            self.backend.fetch(blocks[0]) if len(blocks) == 1 else self.backend.fetch_all(blocks, "concat")
        )
        return joined if joined.shape[0] == rows else joined[:rows, ...]

    def _joined(self, blocks: Sequence[Any]) -> Any:
        return blocks[0] if len(blocks) == 1 else self.backend.xp.concat(blocks, axis=0)

    def _masks(self, batches: Any, i: int, rows: int, step: int) -> list[Mask | None]:
        """Return every layer's mask for the i-th step of a call."""
        dropout = {stream: float(rates[i]) for stream, rates in batches.dropout.items()}
        layers = with_dropout(self.network, dropout).layers
        return [self._mask(layer, rows, step) if isinstance(layer, DropoutSpec) else None for layer in layers]

    def _mask(self, layer: DropoutSpec, rows: int, step: int) -> Mask:
        kept = self.engine.dropout_mask(self._training.seed, step, layer.stream, rows, layer.n_in, layer.rate)
        gain = self.backend.number(1.0 / (1.0 - layer.rate), self.network.dtype)
        return Mask(self.backend.place(kept), gain)

    def _numbers(self, batches: Any, i: int, rate: float, step: int) -> Numbers:
        """Return what the i-th step of a call multiplies by."""
        number, dtype, optimizer = self.backend.number, self.network.dtype, self._training.optimizer
        scale = 1.0 if batches.penalty_scale is None else float(batches.penalty_scale[i])
        decay = None if batches.weight_decay is None else float(batches.weight_decay[i])
        rates = [rates_of(optimizer, rate, step, decay, own) for own in factors_of(self.network)]
        placed = [Rates(*(None if n is None else number(n, dtype) for n in each)) for each in rates]
        return Numbers(placed, number(scale, dtype), number(scale, "float64"))

    def _reported(self, step_losses: list[Any], step_outputs: list[Any], outputs: Any | None) -> Any:
        """Return the losses up to the first that is not finite, and fill ``outputs`` as far."""
        if not step_losses:
            return self.backend.fetch(self.backend.place([], "float64"))
        losses = self.backend.fetch_all(step_losses, "stack")
        values = [float(losses[i]) for i in range(losses.shape[0])]
        count = next((i + 1 for i, loss in enumerate(values) if not math.isfinite(loss)), len(values))
        if outputs is not None:
            found = self.backend.fetch_all(step_outputs[:count], "concat")
            outputs[: found.shape[0], ...] = found
        return losses[:count]

    def _fetched(self, groups: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        with self.backend.scope():
            return [tuple(self.backend.fetch(a) for a in group) for group in groups]

    @property
    def _training(self) -> TrainingSpec:
        if self.training is None:
            raise ValueError("this program was compiled for prediction only: it has no loss or optimizer")
        return self.training

    @property
    def _trained(self) -> Functions:
        training = self._training
        return functions(self.backend, self.network, training.loss, training.optimizer)


def _is_sparse(array: Any) -> bool:
    return hasattr(array, "indptr")
