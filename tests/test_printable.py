"""Text for a terminal: what would steer it is escaped, and all else stays as it is."""

from __future__ import annotations

import importlib

import pytest

import fastdense as fd
from fastdense.core.notes import note
from fastdense.core.printable import printable, printable_lines
from fastdense.errors import TableWarning
from fastdense.insight.roofs import SIZES, Roofs
from fastdense.tables import Table
from fastdense.training.progress import format_logs

CLEAR = "\x1b[2J"
STEERING = [*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), *"\u2028\u2029\u202a\u202e\u2066\u2069\udc80"]


@pytest.mark.parametrize("character", STEERING, ids=ascii)
def test_what_steers_a_terminal_is_an_escape(character):
    assert printable(f"a{character}b") == f"a{ascii(character)[1:-1]}b"
    assert printable(f"a{character}b").isprintable()
    kept = character in "\n\t"
    assert printable_lines(f"a{character}b") == (f"a{character}b" if kept else printable(f"a{character}b"))


@pytest.mark.parametrize(
    "text", ["café", "価格 -- 円", "❤️ 👩‍👩‍👧 🇫🇷", "سعر\u200f", "naïve\u00a0x", r"C:\x1b", "acc[/50%]"]
)
def test_text_of_any_script_stays(text):
    assert printable(text) == printable_lines(text) == text


def hostile():
    """Return a model whose names, columns, categories and labels all hold an escape sequence."""
    model = fd.Sequential([fd.Input((3,)), fd.Dense(2, "softmax", name=f"layer{CLEAR}")], CLEAR, seed=0)
    frame = {f"size{CLEAR}\nx": [1.0, 2.0, 3.0, 4.0], "kind": [f"red{CLEAR}", "b", "b", f"red{CLEAR}"]}
    model.table = Table.learn({**frame, f"y{CLEAR}": [f"yes{CLEAR}", "no"] * 2}, f"y{CLEAR}")
    named = fd.metrics.SparseCategoricalAccuracy(name=f"right{CLEAR}")
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[named])
    return model, frame


@pytest.fixture
def brief(monkeypatch):
    """Measure neither the machine nor predictions for long."""
    made_up = Roofs(1, 1.0, 1.0, SIZES, (1.0,) * len(SIZES), (1.0,) * len(SIZES))
    monkeypatch.setattr(
        importlib.import_module("fastdense.insight.profile"), "measure_roofs", lambda: made_up
    )
    monkeypatch.setattr(importlib.import_module("fastdense.insight.report.measure"), "SECONDS", 1e-3)


@pytest.mark.usefixtures("brief")
def test_no_name_steers_a_terminal_that_shows_a_model(capsys):
    model, frame = hostile()
    model.summary()
    print(repr(model), model.table, model.table.summary(), sep="\n")
    model.fit(frame, [0, 1, 0, 1], verbose=2)
    model.evaluate(frame, [0, 1, 0, 1])
    print(model.profile(1, seconds=0.001))
    print(model.explain({name: cells[:1] for name, cells in frame.items()}, "no"))
    print(model.report())
    out = capsys.readouterr().out
    assert "\x1b" not in out
    for name in ("layer", "size", "red", "yes", "right"):
        assert rf"{name}\x1b[2J" in out
    assert r"size\x1b[2J\nx" in out


def test_numbers_of_an_epoch_are_one_line():
    assert format_logs({"a\nb": 1.0}) == r"a\nb: 1.0000"


def test_a_note_is_one_line_that_steers_nothing():
    with pytest.warns(TableWarning) as caught:
        note(f"column 'x{CLEAR}'\nis odd", TableWarning)
    assert str(caught[0].message) == r"column 'x\x1b[2J'\nis odd"
