"""The classifier."""

from __future__ import annotations

from dataclasses import KW_ONLY
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target, unique_labels
from sklearn.utils.validation import validate_data

from fastdense.estimators.goal import Labels
from fastdense.estimators.inference import outputs_of
from fastdense.estimators.mlp import BaseMLP, Given, _held_out
from fastdense.estimators.parameters import parameter, with_parameters

__all__ = ["MLPClassifier"]

Array = NDArray[Any]


@with_parameters
class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A dense network that classifies: scikit-learn's MLPClassifier on fastdense's engines.

    Parameters
    ----------
    <parameters>

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
    coefs_, intercepts_ : list of array
        The kernel, (n_in, n_units), and the biases of every layer: read-only. To change them, put another
        array in the list.
    loss_, best_loss_ : float
    loss_curve_, validation_loss_curve_, validation_scores_ : list of float
        An entry an epoch; the last two are None where no rows were held out. The training loss contains the
        penalty, the validation loss does not.
    best_validation_score_ : float or None
    n_iter_, t_ : int
        Epochs of the last `fit`, and rows trained on in all.
    n_layers_, n_outputs_, n_features_in_ : int
    out_activation_ : str
    feature_names_in_ : array of str
        Where `X` has names.
    stopped_ : bool
        Whether early stopping has ended the training: `partial_fit` then changes nothing.

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
        None,
        [dict, list, StrOptions({"balanced"}), None],
        "dict, list of dict, 'balanced' or None",
        """What each class weighs, on top of sample_weight; 'balanced' lets every class weigh the same.""",
    )
    label_smoothing: float = parameter(
        0.0,
        [Interval(Real, 0, 1, closed="left")],
        "float",
        """The share of every target that is spread evenly over all classes.""",
    )

    def _validated(self, given: Given, first_pass: bool, incremental: bool) -> tuple[Any, Array]:
        X, y = validate_data(
            self,
            given.X,
            given.y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            dtype=(np.float64, np.float32),
            reset=first_pass,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or (not self.warm_start and not incremental):
            self._learn_classes(y)
            return X, y
        classes = unique_labels(y)
        if self.warm_start and not incremental and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                f"Previously got {self.classes_}, `y` has {classes}"
            )
        if len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has "
                f"{classes}."
            )
        return X, y

    def _learn_classes(self, y: Array) -> None:
        labels = LabelBinarizer().fit(y)
        self._label_kind, self.classes_ = labels.y_type_, labels.classes_

    def _goal(self, y: Array) -> Labels:
        return Labels(self._label_kind, self.classes_, self.label_smoothing)

    def _weights_of(self, given: Given, y: Array, incremental: bool) -> Any:
        if self.class_weight is None:
            return given.sample_weight
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit: it needs all rows at once. Give "
                "the weights as a dict (sklearn.utils.compute_class_weight finds them)."
            )
        weights = compute_sample_weight(self.class_weight, y)
        return weights if given.sample_weight is None else weights * np.asarray(given.sample_weight)

    @available_if(lambda self: self._can_be_continued())  # type: ignore[untyped-decorator]
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
        classes : array-like of shape (n_classes,)
            All classes that there will be; needed by the first call.
        X_val, y_val, sample_weight_val : as in `fit`
            Needed by early_stopping, which then works over calls: once it has ended the training and gone
            back to the best weights, `stopped_` is True and later calls change nothing.

        Returns
        -------
        self
        """
        if _check_partial_fit_first_call(self, classes):
            labels = LabelBinarizer().fit(y if type_of_target(y).startswith("multilabel") else classes)
            self._label_kind = labels.y_type_
        return self._continue(Given(X, y, sample_weight), _held_out(X_val, y_val, sample_weight_val))

    def predict(self, X: Any) -> Array:
        """Return the likeliest class of every row.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)

        Returns
        -------
        y : array of shape (n_samples,), or of labels (n_samples, n_classes)
        """
        outputs = outputs_of(self, X)
        return self._goal(outputs).decode(outputs)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of every class, or of labels each label's, shape (n_samples, n_classes)."""
        outputs = outputs_of(self, X)
        return outputs if self.n_outputs_ > 1 else np.hstack([1 - outputs, outputs])

    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of `predict_proba`."""
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(probabilities, out=probabilities)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
