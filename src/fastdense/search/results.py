"""What outcomes say together: columns beside scikit-learn's, and the causes of failures."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import FitFailedWarning

from fastdense.search.contest import Contest, Place
from fastdense.search.evaluation import Outcome, Scores

__all__ = ["as_records", "columns_of", "report_failures"]

Objects = NDArray[np.object_]


def as_records(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return what scikit-learn makes its table of results from.

    Where a function returns several scores, one that is missing stands for all of them.
    """
    names = next((list(each.test_scores) for each in outcomes if isinstance(each.test_scores, dict)), None)
    return [
        {
            "test_scores": _by_name(each.test_scores, names),
            "train_scores": _by_name(each.train_scores, names),
            "fit_time": each.fit_time,
            "score_time": each.score_time,
        }
        for each in outcomes
    ]


def _by_name(scores: Scores, names: list[str] | None) -> Scores:
    if names is None or isinstance(scores, dict):
        return scores
    return dict.fromkeys(names, scores)


def columns_of(outcomes: Sequence[Outcome], splits: int) -> dict[str, NDArray[Any]]:
    """Return the columns that scikit-learn's table lacks: ``n_epochs``, ``curves`` and ``error``."""
    rows = [outcomes[i : i + splits] for i in range(0, len(outcomes), splits)]
    curves = [[{"loss": [*o.losses], "validation": [*o.validation]} for o in row] for row in rows]
    return {
        "n_epochs": np.array([max(o.epochs for o in row) for row in rows], dtype=np.int64),
        "curves": _objects(curves),
        "error": _objects([[o.error for o in row] for row in rows]),
    }


def _objects(values: Sequence[Any]) -> Objects:
    """Return an array with one object per candidate, whatever these are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def report_failures(contest: Contest) -> None:
    """Warn of fits that failed, by cause.

    Raises
    ------
    ValueError
        All that ended failed.
    """
    failed = {place: outcome.error for place, outcome in sorted(contest.outcomes.items()) if outcome.error}
    if not failed:
        return
    first: dict[str, Place] = {}
    for place, cause in failed.items():
        first.setdefault(cause, place)
    causes = "\n".join(
        f"- {count} times: {cause}\n  first with {contest.candidates[c]}, on split {split}"
        for cause, count in Counter(failed.values()).most_common()
        for c, split in [first[cause]]
    )
    count, score = len(contest.outcomes), contest.evaluation.error_score
    if len(failed) == count:
        raise ValueError(
            f"All the {count} fits failed; error_score='raise' shows where the first one did:\n{causes}"
        )
    warnings.warn(
        f"{len(failed)} of {count} fits failed, and score {score}:\n{causes}", FitFailedWarning, stacklevel=4
    )
