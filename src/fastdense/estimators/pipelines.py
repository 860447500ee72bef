"""The steps of a pipeline before its last one, run once for all candidates that share them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from fastdense.estimators.sample import Latest, Sample

__all__ = ["Preprocessed"]


class Preprocessed:
    """Steps fitted to some rows of a sample, and what they make of these rows and of others.

    Parameters
    ----------
    steps : Pipeline
        They are cloned.
    sample : Sample
    train : int64 array

    Attributes
    ----------
    steps : Pipeline
        Fitted.
    sample : Sample
        The rows that they were fitted to, as they come out. Some steps give those another result when they
        are fitted than later, as a target encoder does, and that is what the network is fitted to.
    rows : int64 array
        Their numbers in it.
    """

    def __init__(self, steps: Pipeline, sample: Sample, train: NDArray[np.int64]) -> None:
        given = sample.part(train)
        self.steps: Pipeline = clone(steps)
        self.sample = Sample(self.steps.fit_transform(given.X, given.y), given.y, given.sample_weight)
        self.rows = np.arange(len(self.sample))
        self._given, self._others = sample, Latest(4)

    @classmethod
    def once(cls, steps: Pipeline, sample: Sample, train: NDArray[np.int64]) -> Preprocessed:
        """Return the steps for these rows, fitted if there are none with the same parameters."""
        return sample.preprocessed.get(_parameters(steps), train, lambda: cls(steps, sample, train))

    def part(self, numbers: NDArray[np.int64]) -> tuple[Sample, NDArray[np.int64]]:
        """Return other rows of the sample as they come out, and their numbers among these."""
        return self._others.get(None, numbers, lambda: self._part(numbers))

    def _part(self, numbers: NDArray[np.int64]) -> tuple[Sample, NDArray[np.int64]]:
        given = self._given.part(numbers)
        return Sample(self.steps.transform(given.X), given.y), np.arange(len(numbers))


def _parameters(steps: Pipeline) -> Any:
    """Return what is equal for steps that do the same: their pickle, or nothing else where there is none."""
    try:
        return pickle.dumps(clone(steps))
    except (pickle.PicklingError, AttributeError, TypeError):  # a function that has no name, for one
        return object()
