"""What a layer is: its name, its width, its weights, and what engines are given of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from fastdense import engines
from fastdense.core import sharing
from fastdense.core.arrays import Array
from fastdense.core.checks import LARGEST, as_array, finite, one_of, optional, text, whole
from fastdense.core.config import Configurable, Family
from fastdense.core.parameters import parameter
from fastdense.core.shapes import check_product
from fastdense.core.sharing import Change, Versioned
from fastdense.core.spec import LayerSpec, NetworkSpec
from fastdense.core.streams import WEIGHTS, generator, new_seed
from fastdense.errors import NotBuiltError, ShapeError
from fastdense.layers.variables import Variables

__all__ = ["FAMILY", "INPUT_SHAPE", "NAME", "Input", "Layer", "per_column"]

NAME = parameter(
    optional(lambda _, name: text("a layer's name", name)),
    "None leaves the naming to the model.",
    default=None,
)
INPUT_SHAPE = parameter(
    lambda _, shape: shape,
    "``(n_in,)``, for a first layer without an `Input` before it.",
    default=None,
    kind="tuple of one int",
)


class Input:
    """The width of a network's input, given as the first of its layers.

    Parameters
    ----------
    shape : tuple of one int
        ``(n_in,)``: the columns of ``X``.
    name : str, optional
        Accepted for scripts that give one; inputs are not named here.
    batch_size : int, optional
        Without effect: batches may be of any size.
    dtype : "float32" or "float64", optional
        Without effect: rows are converted to the model's dtype.
    """

    def __init__(
        self,
        shape: Sequence[int],
        name: str | None = None,
        *,
        batch_size: int | None = None,
        dtype: str | None = None,
    ) -> None:
        if batch_size is not None:
            whole("batch_size", batch_size, 1)
        if dtype is not None:
            one_of("dtype", dtype, ("float32", "float64"))
        self.n_in = _width(shape)
        self.name = name

    def __repr__(self) -> str:
        return f"Input(({self.n_in},))"


class Layer(Variables, Configurable, Versioned):
    """Base of the layers.

    Parameters
    ----------
    name : str, optional
        None leaves the naming to the model.
    input_shape : tuple of one int, optional
        ``(n_in,)``, for a first layer without an `Input` before it.

    Attributes
    ----------
    name : str or None
        None until the layer joins a model, which then names it.
    fresh : bool
        Whether its weights are still the first ones, as the seed of its model drew them.
    n_in : int or None
        Columns of the input, None until known.
    """

    weight_dtypes: ClassVar[Mapping[str, str]] = {}
    """The dtypes of the arrays that are not in their model's."""

    def __init__(self, name: str | None = None, input_shape: Sequence[int] | None = None) -> None:
        self.name = NAME.check("name", name)
        self.__post_init__(input_shape)

    def keep(self, values: Mapping[str, Any]) -> None:
        """Set attributes together: each on its own would give the layer another version."""
        sharing.replace([(self, name, value) for name, value in values.items()], None)

    def __post_init__(self, input_shape: Sequence[int] | None = None) -> None:
        self.declared_n_in = None if input_shape is None else _width(input_shape)
        self.n_in: int | None = None
        self.arrays: tuple[Array, ...] = ()
        self.fresh = True

    @property
    def built(self) -> bool:
        """Whether the layer knows its input and has its weights."""
        return self.n_in is not None

    @property
    def n_units(self) -> int | None:
        """Columns of the output; None until known."""
        return None if self.n_in is None else self.units_for(self.n_in)

    def units_for(self, n_in: int) -> int:
        """Return the columns of the output for an input of ``n_in`` columns."""
        return n_in

    @property
    def dtype(self) -> str | None:
        """What the layer computes in; None if its weights do not tie it to one."""
        return str(self.arrays[0].dtype) if self.arrays and not self.weight_dtypes else None

    @property
    def weights(self) -> list[Array]:
        """The layer's arrays, read-only and not copied; `set_weights` replaces them."""
        return list(self.arrays)

    def weight_shapes(self, n_in: int) -> dict[str, tuple[int, ...]]:
        """Return the names and shapes of the arrays for an input of ``n_in`` columns, in order."""
        return {}

    def initial(self, n_in: int, rng: np.random.Generator, dtype: str) -> list[Array]:
        """Return the arrays that a new layer starts with, in the order of `weight_shapes`."""
        return []

    def build(self, n_in: int, rng: np.random.Generator, dtype: str = "float32") -> None:
        """Create the weights for inputs of ``n_in`` columns."""
        width = whole("the width of the input", n_in, 1)
        self.check_input(width)
        sharing.replace(self.changes(self.drawn(width, rng, dtype), width, fresh=True), "build")

    def drawn(self, n_in: int, rng: np.random.Generator, dtype: str) -> list[Array]:
        """Return what `initial` gives, ShapeError if no memory could hold it."""
        for weight, shape in self.weight_shapes(n_in).items():
            if math.prod(shape) > LARGEST // 8:
                raise ShapeError(
                    f"layer {self.name!r}: its {weight} of shape {shape} is larger than any memory"
                )
        return self.initial(n_in, rng, dtype)

    def restore(self, n_in: int, arrays: Sequence[Array]) -> None:
        """Build the layer with arrays of the shapes that `weight_shapes` gives; they are not copied."""
        self.check_input(n_in)
        sharing.replace(self.changes(arrays, n_in), "restore")

    def check_input(self, n_in: int) -> None:
        """Raise ShapeError if the layer was declared, or built already, for inputs of another width."""
        if self.declared_n_in not in (None, n_in):
            raise ShapeError(
                f"layer {self.name!r} was declared with input_shape=({self.declared_n_in},), but its input "
                f"has {n_in} columns"
            )
        if self.n_in is not None:
            self._check_product("A_in", ("m", n_in))

    def get_weights(self) -> list[Array]:
        """Return copies of the layer's arrays."""
        return [array.copy() for array in self.arrays]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Replace the layer's arrays, all at once.

        Raises
        ------
        ShapeError
            There are more or fewer arrays than the layer has, or a shape differs; nothing is changed.
        BusyError
            A model that has the layer is training in another thread; nothing is changed.
        """
        sharing.replace(self.changes(self.taken(weights)), "set_weights")

    def taken(self, weights: Sequence[ArrayLike]) -> list[Array]:
        """Return copies of arrays as the layer would hold them, checked; see `set_weights`."""
        if not self.built:
            raise NotBuiltError(f"layer {self.name!r} has no weights yet: its input width is not known")
        if len(weights) != len(self.arrays):
            raise ShapeError(
                f"layer {self.name!r} has {len(self.arrays)} arrays of weights, got {len(weights)}"
            )
        new = []
        for name, old, value in zip(self.weight_shapes(self.n_in or 0), self.arrays, weights, strict=True):
            array = np.asarray(value) if old.dtype.kind == "i" else as_array(name, value, str(old.dtype))
            if array.shape != old.shape:
                hint = ": pass its transpose" if array.T.shape == old.shape else ""
                raise ShapeError(
                    f"layer {self.name!r}: {name} has shape {old.shape}, got an array of {array.shape}{hint}"
                )
            new.append(array.astype(old.dtype, copy=True))
        return new

    def changes(self, arrays: Sequence[Array], n_in: int | None = None, fresh: bool = False) -> list[Change]:
        """Return what ``fastdense.core.sharing.replace`` makes to give the layer arrays of the right shapes.

        The arrays are not copied, and can't be written to from now on. Their input's width is ``n_in``, or as
        before.
        """
        for array in arrays:
            array.flags.writeable = False
        new: dict[str, Any] = {"arrays": tuple(arrays), "fresh": fresh}
        if n_in is not None:
            new["n_in"] = n_in
        return [(self, name, value) for name, value in new.items()]

    def count_params(self) -> int:
        """Return how many numbers the layer's weights hold."""
        return sum(array.size for array in self.arrays)

    def spec(self, stream: int) -> LayerSpec:
        """Return what engines are given; ``stream`` is the layer's place in its model."""
        raise TypeError(f"{type(self).__name__} does not compute: use one of its subclasses")

    def parameters(self, arrays: tuple[Array, ...]) -> tuple[Array, ...]:
        """Return the arrays that go with `spec`, made from the layer's own."""
        return arrays

    def __call__(self, X: ArrayLike) -> Array:
        """Return the layer's output for a matrix, one example per row, as in prediction."""
        A_in = as_array("X", X, self.dtype or "float32")
        if A_in.ndim != 2:
            raise ShapeError(f"a layer is called on a matrix, one example per row; got shape {A_in.shape}")
        if not self.built:
            self.build(A_in.shape[1], generator(new_seed(), WEIGHTS))
            self.fresh = False
        assert self.n_in is not None
        self._check_product("X", A_in.shape)
        network = NetworkSpec(self.n_in, (self.spec(0),), str(A_in.dtype))
        out = np.empty((len(A_in), network.n_out), A_in.dtype)
        with np.errstate(all="ignore"):
            program = engines.choose().compile(network, [self.parameters(self.arrays)])
            output: Array = program.predict(A_in, out)
        return output

    def _check_product(self, left: str, shape: Sequence[int | str]) -> None:
        kernel = (self.n_in or "n_in", self.n_units or "n_in")
        owner = f"layer {self.name or self.default_name!r}"
        fix = "a built layer keeps its input's width: use a new one for another width"
        check_product(left, shape, "W", kernel, owner=owner, owned=True, fixes=[fix])

    def _check_columns(self, n_in: int, **values: Any) -> None:
        """Raise ShapeError if an argument that may be a list does not have one number per column."""
        for name, value in values.items():
            if isinstance(value, list) and len(value) != n_in:
                raise ShapeError(
                    f"layer {self.name!r}: its {name} has {len(value)} columns, but its input has {n_in}"
                )


FAMILY: Family[Layer] = Family("layer")


def per_column(owner: str, name: str, value: object) -> Any:
    """Return a number or a list of one per column, as JSON can hold them, checked to be finite."""
    array = as_array(name, value, "float64")
    finite(name, np.atleast_1d(array))
    if array.ndim > 1:
        raise ShapeError(f"{owner}: {name} must be a number or one per column, got shape {array.shape}")
    return array.tolist()


def _width(shape: Sequence[int] | int) -> int:
    """Return ``n`` of an input shape ``(n,)``."""
    sizes = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    if len(sizes) != 1:
        raise ShapeError(
            f"an input shape is (n_in,), the columns of X, got {sizes}: flatten each example to one row first"
        )
    return whole("the width of an input shape", sizes[0], 1)
