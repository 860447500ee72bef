"""The array engine: the engine protocol over one array library's namespace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from fastdense.array.losses import losses
from fastdense.array.network import backward, forward, head, total_penalty, trainable
from fastdense.array.optimizers import clip, new_slots, update
from fastdense.spec import DenseSpec, DropoutSpec, NetworkSpec, TrainingSpec, check_parameters

__all__ = ["ArrayEngine", "ArrayProgram"]

DropoutMask = Callable[[int, int, int, int, int, float], Any]
"""``(seed, step, layer, rows, columns, rate)`` to a boolean matrix, true where a unit is kept."""

# Rows taken through all layers at a time when predicting: the activations of 4096 rows of a hidden layer
# of 100 are 1.6 MB and stay in the second-level cache, while a product is large enough to run at speed.
BLOCK = 4096


class State(NamedTuple):
    """All that a step changes, replaced as one so that an interrupt finds the old state or the new."""

    weights: list[tuple[Any, ...]]
    slots: list[tuple[Any, ...]]
    steps: int = 0


class ArrayEngine:
    """Networks as matrix products of the library ``xp``."""

    name = "array"

    def __init__(self, xp: Any, dropout_mask: DropoutMask) -> None:
        self.xp = xp
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
        dtype = getattr(self.xp, network.dtype)
        weights = self._copy(parameters, dtype)
        if slots is not None:
            return ArrayProgram(self, network, training, State(weights, self._copy(slots, dtype)))
        fresh = []
        if training is not None:
            fresh = [new_slots(self.xp, training.optimizer, w) for w in trainable(network, weights)]
        return ArrayProgram(self, network, training, State(weights, fresh))

    def _copy(self, groups: Sequence[Sequence[Any]], dtype: Any) -> list[tuple[Any, ...]]:
        return [tuple(self.xp.asarray(a, dtype=dtype, copy=True) for a in group) for group in groups]


class ArrayProgram:
    """A compiled network; see `fastdense.engines.Program` for what its methods promise.

    Every step makes new arrays, so those handed out are never written to again.
    """

    def __init__(
        self,
        engine: ArrayEngine,
        network: NetworkSpec,
        training: TrainingSpec | None,
        state: State,
    ) -> None:
        self.engine = engine
        self.xp = engine.xp
        self.network = network
        self.training = training
        self.state = state

    @property
    def steps(self) -> int:
        """How many steps have been applied."""
        return self.state.steps

    def predict(self, X: Any, out: Any | None = None) -> Any:
        """Return the outputs for every row of X, a block of rows at a time."""
        blocks = [_rows(X, rows) for rows in _blocks(X)] or [_rows(X, slice(None))]
        outputs = [forward(self.xp, self.network, self.state.weights, block)[-1].A_out for block in blocks]
        A_out = outputs[0] if len(outputs) == 1 else self.xp.concat(outputs, axis=0)
        if out is None:
            return A_out
        out[...] = A_out
        return out

    def predictor(self, otherwise: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``otherwise``: there is no quicker way."""
        return otherwise

    def losses(self, X: Any, y: Any, outputs: Any | None = None) -> Any:
        """Return each row's loss in float64, and fill ``outputs`` with the predictions."""
        of_blocks = []
        for rows in _blocks(X):
            last = forward(self.xp, self.network, self.state.weights, _rows(X, rows))[-1]
            loss, read = head(self.network, self._training().loss, last)
            of_blocks.append(losses(self.xp, loss, y[rows], read))
            if outputs is not None:
                outputs[rows] = last.A_out
        return self.xp.astype(self.xp.concat(of_blocks), self.xp.float64)

    def penalty(self) -> float:
        """Return the sum of the L1 and L2 penalties."""
        return total_penalty(self.xp, self.network, self.state.weights)

    def gradients(self, X: Any, y: Any, sample_weight: Any | None) -> tuple[float, list[Any]]:
        """Return the loss of all rows as one batch and its gradient, dropout off."""
        loss, gradients, _ = self._batch(_rows(X, slice(None)), y, sample_weight, None)
        return loss, gradients()

    def train(self, batches: Any, learning_rates: Any, first_step: int, outputs: Any | None = None) -> Any:
        """Run one step a learning rate and return the losses; see the protocol."""
        xp = self.xp
        step_losses: list[float] = []
        for i in range(learning_rates.shape[0]):
            begin = i * batches.batch_size
            rows = xp.asarray(batches.order[begin : begin + batches.batch_size])
            sparse = hasattr(batches.X, "indptr")
            X = (
                _rows(batches.X, batches.order[begin : begin + batches.batch_size])
                if sparse
                else xp.take(batches.X, rows, axis=0)
            )
            y = xp.take(batches.y, rows, axis=0)
            weights = batches.sample_weight
            weights = None if weights is None else xp.take(weights, rows, axis=0)
            scale = 1.0 if batches.penalty_scale is None else float(batches.penalty_scale[i])
            loss, gradients, A_out = self._batch(X, y, weights, first_step + i, scale)
            step_losses.append(loss)
            if outputs is not None:
                outputs[begin : begin + rows.shape[0], ...] = A_out
            if loss - loss != 0.0:  # NaN or infinite: the weights that made it are the last good ones
                break
            self._apply(gradients(), float(learning_rates[i]), first_step + i)
        return xp.asarray(step_losses, dtype=xp.float64)

    def set_parameters(self, parameters: Any) -> None:
        """Replace the weights of the dense layers by copies; the optimizer's state and the steps stay."""
        new = [
            tuple(self.xp.asarray(w, dtype=getattr(self.xp, self.network.dtype), copy=True) for w in given)
            if isinstance(layer, DenseSpec)
            else own
            for layer, given, own in zip(self.network.layers, parameters, self.state.weights, strict=True)
        ]
        self.state = self.state._replace(weights=new)

    def parameters(self) -> list[tuple[Any, ...]]:
        """Return the current parameters."""
        return list(self.state.weights)

    def slots(self) -> list[tuple[Any, ...]]:
        """Return the optimizer's state."""
        return list(self.state.slots)

    def _batch(
        self, X: Any, y: Any, sample_weight: Any | None, step: int | None, penalty_scale: float = 1.0
    ) -> tuple[float, Callable[[], list[Any]], Any]:
        """Return one batch's loss, the function that gives its gradient, and its outputs."""
        xp, network, loss = self.xp, self.network, self._training().loss
        m, weights = X.shape[0], self.state.weights
        traces = forward(xp, network, weights, X, self._masks(m, step))
        head_loss, read = head(network, loss, traces[-1])
        of_rows = losses(xp, head_loss, y, read)
        if sample_weight is not None:
            of_rows = of_rows * sample_weight
        value = float(xp.sum(of_rows, dtype=xp.float64)) / m + penalty_scale * self.penalty()
        row_weight = 1.0 / m if sample_weight is None else sample_weight[:, None] / m
        return (
            value,
            lambda: backward(xp, network, weights, loss, y, row_weight, penalty_scale, traces),
            traces[-1].A_out,
        )

    def _masks(self, rows: int, step: int | None) -> list[Any | None] | None:
        if step is None:
            return None
        draw, seed = self.engine.dropout_mask, self._training().seed
        return [
            self.xp.asarray(draw(seed, step, layer.stream, rows, layer.n_in, layer.rate))
            if isinstance(layer, DropoutSpec)
            else None
            for layer in self.network.layers
        ]

    def _apply(self, gradients: list[Any], rate: float, step: int) -> None:
        """Update every trainable parameter; the new state replaces the old in one assignment."""
        optimizer = self._training().optimizer
        clipped = clip(self.xp, optimizer, gradients)
        own = trainable(self.network, self.state.weights)
        updated = [
            update(self.xp, optimizer, w, g, slots, rate, step)
            for w, g, slots in zip(own, clipped, self.state.slots, strict=True)
        ]
        new = iter(w for w, _ in updated)
        weights = [
            tuple(next(new) for _ in ws) if isinstance(layer, DenseSpec) else ws
            for layer, ws in zip(self.network.layers, self.state.weights, strict=True)
        ]
        self.state = State(weights, [slots for _, slots in updated], self.state.steps + 1)

    def _training(self) -> TrainingSpec:
        if self.training is None:
            raise ValueError("this program was compiled for prediction only: it has no loss or optimizer")
        return self.training


def _rows(X: Any, rows: Any) -> Any:
    """Return some rows; those that are mostly zeros are written out in full."""
    if hasattr(X, "indptr"):
        return X[rows[0] if isinstance(rows, tuple) else rows].toarray()
    return X[rows] if rows != slice(None) else X


def _blocks(X: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the index of each block of rows, written as the standard wants it: whole, and no row too far."""
    for begin in range(0, X.shape[0], BLOCK):
        yield slice(begin, min(begin + BLOCK, X.shape[0])), ...
