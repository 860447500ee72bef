"""Learning a table: what a model predicts, what it is worth, and what it does not depend on."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import FormatError, TableError, TableWarning
from fastdense.tables import Table
from fastdense.tabular import Settings, learn
from fastdense.tabular.recipes import Recipe
from tests.compare import assert_identical

RNG = np.random.default_rng(0)
ROWS = 240
FRAME = {name: RNG.normal(size=ROWS) for name in ("b", "a", "c")}
Y = FRAME["a"] ** 2 + FRAME["b"] + 0.1 * RNG.normal(size=ROWS)
LABELS = np.where(Y > 1.5, "high", np.where(Y > 0.3, "middle", "low"))
QUICK = Recipe(hidden=(16,), epochs=8, batch_size=16)


def settings(**other):
    return Settings(**{"seed": 3, "verbose": 0, "recipe": QUICK, **other})


def weights_of(model):
    return [array for network in model.networks for array in network.get_weights()]


@pytest.mark.parametrize("n_models", [1, 3])
def test_a_regression_explains_its_target(n_models):
    model = learn(FRAME, Y, settings=settings(n_models=n_models, recipe=Recipe(epochs=32, batch_size=16)))
    assert model.honest["r2"] > 0.9
    assert len(model.networks) == n_models
    assert np.corrcoef(model.predict(FRAME), Y)[0, 1] > 0.95


def test_a_classification_finds_its_labels():
    model = learn({**FRAME, "y": LABELS}, "y", settings=settings(recipe=Recipe(epochs=32, batch_size=16)))
    assert model.classes == ["high", "low", "middle"]
    assert np.mean(np.array(model.predict(FRAME)) == LABELS) > 0.85
    chances = model.predict_proba(FRAME)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)
    assert model.honest["accuracy"] > 0.7


@pytest.mark.parametrize("n_models", [1, 3])
@pytest.mark.parametrize("target", [Y, LABELS])
def test_threads_change_no_bit(n_models, target):
    one, two = (learn(FRAME, target, settings=settings(n_models=n_models, n_threads=n)) for n in (1, 2))
    for a, b in zip(weights_of(one), weights_of(two), strict=True):
        assert_identical(a, b)


def test_the_first_of_several_networks_is_the_one_alone():
    alone, many = (learn(FRAME, Y, settings=settings(n_models=n)) for n in (1, 3))
    for a, b in zip(weights_of(alone), weights_of(many), strict=False):
        assert_identical(a, b)


def test_a_file_keeps_every_bit(tmp_path):
    for target in (Y, LABELS):
        model = learn(FRAME, target, settings=settings(n_models=2))
        model.save(tmp_path / "model.safetensors")
        loaded = fd.load(tmp_path / "model.safetensors")
        assert_identical(
            loaded.outputs(loaded.table.features(FRAME)), model.outputs(model.table.features(FRAME))
        )
        assert loaded.honest == model.honest


def test_the_metric_is_one_of_the_tasks():
    with pytest.raises(ValueError, match="the metric to regress must be one of"):
        learn(FRAME, Y, settings=settings(metric="auc"))


def test_a_target_of_another_length_is_refused():
    with pytest.raises(TableError, match="there are 239 targets for 240 rows"):
        learn(FRAME, Y[1:], settings=settings())


MIXED = {
    "size": np.where(RNG.random(ROWS) < 0.2, np.nan, Y + RNG.normal(size=ROWS)),
    "city": np.array([f"city {k % 20}" for k in range(ROWS)]),
    "colour": np.array(["red", "blue", "green"])[np.arange(ROWS) % 3],
    "paid": np.arange(ROWS) % 2 == 0,
}


@pytest.mark.parametrize("target", [Y, LABELS])
def test_permuted_columns_give_the_same_model(target):
    backwards = dict(reversed(MIXED.items()))
    one, other = (learn(frame, target, settings=settings()) for frame in (MIXED, backwards))
    for a, b in zip(weights_of(one), weights_of(other), strict=True):
        assert_identical(a, b)


def test_a_missing_number_is_predicted_from_what_was_learned_of_missing_ones():
    x = np.concatenate([np.linspace(-1, 1, 100), np.full(100, np.nan)])
    y = np.where(np.isnan(x), 3.0, x)
    model = learn({"x": x}, y, settings=settings(recipe=Recipe(hidden=(16,), epochs=64, batch_size=16)))
    found = model.predict({"x": [0.5, np.nan]})
    assert found[0] == pytest.approx(0.5, abs=0.3)
    assert found[1] == pytest.approx(3.0, abs=0.3)


def test_rows_of_weight_0_count_for_nothing():
    weights = np.ones(ROWS)
    weights[::4] = 0.0
    kept = np.flatnonzero(weights)
    some = {name: column[kept] for name, column in MIXED.items()}
    one = learn(MIXED, Y, sample_weight=weights, settings=settings())
    other = learn(some, Y[kept], settings=settings())
    for a, b in zip(weights_of(one), weights_of(other), strict=True):
        assert_identical(a, b)


def test_rows_count_as_much_as_their_weight():
    x, y = np.tile([0.0, 0.0, 1.0, 1.0], 50), np.tile([0.5, 1.5, 0.5, 1.5], 50)
    recipe = Recipe(hidden=(8,), epochs=32, batch_size=20)
    for heavy, wanted in ((1.0, 1.0), (9.0, 1.4)):
        weights = np.tile([1.0, heavy, 1.0, 1.0], 50)
        model = learn({"x": x}, y, sample_weight=weights, settings=settings(recipe=recipe))
        assert model.predict({"x": [0.0]})[0] == pytest.approx(wanted, abs=0.15)


def test_a_tables_statistics_have_the_rows_weights():
    weights = np.where(FRAME["a"] > 0, 3.0, 1.0)
    model = learn(FRAME, Y, sample_weight=weights, settings=settings())
    assert model.table.target.mean == pytest.approx(np.average(Y, weights=weights))
    assert model.table.columns == Table.learn(FRAME, embedded=True, weights=weights).columns


def test_probabilities_that_smoothed_labels_made_unsure_are_sharpened():
    recipe = Recipe(hidden=(16,), epochs=32, batch_size=16, label_smoothing=0.6)
    labels = np.where(FRAME["a"] > 0, "above", "below")
    model = learn(FRAME, labels, settings=settings(recipe=recipe))
    assert model.temperature < 0.7
    assert model.predict_proba(FRAME).max(axis=1).mean() > 0.9


def test_out_of_fold_predictions_stay_in_the_range_trained_on():
    wild = Recipe(hidden=(16,), epochs=1, batch_size=16, learning_rate=3.0)
    found = learn(FRAME, Y, settings=settings(recipe=wild, n_models=5)).out_of_fold.predictions
    assert Y.min() - 1e-5 <= found.min()
    assert found.max() <= Y.max() + 1e-5
    assert np.isclose(found, Y.min()).any() or np.isclose(found, Y.max()).any()


def test_missing_targets_are_left_out_and_counted():
    target = Y.copy()
    target[3] = np.nan
    with pytest.warns(TableWarning, match="no value in 1 of 240 rows, which are left out \\(row 4\\)"):
        model = learn(FRAME, target, settings=settings())
    assert 3 not in model.out_of_fold.rows


def test_out_of_fold_predictions_are_of_all_rows_if_every_fold_is_held_out():
    model = learn(FRAME, Y, settings=settings(n_models=3, n_folds=3))
    assert sorted(model.out_of_fold.rows) == list(range(ROWS))
    error = np.sqrt(np.mean((model.out_of_fold.predictions - Y[model.out_of_fold.rows]) ** 2))
    assert model.honest["rmse"] == pytest.approx(error)


def test_a_validation_chooses_the_epochs_in_place_of_folds():
    frame = {name: column[:60] for name, column in FRAME.items()}
    model = learn(FRAME, Y, validation=(frame, Y[:60]), settings=settings())
    assert sorted(model.out_of_fold.rows) == list(range(60))
    with pytest.raises(ValueError, match="validation is a frame"):
        learn(FRAME, Y, validation=(frame,), settings=settings())


def test_predictions_stay_in_the_range_trained_on_and_intervals_around_them():
    model = learn(FRAME, Y, settings=settings(n_models=2))
    far = {name: [1e6, -1e6] for name in FRAME}
    assert (model.predict(far) >= Y.min()).all()
    assert (model.predict(far) <= Y.max()).all()
    low, high = model.predict_interval(FRAME, 0.9).T
    assert np.mean((low <= Y) & (high >= Y)) > 0.8
    wider = model.predict_interval(FRAME, 0.99)
    assert (wider[:, 0] <= low).all()
    assert (wider[:, 1] >= high).all()


def test_a_row_has_the_same_bits_alone_and_among_others():
    for target in (Y, LABELS):
        model = learn(FRAME, target, settings=settings(n_models=9))
        X = model.table.features(FRAME)
        assert_identical(model.outputs(X[7:8]), model.outputs(X)[7:8])


@pytest.mark.parametrize("target", [Y, LABELS])
def test_a_frozen_model_predicts_rows_as_the_model_does(target):
    model = learn(MIXED, target, settings=settings(n_models=2))
    frozen = pickle.loads(pickle.dumps(model.freeze()))
    wanted = model.predict(MIXED)
    for i in range(0, ROWS, 17):
        row = {name: column[i].item() for name, column in MIXED.items()}
        assert frozen.predict(row) == wanted[i]
        assert frozen.predict([row[name] for name in frozen.columns]) == wanted[i]
        if target is LABELS:
            assert_identical(
                frozen.predict_proba(row), model.predict_proba({k: [v] for k, v in row.items()})[0]
            )
    if target is Y:
        narrow = replace(model, clamp=(-0.1, 0.1))
        assert [narrow.freeze().predict(row)] == list(narrow.predict({k: [v] for k, v in row.items()}))
        assert narrow.freeze().predict(row) != frozen.predict(row)
        with pytest.raises(TableError, match="only a model that classifies has probabilities"):
            frozen.predict_proba(row)
    with pytest.raises(TableError, match="the row lacks 'city'"):
        frozen.predict({"size": 1.0})


def test_class_weights_move_predictions_towards_rare_labels():
    labels = np.where(FRAME["b"] + RNG.normal(size=ROWS) > 1.5, "rare", "common")
    plain, balanced = (learn(FRAME, labels, settings=settings(class_weight=w)) for w in (None, "balanced"))
    assert balanced.predict_proba(FRAME)[:, 1].mean() > plain.predict_proba(FRAME)[:, 1].mean()
    with pytest.raises(TableError, match="'no' is not a label"):
        learn(FRAME, labels, settings=settings(class_weight={"no": 2.0}))


def test_a_time_limit_ends_a_training_that_would_take_longer():
    long = Recipe(hidden=(64,), epochs=1_000_000, batch_size=16)
    model = learn(FRAME, Y, settings=settings(time_limit=1.0, recipe=long))
    assert len(model.histories[0].losses) < 1_000_000
    assert model.honest["r2"] > 0.5


@pytest.mark.filterwarnings("ignore::fastdense.errors.TableWarning")
@pytest.mark.parametrize(
    ("frame", "target", "message"),
    [
        ({"x": [1.0]}, [2.0], "constant"),
        ({"x": [1.0, 2.0]}, ["a", "a"], "holds one class only"),
        ({"x": [None, None]}, [1.5, 2.5], "no column is of use"),
        ({"x": [3.0, 3.0]}, [1.5, 2.5], "no column is of use"),
        ({"x": [1.0, 2.0, 3.0]}, [1.5, np.inf, 0.5], "infinite"),
        ({"x": [1.0, 2.0]}, [None, None], "no value in any row"),
    ],
)
def test_tables_of_which_nothing_can_be_learned(frame, target, message):
    with pytest.raises(TableError, match=message):
        learn(frame, target, settings=settings())


def test_two_rows_of_many_columns_and_as_many_categories_as_rows():
    wide = {f"x{k}": [float(k), k + 1.0] for k in range(1000)}
    assert learn(wide, [1.5, 2.5], settings=settings()).predict(wide).shape == (2,)
    names = {"name": [f"n{k}" for k in range(ROWS)], **FRAME}
    assert learn(names, Y, settings=settings()).predict(names).shape == (ROWS,)


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    learn(FRAME, Y, settings=settings()).save(path)
    whole = path.read_bytes()
    for damaged in (whole[:-8], whole.replace(b"clamp", b"clamq", 1), whole[:200]):
        path.write_bytes(damaged)
        with pytest.raises(FormatError):
            fd.load(path)


def test_a_file_whose_networks_do_not_fit_its_table_is_refused(tmp_path):
    narrow = learn({"a": FRAME["a"]}, Y, settings=settings())
    replace(learn(FRAME, Y, settings=settings()), table=narrow.table).save(tmp_path / "model.safetensors")
    with pytest.raises(FormatError, match="with 1 inputs and 1 outputs"):
        fd.load(tmp_path / "model.safetensors")
