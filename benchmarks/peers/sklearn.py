"""scikit-learn's multilayer perceptrons, their weights replaced; they train by partial_fit."""

from __future__ import annotations

import warnings

import numpy as np
from networks import Network

from peers.common import EPSILON, RATE, Call, unsupported


class ScikitLearn:
    name, module = "scikit-learn", "sklearn"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        from sklearn.neural_network import MLPRegressor

        if network.activation == "gelu":
            unsupported("scikit-learn has no GELU")
        kind = {"sigmoid": "logistic"}.get(network.activation, network.activation)
        model = MLPRegressor(hidden_layer_sizes=network.sizes[1:-1], activation=kind, max_iter=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X[:1].repeat(4, axis=0), np.zeros((4, network.sizes[-1]), np.float32).squeeze())
        model.coefs_, model.intercepts_ = (list(part) for part in zip(*network.weights(), strict=True))
        return lambda: model.predict(X).reshape(len(X), -1)

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        options = {
            "learning_rate_init": RATE,
            "batch_size": batch,
            "shuffle": False,
            "alpha": 0.0,
            "epsilon": EPSILON,
        }
        kind = MLPClassifier if network.classifies else MLPRegressor
        model = kind(hidden_layer_sizes=network.sizes[1:-1], **options)
        classes = {"classes": np.arange(network.sizes[-1])} if network.classifies else {}
        targets = y.squeeze()

        def epoch() -> None:
            model.partial_fit(X, targets, **classes)

        return epoch
