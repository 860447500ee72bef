"""Keras as its users call it, on whichever backend is installed."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

import numpy as np
from networks import Network

from peers.common import EPSILON, RATE, Call


class Keras:
    name, module = "Keras", "keras"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        model = self._model(network)
        return lambda: model.predict(X, batch_size=len(X), verbose=0)

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        model = self._model(network)
        import keras

        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if network.classifies else "mse"
        model.compile(loss=loss, optimizer=keras.optimizers.Adam(RATE, epsilon=EPSILON))

        def epoch() -> None:  # the loss that it tells is the epoch's mean
            model.fit(X, y, batch_size=batch, shuffle=False, verbose=0)

        return epoch

    def _model(self, network: Network) -> Any:
        backends = [name for name in ("tensorflow", "jax", "torch") if find_spec(name)]
        os.environ.setdefault("KERAS_BACKEND", backends[0])
        import keras

        *hidden, n_out = network.sizes[1:]
        layers = [keras.layers.Dense(width, network.activation) for width in hidden]
        model = keras.Sequential([keras.Input((network.sizes[0],)), *layers, keras.layers.Dense(n_out)])
        model.set_weights([array for pair in network.weights() for array in pair])
        return model
