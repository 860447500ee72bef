"""PyTorch's own files of weights: its state dicts and ours are the same, and pickles are not run."""

from __future__ import annotations

import importlib
import io
import re
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings

from fastdense.errors import FormatError, FormatWarning
from fastdense.formats.torch import (
    network_from_torch_weights,
    read_torch_weights,
    to_torch,
    write_torch_weights,
)
from tests.compare import assert_identical
from tests.formats.networks import assert_predicts_as, inputs, networks
from tests.fuzz import fuzz, limited_memory

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
    with pytest.warns(
        FormatWarning, match="the file's order, input, hidden, output, which is that of their def"
    ):
        model = network_from_torch_weights(path, activation="linear")
    assert_predicts_as(predictions_of(module), model, inputs(model, 4))
    with pytest.warns(FormatWarning, match="give order="):
        read_torch_weights(model, path)
    assert_predicts_as(predictions_of(module), model, inputs(model, 4))


def test_a_state_that_was_sorted_has_no_order(tmp_path):
    """A dict of sorted names lists biases first, as no module defines them."""
    state = dict(sorted(Named().state_dict().items()))
    torch.save(state, tmp_path / "sorted.pt")
    with pytest.raises(FormatError, match="does not say whether 'input' or 'output' comes first"):
        network_from_torch_weights(tmp_path / "sorted.pt")


class Touch:
    """Unpickled by whoever trusts it, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


PICKLED = {
    "code": (
        lambda path: {"weight": Touch(str(path / "touched"))},
        r"checkpoint with one, but a dict of .*open",
    ),
    "room": (lambda path: {"weight": Room()}, r"but a dict of .*bytearray"),
    "code alone": (lambda path: Touch(str(path / "touched")), r"checkpoint with one, but .*open"),
    "meta": (lambda path: {"weight": torch.ones(3, 2, device="meta")}, "_rebuild_meta_tensor_no_storage"),
    "complex": (lambda path: {"weight": torch.ones(3, 2, dtype=torch.complex64)}, "tensors of complex64"),
    "a conjugate": (
        lambda path: {"weight": torch.ones(3, 2, dtype=torch.complex64).conj()},
        "not a dense tensor",
    ),
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
        "claims 4611686018427387904 bytes of tensors",
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


@pytest.mark.parametrize("protocol", range(1, 6))
def test_pickles_of_any_protocol_are_not_run(tmp_path, protocol):
    touch = Touch(str(tmp_path / "touched"))
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        torch.save({"weight": touch, "w": [touch]}, tmp_path / "file.pt", pickle_protocol=protocol, **options)
        with pytest.raises(FormatError, match=r"but a dict of .*open"):
            network_from_torch_weights(tmp_path / "file.pt")
        module = nn.Linear(3, 2)
        torch.save(
            module.state_dict() | {"more": touch}, tmp_path / "file.pt", pickle_protocol=protocol, **options
        )
        model = network_from_torch_weights(tmp_path / "file.pt")
        assert_predicts_as(predictions_of(module), model, inputs(model, 4))
    assert [path.name for path in tmp_path.iterdir()] == ["file.pt"]


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
    "a larger storage": (larger, zipfile.ZIP_STORED, "has 24 bytes, and its storage 4000"),
    "a shorter record": (
        (lambda name, content: (name, content[:-4] if name.endswith("data/0") else content)),
        zipfile.ZIP_STORED,
        "the record '.*data/0' has 20 bytes, and its storage 24",
    ),
    "a longer record": (
        (lambda name, content: (name, content + bytes(4) if name.endswith("data/0") else content)),
        zipfile.ZIP_STORED,
        "the record '.*data/0' has 28 bytes, and its storage 24",
    ),
    "no record": (
        (lambda name, content: (name.replace("data/0", "data/7"), content)),
        zipfile.ZIP_STORED,
        "it has 0 records '.*data/0'",
    ),
    "two records": (
        (lambda name, content: (name.replace("data/1", "data/0"), content)),
        zipfile.ZIP_STORED,
        "it has 2 records '.*data/0'",
    ),
    "a view beyond its storage": (
        (lambda name, content: (name, content.replace(b"K\x00K\x03K\x02", b"K\x01K\x03K\x02"))),
        zipfile.ZIP_STORED,
        "a tensor ends at number 7 of a storage of 6",
    ),
    "strides beyond its storage": (
        (lambda name, content: (name, content.replace(b"K\x02K\x01\x86", b"K\x03K\x01\x86"))),
        zipfile.ZIP_STORED,
        "a tensor ends at number 8 of a storage of 6",
    ),
}


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize("case", ZIPPED)
def test_a_zip_file_must_be_as_pytorch_writes_it(tmp_path, case):
    change, compression, message = ZIPPED[case]
    path = tmp_path / "file.pt"
    torch.save({"weight": torch.ones(3, 2), "bias": torch.ones(3)}, path)
    network_from_torch_weights(path)
    again(path, change, compression)
    with pytest.raises(FormatError, match=message):
        network_from_torch_weights(path)


@pytest.mark.parametrize("cut", [1, 4, 12, 60, 100])
def test_an_old_file_holds_its_storages_in_full(tmp_path, cut):
    """PyTorch's own reader leaves what is missing to chance: what the memory held before."""
    path, module = tmp_path / "old.pt", nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    torch.save(module.state_dict(), path, _use_new_zipfile_serialization=False)
    model = network_from_torch_weights(path)
    assert_predicts_as(predictions_of(module), model, inputs(model, 4))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(FormatError, match=r"is damaged: the storage '.*' is not there in full"):
        network_from_torch_weights(path)


def test_an_old_file_lists_its_storages(tmp_path):
    path = tmp_path / "old.pt"
    torch.save({"weight": torch.ones(3, 2)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    key = content[content.index(b"FloatStorage") :].split(b"X")[1][4:].split(b"q")[0]  # the storage's name
    for changed in (content.replace(key, b"1" * len(key), 1), content.replace(b"]q", b"0]q", 1)):
        path.write_bytes(changed)
        with pytest.raises(FormatError, match=r"old\.pt (is damaged|has a storage)"):
            network_from_torch_weights(path)


VIEWS = {
    "a transpose": torch.arange(6.0).reshape(2, 3).T,
    "rows of a matrix": torch.arange(12.0).reshape(4, 3)[1:3],
    "columns of a matrix": torch.arange(12.0).reshape(4, 3)[:, 1:],
    "every other row": torch.arange(12.0).reshape(4, 3)[::2],
    "overlapping rows": torch.arange(4.0).unfold(0, 3, 1),
    "a repeated row": torch.arange(3.0).expand(2, 3),
    "a parameter": nn.Parameter(torch.arange(6.0).reshape(2, 3)),
    "half": torch.tensor([[1.0, -0.5, 2.0**-14]], dtype=torch.float16),
    "bfloat16": torch.tensor([[1.0, -0.5, 2.0**-14]], dtype=torch.bfloat16),
    "double": torch.arange(6.0, dtype=torch.float64).reshape(2, 3) / 7,
}


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old"])
@pytest.mark.parametrize("view", VIEWS)
def test_views_are_read_as_pytorch_shows_them(tmp_path, view, old):
    torch.save({"weight": VIEWS[view]}, tmp_path / "w.pt", _use_new_zipfile_serialization=not old)
    found = network_from_torch_weights(tmp_path / "w.pt").layers[0].kernel
    wanted = VIEWS[view].detach()
    wanted = wanted if wanted.dtype == torch.float64 else wanted.float()
    assert_identical(found, wanted.numpy().T.copy())


def test_weights_may_be_shared(tmp_path):
    weight = torch.ones(50, 50)
    torch.save(
        {"a.weight": weight, "b.weight": weight, "c.weight": nn.Parameter(weight)}, tmp_path / "file.pt"
    )
    with pytest.warns(FormatWarning, match="a, b, c, which is that of their definition"):
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


def samples(path):
    """Return good files of every kind that is read, by name."""
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    kinds = {
        "zip": (module.state_dict(), {}),
        "old": (module.state_dict(), {"_use_new_zipfile_serialization": False}),
        "checkpoint": ({"epoch": 3, "model": module.state_dict(), "lr": [0.1, None]}, {"pickle_protocol": 4}),
        "module": (module, {}),
    }
    found = {}
    for name, (content, options) in kinds.items():
        torch.save(content, path, **options)
        found[name] = path.read_bytes()
    torch.jit.save(torch.jit.script(module), path)
    return found | {"script": path.read_bytes()}


def read_and_use(path):
    model = network_from_torch_weights(path)
    with np.errstate(all="ignore"):
        assert model.predict(inputs(model, 2)).shape == (2, model.output_shape[1])


# A network of a damaged file may be read with a note, of its order say.
@pytest.mark.filterwarnings("ignore::fastdense.errors.FormatWarning", "ignore::DeprecationWarning")
def test_fuzzed_state_files_are_read_or_refused(tmp_path):
    outcomes = fuzz(read_and_use, samples(tmp_path / "good.pt"), tmp_path / "fuzzed.pt")
    assert min(outcomes["read"], outcomes["refused"]) > 50


@pytest.mark.filterwarnings("ignore::fastdense.errors.FormatWarning", "ignore::DeprecationWarning")
def test_edited_pickles_are_read_or_refused(tmp_path):
    """A zip file's checksums find most damage; whoever edits the pickle writes them again."""
    path = tmp_path / "edited.pt"
    good = {name: content for name, content in samples(path).items() if name != "old"}
    archives, pickles = {}, {}
    for name, content in good.items():
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        archives[name] = {k: v for k, v in members.items() if "/data/" in k or k.endswith("data.pkl")}
        (pickle,) = (k for k in members if k.endswith("data.pkl"))
        pickles[name] = b"%s %s" % (name.encode(), members[pickle])

    def read(damaged):
        name, _, pickle = damaged.read_bytes().partition(b" ")
        if name.decode("latin-1") not in archives:
            raise FormatError("not one of the archives")
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in archives[name.decode()].items():
                archive.writestr(member, pickle if member.endswith("data.pkl") else content)
        read_and_use(path)

    outcomes = fuzz(read, pickles, tmp_path / "damaged")
    assert min(outcomes["read"], outcomes["refused"]) > 20


BOMBS = {
    "a dict within itself": b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.",
    "a dict of dicts of dicts": b"\x80\x02}q\x00."[:-1]
    + b"".join(b"}(X\x01\x00\x00\x00ah%cX\x01\x00\x00\x00bh%cuq%c" % (i, i, i + 1) for i in range(200))
    + b".",
    "a tuple in a tuple": b"\x80\x02)" + b"\x85" * 100_000 + b".",
    "a tuple of tuples as a key": b"\x80\x02})" + b"\x85" * 100_000 + b"Ns.",
    "a module within itself": b"\x80\x02c__torch__ Net\n)\x81q\x00}X\x01\x00\x00\x00ah\x00sb."[:-1] + b".",
    "a mark too many": b"\x80\x02(((.",
    "nothing": b"\x80\x02.",
    "a memory of much": b"\x80\x02}r\xff\xff\xff\xff.",
    "a long name": b"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\x7fa.",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_pickles_without_end_are_refused(tmp_path, bomb):
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bomb/data.pkl", BOMBS[bomb])
    with limited_memory(), pytest.raises(FormatError, match=r"bomb\.pt is (not a state_dict|damaged)"):
        network_from_torch_weights(path)
