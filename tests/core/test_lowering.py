"""Layers as primitives: together they compute what the layers do, and they know what readers ask."""

from __future__ import annotations

import numpy as np
import pytest

from fastdense.core.spec import ActivationSpec, DenseSpec, DropoutSpec, NetworkSpec
from fastdense.core.spec.lowering import (
    BlendColumns,
    Curve,
    Dropout,
    LeakColumns,
    LookUpColumns,
    NormalizeRows,
    PeriodicColumns,
    Product,
    ScaleColumns,
    Softmax,
    StandardizeColumns,
    tables,
)
from fastdense.engines import choose
from fastdense.reference import activate
from tests.cases import FLOAT64_CASES
from tests.compare import assert_within

NETWORKS = {case.network: case for case in FLOAT64_CASES}.values()


def computed(primitive, A):
    """Return a primitive of rows, by its formula."""
    match primitive:
        case Product(W, B):
            return A @ W + (0.0 if B is None else B)
        case StandardizeColumns(mean, deviation):
            return (A - mean) / deviation
        case NormalizeRows(gamma, beta, epsilon):
            D = A - A.mean(axis=1, keepdims=True)
            X = D / np.sqrt((D * D).mean(axis=1, keepdims=True) + epsilon)
            return X * (1.0 if gamma is None else gamma) + (0.0 if beta is None else beta)
        case LeakColumns(slopes):
            return np.where(A > 0, A, slopes * A)
        case LookUpColumns(passed, sizes, embeddings):
            columns = [
                [embeddings[table][list(range(size)).index(a) if a in range(size) else 0] for a in column]
                for column, size, table in zip(A[:, passed:].T, sizes, tables(sizes), strict=True)
            ]
            return np.hstack([A[:, :passed], *columns])
        case ScaleColumns(scale):
            return A * scale
        case BlendColumns(alpha, curve):
            return A + alpha * (computed(curve, A) - A)
        case PeriodicColumns(frequency, phase, kernel, bias, missing):
            x = A[:, : len(missing), None]
            waves = np.cos(2 * np.pi * frequency * x + phase)
            embedded = np.concatenate([np.einsum("rck,ckj->rcj", waves, kernel) + bias, x], axis=2)
            embedded = np.where(np.isnan(x), missing, embedded)
            return np.hstack([embedded.reshape(len(A), -1), A[:, len(missing) :]])
        case Curve(name, alpha):
            return np.array([activate(ActivationSpec(name, alpha), row) for row in A.tolist()])
        case Softmax(groups):
            spec = ActivationSpec("softmax", groups=groups)
            return np.array([activate(spec, row) for row in A.tolist()])
        case Dropout():
            return A


@pytest.mark.parametrize("case", NETWORKS, ids=lambda case: case.name)
def test_the_primitives_of_a_network_compute_what_its_layers_do(case):
    parameters, A = case.parameters(), case.data().X
    expected = choose("reference").compile(case.network, parameters).predict(A)
    for primitives in case.network.lower(parameters):
        for primitive in primitives:
            width = primitive.n_units(A.shape[1])
            before, A = A, computed(primitive, A)
            assert A.shape[1] == width
            assert primitive.computes or A is before
    assert_within(A, expected, 1e-12 * np.max(np.abs(expected)))


def test_a_product_counts_two_operations_per_weight_and_the_others_none():
    layers = (DenseSpec(4, 3, ActivationSpec("relu")), DropoutSpec(3, 0.5, stream=1))
    ((product, curve), (dropout,)) = NetworkSpec(4, layers).lower([(np.ones((4, 3)), np.ones(3)), ()])
    assert [each.operations for each in (product, curve, dropout)] == [24, 0, 0]
