"""The dense layer as one function: arrays of several libraries and dtypes, mistakes, activations."""

import array_api_strict as strict
import numpy as np
import pytest

import fastdense as fd
from fastdense.core.spec import ACTIVATIONS
from fastdense.errors import DtypeError, ShapeError
from tests.compare import assert_identical, assert_within, dense_bound

RNG = np.random.default_rng(3)
A_IN, W, B = RNG.normal(size=(6, 4)), RNG.normal(size=(4, 3)), RNG.normal(size=3)
EPS = {"float32": 2.0**-23, "float64": 2.0**-52}


def test_the_articles_example():
    A_out = fd.dense([[200, 17]], np.array([[1.0, -3, 5], [-2, 4, -6]]), [[-1, 1, 2]], activation="sigmoid")
    assert_within(A_out, [[1.0, 0.0, 1.0]], 1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias_shape", [(3,), (1, 3), None])
def test_the_definition_within_the_bound(dtype, bias_shape):
    A, K = A_IN.astype(dtype), W.astype(dtype)
    bias = None if bias_shape is None else B.astype(dtype).reshape(bias_shape)
    exact = np.float64(A) @ np.float64(K) + (0.0 if bias is None else np.float64(bias))
    Z = fd.dense(A, K, bias)
    assert Z.dtype == dtype
    assert_within(Z, exact, dense_bound(A, K, 0.0 if bias is None else bias, EPS[dtype]))


def test_lists_become_arrays():
    assert_identical(fd.dense([[1.0, 2.0]], [[1.0], [3.0]], [0.5]), np.array([[7.5]]))
    assert_identical(fd.dense([[1, 2]], [[1], [3]]), np.array([[7.0]], np.float32))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_another_librarys_arrays_come_back_as_its_own(dtype):
    A, K, bias = (strict.asarray(a, dtype=getattr(strict, dtype)) for a in (A_IN, W, B))
    result = fd.dense(A, K, bias, activation="tanh")
    assert isinstance(result, type(A))
    assert result.dtype == getattr(strict, dtype)
    expected = fd.dense(A_IN.astype(dtype), W.astype(dtype), B.astype(dtype), activation="tanh")
    assert_within(np.asarray(result), expected, 4 * EPS[dtype])


def test_another_librarys_whole_numbers_take_the_kernels_dtype():
    K = strict.asarray(W, dtype=strict.float32)
    assert fd.dense(strict.asarray([[1, 2, 3, 4]]), K).dtype == strict.float32
    with pytest.raises(DtypeError, match=r"A_in is .*float64 but W is .*float32"):
        fd.dense(strict.asarray(A_IN), K)
    with pytest.raises(DtypeError, match="real numbers"):
        fd.dense(strict.asarray(A_IN, dtype=strict.complex64), K)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16"])
@pytest.mark.parametrize("kernel_dtype", ["float32", "float64"])
def test_narrow_inputs_take_the_kernels_dtype(dtype, kernel_dtype):
    A, K = np.eye(4).astype(dtype), W.astype(kernel_dtype)
    assert_identical(fd.dense(A, K, np.zeros(3, dtype)), K)


def test_a_narrow_kernel_becomes_float32():
    for dtype in ("int32", "float16"):
        assert fd.dense(np.eye(2, dtype=np.float32), np.eye(2, dtype=dtype)).dtype == np.float32


def test_byte_order_changes_nothing():
    swapped = [a.astype(">f8") for a in (A_IN, W, B)]
    assert_identical(fd.dense(*swapped), fd.dense(A_IN, W, B))


def test_mixed_floats_are_refused():
    with pytest.raises(DtypeError, match=r"A_in is float64 but W is float32: .*A_in\.astype\(W\.dtype\)"):
        fd.dense(A_IN, W.astype("float32"))
    with pytest.raises(DtypeError, match="B is float32 but W is float64"):
        fd.dense(A_IN, W, B.astype("float32"))


def test_extended_precision_is_not_thrown_away_silently():
    with pytest.raises(DtypeError, match="A_in is"):
        fd.dense(A_IN.astype(np.longdouble), W)
    with pytest.raises(DtypeError, match="W must be float32 or float64"):
        fd.dense(A_IN, W.astype(np.longdouble))


@pytest.mark.parametrize("bad", [A_IN.astype(complex), np.array([[1.0, {}]]), A_IN.astype(str), None])
def test_what_is_no_real_number_is_refused(bad):
    with pytest.raises(DtypeError, match="A_in must hold real numbers"):
        fd.dense(bad, W)
    with pytest.raises(DtypeError, match="W must hold real numbers"):
        fd.dense(A_IN, bad)


def test_ragged_rows_are_called_ragged():
    with pytest.raises(ShapeError, match="A_in is ragged"):
        fd.dense([[1.0, 2.0], [3.0]], W)


@pytest.mark.parametrize(
    ("shape", "kernel", "fix"),
    [
        ((4, 6), (4, 3), "pass A_in.T"),
        ((6, 4), (3, 4), "pass W.T"),
        ((4,), (4, 3), "pass A_in.reshape(1, -1)"),
        ((6,), (1, 3), "pass A_in.reshape(-1, 1)"),
        ((6, 2, 2), (4, 3), "pass A_in.reshape(len(A_in), -1)"),
        ((6, 4), (4,), "W must be a matrix"),
        ((6, 4), (5, 3), "A_in has 4 columns but W has 5 rows"),
    ],
)
def test_every_shape_mistake_names_its_fix(shape, kernel, fix):
    with pytest.raises(ShapeError) as caught:
        fd.dense(np.zeros(shape), np.zeros(kernel))
    assert fix in str(caught.value)


@pytest.mark.parametrize("shape", [(4,), (6, 3), (3, 1), (), (1, 1, 3)])
def test_a_bias_of_another_shape_is_not_broadcast(shape):
    with pytest.raises(ShapeError, match=r"W has 3 units, so B takes shape \(3,\) or \(1, 3\)"):
        fd.dense(A_IN, W, np.zeros(shape))


def test_no_rows_give_no_rows():
    assert fd.dense(np.zeros((0, 4)), W, B, activation="softmax").shape == (0, 3)


def test_out_is_filled_and_returned():
    out = np.empty((6, 3))
    assert fd.dense(A_IN, W, B, out=out) is out
    assert_identical(out, fd.dense(A_IN, W, B))


@pytest.mark.parametrize("out", [np.empty((6, 4)), np.empty((6, 3), "float32"), [[0.0] * 3] * 6])
def test_an_out_that_does_not_fit_is_refused(out):
    with pytest.raises(ShapeError, match=r"out must be an array of shape \(6, 3\) and dtype float64"):
        fd.dense(A_IN, W, B, out=out)


def test_nothing_given_is_modified():
    given = A_IN.copy(), W.copy(), B.copy()
    for array in given:
        array.flags.writeable = False
    fd.dense(*given, activation="softmax")
    assert_identical(given[0], A_IN)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_by_name_and_as_an_object(name):
    by_name = fd.dense(A_IN, W, B, activation=name)
    activation = getattr(fd.activations, name)
    assert_identical(fd.dense(A_IN, W, B, activation=activation), by_name)
    assert_identical(activation(fd.dense(A_IN, W, B)), by_name)


def test_an_activations_parameter_counts():
    steep = fd.activations.ActivationFunction("leaky_relu", 0.5)
    assert_identical(fd.dense([[-2.0]], [[1.0]], activation=steep), np.array([[-1.0]]))


def test_unknown_activations_are_refused():
    with pytest.raises(ValueError, match=r"activation must be one of 'linear', .*got 'relo'"):
        fd.dense(A_IN, W, activation="relo")
    with pytest.raises(TypeError, match="an activation is a name"):
        fd.dense(A_IN, W, activation=np.tanh)


def test_matrices_of_whole_numbers_alone_become_float32():
    A_out = fd.dense(np.array([[200, 17]]), np.array([[1, -3], [-2, 4]]), np.array([-1, 1]))
    assert A_out.dtype == np.float32
    assert A_out.tolist() == [[165, -531]]
