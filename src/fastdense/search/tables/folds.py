"""The rows of a table in folds, each encoded by what its own training rows say."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fastdense.core.arrays import Array
from fastdense.core.streams import FOLDS, generator
from fastdense.errors import TableError, TableWarning
from fastdense.tables import Table
from fastdense.tables.frames import Frame
from fastdense.tables.targets import Classes, Target
from fastdense.training.sample import Sample

__all__ = ["Fold", "deal", "folds_of"]


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to train on and rows held out, as matrices that all candidates share.

    Attributes
    ----------
    table : Table
        Learned from these; only the list of classes is that of all rows.
    training : Sample
        The rows to train on.
    X, y : array
        The rows held out, as ``table.features`` and ``table.targets`` return them.
    """

    table: Table
    training: Sample
    X: Array
    y: Array


def deal(strata: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Return every row's fold, from 0: folds are of one size, and so are their parts of each stratum.

    Parameters
    ----------
    strata : int64 array of shape (m,)
    count : int
    seed : int
    """
    shuffled = generator(seed, FOLDS).permutation(len(strata))
    by_stratum = shuffled[np.argsort(strata[shuffled], kind="stable")]
    fold = np.empty(len(strata), dtype=np.int64)
    fold[by_stratum] = np.arange(len(strata)) % count
    return fold


def folds_of(rows: Frame, target: Target, count: int, seed: int, types: dict[str, str] | None) -> list[Fold]:
    """Return the folds of rows.

    Parameters
    ----------
    rows : Frame
        That all have a target.
    target : Classes or Scale
        Learned from them all.
    count : int
    seed : int
    types : dict of column name to kind, optional

    Raises
    ------
    TableError
        There are too few rows, or a fold's rows cannot be learned from.
    """
    if len(rows) < 2 * count:
        raise TableError(
            f"cv={count} needs at least {2 * count} rows that are not for the test, got {len(rows)}"
        )
    column = rows.column(target.name)
    strata = target.encode(column) if isinstance(target, Classes) else np.zeros(len(rows), dtype=np.int64)
    number = deal(strata, count, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TableWarning)  # said of the whole table already
        return [
            _fold(
                rows.take(np.flatnonzero(number != k)), rows.take(np.flatnonzero(number == k)), target, types
            )
            for k in range(count)
        ]


def _fold(training: Frame, held_out: Frame, target: Target, types: dict[str, str] | None) -> Fold:
    table = Table.learn(training, target.name, task=target.task, types=types)
    if isinstance(target, Classes):  # a class may have rows in one fold only
        table = replace(table, target=target)
    sample = Sample(table.features(training), table.targets(training))
    return Fold(table, sample, table.features(held_out), table.targets(held_out))
