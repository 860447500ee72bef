"""Weights in files of their own: saved and loaded into a model of the same layers, and refused by another."""

import pytest

import fastdense as fd
from fastdense.errors import FormatError, NotBuiltError, ShapeError
from tests.training.networks import binary, classifier, same_weights, softmax

X, y = binary()
ENDINGS = ["safetensors", "weights.h5"]


def network(units=4, **settings):
    layers = [
        fd.layers.Normalization(),
        fd.Dense(units, "relu"),
        fd.Dropout(0.2),
        fd.Dense(1, use_bias=False),
    ]
    return fd.Sequential([fd.Input((3,)), *layers], **settings)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_weights_come_back(ending, dtype, tmp_path):
    model, other = network(seed=1, dtype=dtype), network(seed=2, dtype=dtype)
    model.layers[0].adapt(X)
    model.save_weights(tmp_path / f"w.{ending}")
    other.load_weights(tmp_path / f"w.{ending}")
    assert same_weights(model, other)
    assert (model.predict(X) == other.predict(X)).all()


@pytest.mark.parametrize("ending", ENDINGS)
def test_training_goes_on_with_the_loaded_weights(ending, tmp_path):
    """The optimizer of the model that loads is its own, as in Keras."""
    model, other = classifier(fd.optimizers.SGD(0.1)), classifier(fd.optimizers.SGD(0.1), seed=9)
    model.fit(X, y, epochs=2, shuffle=False, verbose=0)
    model.save_weights(str(tmp_path / f"w.{ending}"))
    other.fit(X, y, shuffle=False, verbose=0)
    other.load_weights(str(tmp_path / f"w.{ending}"))
    for each in (model, other):
        each.fit(X, y, shuffle=False, verbose=0)
    assert same_weights(model, other)


@pytest.mark.parametrize("ending", ["safetensors", "keras"])
def test_weights_of_a_whole_model(ending, tmp_path):
    model, other = classifier(), classifier(seed=9)
    model.save(tmp_path / f"m.{ending}", include_optimizer=False)
    other.load_weights(tmp_path / f"m.{ending}")
    assert same_weights(model, other)


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (lambda: network(units=5), (FormatError, ShapeError)),
        (softmax, (FormatError, ShapeError)),
        (lambda: fd.Sequential([fd.Input((3,)), fd.Dense(4), fd.Dense(1)]), (FormatError, ShapeError)),
        (fd.Sequential, NotBuiltError),
    ],
    ids=["units", "classes", "bias", "not built"],
)
@pytest.mark.parametrize("ending", ENDINGS)
def test_another_model_refuses_them(ending, other, kind, tmp_path):
    network().save_weights(tmp_path / f"w.{ending}")
    model = other()
    before = model.get_weights()
    with pytest.raises(kind):
        model.load_weights(tmp_path / f"w.{ending}")
    assert all((a == b).all() for a, b in zip(model.get_weights(), before, strict=True))


def test_a_file_is_replaced_unless_it_may_not_be(tmp_path):
    model, path = network(), tmp_path / "w.weights.h5"
    for _ in range(2):
        model.save_weights(path)
    with pytest.raises(FileExistsError, match="is there already"):
        model.save_weights(path, overwrite=False)
    for ending in ("safetensors", "keras"):
        model.save(tmp_path / f"m.{ending}", overwrite=False)
        model.save(tmp_path / f"m.{ending}", overwrite=True)
        with pytest.raises(FileExistsError, match="is there already"):
            model.save(tmp_path / f"m.{ending}", overwrite=False)


@pytest.mark.parametrize("name", ["w.h5", "w", "w.keras", "w.npz"])
def test_other_endings_are_refused(name, tmp_path):
    with pytest.raises(FormatError, match=r"ends in \.weights\.h5 or \.safetensors, got"):
        network().save_weights(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there(tmp_path):
    for ending in ENDINGS:
        with pytest.raises(FileNotFoundError):
            network().load_weights(tmp_path / f"w.{ending}")
