"""Random numbers: every use has its own stream, found from the model's seed, so that runs repeat exactly."""

from __future__ import annotations

import secrets

import numpy as np

from fastdense.core.checks import whole

__all__ = ["CANDIDATES", "FOLDS", "HELD_OUT", "NETWORKS", "ORDER", "WEIGHTS"]
__all__ += ["check_seed", "generator", "new_seed", "set_random_seed"]

WEIGHTS = 0
"""Streams of initial weights, one for every layer."""
ORDER = 1
"""Streams of row orders, one for every epoch, numbered by the step that the epoch starts at."""

HELD_OUT = 2
"""The stream that chooses the rows of a table to hold out."""

FOLDS = 3
"""The stream that deals the rows of a table to folds."""

CANDIDATES = 4
"""The stream that a search of a table draws its candidates from."""

NETWORKS = 5
"""The streams of the seeds of networks that are trained together, one for every network."""

_session: list[np.random.Generator] = []


def generator(seed: int, *stream: int) -> np.random.Generator:
    """Return the generator of one stream of ``seed``: independent of every other stream's.

    The bits are Philox4x64-10's (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011),
    seeded through NumPy's SeedSequence, both of which NumPy promises not to change.
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=stream)))


def check_seed(seed: int | None) -> int:
    """Return ``seed`` if it is a 64-bit unsigned integer, a new one for None."""
    return new_seed() if seed is None else whole("seed", seed, 0, 2**64 - 1)


def new_seed() -> int:
    """Return a seed for a model that was given none: unpredictable, unless `set_random_seed` was called."""
    return int(_session[0].integers(2**63)) if _session else secrets.randbits(63)


def set_random_seed(seed: int) -> None:
    """Make the seeds of models that are given none repeatable from here on.

    Parameters
    ----------
    seed : int
        At least 0 and below 2**64.
    """
    _session[:] = [generator(whole("seed", seed, 0, 2**64 - 1))]
