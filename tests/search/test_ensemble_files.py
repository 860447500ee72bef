"""An ensemble's file: the same bits after a trip, and refused if it is not as `save` writes it."""

import copy

import numpy as np
import pytest
from sklearn.datasets import load_iris

import fastdense as fd
from fastdense import MLPClassifier, MLPRegressor
from fastdense.core import files
from fastdense.errors import FormatError
from fastdense.search import Ensemble, load
from tests.compare import assert_identical

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
NETWORK = MLPClassifier((6,), learning_rate_init=0.03, max_iter=4)
RARE = np.r_[[2] * 1, [1] * 6, [0] * 143]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ensemble.safetensors"


@pytest.fixture(scope="module")
def fitted():
    return Ensemble(NETWORK, 3, random_state=0).fit(X, Y)


@pytest.mark.parametrize(
    "targets", [Y, RARE, Y == 1, np.array(["rose", "tulip", "violet"])[RARE], Y / 2, Y.astype(np.int8)]
)
def test_a_classifier_comes_back_with_its_bits_and_classes(path, targets):
    targets = targets.astype(str) if targets.dtype.kind == "f" else targets
    ensemble = Ensemble(NETWORK, 8, random_state=0).fit(X, targets)
    ensemble.save(path)
    loaded = load(path)
    assert_identical(loaded.predict(X), ensemble.freeze().predict(X))
    assert loaded.classes.tolist() == ensemble.classes_.tolist()
    assert_identical(loaded.predict(X)[:, -1:], ensemble.predict_proba(X)[:, -1:])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_regressor_comes_back_with_its_bits(path, dtype):
    network = MLPRegressor(hidden_layer_sizes=(6,), max_iter=4, dtype=dtype)
    ensemble = Ensemble(network, 3, random_state=0).fit(X, X[:, 0])
    ensemble.save(path)
    loaded = fd.search.load(path)
    assert loaded.classes is None
    assert_identical(loaded.predict(X)[:, 0], ensemble.predict(X))


def test_a_file_is_not_replaced_if_it_is_not_to_be(fitted, path):
    fitted.save(path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="remove it"):
        fitted.save(path, overwrite=False)
    fitted.save(path)
    assert path.read_bytes() == before
    with pytest.raises(FormatError, match=r"ends in \.safetensors"):
        fitted.save(path.with_suffix(".keras"))


def test_the_kinds_of_files_are_told_apart(fitted, path):
    fitted.save(path)
    with pytest.raises(FormatError, match=r"fastdense\.search\.load reads it"):
        fd.load(path)
    fitted.to_networks()[0].save(path)
    with pytest.raises(FormatError, match=r"fastdense\.load reads a single model"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(path.with_name("none.safetensors"))


def test_a_flipped_bit_is_noticed(fitted, path):
    fitted.save(path)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(FormatError, match="damaged"):
        load(path)


def changes(description, arrays):
    """Yield names of what is wrong with changed copies, and these."""

    def changed(**fields):
        return copy.deepcopy(description) | fields, dict(arrays)

    yield "version 2", changed(version=2)
    yield "at least one member", changed(members=[])
    yield "at least one member", changed(members={})
    yield "no description", changed(members=[1, *description["members"]])
    yield "fields", changed(more=1)
    yield "fields", ({k: v for k, v in description.items() if k != "classes"}, arrays)
    yield "fits 3 outputs", changed(classes=[0, 1])
    yield "fits 3 outputs", changed(classes="abc")
    yield "numbers or (all )?texts", changed(classes=[0, 1, None])
    yield "numbers or (all )?texts", changed(classes=[0, 1, "2"])
    yield "numbers or (all )?texts", changed(classes=[[0], [1], [2]])
    yield "are of no member", changed(members=description["members"][:2])
    yield (
        "missing or unknown",
        (description, {k: v for k, v in arrays.items() if "members/1/layers/0" not in k}),
    )
    yield "are of no member", (description, arrays | {"members/7/x": np.zeros(1)})
    odd = copy.deepcopy(description)
    odd["members"][1]["model"]["dtype"] = "float16"
    yield "float16", (odd, arrays)
    yield "holds an ensemble", changed(members=[description, *description["members"]])


def test_what_save_does_not_write_is_refused(fitted, path):
    fitted.save(path)
    for wrong, (description, arrays) in changes(*files.read(path)):
        files.write(path, description, arrays)
        with pytest.raises(FormatError, match=wrong):
            load(path)


def test_members_that_differ_are_refused(fitted, path):
    fitted.save(path)
    description, arrays = files.read(path)
    Ensemble(NETWORK, 1, random_state=0).fit(X[:, :3], Y).save(path)
    other, own = files.read(path)
    description["members"][0] = other["members"][0]
    files.write(path, description, arrays | own)
    with pytest.raises(FormatError, match="differ in their inputs, outputs or dtype"):
        load(path)


def test_classes_that_no_file_holds_are_named(path):
    days = np.array(["2026-01-01", "2026-01-02"], "datetime64[D]")[(Y > 0).astype(int)]
    ensemble = Ensemble(NETWORK, 2, random_state=0).fit(X, days.astype(object).astype(str))
    ensemble.classes_ = np.unique(days)
    with pytest.raises(FormatError, match="classes that are numbers or texts"):
        ensemble.save(path)
    assert not path.exists()
