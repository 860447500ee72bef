"""Every engine against the reference on networks drawn at random, and the native one on every build.

`make fuzz` draws fifty times as many.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from fastdense.engines import choose
from fastdense.native import runnable_isas
from fastdense.native.program import NativeEngine
from tests.compare import assert_identical, assert_within
from tests.drawn import drawn
from tests.fuzz import TIMES
from tests.runs import compiled, state

SEEDS = range(40 * TIMES)
ENGINES = {"array": choose("array"), **{isa: NativeEngine(isa) for isa in runnable_isas()}}
# Rounding errors in float64, carried through a dozen layers and steps; wrong code is off by a percent.
TOLERANCE = {"float64": 1e-8, "float32": 2e-3}


def everything(engine, case, X=None):
    """Return all that a user can see of a program: before a training of two epochs, of it, and after it.

    ``X`` replaces the case's own rows.
    """
    data, program = case.data(), compiled(engine, case)
    data = data if X is None else replace(data, X=X)
    outputs = np.full((case.rows, case.network.n_out), np.nan, case.dtype)
    found = [program.predict(data.X), program.losses(data.X, data.y, outputs), outputs]
    loss, gradients = program.gradients(data.X, data.y, data.sample_weight)
    found += [np.array(loss), *gradients, np.array(program.penalty())]
    for epoch in range(2):
        room = np.zeros((case.rows, case.network.n_out), case.dtype)
        first = epoch * case.steps_per_epoch
        found += [program.train(case.batches(data, epoch), case.learning_rates(first), first, room), room]
    return [*found, *state(program), program.predict(data.X), np.array(program.steps)]


@cache
def expected(seed, dtype):
    with np.errstate(all="ignore"):
        return everything(choose("reference"), drawn(seed, dtype))


def overflows(results, dtype):
    largest = max(np.abs(each[np.isfinite(each)]).max(initial=0.0) for each in results)
    return largest > np.finfo(dtype).max


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("engine", ENGINES)
def test_fuzz_against_the_reference(engine, dtype):
    for seed in SEEDS:
        case, wanted = drawn(seed, dtype), expected(seed, dtype)
        if overflows(wanted, dtype):  # only the reference, which computes in float64, has numbers for it
            continue
        with np.errstate(all="ignore"):
            found = everything(ENGINES[engine], case)
        for i, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
            scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=1.0)
            assert_within(ours, theirs, TOLERANCE[dtype] * scale, f"{engine}, {case.name}, result {i}")


@pytest.mark.parametrize("isa", runnable_isas())
def test_fuzz_sparse_rows(isa):
    """Rows that are mostly zeros have the bits of the same rows in full."""
    csr_array = pytest.importorskip("scipy.sparse").csr_array
    for seed in SEEDS:
        case = drawn(seed, "float32")
        kept = np.random.default_rng(seed).random((case.rows, case.network.n_in)) < 0.3
        X = np.where(kept, case.data().X, np.float32(0))
        with np.errstate(all="ignore"):
            wanted = everything(NativeEngine(isa), case, X)
            found = everything(NativeEngine(isa), case, csr_array(X))
        for i, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
            assert_identical(ours, theirs, f"{isa}, {case.name}, result {i}")
