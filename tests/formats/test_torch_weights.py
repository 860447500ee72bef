"""Files of PyTorch's weights, without PyTorch: written, read, matched to a model, or refused."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from safetensors.numpy import load_file, save, save_file

import fastdense as fd
from fastdense.errors import FormatError, NotBuiltError
from fastdense.formats.torch import network_from_torch_weights, read_torch_weights, write_torch_weights
from tests.compare import assert_identical, assert_within
from tests.formats.networks import inputs, networks
from tests.fuzz import fuzz


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.safetensors"


def container(kind, **tensors):
    """Return a safetensors file of tensors of a kind that NumPy may not have, given as shapes and bytes."""
    header, data = {}, b""
    for name, (shape, content) in tensors.items():
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": offsets}
        data += content
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def two_layers(dtype="float32", seed=0):
    return fd.Sequential([fd.Input((3,)), fd.Dense(4, "relu"), fd.Dense(2)], seed=seed, dtype=dtype)


def adaptable(seed=0):
    layers = [fd.Input((3,)), fd.Normalization(), fd.Dense(4, "relu", use_bias=False), fd.Dropout(0.5)]
    model = fd.Sequential([*layers, fd.Dense(2)], seed=seed)
    model.layers[0].adapt(np.random.default_rng(seed).normal(size=(50, 3)))
    return model


def test_names_and_layout_are_pytorchs(path):
    model = adaptable()
    write_torch_weights(model, path)
    found = load_file(path)
    assert sorted(found) == [
        "0.deviation",
        "0.mean",
        "1.weight",
        "4.bias",
        "4.weight",
    ]  # 2 is ReLU, 3 Dropout
    assert_identical(found["1.weight"], model.layers[1].kernel.T)
    assert_identical(found["4.bias"], model.layers[3].bias)
    assert_identical(found["0.deviation"], np.float32(np.sqrt(model.layers[0].weights[1])))


@settings(max_examples=50, deadline=None)
@given(networks())
def test_what_was_written_is_read(tmp_path_factory, model):
    path = tmp_path_factory.getbasetemp() / "random.safetensors"
    write_torch_weights(model, path)
    X, expected = inputs(model, 3), model.get_weights()
    with np.errstate(all="ignore"):
        before = model.predict(X)
        model.set_weights([np.zeros_like(array) for array in expected])
        read_torch_weights(model, path)
        assert_identical(model.predict(X), before)
    for found, wanted in zip(model.get_weights(), expected, strict=True):
        assert_identical(found, wanted)


def test_statistics_are_read_too(path):
    model, other = adaptable(), adaptable(seed=1)
    write_torch_weights(model, path)
    read_torch_weights(other, path)
    X = inputs(model, 5)
    assert_within(other.predict(X), model.predict(X), 1e-6 * np.abs(model.predict(X)).max())


def fifteen(names):
    """Return tensors of 15 layers of one unit whose weights are 0, 1, 2 ... in the order of the names."""
    return {f"{name}.weight": np.full((1, 1), i, np.float32) for i, name in enumerate(names)}


@pytest.mark.parametrize("style", ["fc{}", "{}", "net.{}", "net.{}.0", "a{}b2", "blocks.{}.linear"])
def test_names_are_in_natural_order(path, style):
    save_file(fifteen(style.format(i) for i in range(1, 16)), path)
    model = fd.Sequential([fd.Input((1,)), *(fd.Dense(1, use_bias=False) for _ in range(15))])
    read_torch_weights(model, path)
    assert [float(array[0, 0]) for array in model.weights] == list(range(15))


def test_an_order_that_names_do_not_tell_is_asked_for(path):
    order = ["input", "hidden", "output"]
    save_file(fifteen(order), path)
    model = fd.Sequential([fd.Input((1,)), *(fd.Dense(1, use_bias=False) for _ in order)])
    for call in (network_from_torch_weights, lambda path: read_torch_weights(model, path)):
        with pytest.raises(
            FormatError, match=r"whether '\w+' or 'output' comes first.*order=, a list of 'hidd"
        ):
            call(path)
    read_torch_weights(model, path, order)
    assert [float(array[0, 0]) for array in model.weights] == [0, 1, 2]
    assert len(network_from_torch_weights(path, order=order).layers) == 3
    with pytest.raises(FormatError, match="has the modules hidden, input, output; the order names input"):
        read_torch_weights(model, path, order[:1])


def test_shapes_may_tell_the_order(path):
    save_file({"body.weight": np.ones((4, 3), np.float32), "head.weight": np.ones((2, 4), np.float32)}, path)
    assert [layer.n_units for layer in network_from_torch_weights(path).layers] == [4, 2]


def test_a_module_alone_has_no_prefix(path):
    save_file({"weight": np.eye(3, dtype=np.float32), "bias": np.ones(3, np.float32)}, path)
    model = network_from_torch_weights(path)
    assert_within(model.predict([[1.0, 2.0, 3.0]]), np.float32([[2.0, 3.0, 4.0]]), 0.0)


@pytest.mark.parametrize("kind", ["F16", "BF16"])
def test_half_precision_becomes_float32(path, kind):
    values = np.array([[1.0, -0.5, 2.0**-14]], np.float32)  # the same in both
    data = values.astype(np.float16) if kind == "F16" else (values.view(np.uint32) >> 16).astype("<u2")
    path.write_bytes(container(kind, weight=([1, 3], data.tobytes())))
    assert_identical(network_from_torch_weights(path).layers[0].kernel, values.T.copy())


def test_a_chain_is_inferred_from_the_shapes(path):
    model = fd.Sequential([fd.Input((3,)), *(fd.Dense(n, "tanh") for n in (5, 4)), fd.Dense(2, "softmax")])
    write_torch_weights(model, path)
    found = network_from_torch_weights(path, activation="tanh", last="softmax")
    assert [layer.activation.name for layer in found.layers] == ["tanh", "tanh", "softmax"]
    assert_identical(found.predict(inputs(model, 4)), model.predict(inputs(model, 4)))
    assert [layer.activation.name for layer in network_from_torch_weights(path).layers] == ["relu"] * 2 + [
        "linear"
    ]


@pytest.mark.parametrize("kind", ["I8", "U8", "BOOL"])
def test_other_dtypes_are_refused(path, kind):
    path.write_bytes(container(kind, weight=([1, 3], bytes(3))))
    with pytest.raises(FormatError, match=f"tensor 'weight' has dtype {kind}, which no model has"):
        network_from_torch_weights(path)


W1, B1 = np.ones((4, 3), np.float32), np.ones(4, np.float32)
W2, B2 = np.ones((2, 4), np.float32), np.ones(2, np.float32)
FITTING = {"fc1.weight": W1, "fc1.bias": B1, "fc2.weight": W2, "fc2.bias": B2}
MISFITS = {
    "missing": ({k: v for k, v in FITTING.items() if "fc2" not in k}, "1 modules.*2 layers.*dense, dense_1"),
    "too many": (FITTING | {"fc3.weight": W2}, r"3 modules \(fc1, fc2, fc3\)"),
    "no bias": (
        {k: v for k, v in FITTING.items() if k != "fc2.bias"},
        "fc2 and layer 'dense_1': it has weight",
    ),
    "unknown": (FITTING | {"fc2.gain": B2}, r"fc2 and layer 'dense_1': it has .*gain \(2,\)"),
    "shape": (FITTING | {"fc1.weight": W1.T.copy()}, r"fc1 .*has .*\(3, 4\).*the layer takes .*\(4, 3\)"),
    "both": (FITTING | {"fc1.bias": B2, "fc2.bias": B1}, "fc1 and layer 'dense'.*; fc2 and layer"),
    "dtype": (FITTING | {"fc1.bias": B1.astype(np.float64)}, "bias .* of float64"),
    "counter": (FITTING | {"fc1.num_batches_tracked": np.array(3)}, "num_batches_tracked"),
    "nothing": ({}, r"0 modules \(none\)"),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_a_misfit_is_described_and_changes_nothing(path, misfit):
    tensors, message = MISFITS[misfit]
    path.write_bytes(save(tensors))
    model = two_layers()
    before = model.weights
    with pytest.raises(FormatError, match=re.compile(message, re.DOTALL)) as caught:
        read_torch_weights(model, path)
    assert str(path) in str(caught.value)
    assert all(a is b for a, b in zip(before, model.weights, strict=True))
    save_file(FITTING, path)
    read_torch_weights(model, path)


@pytest.mark.parametrize("deviation", [0.0, -1.0, 1e-9, np.nan, np.inf])
def test_statistics_must_be_some(path, deviation):
    model = fd.Sequential([fd.Input((1,)), fd.Normalization()])
    save_file({"0.mean": np.zeros(1, np.float32), "0.deviation": np.full(1, deviation, np.float32)}, path)
    with pytest.raises(FormatError, match="statistics are finite, and deviations at least 1e-07"):
        read_torch_weights(model, path)


def test_a_rescaling_is_compared(path):
    source, model, other = (
        fd.Sequential([fd.Input((3,)), fd.layers.Rescaling(scale), fd.Dense(2)], seed=seed)
        for seed, scale in enumerate((2.0, 2.0, 4.0))
    )
    write_torch_weights(source, path)
    read_torch_weights(model, path)
    assert_identical(model.layers[1].kernel, source.layers[1].kernel)
    with pytest.raises(FormatError, match="given other statistics, which cannot be changed"):
        read_torch_weights(other, path)


def test_given_statistics_are_compared(path):
    model = fd.Sequential([fd.Input((1,)), fd.Normalization(mean=1.0, variance=4.0), fd.Dense(1)])
    write_torch_weights(model, path)
    read_torch_weights(model, path)
    tensors = load_file(path)
    save_file(tensors | {"0.mean": np.zeros(1, np.float32)}, path)
    with pytest.raises(FormatError, match="given other statistics, which cannot be changed"):
        read_torch_weights(model, path)


NO_CHAIN = {
    "no linear": (
        {"conv.weight": np.ones((2, 3, 3, 3), np.float32)},
        r"conv is not a Linear: .*\(2, 3, 3, 3\)",
    ),
    "norm": ({"norm.weight": B1, "norm.bias": B1}, "norm is not a Linear"),
    "no weight": ({"fc1.bias": B1}, "fc1 is not a Linear"),
    "broken chain": ({"fc1.weight": W1, "fc2.weight": W1}, "fc2: it takes 3 columns, but 4 come in"),
    "bias": ({"fc1.weight": W1, "fc1.bias": B2}, "fc1: .*bias"),
    "dtypes": ({"a.weight": W1, "b.weight": W2.astype(np.float64)}, "float32, float64; a network has one"),
    "integers": ({"a.weight": W1.astype(np.int64)}, "int64"),
    "empty": ({"a.weight": np.ones((0, 3), np.float32)}, "a: "),
    "nothing": ({}, "tensors of none"),
}


@pytest.mark.parametrize("case", NO_CHAIN)
def test_what_is_no_chain_is_refused(path, case):
    tensors, message = NO_CHAIN[case]
    path.write_bytes(save(tensors))
    with pytest.raises(FormatError, match=message):
        network_from_torch_weights(path)


@pytest.mark.parametrize("call", [write_torch_weights, read_torch_weights])
def test_the_ending_says_what_a_file_is(tmp_path, call):
    with pytest.raises(FormatError, match=r"\.safetensors.*got '.*weights\.dat'"):
        call(two_layers(), tmp_path / "weights.dat")
    assert not list(tmp_path.iterdir())


def test_an_unbuilt_model_has_no_weights(path):
    model = fd.Sequential([fd.Dense(1)])
    with pytest.raises(NotBuiltError):
        write_torch_weights(model, path)
    assert not path.exists()
    save_file(FITTING, path)
    with pytest.raises(NotBuiltError):
        read_torch_weights(model, path)


def test_a_file_that_is_not_there(tmp_path):
    for ending in ("safetensors", "pt"):
        with pytest.raises((FileNotFoundError, ImportError)):
            network_from_torch_weights(tmp_path / f"nowhere.{ending}")


def test_fuzzed_files_are_read_or_refused(tmp_path, path):
    """A model is filled or left as it was, a network is made or not."""
    samples = {}
    for name, model in {"two": two_layers(), "double": two_layers("float64"), "norm": adaptable()}.items():
        write_torch_weights(model, path)
        samples[name] = path.read_bytes()
    samples["half"] = container("BF16", weight=([4, 3], bytes(24)), bias=([4], bytes(8)))
    models = [two_layers(), two_layers("float64"), adaptable()]

    def read(path):
        refused = []
        for model in models:
            before = model.weights
            try:
                read_torch_weights(model, path)
            except FormatError as error:
                refused.append(error)
                assert all(a is b for a, b in zip(before, model.weights, strict=True))
            assert [a.shape for a in model.weights] == [a.shape for a in before]
        if len(refused) == len(models):
            raise refused[-1]

    def infer(path):
        model = network_from_torch_weights(path)
        with np.errstate(all="ignore"):
            assert model.predict(inputs(model, 2)).shape == (2, model.output_shape[1])

    for reader in (read, infer):
        outcomes = fuzz(reader, samples, path)
        assert min(outcomes["read"], outcomes["refused"]) > 20
