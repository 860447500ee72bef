"""Small networks trained in the lanes of vectors, against one by one: microseconds per step and network.

    python benchmarks/lanes.py [--quick]

Both run on one core, in turn, and the best of many rounds counts; both end with the same bits.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from report import table

from fastdense.core.spec import (
    ActivationSpec,
    AdamSpec,
    BinaryCrossentropySpec,
    DenseSpec,
    NetworkSpec,
    SGDSpec,
    TrainingSpec,
)
from fastdense.engines import Batches, at_most
from fastdense.engines.jobs import Epoch, Job, run
from fastdense.native.program import NativeEngine, NativeProgram

SIZES = [(8, 8, 1), (20, 16, 1), (20, 32, 32, 3), (20, 64, 64, 3)]
OPTIMIZERS = [SGDSpec(), AdamSpec()]
BATCH, STEPS = 32, 250


def network_of(sizes: Sequence[int]) -> NetworkSpec:
    *hidden, last = [DenseSpec(n_in, n_units, ActivationSpec("relu")) for n_in, n_units in pairwise(sizes)]
    output = DenseSpec(last.n_in, last.n_units, ActivationSpec("sigmoid"))
    return NetworkSpec(sizes[0], (*hidden, output), "float32")


def programs_of(network: NetworkSpec, optimizer: SGDSpec | AdamSpec) -> list[NativeProgram]:
    """Return as many programs as share a vector, each with its own weights."""
    made: list[NativeProgram] = []
    while not made or len(made) < made[0].lanes:
        rng = np.random.default_rng(len(made))
        parameters = [
            tuple((rng.normal(size=p.shape) / 3).astype("float32") for p in layer.parameters)
            for layer in network.layers
        ]
        training = TrainingSpec(BinaryCrossentropySpec(), optimizer, seed=len(made))
        made.append(NativeEngine().compile(network, parameters, training))
    return made


def jobs_of(programs: list[NativeProgram], same_rows: bool) -> list[Job]:
    """Return an epoch for each, over the same rows in the same order or in one of its own."""
    rng, rows, network = np.random.default_rng(0), BATCH * STEPS, programs[0].network
    X = rng.normal(size=(rows, network.n_in)).astype("float32")
    y = (rng.random((rows, network.n_out)) > 0.5).astype("float32")
    shared = rng.permutation(rows)
    return [
        Job(
            program,
            [
                Epoch(
                    Batches(X, y, None, shared if same_rows else rng.permutation(rows), BATCH),
                    np.full(STEPS, 1e-3),
                )
            ],
            0,
        )
        for program in programs
    ]


def measure(sizes: Sequence[int], optimizer: SGDSpec | AdamSpec, same_rows: bool, rounds: int) -> list[str]:
    """Return a line of the table."""
    network = network_of(sizes)
    alone, together = (jobs_of(programs_of(network, optimizer), same_rows) for _ in range(2))
    best = [np.inf, np.inf]
    for _ in range(rounds):
        start = time.perf_counter()
        for job in alone:
            run(job)
        middle = time.perf_counter()
        together[0].program.run_in_lanes(together)
        best = [min(best[0], middle - start), min(best[1], time.perf_counter() - middle)]
    one, lane = (seconds / STEPS / len(alone) * 1e6 for seconds in best)
    rows = "the same" if same_rows else "its own"
    return ["-".join(map(str, sizes)), optimizer.name, rows, f"{one:.2f}", f"{lane:.2f}", f"{one / lane:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds")
    rounds = 5 if parser.parse_args().quick else 50
    with at_most(1):
        lines = [
            measure(sizes, optimizer, same_rows, rounds)
            for sizes in SIZES
            for optimizer in OPTIMIZERS
            for same_rows in (True, False)
        ]
    head = ["network", "optimizer", "order of rows", "one by one", "in lanes", "times"]
    print("\n".join(table([head, *lines])))


if __name__ == "__main__":
    main()
