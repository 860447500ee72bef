"""The search of a table: who goes on, what is kept, that it repeats, and what is said of what cannot be."""

import numpy as np
import pytest

from fastdense.errors import FormatError, NonFiniteLossError, TableError
from fastdense.search.tables import search_table
from fastdense.search.tables.heats import Heats, Watcher, rungs_of
from fastdense.search.tables.space import draw
from fastdense.search.tables.trial import TableTrial
from fastdense.tabular import Recipe, evaluate_test, train_table
from fastdense.tabular.split import known_rows, split
from tests.tabular.test_train import flowers, houses

GIVEN = {"candidates": 6, "cv": 2, "epochs": 9, "seed": 0}


def searched(frame, target, **options):
    return search_table(frame, target, **{**GIVEN, **options})


@pytest.fixture(scope="module")
def found():
    return searched(flowers(80), "name", test=0.25)


def scores(found):
    return [
        found.ledger.scores(n, rung.epochs).tolist()
        for rung in found.rungs
        for n in range(len(found.recipes))
    ]


class Stop(Watcher):
    """Presses Ctrl-C after some scores."""

    def __init__(self, after):
        self.left = after

    def scored(self, rungs, rung):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_the_better_third_goes_on_and_the_plain_recipe_with_it(found):
    assert [rung.epochs for rung in found.rungs] == [1, 3, 9]
    first = sorted(range(6), key=lambda n: found.ledger.scores(n, 1).mean())
    assert {n for n in range(6) if found.ledger.is_whole(n, 3)} == {0, *first[:2]}
    second = sorted({0, *first[:2]}, key=lambda n: found.ledger.scores(n, 3).mean())
    assert {n for n in range(6) if found.ledger.is_whole(n, 9)} == {0, second[0]}
    assert found.score(found.best) <= found.score(0)


def test_the_plain_recipe_is_the_first_candidate(found):
    plain = found.recipes[0]
    assert (plain.hidden, plain.learning_rate, plain.dropout) == ((256, 256), 0.003, 0.1)
    assert plain.batch_size == Recipe().rows_a_step(60)
    assert len(set(found.recipes)) == 6


def test_the_best_one_is_trained_as_by_train_table(found):
    recipe = found.recipes[found.best]
    model = train_table(flowers(80), "name", recipe=recipe, test=0.25, seed=0, verbose=0)
    for one, other in zip(found.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert evaluate_test(found.model) == evaluate_test(model)


def test_rows_of_the_test_choose_nothing(found):
    frame = flowers(80)
    tested = split(*known_rows(frame, "name", "auto", None), (0.15, 0.25), 0).test.column("length").numbers()
    strange = np.where(np.isin(frame["length"], tested), 9e3, frame["length"])
    assert (strange == 9e3).sum() == 20
    spoilt = searched({**frame, "length": strange}, "name", test=0.25)
    np.testing.assert_array_equal(scores(spoilt), scores(found))


@pytest.mark.parametrize("threads", [1, 3])
def test_it_repeats_with_any_number_of_threads(found, threads):
    again = searched(flowers(80), "name", test=0.25, n_threads=threads)
    np.testing.assert_array_equal(scores(again), scores(found))
    assert again.best == found.best


def test_every_candidate_has_a_row(found):
    rows = found.rows()
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[0]["candidate"] == found.best
    assert [row["epochs"] for row in rows] == sorted((row["epochs"] for row in rows), reverse=True)
    folds = [rows[0]["log loss, fold 1"], rows[0]["log loss, fold 2"]]
    assert rows[0]["mean log loss"] == np.mean(folds)
    assert rows[0]["std log loss"] == np.std(folds)


def test_another_score_decides():
    found = searched(flowers(80), "name", score="accuracy")
    assert found.measure.larger
    assert found.score(found.best) == max(found.score(n) for n in range(6) if found.ledger.is_whole(n, 9))
    assert searched(houses(40), "price", score="r2").measure.name == "r2"


def test_a_search_that_was_stopped_goes_on_to_the_same_end(found, tmp_path):
    stopped = searched(flowers(80), "name", test=0.25, directory=tmp_path, watcher=Stop(14))
    assert (stopped.model, stopped.reason) == (None, "Ctrl-C")
    record = tmp_path / "search.jsonl"
    record.write_bytes(record.read_bytes()[:-9])  # as a machine that stops amid a line leaves it
    seen = Stop(99)
    resumed = searched(flowers(80), "name", test=0.25, directory=tmp_path, watcher=seen)
    np.testing.assert_array_equal(scores(resumed), scores(found))
    assert (resumed.best, resumed.reason) == (found.best, "")
    assert 99 - seen.left == np.isfinite(scores(found)).sum() - 13  # as many were kept


def test_another_search_in_the_folder_is_refused(tmp_path):
    searched(houses(40), "price", directory=tmp_path)
    with pytest.raises(FormatError, match="another search: cv is 2 there and 3 here"):
        searched(houses(40), "price", directory=tmp_path, cv=3)
    with pytest.raises(FormatError, match="another search: rows is"):
        searched(houses(40, seed=1), "price", directory=tmp_path)


@pytest.mark.parametrize("text", ["no JSON\n", '{"format": "another"}\n', ""])
def test_another_file_in_the_folder_is_refused(tmp_path, text):
    (tmp_path / "search.jsonl").write_text(text)
    with pytest.raises(FormatError, match="is not the record of a search of a table"):
        searched(houses(40), "price", directory=tmp_path)
    assert (tmp_path / "search.jsonl").read_text() == text


def test_a_damaged_line_is_named(tmp_path):
    searched(houses(40), "price", directory=tmp_path)
    record = tmp_path / "search.jsonl"
    lines = record.read_text().splitlines(keepends=True)
    record.write_text("".join([*lines[:2], "{}\n", *lines[2:]]))
    with pytest.raises(FormatError, match="line 3 is damaged"):
        searched(houses(40), "price", directory=tmp_path)


def test_ctrl_c_before_any_score_is_no_search():
    with pytest.raises(KeyboardInterrupt):
        searched(houses(40), "price", watcher=Stop(1))


def test_time_that_is_too_short_is_said():
    with pytest.raises(TableError, match="no candidate was scored on all folds within max_time=1e-06 s"):
        searched(houses(40), "price", max_time=1e-6)


def test_the_time_for_the_last_training_is_kept_from_the_first_candidate_on(monkeypatch):
    expected, known = [], Heats.seconds_of_best

    def far_too_long(self):
        expected.append(known(self))
        return 1e6 if expected[-1] else 0.0

    monkeypatch.setattr(Heats, "seconds_of_best", far_too_long)
    found = searched(houses(40), "price", max_time=1e5, n_threads=1)
    assert found.reason == "time"
    assert found.model is not None
    whole = [n for n in range(6) if found.ledger.is_whole(n, 1)]
    assert whole == [found.best]
    assert expected[0] == 0.0 < expected[-1]


def test_a_candidate_that_fails_says_why_and_the_others_go_on(monkeypatch):
    go_on = TableTrial.go_on

    def fails(self, epochs=None):
        if self.recipe.weight_decay > 0.1:
            raise NonFiniteLossError("the loss became NaN")
        yield from go_on(self, epochs)

    monkeypatch.setattr(TableTrial, "go_on", fails)
    found = searched(houses(40), "price", candidates=12)
    failed = [row for row in found.rows() if row["error"]]
    assert failed
    assert all(row["error"] == "the loss became NaN" and row["rung"] == 1 for row in failed)
    assert found.recipes[found.best].weight_decay <= 0.1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cv": 1}, "cv must be at least 2"),
        ({"candidates": 0}, "candidates must be at least 1"),
        ({"max_time": 0}, "max_time must be"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"test": 1.0}, "test must be"),
        (
            {"score": "rmse"},
            "score must be 'log-loss' or 'accuracy' for target 'name' of 3 classes, not 'rmse'",
        ),
        ({"task": "regress"}, "'name'"),
    ],
)
def test_what_cannot_be_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        searched(flowers(40), "name", **options)


def test_rungs_are_thirds_of_the_epochs():
    assert rungs_of(500) == [56, 167, 500]
    assert rungs_of(1) == [1]


def test_a_longer_list_of_candidates_begins_with_the_shorter_one():
    assert draw(20, 1000, None, 1)[:5] == draw(5, 1000, None, 1)
    assert draw(5, 1000, None, 1) != draw(5, 1000, None, 2)
