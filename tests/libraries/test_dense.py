"""The dense layer on each library's arrays: values, dtypes, devices, gradients, mistakes, tracing."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

import fastdense as fd
from fastdense.core.spec import ACTIVATIONS, ActivationSpec
from fastdense.errors import DtypeError, EngineError, ShapeError
from fastdense.libraries import library_of, module_of
from tests.cases import ALPHAS
from tests.compare import assert_identical, assert_within, dense_bound
from tests.libraries.arrays import LIBRARIES, array_of, dtype_of, gradient_of, numpy_of, traced

RNG = np.random.default_rng(5)
A_IN, W, B = RNG.normal(size=(6, 4)), RNG.normal(size=(4, 3)), RNG.normal(size=3)
EPS = {"float32": 2.0**-23, "float64": 2.0**-52}

by_library = pytest.mark.parametrize("library", LIBRARIES)
by_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def three(library, dtype="float32"):
    """Return the layer's arrays, the library's own."""
    return [array_of(library, a.astype(dtype)) for a in (A_IN, W, B)]


@by_library
@by_dtype
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_same_numbers_in_the_librarys_own_array(library, dtype, name):
    given = three(library, dtype)
    found = fd.dense(*given, activation=name)
    assert library_of(found) == library
    assert type(found) is type(given[0])
    assert dtype_of(found) == dtype
    expected = fd.dense(*(a.astype(dtype) for a in (A_IN, W, B)), activation=name)
    error = dense_bound(A_IN, W, B, EPS[dtype])
    error = np.max(error, axis=1, keepdims=True) if name == "softmax" else error
    assert_within(numpy_of(found), expected, 2 * error * np.maximum(1.0, expected) + 8 * EPS[dtype])


@by_library
def test_the_result_lies_where_the_arrays_do(library):
    A, K, bias = three(library)
    assert module_of(library).device_of(fd.dense(A, K, bias)) == module_of(library).device_of(A)


@by_library
@pytest.mark.parametrize("shape", [(3,), (1, 3), None])
def test_a_bias_of_each_shape(library, shape):
    A, K, _ = three(library)
    bias = None if shape is None else array_of(library, B.astype("float32").reshape(shape))
    expected = fd.dense(
        A_IN.astype("float32"), W.astype("float32"), None if shape is None else B.astype("float32")
    )
    assert_within(numpy_of(fd.dense(A, K, bias)), expected, dense_bound(A_IN, W, B, EPS["float32"]))


@by_library
def test_lists_go_with_any_library(library):
    K = array_of(library, np.array([[1.0], [3.0]], np.float32))
    assert_identical(numpy_of(fd.dense([[1.0, 2.0]], K, [0.5])), np.array([[7.5]], np.float32))


@by_library
@pytest.mark.parametrize("narrow", ["int32", "uint8", "float16", "bool"])
def test_narrow_numbers_take_the_kernels_dtype(library, narrow):
    _, K, _ = three(library)
    assert_identical(numpy_of(fd.dense(array_of(library, np.eye(4).astype(narrow)), K)), W.astype("float32"))


@by_library
def test_mistakes_have_the_same_messages(library):
    A, K, _ = three(library)
    with pytest.raises(ShapeError, match=r"A_in has 4 columns but W has 3 rows(.|\n)*pass W\.T"):
        fd.dense(A, array_of(library, W.T.astype("float32")))
    with pytest.raises(ShapeError, match=r"one example is a row: pass A_in\.reshape\(1, -1\)"):
        fd.dense(array_of(library, A_IN[0].astype("float32")), K)
    with pytest.raises(ShapeError, match=r"W has 3 units, so B takes shape \(3,\) or \(1, 3\), got \(2,\)"):
        fd.dense(A, K, array_of(library, np.zeros(2, np.float32)))
    with pytest.raises(DtypeError, match=r"A_in is .*float64.* but W is .*float32.*: convert one"):
        fd.dense(array_of(library, A_IN), K)
    with pytest.raises(DtypeError, match=r"A_in must hold real numbers, got dtype .*complex64"):
        fd.dense(array_of(library, A_IN.astype("complex64")), K)
    with pytest.raises(ValueError, match="activation must be one of"):
        fd.dense(A, K, activation="relo")


@by_library
def test_libraries_are_not_mixed(library):
    A, K, bias = three(library)
    with pytest.raises(DtypeError, match=f"A_in is an array of {library} but W of numpy: convert one"):
        fd.dense(A, W.astype("float32"))
    with pytest.raises(DtypeError, match=f"A_in is an array of numpy but W of {library}: convert one"):
        fd.dense(A_IN.astype("float32"), K, bias)
    for other in LIBRARIES:
        if other != library:
            with pytest.raises(DtypeError, match=f"A_in is an array of {library} but W of {other}"):
                fd.dense(A, array_of(other, W.astype("float32")))


@by_library
def test_devices_are_not_mixed(library, monkeypatch):
    """There may be one device here: another is made up for B."""
    A, K, bias = three(library)
    real = module_of(library).device_of
    monkeypatch.setattr(module_of(library), "device_of", lambda a: "gpu:7" if a.shape == (3,) else real(a))
    with pytest.raises(EngineError, match=r"B lies on gpu:7 but W on .*: move one"):
        fd.dense(A, K, bias)


DIFFERENTIATING = [name for name in LIBRARIES if name != "cupy"]


def slopes(library, name, z):
    """Return the derivative of each unit's output, one input a unit, by the library itself."""
    activation = fd.activations.ActivationFunction(name, ALPHAS.get(name))

    def total(K):
        return fd.dense(array_of(library, np.ones((1, 1), z.dtype)), K, activation=activation)[0]

    return gradient_of(library, total, z[None])[0]


@pytest.mark.parametrize("library", DIFFERENTIATING)
@by_dtype
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "softmax"])
def test_gradients_are_the_definitions(library, dtype, name):
    """At a kink and far out too, where the library's own way through the formula gives 0, NaN or 1/2."""
    z = np.concatenate([np.linspace(-9, 9, 181), [0.0, -700.0, 80.0]]).astype(dtype)
    expected = [slope_of(name, float(each)) for each in z]
    units = 192 * EPS[dtype]
    assert_within(
        slopes(library, name, z), np.array(expected, dtype), units * np.maximum(1.0, np.abs(expected))
    )


def slope_of(name, z):
    from fastdense.reference.activations import activate, activate_backward

    spec = ActivationSpec(name, ALPHAS.get(name, 0.0))
    return activate_backward(spec, [z], activate(spec, [z]), [1.0])[0]


@pytest.mark.parametrize("library", DIFFERENTIATING)
@pytest.mark.parametrize("name", ["sigmoid", "softmax", "gelu"])
def test_gradients_reach_the_kernel(library, name):
    """Against central differences, in float64."""
    weights = RNG.normal(size=(6, 3))

    def loss(K):
        return fd.dense(array_of(library, A_IN), K, array_of(library, B), name) * array_of(library, weights)

    found, h = gradient_of(library, loss, W), 1e-5
    for place in np.ndindex(W.shape):
        step = np.zeros_like(W)
        step[place] = h
        up, down = (np.sum(fd.dense(A_IN, K, B, name) * weights) for K in (W + step, W - step))
        assert_within(found[place], (up - down) / (2 * h), 1e-8)


# PyTorch's tracer makes an instance of a class that PyTorch warns of instances of.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("library", DIFFERENTIATING)
@pytest.mark.parametrize("name", ["linear", "gelu", "softmax"])
def test_it_can_be_traced(library, name):
    A, K, bias = three(library)
    layer = traced(library, lambda A: fd.dense(A, K, bias, activation=name))
    expected = numpy_of(fd.dense(A, K, bias, activation=name))
    assert_within(numpy_of(layer(A)), expected, 8 * EPS["float32"])
    assert_within(numpy_of(layer(A[:2])), expected[:2], 8 * EPS["float32"])


@pytest.mark.parametrize("library", DIFFERENTIATING)
def test_a_mistake_is_found_while_tracing(library):
    _, K, _ = three(library)
    layer = traced(library, lambda A: fd.dense(A, K))
    with pytest.raises(Exception, match="A_in has 3 columns but W has 4 rows"):  # TensorFlow wraps errors
        layer(array_of(library, A_IN[:, :3].astype("float32")))


def test_jax_vectorizes_and_differentiates_forward():
    jax = pytest.importorskip("jax")
    A, K, bias = three("jax")
    one = jax.vmap(lambda a: fd.dense(a[None], K, bias, activation="softmax")[0])
    expected = np.asarray(fd.dense(A, K, bias, activation="softmax"))
    assert_within(np.asarray(one(A)), expected, 8 * EPS["float32"])
    _, along = jax.jvp(lambda K: fd.dense(A, K, bias, activation="softmax"), (K,), (K,))
    back = gradient_of(
        "jax", lambda K: fd.dense(A, K, bias, activation="softmax")[0, :1], W.astype("float32")
    )
    assert_within(float(along[0, 0]), float(np.sum(back * W)), 1e-6)


def test_jax_keeps_its_switch():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    fd.dense(*three("jax", "float64"), activation="gelu")
    assert jax.config.jax_enable_x64 == before


def test_torch_vectorizes_and_takes_parameters():
    torch = pytest.importorskip("torch")
    A, K, bias = three("torch")
    layer = torch.nn.Parameter(K)
    one = torch.func.vmap(lambda a: fd.dense(a[None], layer, bias, activation="softmax")[0])
    expected = fd.dense(A, K, bias, activation="softmax").numpy()
    assert_within(one(A).detach().numpy(), expected, 8 * EPS["float32"])


def test_tensorflow_takes_variables_and_unknown_rows():
    tf = pytest.importorskip("tensorflow")
    A, K, bias = three("tensorflow")
    variable = tf.Variable(K)
    layer = tf.function(
        lambda A: fd.dense(A, variable, bias, activation="relu"),
        input_signature=[tf.TensorSpec((None, 4), tf.float32)],
    )
    assert_within(layer(A).numpy(), fd.dense(A, K, bias, activation="relu").numpy(), 8 * EPS["float32"])


def test_torch_writes_where_it_is_asked_to():
    torch = pytest.importorskip("torch")
    A, K, bias = three("torch")
    out = torch.empty(6, 3)
    assert fd.dense(A, K, bias, out=out) is out
    assert_identical(out.numpy(), fd.dense(A, K, bias).numpy())


def test_a_library_is_known_by_its_arrays_alone():
    for library in LIBRARIES:
        import_module(library)
        assert library_of(array_of(library, B)) == library
    assert library_of(B) is None
    assert library_of([1.0]) is None
    assert library_of("torch") is None
