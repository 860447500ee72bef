"""The metrics: their values, gathered batch by batch, in Keras and here."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense
from tests.compare import assert_within
from tests.keras.both import LIBRARIES, UNCOMPILED, keras, pair

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
    "precision of one class": (lambda m: m.Precision(thresholds=0.3, class_id=2), ONE_HOT, CHANCES),
    "recall of one class": (lambda m: m.Recall(thresholds=0.3, class_id=0), ONE_HOT, CHANCES),
    "true positives": (lambda m: m.TruePositives(), TRUE, SAID),
    "false positives": (lambda m: m.FalsePositives(thresholds=0.3), TRUE, SAID),
    "true negatives": (lambda m: m.TrueNegatives(), BITS, CHANCES),
    "false negatives": (lambda m: m.FalseNegatives(), TRUE, SAID),
    "f1 of one output": (lambda m: m.F1Score(threshold=0.5), TRUE, SAID),
    "f1 of one output, no threshold": (lambda m: m.F1Score(), TRUE, SAID),
    "f1 of nothing": (lambda m: m.F1Score(threshold=0.5), np.zeros_like(TRUE), SAID),
    "f1, macro": (lambda m: m.F1Score(average="macro"), ONE_HOT, CHANCES),
    "f1, micro": (lambda m: m.F1Score(average="micro"), ONE_HOT, CHANCES),
    "f1, weighted": (lambda m: m.F1Score(average="weighted"), ONE_HOT, CHANCES),
    "f1, macro, threshold": (lambda m: m.F1Score(average="macro", threshold=0.3), BITS, CHANCES),
    "f1, outputs of 0": (lambda m: m.F1Score(average="micro"), ONE_HOT, 0 * CHANCES),
    "fbeta": (lambda m: m.FBetaScore(average="weighted", beta=2.0), ONE_HOT, CHANCES),
    "accuracy of numbers": (lambda m: m.Accuracy(), TRUE, SAID.round()),
    "top 2": (lambda m: m.TopKCategoricalAccuracy(k=2), ONE_HOT, CHANCES),
    "top 2, sparse": (lambda m: m.SparseTopKCategoricalAccuracy(k=2), CLASSES, CHANCES),
    "top 5 of 4": (lambda m: m.SparseTopKCategoricalAccuracy(), CLASSES, CHANCES),
    "mape": (lambda m: m.MeanAbsolutePercentageError(), CHANCES, CHANCES[::-1]),
    "msle": (lambda m: m.MeanSquaredLogarithmicError(), BITS, CHANCES - 0.1),
    "logcosh": (lambda m: m.LogCoshError(), 9 * BITS, CHANCES),
    "cosine": (lambda m: m.CosineSimilarity(), BITS, CHANCES),
    "r2": (lambda m: m.R2Score(), BITS + CHANCES, CHANCES),
    "binary crossentropy": (lambda m: m.BinaryCrossentropy(), BITS, CHANCES),
    "binary crossentropy, logits": (
        lambda m: m.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
        BITS,
        4 * CHANCES - 1,
    ),
    "categorical crossentropy": (lambda m: m.CategoricalCrossentropy(), ONE_HOT, CHANCES),
    "sparse crossentropy": (lambda m: m.SparseCategoricalCrossentropy(), CLASSES, CHANCES),
    "poisson": (lambda m: m.Poisson(), BITS, CHANCES),
    "divergence": (lambda m: m.KLDivergence(), CHANCES[::-1], CHANCES),
}
CURVES = {
    "auc": (lambda m: m.AUC(), TRUE, SAID),
    "auc, four outputs": (lambda m: m.AUC(), BITS, CHANCES),
    "precision over recall": (lambda m: m.AUC(curve="PR"), TRUE, SAID),
    "precision over recall, four outputs": (lambda m: m.AUC(curve="PR"), BITS, CHANCES),
}
NAMES = ["accuracy", "auc", "precision", "recall", "true_positives", "f1_score", "mse", "mae", "mape", "msle"]
NAMES += [
    "binary_crossentropy",
    "kl_divergence",
    "cosine_similarity",
    "poisson",
    "r2_score",
    "AUC",
    "Precision",
]
NAMES += ["top_k_categorical_accuracy", "root_mean_squared_error", "BinaryAccuracy", "RootMeanSquaredError"]


def measure(case, weights=None):
    """Return both results of three batches of unequal size."""
    make, y, outputs = case
    metrics = [make(lib.metrics) for lib in LIBRARIES]
    for rows in (slice(0, 64), slice(64, 200), slice(200, 300)):
        own = None if weights is None else weights[rows]
        for metric in metrics:
            metric.update_state(y[rows], outputs[rows].astype(np.float32), sample_weight=own)
    theirs, ours = (float(np.squeeze(metric.result())) for metric in metrics)
    return theirs, ours


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", METRICS)
def test_values(name, weighted):
    """Within 2e-6 of 1: Keras adds up 300 numbers in float32, we in double."""
    theirs, ours = measure(METRICS[name], RNG.uniform(0, 2, 300).astype(np.float32) if weighted else None)
    assert_within(ours, theirs, 2e-6 * max(1.0, abs(theirs)))


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


def identity(y_true, y_pred):
    return y_pred


def meanGap(y_true, y_pred):
    return abs(y_true - y_pred)


def share(name):
    """Return functions of one name and different values, as two lambdas are."""
    functions = [lambda y_true, y_pred: y_pred, lambda y_true, y_pred: y_true]
    for function in functions:
        function.__name__ = name
    return functions


# The metrics and the weighted metrics, by the library's module of metrics.
COMPILED = {
    "two precisions": (lambda m: [m.Precision(thresholds=0.3), m.Precision(thresholds=0.7)], lambda m: []),
    "a weighted precision": (lambda m: [m.Precision(thresholds=0.3)], lambda m: [m.Precision()]),
    "by name": (lambda m: ["precision", "recall"], lambda m: ["precision", "recall"]),
    "three areas": (lambda m: [m.AUC(), m.AUC(curve="PR")], lambda m: [m.AUC()]),
    "lambdas": (lambda m: share("<lambda>"), lambda m: []),
    "functions": (lambda m: [*share("f"), meanGap], lambda m: share("f")),
    "accuracies": (lambda m: ["accuracy", "accuracy", "acc"], lambda m: ["accuracy", "accuracy"]),
    "any case": (lambda m: ["Accuracy", "MSE"], lambda m: ["mse"]),
    "objects of a fixed name": (lambda m: [m.MeanSquaredError(), m.MeanSquaredError(), "mse"], lambda m: []),
    "weighted alone": (lambda m: [], lambda m: ["mae", m.MeanAbsoluteError(name="mae")]),
    "classes": (lambda m: [m.Precision, m.BinaryAccuracy], lambda m: []),
    "val_x beside another": (lambda m: [m.BinaryAccuracy(name="val_x"), "mse"], lambda m: []),
}


def compiled_with(plain, weighted):
    """Return both models' histories, evaluations by name and numbers of metrics."""
    weights = np.linspace(0.5, 1.5, 300).astype(np.float32)
    found = []
    for lib, model in zip(LIBRARIES, pair(one_unit), strict=True):
        metrics = {"metrics": plain(lib.metrics), "weighted_metrics": weighted(lib.metrics)}
        model.compile(
            optimizer=lib.optimizers.SGD(0.0), loss="binary_crossentropy", **metrics, **UNCOMPILED[lib]
        )
        fit = {"sample_weight": weights[:200], "validation_data": (SAID[200:], TRUE[200:], weights[200:])}
        history = model.fit(SAID[:200], TRUE[:200], batch_size=200, verbose=0, **fit).history
        whole = {"batch_size": 300, "sample_weight": weights, "verbose": 0}
        by_name = model.evaluate(SAID, TRUE, **whole, return_dict=True)
        found.append((history, by_name, model))
    return found


def one_unit(lib):
    return [lib.Input((1,)), lib.layers.Dense(1, activation="sigmoid")]


@pytest.mark.parametrize("name", COMPILED)
def test_metrics_that_share_a_name(name):
    """Keras gives names to all and so do we: none of the numbers is lost, in the history or in evaluation."""
    (history, by_name, _), (our_history, ours, model) = compiled_with(*COMPILED[name])
    assert sorted(our_history) == sorted(history)
    assert sorted(ours) == sorted(by_name)
    assert model.metrics_names == list(ours)
    assert model.evaluate(SAID, TRUE, verbose=0) != []
    tolerance = 1e-2 if "area" in name else 1e-5
    for key, values in history.items():
        assert_within(our_history[key], np.array(values), tolerance, key)
    for key, value in by_name.items():
        assert_within(ours[key], float(value), tolerance, key)


def test_metrics_go_by_the_names_they_were_asked_for():
    (history, *_), (ours, *_) = compiled_with(lambda m: NAMES, lambda m: [])
    assert sorted(ours) == sorted(history)
    assert set(NAMES) < set(ours)


def test_whether_small_or_large_is_good():
    """Keras says so of its metrics, except of the counts."""
    ours = {name: getattr(fastdense.metrics, name) for name in fastdense.metrics.__all__}
    theirs = {
        name: getattr(getattr(keras.metrics, name)(), "_direction", None)
        for name, metric in ours.items()
        if isinstance(metric, type) and metric in fastdense.metrics.FAMILY.members.values()
    }
    said = {name: {"up": "max", "down": "min"}[direction] for name, direction in theirs.items() if direction}
    assert len(said) > 15
    assert {name: ours[name].mode for name in said} == said
    assert all(ours[name].mode for name in theirs)
