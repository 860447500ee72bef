"""PyTorch's own files of weights: its state dicts and ours are the same, and pickles are not run."""

from __future__ import annotations

import importlib
import pickle
import re
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings

from fastdense.errors import FormatError
from fastdense.formats.torch import (
    network_from_torch_weights,
    read_torch_weights,
    to_torch,
    write_torch_weights,
)
from tests.compare import assert_identical
from tests.formats.networks import assert_predicts_as, inputs, networks
from tests.fuzz import fuzz

torch = pytest.importorskip("torch", exc_type=ImportError)
nn = torch.nn
predictions_of = importlib.import_module("tests.formats.torch_modules").predictions_of


@settings(max_examples=50, deadline=None)
@given(networks())
def test_a_written_file_is_the_modules_state(tmp_path_factory, model):
    load_file = importlib.import_module("safetensors.torch").load_file
    path, module = tmp_path_factory.getbasetemp() / "state.safetensors", to_torch(model)
    write_torch_weights(model, path)
    found, expected = load_file(path), module.state_dict()
    assert sorted(found) == sorted(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    module.load_state_dict(found)


class Named(nn.Module):
    """Layers whose order is not that of their names."""

    def __init__(self):
        super().__init__()
        self.input, self.hidden, self.output = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x):
        return self.output(self.hidden(self.input(x)))


@pytest.mark.parametrize("ending", ["pt", "pth"])
@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}])
def test_state_files_of_pytorch_keep_their_order(tmp_path, ending, options):
    module, path = Named(), tmp_path / f"state.{ending}"
    torch.save(module.state_dict(), path, **options)
    model = network_from_torch_weights(path, activation="linear")
    assert_predicts_as(predictions_of(module), model, inputs(model, 4))
    read_torch_weights(model, path)


class Touch:
    """Unpickled by whoever trusts it, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


PICKLED = {
    "a module": (
        lambda path: nn.Linear(2, 2),
        r"\(torch.nn.modules.linear.Linear\), and what it holds is not run",
    ),
    "code": (
        lambda path: {"weight": Touch(str(path / "touched"))},
        r"\(.*open\), and what it holds is not run",
    ),
    "room": (lambda path: {"weight": Room()}, r"more than tensors by name \(.*bytearray\)"),
    "a checkpoint": (lambda path: {"epoch": 3, "model": nn.Linear(2, 2).state_dict()}, "is not a state_dict"),
    "a list": (lambda path: [torch.ones(2, 2)], "is not a state_dict"),
    "numbered": (lambda path: {1: torch.ones(2, 2)}, "is not a state_dict"),
    "sparse": (lambda path: {"weight": torch.eye(3).to_sparse()}, "_rebuild_sparse_tensor"),
    "quantized": (
        lambda path: {"weight": torch.quantize_per_tensor(torch.eye(3), 0.1, 0, torch.qint8)},
        "_rebuild_qtensor",
    ),
    "a repeated number": (
        lambda path: {"weight": torch.ones(1).expand(40, 40)},
        "claims 6400 bytes of tensors",
    ),
    "a number often repeated": (
        lambda path: {"weight": torch.ones(1).expand(2**30, 2**30)},
        "speaks of 1073741824 numbers",
    ),
}


class Room:
    """Unpickled by whoever trusts it, it takes a terabyte."""

    def __reduce__(self):
        return bytearray, (2**40,)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
@pytest.mark.parametrize("old", [False, True], ids=["zip", "old"])
@pytest.mark.parametrize("case", PICKLED)
def test_pickles_are_not_run(tmp_path, case, old):
    make, message = PICKLED[case]
    torch.save(make(tmp_path), tmp_path / "file.pt", _use_new_zipfile_serialization=not old)
    with pytest.raises(FormatError, match=message):
        network_from_torch_weights(tmp_path / "file.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["file.pt"]


def test_other_ways_to_name_a_function_are_refused(tmp_path):
    (tmp_path / "file.pt").write_bytes(pickle.dumps(print, protocol=4))
    with pytest.raises(FormatError, match="the instruction STACK_GLOBAL"):
        network_from_torch_weights(tmp_path / "file.pt")


def again(path, change, compression=zipfile.ZIP_STORED):
    """Write a zip file's members anew, each changed."""
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(*change(name, content))


def larger(name, content):
    """Return the file's pickle with a storage of 1000 numbers instead of 6."""
    return name, content.replace(b"K\x06t", b"M\xe8\x03t") if name.endswith("data.pkl") else content


ZIPPED = {
    "compressed": ((lambda name, content: (name, content)), zipfile.ZIP_DEFLATED, "holds compressed members"),
    "another pickle": (
        (lambda name, content: (name.replace("version", "more/data.pkl"), content)),
        zipfile.ZIP_STORED,
        "it has 3 data.pkl",
    ),
    "no pickle": ((lambda name, content: (name + ".old", content)), zipfile.ZIP_STORED, "it has 0 data.pkl"),
    "a larger storage": (larger, zipfile.ZIP_STORED, "record size|damaged"),
}


@pytest.mark.parametrize("case", ZIPPED)
def test_a_zip_file_must_be_as_pytorch_writes_it(tmp_path, case):
    change, compression, message = ZIPPED[case]
    path = tmp_path / "file.pt"
    torch.save({"weight": torch.ones(3, 2), "bias": torch.ones(3)}, path)
    network_from_torch_weights(path)
    again(path, change, compression)
    with pytest.raises(FormatError, match=message):
        network_from_torch_weights(path)


def test_weights_may_be_shared(tmp_path):
    weight = torch.ones(50, 50)
    torch.save(
        {"a.weight": weight, "b.weight": weight, "c.weight": nn.Parameter(weight)}, tmp_path / "file.pt"
    )
    assert len(network_from_torch_weights(tmp_path / "file.pt").layers) == 3


def test_the_order_can_be_given_too(tmp_path):
    module = Named()
    torch.save(module.state_dict(), tmp_path / "file.pt")
    order = ["output", "input", "hidden"]
    model = network_from_torch_weights(tmp_path / "file.pt", order=order)
    for layer, name in zip(model.layers, order, strict=True):
        assert_identical(layer.kernel, module.get_submodule(name).weight.detach().numpy().T)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04", b"\x80\x02}q\x00."])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "file.pt").write_bytes(content)
    with pytest.raises(FormatError, match=re.escape(str(tmp_path / "file.pt"))):
        network_from_torch_weights(tmp_path / "file.pt")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")
def test_fuzzed_state_files_are_read_or_refused(tmp_path):
    samples = {}
    for name, options in {"zip": {}, "old": {"_use_new_zipfile_serialization": False}}.items():
        torch.save(
            nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).state_dict(),
            tmp_path / name,
            **options,
        )
        samples[name] = (tmp_path / name).read_bytes()

    def read(path):
        model = network_from_torch_weights(path)
        with np.errstate(all="ignore"):
            assert model.predict(inputs(model, 2)).shape == (2, model.output_shape[1])

    outcomes = fuzz(read, samples, 20_000, tmp_path / "fuzzed.pt")
    assert min(outcomes["read"], outcomes["refused"]) > 1000
