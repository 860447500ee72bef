"""Files of arrays: what goes in comes out, damage never does, and a failed save leaves the old file alone."""

import hashlib
import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save_file

from fastdense.core import files
from fastdense.errors import FormatError
from tests.compare import assert_identical

DESCRIPTION = {"name": "é\ud800\U0001f600", "numbers": [1, -2.5, 1e-300, 2**70], "nothing": None, "yes": True}
ARRAYS = {
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "vector": np.array([0.5, -0.0, np.nan, np.inf]),
    "number": np.array(7, dtype=np.int32),
    "none": np.zeros((0, 4), dtype=np.int64),
}


def container(header, data=b""):
    """Return the bytes of a safetensors file with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.fixture
def path(tmp_path):
    """A file with the description and arrays above."""
    files.write(tmp_path / "file.safetensors", DESCRIPTION, ARRAYS)
    return tmp_path / "file.safetensors"


def written_and_read(path, array):
    files.write(path, {}, {"a": array})
    return files.read(path)[1]["a"]


def test_what_goes_in_comes_out(path):
    description, arrays = files.read(path)
    assert description == DESCRIPTION
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert_identical(arrays[name], array)


GOLDEN_ARRAYS = """{
    "b": np.array([0.0, 1.0, 2.0]),
    "a": np.array([[1.0, -1.0], [0.5, 2.0]], np.float32),
    "c": np.array(7, np.int32),
}"""
GOLDEN = container(
    rb"""{"__metadata__":{"fastdense":"0b76560b8ba94f90a5353b03f5fdbd81f98653a549c7cf79721a2e971a0b5523"""
    rb""" {\"a\": [0.1], \"z\": 1}"},"""
    rb""""b":{"dtype":"F64","shape":[3],"data_offsets":[0,24]},"""
    rb""""a":{"dtype":"F32","shape":[2,2],"data_offsets":[24,40]},"""
    rb""""c":{"dtype":"I32","shape":[],"data_offsets":[40,44]}} """,
    struct.pack("<3d4fi", 0, 1, 2, 1, -1, 0.5, 2, 7),
)


def test_the_bytes_are_these_in_every_process(path):
    program = f"""
import sys, numpy as np
from fastdense.core import files
files.write(sys.argv[1], {{"z": 1, "a": [0.1]}}, {GOLDEN_ARRAYS})
"""
    for _ in range(3):
        subprocess.run([sys.executable, "-c", program, path], check=True)
        assert path.read_bytes() == GOLDEN


def test_these_bytes_are_read(path):
    path.write_bytes(GOLDEN)
    description, arrays = files.read(path)
    assert description == {"a": [0.1], "z": 1}
    assert_identical(arrays["b"], np.array([0.0, 1, 2]))
    assert_identical(arrays["a"], np.float32([[1, -1], [0.5, 2]]))
    assert_identical(arrays["c"], np.int32(7))


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a.T,
        np.asfortranarray,
        lambda a: a[::2, 1::3],
        lambda a: a[::-1, ::-1],
        lambda a: a[:0],
        lambda a: a[1],
        lambda a: a[1, 1],
        lambda a: np.broadcast_to(a[0], (5, 7)),
        lambda a: a.astype(">f8"),
        lambda a: a.astype(">i4"),
        lambda a: a.astype("int64"),
    ],
)
def test_any_memory_layout_and_byte_order(path, view):
    array = np.asarray(view(np.arange(35.0).reshape(5, 7)))
    native = array.astype(array.dtype.newbyteorder("="))
    assert_identical(written_and_read(path, array), native)


@settings(deadline=None)  # the machine may be busy
@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int32, np.int64]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
def test_any_array(tmp_path_factory, array):
    assert_identical(written_and_read(tmp_path_factory.getbasetemp() / "any.safetensors", array), array)


@pytest.mark.parametrize("dtype", ["float16", "bool", "uint8", "complex64", "S3", "O"])
def test_other_dtypes_are_refused_and_the_old_file_stays(path, dtype):
    before = path.read_bytes()
    with pytest.raises(TypeError, match="a file holds arrays of float32, float64, int32, int64, not of"):
        files.write(path, {}, {"a": np.zeros(3, dtype=dtype)})
    assert path.read_bytes() == before


@pytest.mark.parametrize("value", [np.nan, np.inf, object(), np.float32(1.0), {1, 2}])
def test_what_json_cannot_hold_is_refused_and_the_old_file_stays(path, value):
    before = path.read_bytes()
    with pytest.raises((TypeError, ValueError), match="JSON"):
        files.write(path, {"value": value}, {})
    assert path.read_bytes() == before


def test_every_truncation_is_noticed(path):
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(FormatError, match="safetensors is "):
            files.read(path)


def test_anything_appended_is_noticed(path):
    with path.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(FormatError, match="damaged"):
        files.read(path)


def test_every_flipped_bit_is_noticed(path):
    content = path.read_bytes()
    for place in range(len(content)):
        for bit in range(8):
            damaged = bytearray(content)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            with pytest.raises(FormatError, match="safetensors"):
                files.read(path)


def entry(shape, offsets, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


OURS = {"__metadata__": {"fastdense": "0 {}"}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 8,
        b"\xff" * 8,
        b"\xff" * 4096,
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 90 * 2**20) + b"{}",
        b"fastdense, but as a text\n" * 50,
        container({}),
        container([]),
        container(b"{" * 5000),
        container(b"[" * 100_000),
        container(b'{"\xff": 1}'),
        container({"a": entry([2], [0, 8]), "b": entry([2], [4, 12])}, bytes(12)),
        container({"a": entry([2], [0, 8]), "b": entry([2], [0, 8])}, bytes(8)),
        container({"a": entry([2], [4, 12])}, bytes(12)),
        container({"a": entry([2**40], [0, 2**42])}, bytes(8)),
        container({"a": entry([2**62, 2**62], [0, 8])}, bytes(8)),
        container({"a": entry([-1], [0, 8])}, bytes(8)),
        container({"a": entry([2], [8, 0])}, bytes(8)),
        container({"a": entry([3], [0, 8])}, bytes(8)),
        container({"a": entry([2], [0, 8], "F99")}, bytes(8)),
        container({"a": entry([2], [0, 8]), "__metadata__": {"fastdense": 5}}, bytes(8)),
        container({"a": entry([2], [0, 8]), "__metadata__": {"fastdense": "0 {}", "more": 1}}, bytes(8)),
        container(b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},' * 2 + b'"b":{}}'),
        container(b'{"__metadata__":{"fastdense":"0 {}"},"__metadata__":{"fastdense":"0 {}"}}'),
        container(b'{"__metadata__":{"fastdense":"0 \\ud800{}"}}'),
        container(OURS | {"a": entry([2], [0, 8]), "b": entry([1], [12, 16])}, bytes(16)),
        container(OURS | {"a": entry([True], [0, 4])}, bytes(4)),
        container(OURS | {"a": entry([1.0], [0, 4])}, bytes(4)),
        container(OURS | {"a": entry([1], [0, 4, 4])}, bytes(4)),
        container(OURS | {"a": entry([1], [0, 4]) | {"more": 0}}, bytes(4)),
        container(OURS | {"a": {"dtype": "F32", "shape": [1]}}, bytes(4)),
        container(OURS | {"a": [1]}, bytes(4)),
        container(OURS | {"a": entry([0, 2**62], [0, 0])}),
        container(OURS | {"a": entry([0, 2**64], [0, 0])}),
        container(OURS | {"a": entry([1] * 33, [0, 4])}, bytes(4)),
    ],
)
def test_no_other_bytes_are_a_file(path, content):
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"safetensors is damaged or not|not one of fastdense's"):
        files.read(path)


def test_a_safetensors_file_of_something_else(path):
    for metadata in (None, {"format": "pt"}, {"fastdense": "{}", "more": ""}):
        save_file({"a": np.zeros(3, np.float32)}, path, metadata=metadata)
        with pytest.raises(FormatError, match="not one of fastdense's: it has no description and checksum"):
            files.read(path)


def test_a_dtype_that_is_never_written(path):
    save_file({"a": np.zeros(3, np.float16)}, path, metadata={"fastdense": "0 {}"})
    with pytest.raises(FormatError, match="tensor 'a' has dtype F16, which no model has"):
        files.read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("1", "not a JSON object"),
        ('{"a": NaN}', "NaN is not a number that a description can hold"),
        ('{"a": -Infinity}', "-Infinity is not a number"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "not JSON"),
    ],
)
def test_a_description_must_be_a_strict_json_object(path, text, message):
    # The checksum of a file without arrays is that of its description.
    digest = hashlib.sha256(text.encode()).hexdigest()
    save_file({}, path, metadata={"fastdense": f"{digest} {text}"})
    with pytest.raises(FormatError, match=message):
        files.read(path)


def test_missing_files_and_folders_are_the_systems_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.read(tmp_path / "missing.safetensors")
    with pytest.raises(IsADirectoryError):
        files.read(tmp_path)


def test_paths_may_be_text(path):
    files.write(os.fspath(path), {"a": 1}, {})
    assert files.read(os.fspath(path))[0] == {"a": 1}
