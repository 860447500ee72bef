"""Numbers in files as people write them, first lines that are rows, and files that unpack to too much."""

import contextlib
import gzip
import subprocess
import sys
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastdense.errors import TableError, TableWarning
from fastdense.exchange.tables import read_table, write_table
from fastdense.exchange.tables.parquet import unpacked_size
from fastdense.tables import Cells, Table


@pytest.fixture
def read(tmp_path):
    """A function that reads a table from the text of a file, and returns it and what was said."""

    def read(text, name="t.csv", **options):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            table = read_table(path, **options)
        return table, [str(warning.message).replace(f"{path}: ", "") for warning in said]

    return read


def test_decimal_commas_are_found_and_said_in_one_line(read):
    table, said = read("x;y;z\n0,682;1,5;1\n0,5;-2;2\n;3e2;3\n")
    assert table.schema == {"x": pl.Float64, "y": pl.Float64, "z": pl.Int64}
    assert table.rows() == [(0.682, 1.5, 1), (0.5, -2.0, 2), (None, 300.0, 3)]
    assert said == ["'0,682' is read as 0.682 in column 'x', '1,5' is read as 1.5 in column 'y'"]
    _, said = read("a;b;c;d;e\n0,5;0,5;0,5;0,5;0,5\n")
    assert said[0].endswith("'0,5' is read as 0.5 in column 'c' and so on in 2 more columns")


@pytest.mark.parametrize(
    ("text", "values", "dtype", "note"),
    [
        ("x;y\n1.234;0,5\n2.345;1,5\n", [1234, 2345], pl.Int64, "'1.234' is read as 1234 in column 'x'"),
        ("x;y\n1.234,5;1\n2;2\n", [1234.5, 2.0], pl.Float64, "'1.234,5' is read as 1234.5 in column 'x'"),
        ("x;y\n1,234;1\n2,345;2\n", [1.234, 2.345], pl.Float64, "'1,234' is read as 1.234 in column 'x'"),
        (
            'x,y\n"1,234.5",1\n"2,345",2\n',
            [1234.5, 2345.0],
            pl.Float64,
            "'1,234.5' is read as 1234.5 in column 'x'",
        ),
        ('x,y\n"1,234",1.5\n"2,345",2.5\n', [1234, 2345], pl.Int64, "'1,234' is read as 1234 in column 'x'"),
        ("x,y\n(5),1\n6,2\n", [-5.0, 6.0], pl.Float64, "'(5)' is read as -5 in column 'x'"),
        ("x;y\n1.234;1\n2.345;2\n", [1.234, 2.345], pl.Float64, None),
        ("x;y\n1.5;0,5\n2.25;1,5\n", [1.5, 2.25], pl.Float64, None),
        ("x,y\n2019,1\n2020,2\n", [2019, 2020], pl.Int64, None),
        ("x,y\n1,1\n#N/A,2\n-,3\n", [1, None, None], pl.Int64, None),
        ("x,y\n1.5,1\nNaN,2\n", [1.5, None], pl.Float64, None),
    ],
)
def test_columns_of_numbers(read, text, values, dtype, note):
    table, said = read(text)
    column = table["x"].fill_nan(None) if dtype == pl.Float64 else table["x"]
    assert (column.to_list(), column.dtype) == (values, dtype)
    assert [line.partition(", '")[0].partition(";")[0] for line in said if "'x'" in line] == (
        [note] if note else []
    )


@pytest.mark.parametrize(
    "cells",
    [
        ["1,234", "2,345"],  # which number is open
        ["5 %", "6 %"],
        ["007", "012"],
        ["1", "off"],
        ["True", "False"],
        ["NA", "?"],
        ["2024-01-01", "2024-01-02"],
        ["1,5", "1.5"],
    ],
)
def test_what_leaves_a_doubt_stays_text(read, cells):
    table, said = read("x|y\n" + "".join(f"{cell}|1\n" for cell in cells))
    assert (table["x"].to_list(), said) == (cells, [])


def test_a_decimal_sign_can_be_stated(read):
    assert read('x,y\n"1,234",1\n', cells=Cells(decimal=","))[0]["x"].to_list() == [1.234]
    _, said = read("x;y\n1,234;1\n")
    assert said[0].endswith("; decimal='.' (--decimal .) if the point is the decimal sign")
    assert read("x;y\n1,234;1\n", cells=Cells(decimal="."))[0]["x"].to_list() == [1234]
    assert read("x;y\n1.234;1\n", cells=Cells(decimal=","))[0]["x"].to_list() == [1234]
    assert read("x;y\n1.5;1\n", cells=Cells(decimal=","))[0]["x"].to_list() == ["1.5"]


def test_what_means_missing_can_be_stated(read):
    table, _ = read("x,y\n1,n.v.\n-9,b\n", cells=Cells(missing=("-9", "N.V.")))
    assert table.rows() == [(1, None), (None, "b")]
    assert read("x,y\n1,NA\nNA,b\n", cells=Cells(default_missing=False))[0].rows() == [
        ("1", "NA"),
        ("NA", "b"),
    ]


@settings(deadline=None)
@given(st.lists(st.decimals(-(10**6), 10**6, places=2), min_size=2, max_size=8))
def test_a_table_with_commas_is_the_one_with_points(tmp_path_factory, numbers):
    folder = tmp_path_factory.mktemp("csv")
    points = [f"{number:.2f}" for number in numbers]
    (folder / "points.csv").write_text("x;y\n" + "".join(f"{x};a\n" for x in points))
    (folder / "commas.csv").write_text("x;y\n" + "".join(f"{x.replace('.', ',')};a\n" for x in points))
    with pytest.warns(TableWarning, match="is read as"):
        commas = read_table(folder / "commas.csv")
    assert commas.equals(read_table(folder / "points.csv"))


def test_a_number_beyond_the_largest_is_named_wherever_it_stands(read):
    for cell in ("1e400", '"1e400"', "-inf"):
        table, _ = read(f'x,y\n1.5,"a"\n{cell},"b"\n')
        with pytest.raises(TableError, match="column 'x', row 2: the number is infinite or beyond"):
            Table.learn(table)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n6.1,3.0,virginica\n", "5.1, 3.5, setosa"),
        ("5.1;3\n4.9;3\n", "5.1; 3"),
        ("3,1\n4,1\n", "3, 1"),
        ("yes,red\nno,blue\nyes,red\n", "yes, red"),
        ("2024-01-01,5\n2024-01-02,6\n", "2024-01-01, 5"),
        ("5 %;$1\n6 %;$2\n", "5 %, $1"),
    ],
)
def test_a_first_line_like_a_row_is_said(read, text, first):
    _, said = read(text)
    first = first.replace(";", ",")
    looks = f"the first line, '{first}', names the columns but looks like a row; "
    assert said == [looks + "header=False (--no-header) reads it as one"]
    assert not read(text, header=False)[1]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "0,1,2\n5,6,7\n",
        "2019,2020\n1,2\n",
        "country,2019\nx,1\n",
        "a,b\nx,y\n",
        "age\n3\n",
        "5,x\n1,a\n",
    ],
)
def test_a_first_line_of_names_is_not(read, text):
    assert read(text)[1] == []


def test_a_number_that_names_two_columns_may_be_of_a_row(read):
    with pytest.raises(
        TableError, match=r"more than one column is named '5\.1'; if the first line is a row.*--no-header"
    ):
        read("5.1,3.5,5.1\n1,2,3\n")


def test_what_unpacks_to_too_much_is_refused(tmp_path):
    data = b"x,y\n" + b"1,2\n" * 1000
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(data))
    assert len(read_table(tmp_path / "t.csv.gz", max_size=len(data))) == 1000
    with pytest.raises(TableError, match=r"unpacks to more than 4,003 bytes; max_size= .--max-size."):
        read_table(tmp_path / "t.csv.gz", max_size=len(data) - 1)
    write_table({"x": np.zeros(10_000), "y": ["text"] * 10_000}, tmp_path / "t.parquet")
    size = unpacked_size((tmp_path / "t.parquet").read_bytes())
    assert size >= 10_000 * (8 + 16)
    assert len(read_table(tmp_path / "t.parquet", max_size=size)) == 10_000
    with pytest.raises(TableError, match=f"unpacks to {size:,} bytes, more than {size - 1:,} bytes"):
        read_table(tmp_path / "t.parquet", max_size=size - 1)


def test_the_size_of_a_parquet_file_is_of_all_its_columns_and_groups(tmp_path):
    table = pl.DataFrame({"a": pl.int_range(1000, eager=True), "b": ["x" * 100] * 1000, "c": [[1, 2]] * 1000})
    table.write_parquet(tmp_path / "t.parquet", row_group_size=100)
    assert unpacked_size((tmp_path / "t.parquet").read_bytes()) >= 1000 * (8 + 16 + 2 * 8)


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(0, 200))
def test_damaged_metadata_is_refused(tmp_path_factory, damage, place):
    path = tmp_path_factory.mktemp("parquet") / "t.parquet"
    write_table({"a": [1, 2]}, path)
    whole = path.read_bytes()
    data = bytearray(whole)
    end = len(data) - 8
    start = max(4, end - place)
    data[start : start + len(damage)] = damage[: end - start]
    path.write_bytes(data)
    if bytes(data) != whole:
        with contextlib.suppress(TableError):  # and nothing else: a crash, or memory without end
            assert read_table(path, max_size=10**6).height <= 10**6


@pytest.mark.parametrize(
    ("text", "names", "header"),
    [
        ("0,5;1,5\n2,5;3,5\n", ["column_1", "column_2"], False),
        ("Preis, EUR;Menge\n1,5;2\n2,5;3\n", ["Preis, EUR", "Menge"], True),
        ("a|b\n0,5|0,5\n", ["a", "b"], True),
        ("a,b\n1;2,3\n", ["a", "b"], True),
        ("a,b;c\n1,x;y\n", ["a", "b;c"], True),
        ("1,2,3\n4,5,6\n", ["column_1", "column_2", "column_3"], False),
    ],
)
def test_commas_within_numbers_do_not_separate(read, text, names, header):
    assert read(text, header=header)[0].columns == names


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory as Linux has them")
def test_a_lack_of_memory_is_an_error_and_not_the_end_of_the_process(tmp_path):
    pl.DataFrame({f"c{k}": np.zeros(400_000) for k in range(40)}).write_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.csv").write_text("a,b\n" + "1,2\n" * 500_000)
    script = f"""
import resource, polars
from pathlib import Path
from fastdense.exchange.tables import read_table
taken = int(Path("/proc/self/status").read_text().split("VmSize:")[1].split()[0]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (taken + 100 * 2**20,) * 2)
for name in ("t.parquet", "t.csv"):
    try:
        read_table(Path({str(tmp_path)!r}) / name)
    except MemoryError:
        print("refused")
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.split()) == (0, ["refused", "refused"]), run.stderr
