"""Predictions and training steps of fastdense and its peers: checked equal first, then timed in turn.

    python benchmarks/run.py [--quick] [--out FOLDER]

Each round is a process of its own, pinned to one core or free to use all; only ratios and shares of the peak
measured in the same process are worth comparing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from networks import BATCHES, CURVED, RELU, ROWS, Network
from peers import installed
from report import chart, text
from workers import Workers, steps_of

HERE = Path(__file__).parent
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "FASTDENSE_NUM_THREADS")
# Some systems force old kernels on OpenBLAS; NumPy is to run those that it chooses for the processor.
FORCED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
# A cell costs at most about this many operations per call.
MOST_FLOPS = 4e10
KINDS = ("predict", "train")
# Threads of some libraries spin on after their work, OpenBLAS' for some 30 ms; nothing is timed meanwhile.
SETTLE = 0.05
# Of the largest number: rounding in a prediction, and in the loss after some steps.
TOLERANCE = {"predict": 2e-4, "train": 2e-3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less of everything: under a minute")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.cores:
        found = measure(options.cores, options.quick)
        (options.out / f"{options.cores}.json").write_text(json.dumps(found, indent=1))
        return
    rounds = sorted({1, available_cores()})
    for cores in rounds:
        again(__file__, cores, options.out, options.quick)
    results = [json.loads((options.out / f"{cores}.json").read_text()) for cores in rounds]
    report = "\n".join(text(result) for result in results)
    (options.out / "results.txt").write_text(report)
    print(report)
    chart(results, options.out / "results.png")


def available_cores() -> int:
    return len(os.sched_getaffinity(0))


def limit_cores(cores: int) -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def again(program: str, cores: int, out: Path, quick: bool) -> None:
    """Run a program on ``cores`` cores, to which every library is limited before it is imported."""
    environment = {**os.environ, **dict.fromkeys(THREADS, str(cores))}
    environment = {name: value for name, value in environment.items() if name not in FORCED}
    command = [sys.executable, program, "--cores", str(cores), "--out", str(out)]
    subprocess.run([*command, *(["--quick"] if quick else [])], env=environment, check=True)


def measure(cores: int, quick: bool) -> dict[str, Any]:
    """Measure everything on ``cores`` cores; every library waits its turn in its own process."""
    limit_cores(cores)
    from fastdense import native

    seconds = 0.03 if quick else 0.2
    before = about(cores)
    with Workers(installed(quick), settle=SETTLE if cores > 1 else 0.0) as workers:
        measured = {
            kind: [cell(workers, kind, *what, seconds) for what in cells(kind, quick)] for kind in KINDS
        }
    after = about(cores)
    peak = max(before["peak"], after["peak"])
    return {"cores": cores, "isa": native.isa_in_use(), "peak": peak, "machine": [before, after]} | measured


def about(cores: int) -> dict[str, Any]:
    """Return what the machine can do at the moment: virtual cores have neighbours, and move."""
    from fastdense import native

    trip = native.measure_round_trip() if cores > 1 else None
    return {"peak": native.measure_peak(cores), "round_trip": trip}


def cells(kind: str, quick: bool) -> list[tuple[Network, int]]:
    """Return the networks and the rows, or batches, to measure."""
    if quick:
        return [
            (network, rows) for network in RELU[1:6:2] for rows in ((1, 256) if kind == "predict" else (32,))
        ]
    if kind == "train":
        return [(network, batch) for network in RELU for batch in BATCHES]
    fits = [(network, rows) for network in RELU for rows in ROWS]
    straight = [(network, rows) for network, rows in fits if rows * network.flops < MOST_FLOPS]
    return [*straight, *((network, 1024) for network in CURVED)]


def cell(workers: Workers, kind: str, network: Network, rows: int, seconds: float) -> dict[str, Any]:
    """Let everybody compute the same, compare, and return everybody's best time."""
    results = workers.ask("prepare", kind, network, rows)
    expected = results["fastdense"]
    for name, found in results.items():
        if found is not None:  # scikit-learn and Keras do not tell the loss of one step
            check(f"{name}, {kind} {network.name}, {rows} rows", found, expected, TOLERANCE[kind])
    times = workers.best_times(list(results), seconds)
    steps = steps_of(network, rows) if kind == "train" else 1
    times = {name: value / steps for name, value in times.items()}
    progress(f"{kind} {network.name}, {rows} rows", times)
    flops = rows * (network.flops if kind == "predict" else network.training_flops)
    return {"network": network.name, "rows": rows, "flops": flops, "seconds": times}


def check(what: str, found: np.ndarray, expected: np.ndarray, share: float) -> None:
    """Stop everything unless two results agree within a share of the largest number."""
    if found.shape != expected.shape or not np.abs(found - expected).max() <= share * np.abs(expected).max():
        raise SystemExit(f"{what}: the numbers are not the others'")


def progress(what: str, times: dict[str, float]) -> None:
    ours = times["fastdense"]
    others = {name: value for name, value in times.items() if name != "fastdense"}
    best = min(others, key=others.__getitem__)
    print(f"{what}: {ours * 1e6:.1f} us, {others[best] / ours:.2f} x {best}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
