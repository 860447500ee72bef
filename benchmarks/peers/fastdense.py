"""Our own: a frozen model predicts; the engine takes the steps of a stretch, as `fit` has it do."""

from __future__ import annotations

from typing import Any

import numpy as np
from networks import Network

from peers.common import EPSILON, RATE, Call


class Fastdense:
    name, module = "fastdense", "fastdense"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        import fastdense as fd

        widths = network.sizes[1:]
        kinds = [network.activation] * (len(widths) - 1) + ["linear"]
        layers = [fd.Dense(width, kind) for width, kind in zip(widths, kinds, strict=True)]
        model = fd.Sequential([fd.Input((network.sizes[0],)), *layers])
        model.set_weights([array for pair in network.weights() for array in pair])
        predict = model.freeze().predict
        return lambda: predict(X)

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        from fastdense import engines
        from fastdense.core.spec import (
            AdamSpec,
            MeanSquaredErrorSpec,
            SparseCategoricalCrossentropySpec,
            TrainingSpec,
        )

        loss = (
            SparseCategoricalCrossentropySpec(from_logits=True)
            if network.classifies
            else MeanSquaredErrorSpec()
        )
        training = TrainingSpec(loss, AdamSpec(epsilon=EPSILON))
        program = engines.choose("native").compile(self._spec(network), network.weights(), training)
        order, rates = np.arange(len(X)), np.full(len(X) // batch, RATE)
        data = engines.Batches(X, y, None, order, batch)
        return lambda: program.train(data, rates, program.steps)[-1]

    def _spec(self, network: Network) -> Any:
        from fastdense.core.spec import ActivationSpec, DenseSpec, NetworkSpec

        last = len(network.sizes) - 2
        layers = tuple(
            DenseSpec(n, u, ActivationSpec("linear" if i == last else network.activation))
            for i, (n, u) in enumerate(zip(network.sizes, network.sizes[1:], strict=False))
        )
        return NetworkSpec(network.sizes[0], layers)
