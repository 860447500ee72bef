"""Ensembles: networks of other seeds and rows, trained together, that predict their mean."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    _fit_context,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.ensemble._bagging import _generate_bagging_indices
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import check_random_state, column_or_1d, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from fastdense.core.arrays import Array
from fastdense.engines.jobs import Fitting, together
from fastdense.engines.lanes import LaneCrew
from fastdense.estimators.inference import is_plain
from fastdense.estimators.members import common_goal
from fastdense.estimators.mlp import BaseMLP
from fastdense.estimators.rows import as_matrix
from fastdense.estimators.sample import Sample
from fastdense.estimators.trials import trial_of
from fastdense.network.joined import FrozenEnsemble
from fastdense.search.outlets import Outlets

__all__ = ["Ensemble"]

Rows = NDArray[np.int64]
_MOST = np.iinfo(np.int32).max


class Ensemble(Outlets, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """Networks of other seeds, and on request of other rows, which predict the mean of what each says.

    They are trained together: each thread trains whole networks, one after another, on the shared rows.
    Every member has the bits of the estimator fitted alone to its rows, for any number of threads.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        What every member is a clone of, with a ``random_state`` of its own. Preprocessing goes before the
        ensemble: ``make_pipeline(StandardScaler(), Ensemble(MLPClassifier()))``.
    n : int
        How many members there are.
    bagging : bool
        Whether each member is fitted to a bootstrap of the rows, as many as there are, drawn with
        replacement; else to all of them.
    oob_score : bool
        Whether to score each row by the members that were not fitted to it; needs ``bagging``.
    random_state : int or RandomState instance, optional
        Where the members' seeds and bootstraps are drawn from, by the same draws as in
        ``sklearn.ensemble.BaggingClassifier``.
    n_threads : int, optional
        The threads that train; as many as `fastdense.get_threads` says, if None.

    Attributes
    ----------
    estimators_ : list of estimator
        The fitted members. One whose fit failed is missing, and a ``FitFailedWarning`` says why.
    estimators_samples_ : list of int64 array of shape (n_samples,)
        The numbers of the rows that each member was fitted to.
    classes_ : array of shape (n_classes,)
        The classes of all rows. A member whose rows lack one gives it the probability 0.
    n_features_in_ : int
    feature_names_in_ : array of shape (n_features,)
        If the rows were a data frame with names.
    oob_score_ : float
        The accuracy or R squared of the mean of those members that were not fitted to the row.
    oob_prediction_ : float64 array of shape (n_samples,) or (n_samples, n_outputs)
        These means; a classifier has them as ``oob_decision_function_``, of shape (n_samples, n_classes). NaN
        for rows that every member was fitted to, which do not count.

    References
    ----------
    L. Breiman, "Bagging predictors", 1996. B. Lakshminarayanan, A. Pritzel and C. Blundell, "Simple and
    scalable predictive uncertainty estimation using deep ensembles", 2017.

    Examples
    --------
    >>> import fastdense as fd
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> network = fd.MLPClassifier((16,), learning_rate_init=0.03, max_iter=500)
    >>> ensemble = fd.search.Ensemble(network, n=30, oob_score=True, random_state=0).fit(X, y)
    >>> len(ensemble.estimators_), bool(ensemble.oob_score_ > 0.9)
    (30, True)
    >>> ensemble.predict(X[:2]), ensemble.predict_spread(X[:2]).shape
    (array([0, 0]), (2, 3))
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "n": [Interval(Integral, 1, None, closed="left")],
        "bagging": ["boolean"],
        "oob_score": ["boolean"],
        "random_state": ["random_state"],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        estimator: Any,
        n: int = 20,
        *,
        bagging: bool = True,
        oob_score: bool = False,
        random_state: Any = None,
        n_threads: int | None = None,
    ) -> None:
        self.estimator, self.n = estimator, n
        self.bagging, self.oob_score = bagging, oob_score
        self.random_state, self.n_threads = random_state, n_threads

    @_fit_context(prefer_skip_nested_validation=False)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit all members.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
            Every member's rows have them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            The rows or a parameter cannot be used, or all members failed: the message says why.
        """
        if not isinstance(self.estimator, BaseMLP):
            raise ValueError(
                f"an Ensemble is of MLPClassifier or MLPRegressor, got {type(self.estimator).__name__}: put "
                "preprocessing before it, as in make_pipeline(StandardScaler(), Ensemble(MLPClassifier()))"
            )
        if self.oob_score and not self.bagging:
            raise ValueError("oob_score=True needs bagging=True: without, every member is fitted to all rows")
        X, y = self._checked(X, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X)
        seeds = check_random_state(self.random_state).randint(_MOST, size=self.n)
        samples = self._samples(seeds, X.shape)
        members, numbers = self._fitted(Sample(X, y, sample_weight), seeds, samples)
        self._goal = common_goal(y, members)
        self.estimators_, self.estimators_samples_ = members, [samples[i] for i in numbers]
        if is_classifier(self):
            self.classes_ = self._goal.classes  # type: ignore[attr-defined]
        self._frozen = self.freeze()
        if self.oob_score:
            self._score_out_of_bag(X, y)
        return self

    def _checked(self, X: Any, y: Any) -> tuple[Any, Array]:
        """Return rows and targets that scikit-learn's validation has passed, one column as a vector."""
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=is_regressor(self),
            dtype=(np.float64, np.float32),
        )
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _samples(self, seeds: Sequence[int], shape: tuple[int, int]) -> list[Rows]:
        """Return the numbers of the rows that the member of each seed is fitted to."""
        rows, columns = shape
        if not self.bagging:
            return [np.arange(rows)] * len(seeds)  # one array: its members share what is learned from it
        sizes = columns, rows, columns, rows
        return [_generate_bagging_indices(seed, False, True, *sizes, None)[1] for seed in seeds]

    def _fitted(
        self, sample: Sample, seeds: Sequence[int], samples: Sequence[Rows]
    ) -> tuple[list[Any], list[int]]:
        """Return the members that could be fitted, and their numbers; warn of the others."""
        fittings = (self._member(sample, *each) for each in zip(seeds, samples, strict=True))
        found = dict(sorted(together(fittings, crew=LaneCrew(self.n_threads)), key=lambda ended: ended[0]))
        failed = {i: each for i, each in found.items() if isinstance(each, Exception)}
        if failed:
            causes = "\n".join(f"member {i}: {type(each).__name__}: {each}" for i, each in failed.items())
            text = f"{len(failed)} of {self.n} members failed:\n{causes}"
            if len(failed) == self.n:
                raise ValueError(text) from failed[0]
            warnings.warn(text, FitFailedWarning, stacklevel=4)
        whole = {i: each for i, each in found.items() if i not in failed}
        return list(whole.values()), list(whole)

    def _member(self, sample: Sample, seed: int, rows: Rows) -> Fitting[Any]:
        """Fit the member of a seed to its rows."""
        own = check_random_state(seed).randint(_MOST)
        trial = trial_of(clone(self.estimator).set_params(random_state=own), sample, rows)
        yield from trial.go_on()
        return trial.fitted()

    def _score_out_of_bag(self, X: Any, y: Array) -> None:
        goal, count = self._goal, np.zeros((len(y), 1))
        total = np.zeros((len(y), goal.n_outputs))
        for network, sample in zip(self.to_networks(), self.estimators_samples_, strict=True):
            others = np.setdiff1d(np.arange(len(y)), sample)
            if len(others):
                total[others] += network.predict(X[others])
                count[others] += 1
        outputs = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
        known = count[:, 0] > 0
        if not known.all():
            warnings.warn(
                f"{(~known).sum()} of {len(y)} rows have no out-of-bag prediction, as every member was "
                "fitted to them: use more members",
                stacklevel=3,
            )
        self.oob_score_ = self._score(y[known], self._decoded(outputs[known])) if known.any() else np.nan
        if is_classifier(self):
            self.oob_decision_function_ = goal.probabilities(outputs)  # type: ignore[attr-defined]
        else:
            self.oob_prediction_ = self._decoded(outputs)

    def _decoded(self, outputs: Array) -> Any:
        """Return mean outputs as predictions."""
        if is_classifier(self):
            return self._goal.decode(outputs)  # type: ignore[attr-defined]
        return outputs[:, 0] if self._goal.n_outputs == 1 else outputs

    def _matrix(self, X: Any) -> tuple[FrozenEnsemble, Any]:
        """Return what predicts, and validated rows as it takes them."""
        check_is_fitted(self, "estimators_")
        if not is_plain(X, self.n_features_in_) or hasattr(self, "feature_names_in_"):
            X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        return self._frozen, as_matrix(X, self._frozen.dtype)

    def _outputs(self, X: Any) -> Array:
        frozen, rows = self._matrix(X)
        return frozen.predict(rows)

    def predict(self, X: Any) -> Any:
        """Return the class of the highest mean probability, or the mean of the members' numbers.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples,) or (n_samples, n_outputs)
            As of the members' ``predict``.
        """
        return self._decoded(self._outputs(X))

    @available_if(is_classifier)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Return the mean of the members' probabilities of every class.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)

        Returns
        -------
        p : array of shape (n_samples, n_classes)
        """
        outputs = self._outputs(X)
        probabilities: Array = self._goal.probabilities(outputs)  # type: ignore[attr-defined]
        return probabilities

    def predict_spread(self, X: Any) -> Array:
        """Return how far the members are apart: the standard deviation of their probabilities or numbers.

        It is that of the members (divided by their number), and in itself no error of the mean.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)

        Returns
        -------
        spread : float64 array
            Of shape (n_samples, n_classes) for a classifier, else of the shape of `predict`.
        """
        frozen, rows = self._matrix(X)
        spread = frozen.spread(rows)
        if is_classifier(self):
            return spread if self._goal.n_outputs > 1 else np.hstack([spread, spread])
        return spread[:, 0] if self._goal.n_outputs == 1 else spread

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy, or R squared.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
        """
        return self._score(y, self.predict(X), sample_weight)

    def _score(self, y: Any, found: Any, sample_weight: Any = None) -> float:
        measure = accuracy_score if is_classifier(self) else r2_score
        return float(measure(y, found, sample_weight=sample_weight))

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: what is compiled is compiled again."""
        return {name: value for name, value in super().__getstate__().items() if name != "_frozen"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state of a pickle."""
        super().__setstate__(state)
        if "estimators_" in state:
            self._frozen = self.freeze()

    def __sklearn_tags__(self) -> Any:
        tags, own = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.estimator_type, tags.target_tags = own.estimator_type, own.target_tags
        tags.classifier_tags, tags.regressor_tags = own.classifier_tags, own.regressor_tags
        tags.input_tags.sparse = own.input_tags.sparse
        return tags
