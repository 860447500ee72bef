"""fastdense's estimators and scikit-learn's: found to fit the same, then timed in turn; and their scores.

    python benchmarks/estimators.py [--quick] [--out FOLDER]

Each round is a process of its own, on one core or free to use all. The fits are compared in float64, where
they must agree, and timed by each one's defaults: float32 here, float64 there.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from report import table
from run import HERE, SETTLE, again, available_cores, limit_cores
from sklearn import datasets, neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score

import fastdense as fd

REPEATS, MANY = 5, 2000
SEEDS = range(5)
THEIRS = {"MLPClassifier": neural_network.MLPClassifier, "MLPRegressor": neural_network.MLPRegressor}
SMALL, WIDE = {"hidden_layer_sizes": (50,)}, {"hidden_layer_sizes": (256, 128)}


class Fit(NamedTuple):
    """A fit to time: all of its epochs are run."""

    name: str
    kind: str
    data: Callable[[], tuple[Any, np.ndarray]]
    parameters: dict[str, Any]


def digits() -> tuple[np.ndarray, np.ndarray]:
    return datasets.load_digits(return_X_y=True)


def two_classes() -> tuple[np.ndarray, np.ndarray]:
    return datasets.make_classification(20_000, 100, n_informative=20, random_state=0)


def words() -> tuple[Any, np.ndarray]:
    """Return rows of 100 numbers among 50,000, as counts of words are."""
    from scipy import sparse

    X = sparse.random(2000, 50_000, density=100 / 50_000, format="csr", random_state=0)
    return X, np.random.default_rng(0).integers(0, 3, 2000)


def numbers() -> tuple[np.ndarray, np.ndarray]:
    X, y = datasets.make_regression(2000, 20, noise=10.0, random_state=0)
    return X, y / 100


FITS = (
    Fit("digits, 100 units", "MLPClassifier", digits, {"max_iter": 100}),
    Fit("the same, early stopping", "MLPClassifier", digits, {"max_iter": 100, "early_stopping": True}),
    Fit("the same, sgd", "MLPClassifier", digits, {"max_iter": 100, "solver": "sgd"}),
    Fit("the same, L-BFGS", "MLPClassifier", digits, {"max_iter": 30, "solver": "lbfgs"}),
    Fit("2,000 x 20, 50 units, batch 32", "MLPRegressor", numbers, SMALL | {"batch_size": 32, "max_iter": 5}),
    Fit("20,000 x 100, 256-128 units", "MLPClassifier", two_classes, {"max_iter": 3} | WIDE),
    Fit("2,000 x 50,000 sparse, 50 units", "MLPClassifier", words, {"max_iter": 1} | SMALL),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="less of everything: under a minute")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore", ConvergenceWarning)
    if options.cores:
        limit_cores(options.cores)
        found = {"cores": options.cores, "fits": fits(options.quick), "rows": single_rows()}
        (options.out / f"estimators-{options.cores}.json").write_text(json.dumps(found, indent=1))
        return
    rounds = sorted({1, available_cores()})
    for cores in rounds:
        again(__file__, cores, options.out, options.quick)
    results = [json.loads((options.out / f"estimators-{cores}.json").read_text()) for cores in rounds]
    report = [*map(timings, results), score_table(scores(1 if options.quick else 5))]
    (options.out / "estimators.txt").write_text("\n".join(report))
    print("\n".join(report))


def fits(quick: bool) -> list[dict[str, Any]]:
    """Return the seconds of every fit, ours and theirs."""
    found = []
    for fit in FITS[:2] if quick else FITS:
        X, y = fit.data()
        parameters = {"random_state": 0, "tol": 0.0, "n_iter_no_change": 10**6} | fit.parameters
        check(fit.name, fit.kind, parameters, X, y)
        estimators = {"fastdense": getattr(fd, fit.kind), "scikit-learn": THEIRS[fit.kind]}
        calls = {who: partial(kind(**parameters).fit, X, y) for who, kind in estimators.items()}
        found.append({"name": fit.name, "seconds": best_times(calls, REPEATS)})
    return found


def check(name: str, kind: str, parameters: dict[str, Any], X: Any, y: np.ndarray) -> None:
    """Stop everything unless both fit the same in float64; L-BFGS, for as long as rounding lets it."""
    short = parameters | ({"max_iter": 5} if parameters.get("solver") == "lbfgs" else {})
    ours = getattr(fd, kind)(dtype="float64", **short).fit(X, y)
    theirs = THEIRS[kind](**short).fit(X, y)
    off = max(np.abs(a - b).max() for a, b in zip(ours.coefs_, theirs.coefs_, strict=True))
    if not off < 1e-6 or ours.n_iter_ != theirs.n_iter_:
        raise SystemExit(f"{name}: the fits differ by {off}")


def single_rows() -> list[dict[str, Any]]:
    """Return the seconds that one row takes."""
    X, y = digits()
    ours = fd.MLPClassifier(max_iter=20, random_state=0).fit(X, y)
    theirs = THEIRS["MLPClassifier"](max_iter=20, random_state=0).fit(X, y)
    row, row32 = X[:1], X[:1].astype(np.float32)
    frozen = ours.to_network().freeze()
    calls = {
        name: {
            "fastdense": partial(many, partial(getattr(ours, name), row)),
            "scikit-learn": partial(many, partial(getattr(theirs, name), row)),
        }
        for name in ("predict", "predict_proba")
    }
    calls["frozen network"] = {"fastdense": partial(many, partial(frozen.predict, row32))}
    return [{"name": f"{name}, one row", "seconds": best_times(of, 5, MANY)} for name, of in calls.items()]


def many(call: Callable[[], Any]) -> None:
    for _ in range(MANY):
        call()


def best_times(calls: dict[str, Callable[[], Any]], repeats: int, count: int = 1) -> dict[str, float]:
    """Return each one's best time per call, in rounds that all take part in.

    The first call of a turn is not timed, and no turn follows another at once: OpenBLAS' threads spin on
    after their work.
    """
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(repeats):
        for name, call in calls.items():
            time.sleep(SETTLE)
            call()
            start = time.perf_counter()
            call()
            best[name] = min(best[name], (time.perf_counter() - start) / count)
    return best


def scores(seeds: int) -> list[dict[str, Any]]:
    """Return the cross-validated scores on scikit-learn's own data, by default parameters, seed by seed."""
    loads = ("load_iris", "load_wine", "load_breast_cancer", "load_digits", "load_diabetes")
    found = []
    for load in loads[: 2 if seeds == 1 else None]:
        X, y = getattr(datasets, load)(return_X_y=True)
        kind = "MLPRegressor" if load == "load_diabetes" else "MLPClassifier"
        by_seed = {
            name: [cross_val_score(of(random_state=seed), X, y, cv=5).tolist() for seed in range(seeds)]
            for name, of in (("fastdense", getattr(fd, kind)), ("scikit-learn", THEIRS[kind]))
        }
        found.append({"name": load.removeprefix("load_"), "scores": by_seed})
    return found


def timings(result: dict[str, Any]) -> str:
    """Return the table of one round's times."""
    cores = "one core" if result["cores"] == 1 else f"{result['cores']} cores"
    rows = [[cores, "fastdense", "scikit-learn", "times faster"]]
    for cell in [*result["fits"], *result["rows"]]:
        ours, theirs = (cell["seconds"].get(who) for who in ("fastdense", "scikit-learn"))
        shown = [f"{value * 1e6:,.1f} us" if value else "-" for value in (ours, theirs)]
        rows.append([cell["name"], *shown, f"{theirs / ours:.1f}x" if theirs else "-"])
    return "\n".join([*table(rows), ""])


def score_table(found: list[dict[str, Any]]) -> str:
    """Return the mean scores, and the mean of their differences with its standard error."""
    rows = [["mean score, 5 folds", "fastdense", "scikit-learn", "difference"]]
    for cell in found:
        ours, theirs = (np.array(cell["scores"][who]) for who in ("fastdense", "scikit-learn"))
        paired = (ours - theirs).ravel()
        error = paired.std(ddof=1) / np.sqrt(paired.size)
        rows.append(
            [
                cell["name"],
                f"{ours.mean():.4f}",
                f"{theirs.mean():.4f}",
                f"{paired.mean():+.4f} +- {error:.4f}",
            ]
        )
    return "\n".join([*table(rows), ""])


if __name__ == "__main__":
    main()
