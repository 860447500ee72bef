"""Descriptions and tensors that are not as `save` writes them: refused by a clear message, or meant."""

import contextlib
import copy
import functools
import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

import fastdense as fd
from fastdense import initializers, metrics, optimizers
from fastdense.core import files
from fastdense.errors import FormatError
from fastdense.optimizers import schedules
from fastdense.tables import Table
from tests.compare import assert_identical
from tests.formats.saved import CLASSES, GROUPS, X, adapted, load_signed, model_content, trainable


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


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


def changed():
    description, arrays = content()[1]
    return copy.deepcopy(description), dict(arrays)


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
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name}\n{array.dtype.name}\n{array.shape}\n".encode() + array.tobytes())
    save_file(arrays, path, metadata={"fastdense": f"{digest.hexdigest()} {text}"})
