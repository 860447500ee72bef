"""The ways to write a network in PyTorch, as modules and traced, scripted and exported: all read alike."""

from __future__ import annotations

import importlib
import math
import tempfile
from pathlib import Path

import numpy as np
import pytest

from fastdense.errors import FormatError, FormatWarning
from fastdense.formats.torch import from_torch
from tests.formats.networks import assert_predicts_as, inputs

torch = pytest.importorskip("torch", exc_type=ImportError)
nn, F = torch.nn, torch.nn.functional
given_modules = importlib.import_module("tests.formats.torch_modules")
Chain, in_double, normal = given_modules.Chain, given_modules.in_double, given_modules.normal
predictions_of = given_modules.predictions_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


class Own(nn.Module):
    """Has weights of its own, and computes with them what it is given."""

    def __init__(self, compute):
        super().__init__()
        torch.manual_seed(0)
        self.W, self.b = nn.Parameter(torch.randn(5, 4)), nn.Parameter(torch.randn(5))
        self.V, self.c = nn.Parameter(torch.randn(4, 4)), nn.Parameter(torch.randn(4))
        self.register_buffer("mean", torch.randn(4))
        self.register_buffer("std", torch.rand(4) + 0.5)
        self.register_buffer("number", torch.tensor(2.0))
        self.register_buffer("zero", torch.tensor(0.0))
        self.register_buffer("slope", torch.tensor([0.3]))
        self.linear, self.act = nn.Linear(4, 4), nn.Sigmoid()
        self.compute = compute

    def forward(self, x):
        return self.compute(self, x)


LINEAR = {
    "F.linear": lambda m, x: F.linear(x, m.W, m.b),
    "F.linear without bias": lambda m, x: F.linear(x, m.W),
    "a product and a sum": lambda m, x: x @ m.W.T + m.b,
    "t()": lambda m, x: torch.matmul(x, m.W.t()) + m.b,
    "transpose": lambda m, x: x.matmul(m.W.transpose(0, 1)),
    "mm": lambda m, x: torch.mm(x, m.V),
    "addmm": lambda m, x: torch.addmm(m.b, x, m.W.T),
    "addmm scaled": lambda m, x: torch.addmm(m.b, x, m.W.T, beta=0.5, alpha=2.0),
    "addmm of a number": lambda m, x: torch.addmm(m.number, x, m.V),
    "baddbmm": lambda m, x: torch.baddbmm(m.c.view(1, 1, 4), x.unsqueeze(0), m.V.unsqueeze(0)).squeeze(0),
    "bmm": lambda m, x: torch.bmm(x.unsqueeze(0), m.V.unsqueeze(0))[0],
    "einsum": lambda m, x: torch.einsum("bi,oi->bo", x, m.W),
    "einsum the other way": lambda m, x: torch.einsum("ni, ij -> nj", x, m.V) + m.c,
    "weights scaled": lambda m, x: F.linear(x, m.W * 0.5, m.b / 3),
    "weights normed": lambda m, x: F.linear(x, F.softmax(m.W, dim=1)),
    "exponentials": lambda m, x: m.linear(x) * m.c.exp(),
}
SCALED = {
    "/255": lambda m, x: m.linear(x / 255),
    "standardised": lambda m, x: m.linear((x - m.mean) / m.std),
    "by numbers": lambda m, x: m.linear((x - 0.1307) / 0.3081),
    "into -1 and 1": lambda m, x: torch.tanh(m.linear(2 * x - 1)),
    "from 1": lambda m, x: m.linear(1 - x),
    "rsub": lambda m, x: torch.rsub(m.linear(x), 2.0, alpha=3.0),
    "alpha": lambda m, x: torch.add(torch.sub(m.linear(x), m.mean, alpha=2), 1.0, alpha=-3),
    "twice": lambda m, x: m.linear(x + x),
    "negative": lambda m, x: torch.sigmoid(-m.linear(x)),
    "in place": lambda m, x: m.linear(x).mul_(2).add_(m.mean).sigmoid_(),
    "a float": lambda m, x: m.linear(x.to(m.W.dtype).contiguous()).clone(),
}
CURVES = {
    "silu": lambda m, x: silu(m.linear(x)),
    "silu by a module": lambda m, x: twice(m.linear(x), lambda z: z * m.act(z)),
    "clamp": lambda m, x: m.linear(x).clamp(-0.5, 2),
    "clamp below": lambda m, x: torch.clamp(m.linear(x), min=0.25),
    "clamp above": lambda m, x: m.linear(x).clamp(max=0.5),
    "clip": lambda m, x: torch.clip(m.linear(x), 0, 6),
    "limits in two": lambda m, x: m.linear(x).clamp(min=0.0).clamp(max=6.0),
    "hardtanh": lambda m, x: F.hardtanh(m.linear(x)),
    "hardtanh with limits": lambda m, x: F.hardtanh(m.linear(x), -2.0, 0.5),
    "celu": lambda m, x: F.celu(m.linear(x), alpha=0.5),
    "celu by place": lambda m, x: F.celu(m.linear(x), 0.3),
    "threshold": lambda m, x: F.threshold(m.linear(x), 0.0, 0.0),
    "maximum": lambda m, x: torch.maximum(m.linear(x), m.zero),
    "where": lambda m, x: twice(m.linear(x), lambda z: torch.where(z > 0, z, 0.2 * z)),
    "prelu": lambda m, x: F.prelu(m.linear(x), m.slope),
    "layer norm": lambda m, x: F.layer_norm(m.linear(x), (4,), m.std, m.mean, 0.1),
    "layer norm without weights": lambda m, x: F.layer_norm(m.linear(x), [4]),
    "prelu by columns": lambda m, x: F.prelu(m.linear(x), m.mean),
    "leaky relu": lambda m, x: F.leaky_relu(m.linear(x), 0.2, inplace=True),
    "elu": lambda m, x: F.elu(m.linear(x), 0.7),
    "softplus": lambda m, x: F.softplus(m.linear(x), beta=2.0),
    "softplus by place": lambda m, x: F.softplus(m.linear(x), 2.0, 30.0),
    "log sigmoid": lambda m, x: F.logsigmoid(m.linear(x)),
    "softplus by hand": lambda m, x: torch.log1p(torch.exp(m.linear(x))),
    "tanh by sigmoid": lambda m, x: 2 * torch.sigmoid(2 * m.linear(x)) - 1,
    "gelu by hand": lambda m, x: twice(m.linear(x), lambda z: 0.5 * z * (1 + torch.erf(z / math.sqrt(2)))),
    "gelu by tanh": lambda m, x: twice(m.linear(x), gelu_by_tanh),
    "hard silu": lambda m, x: twice(m.linear(x), lambda z: z * F.relu6(z + 3) / 6),
    "softsign": lambda m, x: twice(m.linear(x), lambda z: z / (1 + z.abs())),
    "mish": lambda m, x: twice(m.linear(x), lambda z: z * torch.tanh(F.softplus(z))),
    "gelu": lambda m, x: F.gelu(m.linear(x), approximate="tanh"),
    "two activations": lambda m, x: torch.tanh(torch.relu(m.linear(x))),
    "softmax": lambda m, x: F.softmax(m.linear(x), dim=-1),
}
WHOLE = {
    "views": lambda m, x: m.linear(x.view(x.size(0), -1)),
    "a view by both sizes": lambda m, x: torch.relu(m.linear(x).view(x.size(0), x.size(1))),
    "flatten": lambda m, x: m.linear(torch.flatten(x, 1)),
    "flatten by its method": lambda m, x: m.linear(x.flatten(start_dim=1)),
    "reshape": lambda m, x: m.linear(x.reshape(-1, 4)),
    "a chunk": lambda m, x: m.linear(x.chunk(1, dim=1)[0]),
    "a part": lambda m, x: m.linear(x).split(4, dim=1)[0],
    "all columns": lambda m, x: m.linear(x)[:, :],
    "a device and a dtype": lambda m, x: m.linear(x).to("cpu", torch.float32),
    "dropout": lambda m, x: F.dropout(m.linear(x), 0.5, training=m.training),
    "batch norm": lambda m, x: F.batch_norm(m.linear(x), m.mean, m.std, m.c, m.c, eps=1e-3),
}
FORMS = LINEAR | SCALED | CURVES | WHOLE


def twice(z, function):
    return function(z)


def silu(z):
    return z * torch.sigmoid(z)


def gelu_by_tanh(z):
    return 0.5 * z * (1 + torch.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


ROUTES = {
    "as it is": lambda module: module,
    "traced": lambda module: torch.jit.trace(module, torch.randn(3, 4)),
    "exported": lambda module: torch.export.export(module, (torch.randn(3, 4),)),
}


@pytest.mark.filterwarnings("ignore:the module flattens its input:fastdense.errors.FormatWarning")
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_by_every_route(form, route):
    module = Own(FORMS[form]).eval()
    model = from_torch(ROUTES[route](module))
    X = inputs(model, 50)
    assert_predicts_as(in_double(module), model, X, times=4, what=form)
    assert np.isfinite(model.predict(X)).all()


class Net(nn.Module):
    """A network as it is often written, which TorchScript can read too."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.fc1, self.bn = nn.Linear(4, 6), normal(6)
        self.act = nn.PReLU()
        self.blocks = nn.ModuleList(
            [nn.Sequential(nn.Linear(6, 6), nn.Hardtanh(-2.0, 1.5)) for _ in range(2)]
        )
        self.drop, self.rate = nn.Dropout(0.2), 0.3
        self.head = nn.Sequential(nn.Sequential(nn.ELU(0.5), nn.Identity()), nn.Linear(6, 3))

    def forward(self, x):
        x = x.view(x.size(0), -1)
        x = self.drop(self.act(self.bn(self.fc1(x))))
        for block in self.blocks:
            x = F.dropout(block(x), self.rate, self.training)
        return F.softmax(self.head(x), dim=1)


def saved(module):
    """Return a scripted module as it comes back from a file."""
    path = Path(tempfile.mkdtemp()) / "net.pt"
    torch.jit.save(torch.jit.script(module), path)
    return torch.jit.load(path)


WHOLES = {
    "as it is": lambda module: module,
    "scripted": torch.jit.script,
    "saved": saved,
    "traced": lambda module: torch.jit.trace(module, torch.randn(3, 4)),
    "traced for one row": lambda module: torch.jit.trace(module, torch.randn(1, 4)),
    "frozen": lambda module: torch.jit.freeze(torch.jit.script(module)),
    "exported": lambda module: torch.export.export(module, (torch.randn(3, 4),)),
    "exported, as a module": lambda module: torch.export.export(module, (torch.randn(3, 4),)).module(),
    "exported for any rows": lambda module: torch.export.export(
        module, (torch.randn(3, 4),), dynamic_shapes=({0: torch.export.Dim("rows")},)
    ),
    "decomposed": lambda module: torch.export.export(module, (torch.randn(3, 4),)).run_decompositions(),
    "of fx": torch.fx.symbolic_trace,
    "compiled": torch.compile,
    "data parallel": nn.DataParallel,
    "compiled within": lambda module: nn.Sequential(torch.compile(module), nn.Identity()),
    "parallel within": lambda module: nn.Sequential(nn.DataParallel(module)),
    "scripted within": lambda module: nn.Sequential(torch.jit.script(module)),
}


@pytest.mark.filterwarnings("ignore:the module flattens its input:fastdense.errors.FormatWarning")
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("whole", WHOLES)
def test_a_network_is_read_whatever_holds_it(whole, training):
    module = Net().eval()
    exact, held = in_double(module), WHOLES[whole](module)
    if training and whole not in ("frozen", "exported", "exported, as a module", "decomposed"):
        getattr(held, "train", lambda: None)()
    model = from_torch(held)
    assert_predicts_as(exact, model, inputs(model, 50), times=4, what=whole)


def test_a_distributed_module_is_the_module(tmp_path):
    torch.distributed.init_process_group("gloo", f"file://{tmp_path}/rendezvous", rank=0, world_size=1)
    try:
        module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        model = from_torch(nn.parallel.DistributedDataParallel(module))
    finally:
        torch.distributed.destroy_process_group()
    assert_predicts_as(predictions_of(module), model, inputs(model, 5))


NORMED = {
    "weight norm": nn.utils.weight_norm,
    "weight norm, newer": nn.utils.parametrizations.weight_norm,
    "spectral norm": nn.utils.spectral_norm,
    "spectral norm, newer": nn.utils.parametrizations.spectral_norm,
    "orthogonal": nn.utils.parametrizations.orthogonal,
}


@pytest.mark.parametrize("norm", NORMED)
def test_normed_weights_are_computed(norm):
    module = nn.Sequential(NORMED[norm](nn.Linear(4, 6)), nn.ReLU(), NORMED[norm](nn.Linear(6, 2)))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(1.5)
    model = from_torch(module.train())
    assert module.training
    assert_predicts_as(predictions_of(module.eval()), model, inputs(model, 20), times=4)


SHARED = {
    "a module": lambda a, b: nn.Sequential(a, nn.ReLU(), a),
    "a weight": lambda a, b: nn.Sequential(a, nn.ReLU(), tied(a, b)),
    "in a forward": lambda a, b: Called(a, lambda layer, x: layer(torch.relu(layer(x)))),
    "by a function": lambda a, b: Called(a, lambda layer, x: F.linear(layer(x), layer.weight)),
}


class Called(nn.Module):
    def __init__(self, layer, call):
        super().__init__()
        self.layer, self.call = layer, call

    def forward(self, x):
        return self.call(self.layer, x)


def tied(first, second):
    second.weight = first.weight
    return second


@pytest.mark.parametrize("case", SHARED)
def test_a_layer_used_twice_is_copied_to_each_place(case):
    module = SHARED[case](nn.Linear(3, 3), nn.Linear(3, 3))
    with pytest.warns(FormatWarning, match="several times .*are copied to each place: training will part"):
        model = from_torch(module)
    assert len(model.layers) == 2
    assert_predicts_as(predictions_of(module), model, inputs(model, 20), times=2)


class Doubled(nn.ReLU):
    def forward(self, x):
        return 2 * super().forward(x)


def test_what_inherits_from_a_known_class_is_followed_and_not_believed():
    module = nn.Sequential(nn.Linear(3, 3), Doubled(), nn.Linear(3, 2))
    model = from_torch(module)
    assert_predicts_as(predictions_of(module), model, inputs(model, 5), times=2)


def test_numbers_of_pictures_are_scaled_before_they_are_flat():
    module = nn.Sequential(Called(nn.Identity(), lambda layer, x: x / 255), nn.Flatten(), nn.Linear(12, 3))
    with pytest.warns(FormatWarning, match="the module flattens its input first"):
        model = from_torch(module)
    assert model.input_shape == (None, 12)
    pictures = np.random.default_rng(0).integers(0, 256, (5, 1, 3, 4)).astype(np.float32)
    assert_predicts_as(lambda X: predictions_of(module)(pictures), model, pictures.reshape(5, 12), times=2)


def hooked():
    net = Net()
    net.register_forward_hook(lambda module, given, out: 2 * out)
    return net


LOGARITHMS = {
    "a module": nn.LogSoftmax(dim=1),
    "a function": lambda z: F.log_softmax(z, dim=-1),
    "a method": lambda z: z.log_softmax(1),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("case", LOGARITHMS)
def test_the_logarithm_of_a_softmax_is_left_out_at_the_end(case, route):
    module = Chain(LOGARITHMS[case]).eval()
    with pytest.warns(
        FormatWarning, match="ends in the logarithm of a softmax: the network gives the probabi"
    ):
        model = from_torch(ROUTES[route](module))
    assert_predicts_as(lambda X: np.exp(in_double(module)(X)), model, inputs(model, 20), times=4)


SQUEEZED = {
    "at the end": lambda m, x: torch.sigmoid(m.linear(x) @ m.V[:, :1]).squeeze(-1),
    "before the activation": lambda m, x: torch.sigmoid((m.linear(x) @ m.V[:, :1]).squeeze(1)),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("case", SQUEEZED)
def test_a_squeezed_column_is_kept(case, route):
    module = Own(SQUEEZED[case]).eval()
    with pytest.warns(FormatWarning, match="squeezes its only column: the network keeps it"):
        model = from_torch(ROUTES[route](module))
    assert_predicts_as(lambda X: in_double(module)(X)[:, None], model, inputs(model, 20), times=4)


class Branched(nn.Module):
    def forward(self, x):
        if bool(x.sum() > 0):
            x = -x
        return x


PROGRAMS = {
    "a branch": (lambda: torch.jit.script(Branched()), "a branch that depends on the numbers of its input"),
    "a convolution": (lambda: torch.jit.script(nn.Conv1d(2, 2, 1)), "at 'conv1d"),
    "two inputs": (lambda: torch.jit.script(nn.Bilinear(2, 2, 2)), "has 2 inputs"),
    "an exported convolution": (
        lambda: torch.export.export(nn.Conv1d(2, 2, 1), (torch.ones(1, 2, 3),)),
        "at 'conv1d",
    ),
    "another number of rows": (
        lambda: torch.export.export(Own(lambda m, x: x.view(4, 3)), (torch.ones(3, 4),)),
        "only whole examples can be made rows",
    ),
    "a scripted cast": (lambda: torch.jit.trace(Own(lambda m, x: x.double()), torch.ones(2, 4)), "float64"),
    "numbers made whole": (
        lambda: torch.jit.trace(Own(lambda m, x: m.linear(x).int().float()), torch.ones(2, 4)),
        "turns the network's numbers into torch.int32",
    ),
    "numbers made as another's": (
        lambda: Own(lambda m, x: m.linear(x).to(torch.zeros(1, dtype=torch.int64)).float()),
        "turns the network's numbers into torch.int64",
    ),
    "a softmax in a dtype by place": (
        lambda: Own(lambda m, x: m.linear(x).softmax(-1, torch.float64)),
        "argument 2 is not known by its place",
    ),
    "a normalisation in ATen's order": (
        lambda: Own(
            lambda m, x: torch.batch_norm(m.linear(x), m.c, m.c, m.mean, m.std, False, 0.1, 1e-5, True)
        ),
        "at 'batch_norm'",
    ),
    "several results": (
        lambda: torch.jit.trace(Own(lambda m, x: m.linear(x).max(1)[0]), torch.ones(2, 4)),
        "at 'aten::max': it has 2 results",
    ),
    "hooks": (hooked, "it has hooks"),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_programs_that_are_not_one_chain_are_refused(case):
    make, message = PROGRAMS[case]
    with pytest.raises(FormatError, match=message):
        from_torch(make())
