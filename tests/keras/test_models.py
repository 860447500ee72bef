"""Keras' ways to copy and load a model, and to look at its weights and its learning rate."""

import copy
import pickle

import numpy as np
import pytest

import fastdense as fd
from tests.training.networks import binary, classifier, same_weights

X, y = binary()


def normalized():
    """Return a compiled network that starts with statistics, which are not trained."""
    layer = fd.Normalization()
    layer.adapt(X)
    model = fd.Sequential([fd.Input((3,)), layer, fd.Dense(2, "relu"), fd.Dense(1)], seed=1)
    model.compile(loss="mse")
    return model


def test_weights_are_sorted_by_whether_training_changes_them():
    model = normalized()
    before = model.weights
    model.fit(X, y, verbose=0)
    changed = [not np.array_equal(old, new) for old, new in zip(before, model.weights, strict=True)]
    trained = [array.shape for array, new in zip(before, changed, strict=True) if new]
    assert [array.shape for array in model.trainable_weights] == trained == [(3, 2), (2,), (2, 1), (1,)]
    assert [array.shape for array in model.non_trainable_variables] == [(3,), (3,), ()]
    assert len(model.variables) == len(model.trainable_variables) + len(model.non_trainable_weights)
    assert [len(layer.trainable_weights) for layer in model.layers] == [0, 2, 2]


@pytest.mark.parametrize("part", [lambda model: model, lambda model: model.layers[0]])
def test_nothing_can_be_frozen(part):
    frozen = part(classifier())
    frozen.trainable = True
    with pytest.raises(ValueError, match="freezing layers is not supported"):
        frozen.trainable = False
    assert frozen.trainable


def test_a_clone_has_the_layers_and_weights_of_its_own():
    model = fd.Sequential([fd.Input((3,)), fd.Dense(4, "tanh", name="a"), fd.Dropout(0.2), fd.Dense(1)])
    clone = fd.models.clone_model(model)
    assert [repr(layer) for layer in clone.layers] == [repr(layer) for layer in model.layers]
    assert not same_weights(clone, model)
    clone.compile(loss="mse")
    before = model.get_weights()
    clone.fit(X, y, verbose=0)
    assert all(map(np.array_equal, before, model.weights))
    assert not fd.models.clone_model(fd.Sequential([fd.Dense(2)])).built


def test_a_clone_of_a_seeded_model_starts_as_it_did():
    model = classifier()
    first = model.get_weights()
    model.fit(X, y, verbose=0)
    assert all(map(np.array_equal, first, fd.models.clone_model(model).weights))


def test_load_without_the_training(tmp_path):
    path, model = tmp_path / "m.safetensors", classifier()
    model.fit(X, y, verbose=0)
    fd.models.save_model(model, path)
    bare = fd.models.load_model(path, custom_objects=None, compile=False, safe_mode=True)
    assert bare.loss is None
    assert same_weights(bare, model)
    assert fd.models.load_model(path).optimizer.iterations == model.optimizer.iterations
    with pytest.raises(NotImplementedError, match="no custom_objects, got gelu_2"):
        fd.models.load_model(path, custom_objects={"gelu_2": abs})
    with pytest.raises(FileExistsError):
        fd.models.save_model(model, path, overwrite=False)


def test_a_rate_is_assigned():
    model, expected = classifier(fd.optimizers.SGD(0.5)), classifier(fd.optimizers.SGD(0.01))
    rate = model.optimizer.learning_rate
    rate.assign(0.01)
    assert (rate, model.optimizer.learning_rate, model.optimizer.learning_rate.numpy()) == (0.5, 0.01, 0.01)
    for each in (model, expected):
        each.fit(X, y, verbose=0)
    assert same_weights(model, expected)
    with pytest.raises(ValueError, match="learning_rate"):
        model.optimizer.learning_rate.assign(-1.0)
    for again in (copy.deepcopy(rate), pickle.loads(pickle.dumps(rate))):
        assert (type(again), again) == (float, 0.5)
