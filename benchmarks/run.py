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
import time
from pathlib import Path
from typing import Any

import numpy as np
from networks import BATCHES, CURVED, RELU, ROWS, Network, normal
from peers import Unsupported, installed
from report import chart, text

HERE = Path(__file__).parent
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "FASTDENSE_NUM_THREADS")
# A cell costs at most about this many operations a call.
MOST_FLOPS = 4e11


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
    rounds = sorted({1, len(os.sched_getaffinity(0))})
    for cores in rounds:
        again(cores, options)
    results = [json.loads((options.out / f"{cores}.json").read_text()) for cores in rounds]
    report = "\n".join(text(result) for result in results)
    (options.out / "results.txt").write_text(report)
    print(report)
    chart(results, options.out / "results.png")


def again(cores: int, options: argparse.Namespace) -> None:
    """Run this program for so many cores, every library told so before it is imported."""
    environment = {**os.environ, **dict.fromkeys(THREADS, str(cores))}
    command = [sys.executable, __file__, "--cores", str(cores), "--out", str(options.out)]
    subprocess.run([*command, *(["--quick"] if options.quick else [])], env=environment, check=True)


def measure(cores: int, quick: bool) -> dict[str, Any]:
    """Measure everything on so many cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    from fastdense import native

    seconds = 0.03 if quick else 0.15
    found: dict[str, Any] = {"cores": cores, "isa": native.isa_in_use(), "peak": native.measure_peak(cores)}
    found["predict"], found["train"] = [], []
    for network in RELU[1:6:2] if quick else (*RELU, *CURVED):
        for rows in (1, 256) if quick else ROWS if network.activation == "relu" else (1024,):
            if rows * network.flops < MOST_FLOPS / 10:
                found["predict"].append(predictions(network, rows, seconds))
        for batch in (32,) if quick else BATCHES if network.activation == "relu" else ():
            if network.sizes[-1] > 1:
                found["train"].append(training(network, batch, seconds))
    found["peak"] = max(found["peak"], native.measure_peak(cores))
    return found


def predictions(network: Network, rows: int, seconds: float) -> dict[str, Any]:
    X = normal(np.random.default_rng(1), rows, network.sizes[0])
    calls, expected = {}, None
    for peer in installed():
        try:
            call = peer.predictor(network, X)
        except Unsupported:
            continue
        found = np.asarray(call())
        expected = found if expected is None else expected
        check(f"{peer.name}, {network.name}, {rows} rows", found, expected, 2e-4)
        calls[peer.name] = call
    times = interleaved(calls, seconds)
    progress(f"predict {network.name}, {rows} rows", times)
    return {"network": network.name, "rows": rows, "flops": rows * network.flops, "seconds": times}


def training(network: Network, batch: int, seconds: float) -> dict[str, Any]:
    steps = 8 if batch * network.training_flops < 1e9 else 2
    rng = np.random.default_rng(1)
    X, y = normal(rng, steps * batch, network.sizes[0]), rng.integers(0, network.sizes[-1], steps * batch)
    calls, expected = {}, None
    for peer in installed():
        try:
            call = peer.trainer(network, X, y, batch)
        except Unsupported:
            continue
        loss = call()
        expected = loss if expected is None else expected
        if loss is not None:  # scikit-learn does not say the loss of one step
            check(f"{peer.name}, {network.name}, batch {batch}", np.array(loss), np.array(expected), 2e-3)
        calls[peer.name] = call
    times = {name: value / steps for name, value in interleaved(calls, seconds).items()}
    progress(f"train {network.name}, batch {batch}", times)
    return {"network": network.name, "rows": batch, "flops": batch * network.training_flops, "seconds": times}


def check(what: str, found: np.ndarray, expected: np.ndarray, share: float) -> None:
    """Stop everything unless two results agree within a share of the largest number."""
    if found.shape != expected.shape or not np.abs(found - expected).max() <= share * np.abs(expected).max():
        raise SystemExit(f"{what}: the numbers are not the others'")


def interleaved(calls: dict[str, Any], seconds: float, repeats: int = 5) -> dict[str, float]:
    """Return each one's best time a call, in rounds that everybody takes part in."""
    counts = {name: max(1, int(seconds / repeats / max(once(call), 1e-7))) for name, call in calls.items()}
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(counts[name]):
                call()
            best[name] = min(best[name], (time.perf_counter() - start) / counts[name])
    return best


def once(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def progress(what: str, times: dict[str, float]) -> None:
    ours = times["fastdense"]
    others = {name: value for name, value in times.items() if name != "fastdense"}
    best = min(others, key=others.__getitem__)
    print(f"{what}: {ours * 1e6:.1f} us, {others[best] / ours:.2f} x {best}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
