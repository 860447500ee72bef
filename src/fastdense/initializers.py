"""How weights start: Keras' initialisers, drawn in float64 so that every dtype starts from the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastdense.core.absent import Absent, stand_in
from fastdense.core.checks import above_zero, choice, from_zero, number, optional
from fastdense.core.config import Configurable, Family
from fastdense.core.parameters import parameter
from fastdense.core.streams import check_seed, generator

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "get",
]

# The standard deviation of a standard normal cut at 2 deviations: dividing by it restores variance 1.
TRUNCATED_DEVIATION = 0.87962566103423978


class Initializer(Configurable):
    """Base of the initialisers: ``initializer(shape)`` returns a new array."""

    def __call__(
        self, shape: tuple[int, ...], dtype: str = "float32", rng: np.random.Generator | None = None
    ) -> NDArray[Any]:
        """Return an array of ``shape`` and ``dtype``.

        Parameters
        ----------
        shape : tuple of int
            ``(n_in, n_units)`` for a kernel, ``(n_units,)`` for a bias.
        dtype : str
        rng : numpy.random.Generator, optional
            What a model hands over; an initialiser's own ``seed`` comes first, and without either the
            numbers are new at every call.
        """
        seed = getattr(self, "seed", None)
        if seed is not None or rng is None:
            rng = generator(check_seed(seed))
        return self.draw(tuple(shape), rng).astype(dtype)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return the numbers in float64."""
        raise TypeError(f"{type(self).__name__} does not say how to draw: use one of its subclasses")


FAMILY: Family[Initializer] = Family("initializer")
get = FAMILY.get

SEED = parameter(
    optional(lambda name, value: check_seed(value)),
    "At least 0 and below 2**64: the same numbers at every call. None leaves them to the model's seed.",
    default=None,
)


@FAMILY.add("zeros")
class Zeros(Initializer):
    """All zeros."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return zeros."""
        return np.zeros(shape)


@FAMILY.add("ones")
class Ones(Initializer):
    """All ones."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return ones."""
        return np.ones(shape)


@FAMILY.add("constant")
class Constant(Initializer):
    """All ``value``."""

    value: float = parameter(number, "What every number is.", default=0.0)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return ``value`` everywhere."""
        return np.full(shape, self.value)


@FAMILY.add("random_normal", "normal")
class RandomNormal(Initializer):
    """Normal with the given mean and standard deviation."""

    mean: float = parameter(number, "The mean.", default=0.0)
    stddev: float = parameter(from_zero, "The standard deviation, at least 0.", default=0.05)
    seed: int | None = SEED

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return normal numbers."""
        return rng.normal(self.mean, self.stddev, shape)


@FAMILY.add("truncated_normal")
class TruncatedNormal(RandomNormal):
    """Normal, with numbers beyond two standard deviations drawn again: what is left has 0.88 ``stddev``."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return truncated normal numbers."""
        return self.mean + self.stddev * _truncated(shape, rng)


@FAMILY.add("random_uniform", "uniform")
class RandomUniform(Initializer):
    """Uniform from ``minval`` to ``maxval``."""

    minval: float = parameter(number, "The least number.", default=-0.05)
    maxval: float = parameter(number, "The bound from above, at least ``minval``.", default=0.05)
    seed: int | None = SEED

    def __post_init__(self) -> None:
        number("maxval", self.maxval, minimum=self.minval)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return uniform numbers."""
        return rng.uniform(self.minval, self.maxval, shape)


_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")
_MODES = {"fan_in": lambda n, u: n, "fan_out": lambda n, u: u, "fan_avg": lambda n, u: (n + u) / 2}


def scaled(
    shape: tuple[int, ...], rng: np.random.Generator, scale: float, mode: str, distribution: str
) -> NDArray[np.float64]:
    """Return numbers of variance ``scale / fan``, so that a signal neither grows nor dies through a layer.

    ``fan`` is the count of a unit's inputs ("fan_in"), of its outputs ("fan_out") or their mean
    ("fan_avg"); a bias counts its own length as both.
    """
    variance = scale / max(1.0, _MODES[mode](shape[0], shape[-1]))
    match distribution:
        case "uniform":
            limit = math.sqrt(3.0 * variance)
            return rng.uniform(-limit, limit, shape)
        case "truncated_normal":
            return math.sqrt(variance) / TRUNCATED_DEVIATION * _truncated(shape, rng)
    return rng.normal(0.0, math.sqrt(variance), shape)


@FAMILY.add("variance_scaling")
class VarianceScaling(Initializer):
    """Variance ``scale / fan``."""

    scale: float = parameter(above_zero, "Above 0.", default=1.0)
    mode: str = parameter(
        choice(*_MODES),
        "``fan`` is a unit's inputs, its outputs, or their mean; a bias counts its length as both.",
        default="fan_in",
        kind="'fan_in', 'fan_out' or 'fan_avg'",
    )
    distribution: str = parameter(
        choice(*_DISTRIBUTIONS),
        "The truncated normal has no number beyond two standard deviations of the uncut one.",
        default="truncated_normal",
        kind="'truncated_normal', 'untruncated_normal' or 'uniform'",
    )
    seed: int | None = SEED

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return scaled numbers."""
        return scaled(shape, rng, self.scale, self.mode, self.distribution)


class _Scaled(Initializer):
    """A variance scaling with its numbers fixed: ``recipe`` is its scale, mode and distribution."""

    recipe: ClassVar[tuple[float, str, str]]
    seed: int | None = SEED

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return scaled numbers."""
        return scaled(shape, rng, *self.recipe)


@FAMILY.add("glorot_uniform")
class GlorotUniform(_Scaled):
    """Uniform within ``sqrt(6 / (n_in + n_units))`` of 0.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """

    recipe = (1.0, "fan_avg", "uniform")


@FAMILY.add("glorot_normal")
class GlorotNormal(_Scaled):
    """Truncated normal of variance ``2 / (n_in + n_units)``.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """

    recipe = (1.0, "fan_avg", "truncated_normal")


@FAMILY.add("he_uniform")
class HeUniform(_Scaled):
    """Uniform within ``sqrt(6 / n_in)`` of 0, for relu.

    References
    ----------
    He et al., "Delving deep into rectifiers", 2015.
    """

    recipe = (2.0, "fan_in", "uniform")


@FAMILY.add("he_normal")
class HeNormal(_Scaled):
    """Truncated normal of variance ``2 / n_in``, for relu.

    References
    ----------
    He et al., "Delving deep into rectifiers", 2015.
    """

    recipe = (2.0, "fan_in", "truncated_normal")


@FAMILY.add("lecun_uniform")
class LecunUniform(_Scaled):
    """Uniform within ``sqrt(3 / n_in)`` of 0.

    References
    ----------
    LeCun et al., "Efficient BackProp", 1998.
    """

    recipe = (1.0, "fan_in", "uniform")


@FAMILY.add("lecun_normal")
class LecunNormal(_Scaled):
    """Truncated normal of variance ``1 / n_in``, for selu.

    References
    ----------
    LeCun et al., "Efficient BackProp", 1998.
    """

    recipe = (1.0, "fan_in", "truncated_normal")


def _truncated(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return standard normal numbers, those beyond 2 drawn again until they are within."""
    values = rng.standard_normal(shape)
    outside = np.abs(values) > 2.0
    while outside.any():
        values[outside] = rng.standard_normal(int(outside.sum()))
        outside = np.abs(values) > 2.0
    return values


def __getattr__(name: str) -> Callable[[], Initializer] | type[Absent]:
    return FAMILY.aliases.get(name) or stand_in(__name__, name)
