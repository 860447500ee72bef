"""`fastdense explain` at the command line."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense as fd
from tests.cli.test_cli import call, mistake, write


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a network without a table, one with, and rows for both."""
    X = np.random.default_rng(0).normal(size=(12, 2)).round(2)
    write(tmp_path / "rows.csv", {"a": X[:, 0], "b": X[:, 1], "y": (X[:, 0] > 0).astype(float)})
    model = fd.Sequential([fd.Input((2,)), fd.Dense(3, "relu"), fd.Dense(1)], seed=0)
    model.compile("sgd", "mean_squared_error")
    model.save(tmp_path / "plain.safetensors")
    given = f"train {tmp_path}/rows.csv --target y --epochs 1 --hidden 4 --seed 0"
    assert call(f"{given} --out {tmp_path}/table.safetensors") == 0
    return tmp_path


def test_a_row_of_numbers(folder, capsys):
    write(folder / "two.csv", {"a": [1.0, 3.0], "b": [2.0, 4.0]})
    capsys.readouterr()
    assert call(f"explain {folder}/plain.safetensors {folder}/two.csv --row 2") == 0
    shown = capsys.readouterr().out
    assert "Layer 1: dense 'dense', 2 to 3\n  Z1 = A0 @ W1 + B1\n  A1 = relu(Z1)" in shown
    assert "│ 3  4 │" in shown
    assert "Back through" not in shown


@pytest.mark.parametrize("name", ["plain", "table"])
def test_the_way_back(folder, capsys, name):
    capsys.readouterr()
    assert call(f"explain {folder}/{name}.safetensors {folder}/rows.csv --target y") == 0
    shown = capsys.readouterr().out
    assert "Loss: " in shown
    assert "Back through layer 1: " in shown


def test_mistakes(folder, capsys):
    table, rows = f"{folder}/table.safetensors", f"{folder}/rows.csv"
    assert "--row must be from 1 to 12, the rows of" in mistake(f"explain {table} {rows} --row 13")
    assert "--row must be from 1 to 12" in mistake(f"explain {table} {rows} --row 0")
    assert "has no column 'z', but 'a', 'b', 'y'" in mistake(f"explain {table} {rows} --target z")
    assert "the model's target is 'y', not 'a'" in mistake(f"explain {table} {rows} --target a")
    assert "takes 2 columns of numbers, but the table has 3" in mistake(
        f"explain {folder}/plain.safetensors {rows}"
    )
    write(folder / "less.csv", {"a": [1.0]})
    assert "the table lacks 'b'" in mistake(f"explain {table} {folder}/less.csv")


def test_a_page(folder, capsys):
    assert call(f"explain {folder}/table.safetensors {folder}/rows.csv --html {folder}/page.html") == 0
    assert f"Saved to {folder}/page.html" in capsys.readouterr().out
    assert (folder / "page.html").read_text().startswith("<!doctype html>")


def test_errors_name_the_row_of_the_table(folder):
    write(folder / "odd.csv", {"a": [1.0, 2.0, "far"], "b": [1.0, 2.0, 3.0], "y": [0.0, 1.0, "maybe"]})
    for model in ("plain", "table"):
        explain = f"explain {folder}/{model}.safetensors {folder}/odd.csv --row 3 --target y"
        assert ", row 3: " in mistake(explain)
    write(folder / "odd.csv", {"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0], "y": [0.0, 1.0, "maybe"]})
    assert "'y', row 3: " in mistake(explain)
    assert call(explain.replace("--row 3", "--row 2")) == 0
