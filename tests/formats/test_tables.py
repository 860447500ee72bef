"""Tables in files: every corner of CSV by hand, each kind of damage, and all or nothing."""

import csv
import gzip
import io
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastdense.errors import TableError
from fastdense.exchange import tables
from fastdense.exchange.tables import read_table, write_table


@pytest.fixture
def read(tmp_path):
    """A function that reads a table from the bytes of a file."""

    def read(data, name="t.csv", **options):
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return read_table(path, **options)

    return read


def test_types_by_hand(read):
    table = read("a,b,c,d,e\n1,1.5, x,,007\n2,-2e3,y ,,\n3,4,,,12\n")
    assert table.schema == {"a": pl.Int64, "b": pl.Float64, "c": pl.String, "d": pl.String, "e": pl.String}
    assert table.rows() == [
        (1, 1.5, "x", None, "007"),
        (2, -2000.0, "y", None, None),
        (3, 4.0, None, None, "12"),
    ]


def test_blanks_around_numbers_and_missing_integers(read):
    assert read("a\n 1\n\n3 \n")["a"].to_list() == [1, None, 3]
    assert read('a\n 1\n\n"3 "\n')["a"].to_list() == [1, None, 3]


def test_types_are_of_the_whole_file(read):
    table = read("a,b\n" + "1,2\n" * 20_000 + "x,3.5\n")
    assert table.schema == {"a": pl.String, "b": pl.Float64}
    assert table.row(-1) == ("x", 3.5)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.csv", "a,b\n1,x\n"),
        ("t.csv", "a;b\n1;x\n"),
        ("t.csv", "a|b\n1|x\n"),
        ("t.txt", "a\tb\n1\tx\n"),
        ("t.tsv", "a\tb\n1\tx\n"),
        ("T.CSV", "a,b\r\n1,x\r\n"),
        ("t.csv", "a,b\r1,x\r"),
        ("t.csv", "a,b\n1,x"),
        ("t.csv", "a,b\n1,x\n\n\n"),
        ("t.csv", b"\xef\xbb\xbfa,b\n1,x\n"),
        ("t.csv", b'\xef\xbb\xbf"a";"b"\n1;x\n'),
        ("t.csv", '"a", "b"\n"1", "x"\n'),
        ("t.csv.gz", gzip.compress(b"a,b\n1,x\n", mtime=0)),  # the time would be in the test's name
    ],
)
def test_every_dialect_says_the_same(read, name, data):
    assert read(data, name).to_dict(as_series=False) == {"a": [1], "b": ["x"]}


def test_quotes_hold_separators_quotes_and_line_ends(read):
    table = read('name,"no, te"\r\n"Smith, Ann","she said ""hi"""\r\nBob,"two\r\nlines"\r\nCy,5" disk\r\n')
    assert table.columns == ["name", "no, te"]
    assert table.rows() == [("Smith, Ann", 'she said "hi"'), ("Bob", "two\nlines"), ("Cy", '5" disk')]


def test_a_separator_within_the_quotes_of_the_header_does_not_count(read):
    assert read('"a,b,c,d";e\n1;2\n').columns == ["a,b,c,d", "e"]


def test_without_a_header_columns_are_numbered(read):
    assert read("1,x\n2,y\n", header=False).to_dict(as_series=False) == {
        "column_1": [1, 2],
        "column_2": ["x", "y"],
    }
    assert read('1,"x"\n', header=False).rows() == [(1, "x")]


def test_a_nameless_column_is_numbered(read):
    assert read(",a\n0,5\n").columns == ["column_1", "a"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("  \n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        ("a,b\n", "the table has no rows"),
        ('"a",b\n', "the table has no rows"),
        ("a,b\n1,2\n3\n", "line 3: 1 field where the first line has 2"),
        ("a,b\n1,2,3\n", "line 2: 3 fields where the first line has 2"),
        ("a,b\n1,2\n\n3,4\n", "line 3: a blank line where the first line has 2"),
        ('a,b\n"x\ny",2\n"3"\n', "line 4: 1 field where the first line has 2"),
        ('a,b\n"x",2\n\n3,4\n', "line 3: a blank line where the first line has 2"),
        ('a,b\n"x",2,3\n', "line 2: 3 fields where the first line has 2"),
        ('a,b\n1,2\n"x,3\n4,5\n', "line 3: unexpected end of data"),
        ('a,b\n"x"y,3\n', "line 2: ',' expected after"),
        ("a,b,a\n1,2,3\n", "more than one column is named 'a'"),
        ("a, a \n1,2\n", "more than one column is named 'a'"),
        (b"a,b\n1,\0\n", "line 2: a NUL byte at offset 6; this is no text file"),
        (b"PK\x03\x04\x14\0\0", "a NUL byte at offset 5"),
        (b"a,b\n1,caf\xe9\n", "line 2: byte 0xe9 at offset 9 is not UTF-8; save the file as UTF-8"),
        (b"\xef\xbb\xbfa\ncaf\xe9\n", "line 2: byte 0xe9 at offset 8 is not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "the encoding is UTF-16; save the file as UTF-8"),
    ],
)
def test_what_is_no_table(read, data, message):
    with pytest.raises(TableError, match=message) as caught:
        read(data)
    assert "\n" not in str(caught.value)
    assert "t.csv" in str(caught.value)


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.gz", "csv"])
def test_other_extensions_are_refused(read, name):
    with pytest.raises(TableError, match=r"a table's name ends in \.csv, \.csv\.gz, \.txt, \.tsv, \.parquet"):
        read("a\n1\n", name)


def test_absent_files_and_directories(tmp_path):
    with pytest.raises(TableError, match="there is no such file"):
        read_table(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(TableError, match="this is a directory"):
        read_table(tmp_path / "folder.csv")
    (tmp_path / "file").touch()
    with pytest.raises(TableError, match="cannot be read: Not a directory"):
        read_table(tmp_path / "file" / "t.csv")


def test_damaged_gzip(read):
    whole = gzip.compress(b"a,b\n1,x\n" * 100)
    for damaged in (b"a,b\n1,2\n", whole[:-12], whole[:20] + b"\xff\xff\xff" + whole[23:]):
        with pytest.raises(TableError, match="damaged, or not compressed by gzip"):
            read(damaged, "t.csv.gz")


def test_parquet_round_trip_and_damage(tmp_path, read):
    path = tmp_path / "t.parquet"
    write_table({"a": [1, 2], "b": ["x", None]}, path)
    assert read_table(path).rows() == [(1, "x"), (2, None)]
    whole = path.read_bytes()
    for damaged in (b"", b"a,b\n1,2\n", whole[:-20], whole[4:]):
        with pytest.raises(TableError, match=r"t\.parquet: damaged, or not Parquet") as caught:
            read(damaged, "t.parquet")
        assert "\n" not in str(caught.value)
    write_table({"a": []}, path)
    with pytest.raises(TableError, match="the table has no rows"):
        read_table(path)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.parquet"])
def test_what_is_written_is_read(tmp_path, name):
    path = tmp_path / name
    columns = {
        "n": np.array([1, 2, 3]),
        "x": np.array([0.1, 1 / 3, 1e-300]),
        "text": ["a,b", 'say "x"', "two\nlines"],
    }
    write_table(columns, path)
    table = read_table(path)
    assert table.to_dict(as_series=False) == {name: list(values) for name, values in columns.items()}
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("columns", "name", "message"),
    [
        ({"a": [1], "b": [1, 2]}, "t.csv", "columns of one length, not {'a': 1, 'b': 2}"),
        ({}, "t.csv", "columns of one length"),
        ({"a": [1]}, "t.xlsx", r"a table's name ends in \.csv, \.tsv, \.parquet"),
        ({"a": [1]}, "absent/t.csv", "cannot be written: the folder to save in does not exist"),
        ({"a": [[1, 2]]}, "t.csv", "the columns cannot be written"),
        ({"a": [1, "x"]}, "t.csv", "the columns cannot be written"),
    ],
)
def test_what_cannot_be_written(tmp_path, columns, name, message):
    with pytest.raises(TableError, match=message):
        write_table(columns, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    write_table({"a": [1]}, path)

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TableError, match="cannot be written: No space left on device"):
        write_table({"a": [2]}, path)
    assert path.read_text() == "a\n1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_without_polars_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    for call in (
        lambda: tables.read_table(tmp_path / "t.csv"),
        lambda: tables.write_table({}, tmp_path / "t.csv"),
    ):
        with pytest.raises(ImportError, match=r"pip install 'fastdense\[cli\]'"):
            call()


FIELDS = st.text("ab 1.;\n\"',-", max_size=4)


@settings(deadline=None)
@given(
    st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=5),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_any_fields_come_back_trimmed(tmp_path_factory, rows, quoting):
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=quoting, lineterminator="\n")
    writer.writerows([("name", "other"), ("text", "text"), *rows])
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_text(buffer.getvalue())
    expected = [tuple(field.strip() or None for field in row) for row in [("text", "text"), *rows]]
    assert read_table(path).rows() == expected


@settings(deadline=None)
@given(st.lists(st.lists(st.text("ab 1.-", max_size=3), min_size=2, max_size=2), min_size=1, max_size=6))
def test_quotes_change_nothing_about_plain_fields(tmp_path_factory, rows):
    lines = [",".join(row) for row in [["p", "q"], *rows]]
    folder = tmp_path_factory.mktemp("csv")
    (folder / "plain.csv").write_text("\n".join(lines))
    (folder / "quoted.csv").write_text("\n".join(['"p",q', *lines[1:]]))
    assert read_table(folder / "plain.csv").equals(read_table(folder / "quoted.csv"))
