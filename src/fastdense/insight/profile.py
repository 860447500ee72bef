"""Where a prediction's time goes, layer by layer, and what was measured to make it shorter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastdense import engines
from fastdense.core.checks import is_frame, number, whole
from fastdense.core.spec import ActivateSpec, ActivationSpec, DenseSpec, LayerSpec, NetworkSpec
from fastdense.insight.limits import Limited
from fastdense.insight.notebook import shown
from fastdense.insight.plain import as_plain
from fastdense.insight.roofs import Cores, Roofs, measure_roofs
from fastdense.insight.timing import best_time
from fastdense.insight.wording import profile_notes, profile_rows, profile_text, profile_title
from fastdense.network.model import Model

__all__ = ["Advice", "LayerCost", "Profile", "profile"]

WORTH = 1.1  # times faster: less is within what a busy machine varies by
MORE_ROWS = 16
MOST_BYTES = 2**26  # of rows that are repeated
VECTOR = 16  # float32 numbers in the widest vectors: a layer's last few units cost as much as so many
LESS = 8  # units are given up where they are at most this part of a layer's


@dataclass(frozen=True, kw_only=True)
class LayerCost(Limited):
    """What one layer costs by itself; ``seconds`` is its time for all rows.

    Attributes
    ----------
    name : str
    what : str
        Its kind, sizes and activation.
    operations : int
        A multiply-add counts as two, an activation as none.
    traffic : int
        The bytes of its inputs, weights and outputs.
    """

    name: str
    what: str
    operations: int
    traffic: int


@dataclass(frozen=True)
class Advice:
    """Something that was tried, and made a prediction faster.

    Attributes
    ----------
    what : str
    before, after : float
        Seconds a row.
    """

    what: str
    before: float
    after: float


@dataclass(frozen=True)
class Profile:
    """What `profile` measured; printed as a table.

    Attributes
    ----------
    model : str
        Its name.
    engine, dtype : str
    rows : int
    seconds : float
        Of one call of ``model.predict`` with all rows.
    encoding : float
        The part of it that makes numbers of a table's columns; 0 for rows that are numbers.
    layers : tuple of LayerCost
        Each run by itself by the engine, without the checks of a call.
    roofs : Roofs
    advice : tuple of Advice
        The greatest gain first.
    """

    model: str
    engine: str
    dtype: str
    rows: int
    seconds: float
    encoding: float
    layers: tuple[LayerCost, ...]
    roofs: Roofs
    advice: tuple[Advice, ...]

    def __str__(self) -> str:
        return profile_text(self)

    def _repr_html_(self) -> str:
        return shown(profile_title(self), profile_rows(self), profile_notes(self))

    def to_dict(self) -> dict[str, Any]:
        """Return everything as what JSON holds."""
        return as_plain(self)


def profile(model: Model, X: Any, seconds: float = 0.1) -> Profile:
    """Measure what each layer of a prediction costs, what limits it, and what would be faster.

    Parameters
    ----------
    model : Sequential
    X : array-like of shape (m, n_in), a data frame where the model has a table, or int
        As many rows as a call of yours has, or how many: they are random numbers then.
    seconds : float, default 0.1
        How long to time each, about.

    Returns
    -------
    Profile

    Raises
    ------
    ShapeError, DtypeError
        As `Sequential.predict`.
    ValueError
        There are no rows.

    Examples
    --------
    >>> import fastdense as fd
    >>> model = fd.Sequential([fd.Input((4,)), fd.Dense(3, "relu"), fd.Dense(1)], seed=0)
    >>> found = profile(model, np.zeros((8, 4)), seconds=0.001)
    >>> [layer.operations for layer in found.layers]  # 2 * 8 * 4 * 3, 2 * 8 * 3 * 1
    [192, 48]
    """
    seconds = number("seconds", seconds, above=0.0)
    if isinstance(X, int | np.integer):
        shape = whole("X", X, 1), model.input_shape[1]
        X = np.random.default_rng(0).standard_normal(shape).astype(model.dtype)
    A_in = np.asarray(model.as_input(X))
    if not len(A_in):
        raise ValueError("a profile needs at least one row")
    network, parameters = model.network(), model.parameters()
    roofs = measure_roofs()
    of_numbers = best_time(lambda: model.predict(A_in), seconds)
    is_table = is_frame(X)
    whole_call = best_time(lambda: model.predict(X), seconds) if is_table else of_numbers
    costs = tuple(_costs(model, network, parameters, A_in, roofs, seconds))
    reached = max((cost.operations / cost.seconds for cost in costs), default=0.0) * A_in.dtype.itemsize / 4e9
    advice = [
        *_advice(model, network, parameters, A_in, of_numbers / len(A_in), seconds),
        *_narrower(model, network, costs, len(A_in), seconds),
    ]
    return Profile(
        model.name,
        str(engines.name_of(model.engine)),
        network.dtype,
        len(A_in),
        whole_call,
        max(0.0, whole_call - of_numbers) if is_table else 0.0,
        costs,
        roofs.raised(0.0, reached),
        tuple(sorted(advice, key=lambda a: a.after / a.before)),
    )


def _program(model: Model, network: NetworkSpec, parameters: Sequence[Any]) -> engines.Program:
    return engines.choose(model.engine).compile(network, parameters)


def _costs(
    model: Model,
    network: NetworkSpec,
    parameters: Sequence[Any],
    A_in: Any,
    roofs: Roofs,
    seconds: float,
) -> Iterator[LayerCost]:
    """Yield each layer's cost, its inputs being what those before it made."""
    itemsize = A_in.dtype.itemsize
    cores: Cores = "all" if roofs.cores > 1 else "one"
    tiny = NetworkSpec(1, (DenseSpec(1, 1),), network.dtype)
    one = _program(model, tiny, [(np.ones((1, 1), network.dtype), np.zeros(1, network.dtype))])
    row = np.ones((1, 1), network.dtype)
    calls = best_time(lambda: one.predict(row), seconds)
    for layer, own, name in zip(network.layers, parameters, model.layer_names(), strict=True):
        program = _program(model, NetworkSpec(layer.n_in, (layer,), network.dtype), [own])
        inputs = A_in
        took = best_time(lambda: program.predict(inputs), seconds)  # noqa: B023  (called within this turn)
        A_in = program.predict(inputs)
        numbers = inputs.size + A_in.size + sum(array.size for array in own)
        operations = 2 * len(inputs) * own[0].size if isinstance(layer, DenseSpec) else 0
        yield LayerCost(
            name=name,
            what=_what(layer),
            operations=operations,
            traffic=itemsize * numbers,
            seconds=took,
            calls=min(took, calls),
            memory=roofs.memory(itemsize * numbers, itemsize * numbers, cores),
            arithmetic=roofs.arithmetic(operations, cores, itemsize),
        )


def _narrower(
    model: Model, network: NetworkSpec, costs: Sequence[LayerCost], rows: int, seconds: float
) -> Iterator[Advice]:
    """Yield the slowest hidden layer with the few units less that make whole vectors, if it is faster."""
    hidden = [
        (cost.seconds, cost.name, layer)
        for cost, layer in zip(costs, network.layers, strict=True)
        if isinstance(layer, DenseSpec) and not layer.activation.groups
    ][:-1]
    if not hidden:
        return
    _, name, layer = max(hidden, key=lambda each: each[0])
    left = layer.n_units % VECTOR
    if not 0 < left <= layer.n_units // LESS:
        return
    A_in = np.random.default_rng(0).standard_normal((rows, layer.n_in)).astype(network.dtype)

    def timed(units: int) -> float:
        alone = NetworkSpec(layer.n_in, (replace(layer, n_units=units),), network.dtype)
        W, B = np.ones((layer.n_in, units), network.dtype), np.zeros(units, network.dtype)
        program = _program(model, alone, [(W, B) if layer.use_bias else (W,)])
        return best_time(lambda: program.predict(A_in), seconds) / rows

    before, after = timed(layer.n_units), timed(layer.n_units - left)
    if before > WORTH * after:
        what = f"{layer.n_units - left:,} units in {name!r} instead of {layer.n_units:,}, that layer alone"
        yield Advice(what, before, after)


def _what(layer: LayerSpec) -> str:
    """Return a layer's kind and sizes."""
    g = layer.activation if isinstance(layer, DenseSpec | ActivateSpec) else ActivationSpec()
    curve = "" if g.name == "linear" else f", {g.name}"
    if isinstance(layer, DenseSpec):
        return f"dense, {layer.n_in:,} to {layer.n_units:,}{curve}"
    return f"{type(layer).__name__.removesuffix('Spec').lower()}, {layer.n_in:,}{curve}"


def _advice(
    model: Model,
    network: NetworkSpec,
    parameters: Sequence[Any],
    A_in: Any,
    before: float,
    seconds: float,
) -> Iterator[Advice]:
    """Yield what was tried and is faster than ``before``, in seconds a row, by more than a machine varies."""
    rows = len(A_in)

    def tried(what: str, run: Callable[[], Any], each: int = rows) -> Iterator[Advice]:
        after = best_time(run, seconds) / each
        if before > WORTH * after:
            yield Advice(what, before, after)

    frozen = model.freeze()
    yield from tried(
        "model.freeze().predict: the same without the checks of each call", lambda: frozen.predict(A_in)
    )
    if A_in.nbytes * MORE_ROWS <= MOST_BYTES:
        more = np.tile(A_in, (MORE_ROWS, 1))
        what = f"more rows a call: {MORE_ROWS * rows:,} instead of {rows:,}"
        yield from tried(what, lambda: model.predict(more), MORE_ROWS * rows)
    if network.dtype == "float64":
        narrow = [[array.astype(np.float32) for array in own] for own in parameters]
        wide = _program(model, network, parameters)
        program = _program(model, replace(network, dtype="float32"), narrow)
        less = A_in.astype(np.float32)
        # The engine alone in both, or the checks of a call would count against one of them.
        doubles = best_time(lambda: wide.predict(A_in), seconds) / rows
        floats = best_time(lambda: program.predict(less), seconds) / rows
        if doubles > WORTH * floats:
            yield Advice("float32, the engine alone: Sequential(..., dtype='float32')", doubles, floats)
    if engines.name_of(model.engine) == "native":

        def on_one_core() -> Any:
            with engines.at_most(1):
                return model.predict(A_in)

        yield from tried("one thread: fd.set_threads(1)", on_one_core)
    else:
        own = Model(model.layers, model.name, dtype=model.dtype)  # shares the weights
        own.build((None, network.n_in))
        yield from tried("engine='native'", lambda: own.predict(A_in))
