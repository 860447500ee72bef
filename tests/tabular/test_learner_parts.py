"""The parts of learning a table by hand: schedules, folds, first weights, calibration, intervals, metrics."""

import math
import time

import numpy as np
import pytest

from fastdense.layers import CategoryEmbedding
from fastdense.tables import Layout, Table
from fastdense.tabular.architecture import network_of
from fastdense.tabular.calibration import log_loss, logs_of, scaled, sharpness
from fastdense.tabular.choice import Choice
from fastdense.tabular.fitting import Course, Plan
from fastdense.tabular.folds import Part, parts_of
from fastdense.tabular.goals import Goal
from fastdense.tabular.intervals import intervals, thinned
from fastdense.tabular.recipes import Recipe
from fastdense.tabular.rows import Rows
from fastdense.tabular.schedules import coslog, flat_cosine
from fastdense.tabular.scores import area, score_of
from fastdense.tabular.starts import dense_start, start_from
from fastdense.tabular.subject import Subject
from tests.compare import assert_within

ONES = np.ones(4)


def test_the_rate_has_four_cycles_each_twice_as_long():
    turns = (2.0 ** np.arange(5) - 1) / 15
    assert_within(coslog(turns), np.zeros(5), 1e-12)
    middles = (2.0 ** (np.arange(4) + 0.5) - 1) / 15
    assert_within(coslog(middles), np.ones(4), 1e-12)


def test_decay_and_dropout_stay_until_the_middle():
    assert_within(flat_cosine(np.array([0.0, 0.3, 0.5, 2 / 3, 0.75, 1.0])), [1, 1, 1, 0.75, 0.5, 0], 1e-12)


def test_folds_hold_every_row_out_once_and_share_the_classes():
    strata = np.repeat([0, 1], [40, 10])
    parts = parts_of(strata, 10, 5, seed=1)
    for deal in (parts[:5], parts[5:]):
        assert sorted(np.concatenate([part.held_out for part in deal])) == list(range(50))
        for part in deal:
            assert np.bincount(strata[part.held_out]).tolist() == [8, 2]
            assert not set(part.training) & set(part.held_out)
            assert part.first_half.sum() == 5
    assert any(set(a.held_out) != set(b.held_out) for a, b in zip(parts[:5], parts[5:], strict=True))


def test_a_class_of_one_row_is_trained_on_by_all():
    for part in parts_of(np.array([0] * 9 + [1]), 5, 5, seed=0):
        assert 9 in part.training


def test_first_outputs_deviate_by_one_and_have_their_zero_amid_the_rows():
    rng = np.random.default_rng(0)
    X = rng.normal(3.0, 2.0, (500, 7))
    W, B = dense_start(X, 40, rng)
    Z = X @ W
    assert_within(Z.std(axis=0), np.ones(40), 1e-9)
    below = np.mean(Z + B < 0, axis=0)
    assert ((below > 0) & (below < 1)).all()


def test_a_category_0_without_rows_starts_at_0():
    goal = Goal(Table.learn({"x": [1, 2], "y": ["a", "b"]}, "y").target, "log_loss")
    model = network_of(Layout(0, 0, (12, 11)), goal, Recipe(hidden=(4,)).of("classify"), 0)
    X = np.array([[1, 0], [2, 3], [3, 1]], np.float32)
    start_from(model, X, np.random.default_rng(0))
    (layer,) = (layer for layer in model.layers if isinstance(layer, CategoryEmbedding))
    assert not layer.embeddings[0].any()
    assert layer.embeddings[1:].any(axis=1).all()


def test_dense_layers_learn_as_in_neural_tangent_parametrisation():
    goal = Goal(Table.learn({"x": [1, 2], "y": [0.5, 1.5]}, "y").target, "rmse")
    model = network_of(Layout(2, 1, ()), goal, Recipe.published().of("regress"), 0)
    kinds = [type(layer).__name__ for layer in model.layers]
    hidden = ["Dense", "ParametricActivation", "Dropout"]
    assert kinds == ["PeriodicEmbedding", "FeatureScale", *hidden * 3, "Dense"]
    first = model.layers[2]
    assert first.kernel.shape == (9, 256)
    assert (first.kernel_rate_factor, first.kernel_decay_factor) == (1 / 3, 3.0)
    assert (first.bias_rate_factor, first.bias_decay_factor) == (0.1, 0.0)
    embedding, scale, _, alpha = model.layers[:4]
    assert (scale.scale_rate_factor, scale.scale_decay_factor) == (6.0, 6.0)
    assert (embedding.rate_factor, embedding.decay_factor) == (0.1, 0.1)
    assert (alpha.alpha_rate_factor, alpha.alpha_decay_factor) == (0.1, 0.1)


def test_layers_behind_dropout_start_from_what_they_are_given():
    """Dropped units make outputs deviate more, so that the kernel behind them is smaller."""
    X = np.random.default_rng(0).normal(size=(2000, 6)).astype(np.float32)
    goal = Goal(Table.learn({"x": [1, 2], "y": [0.5, 1.5]}, "y").target, "rmse")
    deviations = []
    for dropout in (0.0, 0.5):
        recipe = Recipe(hidden=(64,), dropout=dropout).of("regress")
        model = network_of(Layout(0, 6, ()), goal, recipe, 0)
        start_from(model, X, np.random.default_rng(1))
        deviations.append(float(model.predict(X).std()))
    assert deviations[0] == pytest.approx(1.0, abs=1e-3)
    assert deviations[1] < 0.9


def test_an_epoch_follows_the_schedules_and_leaves_out_what_fills_no_step():
    table = Table.learn({"x": np.arange(70.0), "y": np.arange(70.0)}, "y", task="regress", embedded=True)
    recipe = Recipe(hidden=(4,), epochs=4, batch_size=16).of("regress")
    everything = np.ones(70)
    X, y = table.features({"x": np.arange(70.0)}), table.targets({"y": np.arange(70.0)})
    rows = Rows(X, y, everything, everything, np.arange(70))
    subject = Subject(Goal(table.target, "rmse"), table.layout, recipe, rows)
    part = Part(np.arange(70), np.arange(0), np.zeros(0, bool))
    model = network_of(table.layout, subject.goal, recipe, 0)
    plan = Plan(4, subject.steps(70), 4)
    job = next(Course(subject, model, part, plan).fit())
    t = np.arange(16) / 16
    batches = [epoch.batches for epoch in job.epochs]
    assert [len(each.order) for each in batches] == [64] * 4
    assert len({tuple(each.order.tolist()) for each in batches}) == 4
    assert_within(np.concatenate([e.learning_rates for e in job.epochs]), 0.2 * coslog(t), 1e-12)
    assert_within(np.concatenate([e.weight_decay for e in batches]), 0.02 * flat_cosine(t), 1e-12)
    limited = next(Course(subject, model, part, plan, deadline=time.monotonic() + 1e6).fit())
    assert len(limited.epochs) == 1  # whose time decides how far the next ones go
    (stream,) = batches[0].dropout
    assert_within(np.concatenate([e.dropout[stream] for e in batches]), 0.15 * flat_cosine(t), 1e-12)


def test_numbers_are_judged_within_the_range_trained_on():
    table = Table.learn({"x": [1.0, 2.0], "y": [0.5, 1.5]}, "y", embedded=True)
    rows = Rows(np.zeros((2, 1)), np.array([[-1.0], [1.0]]), np.ones(2), np.ones(2), np.arange(2))
    subject = Subject(Goal(table.target, "rmse"), table.layout, Recipe().of("regress"), rows)
    assert subject.clamped(np.array([[-3.0], [0.5], [2.0]])).ravel().tolist() == [-1.0, 0.5, 1.0]


def test_the_best_sharpness_is_found():
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(4000, 3))
    y = np.array([rng.choice(3, p=row) for row in scaled(logits, 1.0)])
    weights = np.ones(len(y))
    for by in (0.2, 1.0, 5.0):
        b = sharpness(logits * by, y, weights)
        assert b == pytest.approx(1.0 / by, rel=0.1)
        least = log_loss(logits * by, y, weights, b)
        assert all(least <= log_loss(logits * by, y, weights, b * off) for off in (0.95, 1.05))


def test_where_every_row_is_right_the_sharpness_is_finite():
    logits = np.array([[3.0, 0.0], [0.0, 2.0]])
    assert sharpness(logits, np.array([0, 1]), np.ones(2)) <= 100.0


def test_intervals_hold_as_many_rows_as_they_say():
    rng = np.random.default_rng(3)
    errors = [rng.normal(size=400) for _ in range(4)]
    predictions = rng.normal(scale=0.1, size=(4, 3000))
    truth = predictions.mean(axis=0) + rng.normal(size=3000)
    for coverage in (0.5, 0.9, 0.99):
        low, high = intervals(predictions, [np.sort(each) for each in errors], coverage).T
        assert np.mean((low <= truth) & (truth <= high)) == pytest.approx(coverage, abs=0.03)


def test_many_errors_are_thinned_evenly():
    kept = thinned(np.random.default_rng(0).permutation(10_000).astype(np.float64))
    assert len(kept) == 512
    assert abs(np.median(kept) - 5000) < 20
    assert thinned(np.array([3.0, 1.0])).tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("metric", "outputs", "y", "expected"),
    [
        ("accuracy", [[0.9, 0.1], [0.4, 0.6]], [0, 0], 0.5),
        ("auc", [[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.2, 0.8]], [0, 1, 0, 1], 0.0),
        ("rmse", [[1.0], [3.0]], [[1.0], [0.0]], math.sqrt(4.5)),
        ("mae", [[1.0], [3.0]], [[1.0], [0.0]], 1.5),
        ("pinball", [[1.0], [3.0]], [[2.0], [0.0]], (0.8 * 1 + 0.2 * 3) / 2),
    ],
)
def test_scores_by_hand(metric, outputs, y, expected):
    y = np.array(y)
    assert score_of(metric, 0.8)(np.array(outputs), y, np.ones(len(y))) == pytest.approx(expected)


def test_weights_of_rows_count_in_scores():
    outputs, y = np.array([[0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]), np.array([0, 0, 1])
    assert score_of("accuracy")(outputs, y, np.array([1.0, 2.0, 1.0])) == 0.5
    assert area(outputs, y, np.array([1.0, 0.0, 1.0])) == 1.0


def test_the_area_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    for classes in (2, 4):
        chances = rng.dirichlet(np.ones(classes), 200).round(2)
        chances /= chances.sum(axis=1, keepdims=True)
        y, weights = rng.integers(classes, size=200), rng.uniform(size=200)
        given = chances[:, 1] if classes == 2 else chances
        wanted = metrics.roc_auc_score(
            y, given, sample_weight=weights if classes == 2 else None, multi_class="ovr"
        )
        own = weights if classes == 2 else np.ones(200)
        assert area(chances, y, own) == pytest.approx(wanted, rel=1e-12)


def test_a_row_is_predicted_by_the_epoch_that_the_other_half_chose():
    y = np.zeros((4, 1))
    first = np.array([True, True, False, False])
    choice = Choice(score_of("rmse"), y, ONES, first)
    choice.hear(np.array([[0.0], [0.0], [5.0], [5.0]]), ["a"])  # best for the first half
    choice.hear(np.array([[2.0], [2.0], [1.0], [1.0]]), ["b"])  # best for the second half, and for all
    choice.hear(np.array([[2.0], [2.0], [1.0], [1.0]]), ["c"])  # as good: the later one is kept
    assert (choice.best, choice.parameters) == (2, ["c"])
    assert choice.honest().ravel().tolist() == [2.0, 2.0, 5.0, 5.0]


def test_log_probabilities_of_zero_are_finite():
    assert np.isfinite(logs_of(np.array([[0.0, 1.0]]))).all()
