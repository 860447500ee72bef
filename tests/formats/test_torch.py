"""PyTorch's modules: what they predict as networks, what networks predict as modules, and what is refused."""

from __future__ import annotations

import copy
import importlib
import operator
import pickle
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fastdense as fd
from fastdense.errors import FormatError, NotBuiltError
from fastdense.formats.torch import (
    from_torch,
    network_from_torch_weights,
    read_torch_weights,
    to_torch,
    write_torch_weights,
)
from fastdense.network.activations import ActivationFunction
from tests.compare import assert_identical, assert_within
from tests.formats.networks import assert_predicts_as, inputs, networks
from tests.fuzz import fuzz

torch = pytest.importorskip("torch", exc_type=ImportError)
nn, F = torch.nn, torch.nn.functional
modules = importlib.import_module("fastdense.formats.torch.modules")
known = importlib.import_module("fastdense.formats.torch.known")


def predictions_of(module):
    """Return ``predict(X)`` of a module."""

    def predict(X):
        with torch.inference_mode():
            return module(torch.from_numpy(X)).numpy()

    return predict


def in_double(module):
    """Return ``predict(X)`` of a module, computed in float64 from its own weights: as good as exact."""
    double = copy.deepcopy(module).double()
    return lambda X: predictions_of(double)(X.astype(np.float64)).astype(X.dtype)


@settings(max_examples=200, deadline=None)
@given(networks(), st.integers(0, 4))
def test_networks_to_modules_and_back(model, rows):
    X, module = inputs(model, rows), to_torch(model)
    assert_predicts_as(predictions_of(module), model, X, what=str(module))
    computes = any(type(part) is not nn.Identity for part in module)
    assume(computes and (module.state_dict() or model.dtype == "float32"))  # nothing else tells of float64
    again = from_torch(module, model.input_shape[1])
    assert_predicts_as(again.predict, model, X)
    for found, wanted in zip(_kernels(again), _kernels(model), strict=True):
        assert_identical(found, wanted)


def _kernels(model):
    return [array for layer in model.layers if isinstance(layer, fd.Dense) for array in layer.weights]


ELEMENTS = [
    nn.Identity,
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    lambda: nn.LeakyReLU(0.3),
    nn.ELU,
    lambda: nn.ELU(0.5),
    nn.CELU,
    nn.SELU,
    nn.GELU,
    lambda: nn.GELU("tanh"),
    nn.SiLU,
    nn.Mish,
    nn.Softplus,
    nn.Sigmoid,
    nn.Tanh,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Softsign,
    lambda: nn.Softmax(dim=-1),
    lambda: nn.Softmax(dim=1),
    lambda: nn.Dropout(0.3),
    nn.Flatten,
]


@st.composite
def torch_modules(draw):
    """Draw a module of float32: a Linear, then any of those that are known, some in an inner Sequential."""
    torch.manual_seed(draw(st.integers(0, 2**32)))
    width = draw(st.integers(1, 6))
    parts = [nn.Linear(draw(st.integers(1, 5)), width, bias=draw(st.booleans()))]
    for kind in draw(st.lists(st.sampled_from(("linear", "norm", *ELEMENTS)), max_size=6)):
        if kind == "linear":
            n_in, width = width, draw(st.integers(1, 6))
            parts.append(nn.Linear(n_in, width, bias=draw(st.booleans())))
        elif kind == "norm":
            parts.append(normal(width, affine=draw(st.booleans())))
        else:
            parts.append(kind())
    cut = draw(st.integers(0, len(parts)))
    return nn.Sequential(nn.Sequential(*parts[:cut]), *parts[cut:]).eval()


def normal(width, affine=True):
    """Return a batch normalisation with statistics and weights, negative ones too."""
    norm = nn.BatchNorm1d(width, affine=affine)
    with torch.no_grad():
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.25, 4.0)
        for parameter in norm.parameters():
            parameter.normal_()
    return norm


@settings(max_examples=300, deadline=None)
@given(torch_modules(), st.integers(1, 4))
def test_modules_to_networks_and_back(module, rows):
    """Twice the bound: folding a normalisation into weights rounds them, by half a unit each."""
    model = from_torch(module)
    X = inputs(model, rows)
    assert_predicts_as(in_double(module), model, X, times=2, what=str(module))
    assert_predicts_as(model.predict, model, X)
    assert_predicts_as(predictions_of(to_torch(model)), model, X)


class Chain(nn.Module):
    """A Linear and whatever is called on its result."""

    def __init__(self, call, n_in=4):
        super().__init__()
        self.fc = nn.Linear(n_in, 4)
        self.call = call

    def forward(self, x):
        return self.call(self.fc(x))


ARGUMENTS = {"softmax": ({"dim": -1}, {"dim": 1}), "flatten": ({"start_dim": 1},), "dropout": ({"p": 0.25},)}
ARGUMENTS |= {"leaky_relu": ({}, {"negative_slope": 0.3}), "elu": ({}, {"alpha": 0.5})}
ARGUMENTS |= {"gelu": ({}, {"approximate": "tanh"}), "softplus": ({}, {"threshold": 30})}
CALLS = [
    (target, arguments)
    for target in known.FUNCTIONS
    for arguments in ARGUMENTS.get(getattr(target, "__name__", target), ({},))
    if target is not torch.dropout  # its arguments have no defaults
]


def call(target, arguments, x):
    """Call a function, or a method of the tensor by its name."""
    return getattr(x, target)(**arguments) if isinstance(target, str) else target(x, **arguments)


@pytest.mark.parametrize(("target", "arguments"), CALLS, ids=lambda v: getattr(v, "__name__", str(v)))
def test_functions_and_methods_are_followed(target, arguments):
    train = {"training": False} if target is F.dropout else {}
    module = Chain(lambda x: call(target, arguments | train, x))
    model = from_torch(module)
    assert len(model.layers) == (2 if target is F.dropout else 1)
    X = inputs(model, 5)
    assert_predicts_as(predictions_of(module), model, X)
    assert_predicts_as(model.predict, model, X)


class Typical(nn.Module):
    """As people write them: one activation used twice, a view, functions, an argument that is left out."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.norm = normal(8)
        self.activation = nn.ReLU()
        self.blocks = nn.ModuleList([Chain(torch.tanh, 8), Chain(F.silu)])
        self.head = nn.Sequential(nn.Linear(4, 2), nn.Softmax(dim=1))
        self.unused = nn.LayerNorm(3)

    def forward(self, x, mask=None):
        x = x.view(x.size(0), -1)
        x = self.activation(self.norm(self.fc1(x)))
        x = F.dropout(x, 0.25, self.training)
        for block in self.blocks:
            x = self.activation(block(x))
        return self.head(torch.flatten(x, 1))


def test_a_typical_module():
    module = Typical().eval()
    model = from_torch(module)
    shown = [(type(layer).__name__, layer.n_units) for layer in model.layers]
    assert shown == [
        ("Dense", 8),
        ("Dropout", 8),
        ("Dense", 4),
        ("Activation", 4),
        ("Dense", 4),
        ("Activation", 4),
        ("Dense", 2),
    ]
    assert model.layers[1].rate == 0.25
    X = inputs(model, 20)
    assert_predicts_as(in_double(module), model, X, times=2)


VIEWS = {
    "size": lambda x: x.view(x.size(0), -1),
    "size and width": lambda x: x.reshape(x.size(0), 4),
    "shape": lambda x: x.view(x.shape[0], -1),
    "all rows": lambda x: x.view(-1, 4),
    "a tuple": lambda x: x.reshape((x.size()[0], -1)),
    "a function": lambda x: torch.reshape(x, (-1, 4)),
}
OTHER_VIEWS = {
    "flat": lambda x: x.view(-1),
    "other rows": lambda x: x.view(-1, 2),
    "transposed": lambda x: x.view(4, -1),
    "three axes": lambda x: x.view(x.size(0), 2, 2),
    "columns": lambda x: x.view(x.size(1), -1) if x.size(1) is None else x.view(-1, x.size(0)),
}


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_flat_rows_does_nothing(view):
    module = Chain(VIEWS[view])
    model = from_torch(module)
    assert len(model.layers) == 1
    assert_predicts_as(predictions_of(module), model, inputs(model, 3))


@pytest.mark.parametrize("view", OTHER_VIEWS)
def test_other_views_are_refused(view):
    with pytest.raises(FormatError, match=r"at 'view': only whole examples can be made rows"):
        from_torch(Chain(OTHER_VIEWS[view]))


class Two(nn.Module):
    """A forward of two Linears, as given."""

    def __init__(self, forward):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
        self.scale = nn.Parameter(torch.ones(3))
        self.own = forward

    def forward(self, x, y=None):
        return self.own(self, x, y)


def shared():
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    return nn.Sequential(first, nn.ReLU(), second)


def hooked():
    module = nn.Linear(3, 3)
    module.register_forward_hook(lambda module, given, out: 2 * out)
    return nn.Sequential(nn.ReLU(), module)


def of_nothing():
    norm = nn.BatchNorm1d(2)
    norm.running_var[0] = -1.0
    return nn.Sequential(nn.Linear(2, 2), norm)


def scaled(mean, deviation):
    module = modules.Normalization(2)
    module.mean[:], module.deviation[:] = torch.tensor(mean), torch.tensor(deviation)
    return nn.Sequential(nn.Linear(2, 2), module)


class Doubled(nn.ReLU):
    def forward(self, x):
        return 2 * super().forward(x)


CHAIN = "a network here is one chain"
REFUSED = {
    "LayerNorm": (
        lambda: nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.LayerNorm(3))),
        r"module '1\.0' \(LayerNorm\): there is no such.*supported are Sequential, BatchNorm1d",
    ),
    "Conv": (lambda: nn.Conv2d(1, 2, 3), r"the module \(Conv2d\)"),
    "LSTM": (lambda: nn.LSTM(3, 4), r"\(LSTM\): there is no such layer"),
    "LogSoftmax": (lambda: nn.LogSoftmax(-1), r"\(LogSoftmax\)"),
    "PReLU": (nn.PReLU, r"\(PReLU\)"),
    "a known class inside": (lambda: Chain(nn.LayerNorm(4)), r"module 'call' \(LayerNorm\)"),
    "no statistics": (lambda: nn.BatchNorm1d(3, track_running_stats=False), "no running statistics"),
    "CELU": (lambda: nn.CELU(2.0), "alpha must be 1"),
    "softplus beta": (lambda: nn.Softplus(2), "beta must be 1, the threshold at least 20"),
    "softplus threshold": (lambda: nn.Softplus(threshold=5), "the threshold at least 20"),
    "softmax over rows": (lambda: nn.Softmax(0), "over the last axis"),
    "softmax over what": (nn.Softmax, "over the last axis"),
    "flatten all": (lambda: Chain(torch.flatten), "start_dim=1"),
    "flatten later": (lambda: nn.Flatten(2), "start_dim=1"),
    "negative slope": (lambda: nn.LeakyReLU(-0.1), "alpha of leaky_relu must be"),
    "dropout of all": (lambda: nn.Dropout(1.0), "rate must be"),
    "residual": (lambda: Two(lambda self, x, y: x + torch.relu(self.a(x))), f"at 'add': .*{CHAIN}"),
    "a branch": (lambda: Two(lambda self, x, y: self.b(x) + self.a(x)), f"at 'a': .*{CHAIN}"),
    "a branch left": (lambda: Two(lambda self, x, y: [self.a(x), self.b(x)][0]), f"at 'b': .*{CHAIN}"),
    "own parameter": (lambda: Two(lambda self, x, y: self.a(x) * self.scale), CHAIN),
    "two inputs": (lambda: Two(lambda self, x, y: self.a(x) + y), "several inputs"),
    "two outputs": (lambda: Two(lambda self, x, y: (self.a(x), 1)), "not the end of one chain"),
    "its input": (lambda: Two(lambda self, x, y: [self.a(x), x][1]), "not the end of one chain"),
    "other function": (lambda: Two(lambda self, x, y: self.a(x) + 1), "at 'add': .* has no such function"),
    "other method": (lambda: Chain(lambda x: x.cumsum(1)), "at 'cumsum': fastdense has no such function"),
    "dtype argument": (lambda: Chain(lambda x: F.softmax(x, -1, dtype=torch.float64)), "at 'softmax'"),
    "depends on numbers": (lambda: Chain(lambda x: x if x.sum() > 0 else -x), "followed .*not depend on"),
    "fails": (lambda: Chain(lambda x: x.nonsense.foo(1, 2)[3].item(5) + int("x")), "cannot be followed"),
    "used twice": (
        lambda: Two(lambda self, x, y: self.a(self.a(x))),
        r"'a' \(Linear\): it shares its weights",
    ),
    "the same twice": (lambda: nn.Sequential(*[nn.Linear(3, 3)] * 2), r"'1' .* with module '0' \(Linear\)"),
    "shared weights": (shared, r"module '2' \(Linear\): it shares its weights with module '0'"),
    "hooks": (hooked, r"module '1' \(Linear\): it has hooks"),
    "weight norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)), "ParametrizedLinear"),
    "lazy": (lambda: nn.Sequential(nn.LazyLinear(3)), "'0.weight' are not there yet"),
    "meta": (lambda: nn.Linear(2, 2, device="meta"), "weights are not there yet"),
    "no chain": (lambda: nn.Sequential(nn.Linear(3, 2), nn.Linear(3, 2)), "'1' .*takes 3 columns, but 2"),
    "dtypes": (
        lambda: nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2).double()),
        r"mixes dtypes: torch\.float",
    ),
    "half and float": (lambda: nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2).half()), "mixes dtypes"),
    "complex": (lambda: nn.Linear(2, 2, dtype=torch.complex64), "complex64"),
    "a negative deviation": (lambda: scaled([0.0, 0.0], [1.0, -1.0]), "module '1' .*at least 1e-07"),
    "no deviation": (lambda: scaled([0.0, 0.0], [1.0, 0.0]), "module '1' .*at least 1e-07"),
    "an infinite mean": (lambda: scaled([0.0, float("inf")], [1.0, 1.0]), "module '1' .*must be finite"),
    "a normalization's width": (lambda: nn.Sequential(nn.Linear(3, 3), modules.Normalization(2)), "takes 2"),
    "groups' width": (
        lambda: nn.Sequential(nn.Linear(3, 3), nn.ReLU(), modules.SoftmaxByGroups((2, 2))),
        r"groups \(2, 2\) have 4 columns",
    ),
    "no width": (nn.ReLU, "give n_in="),
    "nothing": (nn.Sequential, "give n_in="),
    "a scale of nothing": (of_nothing, "module '1' .*finite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_named(case):
    make, message = REFUSED[case]
    with pytest.raises(FormatError, match=message):
        from_torch(make())


def test_what_inherits_from_a_known_class_is_followed_and_not_believed():
    with pytest.raises(FormatError, match="fastdense has no such function"):
        from_torch(nn.Sequential(nn.Linear(2, 2), Doubled()))


def test_only_modules_are_taken():
    with pytest.raises(TypeError, match=r"takes a torch\.nn\.Module, got dict"):
        from_torch({})


def test_a_normalisation_tells_the_width():
    for first in (normal(1), modules.Normalization(1)):
        assert from_torch(nn.Sequential(first, nn.ReLU()).eval()).input_shape == (None, 1)


def test_the_width_can_be_given():
    model = from_torch(nn.Sequential(nn.Flatten(), nn.Tanh()), n_in=3)
    assert model.input_shape == (None, 3)
    with pytest.raises(FormatError, match="takes 3 columns, but 4 come in"):
        from_torch(nn.Linear(3, 2), n_in=4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtypes(dtype):
    module = nn.Sequential(nn.Linear(3, 2), normal(2), nn.Tanh()).to(getattr(torch, dtype)).eval()
    model = from_torch(module)
    assert model.dtype == ("float64" if dtype == "float64" else "float32")
    exact, X = in_double(module), np.random.default_rng(0).normal(size=(9, 3))
    # The weights are of float32 after folding; float64's are rounded four times on the way.
    assert_within(np.float64(model.predict(X)), exact(X), 1e-14 if dtype == "float64" else 1e-6)


def test_weights_are_copied_both_ways():
    module = nn.Sequential(nn.Linear(3, 2))
    model = from_torch(module)
    X, state = inputs(model, 2), torch.get_rng_state()
    before, made = model.predict(X), to_torch(model)
    assert torch.equal(state, torch.get_rng_state())
    for one in (module, made):
        with torch.no_grad():
            one[0].weight.fill_(7)
    assert_identical(model.predict(X), before)


def test_it_trains_and_drops_out_as_a_module():
    module = to_torch(fd.Sequential([fd.Input((100,)), fd.Dropout(0.25)]))
    x = torch.ones(50, 100)
    assert not module.training
    assert torch.equal(module(x), x)
    dropped = module.train()(x)
    assert_within(dropped.unique().numpy(), np.float32([0.0, 4 / 3]), 2e-7)
    assert 0.2 < float((dropped == 0).double().mean()) < 0.3  # of 5000: eight standard deviations
    model = fd.Sequential([fd.Input((3,)), fd.Normalization(mean=1.0, variance=4.0), fd.Dense(2)])
    assert [name for name, _ in to_torch(model).named_parameters()] == ["1.weight", "1.bias"]


def test_an_unbuilt_model_is_no_module():
    with pytest.raises(NotBuiltError):
        to_torch(fd.Sequential([fd.Dense(1)]))


def test_a_made_module_is_saved_and_copied_as_any():
    groups = ActivationFunction("softmax", groups=(1, 2))
    layers = [fd.Normalization(mean=1.0, variance=4.0), fd.Dense(3, "exponential"), fd.Activation(groups)]
    model = fd.Sequential([fd.Input((2,)), *layers], seed=0)
    module = to_torch(model)
    X = inputs(model, 3)
    assert_identical(predictions_of(pickle.loads(pickle.dumps(module)))(X), predictions_of(module)(X))
    assert "SoftmaxByGroups(groups=(1, 2))" in str(module)
    assert "Normalization(2)" in str(module)


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


def test_dead_ends_of_a_forward_are_allowed_of_shapes_only():
    module = Chain(lambda x: torch.relu(x) if operator.getitem(x.shape, 0) is None else torch.tanh(x))
    assert from_torch(module).layers[0].activation.name == "tanh"
