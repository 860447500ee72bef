"""What the libraries make of derivatives of the layer and of predictions: once, twice, forward, at 0 too."""

from __future__ import annotations

import numpy as np
import pytest

import fastdense as fd
from fastdense.core.spec import ActivationSpec
from fastdense.reference.activations import activate, activate_backward
from tests.compare import assert_within
from tests.libraries.arrays import LIBRARIES, array_of, gradient_of

DIFFERENTIATING = [name for name in LIBRARIES if name != "cupy"]
by_library = pytest.mark.parametrize("library", DIFFERENTIATING)
SMOOTH = ["sigmoid", "tanh", "gelu", "gelu_tanh", "silu", "mish", "softplus", "exponential"]


def slope_of(name, z):
    spec = ActivationSpec(name)
    return activate_backward(spec, [z], activate(spec, [z]), [1.0])[0]


def second_of(library, name, z):
    """Return the second derivative of an activation, through the layer, by the library's own means."""
    layer = lambda K: fd.dense(array_of(library, np.ones((1, 1))), K, activation=name)[0, 0]  # noqa: E731
    if library == "jax":
        jax = pytest.importorskip("jax")
        with jax.enable_x64(True):
            return float(jax.hessian(layer)(array_of(library, np.array([[z]])))[0, 0, 0, 0])
    if library == "torch":
        torch = pytest.importorskip("torch")
        K = torch.tensor([[z]], dtype=torch.float64, requires_grad=True)
        (first,) = torch.autograd.grad(layer(K), K, create_graph=True)
        return float(torch.autograd.grad(first, K)[0][0, 0])
    tf = pytest.importorskip("tensorflow")
    K = array_of(library, np.array([[z]]))
    with tf.GradientTape() as outer:
        outer.watch(K)
        with tf.GradientTape() as inner:
            inner.watch(K)
            value = layer(K)
        first = inner.gradient(value, K)
    return float(outer.gradient(first, K)[0, 0])


@by_library
@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("z", [0.0, -3.0, 0.5, 4.0])
def test_second_derivatives_of_smooth_activations(library, name, z):
    h = 1e-5
    expected = (slope_of(name, z + h) - slope_of(name, z - h)) / (2 * h)
    assert_within(second_of(library, name, z), expected, 1e-8 * max(1.0, abs(expected)))


@by_library
@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "softplus", "gelu"])
def test_predictions_are_differentiated_as_the_layer_is(library, name):
    """At 0, where the formulas' parts meet. PyTorch is not asked to record predictions."""
    if library == "torch":
        pytest.skip("the engine's predictions are cut from PyTorch's graph, which backward() says")
    model = fd.Sequential(
        [fd.Input((1,)), fd.Dense(1, name), fd.Dense(1, use_bias=False)], dtype="float64", engine=library
    )
    model.set_weights([np.ones((1, 1)), np.zeros(1), np.full((1, 1), 0.1)])
    zero = np.zeros((1, 1))
    model.predict(zero)
    found = gradient_of(library, model.predict, zero)
    assert_within(float(found[0, 0]), 0.1 * slope_of(name, 0.0), 1e-12)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of what PyTorch itself loads
def test_pytorch_differentiates_forward():
    torch = pytest.importorskip("torch")
    K = torch.linspace(-2, 2, 12, dtype=torch.float64).reshape(4, 3)
    A = torch.ones(2, 4, dtype=torch.float64)
    for name in [*SMOOTH, "softmax"]:
        layer = lambda K: fd.dense(A, K, activation=name)  # noqa: B023, E731
        _, along = torch.func.jvp(layer, (K,), (torch.ones_like(K),))
        h = 1e-6
        expected = (layer(K + h) - layer(K - h)) / (2 * h)
        assert_within(along.numpy(), expected.numpy(), 1e-8)
        forward, back = torch.func.jacfwd(layer)(K), torch.func.jacrev(layer)(K)
        assert_within(forward.numpy(), back.numpy(), 1e-12)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("name", ["relu", "gelu", "mish", "softmax"])
def test_pytorch_traces_any_number_of_rows(name):
    torch = pytest.importorskip("torch")
    K = torch.linspace(-2, 2, 12).reshape(4, 3)
    layer = torch.compile(
        lambda A: fd.dense(A, K, activation=name), fullgraph=True, dynamic=True, backend="eager"
    )
    for rows in range(2, 14):
        A = torch.ones(rows, 4)
        assert torch.equal(layer(A), fd.dense(A, K, activation=name))
