"""What the pictures of a report hold: the points, the lines and where they lie."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import fastdense as fd
from fastdense.training.outcomes import classify, regress
from tests.insight.fitted import CLASSES, LOSS, X, classifier

pytest.importorskip("matplotlib")
charts = importlib.import_module("fastdense.insight.report.charts")


@pytest.fixture
def drawn(monkeypatch):
    """The figures, in the order in which they are made into pictures."""
    figures = []
    monkeypatch.setattr(charts, "picture", lambda figure, text: figures.append(figure) or "")
    return figures


def points(line):
    return np.column_stack(line.get_data()).tolist()


def test_the_kept_epoch_is_marked_where_it_is(drawn):
    model = classifier()
    model.compile(fd.optimizers.Adam(0.3), LOSS)
    stop = fd.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    model.fit(X, CLASSES, epochs=200, validation_split=0.2, verbose=0, callbacks=[stop])
    report = model.report()
    charts.curves(report)
    training, held_out, kept = drawn[0].axes[0].lines
    assert points(training) == [[e, v] for e, v in zip(report.epochs, report.history["loss"], strict=True)]
    assert points(held_out)[-1] == [report.epochs[-1], report.history["val_loss"][-1]]
    assert set(kept.get_xdata()) == {stop.best_epoch + 1}
    assert stop.best_epoch > 0


def test_calibration_has_what_was_predicted_across(drawn):
    chance = np.array([0.1, 0.12, 0.9, 0.92])
    outcome = classify("", ("no", "yes"), np.array([0, 1, 1, 1]), np.stack([1 - chance, chance], axis=1))
    charts.calibration_charts(outcome)
    diagonal, line = drawn[0].axes[0].lines
    assert points(diagonal) == [[0, 0], [1, 1]]
    np.testing.assert_allclose(points(line), [[0.11, 0.5], [0.91, 1.0]])
    assert [bar.get_height() for bar in drawn[1].axes[0].patches] == [2, 2]


def test_quantities_have_the_prediction_across_and_the_diagonal_where_both_agree(drawn):
    truth, guess = np.array([1.0, 2.0, 5.0]), np.array([2.0, 2.0, 3.0])
    charts.residuals_charts(regress("", truth, guess))
    compared, residuals, tenths = (figure.axes[0] for figure in drawn)
    assert compared.collections[0].get_offsets().tolist() == [[2, 1], [2, 2], [3, 5]]
    assert points(compared.lines[0]) == [[1, 1], [5, 5]]
    counts = [(bar.get_x(), bar.get_height()) for bar in residuals.patches if bar.get_height()]
    assert [count for _, count in counts] == [1, 1, 1]
    assert counts[0][0] == -1
    assert points(tenths.lines[0]) == [[2, 1], [2, 2], [3, 5]]
