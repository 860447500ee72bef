"""PyTorch's own files of weights: its state dicts and ours are the same, and pickles are not run."""

from __future__ import annotations

import importlib
import re

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
    "a module": (lambda path: nn.Linear(2, 2), "holds more than tensors"),
    "code": (lambda path: {"weight": Touch(str(path / "touched"))}, "what it holds is not run"),
    "a checkpoint": (lambda path: {"epoch": 3, "model": nn.Linear(2, 2).state_dict()}, "is not a state_dict"),
    "a list": (lambda path: [torch.ones(2, 2)], "is not a state_dict"),
    "a repeated number": (lambda path: {"weight": torch.ones(1).expand(2**30, 2**30)}, "claims .* bytes"),
}


@pytest.mark.parametrize("case", PICKLED)
def test_pickles_are_not_run(tmp_path, case):
    make, message = PICKLED[case]
    torch.save(make(tmp_path), tmp_path / "file.pt")
    with pytest.raises(FormatError, match=message):
        network_from_torch_weights(tmp_path / "file.pt")
    assert [path.name for path in tmp_path.iterdir()] == ["file.pt"]


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

    outcomes = fuzz(read, samples, 2000, tmp_path / "fuzzed.pt")
    assert min(outcomes["read"], outcomes["refused"]) > 100
