"""Trials: estimators that are fitted to parts of a sample, can pause, and are scored on other parts."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state

from fastdense.core.arrays import Array
from fastdense.engines.jobs import Fitting
from fastdense.estimators.blueprint import Weights, check_combinations, first_weights, hidden_sizes
from fastdense.estimators.classifier import MLPClassifier
from fastdense.estimators.labels import Labels
from fastdense.estimators.mlp import BaseMLP, adopt
from fastdense.estimators.orders import Drawn, Replayed
from fastdense.estimators.pauses import restored, saved
from fastdense.estimators.pipelines import Preprocessed
from fastdense.estimators.problem import NON_FINITE, Draws, Problem, drawn, problem_of
from fastdense.estimators.regressor import MLPRegressor
from fastdense.estimators.rows import Given, Rows
from fastdense.estimators.sample import Fold, Sample
from fastdense.estimators.state import FitState
from fastdense.estimators.stochastic import Training

__all__ = ["MLPTrial", "PipelineTrial", "PlainTrial", "has_epochs", "trial_of"]

Scorer = Callable[..., float]


class MLPTrial:
    """An `MLPClassifier` or `MLPRegressor` being fitted to some rows of a sample.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        With solver 'adam' or 'sgd'. It is only read: it must not change while the trial lasts.
    sample : Sample
    train : int64 array
        The numbers of the rows to fit to.
    """

    def __init__(self, estimator: BaseMLP, sample: Sample, train: NDArray[np.int64]) -> None:
        self._estimator, self._sample, self._train = estimator, sample, train
        self._fold: Fold | None = None
        self._training: Training | None = None

    @property
    def epochs(self) -> int:
        """The epochs trained so far."""
        return 0 if self._training is None else self._training.state.n_iter

    @property
    def ended(self) -> bool:
        """Whether it came to its own end: no progress, its limit of epochs or of time."""
        return self._training is not None and self._training.ended

    @property
    def losses(self) -> list[float]:
        """The training loss of every epoch."""
        return [] if self._training is None else self._training.state.loss_curve

    @property
    def validation(self) -> list[float]:
        """The score of early stopping's own validation rows after every epoch, if there are any."""
        return [] if self._training is None else self._training.state.validation_scores or []

    def go_on(self, epochs: int | None = None) -> Fitting[None]:
        """Train until ``epochs`` in all, or to its own end.

        Raises
        ------
        ValueError
            What `fit` raises, of a parameter, of these rows, or of a loss that is not finite.
        """
        training = self._training = self._training or Training(*self._start())
        yield from training.go_on(math.inf if epochs is None else epochs)
        training.finish()
        state = training.state
        if not all(np.isfinite(array).all() for array in (*state.coefs, *state.intercepts)):
            raise ValueError(NON_FINITE)

    def _start(self, random_state: np.random.RandomState | None = None) -> tuple[Problem, FitState]:
        """Return what is trained on and from, as `fit` prepares them, from its own draws or others."""
        p = self._estimator
        self._sample.validate(p)
        check_combinations(p)
        if p.solver == "lbfgs":
            raise ValueError("solver='lbfgs' has no epochs to pause after: trial_of fits it in one go")
        fold = self._fold = self._sample.fold(p, self._train)
        goal = fold.goal(p)
        rows = fold.rows(p, goal)
        widths = [rows.X.shape[1], *hidden_sizes(p), goal.n_outputs]
        weights, draws = self._draws(fold, rows, widths, random_state)
        state = FitState.start(goal, weights, p.early_stopping)
        return problem_of(p, rows, None, widths, draws, once=False), state

    def _draws(
        self, fold: Fold, rows: Rows, widths: list[int], random_state: np.random.RandomState | None
    ) -> tuple[Weights, Draws]:
        """Return what is drawn: by each trial for itself, or once for all that start from the same seed."""
        p, dtype = self._estimator, str(rows.X.dtype)

        def fresh(random_state: np.random.RandomState) -> tuple[Weights, Draws]:
            return first_weights(p, widths, random_state, dtype), drawn(p, rows, True, random_state)

        def shared() -> tuple[Weights, Draws, Drawn]:
            weights, draws = fresh(np.random.RandomState(p.random_state))
            return weights, draws, Drawn(draws.orders)

        by_seed = isinstance(p.random_state, int | np.integer) and isinstance(p.activation, str)
        if random_state is not None or not by_seed:
            return fresh(random_state or check_random_state(copy.deepcopy(p.random_state)))
        held = p.validation_fraction if p.early_stopping else None
        key = type(p), p.random_state, p.activation, *widths, dtype, p.dropout > 0, held
        weights, draws, orders = self._sample.drawn.get(key, fold.numbers, shared)
        return weights, draws._replace(orders=Replayed(orders))

    def fitted(self) -> Any:
        """Return a fitted estimator: what `fit` makes of a clone, given these rows and as many epochs."""
        training, fold = self._so_far()
        state, fitted = training.state, clone(self._estimator)
        adopt(fitted, state)
        lists = {name: [*value] for name, value in vars(fitted).items() if isinstance(value, list)}
        vars(fitted).update(lists, _optimizer=copy.copy(training.optimizer), **fold.table.attributes)
        if isinstance(state.goal, Labels):
            fitted.classes_ = state.goal.classes
        return fitted

    def _so_far(self) -> tuple[Training, Fold]:
        if self._training is None or self._fold is None:
            raise ValueError("the trial has not begun: run its go_on() first")
        return self._training, self._fold

    def score(self, rows: NDArray[np.int64], scorer: Scorer | None = None) -> float:
        """Return the score of some of the sample's rows: the estimator's own, or a scorer's."""
        return self.score_of(self._sample, rows, scorer)

    def score_of(self, sample: Sample, rows: NDArray[np.int64], scorer: Scorer | None = None) -> float:
        """Return the score of rows of another sample."""
        found = self._own_score(sample, rows) if scorer is None else None
        return _scored(self.fitted(), sample.part(rows), scorer) if found is None else found

    def _own_score(self, sample: Sample, rows: NDArray[np.int64]) -> float | None:
        """Return what the estimator's ``score`` does, unchecked; None where a check may matter."""
        table, training = sample.table(self._estimator), self._so_far()[0]
        if table is None or len(rows) < 2:
            return None
        X = table.matrix(training.program.network.dtype)
        return training.state.goal.plain_score(table.y[rows], training.outputs(X[rows]))

    def state(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return the arrays and the values, such as JSON has, that going on needs."""
        return saved(self._so_far()[0])

    def restore(self, arrays: Mapping[str, Array], values: Mapping[str, Any]) -> None:
        """Take over what `state` returned: the trial goes on as if it had never paused."""
        self._training = restored(*self._start(np.random.RandomState()), arrays, values)


class PlainTrial:
    """Any estimator with a ``fit``, fitted to some rows of a sample in one go.

    The weights of the rows are those of a pipeline's last step.

    Parameters
    ----------
    estimator : estimator
    sample : Sample
    train : int64 array
    """

    def __init__(self, estimator: Any, sample: Sample, train: NDArray[np.int64]) -> None:
        self._estimator, self._sample, self._train = estimator, sample, train
        self._fitted: Any = None

    @property
    def ended(self) -> bool:
        """Whether it is fitted."""
        return self._fitted is not None

    @property
    def epochs(self) -> int:
        """The epochs or iterations, if the estimator says how many; 1 if it does not."""
        return int(np.max(getattr(self._fitted, "n_iter_", 1))) if self.ended else 0

    @property
    def losses(self) -> list[float]:
        """The training loss of every epoch, if the estimator has them."""
        return list(getattr(self._fitted, "loss_curve_", None) or [])

    @property
    def validation(self) -> list[float]:
        """The score of validation rows after every epoch, if the estimator has them."""
        return list(getattr(self._fitted, "validation_scores_", None) or [])

    def go_on(self, epochs: int | None = None) -> Fitting[None]:
        """Fit it.

        Raises
        ------
        ValueError
            It shall pause after some epochs; or what its ``fit`` raises.
        """
        if epochs is not None:
            raise ValueError(self._cannot_pause())
        given, fitted = self._sample.part(self._train), clone(self._estimator)
        prefix = f"{fitted.steps[-1][0]}__" if isinstance(fitted, Pipeline) else ""
        weights = {} if given.sample_weight is None else {f"{prefix}sample_weight": given.sample_weight}
        self._fitted = fitted.fit(given.X, given.y, **weights)
        yield from ()  # a fitting without jobs

    def score(self, rows: NDArray[np.int64], scorer: Scorer | None = None) -> float:
        """Return the score of some of the sample's rows: the estimator's own, or a scorer's."""
        return self.score_of(self._sample, rows, scorer)

    def score_of(self, sample: Sample, rows: NDArray[np.int64], scorer: Scorer | None = None) -> float:
        """Return the score of rows of another sample."""
        return _scored(self.fitted(), sample.part(rows), scorer)

    def fitted(self) -> Any:
        """Return the fitted estimator."""
        if not self.ended:
            raise ValueError("the trial has not begun: run its go_on() first")
        return self._fitted

    def state(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Raise ValueError: an estimator that fits in one go has no state to pause in."""
        raise ValueError(self._cannot_pause())

    def restore(self, arrays: Mapping[str, Array], values: Mapping[str, Any]) -> None:
        """Raise ValueError, as `state` does."""
        raise ValueError(self._cannot_pause())

    def _cannot_pause(self) -> str:
        return (
            f"{type(self._estimator).__name__} fits in one go and cannot pause after some epochs: use "
            "fastdense's MLPClassifier or MLPRegressor, or a Pipeline that ends in one, with solver 'adam' "
            "or 'sgd' and without callbacks; or a search that trains every candidate to its end"
        )


class PipelineTrial:
    """A pipeline that ends in a network, being fitted to some rows of a sample.

    Trials of the same rows whose pipelines differ in the network alone share all that stands before it. The
    weights of the rows are the network's.

    Parameters
    ----------
    pipeline : Pipeline
        It is only read.
    sample : Sample
    train : int64 array
    """

    def __init__(self, pipeline: Pipeline, sample: Sample, train: NDArray[np.int64]) -> None:
        self._pipeline, self._sample, self._train = pipeline, sample, train
        self._before: Preprocessed | None = None
        self._last: MLPTrial | None = None

    @property
    def epochs(self) -> int:
        """The epochs trained so far."""
        return 0 if self._last is None else self._last.epochs

    @property
    def ended(self) -> bool:
        """Whether the network came to its own end."""
        return self._last is not None and self._last.ended

    @property
    def losses(self) -> list[float]:
        """The training loss of every epoch."""
        return [] if self._last is None else self._last.losses

    @property
    def validation(self) -> list[float]:
        """The score of early stopping's own validation rows after every epoch, if there are any."""
        return [] if self._last is None else self._last.validation

    def go_on(self, epochs: int | None = None) -> Fitting[None]:
        """Train until ``epochs`` in all, or to its own end.

        Raises
        ------
        ValueError
            What ``fit`` raises.
        """
        yield from self._begun()[1].go_on(epochs)

    def _begun(self) -> tuple[Preprocessed, MLPTrial]:
        if self._before is None or self._last is None:
            before = self._before = Preprocessed.once(self._pipeline[:-1], self._sample, self._train)
            self._last = MLPTrial(self._pipeline[-1], before.sample, before.rows)
        return self._before, self._last

    def fitted(self) -> Any:
        """Return the fitted pipeline."""
        before, last = self._begun()
        fitted = clone(self._pipeline)
        fitted.steps = [*copy.deepcopy(before.steps.steps), (fitted.steps[-1][0], last.fitted())]
        return fitted

    def score(self, rows: NDArray[np.int64], scorer: Scorer | None = None) -> float:
        """Return the score of some of the sample's rows: the pipeline's own, or a scorer's."""
        before, last = self._begun()
        if scorer is None:
            return last.score_of(*before.part(rows))
        return _scored(self.fitted(), self._sample.part(rows), scorer)

    def state(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return the arrays and the values, such as JSON has, that going on needs."""
        return self._begun()[1].state()

    def restore(self, arrays: Mapping[str, Array], values: Mapping[str, Any]) -> None:
        """Take over what `state` returned: the trial goes on as if it had never paused."""
        self._begun()[1].restore(arrays, values)


def trial_of(
    estimator: Any, sample: Sample, train: NDArray[np.int64]
) -> MLPTrial | PipelineTrial | PlainTrial:
    """Return an estimator's trial: of a kind that can pause, if the estimator can."""
    if _ends_in_network(estimator):
        return PipelineTrial(estimator, sample, train)
    return (MLPTrial if has_epochs(estimator) else PlainTrial)(estimator, sample, train)


def _ends_in_network(estimator: Any) -> bool:
    """Return True for a pipeline whose ``fit`` comes to fitting its steps one after another."""
    if type(estimator) is not Pipeline or len(estimator.steps) < 2 or estimator.transform_input is not None:
        return False
    routed = get_config()["enable_metadata_routing"] or getattr(estimator, "_skl_callbacks", [])
    return has_epochs(estimator.steps[-1][1]) and not routed


def has_epochs(estimator: Any) -> bool:
    """Return True for the estimators whose ``fit`` a trial can stand in for."""
    if type(estimator) not in (MLPClassifier, MLPRegressor):  # another class may fit in another way
        return False
    return estimator.solver != "lbfgs" and not getattr(estimator, "_skl_callbacks", [])


def _scored(fitted: Any, given: Given, scorer: Scorer | None) -> float:
    return float(fitted.score(given.X, given.y) if scorer is None else scorer(fitted, given.X, given.y))
