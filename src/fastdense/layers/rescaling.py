"""The layer that multiplies by a number and adds one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar
from functools import partial
from typing import Any

import numpy as np

from fastdense.core.arrays import Array
from fastdense.core.parameters import parameter
from fastdense.core.spec import ScaleSpec
from fastdense.layers.base import FAMILY, INPUT_SHAPE, NAME, Layer, per_column

__all__ = ["Rescaling"]


@FAMILY.add()
class Rescaling(Layer):
    """Multiply and shift: ``A_out = A_in * scale + offset``, as of pixels by ``Rescaling(1 / 255)``.

    The engines compute ``(A_in + offset / scale) / (1 / scale)``, which differs in the last digit.
    """

    scale: Any = parameter(
        partial(per_column, "Rescaling"), "Not 0.", kind="float or sequence of one per column"
    )
    offset: Any = parameter(
        partial(per_column, "Rescaling"),
        "Added after the product.",
        default=0.0,
        kind="float or sequence of one per column",
    )
    name: str | None = NAME
    input_shape: InitVar[Sequence[int] | None] = INPUT_SHAPE

    def __post_init__(self, input_shape: Sequence[int] | None = None) -> None:
        super().__post_init__(input_shape)
        if not np.all(self.scale):
            raise ValueError("Rescaling: scale must not be 0, which would make every row the same")

    def check_input(self, n_in: int) -> None:
        """Raise ShapeError also if the scale or offset is of another number of columns."""
        super().check_input(n_in)
        self._check_columns(n_in, scale=self.scale, offset=self.offset)

    def spec(self, stream: int) -> ScaleSpec:
        """Return the width."""
        assert self.n_in is not None
        return ScaleSpec(self.n_in)

    def parameters(self, arrays: tuple[Array, ...]) -> tuple[Array, ...]:
        """Return what is subtracted and what is divided by."""
        assert self.n_in is not None
        scale, offset = (np.broadcast_to(value, self.n_in) for value in (self.scale, self.offset))
        return -offset / scale, 1.0 / scale
