"""The classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY
from functools import partial
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.metrics import accuracy_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from fastdense.core.arrays import Array
from fastdense.core.parameters import parameter
from fastdense.estimators.labels import MANY, Labels, ManyLabels, labels_of
from fastdense.estimators.mlp import BaseMLP
from fastdense.estimators.parameters import Allowed
from fastdense.estimators.rows import Given
from fastdense.estimators.weighing import class_weights, weigh

__all__ = ["MLPClassifier"]


class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A dense network that classifies: scikit-learn's MLPClassifier on fastdense's engines.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        A list of such arrays for several columns of classes.
    <attributes>

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastdense import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier(max_iter=1000, random_state=0).fit(X, y)
    >>> model.predict(X[:2]), round(model.score(X, y), 2)
    (array([0, 0]), 0.98)
    """

    _: KW_ONLY
    class_weight: Any = parameter(
        Allowed(dict, list, StrOptions({"balanced"}), None),
        """What each class weighs, on top of sample_weight and in validation too; 'balanced' lets every class
        weigh the same, a row of weight 3 counting as three rows. For several columns, a list of dicts.""",
        default=None,
        kind="dict, list of dict or 'balanced'",
    )
    label_smoothing: float = parameter(
        Allowed(Interval(Real, 0, 1, closed="left")),
        "The share of every target that is spread evenly over all classes.",
        default=0.0,
    )

    def _learn(self, y: Array, given: Given, first_pass: bool, incremental: bool) -> Labels:
        known: Labels | None = getattr(self, "_goal", None)
        if incremental:
            known = self._all_classes(known, y, given.classes)
        if known is not None and (self.warm_start or incremental):
            known.check(y, all_of_them=not incremental)
        else:
            known = self._learned(y)
        self.classes_ = known.classes
        return self._goal_of(known)

    def _learned(self, y: Array) -> Labels:
        return labels_of(y)

    def _goal_of(self, learned: Labels) -> Labels:
        return learned.smoothed(self.label_smoothing)

    def _all_classes(self, known: Labels | None, y: Array, classes: Any) -> Labels:
        """Return the classes that there will be: the first call states them, later ones may repeat them."""
        by_column = isinstance(classes, list | tuple) and all(np.ndim(own) == 1 for own in classes)
        if known is None:
            many = bool(by_column and classes) or type_of_target(y) == MANY
        else:
            many = isinstance(known, ManyLabels)
        if not many:
            _check_partial_fit_first_call(self, classes)
            labelled = known is None and type_of_target(y).startswith("multilabel")
            return known or labels_of(y if labelled else classes)
        if classes is None:
            if known is None:
                raise ValueError("classes must be passed on the first call to partial_fit: a list per column")
            return known
        given = ManyLabels.of([np.unique(own) for own in classes])
        if known is None:
            return given
        alike = len(given.classes) == len(known.classes)
        if not (alike and all(map(np.array_equal, given.classes, known.classes))):
            raise ValueError(f"`classes={classes}` is not the same as on last call to partial_fit")
        return known

    def _weigh_targets(
        self, goal: Labels, y: Array, rows: Array | None, incremental: bool
    ) -> Callable[[Array], Array] | None:
        if self.class_weight is None:
            return None
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit: it needs all rows at once. Give "
                "the weights as a dict (sklearn.utils.compute_class_weight finds them)."
            )
        return partial(weigh, class_weights(self.class_weight, goal, y, rows), goal)

    @available_if(lambda self: self._check_solver())  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        classes: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train one epoch more, on these rows.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
        classes : array-like of shape (n_classes,), or a list of them for several columns
            All classes that there will be; needed by the first call.
        X_val, y_val, sample_weight_val : as in `fit`
            Needed by early_stopping, which then works over calls: once it has ended the training and gone
            back to the best weights, ``stopped_`` is True and later calls change nothing.

        Returns
        -------
        self
        """
        return self._continue(
            Given(X, y, sample_weight, classes=classes), Given.to_validate(X_val, y_val, sample_weight_val)
        )

    def predict(self, X: Any) -> Array:
        """Return the likeliest class of every row.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples,), or of labels (n_samples, n_classes)
        """
        outputs = self._outputs(X)
        labels: Array = self._goal.decode(outputs)
        return labels

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of every class.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)

        Returns
        -------
        p : array of shape (n_samples, n_classes)
            For labels, each one's; for several columns of classes, a list of such arrays.
        """
        outputs = self._outputs(X)
        return self._goal.probabilities(outputs)

    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithm of `predict_proba`."""
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            if isinstance(probabilities, list):
                return [np.log(each) for each in probabilities]
            return np.log(probabilities, out=probabilities)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy: of several labels or columns, the share of rows that have all of them right.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), optional
        """
        found = self.predict(X)
        if not isinstance(self._goal, ManyLabels):
            return float(accuracy_score(y, found, sample_weight=sample_weight))
        if np.shape(y) != found.shape:
            raise ValueError(f"y must have the shape {found.shape} of the predictions, not {np.shape(y)}")
        return float(np.average((np.asarray(y) == found).all(axis=1), weights=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
