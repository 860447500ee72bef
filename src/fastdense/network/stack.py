"""Layers one after another: their building, their weights, and their compilation for an engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from weakref import ref

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastdense import engines
from fastdense.checks import one_of, text, whole
from fastdense.engines import Library, Program
from fastdense.errors import DtypeError, NotBuiltError, ShapeError
from fastdense.network.frozen import FrozenModel, Inputs, predict_checked
from fastdense.network.layers import Activation, Dense, Input, Layer
from fastdense.network.normalization import Normalization
from fastdense.spec import DenseSpec, LayerSpec, NetworkSpec, TrainingSpec
from fastdense.streams import WEIGHTS, check_seed, generator

__all__ = ["Stack"]

Array = NDArray[Any]


class Compiled(NamedTuple):
    """A program, its quickest way in, and the layers' stamps at the time: whether it is still theirs."""

    program: Program
    predict: Callable[..., Array]
    stamps: tuple[object, ...]


class Otherwise:
    """Predicts for what the program's quickest way does not take.

    It holds its model by a weak reference, as what the model holds must not hold the model.
    """

    def __init__(self, model: Stack) -> None:
        self._model = ref(model)

    def __call__(self, X: Any, out: Any = None) -> Any:
        """Return the model's outputs for ``X``."""
        return self._alive()._predict_otherwise(X, out)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Stack]]:
        """Become the `predictor` of a copy of the model where it is unpickled."""
        return Stack.predictor, (self._alive(),)

    def _alive(self) -> Stack:
        model = self._model()
        if model is None:
            raise ReferenceError("the model that this predictor is of is gone: keep it, or freeze() it")
        return model


class Names:
    """The names that a model's layers have taken, and the next free ones."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.taken = {layer.name: layer for layer in layers}
        self._numbers: Counter[str] = Counter()  # below which all are taken, of each stem

    def free(self, stem: str) -> str:
        """Return the stem, or the first of ``stem_1``, ``stem_2``... that is free."""
        while (name := f"{stem}_{number}" if (number := self._numbers[stem]) else stem) in self.taken:
            self._numbers[stem] += 1
        return name


class Stack:
    """A network as a list of layers, without its training.

    Parameters
    ----------
    layers : sequence of Layer, optional
        An `Input` may come first; without one the width of the first data decides.
    name : str
    seed : int, optional
        Decides the initial weights, the order of rows in training and the dropout masks; None chooses one
        (kept in `seed`, so that the model can still be made again; `drawn_seed` holds it too, which says that
        nobody gave it).
    dtype : "float32" or "float64"
        What weights and activations are computed in.
    engine : str or Library
        What computes: see `fastdense.engines.choose`.
    """

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
        engines.library_of(engine)  # which raises where there is none of that name
        self.engine = engine
        self._layers: list[Layer] = []
        self._n_in: int | None = None
        self.table: Any = None
        self._compiled: Compiled | None = None
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
        return (None, self._widths()[0])

    @property
    def output_shape(self) -> tuple[None, int]:
        """``(None, n_out)``."""
        return (None, self._widths()[1])

    def add(self, layer: Layer | Input) -> None:
        """Append a layer, built at once where its input's width is known; on an error nothing is changed."""
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
            self._join([layer], len(self._layers), self._widths()[1])
        elif not self._layers:
            width = self._n_in or layer.n_in or layer.declared_n_in
            if width is not None:
                self._join([layer], 0, width)
            self._n_in = width
        self._layers.append(layer)
        names.taken[layer.name] = layer

    def pop(self) -> Layer:
        """Remove and return the last layer."""
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
            self._join(self._layers, 0, n_in)
            self._n_in = n_in

    @property
    def weights(self) -> list[Array]:
        """All layers' arrays in order, read-only and not copied."""
        return [array for layer in self._layers for array in layer.weights]

    def get_weights(self) -> list[Array]:
        """Return copies of all layers' arrays in order."""
        return [array.copy() for array in self.weights]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Replace all layers' arrays; on an error nothing is changed."""
        if not self.built:
            raise NotBuiltError("the model has no weights yet: give it an Input, or call build or fit")
        if len(weights) != len(self.weights):
            raise ShapeError(f"the model has {len(self.weights)} arrays of weights, got {len(weights)}")
        old, rest = self.get_weights(), list(weights)
        try:
            self._set(rest)
        except Exception:
            self._set(list(old))
            raise

    def count_params(self) -> int:
        """Return how many numbers the model's weights hold."""
        return sum(layer.count_params() for layer in self._layers)

    def predictor(self) -> Callable[..., Array]:
        """Return ``predict(X, out=None)``, to be asked for anew at each call: it is of the weights of now."""
        if self._compiled is not None and self._compiled.stamps == self.stamps():
            return self._compiled.predict
        return self._compile().predict if self.built else self._predict_otherwise

    def freeze(self) -> FrozenModel:
        """Return a model that only predicts, with the weights of now, at the least cost a call.

        Returns
        -------
        FrozenModel
            Independent of this model; safe to share between threads and to send to other processes.
        """
        return FrozenModel(self.network(), self._centred_parameters(), self._inputs())

    def as_input(self, X: Any, name: str = "X") -> Any:
        """Return ``X`` as a matrix of the model's dtype and width, building the model where it is not.

        A vector is taken as one column where the model's input has one or is not known. Nothing is copied
        that already is a matrix of that dtype. Arrays of the engine's own library stay on their device.

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

        A float32 model that starts with a `Normalization` has one if a column's mean is so many deviations
        that float32 cannot hold both.
        """
        first = self._layers[0] if self._layers and self.built else None
        return first.centre() if isinstance(first, Normalization) and self.dtype == "float32" else None

    def network(self) -> NetworkSpec:
        """Return what the engines are told of the whole network."""
        n_in, _ = self._widths()
        return NetworkSpec(n_in, tuple(spec for _, spec in self._plan()), self.dtype)

    def program(self, training: TrainingSpec | None = None, slots: engines.Slots | None = None) -> Program:
        """Return a new program, for training where ``training`` is given, that starts from the weights."""
        with np.errstate(over="ignore"):  # statistics beyond float32 are infinite in it, as such data are
            return engines.choose(self.engine).compile(
                self.network(), self._centred_parameters(), training, slots
            )

    def stamps(self) -> tuple[object, ...]:
        """Return what changes whenever a layer's weights are replaced, or the engine."""
        return (engines.placed(self.engine), *[layer.stamp for layer in self._layers])

    def adopt(self, parameters: engines.Parameters) -> None:
        """Take over trained parameters, as a program hands them back; the arrays are not copied."""
        for (layer, spec), of_layer in zip(self._plan(), parameters, strict=True):
            if isinstance(spec, DenseSpec):
                layer.adopt(of_layer)

    def _compile(self) -> Compiled:
        # The stamps first: weights that another thread puts in meanwhile make the program stale, not wrong.
        stamps, program = self.stamps(), self.program()
        otherwise = Otherwise(self)
        predict = program.predictor(otherwise) if self.centre is None else otherwise
        self._compiled = Compiled(program, predict, stamps)
        return self._compiled

    def _predict_otherwise(self, X: Any, out: Any = None) -> Any:
        """Predict for what the program's quickest way does not take."""
        A_in = self.as_rows(X)
        current = self._compiled is not None and self._compiled.stamps == self.stamps()
        compiled = self._compiled if current and self._compiled is not None else self._compile()
        return predict_checked(compiled.program, A_in, out, self._widths()[1], self.dtype)

    def _matrix(self, X: Any, name: str, centred: bool) -> Any:
        inputs = self._inputs(centred)
        A_in = inputs.array(X, name)
        if not self.built and len(A_in.shape) == 2:
            self.build(tuple(A_in.shape))
            inputs = self._inputs(centred)
            A_in = inputs.array(X, name)  # again, as a layer that is built may centre it
        inputs.check(A_in, name)
        return inputs.centred(A_in)

    def _centred_parameters(self) -> list[tuple[Array, ...]]:
        """Return the arrays that go with `network` for rows less `centre`."""
        parameters, centre = self.parameters(), self.centre
        if centre is not None:
            mean, deviation = parameters[0]
            parameters[0] = (mean - centre, deviation)
        return parameters

    def _inputs(self, centred: bool = True) -> Inputs:
        first = next((layer for layer in self._layers if isinstance(layer, Dense)), None)
        owner = f"model {self.name!r}" if first is None else f"layer {first.name!r}"
        n_units, centre = first.n_units if first else None, self.centre if centred else None
        return Inputs(self._n_in, n_units, owner, self.dtype, self.table, self.engine, centre)

    def _plan(self) -> list[tuple[Layer, LayerSpec]]:
        """Return every spec with its layer; an activation after a linear dense layer joins it."""
        plan: list[tuple[Layer, LayerSpec]] = []
        for i, layer in enumerate(self._layers):
            last = plan[-1][1] if plan else None
            if isinstance(layer, Activation) and isinstance(last, DenseSpec) and _is_linear(last):
                plan[-1] = (plan[-1][0], replace(last, activation=layer.activation.spec))
            else:
                plan.append((layer, layer.spec(i)))
        return plan

    def parameters(self) -> list[tuple[Array, ...]]:
        """Return the arrays that go with `network`, one tuple a layer of it; read-only, not copied."""
        return [layer.parameters() for layer, _ in self._plan()]

    def layer_names(self) -> list[str]:
        """Return the names that go with `network`; where an activation joins a layer, that layer's."""
        return [str(layer.name) for layer, _ in self._plan()]

    def _join(self, layers: Sequence[Layer], place: int, width: int) -> None:
        """Build layers, the first of them at ``place``, once all are found to fit.

        Those built before, or shared with another model, are kept.
        """
        widths = [width]
        for layer in layers:
            layer.check_input(widths[-1])
            if layer.dtype not in (None, self.dtype):
                raise DtypeError(
                    f"layer {layer.name!r} has weights of {layer.dtype} already, but the model computes in "
                    f"{self.dtype}"
                )
            widths.append(layer.n_units or widths[-1])
        for i, layer in enumerate(layers):
            if not layer.built:
                layer.build(widths[i], generator(self.seed, WEIGHTS, place + i), self.dtype)

    def _set(self, weights: list[ArrayLike]) -> None:
        for layer in self._layers:
            count = len(layer.weights)
            layer.set_weights(weights[:count])
            del weights[:count]

    def _widths(self) -> tuple[int, int]:
        if self._n_in is None or not self.built:
            raise NotBuiltError(
                "the model's shapes are not known yet: give it an Input, or call build or fit"
            )
        return self._n_in, self._layers[-1].n_units or self._n_in


def _is_linear(spec: DenseSpec) -> bool:
    return spec.activation.name == "linear"
