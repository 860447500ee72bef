"""`fastdense search`: what it prints, what it leaves behind, and one clear line for each mistake."""

import csv
import io
import os
import re
import shlex
import signal
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

import fastdense as fd
from fastdense.cli.arguments import seconds_of
from fastdense.cli.rungs import Shown
from fastdense.search.tables.heats import Rung
from fastdense.search.tables.measures import Measure
from tests.cli.test_cli import call, mistake, write

SMALL = "--target price --candidates 4 --cv 2 --epochs 9 --time 1h"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    rng = np.random.default_rng(0)
    size = rng.uniform(1, 3, 60).round(3)
    write(folder / "prices.csv", {"size": size, "price": (100 + 20 * size).round(2)})
    write(folder / "few.csv", {"size": size[:5], "price": size[:5]})
    write(folder / "one.csv", {"size": size, "kind": ["rose"] * 60})
    return folder


@pytest.fixture(scope="module")
def said(folder):
    """What a search printed that wrote every file there is."""
    files = f"--csv {folder}/list.csv --picture {folder}/search.png --resume {folder}/kept"
    program = "from fastdense.cli import main; main()"
    command = f"search {folder}/prices.csv {SMALL} --out {folder}/best.safetensors {files}"
    run = subprocess.run(
        [sys.executable, "-c", program, *command.split()], capture_output=True, text=True, check=True
    )
    return run.stdout


def test_it_says_how_the_candidates_did(folder, said):
    assert "60 rows, 2 columns" in said
    assert re.search(r"s: 4 candidates after 1 epochs, best rmse \S+ \(candidate \d\)", said)
    assert re.search(r"^1\. +\d.* 9 +\d+\.\d{4} ± \d+\.\d{4}$", said, re.MULTILINE)
    assert "0, plain" in said
    assert re.search(r"Test RMSE: .*12 rows, which chose nothing", said)
    assert f"the best one is trained and saved to {folder}/best.safetensors" in said


def test_the_list_has_every_candidate(folder, said):
    with (folder / "list.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["candidate"] for row in rows) == ["0", "1", "2", "3"]
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    assert f"{float(rows[0]['mean rmse']):.4f} ±" in said
    assert rows[0]["epochs"] == "9"


def test_the_picture_is_one(folder, said):
    pytest.importorskip("matplotlib")
    assert (folder / "search.png").read_bytes().startswith(b"\x89PNG")
    assert f"Chart saved to {folder}/search.png" in said


def test_the_command_that_it_ends_with_trains_the_same_model(folder, said):
    [command] = re.findall(r"^To train it again: (.*)$", said, re.MULTILINE)
    first = (folder / "best.safetensors").read_bytes()
    (folder / "best.safetensors").unlink()
    assert call(shlex.join(shlex.split(command)[1:])) == 0
    assert (folder / "best.safetensors").read_bytes() == first
    assert fd.load(folder / "best.safetensors").table.target.name == "price"


def test_a_search_that_ended_is_not_done_again(folder, said, capsys):
    kept = (folder / "kept" / "search.jsonl").read_bytes()
    files = f"--out {folder}/again.safetensors --resume {folder}/kept"
    assert call(f"search {folder}/prices.csv {SMALL} {files}") == 0
    assert (folder / "kept" / "search.jsonl").read_bytes() == kept
    assert (folder / "again.safetensors").read_bytes() == (folder / "best.safetensors").read_bytes()
    assert "Test RMSE" in capsys.readouterr().out


def test_quiet_searches_show_the_result_only(folder, capsys):
    assert call(f"search {folder}/prices.csv {SMALL} --quiet --out {folder}/q.safetensors") == 0
    assert capsys.readouterr().out.splitlines()[0].split()[:2] == ["candidate", "hidden"]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_keeps_what_is_done(folder):
    program = "from fastdense.cli import main; main()"
    command = f"search {folder}/prices.csv --target price --cv 2 --epochs 900 --time 1h"
    files = ["--csv", str(folder / "stopped.csv"), "--out", str(folder / "stopped.safetensors")]
    with subprocess.Popen(
        [sys.executable, "-u", "-c", program, *command.split(), *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while "candidates after" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, error = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in error
    assert "interrupted: no model is saved" in error
    assert re.search(r"interrupted: \d+ of 200 candidates were scored on all folds", out)
    assert "To train the best one: fastdense train" in out
    with (folder / "stopped.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 200
    assert not (folder / "stopped.safetensors").exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("--target price --time soon", "--time takes seconds, minutes or hours above 0"),
        ("--target price --time 0s", "--time takes seconds, minutes or hours above 0"),
        ("--target price --time 0.001s", "no candidate was scored on all folds within --time"),
        ("--target prize", "there is no column 'prize'; did you mean 'price'"),
        ("--target price --cv 1", "--cv must be at least 2"),
        ("--target price --cv 40", "--cv 40 needs at least 80 rows that are not for the test, got 48"),
        ("--target price --candidates 0", "--candidates must be at least 1"),
        ("--target price --score auc", "--score must be 'rmse', 'mae' or 'r2'"),
        ("--target price --test 1", "--test must be"),
        ("--target price --threads 0", "--threads must be"),
        ("--target price --out model.onnx", "--out must end in .safetensors"),
        ("--target price --picture search.pdf", "ends in .png or .svg"),
        ("--target price --csv nowhere/list.csv", "--csv: the folder to save in does not exist"),
    ],
)
def test_mistakes_are_one_line(folder, monkeypatch, command, words):
    monkeypatch.chdir(folder)
    assert words in mistake(f"search prices.csv {command}")


def test_tables_that_cannot_be_searched_are_named(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert "--cv 5 needs at least 10 rows" in mistake("search few.csv --target price")
    assert "one class" in mistake("search one.csv --target kind")


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5m", 300), ("1.5 h", 5400), ("2H", 7200)])
def test_times_are_read(text, seconds):
    assert seconds_of(text) == seconds


def test_a_terminal_sees_a_table_of_the_rungs():
    screen = io.StringIO()
    with Shown(Console(file=screen, force_terminal=True, width=80)) as shown:
        shown.begin(Measure("log loss", larger=False))
        shown.scored([Rung(7, 25, 3, 0.31234, 12.4), Rung(20), Rung(60)], 0)
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen.getvalue())
    assert re.search(r"rung +epochs +candidates +best +log loss +time", text)
    assert re.search(r"1 +7 +25 +3 +0\.3123 +12 s", text)
    assert re.search(r"3 +60 +0 +0 s", text)
