"""The model's file: what was saved comes back bit for bit and trains on, and no other file loads."""

import functools

import numpy as np
import pandas as pd
import pytest

import fastdense as fd
from fastdense import initializers, losses, metrics, optimizers, regularizers
from fastdense.core import files
from fastdense.core.spec import ACTIVATIONS
from fastdense.errors import FormatError, NotBuiltError, ShapeError
from fastdense.optimizers import schedules
from fastdense.tables import Table
from tests.compare import assert_identical
from tests.formats.saved import CLASSES, GROUPS, X, adapted, assert_same_model, kept, model_content, trainable


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


LAYERS = {
    "dense": lambda: fd.Dense(3, "relu", kernel_regularizer=regularizers.L1L2(0.1, 0.2), name="d"),
    "no bias": lambda: fd.Dense(3, use_bias=False, bias_regularizer="l1"),
    "elu": lambda: fd.Dense(3, fd.activations.ActivationFunction("elu", 0.7)),
    "activation": lambda: fd.Activation("mish"),
    "groups": lambda: fd.Dense(3, fd.activations.ActivationFunction("softmax", groups=(1, 2))),
    "relu": fd.layers.ReLU,
    "leaky": lambda: fd.layers.LeakyReLU(np.float32(0.1)),
    "elu layer": lambda: fd.layers.ELU(0.5),
    "rows": lambda: fd.layers.LayerNormalization(beta_initializer="random_uniform", beta_regularizer="l2"),
    "rows, scaled": lambda: fd.layers.LayerNormalization(center=False),
    "prelu": lambda: fd.layers.PReLU("random_uniform", "l2"),
    "factors": lambda: fd.layers.FeatureScale("random_uniform", "l2"),
    "shares": lambda: fd.layers.ParametricActivation("selu", "random_uniform", "l1"),
    "softmax": fd.layers.Softmax,
    "dropout": lambda: fd.Dropout(0.3),
    "adapted": adapted,
    "not adapted": fd.Normalization,
    "given": lambda: fd.Normalization(mean=[1, 2, 3, 4], variance=2.0),
} | {name: functools.partial(fd.Dense, 3, name) for name in ACTIVATIONS}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layer_comes_back(path, layer, dtype):
    model = fd.Sequential([fd.Input((4,)), LAYERS[layer](), fd.Dense(2)], "näme", seed=2**64 - 1, dtype=dtype)
    assert_same_model(kept(model, path), model)


@pytest.mark.parametrize("name", initializers.FAMILY.members)
def test_every_initializer_comes_back(path, name):
    layer = fd.Dense(2, kernel_initializer=name, bias_initializer=name)
    model = fd.Sequential([fd.Input((4,)), layer], seed=1)
    assert_same_model(kept(model, path), model)


def goes_on(path, compiled, y):
    """Assert that two epochs, a trip through a file and two more equal four in a row."""
    straight, halves = trainable(*compiled[0]), trainable(*compiled[0])
    for model in (straight, halves):
        model.compile(**compiled[1]())
    expected = straight.fit(X, y, epochs=4, batch_size=8, verbose=0).history
    halves.fit(X, y, epochs=2, batch_size=8, verbose=0)
    loaded = kept(halves, path)
    assert loaded.optimizer.iterations == 10
    assert repr((loaded.loss, loaded.optimizer)) == repr((halves.loss, halves.optimizer))
    history = loaded.fit(X, y, epochs=4, initial_epoch=2, batch_size=8, verbose=0).history
    assert history == {name: values[2:] for name, values in expected.items()}
    assert_same_model(loaded, straight)


OPTIMIZERS = {name: member for name, member in optimizers.FAMILY.members.items() if name != "SGD"} | {
    "SGD": optimizers.SGD,
    "momentum": lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "amsgrad": lambda: optimizers.AdamW(amsgrad=True),
    "centered": lambda: optimizers.RMSprop(momentum=0.5, centered=True, clipnorm=0.5),
    "exponential": lambda: optimizers.Adam(schedules.ExponentialDecay(0.1, 3, 0.5, staircase=True)),
    "cosine": lambda: optimizers.AdamW(schedules.CosineDecay(0.0, 15, 0.1, 0.05, 4)),
    "piecewise": lambda: optimizers.SGD(schedules.PiecewiseConstantDecay([4, 12], [0.1, 0.05, 0.01])),
    "polynomial": lambda: optimizers.Adagrad(schedules.PolynomialDecay(0.1, 7, cycle=True)),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_goes_on_with_every_optimizer_and_schedule(path, name):
    compiled = lambda: {"optimizer": OPTIMIZERS[name](), "loss": "sparse_categorical_crossentropy"}  # noqa: E731
    goes_on(path, (((3, "softmax"),), compiled), CLASSES)


GROUPED = np.hstack([np.eye(3)[CLASSES], np.eye(2)[CLASSES % 2]])
LOSSES = {
    "BinaryCrossentropy": ((1, "sigmoid"), CLASSES % 2, {"label_smoothing": 0.1}),
    "CategoricalCrossentropy": ((3,), np.eye(3)[CLASSES], {"from_logits": True}),
    "groups": ((5, GROUPS), GROUPED, {"groups": (3, 2)}),
    "SparseCategoricalCrossentropy": ((3, "softmax"), CLASSES, {}),
    "MeanSquaredError": ((2,), X[:, :2], {}),
    "MeanAbsoluteError": ((2,), X[:, :2], {}),
    "Huber": ((2,), X[:, :2], {"delta": 0.5}),
    "Poisson": ((1, "exponential"), CLASSES, {}),
    "Quantile": ((2,), X[:, :2], {"quantile": 0.3}),
}


@pytest.mark.parametrize("name", [*losses.FAMILY.members, "groups"])
def test_training_goes_on_with_every_loss(path, name):
    output, y, arguments = LOSSES[name]
    kind = losses.FAMILY.members.get(name, losses.CategoricalCrossentropy)
    compiled = lambda: {"optimizer": "adam", "loss": kind(**arguments)}  # noqa: E731
    goes_on(path, ((output,), compiled), y)


@pytest.mark.parametrize("name", ["accuracy", "acc", *metrics.FAMILY.members])
def test_every_metric_comes_back(path, name):
    sparse = name.startswith("Sparse")
    loss = "sparse_categorical_crossentropy" if sparse else "categorical_crossentropy"
    y = CLASSES if sparse else np.eye(3)[CLASSES]
    model = trainable((3, "softmax"))
    score = metrics.FAMILY.members[name] if name in ("F1Score", "FBetaScore") else None
    plain, weighted = [score(average=how) if score else name for how in ("macro", "micro")]
    model.compile("sgd", loss, metrics=[plain], weighted_metrics=[weighted])
    loaded = kept(model, path)
    weights = np.linspace(0, 1, 40)
    found = loaded.evaluate(X, y, sample_weight=weights, return_dict=True, verbose=0)
    assert found == model.evaluate(X, y, sample_weight=weights, return_dict=True, verbose=0)
    assert len(found) == 3


def test_without_the_optimizer(path):
    model = trainable((3, "softmax"))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(X, CLASSES, verbose=0)
    loaded = kept(model, path, include_optimizer=False)
    assert_same_model(loaded, model)
    with pytest.raises(NotBuiltError, match="call compile"):
        loaded.fit(X, CLASSES)
    assert set(files.read(path)[1]) == {
        "layers/0/mean",
        "layers/0/variance",
        "layers/0/count",
        "layers/1/kernel",
        "layers/1/bias",
        "layers/3/kernel",
        "layers/3/bias",
    }


@pytest.mark.parametrize(
    "compiled",
    [
        {"optimizer": fd.optimizers.SGD(lambda step: 0.1 / (1 + step)), "loss": "mse"},
        {"loss": "mse", "metrics": [lambda y, a: abs(y - a)]},
        {"loss": "mse", "weighted_metrics": [lambda y, a: abs(y - a)]},
    ],
)
def test_functions_are_refused_and_the_old_file_stays(path, compiled):
    model = trainable((1,))
    model.save(path)
    before = path.read_bytes()
    model.compile(**compiled)
    with pytest.raises(FormatError, match=r"Python function .* cannot be kept in a file that runs no code"):
        model.save(path)
    assert path.read_bytes() == before
    assert_same_model(kept(model, path, include_optimizer=False), model)


def test_a_table_comes_along(path):
    frame = pd.DataFrame({"a": [1.0, None, 3.0, 2.0], "b": list("xyxy"), "good": ["no", "yes", "no", "yes"]})
    table = Table.learn(frame, target="good")
    width = len(table.feature_names)
    model = fd.Sequential([fd.Input((width,)), fd.Dense(2, "softmax")], seed=1)
    model.table = table
    loaded = kept(model, path)
    assert_identical(loaded.predict(frame), model.predict(frame))
    assert_identical(loaded.predict(frame), model.predict(table.features(frame)))
    assert loaded.table.classes == ["no", "yes"]
    assert repr(loaded.table) == repr(table)


def test_weights_set_from_views_are_kept_rightly(path):
    model = fd.Sequential([fd.Input((4,)), fd.Dense(4)], seed=1)
    big = np.arange(64.0).reshape(8, 8)
    for view in (big[:4, :4].T, big[::2, 1::2], big[3::-1, 4:], np.asfortranarray(big[:4, 4:])):
        model.set_weights([view, view[0]])
        loaded = kept(model, path)
        assert_identical(loaded.get_weights()[0], view.astype(np.float32))
        assert_same_model(loaded, model)


def test_saving_again_gives_the_same_bytes(path, tmp_path):
    model = trainable((3, "softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy", "acc"])
    model.fit(X, CLASSES, verbose=0)
    model.save(path)
    fd.load(path).save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["model", "model.onnx", "model.safetensors.bak", ".safetensors"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(FormatError, match=r"ends in \.safetensors or \.keras, got '.*" + name):
        trainable((1,)).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written(tmp_path, path):
    model = trainable((1,))
    with pytest.raises(OSError, match="the folder to save in does not exist"):
        model.save(tmp_path / "missing" / "m.safetensors")
    model.save(path)
    with pytest.raises(OSError, match="the folder to save in does not exist"):
        model.save(path / "m.safetensors")
    assert_same_model(fd.load(path), model)


def test_a_model_that_is_not_built_is_not_saved(path):
    with pytest.raises(NotBuiltError, match="shapes are not known yet"):
        fd.Sequential([fd.Dense(2)]).save(path)
    assert not path.exists()


def test_missing_files_are_the_systems_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        fd.load(tmp_path / "missing.safetensors")
    with pytest.raises(IsADirectoryError):
        fd.load(tmp_path)


def test_groups_are_in_a_file_only_where_there_are_any(path):
    """Files of before there were groups load, and those without any are as they were."""
    plain, grouped = trainable((5, "softmax")), trainable((5, GROUPS))
    for model, loss in ((plain, {}), (grouped, {"groups": (3, 2)})):
        model.compile("sgd", losses.CategoricalCrossentropy(**loss))
        description, _ = model_content(model)
        configs = description["model"]["layers"][-1]["config"]["activation"], description["training"]["loss"]
        assert [config["config"].get("groups") for config in configs] == (
            [[3, 2], [3, 2]] if loss else [None, None]
        )
        assert_same_model(kept(model, path), model)


def test_training_data_of_another_width_after_loading(path):
    loaded = kept(trainable((1,)), path)
    with pytest.raises(ShapeError, match="layer 'dense': X has 3 columns but W has 4 rows"):
        loaded.predict(X[:, :3])
