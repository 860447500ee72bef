"""What a caller decides about learning a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from fastdense.core.checks import number, one_of, optional, whole
from fastdense.core.streams import check_seed
from fastdense.tabular.recipes import Recipe
from fastdense.training.progress import Verbose, display_for

__all__ = ["METRICS", "Settings"]

METRICS: Final = {
    "classify": ("log_loss", "accuracy", "auc"),
    "regress": ("rmse", "mae", "poisson", "pinball"),
}
"""The metrics of each task; the first is the default."""

_MOST_FOLDS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a caller decides about learning a table.

    Attributes
    ----------
    time_limit : float or None
        Seconds that `learn` may take in all; None trains all epochs of the recipe.
    n_models : int
        Networks, each trained with other rows held out; their mean predicts.
    n_folds : int or None
        Parts that the rows are dealt to, of which each network holds out one; at least 2. None is 5, or for 5
        networks and more as many as there are, at most 10.
    metric : str or None
        What chooses the epoch of each network: "log_loss" (of the probabilities at their best temperature),
        "accuracy" or "auc" to classify; "rmse", "mae", "poisson" or "pinball" to regress, the last three of
        which are the loss too. None is "log_loss" or "rmse".
    quantile : float
        The quantile that "pinball" is of.
    class_weight : "balanced" or mapping of label to float, optional
        Multiplies the weights of the rows of each class; "balanced" gives all classes the same total weight.
        Labels that are left out keep the weight 1.
    seed : int or None
        Decides the rows held out, the initial weights, the orders of the rows and the dropout. None draws
        one.
    n_threads : int or None
        As many as `fastdense.get_threads` says, if None. The result has the same bits for any number.
    verbose : "auto", 0, 1 or 2
    recipe : Recipe or None
        The networks and their training; None is ``Recipe()``.
    """

    time_limit: float | None = None
    n_models: int = 1
    n_folds: int | None = None
    metric: str | None = None
    quantile: float = 0.5
    class_weight: Literal["balanced"] | Mapping[Any, float] | None = None
    seed: int | None = None
    n_threads: int | None = None
    verbose: Verbose = "auto"
    recipe: Recipe | None = None

    def __post_init__(self) -> None:
        """Check every value; TypeError or ValueError for one that cannot be."""
        optional(lambda name, value: number(name, value, above=0.0))("time_limit", self.time_limit)
        whole("n_models", self.n_models, 1)
        optional(lambda name, value: whole(name, value, 2))("n_folds", self.n_folds)
        if self.metric is not None:
            one_of("metric", self.metric, (*METRICS["classify"], *METRICS["regress"]))
        number("quantile", self.quantile, above=0.0, below=1.0)
        weights = self.class_weight
        if isinstance(weights, str):
            one_of("class_weight", weights, ("balanced",))
        elif weights is not None and not isinstance(weights, Mapping):
            raise TypeError(
                f"class_weight is 'balanced' or a mapping of label to weight, got {weights!r:.80}"
            )
        if self.seed is not None:
            check_seed(self.seed)
        optional(lambda name, value: whole(name, value, 1))("n_threads", self.n_threads)
        display_for(self.verbose)
        if not isinstance(self.recipe, Recipe | None):
            raise TypeError(f"recipe is a Recipe or None, got {self.recipe!r:.80}")

    @property
    def folds(self) -> int:
        """The parts that the rows are dealt to."""
        if self.n_folds is not None:
            return self.n_folds
        return 5 if self.n_models < 5 else min(self.n_models, _MOST_FOLDS)

    def metric_of(self, task: str) -> str:
        """Return the metric for a task; ValueError if the one that was asked for is of the other task."""
        known = METRICS[task]
        return one_of(f"the metric to {task}", self.metric or known[0], known)
