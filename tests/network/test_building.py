"""Putting models together: widths found early or late, layers shared, added, removed; never half done."""

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import DtypeError, NotBuiltError, ShapeError
from tests.compare import assert_identical

X = np.arange(12.0, dtype=np.float32).reshape(4, 3)


def weights_of(first, **later):
    return fd.Sequential([*first, fd.Dense(4, "relu", **later), fd.Dense(2)], seed=1)


def test_every_way_to_say_the_width_gives_the_same_weights():
    models = [
        weights_of([fd.Input((3,))]),
        weights_of([], input_shape=(3,)),
        weights_of([], input_dim=3),
        weights_of([]),
        weights_of([]),
        weights_of([]),
    ]
    models[3].build((None, 3))
    models[4].build([3])
    models[5].predict(X)
    for model in models:
        assert model.built
        assert (model.input_shape, model.output_shape) == ((None, 3), (None, 2))
        for found, expected in zip(model.get_weights(), models[0].get_weights(), strict=True):
            assert_identical(found, expected)


def test_layers_added_one_by_one_make_the_same_model():
    model = fd.Sequential(seed=1)
    for layer in (fd.Input((3,)), fd.Dense(4, "relu"), fd.Dense(2)):
        model.add(layer)
    assert_identical(model.predict(X), weights_of([fd.Input((3,))]).predict(X))


def test_an_unbuilt_model_says_what_it_lacks():
    model = fd.Sequential([fd.Dense(2)])
    assert not model.built
    for use in (lambda: model.input_shape, lambda: model.output_shape, model.network):
        with pytest.raises(NotBuiltError, match="shapes are not known yet: give it an Input, or call build"):
            use()
    with pytest.raises(NotBuiltError, match="no weights yet"):
        model.set_weights([])
    for use in (lambda: fd.Sequential().build((None, 3)), lambda: fd.Sequential().predict(X)):
        with pytest.raises(NotBuiltError, match="has no layers yet"):
            use()


@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        (3, ShapeError, r"build takes \(None, n_in\), got 3"),
        ((None, 2, 3), ShapeError, "build takes"),
        ((), ShapeError, "build takes"),
        ((None, None), TypeError, "n_in must be a whole number, got None"),
        ((None, 0), ValueError, "n_in must be at least 1"),
        ((None, "3"), TypeError, "n_in must be a whole number"),
    ],
)
def test_widths_that_are_none_leave_the_model_unbuilt(shape, error, message):
    model = fd.Sequential([fd.Dense(2)])
    with pytest.raises(error, match=message):
        model.build(shape)
    model.build((None, 3))
    assert model.input_shape == (None, 3)


def test_a_built_model_refuses_another_width():
    model = fd.Sequential([fd.Input((3,)), fd.Dense(2)])
    model.build((None, 3))
    with pytest.raises(ShapeError, match="the model's input has 3 columns already, not 4"):
        model.build((None, 4))


def test_a_width_declared_further_on_is_checked_before_anything_is_built():
    model = fd.Sequential([fd.Dropout(0.5), fd.Dense(2, input_shape=(3,), name="out")])
    with pytest.raises(ShapeError, match=r"layer 'out' was declared with input_shape=\(3,\), but .* 5 col"):
        model.predict(np.zeros((4, 5)))
    assert model.predict(X).shape == (4, 2)


def test_a_layer_that_does_not_fit_is_not_added():
    model = fd.Sequential([fd.Input((3,)), fd.Dense(2)])
    with pytest.raises(ShapeError, match=r"declared with input_shape=\(7,\), but its input has 2 columns"):
        model.add(fd.Dense(1, input_shape=(7,)))
    built = fd.Dense(1, name="built")
    built(np.zeros((1, 5)))
    with pytest.raises(ShapeError, match="layer 'built': A_in has 2 columns but W has 5 rows"):
        model.add(built)
    assert model.predict(X).shape == (4, 2)
    assert len(model.layers) == 1


def test_what_is_no_layer_is_not_added():
    model = fd.Sequential([fd.Dense(2)])
    with pytest.raises(TypeError, match="a model is made of fastdense layers, got 'relu'"):
        model.add("relu")
    with pytest.raises(ValueError, match="is in this model already"):
        model.add(model.layers[0])
    with pytest.raises(ValueError, match="an Input comes first, and once"):
        model.add(fd.Input((3,)))
    with pytest.raises(ValueError, match="an Input comes first, and once"):
        fd.Sequential([fd.Input((3,)), fd.Input((3,))])


def test_a_shared_layer_is_one_layer():
    shared = fd.Dense(4, name="shared")
    one = fd.Sequential([fd.Input((3,)), shared, fd.Dense(2)])
    other = fd.Sequential([fd.Input((3,)), shared])
    before = other.predict(X)
    one.compile("sgd", "mse")
    one.fit(X, np.ones((4, 2)), verbose=0)
    assert (other.predict(X) != before).all()
    assert_identical(other.get_weights()[0], one.get_weights()[0])


def test_a_layer_that_was_called_gives_its_model_a_width():
    shared = fd.Dense(2)
    late = fd.Sequential([shared])
    shared(X)
    assert late.predict(X).shape == (4, 2)
    assert fd.Sequential([shared]).input_shape == (None, 3)


def test_weights_of_another_dtype_are_not_shared():
    shared = fd.Sequential([fd.Input((3,)), fd.Dense(4)]).layers[0]
    with pytest.raises(DtypeError, match="has weights of float32 already, but the model computes in float64"):
        fd.Sequential([fd.Input((3,)), shared], dtype="float64")


def test_removing_the_last_layer():
    model = weights_of([fd.Input((3,))])
    removed = model.pop()
    assert removed.name == "dense_1"
    assert model.predict(X).shape == (4, 4)
    model.add(fd.Dense(5))
    assert model.predict(X).shape == (4, 5)
    with pytest.raises(ValueError, match="there is no layer to remove"):
        fd.Sequential().pop()


def test_layers_by_name_and_place():
    model = weights_of([fd.Input((3,))])
    assert model.get_layer("dense_1") is model.layers[1] is model.get_layer(index=-1)
    with pytest.raises(ValueError, match="there is no layer 'dens'; the layers are 'dense', 'dense_1'"):
        model.get_layer("dens")
    with pytest.raises(IndexError):
        model.get_layer(index=2)


def test_weights_depend_on_the_seed_and_the_layers_place_alone():
    def weights(units, seed=1, dtype="float32"):
        layers = [fd.Input((3,)), *(fd.Dense(n, use_bias=False) for n in units)]
        return fd.Sequential(layers, seed=seed, dtype=dtype).get_weights()

    first = weights([3, 3])
    assert_identical(weights([3, 3])[1], first[1])
    assert_identical(weights([3, 7, 1])[0], first[0])
    assert (first[0] != first[1]).all()
    assert (weights([3], seed=2)[0] != first[0]).all()
    assert_identical(weights([3, 3], dtype="float64")[1].astype("float32"), first[1])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": 5}, TypeError, "a model's name must be a string of at least one character"),
        ({"name": ""}, TypeError, "a model's name"),
        ({"dtype": "float16"}, ValueError, "dtype must be one of 'float32', 'float64', got 'float16'"),
        ({"dtype": np.float32}, ValueError, "dtype must be one of"),
    ],
)
def test_models_refuse_what_they_cannot_be(arguments, error, message):
    with pytest.raises(error, match=message):
        fd.Sequential(**arguments)


def test_an_engine_that_does_not_exist():
    with pytest.raises(fd.errors.EngineError, match="there is no engine 'gpu'"):
        fd.Sequential([fd.Input((3,)), fd.Dense(2)], engine="gpu").predict(X)
