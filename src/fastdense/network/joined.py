"""Several networks that only predict, and predict together: the mean of their outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastdense import engines
from fastdense.core.arrays import Array
from fastdense.core.spec import NetworkSpec
from fastdense.engines import Parameters
from fastdense.engines.arrays import check_out
from fastdense.engines.means import mean_outputs, mean_predictor
from fastdense.errors import ShapeError
from fastdense.network.frozen import Inputs
from fastdense.network.model import Model

__all__ = ["FrozenEnsemble", "freeze_together"]

Member = tuple[NetworkSpec, Parameters]


class Otherwise:
    """Predicts for whatever an engine's quickest way does not take: converted and checked first."""

    def __init__(self, members: Sequence[Member], inputs: Inputs, classes: Array | None) -> None:
        shapes = [(network.n_in, network.n_out, network.dtype) for network, _ in members]
        for number, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise ShapeError(
                    f"an ensemble's networks have the same inputs, outputs and dtype: network 0 has "
                    f"{shapes[0]}, but network {number} has {shape}"
                )
        engine = engines.choose(inputs.engine)
        self.programs = [engine.compile(*member) for member in members]
        self.inputs, self.classes = inputs, classes

    def __call__(self, X: Any, out: Any = None) -> Array:
        """Return the outputs for ``X``, as `FrozenEnsemble.predict` does."""
        rows = self.rows(X)
        if out is not None:
            check_out(out, rows, (len(rows), self.programs[0].network.n_out), self.inputs.dtype)
        return mean_outputs(self.programs, rows, out)

    def rows(self, X: Any) -> Any:
        """Return rows as NumPy's, for every engine."""
        return self.inputs._replace(engine="auto").matrix(X)

    @property
    def data(self) -> tuple[list[Member], Inputs, Array | None]:
        """What makes another one."""
        members: list[Member] = [(each.network, each.parameters()) for each in self.programs]
        return members, self.inputs, self.classes

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Be unpickled as an ensemble's `predict`: this is the half of it that is data."""
        return _predict_of, self.data


class FrozenEnsemble:
    """Networks for prediction only, which predict the mean of their outputs.

    All networks run over a block of rows while it is in cache. The outputs are added in float64, in the order
    of the networks, divided by their number and rounded to their dtype; a row's bits depend neither on its
    neighbours nor on the number of threads.

    It can be pickled, copied and sent to another process, and so can its ``predict``, and any number of
    threads may predict at once: see `fastdense.network.frozen.FrozenModel`.

    Attributes
    ----------
    predict : callable ``(X, out=None)``
        The mean outputs, shape (m, n_out), for ``X`` of shape (m, n_in). A NumPy matrix of the networks'
        dtype is read in place; what else `Sequential.predict` takes is converted first.
    classes : array of shape (n_classes,) or None
        What the columns of the outputs are the probabilities of, if they are; a single column is the
        probability of the second class.
    input_shape, output_shape : tuple
        ``(None, n_in)`` and ``(None, n_out)``.
    dtype : "float32" or "float64"

    Examples
    --------
    >>> import numpy as np
    >>> import fastdense as fd
    >>> from fastdense.network.joined import freeze_together
    >>> models = [fd.Sequential([fd.Input((2,)), fd.Dense(1)], seed=seed) for seed in range(3)]
    >>> frozen = freeze_together(models)
    >>> x = np.array([[0.5, -1.0]], dtype=np.float32)
    >>> bool(np.isclose(frozen.predict(x), np.mean([model.predict(x) for model in models])))
    True
    """

    def __init__(self, members: Sequence[Member], inputs: Inputs, classes: Array | None = None) -> None:
        self._otherwise = Otherwise(members, inputs, classes)
        network = members[0][0]
        self.input_shape = (None, network.n_in)
        self.output_shape = (None, network.n_out)
        self.dtype, self.classes = inputs.dtype, classes
        self.predict: Callable[..., Array] = mean_predictor(self._otherwise.programs, self._otherwise)

    def __call__(self, X: Any, out: Any = None) -> Array:
        """Return ``predict(X, out)``."""
        return self.predict(X, out)

    def __len__(self) -> int:
        return len(self._otherwise.programs)

    def each(self, X: Any) -> Iterator[Array]:
        """Yield every network's outputs for ``X``, each of shape (m, n_out)."""
        rows = self._otherwise.rows(X)
        for program in self._otherwise.programs:
            with np.errstate(all="ignore"):
                outputs = program.predict(rows)
            yield outputs

    def spread(self, X: Any) -> Array:
        """Return the standard deviation of the networks' outputs, divided by their number as ``numpy.std``.

        Parameters
        ----------
        X : array-like of shape (m, n_in)

        Returns
        -------
        float64 array of shape (m, n_out)
        """
        mean: Any = 0.0
        squares: Any = 0.0
        for count, outputs in enumerate(self.each(X), 1):  # Welford's way: no outputs are kept
            away = outputs.astype(np.float64) - mean
            mean = mean + away / count
            squares = squares + away * (outputs - mean)
        found: Array = np.sqrt(squares / len(self))
        return found

    def __reduce__(self) -> tuple[type[FrozenEnsemble], tuple[Any, ...]]:
        """Be compiled again wherever a copy arrives, from the same networks and weights."""
        return FrozenEnsemble, self._otherwise.data

    def __repr__(self) -> str:
        n_in, n_out = self.input_shape[1], self.output_shape[1]
        return f"FrozenEnsemble({len(self)} of {n_in} -> {n_out}, {self.dtype})"


def _predict_of(*data: Any) -> Callable[..., Array]:
    return FrozenEnsemble(*data).predict


def freeze_together(models: Sequence[Model], classes: Array | None = None) -> FrozenEnsemble:
    """Return models, with the weights that they have now, as an ensemble that only predicts.

    Parameters
    ----------
    models : sequence of Model
        Built, with the same inputs, outputs and dtype.
    classes : array of shape (n_classes,), optional
        As of `FrozenEnsemble`.

    Raises
    ------
    ValueError
        There is no model, or one in float32 begins with a `Normalization` by means that float32 has too few
        digits for.
    ShapeError
        The models' inputs, outputs or dtypes differ.
    NotBuiltError
        A model's shapes are not known yet.
    """
    if not models:
        raise ValueError("an ensemble has at least one network, but there is none")
    taken = [model.snapshot() for model in models]
    if any(each.centre is not None for each in taken):
        raise ValueError(
            "a float32 network of an ensemble cannot begin with a Normalization by means that float32 has "
            "too few digits for: normalize the rows before the ensemble, or use dtype='float64'"
        )
    members = [(each.network(), each.parameters()) for each in taken]
    return FrozenEnsemble(members, taken[0].inputs(centred=False), classes)
