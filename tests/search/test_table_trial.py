"""A trial of a table: it trains as a network of the recipe does, and pauses without changing a bit."""

import numpy as np
import pytest

from fastdense.engines.jobs import alone, together
from fastdense.search.tables.folds import folds_of
from fastdense.search.tables.measures import Measure, measure_for
from fastdense.search.tables.trial import TableTrial
from fastdense.tabular import Recipe
from fastdense.tabular.recipe import network_for
from fastdense.tabular.split import known_rows
from tests.tabular.test_train import flowers, houses

RECIPE = Recipe(hidden=(16,), epochs=6, batch_size=16)


@pytest.fixture(scope="module")
def fold():
    data, goal = known_rows(flowers(), "name", "auto", None)
    return folds_of(data, goal, 4, 0, None)[0]


def weights(model):
    return np.concatenate([array.ravel() for array in model.get_weights()])


def test_it_has_the_bits_of_a_network_fitted_alone(fold):
    trial = TableTrial(fold, RECIPE, seed=3)
    alone(trial.go_on())
    rows = len(fold.training.X)
    network = network_for(fold.table, RECIPE, rows, seed=3)
    history = network.fit(fold.training.X, fold.training.y, batch_size=16, epochs=6, verbose=0)
    np.testing.assert_array_equal(weights(trial.fitted()), weights(network))
    assert trial.losses == history.history["loss"]


def test_pauses_change_no_bit(fold):
    whole, paused = (TableTrial(fold, RECIPE, seed=3) for _ in range(2))
    alone(whole.go_on())
    for epochs in (1, 4):
        alone(paused.go_on(epochs))
        assert (paused.epochs, paused.ended) == (epochs, False)
    alone(paused.go_on(99))
    assert (paused.epochs, paused.ended) == (6, True)
    np.testing.assert_array_equal(weights(paused.fitted()), weights(whole.fitted()))
    assert paused.losses == whole.losses


def test_neighbours_change_no_bit(fold):
    single = TableTrial(fold, RECIPE, seed=3)
    alone(single.go_on())
    trials = [TableTrial(fold, RECIPE, seed=seed) for seed in range(5)]
    assert len(list(together((trial.go_on() for trial in trials), threads=2))) == 5
    np.testing.assert_array_equal(weights(trials[3].fitted()), weights(single.fitted()))


def test_scores_are_of_the_rows_held_out(fold):
    trial = TableTrial(fold, RECIPE, seed=3)
    alone(trial.go_on())
    guesses = trial.fitted().predict(fold.X).astype(np.float64)
    assert trial.measured(Measure("accuracy", larger=True)) == np.mean(guesses.argmax(axis=1) == fold.y)
    loss = -np.log(guesses[np.arange(len(fold.y)), fold.y]).mean()
    np.testing.assert_allclose(trial.measured(Measure("log loss", larger=False)), loss, rtol=1e-12)


def test_quantities_are_scored_in_their_own_units():
    data, goal = known_rows(houses(), "price", "auto", None)
    fold = folds_of(data, goal, 4, 0, None)[0]
    trial = TableTrial(fold, RECIPE, seed=0)
    alone(trial.go_on())
    errors = fold.table.unscale(trial.fitted().predict(fold.X)) - fold.table.unscale(fold.y)
    np.testing.assert_allclose(
        trial.measured(measure_for(goal, None)), np.sqrt(np.mean(errors**2)), rtol=1e-12
    )
