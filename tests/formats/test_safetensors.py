"""The model's file: what was saved comes back bit for bit and trains on, and no other file loads."""

import contextlib
import copy
import functools
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastdense as fd
from fastdense import initializers, losses, metrics, optimizers, regularizers
from fastdense.core import files
from fastdense.core.spec import ACTIVATIONS
from fastdense.errors import FormatError, NotBuiltError, ShapeError
from fastdense.optimizers import schedules
from fastdense.tables import Table
from tests.compare import assert_identical

X = np.random.default_rng(6).normal(size=(40, 4)).astype(np.float32)
CLASSES = np.arange(40) % 3


def kept(model, path, **options):
    """Return the model after a trip through a file."""
    model.save(path, **options)
    return fd.load(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def assert_same_model(found, expected):
    assert repr(found) == repr(expected)
    assert (found.name, found.seed, found.dtype) == (expected.name, expected.seed, expected.dtype)
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        assert_identical(a, b)
    assert_identical(found.predict(X), expected.predict(X))


def adapted():
    layer = fd.Normalization()
    layer.adapt(X)
    return layer


LAYERS = {
    "dense": lambda: fd.Dense(3, "relu", kernel_regularizer=regularizers.L1L2(0.1, 0.2), name="d"),
    "no bias": lambda: fd.Dense(3, use_bias=False, bias_regularizer="l1"),
    "elu": lambda: fd.Dense(3, fd.activations.ActivationFunction("elu", 0.7)),
    "activation": lambda: fd.Activation("mish"),
    "groups": lambda: fd.Dense(3, fd.activations.ActivationFunction("softmax", groups=(1, 2))),
    "relu": fd.layers.ReLU,
    "leaky": lambda: fd.layers.LeakyReLU(np.float32(0.1)),
    "elu layer": lambda: fd.layers.ELU(0.5),
    "prelu": lambda: fd.layers.PReLU("random_uniform", "l2"),
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


def trainable(output, seed=5):
    layers = [fd.Input((4,)), adapted(), fd.Dense(6, "tanh"), fd.Dropout(0.2), fd.Dense(*output)]
    return fd.Sequential(layers, seed=seed)


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


GROUPS = fd.activations.ActivationFunction("softmax", groups=(3, 2))
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


@functools.cache
def content():
    """Return the description and arrays of a trained model with one of everything."""
    layers = [
        adapted(),
        fd.Normalization(mean=[0.0] * 4, variance=1.0),
        fd.Dense(3, fd.activations.ActivationFunction("elu", 0.5), kernel_regularizer="l2"),
        fd.layers.LeakyReLU(0.1),
        fd.Dropout(0.25),
        fd.Dense(3, "softmax", kernel_initializer=initializers.HeNormal(seed=3)),
    ]
    model = fd.Sequential([fd.Input((4,)), *layers], seed=7)
    rate = schedules.PiecewiseConstantDecay([1], [0.1, 0.2])
    model.compile(
        optimizers.SGD(rate, momentum=0.5, clipnorm=1.0),
        "sparse_categorical_crossentropy",
        ["accuracy"],
        [metrics.SparseCategoricalAccuracy("weighted")],
    )
    model.fit(X, CLASSES, batch_size=20, verbose=0)
    frame = {"a": [1.0, 2.0, 3.0, 4.0], "b": list("xyzz"), "good": [True, False, True, True]}
    model.table = Table.learn(frame, target="good")
    return model, model_content(model)


def model_content(model):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "m.safetensors")
        return files.read(Path(folder) / "m.safetensors")


def changed():
    description, arrays = content()[1]
    return copy.deepcopy(description), dict(arrays)


def load_signed(path, description, arrays):
    """Load a file with this content and a right checksum."""
    files.write(path, description, arrays)
    return fd.load(path)


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


@pytest.mark.parametrize("groups", [[3, 3], [5, 0], [5.0], "5", {"a": 5}, None, 5])
def test_groups_that_do_not_fit_are_refused(path, groups):
    description, arrays = model_content(trainable((5, GROUPS)))
    description["model"]["layers"][-1]["config"]["activation"]["config"]["groups"] = groups
    with pytest.raises(FormatError, match="groups"):
        load_signed(path, description, arrays)


def test_the_content_itself_loads(path):
    loaded = load_signed(path, *changed())
    assert_identical(loaded.predict(X), content()[0].predict(X))


def places(value, place=()):
    """Yield the place of every value within nested lists and dicts."""
    yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield from places(item, (*place, key))


def put(description, place, value):
    *path, last = place
    for key in path:
        description = description[key]
    description[last] = value


def at(description, place):
    for key in place:
        description = description[key]
    return description


PLACES = [place for place in places(content()[1][0]) if place]
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**30, -(2**63), 10**400, 0, 1, 4, 1e308, -0.0, 1e-320]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["Dense", "adam", "relu", "float64", "swish", "zeros", "l2", "\ud800"]),
    st.recursive(
        st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    st.builds(lambda place: copy.deepcopy(at(content()[1][0], place)), st.sampled_from(PLACES)),
)


def loads_as_it_says_or_not_at_all(folder, description, arrays):
    """Load a changed description: one clear FormatError, or a model that would be saved with it."""
    try:
        model = load_signed(folder / "changed.safetensors", description, arrays)
    except FormatError as error:
        message = str(error)
    else:
        message = None
    if message is not None:
        assert "changed.safetensors: " in message
        assert len(message) < 1500
        return
    assert json.dumps(model_content(model)[0], sort_keys=True) == json.dumps(description, sort_keys=True)
    with contextlib.suppress(fd.errors.FastdenseError):  # a rate of 1e300, a loss that asks for other targets
        model.fit(X, CLASSES, verbose=0)
    if model.table is None or len(model.table.feature_names) == 4:
        assert model.predict(X).shape == (40, 3)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(PLACES), JUNK)
def test_a_changed_value_is_refused_or_meant(tmp_path_factory, place, value):
    description, arrays = changed()
    put(description, place, value)
    loads_as_it_says_or_not_at_all(tmp_path_factory.getbasetemp(), description, arrays)


@pytest.mark.parametrize("value", [None, True, 0, -1, 0.5, "", "x", [], {}, [1], {"class_name": "Dense"}])
def test_every_value_is_refused_or_meant(tmp_path, value):
    for place in PLACES:
        description, arrays = changed()
        put(description, place, value)
        loads_as_it_says_or_not_at_all(tmp_path, description, arrays)


def test_every_missing_key_is_refused(path):
    for place in PLACES:
        description, arrays = changed()
        *above, last = place
        owner = at(description, above)
        if not isinstance(owner, dict):
            continue
        del owner[last]
        with pytest.raises(FormatError):
            load_signed(path, description, arrays)


def test_every_unknown_key_is_refused(path):
    for place in [(), *PLACES]:
        description, arrays = changed()
        owner = at(description, place)
        if not isinstance(owner, dict):
            continue
        owner["unknown"] = None
        with pytest.raises(FormatError):
            load_signed(path, description, arrays)


DENSE = ("model", "layers", 2, "config")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("format",), "keras", "the file is not a fastdense model"),
        (("version",), 2, "the file is of version 2, and this fastdense reads version 1"),
        (("version",), "1", "the file is of version '1'"),
        (("model",), None, "a model has the fields name, seed, dtype, n_in, layers, found NoneType"),
        (("model", "layers"), [], "a list of at least one layer"),
        (("model", "n_in"), 5, "tensor layers/0/mean is float64 .4,., its layer needs float64 .5,."),
        (("model", "n_in"), 0, "n_in must be at least 1"),
        (("model", "dtype"), "float64", "tensor layers/2/kernel is float32"),
        (("model", "dtype"), "int32", "its layer needs int32"),
        (("model", "seed"), None, "not as `save` writes it"),
        (("model", "seed"), 2**64, "seed must be from 0"),
        (("model", "layers", 2, "class_name"), "Conv2D", "unknown layer 'Conv2D'"),
        (("model", "layers", 2, "class_name"), "Layer", "unknown layer 'Layer'"),
        ((*DENSE, "units"), 4, "tensor layers/2/kernel is float32 .4, 3., its layer needs float32 .4, 4."),
        ((*DENSE, "units"), 2**62, "its layer needs"),
        (
            (*DENSE, "use_bias"),
            False,
            "the tensors are not those of the layers: layers/2/bias missing or unk",
        ),
        ((*DENSE, "activation"), "cubed", "activation must be one of"),
        ((*DENSE, "activation", "config", "name"), "cubed", "activation must be one of"),
        ((*DENSE, "kernel_initializer", "class_name"), "Identity", "unknown initializer 'Identity'"),
        ((*DENSE, "kernel_regularizer", "class_name"), "L3", "unknown regularizer 'L3'"),
        ((*DENSE, "name"), None, "not as `save` writes it"),
        ((*DENSE, "name"), "normalization", "two layers are named 'normalization'"),
        (("model", "layers", 1, "config", "mean"), [0.0] * 3, "its mean has 3 columns, but its input has 4"),
        (("training", "loss", "class_name"), "Hinge", "unknown loss 'Hinge'"),
        (("training", "optimizer", "class_name"), "Nadam", "unknown optimizer 'Nadam'"),
        (("training", "optimizer", "class_name"), "Adam", "Adam is described by"),
        (("training", "optimizer", "config", "momentum"), 0.0, "the optimizer's state is not this model's"),
        (("training", "iterations"), -1, "iterations must be from 0 to 9007199254740992"),
        (("training", "metrics"), "accuracy", "metrics are lists"),
        (("training", "metrics"), ["f1"], "metric: its description is a class_name and a config"),
        (("training",), None, "there is an optimizer's state but no optimizer"),
        (("table",), {}, "table"),
    ],
)
def test_what_is_not_known_is_named(path, place, value, message):
    description, arrays = changed()
    put(description, place, value)
    with pytest.raises(FormatError, match=r"model\.safetensors: ") as caught:
        load_signed(path, description, arrays)
    assert caught.match(message)


KERNEL = "layers/2/kernel"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop(KERNEL), "layers/2/kernel missing or unknown"),
        (lambda a: a.update(extra=a[KERNEL]), "extra missing or unknown"),
        (lambda a: a.update({"layers/9/kernel": a.pop(KERNEL)}), "layers/2/kernel, layers/9/kernel missing"),
        (lambda a: a.update({"NaN": a.pop(KERNEL)}), "NaN, layers/2/kernel missing"),
        (lambda a: a.update({KERNEL: a[KERNEL].T}), r"layers/2/kernel is float32 \(3, 4\), its layer needs"),
        (lambda a: a.update({KERNEL: a[KERNEL].reshape(1, 4, 3)}), r"kernel is float32 \(1, 4, 3\)"),
        (lambda a: a.update({KERNEL: a[KERNEL].astype("float64")}), "kernel is float64"),
        (lambda a: a.update({"layers/0/count": np.zeros((), np.int64)}), "count is int64"),
        (lambda a: a.update({"layers/0/variance": np.full(4, -1.0)}), "variances finite and not negative"),
        (lambda a: a.update({"layers/0/mean": np.full(4, np.nan)}), "means must be finite"),
        (lambda a: a.pop("slots/0/momentum"), "the optimizer's state is not this model's"),
        (
            lambda a: a.update({"slots/9/momentum": a["slots/0/momentum"]}),
            "the optimizer's state is not this model's",
        ),
        (
            lambda a: a.update({"slots/0/momentum": a["slots/1/momentum"]}),
            "slots/0/momentum should be float32 of shape",
        ),
        (lambda a: [a.pop(k) for k in list(a) if k[0] == "s"], "has taken 2 steps but its state is missing"),
    ],
)
def test_tensors_that_are_not_the_models(path, change, message):
    description, arrays = changed()
    change(arrays)
    with pytest.raises(FormatError, match=message):
        load_signed(path, description, arrays)


def test_a_container_of_something_else(path):
    files.write(path, {}, {})
    with pytest.raises(FormatError, match=r"model\.safetensors: the file is not a fastdense model"):
        fd.load(path)


@pytest.mark.parametrize("place", [("model",), DENSE, (*DENSE, "name"), ("training", "metrics"), ("table",)])
def test_deep_nesting_is_refused(path, place):
    for depth in (100, 400, 900, 2000):
        description, arrays = changed()
        put(description, place, "HERE")
        nested = json.dumps(description, sort_keys=True).replace('"HERE"', "[" * depth + "]" * depth)
        write_text(path, nested, arrays)
        with pytest.raises(FormatError, match=r"model\.safetensors"):
            fd.load(path)


def write_text(path, text, arrays):
    """Write a container whose description is any text."""
    import hashlib

    from safetensors.numpy import save_file

    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name}\n{array.dtype.name}\n{array.shape}\n".encode() + array.tobytes())
    save_file(arrays, path, metadata={"fastdense": f"{digest.hexdigest()} {text}"})


def test_training_data_of_another_width_after_loading(path):
    loaded = kept(trainable((1,)), path)
    with pytest.raises(ShapeError, match="layer 'dense': X has 3 columns but W has 4 rows"):
        loaded.predict(X[:, :3])
