"""PyTorch, without gradients where it predicts and with the fused Adam: as it is, and compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from networks import Network

from peers.common import EPSILON, RATE, Call, batches, unsupported


class Torch:
    name, module = "PyTorch", "torch"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        import torch

        model, rows = self.prepared(self.model(network)), torch.from_numpy(X)

        def run() -> np.ndarray:
            with torch.inference_mode():
                return model(rows).numpy()

        return run

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        import torch

        model, rows, targets = self.model(network), torch.from_numpy(X), torch.from_numpy(y)
        optimizer = torch.optim.Adam(model.parameters(), lr=RATE, eps=EPSILON, fused=True)
        forward = self.prepared(model)
        loss_of = torch.nn.CrossEntropyLoss() if network.classifies else torch.nn.MSELoss()

        def epoch() -> float:
            for A, wanted in batches(rows, targets, size=batch):
                loss = loss_of(forward(A), wanted)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            return loss.item()

        return epoch

    def prepared(self, model: Any) -> Any:
        return model

    def model(self, network: Network) -> Any:
        import torch

        kinds = {
            "relu": torch.nn.ReLU,
            "sigmoid": torch.nn.Sigmoid,
            "tanh": torch.nn.Tanh,
            "gelu": torch.nn.GELU,
        }
        layers: list[Any] = []
        for W, B in network.weights():
            linear = torch.nn.Linear(*W.shape)
            linear.weight.data, linear.bias.data = torch.from_numpy(W.T.copy()), torch.from_numpy(B)
            layers += [linear, kinds[network.activation]()]
        return torch.nn.Sequential(*layers[:-1])


class TorchCompiled(Torch):
    """Forward and backward compiled; compiling takes seconds, so only for some networks."""

    name = "PyTorch compiled"

    def predictor(self, network: Network, X: np.ndarray) -> Call:
        check(network, len(X))
        return super().predictor(network, X)

    def trainer(self, network: Network, X: np.ndarray, y: np.ndarray, batch: int) -> Call:
        check(network, batch)
        return super().trainer(network, X, y, batch)

    def prepared(self, model: Any) -> Any:
        import torch

        return torch.compile(model)


def check(network: Network, rows: int) -> None:
    if network.name not in {"64-64-64-10", "256-256-256-256-10"} or rows not in {1, 32, 256}:
        unsupported("each shape takes seconds to compile")
