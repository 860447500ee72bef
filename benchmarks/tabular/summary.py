"""What the results say: each method against a reference, over the tables and splits that both have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

REFERENCES = ("CatBoost", "RealMLP-TD")
Results = dict[str, dict[str, dict[int, dict[str, Any]]]]  # of a method, a table and a split


def nested(results: Iterable[dict[str, Any]]) -> Results:
    """Return the results by method, table and split."""
    found: Results = {}
    for result in results:
        found.setdefault(result["method"], {}).setdefault(result["table"], {})[result["split"]] = result
    return found


def ratios(results: Results, method: str, reference: str, key: str) -> dict[str, float]:
    """Return, for each table, a method's number over the reference's, both means over the splits of both."""
    found = {}
    for table, splits in results.get(method, {}).items():
        others = results.get(reference, {}).get(table, {})
        both = [(one[key], others[k][key]) for k, one in splits.items() if k in others and key in one]
        if both:
            ours, theirs = np.mean(both, axis=0)
            found[table] = float(ours / theirs)
    return found


def geometric_mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return float(np.exp(np.mean(np.log(found)))) if found else None


def against(results: Results, timings: Results, method: str, reference: str) -> dict[str, Any]:
    """Return how a method does against a reference; wins are tables on which it is lower."""
    errors, losses = (ratios(results, method, reference, key) for key in ("error", "log_loss"))
    quiet = ratios(timings, method, reference, "fit_seconds")
    seconds = quiet or ratios(results, method, reference, "fit_seconds")
    return {
        "tables": len(errors),
        "error": geometric_mean(errors.values()),
        "wins": sum(ratio < 1 for ratio in errors.values()),
        "classified": len(losses),
        "log_loss": geometric_mean(losses.values()),
        "log_loss_wins": sum(ratio < 1 for ratio in losses.values()),
        "fit_seconds": geometric_mean(seconds.values()),
        "timed_apart": bool(quiet),
    }


def summarize(results: list[dict[str, Any]], timings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each method, the best against the first reference first."""
    kept, timed = nested(results), nested(timings)
    rows = []
    for method, tables in kept.items():
        single = [one for splits in tables.values() for one in splits.values()]
        means = [np.mean([one["fit_seconds"] for one in splits.values()]) for splits in tables.values()]
        rows.append(
            {
                "method": method,
                "tables": len(tables),
                "results": len(single),
                "fit_seconds": geometric_mean(means),
                "predict_seconds": geometric_mean(max(one["predict_seconds"], 1e-6) for one in single),
                "busy": any(one["busy"] for one in single),
                "worse_than_frequencies": sum(
                    one["log_loss"] > one["log_loss_of_frequencies"] for one in single if "log_loss" in one
                ),
                "against": {name: against(kept, timed, method, name) for name in REFERENCES},
            }
        )
    return sorted(rows, key=lambda row: row["against"][REFERENCES[0]]["error"] or np.inf)
