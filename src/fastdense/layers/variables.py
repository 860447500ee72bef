"""Keras' names for a layer's or a model's weights: those that training changes, and the others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from fastdense.core.arrays import Array

__all__ = ["Variables"]


class Variables(ABC):
    """The lists of weights, as Keras sorts them, of what has `weights` and `trainable_weights`."""

    name: Any

    @property
    def trainable(self) -> bool:
        """Always true: nothing can be frozen."""
        return True

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not value:
            kind = "model" if hasattr(self, "layers") else "layer"
            raise ValueError(f"{kind} {self.name!r}: freezing layers is not supported, they all train")

    @property
    @abstractmethod
    def weights(self) -> list[Array]:
        """All arrays in order, read-only and not copied."""

    @property
    def trainable_weights(self) -> list[Array]:
        """The arrays that training changes, in order, read-only and not copied."""
        return self.weights

    @property
    def non_trainable_weights(self) -> list[Array]:
        """The other arrays: the statistics of `Normalization`."""
        trained = {id(array) for array in self.trainable_weights}
        return [array for array in self.weights if id(array) not in trained]

    @property
    def variables(self) -> list[Array]:
        """Keras' other name for `weights`."""
        return self.weights

    @property
    def trainable_variables(self) -> list[Array]:
        """Keras' other name for `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Array]:
        """Keras' other name for `non_trainable_weights`."""
        return self.non_trainable_weights
