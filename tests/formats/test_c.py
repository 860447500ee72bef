"""The C that a network is written as: it compiles without a warning, and predicts what the network does."""

from __future__ import annotations

import ctypes
import itertools
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastdense as fd
from fastdense.activations import ActivationFunction
from fastdense.core.spec import ACTIVATIONS
from fastdense.engines import choose
from fastdense.errors import FormatError, NotBuiltError
from fastdense.formats.c import write_c
from tests.bounds import activation_ulps
from tests.cases import ALPHAS
from tests.compare import assert_identical, assert_within, ulp_error
from tests.formats.networks import assert_predicts_as, inputs, networks

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wshadow", "-Wdouble-promotion"]
TYPES = {"float32": ctypes.c_float, "float64": ctypes.c_double}
numbers = itertools.count()
pytestmark = pytest.mark.skipif(not COMPILERS, reason="there is no C compiler")


def compiled(model, folder, compiler=None, options=("-O2",)):
    """Write the model as C, compile it and return its function of many rows."""
    name = f"network_{next(numbers)}"
    source, library = folder / f"{name}.c", folder / f"{name}.so"
    write_c(model, source)
    command = [compiler or COMPILERS[0], "-std=c99", *STRICT, *options, "-shared", "-fPIC", source]
    subprocess.run([*command, "-o", library, "-lm"], check=True)
    functions = ctypes.CDLL(str(library))
    pointer = ctypes.POINTER(TYPES[model.dtype])
    n_out = model.output_shape[1]

    def predict(X, one_by_one=False):
        X = np.ascontiguousarray(X)
        Y = np.full((len(X), n_out), 77, X.dtype)
        if one_by_one:
            for x, y in zip(X, Y, strict=True):
                functions[f"{name}_predict"](x.ctypes.data_as(pointer), y.ctypes.data_as(pointer))
        else:
            rows, at = ctypes.c_size_t(len(X)), (X.ctypes.data_as(pointer), Y.ctypes.data_as(pointer))
            functions[f"{name}_predict_rows"](rows, *at)
        return Y

    return predict


def activation(name):
    return ActivationFunction(name, ALPHAS.get(name))


def alone(name, dtype):
    """Return the network of one activation of one number."""
    return fd.Sequential([fd.Input((1,)), fd.Activation(activation(name))], dtype=dtype, seed=0)


def of_everything(dtype="float32"):
    """Return a network with every layer and every activation."""
    groups = ActivationFunction("softmax", groups=(4, 1, 3))
    layers = [fd.Normalization(mean=[0.0, 1.0, 2.0], variance=[1.0, 2.0, 3.0]), fd.Dropout(0.5)]
    layers += [fd.Dense(8, activation(name), use_bias=i % 2 == 0) for i, name in enumerate(ACTIVATIONS)]
    layers += [fd.Activation(groups), fd.Dense(8, groups), fd.Dense(2), fd.Dropout(0.1)]
    return fd.Sequential([fd.Input((3,)), *layers], dtype=dtype, seed=0)


@settings(max_examples=60, deadline=None)
@given(networks(), st.integers(0, 5))
def test_it_predicts_what_the_network_does(tmp_path_factory, model, rows):
    predict, X = compiled(model, tmp_path_factory.getbasetemp()), inputs(model, rows)
    assert_predicts_as(predict, model, X)
    assert_identical(predict(X, one_by_one=True), predict(X))


@pytest.mark.parametrize("options", [["-O0"], ["-O3", "-march=native"], ["-O1", "-fsanitize=undefined"]])
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_compiler_takes_it(tmp_path, compiler, dtype, options):
    model = of_everything(dtype)
    predict = compiled(model, tmp_path, compiler, options)
    assert_predicts_as(predict, model, inputs(model, 20))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "softmax"])
def test_activations_over_the_whole_range(tmp_path, dtype, name):
    large = np.geomspace(1e-30, np.finfo(dtype).max / 2, 300)
    z = np.concatenate([np.linspace(0, 120, 2001), np.linspace(120, 800, 500), large])
    z = np.concatenate([z, -z]).astype(dtype)[:, None]
    exact = choose("reference").compile(alone(name, "float64").network(), [()])
    expected = exact.predict(np.float64(z))
    expected[expected > np.finfo(dtype).max] = np.inf
    found = compiled(alone(name, dtype), tmp_path)(z)
    bound = activation_ulps(name, np.float64(z), expected, dtype)
    assert_within(ulp_error(found, expected), np.zeros(z.shape), bound)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_at_infinity_and_nan(tmp_path, dtype, name):
    model, z = alone(name, dtype), np.array([[np.inf], [-np.inf], [np.nan]], dtype)
    expected = choose("reference").compile(model.network(), [()]).predict(z)
    assert_within(compiled(model, tmp_path)(z), expected, 4 * np.finfo(dtype).eps)


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_softmax_of_extremes(tmp_path):
    groups = ActivationFunction("softmax", groups=(3, 2))
    model = fd.Sequential([fd.Input((5,)), fd.Activation(groups)], seed=0)
    special = [0.0, 3e38, -3e38, np.inf, -np.inf, np.nan]
    X = np.array(list(itertools.product(special, repeat=3)), np.float32)
    X = np.hstack([X, X[::-1, :2]])
    expected = choose("reference").compile(model.network(), model.parameters()).predict(X)
    assert_within(compiled(model, tmp_path)(X), expected, 4 * np.finfo(np.float32).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_are_written_to_the_last_bit(tmp_path, dtype):
    kind = np.finfo(dtype)
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**kind.bits, 500, dtype=np.uint64).astype(f"u{kind.bits // 8}").view(dtype)
    odd = [kind.max, kind.tiny, kind.smallest_subnormal, -0.0, 1 / 3, np.inf, -np.inf, np.nan]
    weights = np.concatenate([bits, np.array(odd, dtype)])
    model = fd.Sequential([fd.Input((1,)), fd.Dense(len(weights), use_bias=False)], dtype=dtype)
    model.set_weights([weights[np.newaxis]])
    assert_within(compiled(model, tmp_path)(np.ones((1, 1), dtype)), weights[np.newaxis], 0.0)


@pytest.mark.parametrize("layer", [fd.Dropout(0.5), fd.Activation("linear")])
def test_a_network_that_computes_nothing_copies(tmp_path, layer):
    model = fd.Sequential([fd.Input((3,)), layer])
    X = inputs(model, 4)
    assert_identical(compiled(model, tmp_path)(X), X)


def test_statistics_beyond_float32_are_infinite_in_it(tmp_path):
    layer = fd.Normalization(mean=[0.0, 1e300], variance=[1e300, 1.0])
    model = fd.Sequential([fd.Input((2,)), layer])
    assert_within(compiled(model, tmp_path)(np.ones((1, 2), np.float32)), [[0.0, -np.inf]], 0.0)


MAIN = """
#include <cstdio>
#include "mixed_case.h"

int main()
{
    float x[2 * Mixed_INPUTS] = {1, 2, 3, 4}, y[2 * Mixed_OUTPUTS], one[Mixed_OUTPUTS];
    Mixed_predict_rows(2, x, y);
    Mixed_predict(x, one);
    std::printf("%g %g %g", double(one[0]), double(y[0]), double(y[1]));
}
"""


@pytest.mark.skipif(not shutil.which("g++"), reason="there is no C++ compiler")
def test_it_is_cpp_too(tmp_path):
    model = fd.Sequential([fd.Input((2,)), fd.Dense(1)])
    model.set_weights([[[10.0], [1.0]], [0.5]])
    write_c(model, tmp_path / "mixed_case.c", name="Mixed")
    (tmp_path / "main.cpp").write_text(MAIN.replace("Mixed_IN", "MIXED_IN").replace("Mixed_OUT", "MIXED_OUT"))
    strict = [*STRICT, "-std=c++11"]
    subprocess.run(["gcc", "-std=c99", "-c", "mixed_case.c"], cwd=tmp_path, check=True)
    subprocess.run(["g++", *strict, "main.cpp", "mixed_case.o", "-o", "main"], cwd=tmp_path, check=True)
    shown = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True).stdout
    assert shown == "12.5 12.5 34.5"
    write_c(of_everything(), tmp_path / "everything.c")
    subprocess.run(["g++", *strict, "-x", "c++", "-c", "everything.c"], cwd=tmp_path, check=True)


def test_threads_do_not_meet(tmp_path):
    model = of_everything()
    predict, X = compiled(model, tmp_path), inputs(model, 2000)
    expected = predict(X)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(predict, [X] * 40):
            assert_identical(found, expected)


def test_the_text(tmp_path):
    model = fd.Sequential([fd.Input((2,)), fd.Dense(1, "leaky_relu"), fd.Dropout(0.5)])
    model.set_weights([[[0.1], [-2.0]], [1e-10]])
    write_c(model, tmp_path / "tiny.c")
    header, source = ((tmp_path / f"tiny.{ending}").read_text() for ending in "hc")
    assert "input        2\n *   dense        1  leaky_relu(0.2)\n *   dropout      1  0.5 of them" in header
    assert "#define TINY_INPUTS 2\n#define TINY_OUTPUTS 1\n" in header
    assert "void tiny_predict(const float *x, float *y);" in header
    assert "void tiny_predict_rows(size_t rows, const float *X, float *Y);" in header
    assert "static const float kernel_1[2][1] = {\n    {0.1f},\n    {-2.0f}\n};" in source
    assert "static const float bias_1[1] = {\n    1e-10f\n};" in source
    assert not re.search(r"static (?!const)\w+ \w+[^(]*[;=]", source)  # nothing that a call could change
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.c", "tiny.h"]


def small():
    return fd.Sequential([fd.Input((2,)), fd.Dense(1)])


@pytest.mark.parametrize("name", ["", "2b", "a-b", "a b", "_a", "ä", "a;", "a\n"])
def test_names_are_c_identifiers(tmp_path, name):
    with pytest.raises((FormatError, TypeError), match=r"C identifier|at least one character"):
        write_c(small(), tmp_path / "fine.c", name=name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["model", "model.h", "model.cpp", "model.C", 'a".c', "*/ x.c", "a\n.c"])
def test_paths_end_in_c(tmp_path, path):
    with pytest.raises(FormatError, match=r"ends in \.c"):
        write_c(small(), tmp_path / path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["math.c", "stddef.c", "Float.c"])
def test_names_of_cs_own_headers_are_refused(tmp_path, name):
    with pytest.raises(FormatError, match="one of C's own headers"):
        write_c(small(), tmp_path / name, name="network")
    assert not list(tmp_path.iterdir())


def test_a_file_name_that_is_no_identifier_needs_a_name(tmp_path):
    with pytest.raises(FormatError, match=r"'my-net': give one as name="):
        write_c(small(), tmp_path / "my-net.c")
    write_c(small(), tmp_path / "my-net.c", name="my_net")
    assert '#include "my-net.h"' in (tmp_path / "my-net.c").read_text()


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(NotBuiltError, match="give it an Input"):
        write_c(fd.Sequential([fd.Dense(1)]), tmp_path / "net.c")
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError):
        write_c(small(), tmp_path / "nowhere" / "net.c")
    for blocked, other in (("net.c", "net.h"), ("net.h", "net.c")):
        (tmp_path / blocked).mkdir()  # what the file cannot take the place of
        (tmp_path / other).write_text("before")
        with pytest.raises(OSError, match="net"):
            write_c(small(), tmp_path / "net.c")
        assert (tmp_path / other).read_text() == "before"
        (tmp_path / blocked).rmdir()
        assert [path.name for path in tmp_path.iterdir()] == [other]
        (tmp_path / other).unlink()


def test_both_files_are_replaced_or_none(tmp_path, monkeypatch):
    """The disk is full once the second file is to be written to it."""
    write_c(small(), tmp_path / "net.c")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    room = [False, True]

    def fsync(descriptor):
        if not room.pop():
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        write_c(of_everything(), tmp_path / "net.c")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
