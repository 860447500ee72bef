"""Files that are no dense network's, or made to do harm: refused, with nothing run, followed or unpacked."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import FormatError
from fastdense.formats.keras import read_keras, write_keras
from tests.fuzz import limited_memory

h5py = pytest.importorskip("h5py")
pytest.importorskip("pyfive")

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


@pytest.fixture
def path(tmp_path):
    model = fd.Sequential(
        [fd.Input((4,)), fd.Dense(3, "relu", name="first"), fd.Dense(2, name="last")], seed=0
    )
    write_keras(model, tmp_path / "m.keras")
    return tmp_path / "m.keras"


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path, compression=zipfile.ZIP_STORED, **changed):
    """Write the file anew with other members: ``config__json`` is ``config.json``; None leaves one out."""
    content = members(path) | {name.replace("__", "."): data for name, data in changed.items()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)


def edit(path, change):
    """Change the description of the model."""
    config = json.loads(members(path)[CONFIG])
    change(config["config"]["layers"])
    rewrite(path, config__json=json.dumps(config))


def refused(path, words):
    with limited_memory(64 * 2**20), pytest.raises(FormatError, match=words) as caught:
        read_keras(path)
    assert str(caught.value).startswith(str(path))


def test_the_file_itself_is_read(path):
    rewrite(path, zipfile.ZIP_DEFLATED)
    assert read_keras(path).output_shape == (None, 2)


def test_a_class_to_import(path, tmp_path):
    edit(path, lambda layers: layers[1].update(module="os", class_name="system", config={"name": "touch x"}))
    refused(path, r"is of the module 'os', which is never imported")
    edit(
        path,
        lambda layers: layers[1].update(module="keras.src.saving.object_registration", class_name="Custom"),
    )
    refused(path, r"\(Custom\): it is of the module 'keras.src.saving.object_registration', which is never")


def test_code_in_a_lambda_layer(path):
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA", "defaults": None, "closure": None}}
    edit(
        path, lambda layers: layers[1].update(class_name="Lambda", config={"name": "code", "function": code})
    )
    refused(path, r"layer 'code' \(Lambda\) is not one that a dense network has")


def test_a_function_of_somebodys(path):
    function = {
        "module": "builtins",
        "class_name": "function",
        "config": "system",
        "registered_name": "function",
    }
    edit(path, lambda layers: layers[1]["config"].update(activation=function))
    refused(path, r"layer 'first' \(Dense\): the activation .* is not one that fastdense knows")


def test_a_pickle_in_the_archive_or_in_its_place(path):
    class Harm:
        def __reduce__(self):
            return (path.with_name("harm").touch, ())

    harm = pickle.dumps(Harm())
    rewrite(path, data__pkl=harm)
    refused(path, "it holds 'data.pkl', which a dense network has no use for")
    path.write_bytes(harm)
    refused(path, "neither a zip nor an HDF5 file")
    assert not path.with_name("harm").exists()


@pytest.mark.parametrize("name", ["../m.txt", "/etc/m.txt", "assets/../../m.txt"])
def test_names_that_lead_elsewhere(path, name):
    rewrite(path, **{name: b"x"})
    refused(path, "which a dense network has no use for")


def test_a_zip_bomb(path):
    rewrite(path, zipfile.ZIP_DEFLATED, model__weights__h5=bytes(2**28))
    assert path.stat().st_size < 2**19
    refused(path, "32 times as many as it has")


def test_a_description_that_is_a_bomb(path):
    """A million empty lists, beside weights that keep the whole from looking like one."""
    weights = np.random.default_rng(0).bytes(2**17)
    bomb = b'{"a": [' + b"[]," * 10**6 + b"0]}"
    rewrite(path, zipfile.ZIP_DEFLATED, config__json=bomb, model__weights__h5=weights)
    refused(path, "its descriptions are 30.* bytes long, many times as much as layers take")


def test_an_attribute_that_claims_more_than_it_has(tmp_path):
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
        file.attrs.create("many", ["x"], shape=(1,), dtype=h5py.string_dtype())
    data = bytearray(path.read_bytes())
    place = data.find(struct.pack("<BBB5xQQ", 1, 1, 1, 1, 1)) + 8
    data[place : place + 16] = struct.pack("<QQ", 2**28, 2**28)
    path.write_bytes(data)
    refused(path, "an attribute claims 268435456 values in")


def test_a_wide_input_of_few_bytes(path):
    config = {"batch_shape": [None, 10**8], "name": "in"}
    layers = [{"class_name": "InputLayer", "config": config}]
    layers += [{"class_name": "Normalization", "config": {"mean": 0.5, "variance": 2.0, "name": "n"}}]
    model = {"class_name": "Sequential", "config": {"name": "wide", "layers": layers}}
    rewrite(path, config__json=json.dumps(model))
    refused(path, "many times as large as the file")


def test_a_zip_that_says_less_than_it_unpacks_to(path):
    rewrite(path, zipfile.ZIP_DEFLATED, model__weights__h5=bytes(2**28))
    data = path.read_bytes()
    path.write_bytes(data.replace((2**28).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    refused(path, "damaged")


@pytest.mark.parametrize("name", [CONFIG, METADATA, WEIGHTS])
def test_a_missing_member(path, name):
    rewrite(path, **{name.replace(".", "__"): None})
    refused(path, f"a zip file without {name}")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"[1]", "not a JSON object"), (b"{", "not JSON"), (b"\xff", "not JSON"), (b"[" * 10**5, "not JSON")],
)  # fmt: skip
def test_descriptions_that_are_none(path, content, words):
    rewrite(path, config__json=content)
    refused(path, words)


CHANGES = {
    "no layers": (lambda layers: layers.clear(), "it has no layers"),
    "a layer that is text": (lambda layers: layers.append("Dense"), "not listed as Keras lists them"),
    "units that are not there": (lambda layers: layers[1]["config"].update(units=7), "it has 7 units"),
    "units that are text": (lambda layers: layers[1]["config"].update(units="3"), "'units' must be a whole"),
    "units without end": (lambda layers: layers[1]["config"].update(units=1e300), "units"),
    "another width": (lambda layers: layers[0]["config"].update(batch_shape=[None, 5]), "shape .4,., but .5"),
    "no width": (lambda layers: layers[0]["config"].update(batch_shape=[None, None]), "known width"),
    "a width of text": (lambda layers: layers[0]["config"].update(batch_shape="x"), "known width"),
    "a name twice": (lambda layers: layers[2]["config"].update(name="first"), "two layers of .* are named"),
    "a second input": (lambda layers: layers.insert(2, layers[0]), "has an InputLayer that is not its first"),
    "a class of no module": (lambda layers: layers[1].update(module=None), "a user's class"),
    "a package of Keras' name": (
        lambda layers: layers[1].update(module="keras.mine"), "of the module 'keras.mine', which is never"
    ),
    "a rate beyond 1": (
        lambda layers: layers.append({"class_name": "Dropout", "config": {"name": "d", "rate": 2.0}}), "rate"
    ),
    "quantised weights": (
        lambda layers: layers[1]["config"].update(quantization_config={"mode": "int8"}), "quantised"
    ),
    "a normalisation over the rows": (
        lambda layers: layers.append({"class_name": "BatchNormalization", "config": {"axis": 0}}),
        "where 4 of one length belong",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_descriptions_that_do_not_fit(path, name):
    change, words = CHANGES[name]
    edit(path, change)
    refused(path, words)


def test_a_model_of_another_kind(path):
    config = json.loads(members(path)[CONFIG])
    rewrite(path, config__json=json.dumps(config | {"class_name": "MyModel", "module": "my"}))
    refused(path, "it is of class 'MyModel'")


def test_two_layers_of_a_name_in_a_functional_model(path):
    model = fd.Sequential([fd.Input((4,)), fd.Dense(3, "gelu_tanh", name="a"), fd.Dense(2, name="b")], seed=0)
    write_keras(model, path)
    edit(path, lambda layers: layers.append(layers[1]))
    refused(path, "two layers of 'sequential' are named 'a'")


def weights(change):
    """Return an HDF5 file of two layers' weights, changed."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for key, n_in, units in (("dense", 4, 3), ("dense_1", 3, 2)):
            file[f"layers/{key}/vars/0"] = np.ones((n_in, units), np.float32)
            file[f"layers/{key}/vars/1"] = np.ones(units, np.float32)
        change(file)
    return buffer.getvalue()


def replaced(file, make):
    del file["layers/dense/vars/0"]
    make(file["layers/dense/vars"])


def test_a_link_within_the_file_is_followed(path):
    def link(file):
        file["elsewhere"] = np.full((4, 3), 2, np.float32)
        replaced(file, lambda group: group.__setitem__("0", h5py.SoftLink("/elsewhere")))

    rewrite(path, model__weights__h5=weights(link))
    assert (read_keras(path).layers[0].kernel == 2).all()


def test_a_link_to_another_file(path, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["w"] = np.ones((4, 3), np.float32)
    link = h5py.ExternalLink(str(tmp_path / "other.h5"), "/w")
    rewrite(
        path,
        model__weights__h5=weights(lambda file: replaced(file, lambda group: group.__setitem__("0", link))),
    )
    refused(path, "link to another file, which is not followed")


HIDDEN = {
    "in another file": {"shape": (4, 3), "dtype": "f4", "external": [("outside.bin", 0, 48)]},
    "compressed": {"data": np.ones((4, 3), np.float32), "compression": "gzip"},
    "nowhere": {"shape": (4, 3), "dtype": "f4"},
}


@pytest.mark.parametrize("name", HIDDEN)
def test_weights_that_are_not_in_the_file_as_they_are(path, name):
    make = lambda group: group.create_dataset("0", **HIDDEN[name])  # noqa: E731
    rewrite(path, model__weights__h5=weights(lambda file: replaced(file, make)))
    refused(path, "compressed, in another file or nowhere")


def test_a_bomb_of_weights(path):
    """A billion numbers in a few KB: chunks that were never written."""
    make = lambda group: group.create_dataset("0", (2**15, 2**15), "f4", chunks=(64, 64))  # noqa: E731
    rewrite(path, model__weights__h5=weights(lambda file: replaced(file, make)))
    refused(path, "compressed, in another file or nowhere")


@pytest.mark.parametrize("what", [b"text", np.ones((4, 3), "c8")])
def test_weights_that_are_no_numbers(path, what):
    rewrite(
        path,
        model__weights__h5=weights(lambda file: replaced(file, lambda group: group.__setitem__("0", what))),
    )
    refused(path, "does not hold numbers|damaged")


def test_missing_weights(path):
    rewrite(path, model__weights__h5=weights(lambda file: file.__delitem__("layers/dense_1")))
    refused(path, r"layer 'last' \(Dense\): it has 0 arrays of weights where a dense layer has 2")


def test_an_old_file_of_weights_alone(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["dense/kernel"] = np.ones((4, 3))
    refused(tmp_path / "w.h5", "holds weights alone, without the layers .* call its load_weights")


def old_file(path, layers, arrays, ends=None, **attributes):
    """Write an ``.h5`` file as Keras 2 did: a ``Sequential``, or a functional model if it has ``ends``.

    The names of a nested model's arrays are those of its layers, with a slash.
    """
    kind = "Sequential" if ends is None else "Functional"
    config = {"name": "old", "layers": layers, **(ends or {})}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": kind, "config": config})
        file.attrs.update(attributes)
        file.create_group("model_weights").attrs["layer_names"] = [name.encode() for name in arrays]
        for layer, own in arrays.items():
            group = file.create_group(f"model_weights/{layer}")
            names = [f"{name}:0" if "/" in name else f"{layer}/{name}:0" for name in own]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in zip(names, own.values(), strict=True):
                group[name] = array


def test_files_of_keras_2(tmp_path):
    """There is no input layer, a bias is in the group of its layer, and the hard sigmoid is another one."""
    rng = np.random.default_rng(0)
    W, b, X = rng.normal(size=(4, 3)), rng.normal(size=3), np.float32(rng.normal(size=(5, 4)))
    layers = [
        {
            "class_name": "Dense",
            "config": {"name": "a", "batch_input_shape": [None, 4], "units": 3, "activation": "hard_sigmoid"},
        },
        {"class_name": "LeakyReLU", "config": {"name": "l", "alpha": 0.2}},
    ]
    arrays = {"a": {"kernel": np.float32(W), "bias": np.float32(b)}, "l": {}}
    for version in ("2.15.0", "3.0.0"):
        old_file(tmp_path / "m.h5", layers, arrays, keras_version=version)
        slope = 0.2 if version < "3" else 1 / 6
        expected = np.clip(slope * (X @ W + b) + 0.5, 0, 1)
        found = read_keras(tmp_path / "m.h5").predict(X)
        assert np.abs(found - expected).max() < 1e-6


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_keras(tmp_path / "m.keras")
