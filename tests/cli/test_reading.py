"""How commands read tables: what can be stated, what the model remembers, and what is said."""

import gzip
import sys
import warnings

import numpy as np
import pytest

import fastdense as fd
from fastdense import cli


def call(*arguments):
    """Run a command in this process, with notes as a user has them; return the exit status, or 0."""
    kept, sys.argv = sys.argv, ["fastdense", *map(str, arguments)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            cli.main()
    except SystemExit as stop:
        return stop.code or 0
    finally:
        sys.argv = kept
    return 0


def rows(start, count):
    """Lines of a European table: numbers with commas, dates, regions of which one is called NA."""
    k = np.arange(start, start + count)
    regions = np.array(["EU", "NA", "n.v."])[k % 3]
    return "".join(
        f"{i % 28 + 1:02}/{i % 12 + 1:02}/2023;{str(i / 8).replace('.', ',')};1.{234 + i};{region}\n"
        for i, region in zip(k, regions, strict=True)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a European table and a model trained on it."""
    folder = tmp_path_factory.mktemp("reading")
    (folder / "t.csv").write_text("day;size;people;region\n" + rows(0, 90))
    train = f"train {folder}/t.csv --target region --hidden 4 --epochs 2 --out {folder}/m.safetensors"
    assert call(*f"{train} --no-default-missing --decimal , --type people=ignore".split()) == 0
    return folder


def test_what_was_stated_is_in_the_model(folder):
    table = fd.load(folder / "m.safetensors").table
    assert table.classes == ["EU", "NA", "n.v."]
    assert [column.kind for column in table.columns] == ["date", "number", "ignored"]
    assert table.cells == fd.tables.Cells(decimal=",", default_missing=False)
    assert 3 < table.columns[1].center < 8  # from 0 to 90 / 8


def test_a_model_reads_a_further_table_as_the_first(folder, capsys):
    (folder / "more.csv").write_text("day;size;region\n01/02/2023;1,234;NA\n")
    (folder / "points.csv").write_text("day,size\n2023-02-01,1.234\n")
    for name in ("more", "points"):
        assert call("predict", folder / "m.safetensors", folder / f"{name}.csv") == 0
    commas, points = capsys.readouterr().out.splitlines()[1::2]
    assert commas == points
    assert call("evaluate", folder / "m.safetensors", folder / "more.csv") == 0
    assert call("explain", folder / "m.safetensors", folder / "more.csv") == 0
    assert call("profile", folder / "m.safetensors", folder / "more.csv", "--seconds", "0.001") == 0


def test_further_markers_can_be_stated(folder, capsys):
    (folder / "marked.csv").write_text("day;size;region\n01/02/2023;k. A.;NA\n")
    line = call("predict", folder / "m.safetensors", folder / "marked.csv")
    assert "column 'size', row 1: 'k. A.' is not a number" in line
    assert call("predict", folder / "m.safetensors", folder / "marked.csv", "--missing", "k. A.") == 0


def test_what_is_said_is_printed_once(folder, capsys):
    (folder / "x.csv").write_text("x;y\n" + "".join(f"{k},5;{k}\n" for k in range(40)))
    arguments = f"train {folder}/x.csv --target y --hidden 4 --epochs 1 --out {folder}/x.safetensors".split()
    assert call(*arguments) == 0
    assert capsys.readouterr().err.count("'0,5' is read as 0.5") == 1


def test_the_size_is_bounded(folder):
    (folder / "t.csv.gz").write_bytes(gzip.compress(b"x,y\n" + b"1,2\n" * 1000))
    train = ["train", folder / "t.csv.gz", "--target", "y", "--out", folder / "n.safetensors"]
    assert "unpacks to more than 2,048 bytes" in call(*train, "--max-size", "2K")
    assert "--max-size takes bytes, such as 500M or 4G; got 'much'" in call(*train, "--max-size", "much")


def test_unknown_signs_and_orders_are_refused(folder):
    train = ["train", folder / "t.csv", "--target", "region", "--out", folder / "n.safetensors"]
    assert "decimal is '.' or ',', not ';'" in call(*train, "--decimal", ";")
    assert "date_order is 'dmy', 'mdy' or 'ymd', not 'day'" in call(*train, "--date-order", "day")
