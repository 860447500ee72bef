"""The order of a chain's modules in a file of weights: numbers, then shapes, then the file, or a question."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

import fastdense as fd
from fastdense.errors import FormatError, FormatWarning
from fastdense.formats.torch import network_from_torch_weights, read_torch_weights
from tests.compare import assert_identical


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.safetensors"


def weights(path, **widths):
    """Write Linears of random weights, given as the columns they take and make, and return their weights."""
    rng = np.random.default_rng(0)
    tensors = {
        f"{name}.weight": rng.normal(size=(n, k)).astype(np.float32) for name, (k, n) in widths.items()
    }
    save_file(tensors, path)
    return {name.removesuffix(".weight"): array for name, array in tensors.items()}


def assert_order(model, tensors, names):
    assert len(model.layers) == len(names)
    for layer, name in zip(model.layers, names, strict=True):
        assert_identical(layer.kernel, tensors[name].T.copy())


DOUBTFUL = {
    "an autoencoder": {"decoder": (3, 8), "encoder": (8, 3)},
    "a deep autoencoder": {
        "encoder.0": (8, 5),
        "encoder.2": (5, 3),
        "decoder.0": (3, 5),
        "decoder.2": (5, 8),
    },
    "numbers within words": {"enc1": (8, 3), "enc2": (3, 3), "dec1": (3, 3), "dec2": (3, 8)},
    "square layers": {"hidden": (8, 8), "output": (8, 8)},
    "a head": {"fc1": (8, 8), "fc2": (8, 8), "out": (8, 8)},
    "a number that one of two names has": {"fc": (8, 8), "fc1": (8, 8)},
    "a word for the middle": {"fc": (8, 3), "fc1": (3, 8)},
    "containers, one without a number": {"block.0": (8, 8), "block1.0": (8, 8)},
    "a wrapped autoencoder": {"net.up": (3, 8), "net.down": (8, 3)},
    "many": dict.fromkeys("abcdefghijkl", (4, 4)),
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_an_order_that_nothing_decides_is_asked_for(path, case):
    tensors = weights(path, **DOUBTFUL[case])
    names = sorted(tensors, reverse=True)
    with pytest.raises(FormatError, match=r"does not say whether '.*' or '.*' comes first.*Give order="):
        network_from_torch_weights(path)
    if case != "a head":
        assert_order(
            network_from_torch_weights(path, order=list(DOUBTFUL[case])), tensors, list(DOUBTFUL[case])
        )
    if case == "an autoencoder":
        assert_order(network_from_torch_weights(path, order=names), tensors, names)


def test_containers_can_be_ordered_by_what_their_names_begin_with(path):
    tensors = weights(path, **DOUBTFUL["a deep autoencoder"])
    for order in (["encoder", "decoder"], ["encoder.", "decoder.0", "decoder.2"]):
        model = network_from_torch_weights(path, order=order)
        assert_order(model, tensors, ["encoder.0", "encoder.2", "decoder.0", "decoder.2"])
    for order in (
        ["encoder"],
        ["enc", "dec"],
        ["encoder", "decoder", "decoder.0"],
        ["encoder", "decoder", "x"],
    ):
        with pytest.raises(FormatError, match="the order names"):
            network_from_torch_weights(path, order=order)


def test_an_order_may_leave_a_question(path):
    weights(path, **{"a.up": (3, 3), "a.down": (3, 3), "b": (3, 3)})
    with pytest.raises(FormatError, match=r"whether 'a\.down' or 'a\.up' comes first"):
        network_from_torch_weights(path, order=["a", "b"])


DECIDED = {
    "numbers": ["l1", "l2", "l10"],
    "levels": ["net.0.fc2", "net.0.fc10", "net.3.fc1"],
    "underscores": ["dense_1", "dense_2", "dense_10"],
}


@pytest.mark.parametrize("case", DECIDED)
def test_numbers_decide_between_square_layers(path, case):
    tensors = weights(path, **dict.fromkeys(DECIDED[case], (4, 4)))
    assert_order(network_from_torch_weights(path), tensors, DECIDED[case])


def test_shapes_decide_if_one_order_fits(path):
    tensors = weights(path, out=(8, 2), fc1=(4, 8), fc2=(8, 8))
    assert_order(network_from_torch_weights(path), tensors, ["fc1", "fc2", "out"])


def test_shapes_decide_about_a_name_without_a_number(path):
    tensors = weights(path, fc=(8, 2), fc1=(4, 8), fc2=(8, 8))
    assert_order(network_from_torch_weights(path), tensors, ["fc1", "fc2", "fc"])


def test_the_shapes_of_the_model_decide_too(path):
    tensors = weights(path, **DOUBTFUL["an autoencoder"])
    layers = [fd.Input((8,)), fd.Dense(3, use_bias=False), fd.Dense(8, use_bias=False)]
    model = fd.Sequential(layers, seed=0)
    read_torch_weights(model, path)
    assert_order(model, tensors, ["encoder", "decoder"])


def test_containers_stay_together_and_are_spoken_of(path):
    widths = {"body.0": (4, 8), "body.2": (8, 8), "head.0": (8, 8), "head.2": (8, 2)}
    tensors = weights(path, **widths)
    with pytest.warns(FormatWarning, match="'body' and 'head' are taken for parts of one network.*prefix="):
        model = network_from_torch_weights(path)
    assert_order(model, tensors, list(widths))


TWO = {"actor.0": (4, 8), "actor.2": (8, 2), "critic.0": (4, 8), "critic.2": (8, 1)}


def test_one_of_several_networks_is_chosen(path):
    tensors = weights(path, **TWO)
    with pytest.raises(FormatError, match="choose one of actor, critic with prefix="):
        network_from_torch_weights(path)
    for prefix in ("critic", "critic."):
        assert_order(network_from_torch_weights(path, prefix=prefix), tensors, ["critic.0", "critic.2"])
    model = fd.Sequential([fd.Input((4,)), fd.Dense(8, use_bias=False), fd.Dense(2, use_bias=False)], seed=0)
    read_torch_weights(model, path, prefix="actor")
    assert_order(model, tensors, ["actor.0", "actor.2"])
    with pytest.raises(FormatError, match=r"begins with 'crit'; they begin with actor\., critic\."):
        network_from_torch_weights(path, prefix="crit")
