"""The metrics: their values, gathered batch by batch, in Keras and here."""

from __future__ import annotations

import numpy as np
import pytest

from tests.compare import assert_within
from tests.keras.both import LIBRARIES

RNG = np.random.default_rng(4)
TRUE, SAID = RNG.integers(0, 2, (300, 1)), RNG.uniform(0, 1, (300, 1))
SAID = np.clip(0.6 * SAID + 0.4 * TRUE * RNG.uniform(0, 1, (300, 1)), 0, 1)
CLASSES, CHANCES = RNG.integers(0, 4, 300), RNG.dirichlet(np.ones(4), 300)
ONE_HOT = np.eye(4)[CLASSES]
BITS = RNG.integers(0, 2, (300, 4))

METRICS = {
    "binary_accuracy": (lambda m: m.BinaryAccuracy(), TRUE, SAID),
    "binary_accuracy at 0.3": (lambda m: m.BinaryAccuracy(threshold=0.3), TRUE, SAID),
    "binary_accuracy, four outputs": (lambda m: m.BinaryAccuracy(), BITS, CHANCES),
    "categorical_accuracy": (lambda m: m.CategoricalAccuracy(), ONE_HOT, CHANCES),
    "sparse_categorical_accuracy": (lambda m: m.SparseCategoricalAccuracy(), CLASSES, CHANCES),
    "mean_squared_error": (lambda m: m.MeanSquaredError(), BITS, CHANCES),
    "mean_absolute_error": (lambda m: m.MeanAbsoluteError(), BITS, CHANCES),
    "root_mean_squared_error": (lambda m: m.RootMeanSquaredError(), BITS, CHANCES),
    "precision": (lambda m: m.Precision(), TRUE, SAID),
    "precision at 0.7": (lambda m: m.Precision(thresholds=0.7), TRUE, SAID),
    "precision of nothing": (lambda m: m.Precision(thresholds=1.0), TRUE, SAID),
    "recall": (lambda m: m.Recall(), TRUE, SAID),
    "recall at 0.3": (lambda m: m.Recall(thresholds=0.3), TRUE, SAID),
    "recall of nothing": (lambda m: m.Recall(), np.zeros_like(TRUE), SAID),
}
CURVES = {"auc": (lambda m: m.AUC(), TRUE, SAID), "auc, four outputs": (lambda m: m.AUC(), BITS, CHANCES)}


def measure(case, weights=None):
    """Return both results of three batches of unequal size."""
    make, y, outputs = case
    metrics = [make(lib.metrics) for lib in LIBRARIES]
    for rows in (slice(0, 64), slice(64, 200), slice(200, 300)):
        own = None if weights is None else weights[rows]
        for metric in metrics:
            metric.update_state(y[rows], outputs[rows].astype(np.float32), sample_weight=own)
    theirs, ours = (float(metric.result()) for metric in metrics)
    return theirs, ours


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", METRICS)
def test_values(name, weighted):
    """Within 2e-6: Keras adds up 300 numbers in float32, we in double."""
    theirs, ours = measure(METRICS[name], RNG.uniform(0, 2, 300).astype(np.float32) if weighted else None)
    assert_within(ours, theirs, 2e-6)


@pytest.mark.parametrize("name", CURVES)
def test_area_under_the_curve(name):
    """Within 1e-2: Keras draws the curve through 200 points, ours is exact."""
    theirs, ours = measure(CURVES[name])
    assert_within(ours, theirs, 1e-2)


def test_a_reset_metric_starts_anew():
    for lib in LIBRARIES:
        metric = lib.metrics.BinaryAccuracy()
        metric.update_state([[1.0]], [[0.0]])
        metric.reset_state()
        metric.update_state([[1.0]], [[1.0]])
        assert float(metric.result()) == 1.0
