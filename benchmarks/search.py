"""Many networks at once: by fastdense and by its peers, checked equal first, then timed in turn.

    python benchmarks/search.py [--quick] [--out FOLDER]

Each round is a process of its own, on one core or free to use all. The networks have one shape and share rows
and orders, which the peers that compute all in one operation need; fastdense does not. Then whole searches:
the same grid by `fastdense.search.GridSearch`, by scikit-learn's over fastdense's estimator, and by
scikit-learn's over its own.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from many import BATCH, SIZES, Fastdense, JaxVmap, TorchBmm, Work
from report import table
from run import HERE, SETTLE, again, available_cores, limit_cores
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier

import fastdense as fd

ROWS, EPOCHS, REPEATS = 2048, 20, 3
GRID = {"alpha": np.logspace(-6, -1, 6).tolist(), "learning_rate_init": [3e-4, 1e-3, 3e-3]}
FOLDS = 5
# Of the loss after all epochs: the sums of float32 are taken in other orders.
TOLERANCE = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less of everything: about a minute")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", ConvergenceWarning)
    if options.cores:
        limit_cores(options.cores)
        found = measure(options.cores, options.quick)
        (options.out / f"search-{options.cores}.json").write_text(json.dumps(found, indent=1))
        return
    rounds = sorted({1, available_cores()})
    for cores in rounds:
        again(__file__, cores, options.out, options.quick)
    results = [json.loads((options.out / f"search-{cores}.json").read_text()) for cores in rounds]
    report = "\n".join(map(text, results))
    (options.out / "search.txt").write_text(report)
    print(report)


def measure(cores: int, quick: bool) -> dict[str, Any]:
    """Return the seconds of everything on ``cores`` cores."""
    many = [networks(count, cores, quick) for count in ((64,) if quick else (64, 512))]
    return {"cores": cores, "peak": fd.native.measure_peak(cores), "many": many, "grid": grid(cores, quick)}


def networks(count: int, cores: int, quick: bool) -> dict[str, Any]:
    """Return the seconds that everybody takes to train ``count`` networks."""
    work = Work.of(count, ROWS, 2 if quick else EPOCHS)
    ours = Fastdense(work, cores)
    job = ours.job(0)
    contenders: dict[str, Callable[[], np.ndarray]] = {
        "fastdense": ours,
        "fastdense, one after another": Fastdense(work, 1, side_by_side=False),
        "JAX vmap": JaxVmap(work),
        "PyTorch bmm": TorchBmm(work),
    }
    expected = ours()
    compiled = {}
    for name, call in contenders.items():
        begun = time.perf_counter()
        found = call()
        compiled[name] = time.perf_counter() - begun
        if not np.abs(found - expected).max() <= TOLERANCE * np.abs(expected).max():
            raise SystemExit(f"{name}, {count} networks: the losses are not the others'")
    alone = partial(one_program, job)
    seconds = best_times(contenders | {"one program": alone}, 1 if quick else REPEATS)
    return {"networks": count, "flops": work.flops, "first": compiled, "seconds": seconds}


def one_program(job: Any) -> None:
    """Run the job of one network on one thread: the rate that all others are measured by."""
    from fastdense.engines.jobs import run

    with fd.native.at_most(1):
        run(job)


def grid(cores: int, quick: bool) -> dict[str, Any]:
    """Return the seconds of searches over the same grid, after their scores have been compared."""
    work = Work.of(1, ROWS, 1)
    given = {"alpha": GRID["alpha"][:2], "learning_rate_init": [1e-3]} if quick else GRID
    fixed = {
        "hidden_layer_sizes": SIZES[1:-1],
        "batch_size": BATCH,
        "max_iter": EPOCHS,
        "tol": 0.0,
        "n_iter_no_change": EPOCHS,
        "random_state": 0,
    }
    searches = {
        "fastdense": fd.search.GridSearch(fd.MLPClassifier(**fixed), given, cv=FOLDS, n_threads=cores),
        "GridSearchCV of fastdense": GridSearchCV(
            fd.MLPClassifier(n_threads=1, **fixed), given, cv=FOLDS, n_jobs=cores
        ),
        "GridSearchCV of scikit-learn": GridSearchCV(MLPClassifier(**fixed), given, cv=FOLDS, n_jobs=cores),
    }
    calls = {name: partial(search.fit, work.X, work.y) for name, search in searches.items()}
    seconds = best_times(calls, 1)
    scores = [searches[name].cv_results_["mean_test_score"] for name in list(searches)[:2]]
    if not np.array_equal(*scores):
        raise SystemExit("the searches of fastdense's estimators came to different scores")
    fits = FOLDS * len(given["alpha"]) * len(given["learning_rate_init"]) + 1
    return {"fits": fits, "seconds": seconds}


def best_times(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Return everybody's best time, in rounds that all take part in."""
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(repeats):
        for name, call in calls.items():
            time.sleep(SETTLE)
            begun = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - begun)
    return best


def text(result: dict[str, Any]) -> str:
    """Return the tables of one round."""
    cores = result["cores"]
    named = "one core" if cores == 1 else f"{cores} cores"
    shape = "-".join(map(str, SIZES))
    rows = [
        [f"{named}: networks {shape} per second", "networks", "rate", "of peak", "of one program", "ours"]
    ]
    for cell in result["many"]:
        seconds = dict(cell["seconds"])
        rate_of_one = 1 / seconds.pop("one program")
        for name, taken in seconds.items():
            rate = cell["networks"] / taken
            shares = rate * cell["flops"] / 1e9 / result["peak"], rate / rate_of_one / cores
            ratio = taken / seconds["fastdense"]
            cells = [
                str(cell["networks"]),
                f"{rate:.1f}",
                *(f"{share:.0%}" for share in shares),
                f"{ratio:.2f}x",
            ]
            rows.append([name, *cells])
    first = ", ".join(f"{cell['first']['JAX vmap']:.1f} s at {cell['networks']}" for cell in result["many"])
    lines = [*table(rows), f"the first call of JAX, which compiles: {first}", ""]
    searches, fits = result["grid"]["seconds"], result["grid"]["fits"]
    rows = [[f"{named}: a grid search, {fits} fits", "seconds", "fits per second", "ours"]]
    for name, taken in searches.items():
        rows.append([name, f"{taken:.2f}", f"{fits / taken:.1f}", f"{taken / searches['fastdense']:.1f}x"])
    return "\n".join([*lines, *table(rows), ""])


if __name__ == "__main__":
    main()
