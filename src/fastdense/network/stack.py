"""Layers one after another: their building, their weights, and their compilation for an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from numpy.typing import ArrayLike

from fastdense import engines
from fastdense.core import sharing
from fastdense.core.arrays import Array
from fastdense.core.checks import one_of, text, whole
from fastdense.core.sharing import Change
from fastdense.core.spec import NetworkSpec, TrainingSpec
from fastdense.core.streams import WEIGHTS, check_seed, generator
from fastdense.engines import Library, Program
from fastdense.engines.programs import Programs
from fastdense.errors import DtypeError, NotBuiltError, ShapeError
from fastdense.layers import Input, Layer
from fastdense.layers.names import Names
from fastdense.layers.plan import plan
from fastdense.layers.variables import Variables
from fastdense.network.frozen import FrozenModel
from fastdense.network.snapshot import Snapshot, widths

__all__ = ["Stack"]


class Stack(Variables):
    """A network as a list of layers, without its training.

    Parameters
    ----------
    layers : sequence of Layer, optional
        An `Input` may come first; without one the width of the first data decides.
    name : str
    seed : int, optional
        Decides the initial weights, the order of rows in training and the dropout masks; None chooses one
        (kept in `seed`, so that the model can be made again, and in `drawn_seed`, which is None if a seed was
        given).
    dtype : "float32" or "float64"
        What weights and activations are computed in.
    engine : str or Library
        What computes: see `fastdense.engines.choose`.
    """

    name: str

    def __init__(
        self,
        layers: Sequence[Layer | Input] | None = None,
        name: str = "sequential",
        *,
        seed: int | None = None,
        dtype: str = "float32",
        engine: str | Library = "auto",
    ) -> None:
        self.name = text("a model's name", name)
        self.seed = check_seed(seed)
        self.drawn_seed = self.seed if seed is None else None
        self.dtype = one_of("dtype", dtype, ("float32", "float64"))
        engines.library_named(engine)  # which raises if there is none of that name
        self.engine = engine
        self._layers: list[Layer] = []
        self._n_in: int | None = None
        self.table: Any = None
        self._programs = Programs()
        self._extend(layers or ())

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input."""
        return list(self._layers)

    @property
    def built(self) -> bool:
        """Whether all shapes are known and the weights exist."""
        # Once the width is known each layer is built as it comes.
        return self._n_in is not None and bool(self._layers) and self._layers[-1].built

    @property
    def input_shape(self) -> tuple[None, int]:
        """``(None, n_in)``."""
        return (None, widths(self._n_in, self._layers)[0])

    @property
    def output_shape(self) -> tuple[None, int]:
        """``(None, n_out)``."""
        return (None, widths(self._n_in, self._layers)[1])

    def add(self, layer: Layer | Input) -> None:
        """Append a layer, built at once if its input's width is known; on an error nothing is changed."""
        sharing.check_free([self], "add", within=False)
        self._extend([layer])

    def _extend(self, layers: Iterable[Layer | Input]) -> None:
        """Append layers one after another, in a time that does not grow with those that are there."""
        names = Names(self._layers)
        for layer in layers:
            self._append(layer, names)

    def _append(self, layer: Layer | Input, names: Names) -> None:
        if isinstance(layer, Input):
            if self._layers or self._n_in is not None:
                raise ValueError("an Input comes first, and once: it is the width of X")
            self._n_in = layer.n_in
            return
        if not isinstance(layer, Layer):
            raise TypeError(f"a model is made of fastdense layers, got {layer!r}")
        layer.name = layer.name or names.free(layer.default_name)
        taken = names.taken.get(layer.name)
        if taken is layer:
            raise ValueError(f"layer {layer.name!r} is in this model already")
        if taken is not None:
            raise ValueError(f"two layers are named {layer.name!r}: names must differ within a model")
        if self.built:
            self._join([layer], len(self._layers), widths(self._n_in, self._layers)[1])
        elif not self._layers:
            width = self._n_in or layer.n_in or layer.declared_n_in
            if width is not None:
                self._join([layer], 0, width)
            self._n_in = width
        self._layers.append(layer)
        names.taken[layer.name] = layer

    def pop(self) -> Layer:
        """Remove and return the last layer."""
        sharing.check_free([self], "pop", within=False)
        if not self._layers:
            raise ValueError("there is no layer to remove")
        return self._layers.pop()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or its place."""
        if index is not None:
            return self._layers[index]
        for layer in self._layers:
            if layer.name == name:
                return layer
        names = ", ".join(repr(layer.name) for layer in self._layers)
        raise ValueError(f"there is no layer {name!r}; the layers are {names or 'none'}")

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Fix the input's width, ``input_shape = (None, n_in)`` or ``(n_in,)``, and create the weights."""
        if not self._layers:
            raise NotBuiltError("the model has no layers yet: add some first")
        if not isinstance(input_shape, tuple | list) or len(input_shape) not in (1, 2):
            raise ShapeError(f"build takes (None, n_in), got {input_shape!r}")
        n_in = whole("n_in", input_shape[-1], 1)
        if self._n_in not in (None, n_in):
            raise ShapeError(f"the model's input has {self._n_in} columns already, not {n_in}")
        if not self.built:
            self._join(self._layers, 0, n_in, [(self, "_n_in", n_in)])

    @property
    def weights(self) -> list[Array]:
        """All layers' arrays in order, read-only and not copied."""
        return [array for arrays in self.snapshot().arrays for array in arrays]

    @property
    def trainable_weights(self) -> list[Array]:
        """The arrays that training changes, in order, read-only and not copied."""
        return [array for layer in self._layers for array in layer.trainable_weights]

    def get_weights(self) -> list[Array]:
        """Return copies of all layers' arrays in order."""
        return [array.copy() for array in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Replace all layers' arrays at once: no thread and no Ctrl-C finds some of the old and some new.

        Raises
        ------
        NotBuiltError
            There are no weights yet.
        ShapeError
            There are more or fewer arrays than the model has, or a shape differs; nothing is changed.
        BusyError
            The model is training in another thread; nothing is changed.
        """
        if not self.built:
            raise NotBuiltError("the model has no weights yet: give it an Input, or call build or fit")
        if len(weights) != len(self.weights):
            raise ShapeError(f"the model has {len(self.weights)} arrays of weights, got {len(weights)}")
        rest = iter(weights)
        new = [(layer, [next(rest) for _ in layer.weights]) for layer in self._layers]
        changes = [layer.changes(layer.taken(own)) for layer, own in new]
        sharing.replace([*chain.from_iterable(changes)], "set_weights")

    def count_params(self) -> int:
        """Return how many numbers the model's weights hold."""
        return sum(layer.count_params() for layer in self._layers)

    def predictor(self) -> Callable[..., Array]:
        """Return ``predict(X, out=None)`` for the weights of now: ask for it again at each call."""
        engine = self.engine
        placed = engine if engine == "auto" else engines.placed(engine)  # "auto" is placed as it is: no call
        made_from = (self.table, placed, *[layer.version for layer in self._layers])
        found: Callable[..., Array] | None = self._programs.current("predict", made_from)
        if found is not None:
            return found
        if not self.built:
            return self._build_and_predict
        now = self.snapshot()
        return self._programs.get("predict", now.made_from, now.predictor)

    def freeze(self) -> FrozenModel:
        """Return a model that only predicts, with the weights of now, at the least cost per call.

        Returns
        -------
        FrozenModel
            Independent of this model; safe to share between threads and to send to other processes.
        """
        return self.snapshot().freeze()

    def as_input(self, X: Any, name: str = "X") -> Any:
        """Return ``X`` as a matrix of the model's dtype and width, building the model if it is not built.

        A vector is taken as one column if the model's input has one or is not known. Nothing is copied that
        already is a matrix of that dtype. Arrays of the engine's own library stay on their device.

        Raises
        ------
        ShapeError, DtypeError, EngineError
        """
        return self._matrix(X, name, centred=False)

    def as_rows(self, X: Any, name: str = "X") -> Any:
        """Return ``X`` as the rows that `program` takes: those of `as_input`, less `centre`.

        That is subtracted in float64, before the rows are rounded to the model's dtype.
        """
        return self._matrix(X, name, centred=True)

    @property
    def centre(self) -> Array | None:
        """What is subtracted from rows in float64 before the program takes them, None for nothing.

        A float32 model that starts with a `Normalization` has one if a column's mean is too large against its
        deviation for float32 to hold both.
        """
        return self.snapshot().centre

    @property
    def takes_missing(self) -> int:
        """How many of its input's columns, from the first on, may hold NaN: the first layer decides."""
        return self._layers[0].spec(0).takes_missing if self._layers else 0

    def network(self) -> NetworkSpec:
        """Return the network as engines are given it."""
        return self.snapshot().network()

    def parameters(self) -> list[tuple[Array, ...]]:
        """Return the arrays that go with `network`, one tuple per layer of it; read-only, not copied."""
        return self.snapshot().parameters()

    def layer_names(self) -> list[str]:
        """Return the names that go with `network`; an activation that joins a layer has that layer's."""
        return [str(layer.name) for layer, _ in plan(self._layers)]

    def program(self, training: TrainingSpec | None = None) -> Program:
        """Return a new program with the weights of now, for training if ``training`` is given."""
        return self.snapshot().program(training)

    def snapshot(self) -> Snapshot:
        """Return the layers with their arrays and versions, all of one moment."""
        return self._read([])[0]

    def _read(self, also: Sequence[tuple[object, str]]) -> tuple[Snapshot, tuple[Any, ...]]:
        """Return a snapshot and other attributes of the same moment."""
        layers = tuple(self._layers)
        count, names = len(layers), ("arrays", "version")
        found = sharing.read([*((layer, name) for name in names for layer in layers), *also])
        own = self.name, self._n_in, self.dtype, self.engine, self.table
        return Snapshot(*own, layers, found[:count], found[count : 2 * count]), found[2 * count :]

    def _build_and_predict(self, X: Any, out: Any = None) -> Any:
        """Predict with a model whose width these rows decide."""
        self.as_input(X)
        return self.predictor()(X, out)

    def _matrix(self, X: Any, name: str, centred: bool) -> Any:
        inputs = self.snapshot().inputs(centred)
        A_in = inputs.array(X, name)
        if (inputs.n_in is None or not self.built) and len(A_in.shape) == 2:
            self.build(tuple(A_in.shape))
            inputs = self.snapshot().inputs(centred)
            A_in = inputs.array(X, name)  # again, as a layer that is built may centre it
        inputs.check(A_in, name)
        return inputs.centred(A_in)

    def _join(self, layers: Sequence[Layer], place: int, width: int, also: Sequence[Change] = ()) -> None:
        """Build layers, the first of them at ``place``, and make other changes, once all are found to fit.

        Those built before, shared with another model or by another thread, are kept.
        """
        widths = self._fitting(layers, width)
        new = {
            layer: layer.drawn(widths[i], generator(self.seed, WEIGHTS, place + i), self.dtype)
            for i, layer in enumerate(layers)
            if not layer.built
        }
        with sharing.undisturbed():
            self._fitting(layers, width)
            changes = [
                layer.changes(new[layer], widths[i], fresh=True)
                for i, layer in enumerate(layers)
                if not layer.built
            ]
            sharing.replace([*chain.from_iterable(changes), *also], None)  # every thread builds the same

    def _fitting(self, layers: Sequence[Layer], width: int) -> list[int]:
        """Return the widths of the layers' inputs, and of the last one's output; an error if one differs."""
        widths = [width]
        for layer in layers:
            layer.check_input(widths[-1])
            if layer.dtype not in (None, self.dtype):
                raise DtypeError(
                    f"layer {layer.name!r} has weights of {layer.dtype} already, but the model computes in "
                    f"{self.dtype}"
                )
            widths.append(layer.units_for(widths[-1]))
        return widths
