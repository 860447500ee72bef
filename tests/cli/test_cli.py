"""The command line: what each command prints and leaves behind, and one clear line for each mistake."""

import contextlib
import csv
import importlib
import io
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

import fastdense as fd
from fastdense import cli

ROWS = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table of flowers, its rows without labels, and a model trained on it."""
    folder = tmp_path_factory.mktemp("cli")
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, ROWS)
    length = kind * 2.0 + rng.normal(0, 0.2, ROWS)
    colour = np.array(["red", "blue", "white"])[rng.integers(0, 3, ROWS)]
    names = np.array(["iris", "rose", "lily"])[kind]
    write(folder / "flowers.csv", {"length": length, "colour": colour, "name": names})
    write(folder / "rows.csv", {"colour": colour, "length": length})
    write(folder / "prices.csv", {"size": length, "price": 100.0 + 20.0 * length + rng.normal(size=ROWS)})
    call(f"train {folder}/flowers.csv --target name --hidden 16 --epochs 20 --out {folder}/m.safetensors")
    return folder


def write(path, columns):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def read(path):
    """Return a table's columns as lists of texts."""
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    return {name: [row[k] for row in rows] for k, name in enumerate(head)}


def call(command):
    """Run a command in this process; return the exit status, 0 where it just returned."""
    arguments, sys.argv = sys.argv, ["fastdense", *command.split()]
    try:
        cli.main()
    except SystemExit as stop:
        return stop.code or 0
    finally:
        sys.argv = arguments
    return 0


def mistake(command):
    """Run a command that must fail; return its one line."""
    line = call(command)
    assert isinstance(line, str), f"expected a message, got exit status {line}"
    assert line.startswith("fastdense: ")
    assert "Traceback" not in line
    return line


def test_train_reports_the_held_out_accuracy_and_saves_the_model(folder, capsys):
    assert call(f"train {folder}/flowers.csv --target name --hidden 8 --out {folder}/t.safetensors") == 0
    out = capsys.readouterr().out
    assert "120 rows, 3 columns" in out
    assert "Epoch 500/500" in out
    assert "colour" in out
    assert "Held-out accuracy: 1.0000" in out
    assert fd.load(folder / "t.safetensors").table.classes == ["iris", "lily", "rose"]


def test_quiet_training_shows_the_result_only(folder, capsys):
    command = f"train {folder}/flowers.csv --target name --quiet --epochs 3 --out {folder}/q.safetensors"
    assert call(command) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()[:2]] == [
        "Best epoch",
        "Held-out accuracy",
    ]


def test_same_seed_same_file(folder):
    for name in ("a", "b"):
        call(
            f"train {folder}/flowers.csv --target name --seed 5 --epochs 3 --out {folder}/{name}.safetensors"
        )
    assert (folder / "a.safetensors").read_bytes() == (folder / "b.safetensors").read_bytes()


def test_weights_decay_as_asked(folder):
    for decay in (0.0, 10.0):
        command = f"train {folder}/flowers.csv --target name --epochs 3 --weight-decay {decay}"
        assert call(f"{command} --out {folder}/decay{decay:.0f}.safetensors") == 0
    kernels = [fd.load(folder / f"decay{decay}.safetensors").get_weights()[0] for decay in (0, 10)]
    assert np.abs(kernels[1]).mean() < 0.9 * np.abs(kernels[0]).mean()


def test_predict_prints_labels_and_probabilities(folder, capsys):
    assert call(f"predict {folder}/m.safetensors {folder}/rows.csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == ROWS
    assert list(rows[0]) == ["predicted name", "p(iris)", "p(lily)", "p(rose)"]
    for row in rows:
        probabilities = {label: float(row[f"p({label})"]) for label in ("iris", "lily", "rose")}
        assert abs(sum(probabilities.values()) - 1.0) < 1e-5
        assert row["predicted name"] == max(probabilities, key=probabilities.get)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_predict_writes_a_file(folder, capsys, ending):
    assert call(f"predict {folder}/m.safetensors {folder}/rows.csv --out {folder}/p.{ending}") == 0
    assert "120 predictions written to" in capsys.readouterr().out
    assert len(fd.read_table(folder / f"p.{ending}")) == ROWS


def test_evaluate_measures_on_rows_with_the_target(folder, capsys):
    assert call(f"evaluate {folder}/m.safetensors {folder}/flowers.csv") == 0
    out = capsys.readouterr().out
    assert "accuracy" in out
    assert "log loss" in out


def test_regression_reports_in_the_targets_units(folder, capsys):
    model = f"{folder}/r.safetensors"
    assert call(f"train {folder}/prices.csv --target price --task regress --out {model}") == 0
    assert "Held-out RMSE" in capsys.readouterr().out
    assert call(f"evaluate {model} {folder}/prices.csv") == 0
    numbers = dict(line.split() for line in capsys.readouterr().out.splitlines()[1:])
    assert float(numbers["r2"]) > 0.95
    assert call(f"predict {model} {folder}/prices.csv") == 0
    first = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert 50 < float(first["predicted price"]) < 250


def test_columns_can_be_overruled(folder):
    out = folder / "typed.safetensors"
    call(f"train {folder}/flowers.csv --target name --type colour=ignore --epochs 2 --out {out}")
    assert fd.load(out).table.feature_names == ["length"]


def test_info_describes_the_machine_and_a_model(folder, capsys):
    assert call("info") == 0
    assert "peak, one core" in capsys.readouterr().out
    assert call(f"info {folder}/m.safetensors") == 0
    out = capsys.readouterr().out
    assert "dense (Dense)" in out
    assert "AdamW" in out
    assert "colour" in out


def test_version_and_help(capsys):
    assert call("--version") == 0
    assert capsys.readouterr().out == f"fastdense {fd.__version__}\n"
    assert call("train --help") == 0
    assert "--target" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("train {0}/nowhere.csv --target name", "nowhere.csv"),
        ("train {0}/flowers.csv --target nam", "did you mean 'name'"),
        ("train {0}/flowers.csv --target name --hidden 16,x", "--hidden"),
        ("train {0}/flowers.csv --target name --hidden 0", "--hidden"),
        ("train {0}/flowers.csv --target name --epochs 0", "epochs"),
        ("train {0}/flowers.csv --target name --batch-size 0", "--batch-size"),
        ("train {0}/flowers.csv --target name --validation 1.5", "validation"),
        ("train {0}/flowers.csv --target name --dropout 1", "dropout"),
        ("train {0}/flowers.csv --target name --weight-decay -1", "--weight-decay must be"),
        ("train {0}/flowers.csv --target name --learning-rate 0", "--learning-rate"),
        ("train {0}/flowers.csv --target name --seed -1", "seed"),
        ("train {0}/flowers.csv --target name --type colour", "--type"),
        ("train {0}/flowers.csv --target name --type colour=shade", "shade"),
        ("train {0}/flowers.csv --target name --task regress", "name"),
        ("train {0}/flowers.csv --target name --out m.txt", ".safetensors"),
        (
            "train {0}/flowers.csv --target name --out {0}/none/m.safetensors",
            "folder to save in does not exist",
        ),
        ("predict {0}/flowers.csv {0}/rows.csv", "flowers.csv"),
        ("predict {0}/m.safetensors {0}/prices.csv", "'length', 'colour'"),
        ("predict {0}/m.safetensors {0}/rows.csv --out {0}/p.docx", "docx"),
        ("evaluate {0}/m.safetensors {0}/rows.csv", "name"),
        ("evaluate {0}/nowhere.safetensors {0}/rows.csv", "nowhere.safetensors"),
        ("info {0}/nowhere.safetensors", "nowhere.safetensors"),
    ],
)
def test_a_mistake_is_one_clear_line(folder, command, words):
    line = mistake(command.format(folder))
    assert words in line
    assert "\n" not in line.strip()


@pytest.mark.parametrize(
    "content",
    [b"", b"length,colour,name\n", b"a,b\n1,2\n3\n", b"a,b\n\xff\xfe,1\n", b"a,a\n1,2\n", b"name\nx\nx\n"],
    ids=["empty", "header only", "ragged", "encoding", "twice", "one class"],
)
def test_a_bad_table_is_one_clear_line(tmp_path, content):
    (tmp_path / "bad.csv").write_bytes(content)
    line = mistake(f"train {tmp_path}/bad.csv --target name --out {tmp_path}/m.safetensors")
    assert "\n" not in line.strip()
    assert not (tmp_path / "m.safetensors").exists()


def test_a_damaged_model_is_one_clear_line(folder):
    content = bytearray((folder / "m.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "damaged.safetensors").write_bytes(content)
    assert "checksum" in mistake(f"predict {folder}/damaged.safetensors {folder}/rows.csv")


def test_a_model_of_a_matrix_knows_no_columns(folder):
    model = fd.Sequential([fd.Input((2,)), fd.Dense(1)], seed=0)
    model.save(folder / "matrix.safetensors")
    assert "'red' is not a number" in mistake(f"predict {folder}/matrix.safetensors {folder}/rows.csv")
    assert "not trained on a table" in mistake(f"evaluate {folder}/matrix.safetensors {folder}/rows.csv")


def run_program(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", "from fastdense.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_the_program_exits_with_one_line_on_standard_error(folder):
    result = run_program("train", folder / "nowhere.csv", "--target", "name")
    assert result.returncode == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


def test_wrong_usage_exits_with_two(folder):
    result = run_program("train", folder / "flowers.csv")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_the_reader_of_predictions_may_leave(folder):
    program = "from fastdense.cli import main; main()"
    arguments = ["predict", str(folder / "m.safetensors"), str(folder / "rows.csv")]
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        error = process.stderr.read().decode()
    assert "Traceback" not in error


@contextlib.contextmanager
def training(folder, out, *options):
    """Run a training that would go on for long, in a process of its own."""
    command = ["train", str(folder / "flowers.csv"), "--target", "name", "--epochs", "1000000", *options]
    program = "from fastdense.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", program, *command, "--out", str(folder / out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_saves_the_best_so_far(folder):
    report = folder / "stopped.html"
    with training(folder, "stopped.safetensors", "--report", str(report)) as process:
        while "Epoch 3/" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, error = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in error
    assert "interrupted: the best epoch so far is saved to" in error
    assert "no report is written" in error
    assert "Best epoch:" in out
    assert fd.load(folder / "stopped.safetensors").table.classes == ["iris", "lily", "rose"]
    assert not report.exists()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_before_the_first_epoch_ended_says_that_nothing_is_saved(folder, monkeypatch, capsys):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("fastdense.cli.train"), "train_table", interrupted)
    assert call(f"train {folder}/flowers.csv --target name --out {folder}/never.safetensors") == 130
    assert "interrupted before the first epoch ended: nothing is saved" in capsys.readouterr().err
    assert not (folder / "never.safetensors").exists()


@pytest.mark.parametrize("task", ["classify", "regress"])
def test_the_rows_that_numbers_are_of_are_named(folder, capsys, task):
    table, number = {"classify": ("flowers", "accuracy"), "regress": ("prices", "RMSE")}[task]
    target = {"classify": "name", "regress": "price"}[task]
    train = f"train {folder}/{table}.csv --target {target} --task {task} --epochs 2 --quiet"
    assert call(f"{train} --out {folder}/n.safetensors") == 0
    out = capsys.readouterr().out
    assert re.search(rf"Held-out {number}: .*18 rows, which chose the epoch: too good for new rows", out)
    assert "--test 0.2 holds out rows that choose nothing" in out
    assert call(f"{train} --test 0.2 --out {folder}/n.safetensors") == 0
    out = capsys.readouterr().out
    assert re.search(rf"Held-out {number}: .*18 rows, which chose the epoch", out)
    assert re.search(rf"Test {number}: .*24 rows, which chose nothing", out)
    assert "--test" not in out
    assert call(f"{train} --validation 0 --out {folder}/n.safetensors") == 0
    assert "102 rows" not in (out := capsys.readouterr().out)
    assert re.search(rf"Training {number}: .*120 rows, which it was trained on: too good for new rows", out)


@pytest.mark.filterwarnings("always")
def test_what_is_doubtful_is_noted_on_standard_error(folder, capsys):
    rows = read(folder / "flowers.csv")
    rows["code"] = [{"iris": "a", "rose": "b", "lily": "c"}[name] for name in rows["name"]]
    rows["name"][7] = ""
    write(folder / "doubtful.csv", rows)
    train = f"train {folder}/doubtful.csv --target name --epochs 20 --quiet --out {folder}/d.safetensors"
    assert call(train) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("; ")[0][:60] for line in lines] == [
        "fastdense: note: target 'name': no value in 1 of 120 rows, whi"[:60],
        "fastdense: note: column 'code' gives the target 'name' away, w"[:60],
        "fastdense: note: column 'length' alone decides the target 'name'"[:60],
    ]


@pytest.mark.filterwarnings("always")
def test_evaluate_counts_labels_that_it_never_saw(folder, capsys):
    rows = read(folder / "flowers.csv")
    rows["name"][:3] = ["tulip", "", "tulip"]
    write(folder / "new.csv", rows)
    assert call(f"evaluate {folder}/m.safetensors {folder}/new.csv") == 0
    out, err = capsys.readouterr()
    assert float(re.search(r"accuracy +(\S+)", out)[1]) <= 117 / 119
    assert "no value in 1 of 120 rows" in err
    assert "2 of 119 rows have labels that the model was not trained on, 'tulip'" in err
