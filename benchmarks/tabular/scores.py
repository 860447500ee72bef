"""The scores of predictions, and what many of them say."""

from __future__ import annotations

import numpy as np

LEAST = 1e-7  # of a probability, for the log loss


def of_classes(y: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Return the error, the log loss in nats and, of two classes, the area under the ROC curve."""
    from sklearn.metrics import roc_auc_score

    p = np.clip(probabilities.astype(np.float64), LEAST, 1.0)
    scores = {
        "error": float((probabilities.argmax(axis=1) != y).mean()),
        "log_loss": float(-np.log(p[np.arange(len(y)), y] / p.sum(axis=1)).mean()),
    }
    if probabilities.shape[1] == 2:
        scores["auc"] = float(roc_auc_score(y, probabilities[:, 1]))
    return scores


def of_numbers(y: np.ndarray, predictions: np.ndarray) -> dict[str, float]:
    """Return the root of the mean squared error."""
    return {"error": float(np.sqrt(((predictions - y) ** 2).mean()))}


def of_frequencies(y_train: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return the log loss of the training rows' class frequencies: a method above it has learned nothing."""
    frequencies = np.bincount(y_train) / len(y_train)
    return {"log_loss_of_frequencies": float(-np.log(frequencies[y]).mean())}
