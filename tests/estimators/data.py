"""Small data sets for the estimators, made once."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification, make_regression

X_IRIS, Y_IRIS = load_iris(return_X_y=True)
X_IRIS = (X_IRIS - X_IRIS.mean(axis=0)) / X_IRIS.std(axis=0)
WORDS = np.array(["setosa", "versicolor", "virginica"])[Y_IRIS]
X_DIGITS, Y_DIGITS = load_digits(return_X_y=True)
X_DIGITS, Y_DIGITS = X_DIGITS[:500] / 16, Y_DIGITS[:500]
X_LABELS, Y_LABELS = make_multilabel_classification(250, random_state=0)
X_NUMBERS, Y_THREE = make_regression(230, 8, n_targets=3, noise=5.0, random_state=0)
Y_THREE = Y_THREE / 100
Y_NUMBERS = Y_THREE[:, 0]
Y_COUNTS = np.random.default_rng(0).poisson(np.exp(Y_NUMBERS)).astype(float)
