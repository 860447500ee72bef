"""PyTorch's modules: what they predict as networks, and what networks predict as modules."""

from __future__ import annotations

import importlib
import operator
import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import fastdense as fd
from fastdense.activations import ActivationFunction
from fastdense.errors import FormatError, FormatWarning, NotBuiltError
from fastdense.formats.torch import from_torch, to_torch
from tests.compare import assert_identical, assert_within
from tests.formats.networks import assert_predicts_as, inputs, networks

torch = pytest.importorskip("torch", exc_type=ImportError)
nn, F = torch.nn, torch.nn.functional
modules = importlib.import_module("fastdense.formats.torch.modules")
given_modules = importlib.import_module("tests.formats.torch_modules")
Chain, normal = given_modules.Chain, given_modules.normal
in_double, predictions_of = given_modules.in_double, given_modules.predictions_of


@settings(max_examples=60, deadline=None)
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
    lambda: nn.CELU(0.5),
    nn.SELU,
    nn.PReLU,
    nn.Hardtanh,
    lambda: nn.Hardtanh(-0.5, 3.0),
    nn.LogSigmoid,
    lambda: nn.Softplus(2.0),
    lambda: nn.Threshold(0.0, 0.0),
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
    for kind in draw(st.lists(st.sampled_from(("linear", "norm", "slopes", "rows", *ELEMENTS)), max_size=6)):
        if kind == "linear":
            n_in, width = width, draw(st.integers(1, 6))
            parts.append(nn.Linear(n_in, width, bias=draw(st.booleans())))
        elif kind == "rows":
            parts.append(nn.LayerNorm(width, 0.1, draw(st.booleans()), draw(st.booleans())))
        elif kind == "slopes":
            parts.append(nn.PReLU(width))
            nn.init.normal_(parts[-1].weight)
        elif kind == "norm":
            parts.append(normal(width, affine=draw(st.booleans())))
        else:
            parts.append(kind())
    cut = draw(st.integers(0, len(parts)))
    return nn.Sequential(nn.Sequential(*parts[:cut]), *parts[cut:]).eval()


@settings(max_examples=60, deadline=None)
@given(torch_modules(), st.integers(1, 4))
def test_modules_to_networks_and_back(module, rows):
    """Twice the bound: folding a normalisation into weights rounds them, by half a unit each."""
    model = from_torch(module)
    X = inputs(model, rows)
    assert_predicts_as(in_double(module), model, X, times=2, what=str(module))
    assert_predicts_as(model.predict, model, X)
    assert_predicts_as(predictions_of(to_torch(model)), model, X)


FUNCTIONS = [
    *(
        F.relu,
        torch.relu,
        torch.relu_,
        "relu",
        "relu_",
        F.sigmoid,
        torch.sigmoid,
        "sigmoid",
        F.tanh,
        torch.tanh,
    ),
    *("tanh", F.softmax, torch.softmax, "softmax", F.selu, torch.selu, F.celu, torch.celu, torch.exp, "exp"),
    *(F.dropout, torch.flatten, "flatten", F.relu6, F.leaky_relu, F.elu, F.gelu, F.silu, F.mish, F.softplus),
    *(F.hardsigmoid, F.hardswish, F.softsign),
]
ARGUMENTS = {"softmax": ({"dim": -1}, {"dim": 1}), "flatten": ({"start_dim": 1},), "dropout": ({"p": 0.25},)}
ARGUMENTS |= {"leaky_relu": ({}, {"negative_slope": 0.3}), "elu": ({}, {"alpha": 0.5})}
ARGUMENTS |= {"gelu": ({}, {"approximate": "tanh"}), "softplus": ({}, {"threshold": 30})}
CALLS = [
    (target, arguments)
    for target in FUNCTIONS
    for arguments in ARGUMENTS.get(getattr(target, "__name__", target), ({},))
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
    with pytest.warns(FormatWarning, match="takes rows that are flat already"):
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


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_flat_rows_does_nothing(view):
    module = Chain(VIEWS[view])
    model = from_torch(module)
    assert len(model.layers) == 1
    assert_predicts_as(predictions_of(module), model, inputs(model, 3))


def test_a_normalisation_tells_the_width():
    for first in (normal(1), modules.Normalization(1)):
        assert from_torch(nn.Sequential(first, nn.ReLU()).eval()).input_shape == (None, 1)


def test_the_width_can_be_given():
    with pytest.warns(FormatWarning, match="takes rows that are flat already"):
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


class Moody(nn.Module):
    """In train mode it computes something else, and it has more arguments than it needs."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x, scale=None, *, times=1, **options):
        if self.training:
            x = F.dropout(x, 0.5)
        if scale is not None:
            x = x * scale
        for _ in range(times):
            x = torch.tanh(self.fc(x))
        return x


def test_a_forward_is_followed_in_eval_mode_and_with_its_defaults():
    module = nn.Sequential(Moody())
    module.train()[0].fc.eval()
    model = from_torch(module)
    assert [part.training for part in module.modules()] == [True, True, False]
    assert_predicts_as(predictions_of(module.eval()), model, inputs(model, 5))
    assert len(model.layers) == 1


def test_the_forward_that_is_called_is_followed():
    module = Chain(torch.tanh)
    module.forward = lambda x: torch.relu(module.fc(x))
    assert from_torch(module).layers[0].activation.name == "relu"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what PyTorch's compiler itself loads
def test_a_compiled_module_is_the_module():
    module = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    model = from_torch(torch.compile(module))
    assert_predicts_as(predictions_of(module), model, inputs(model, 5))


@pytest.mark.parametrize("options", [{"p": 0.25, "train": False}, {}])
def test_dropouts_of_the_function_without_defaults(options):
    given = () if options else (0.25, False)
    model = from_torch(Chain(lambda x: torch.dropout(x, *given, **options)))
    assert model.layers[1].rate == 0.25


def test_dead_ends_of_a_forward_are_allowed_of_shapes_only():
    module = Chain(lambda x: torch.relu(x) if operator.getitem(x.shape, 0) is None else torch.tanh(x))
    assert from_torch(module).layers[0].activation.name == "tanh"
