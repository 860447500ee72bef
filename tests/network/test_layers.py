"""The layers one by one: what their constructors refuse, their names, and calling one on a matrix."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import DtypeError, NonFiniteError, NotBuiltError, ShapeError
from tests.compare import assert_identical, assert_within

layers = fd.layers


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fd.Input((2, 3)), ShapeError, r"an input shape is \(n_in,\), .*got \(2, 3\)"),
        (lambda: fd.Input(()), ShapeError, r"an input shape is \(n_in,\)"),
        (lambda: fd.Input(2.5), TypeError, "width of an input shape must be a whole number, got 2.5"),
        (lambda: fd.Input("ab"), TypeError, "width of an input shape"),
        (lambda: fd.Input((None,)), TypeError, "width of an input shape"),
        (lambda: fd.Input((True,)), TypeError, "width of an input shape"),
        (lambda: fd.Input((0,)), ValueError, "width of an input shape must be at least 1"),
        (lambda: fd.Dense(2.5), TypeError, "units must be a whole number, got 2.5"),
        (lambda: fd.Dense("3"), TypeError, "units must be"),
        (lambda: fd.Dense(True), TypeError, "units must be"),
        (lambda: fd.Dense(0), ValueError, "units must be at least 1, got 0"),
        (lambda: fd.Dense(1, "relo"), ValueError, "activation must be one of"),
        (lambda: fd.Dense(1, np.tanh), TypeError, "an activation is a name"),
        (lambda: fd.Dense(1, ["relu"]), TypeError, "an activation is a name"),
        (lambda: fd.Dense(1, use_bias=1), TypeError, "use_bias must be True or False, got 1"),
        (lambda: fd.Dense(1, kernel_initializer="he"), ValueError, "unknown initializer 'he'; known: zeros"),
        (lambda: fd.Dense(1, bias_initializer=0), TypeError, "initializer: give a name"),
        (lambda: fd.Dense(1, kernel_regularizer="l3"), ValueError, "unknown regularizer 'l3'"),
        (lambda: fd.Dense(1, bias_regularizer=0.1), TypeError, "regularizer: give a name"),
        (lambda: fd.Dense(1, name=""), TypeError, "name must be a string of at least one character"),
        (lambda: fd.Dense(1, name=5), TypeError, "name must be a string of at least one character, got 5"),
        (lambda: fd.Dense(1, input_shape=(2, 2)), ShapeError, "an input shape"),
        (lambda: fd.Dense(1, input_dim=-1), ValueError, "width of an input shape must be at least 1"),
        (lambda: fd.Dropout("half"), TypeError, "rate must be a number, got 'half'"),
        (lambda: fd.Dropout(1.0), ValueError, "rate must be finite and below 1 and at least 0, got 1"),
        (lambda: fd.Dropout(-0.1), ValueError, "rate must be"),
        (lambda: fd.Dropout(float("nan")), ValueError, "rate must be"),
        (lambda: fd.Dropout(10**400), ValueError, "rate must be"),
        (lambda: fd.Activation("relo"), ValueError, "activation must be one of"),
        (lambda: layers.LeakyReLU(-0.1), ValueError, "negative_slope must be"),
        (lambda: layers.LeakyReLU(None), TypeError, "negative_slope must be a number"),
        (lambda: layers.ELU("1"), TypeError, "alpha must be a number"),
        (lambda: layers.ELU(float("inf")), ValueError, "alpha must be finite"),
        (lambda: layers.ReLU(name=3), TypeError, "name must be a string"),
        (lambda: layers.Softmax(name=""), TypeError, "name must be a string"),
        (lambda: fd.Normalization(axis=0), ValueError, "axis must be -1, got 0"),
        (lambda: fd.Normalization(mean=[0.0]), ValueError, "give mean and variance together"),
        (lambda: fd.Normalization(variance=1.0), ValueError, "give mean and variance together"),
        (lambda: fd.Normalization(mean=0.0, variance=-1.0), ValueError, "variance must not be negative"),
        (lambda: fd.Normalization(mean=[[0.0]], variance=1.0), ValueError, "mean must be a number or one"),
        (lambda: fd.Normalization(mean="a", variance=1.0), DtypeError, "mean must hold real numbers"),
        (lambda: fd.Normalization(mean=[float("nan")], variance=1.0), NonFiniteError, "mean holds nan"),
    ],
)
def test_constructors_name_the_argument_that_is_wrong(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("shape", [(3,), [3], 3, np.int64(3), (np.int32(3),)])
def test_an_input_says_one_width(shape):
    assert fd.Input(shape).n_in == 3
    assert fd.Dense(1, input_shape=shape).declared_n_in == 3


def test_names_count_up_within_a_model():
    model = fd.Sequential(
        [
            fd.Dense(1),
            fd.Dense(1),
            layers.ReLU(),
            layers.LeakyReLU(),
            layers.ELU(),
            fd.Dense(1),
            fd.Dropout(0.1),
        ]
    )
    assert [layer.name for layer in model.layers] == [
        "dense",
        "dense_1",
        "re_lu",
        "leaky_re_lu",
        "elu",
        "dense_2",
        "dropout",
    ]


def test_an_automatic_name_makes_way_for_a_given_one():
    model = fd.Sequential([fd.Dense(1, name="dense_1"), fd.Dense(1), fd.Dense(1)])
    assert [layer.name for layer in model.layers] == ["dense_1", "dense", "dense_2"]


def test_two_layers_of_one_name_are_refused():
    model = fd.Sequential([fd.Dense(1, name="out")])
    with pytest.raises(ValueError, match="two layers are named 'out'"):
        model.add(fd.Dense(1, name="out"))
    assert len(model.layers) == 1


def test_a_dense_layer_called_on_a_matrix():
    layer = fd.Dense(2, "relu")
    assert layer.get_weights() == []
    X = np.array([[1.0, -2.0, 3.0]])
    assert layer(X).shape == (1, 2)
    kernel = np.array([[1.0, -1], [1, 1], [0, 2]])
    layer.set_weights([kernel, [0.5, 0.25]])
    assert_identical(layer(X), np.array([[0.0, 3.25]], np.float32))
    assert_identical(layer.kernel, np.float32(kernel))
    assert_identical(layer.bias, np.float32([0.5, 0.25]))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (fd.Activation("relu"), [[0.0, 2.0]]),
        (layers.ReLU(), [[0.0, 2.0]]),
        (layers.LeakyReLU(), [[-0.3, 2.0]]),
        (layers.LeakyReLU(0.5), [[-0.5, 2.0]]),
        (layers.ELU(2.0), [[2.0 * np.expm1(-1.0), 2.0]]),
        (layers.Softmax(), [[1 / (1 + np.exp(3.0)), 1 / (1 + np.exp(-3.0))]]),
        (fd.Dropout(0.9), [[-1.0, 2.0]]),
        (fd.Normalization(mean=[1.0, 0.0], variance=[4.0, 0.25]), [[-1.0, 4.0]]),
        (fd.Normalization(mean=1.0, variance=0.25), [[-4.0, 2.0]]),
    ],
)
def test_layers_without_weights_called_on_a_matrix(layer, expected):
    assert_within(layer([[-1.0, 2.0]]), np.float32(expected), 4e-7)


def test_a_called_layer_teaches_shapes_too():
    layer = fd.Dense(2, name="hidden")
    with pytest.raises(ShapeError, match=r"a layer is called on a matrix, .*got shape \(3,\)"):
        layer(np.zeros(3))
    layer(np.zeros((4, 3)))
    with pytest.raises(ShapeError, match="layer 'hidden': X has 5 columns but W has 3 rows") as caught:
        layer(np.zeros((3, 5)))
    assert "fix: X looks transposed (one example per column): pass X.T" in str(caught.value)


def test_an_unbuilt_layer_has_no_kernel():
    layer = fd.Dense(2, name="hidden")
    assert not layer.built
    assert layer.bias is None
    with pytest.raises(NotBuiltError, match="layer 'hidden' has no kernel yet"):
        _ = layer.kernel
    with pytest.raises(NotBuiltError, match="layer 'hidden' has no weights yet"):
        layer.set_weights([])


def test_a_built_layer_keeps_its_width():
    layer = fd.Dense(2, name="hidden")
    layer.build(3, np.random.default_rng(0))
    kernel = layer.kernel
    with pytest.raises(ShapeError) as caught:
        layer.build(5, np.random.default_rng(0))
    assert str(caught.value) == (
        "layer 'hidden': A_in has 5 columns but W has 3 rows\n"
        "     A_in              W\n"
        "  ┌─────────┐     ┌─────────┐\n"
        "m │         │  3  │         │\n"
        "  └─────────┘     └─────────┘\n"
        "       5      ≠  3     2\n"
        "  fix: a built layer keeps its input's width: use a new one for another width"
    )
    assert layer.kernel is kernel


def test_freezing_is_refused_and_said_so():
    layer = fd.Dense(2, name="hidden")
    layer.trainable = True
    with pytest.raises(ValueError, match="layer 'hidden': freezing layers is not supported"):
        layer.trainable = False
    assert layer.trainable


def test_a_layer_of_ones_own_may_call_the_constructor_of_its_base():
    class Own(fd.layers.Layer):
        def __init__(self):
            super().__init__("own", (3,))

    assert (Own().name, Own().built) == ("own", False)
