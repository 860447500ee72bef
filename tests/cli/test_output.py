"""What a stranger's file, table or path says never steers the terminal that a command prints to."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

import fastdense as fd
from fastdense.cli.output import write_data
from fastdense.cli.spreadsheets import count_formulas, without_formulas
from fastdense.tabular import Recipe, train_table
from tests.cli.test_cli import call, mistake, write

CLEAR = "\x1b[2J"
MARKUP = "[/50%]"


class Terminal(io.StringIO):
    """A standard output that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def strange(tmp_path):
    """Save a model of columns, labels and layers with odd names, and its table."""
    rng = np.random.default_rng(0)
    size, kind = rng.normal(size=40), np.array([f"red{CLEAR}", f"b{MARKUP}"])[rng.integers(0, 2, 40)]
    frame = {f"size{CLEAR}": size, "kind": kind, f"y{MARKUP}": np.where(size > 0, f"=yes{CLEAR}", "no")}
    write(tmp_path / "t.csv", frame)
    model = train_table(frame, f"y{MARKUP}", recipe=Recipe((4,), 2), seed=0, verbose=0)
    model.save(tmp_path / "m.safetensors")
    return tmp_path


def test_commands_print_escapes_for_them(strange, capsys):
    target = f"--target y{MARKUP} --hidden 4 --epochs 2"
    for command in (
        "info {0}/m.safetensors",
        "explain {0}/m.safetensors {0}/t.csv",
        "evaluate {0}/m.safetensors {0}/t.csv",
        f"train {{0}}/t.csv {target} --out {{0}}/t{CLEAR}.safetensors",
    ):
        assert call(command.format(strange)) == 0
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert rf"size{CLEAR}".replace("\x1b", r"\x1b") in out
    assert rf"t{CLEAR}.safetensors".replace("\x1b", r"\x1b") in out


def test_errors_print_escapes_for_them(strange):
    for command in (
        f"info {strange}/none{CLEAR}.safetensors",
        f"train {strange}/none{CLEAR}.csv --target y",
        f"train {strange}/t.csv --target y{MARKUP} --type none{CLEAR}=number",
        f"predict {strange}/m.safetensors {strange}/none{CLEAR}.csv",
        f"train {strange}/t.csv --target y --out {strange}/none{CLEAR}/m.safetensors",
    ):
        line = mistake(command)
        assert "\x1b" not in line
        assert r"none\x1b[2J" in line


def test_predictions_are_exact_unless_a_terminal_shows_them(strange, capsys, monkeypatch):
    command = f"predict {strange}/m.safetensors {strange}/t.csv"
    call(command)
    piped = capsys.readouterr().out
    assert f"=yes{CLEAR}" in piped
    monkeypatch.setattr(sys, "stdout", Terminal())
    call(command)
    assert sys.stdout.getvalue() == piped.replace("\x1b", r"\x1b")


def test_the_bar_shows_numbers_whose_names_look_like_markup(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    named = fd.metrics.MeanAbsoluteError(name=f"acc{MARKUP}")
    model = fd.Sequential([fd.Input((1,)), fd.Dense(1)], seed=0)
    model.compile("sgd", "mean_squared_error", metrics=[named])
    model.fit([[1.0], [2.0]], [1.0, 2.0], epochs=2, verbose=1)
    assert f"acc{MARKUP}" in sys.stdout.getvalue()


def test_a_patch_is_exact_when_it_is_piped(tmp_path, capsys):
    source = "import numpy as np\n\x0c\ns = 0.0\nfor i in range(len(x)):\n    s += x[i] * y[i]\n"
    (tmp_path / "s.py").write_text(source)
    assert call(f"vectorize {tmp_path}/s.py --diff") == 0
    assert "\x0c" in capsys.readouterr().out


def test_data_for_a_pipe_stay_as_they_are(capsys):
    write_data(f"a\r\n{CLEAR}")
    assert capsys.readouterr().out == f"a\r\n{CLEAR}"


def test_labels_that_a_spreadsheet_would_run(strange, capsys):
    command = f"predict {strange}/m.safetensors {strange}/t.csv --out {strange}/p.csv"
    assert call(command) == 0
    plain = fd.read_table(strange / "p.csv")
    labels = plain[f"predicted y{MARKUP}"].to_list()
    formulas = sum(label.startswith("=") for label in labels)
    assert formulas > 0
    note = f"note: {formulas} predicted labels begin as formulas do"
    assert note in (err := capsys.readouterr().err)
    assert "--safe-cells" in err
    assert call(f"{command} --safe-cells") == 0
    assert capsys.readouterr().err == ""
    safe = fd.read_table(strange / "p.csv")
    assert safe.columns == plain.columns
    assert safe[f"predicted y{MARKUP}"].to_list() == [f"'{x}" if x.startswith("=") else x for x in labels]
    assert safe.drop(f"predicted y{MARKUP}").equals(plain.drop(f"predicted y{MARKUP}"))
    assert call(command.replace("p.csv", "p.parquet")) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\uff1d1", "-", "=", "-1e"]
)
def test_formulas_are_found(cell):
    assert count_formulas([cell]) == 1
    assert without_formulas([cell]) == [f"'{cell}"]


@pytest.mark.parametrize("cell", ["yes", "-1", "+2.5", "-1.5e-7", -1, 2.5, True, "a=1", "'=1", ""])
def test_what_is_no_formula_stays(cell):
    assert count_formulas([cell]) == 0
    assert without_formulas([cell]) == [cell]


def test_pages_hold_escapes_for_them(strange):
    pytest.importorskip("matplotlib")
    train = f"train {strange}/t.csv --target y{MARKUP} --hidden 4 --epochs 1 --out {strange}/p.safetensors"
    assert call(f"{train} --quiet --report {strange}/run.html") == 0
    assert call(f"explain {strange}/p.safetensors {strange}/t.csv --html {strange}/row.html") == 0
    for page in ("run.html", "row.html"):
        text = (strange / page).read_text()
        assert "\x1b" not in text
        assert r"size\x1b[2J" in text
