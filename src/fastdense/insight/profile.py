"""Where a prediction's time goes, layer by layer, and what was measured to make it shorter."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from fastdense import engines
from fastdense.core.checks import is_frame, number, whole
from fastdense.core.printable import printable
from fastdense.core.spec import DenseSpec, LayerSpec, NetworkSpec
from fastdense.core.spec.lowering import Curve, Primitive, Product, Softmax
from fastdense.insight.limits import KEY, Limited
from fastdense.insight.roofs import Cores, Roofs, measure_roofs
from fastdense.insight.tabulated import Tabulated
from fastdense.insight.timing import best_time
from fastdense.insight.units import count, digits, duration, ratio, size_text
from fastdense.network.model import Model

__all__ = ["Advice", "LayerCost", "Profile", "profile"]

WORTH = 1.1  # times faster: less is within what a busy machine varies by
MORE_ROWS = 16
MOST_BYTES = 2**26  # of rows that are repeated
VECTOR = 16  # float32 numbers in the widest vectors: a layer's last few units cost as much as a whole one
LESS = 8  # units are given up if they are at most this part of a layer's
HEADINGS = ("layer", "what", "operations", "bytes", "time", "GFLOP/s", "of peak", "limit")


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
        Seconds per row.
    """

    what: str
    before: float
    after: float

    def __str__(self) -> str:
        gain = ratio(self.before / self.after)
        return f"{self.what}: {duration(self.before)} to {duration(self.after)} per row, {gain}"


@dataclass(frozen=True)
class Profile(Tabulated):
    """What `profile` measured; printed as a table.

    Attributes
    ----------
    model : str
        Its name.
    engine, dtype : str
    rows : int
    seconds : float
        The time of one call of ``model.predict`` with all rows.
    encoding : float
        The part of it that turns a table's columns into numbers; 0 for rows that are numbers.
    layers : tuple of LayerCost
        Each layer is run by itself by the engine, without the checks of a call.
    roofs : Roofs
    advice : tuple of Advice
        The greatest gain first.
    """

    sides: ClassVar[str] = "<<>"

    model: str
    engine: str
    dtype: str
    rows: int
    seconds: float
    encoding: float
    layers: tuple[LayerCost, ...]
    roofs: Roofs
    advice: tuple[Advice, ...]

    @property
    def title(self) -> str:
        """What was measured, in one line."""
        return f"Model {self.model!r}: {count(self.rows, 'row')} per call, {self.dtype}, engine {self.engine}"

    @property
    def table(self) -> list[tuple[str, ...]]:
        """The headings, and one row per layer."""
        return [HEADINGS, *map(self._cells, self.layers)]

    @property
    def notes(self) -> list[str]:
        """The whole call's time, what the letters mean, and what would be faster, in lines."""
        total = sum(layer.operations for layer in self.layers) / self.seconds / 1e9
        each = duration(self.seconds / self.rows)
        encoding = f"of it, making numbers of the columns: {duration(self.encoding)}"
        return [
            f"the call: {duration(self.seconds)}, {each} per row, {total:,.3g} GFLOP/s",
            *([encoding] if self.encoding else []),
            KEY,
            "",
            "Measured, and faster:",
            *(map(str, self.advice) if self.advice else ["nothing that was tried is faster"]),
        ]

    def _cells(self, layer: LayerCost) -> tuple[str, ...]:
        gflops = layer.operations / layer.seconds / 1e9
        share = 100 * gflops / self.roofs.peak_all_cores * (2 if self.dtype == "float64" else 1)
        rates = (digits(gflops), f"{digits(share)} %") if layer.operations else ("-", "-")
        counts = f"{layer.operations:,}" if layer.operations else "-", size_text(layer.traffic)
        return (printable(layer.name), layer.what, *counts, duration(layer.seconds), *rates, layer.letter)


def profile(model: Model, X: Any, seconds: float = 0.1) -> Profile:
    """Measure what a prediction costs.

    Parameters
    ----------
    model : fastdense.Sequential
    X, seconds
        As of `fastdense.Sequential.profile`.
    """
    seconds = number("seconds", seconds, above=0.0)
    if isinstance(X, int | np.integer):
        shape = whole("X", X, 1), model.input_shape[1]
        X = np.random.default_rng(0).standard_normal(shape).astype(model.dtype)
    A_in = np.asarray(model.as_input(X))
    if not len(A_in):
        raise ValueError("a profile needs at least one row")
    bench = Bench(model, model.network(), model.parameters(), A_in, seconds)
    roofs = measure_roofs()
    of_numbers = bench.time(lambda: model.predict(A_in))
    whole_call = bench.time(lambda: model.predict(X)) if is_frame(X) else of_numbers
    costs = tuple(_costs(bench, roofs))
    reached = max((cost.operations / cost.seconds for cost in costs), default=0.0) * A_in.dtype.itemsize / 4e9
    advice = [*_advice(bench, of_numbers / len(A_in)), *_narrower(bench, costs)]
    return Profile(
        model=model.name,
        engine=str(engines.name_of(model.engine)),
        dtype=bench.network.dtype,
        rows=len(A_in),
        seconds=whole_call,
        encoding=max(0.0, whole_call - of_numbers) if is_frame(X) else 0.0,
        layers=costs,
        roofs=roofs.raised(0.0, reached),
        advice=tuple(sorted(advice, key=lambda a: a.after / a.before)),
    )


@dataclass(frozen=True)
class Bench:
    """A model at one moment, the rows it is measured on, and how long to time each run, about."""

    model: Model
    network: NetworkSpec
    parameters: Sequence[Sequence[Any]]
    A_in: Any
    seconds: float

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.A_in)

    def time(self, run: Callable[[], Any]) -> float:
        """Return the seconds that a run takes."""
        return best_time(run, self.seconds)

    def program(self, network: NetworkSpec, parameters: Sequence[Sequence[Any]]) -> engines.Program:
        """Return a network compiled for the model's engine."""
        return engines.choose(self.model.engine).compile(network, [tuple(own) for own in parameters])

    def layer(self, layer: LayerSpec, own: Sequence[Any]) -> engines.Program:
        """Return one layer compiled by itself."""
        return self.program(NetworkSpec(layer.n_in, (layer,), self.network.dtype), [own])

    def ones(self, *shape: int) -> Any:
        """Return ones of the network's dtype."""
        return np.ones(shape, self.network.dtype)


def _costs(bench: Bench, roofs: Roofs) -> Iterator[LayerCost]:
    """Yield each layer's cost, its inputs being what the layers before it made."""
    A_in, itemsize = bench.A_in, bench.A_in.dtype.itemsize
    cores: Cores = "all" if roofs.cores > 1 else "one"
    one, row = bench.layer(DenseSpec(1, 1), (bench.ones(1, 1), 0 * bench.ones(1))), bench.ones(1, 1)
    calls = bench.time(lambda: one.predict(row))
    lowered = bench.network.lower(bench.parameters)
    layers = zip(bench.network.layers, bench.parameters, lowered, bench.model.layer_names(), strict=True)
    for layer, own, primitives, name in layers:
        program, inputs = bench.layer(layer, own), A_in
        took = bench.time(lambda: program.predict(inputs))  # noqa: B023  (called within this turn)
        A_in = program.predict(inputs)
        traffic = itemsize * (inputs.size + A_in.size + sum(array.size for array in own))
        operations = len(inputs) * sum(primitive.operations for primitive in primitives)
        yield LayerCost(
            name=name,
            what=_what(layer, primitives),
            operations=operations,
            traffic=traffic,
            seconds=took,
            calls=min(took, calls),
            memory=roofs.memory(traffic, traffic, cores),
            arithmetic=roofs.arithmetic(operations, cores, itemsize),
        )


def _advice(bench: Bench, before: float) -> Iterator[Advice]:
    """Yield what was tried and is faster than ``before``, in seconds per row, by more than noise."""
    model, A_in, rows = bench.model, bench.A_in, bench.rows
    frozen = model.freeze()
    same = "model.freeze().predict: the same without the checks of each call"
    yield from _faster(same, before, bench.time(lambda: frozen.predict(A_in)) / rows)
    if A_in.nbytes * MORE_ROWS <= MOST_BYTES:
        more = np.tile(A_in, (MORE_ROWS, 1))
        what = f"more rows per call: {MORE_ROWS * rows:,} instead of {rows:,}"
        yield from _faster(what, before, bench.time(lambda: model.predict(more)) / len(more))
    if bench.network.dtype == "float64":
        yield from _in_float32(bench)
    if engines.name_of(model.engine) == "native":

        def on_one_core() -> Any:
            with engines.at_most(1):
                return model.predict(A_in)

        yield from _faster("one thread: fd.set_threads(1)", before, bench.time(on_one_core) / rows)
    else:
        native = copy.copy(model)
        native.engine = "native"
        yield from _faster("engine='native'", before, bench.time(lambda: native.predict(A_in)) / rows)


def _faster(what: str, before: float, after: float) -> Iterator[Advice]:
    if before > WORTH * after:
        yield Advice(what, before, after)


def _in_float32(bench: Bench) -> Iterator[Advice]:
    """Yield float32 if it is faster. The engine is timed alone, without the checks of each call's dtype."""
    wide = bench.program(bench.network, bench.parameters)
    parameters = [[array.astype(np.float32) for array in own] for own in bench.parameters]
    narrow, less = bench.program(replace(bench.network, dtype="float32"), parameters), bench.A_in.astype("f4")
    doubles = bench.time(lambda: wide.predict(bench.A_in)) / bench.rows
    floats = bench.time(lambda: narrow.predict(less)) / bench.rows
    yield from _faster("float32, the engine alone: Sequential(..., dtype='float32')", doubles, floats)


def _narrower(bench: Bench, costs: Sequence[LayerCost]) -> Iterator[Advice]:
    """Yield the slowest hidden layer with a few units less, which make whole vectors, if it is faster."""
    hidden = [
        (cost.seconds, cost.name, layer)
        for cost, layer in zip(costs, bench.network.layers, strict=True)
        if isinstance(layer, DenseSpec) and not layer.activation.groups
    ][:-1]
    if not hidden:
        return
    _, name, layer = max(hidden, key=lambda each: each[0])
    n_in, n_units, left = layer.n_in, layer.n_units, layer.n_units % VECTOR
    if not 0 < left <= n_units // LESS:
        return
    A_in = np.random.default_rng(0).standard_normal((bench.rows, n_in)).astype(bench.network.dtype)

    def timed(units: int) -> float:
        own = (bench.ones(n_in, units), 0 * bench.ones(units))[: 1 + layer.use_bias]
        program = bench.layer(replace(layer, n_units=units), own)
        return bench.time(lambda: program.predict(A_in)) / bench.rows

    what = f"{n_units - left:,} units in {name!r} instead of {n_units:,}, that layer alone"
    yield from _faster(what, timed(n_units), timed(n_units - left))


def _what(layer: LayerSpec, primitives: Sequence[Primitive]) -> str:
    """Return a layer's kind, sizes and activations."""
    has_product = any(isinstance(primitive, Product) for primitive in primitives)
    changes = has_product or layer.n_units != layer.n_in
    sizes = f"{layer.n_in:,} to {layer.n_units:,}" if changes else f"{layer.n_in:,}"
    curves = [primitive.name for primitive in primitives if isinstance(primitive, Curve | Softmax)]
    return ", ".join([layer.kind, sizes, *curves])
