"""`fastdense train --report`: the page, and the command that it says does it again."""

import html
import re
import shlex
import sys

import numpy as np
import pytest

import fastdense as fd
from fastdense import cli

pytest.importorskip("matplotlib")


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    size, colour = rng.normal(size=80), rng.choice(["red", "blue"], 80)
    lines = [f"{s:.4f},{c},{'yes' if s > 0 else 'no'}" for s, c in zip(size, colour, strict=True)]
    path = tmp_path / "my table.csv"
    path.write_text("\n".join(["size,colour,answer", *lines]))
    return path.name


def call(*arguments):
    """Run a command in this process; return the line of a mistake, or the exit status."""
    before, sys.argv = sys.argv, ["fastdense", *arguments]
    try:
        cli.main()
    except SystemExit as stop:
        return stop.code
    finally:
        sys.argv = before
    return 0


def test_the_page_has_the_command_that_does_it_again(table, tmp_path, capsys):
    options = ["--target", "answer", "--hidden", "8,4", "--epochs", "4", "--type", "colour=ignore", "--quiet"]
    assert not call("train", table, *options, "--report", "run.html", "--seed", "3")
    assert "Reported on in run.html" in capsys.readouterr().out
    page = html.unescape((tmp_path / "run.html").read_text())
    command = shlex.split(re.search(r"fastdense train .*", page)[0].partition("</code>")[0])
    assert "--dropout" not in command  # which was left at its default
    first = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").unlink()
    assert not call(*command[1:])
    assert (tmp_path / "model.safetensors").read_bytes() == first
    assert "<h2>How well</h2>" in page
    assert fd.load("model.safetensors").table.classes == ["no", "yes"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("run.pdf", "ends in .html"), ("nowhere/run.html", "the folder to save in does not exist")],
)
def test_a_place_that_is_none_is_found_before_the_training(table, tmp_path, name, words):
    line = call("train", table, "--target", "answer", "--report", name)
    assert line.startswith("fastdense: ")
    assert words in line
    assert not (tmp_path / "model.safetensors").exists()


def test_a_table_without_a_header_and_with_a_dash(table, tmp_path):
    lines = (tmp_path / table).read_text().splitlines()[1:]
    (tmp_path / "-t.csv").write_text("\n".join(lines))
    options = ["--target", "column_3", "--no-header", "--epochs", "2", "--hidden", "4", "--quiet"]
    assert not call("train", "./-t.csv", *options, "--report", "run.html")
    page = html.unescape((tmp_path / "run.html").read_text())
    command = shlex.split(re.search(r"fastdense train .*", page)[0].partition("</code>")[0])
    assert "--no-header" in command
    first = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").unlink()
    assert not call(*command[1:])
    assert (tmp_path / "model.safetensors").read_bytes() == first
