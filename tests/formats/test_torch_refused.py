"""What of PyTorch is no network here: refused by the path and the class of the part, with a reason."""

from __future__ import annotations

import importlib

import pytest

from fastdense.errors import FormatError
from fastdense.formats.torch import from_torch

torch = pytest.importorskip("torch", exc_type=ImportError)
nn, F = torch.nn, torch.nn.functional
modules = importlib.import_module("fastdense.formats.torch.modules")
Chain = importlib.import_module("tests.formats.torch_modules").Chain


OTHER_VIEWS = {
    "flat": lambda x: x.view(-1),
    "other rows": lambda x: x.view(-1, 2),
    "transposed": lambda x: x.view(4, -1),
    "three axes": lambda x: x.view(x.size(0), 2, 2),
    "columns": lambda x: x.view(x.size(1), -1) if x.size(1) is None else x.view(-1, x.size(0)),
}


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


def written(x):
    x[:, 0] = 0.0
    return x


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


class Added(nn.Module):
    def forward(self, x, y):
        return x + y


class Of(nn.Module):
    def __init__(self, compute):
        super().__init__()
        self.compute = compute

    def forward(self, x):
        return self.compute(x)


class Called(nn.Module):
    def __call__(self, x):
        return 2 * x


def replaced(place=1):
    module = nn.Sequential(nn.ReLU(), nn.Linear(3, 3))
    part = [module, module[1]][place]
    part.forward = lambda x: 2 * x
    return module


CHAIN = "a network here is one chain"
REFUSED = {
    "GroupNorm": (
        lambda: nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.GroupNorm(1, 3))),
        r"module '1\.0' \(GroupNorm\): there is no such.*supported are Sequential, BatchNorm1d",
    ),
    "Conv": (lambda: nn.Conv2d(1, 2, 3), r"the module \(Conv2d\)"),
    "LSTM": (lambda: nn.LSTM(3, 4), r"\(LSTM\): there is no such layer"),
    "LogSoftmax within": (
        lambda: nn.Sequential(nn.Linear(3, 3), nn.LogSoftmax(-1), nn.Linear(3, 2)),
        r"'2' \(Linear\): it takes logarithms of a softmax, which are read at the end",
    ),
    "LogSoftmax over rows": (lambda: Chain(nn.LogSoftmax(0)), "over the last axis"),
    "rows of two axes": (
        lambda: nn.LayerNorm((2, 3)),
        r"it is over the axes \(2, 3\), and a row here has one",
    ),
    "a known class inside": (lambda: Chain(nn.GroupNorm(1, 4)), r"module 'call' \(GroupNorm\)"),
    "no statistics": (lambda: nn.BatchNorm1d(3, track_running_stats=False), "no running statistics"),
    "CELU": (lambda: nn.CELU(-2.0), "alpha of celu must be finite and above 0"),
    "softplus beta": (lambda: nn.Softplus(-2), "beta must be positive, the threshold at least 20"),
    "a threshold": (lambda: nn.Threshold(0.1, 0.0), "only a threshold and a value of 0"),
    "no limits": (lambda: Chain(lambda x: torch.clamp(x, 100.0, 101.0)), "limits up to 32 can be read"),
    "a step": (lambda: Chain(lambda x: torch.where(x > 0.001, x, 0.0)), f"at 'where': .*{CHAIN}"),
    "rows by rows": (lambda: Two(lambda self, x, y: x @ self.a(x).T), "at"),
    "columns of the batch": (lambda: Chain(lambda x: x.view(x.size(1), -1)), "only whole examples"),
    "weights first": (lambda: Two(lambda self, x, y: self.a.weight @ x), "the rows must be its first factor"),
    "a quotient": (lambda: Chain(lambda x: 1.0 / x), "a constant divided by what comes from the network"),
    "a floor": (lambda: Chain(lambda x: torch.div(x, 2.0, rounding_mode="floor")), "at 'div'"),
    "a column by rows": (lambda: Chain(lambda x: x * torch.ones(3, 1)), "not one number per column"),
    "some columns": (lambda: Chain(lambda x: x[:, 1:]), "at 'getitem'"),
    "squeezed rows": (
        lambda: nn.Sequential(nn.Linear(3, 1), Of(lambda x: x.squeeze())),
        "only the last axis",
    ),
    "squeezed columns": (lambda: Chain(lambda x: x.squeeze(-1)), "it squeezes 4 columns"),
    "over squeezed rows": (
        lambda: nn.Sequential(nn.Linear(3, 1), Of(lambda x: x.squeeze(-1).softmax(-1))),
        "goes over the rows",
    ),
    "two chunks": (lambda: Chain(lambda x: x.chunk(2, 1)[0]), "at 'chunk'"),
    "a part": (lambda: Chain(lambda x: x.split(2, 1)[0]), "at 'split': it takes a part of the 4 columns"),
    "another dtype": (
        lambda: Chain(lambda x: x.double()),
        r"turns the network's numbers into torch\.float",
    ),
    "numbers written over": (lambda: Chain(lambda x: [x.relu_(), x * 2.0][1]), CHAIN),
    "cells written over": (lambda: Chain(written), "cannot be followed"),
    "parameters written over": (
        lambda: Two(lambda self, x, y: x * self.scale.exp_()),
        "function of parameters",
    ),
    "chance": (lambda: Two(lambda self, x, y: x * torch.bernoulli(self.scale)), "function of parameters"),
    "sizes": (lambda: Chain(lambda x: x * x.size(1)), "at 'mul': fastdense has no such"),
    "softplus threshold": (lambda: nn.Softplus(threshold=5), "the threshold at least 20"),
    "softmax over rows": (lambda: nn.Softmax(0), "over the last axis"),
    "softmax over what": (nn.Softmax, "over the last axis"),
    "flatten all": (lambda: Chain(torch.flatten), "start_dim=1"),
    "flatten later": (lambda: nn.Flatten(2), "start_dim=1"),
    "negative slope": (lambda: nn.LeakyReLU(-0.1), "alpha of leaky_relu must be"),
    "dropout of all": (lambda: nn.Dropout(1.0), "rate must be"),
    "residual": (lambda: Two(lambda self, x, y: x + torch.relu(self.a(x))), f"at 'add': .*{CHAIN}"),
    "its own row": (lambda: Two(lambda self, x, y: x * self.a(x)), f"at 'mul': .*{CHAIN}"),
    "a branch": (lambda: Two(lambda self, x, y: self.b(x) + self.a(x)), f"at 'a': .*{CHAIN}"),
    "a branch left": (lambda: Two(lambda self, x, y: [self.a(x), self.b(x)][0]), f"at 'b': .*{CHAIN}"),
    "two inputs": (lambda: nn.Sequential(Added()), r"'0' \(Added\): it has several inputs \(x, y\)"),
    "an input left out": (lambda: Two(lambda self, x, y: torch.relu(self.a(x)) * y), "at 'mul'"),
    "always dropped": (
        lambda: Chain(lambda x: F.dropout(x, 0.5)),
        "at 'dropout': it drops in predictions too; give it training=self.training",
    ),
    "dropped by train": (lambda: Chain(lambda x: torch.dropout(x, 0.5, True)), "drops in predictions too"),
    "a replaced forward": (replaced, r"module '1' \(Linear\): its forward was replaced"),
    "a replaced chain": (lambda: replaced(0), r"the module \(Sequential\): its forward was replaced"),
    "an own call": (Called, r"the module \(Called\): its class has a __call__ of its own"),
    "two outputs": (lambda: Two(lambda self, x, y: (self.a(x), 1)), "not the end of one chain"),
    "its input": (lambda: Two(lambda self, x, y: [self.a(x), x][1]), "not the end of one chain"),
    "other function": (lambda: Chain(torch.erf), "at 'erf': .* has no such function"),
    "other method": (lambda: Chain(lambda x: x.cumsum(1)), "at 'cumsum': fastdense has no such function"),
    "dtype argument": (lambda: Chain(lambda x: F.softmax(x, -1, dtype=torch.float64)), "at 'softmax'"),
    "depends on numbers": (lambda: Chain(lambda x: x if x.sum() > 0 else -x), "followed .*not depend on"),
    "fails": (lambda: Chain(lambda x: x.nonsense.foo(1, 2)[3].item(5) + int("x")), "cannot be followed"),
    "hooks": (hooked, r"module '1' \(Linear\): it has hooks"),
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


def test_only_modules_are_taken():
    with pytest.raises(TypeError, match=r"takes a torch\.nn\.Module, got dict"):
        from_torch({})


def test_hooks_of_all_modules_are_seen():
    handles = [
        torch.nn.modules.module.register_module_forward_hook(lambda module, given, out: 2 * out),
        torch.nn.modules.module.register_module_forward_pre_hook(lambda module, given: None),
    ]
    for handle in handles:
        with pytest.raises(FormatError, match=r"the module \(Linear\): it has hooks"):
            from_torch(nn.Linear(2, 2))
        handle.remove()
    from_torch(nn.Linear(2, 2))
