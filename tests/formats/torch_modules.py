"""Modules of PyTorch for tests, and what modules predict; imported only where there is PyTorch."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

__all__ = ["Chain", "in_double", "normal", "predictions_of"]


def predictions_of(module):
    """Return ``predict(X)`` of a module."""

    def predict(X):
        with torch.inference_mode():
            return module(torch.from_numpy(X)).numpy()

    return predict


def in_double(module):
    """Return ``predict(X)`` of a module, computed in float64 from its own weights: as good as exact."""
    double = copy.deepcopy(module).double()
    return lambda X: predictions_of(double)(X.astype(np.float64)).astype(X.dtype)


class Chain(nn.Module):
    """A Linear and whatever is called on its result."""

    def __init__(self, call, n_in=4):
        super().__init__()
        self.fc = nn.Linear(n_in, 4)
        self.call = call

    def forward(self, x):
        return self.call(self.fc(x))


def normal(width, affine=True):
    """Return a batch normalisation with statistics and weights, negative ones too."""
    norm = nn.BatchNorm1d(width, affine=affine)
    with torch.no_grad():
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.25, 4.0)
        for parameter in norm.parameters():
            parameter.normal_()
    return norm
