"""Files with more in them than a state dict: checkpoints, modules, TorchScript, batch normalisations."""

from __future__ import annotations

import datetime as dt
import importlib
from collections import OrderedDict

import numpy as np
import pytest

import fastdense as fd
from fastdense.errors import FormatError, FormatWarning
from fastdense.formats.torch import network_from_torch_weights, read_torch_weights
from tests.compare import assert_identical
from tests.formats.networks import assert_predicts_as, inputs

torch = pytest.importorskip("torch", exc_type=ImportError)
nn = torch.nn
given_modules = importlib.import_module("tests.formats.torch_modules")
in_double, normal, predictions_of = (
    given_modules.in_double,
    given_modules.normal,
    given_modules.predictions_of,
)


def mlp(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


class Wrapped(nn.Module):
    """Keeps its layers as Lightning's modules do, in a module of theirs."""

    def __init__(self):
        super().__init__()
        self.model = mlp()

    def forward(self, x):
        return self.model(x)


def trained(module):
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


CHECKPOINTS = {
    key: lambda module, key=key: {
        "epoch": 3,
        key: module.state_dict(),
        "optimizer_state_dict": trained(module),
        "loss": torch.tensor(0.5),
        "when": dt.datetime(2024, 1, 1),
    }
    for key in ("model_state_dict", "state_dict", "model", "net")
}
CHECKPOINTS |= {
    "Lightning": lambda module: {
        "epoch": 1,
        "global_step": 20,
        "pytorch-lightning_version": "2.1.0",
        "state_dict": OrderedDict((f"model.{name}", t) for name, t in module.state_dict().items()),
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.1)}},
        "optimizer_states": [trained(module)],
        "hyper_parameters": {"hidden": [8], "path": dt.timedelta(1)},
    },
    "a module": lambda module: module,
    "a module within": lambda module: {"epoch": 3, "model": Wrapped()},
    "data parallel": lambda module: nn.DataParallel(module).state_dict(),
    "numbers beside the tensors": lambda module: module.state_dict() | {"epoch": 3, "name": "net"},
    "nested": lambda module: {"checkpoint": {"best": {"weights": module.state_dict()}}},
}


@pytest.mark.parametrize("old", [False, True], ids=["zip", "old"])
@pytest.mark.parametrize("case", CHECKPOINTS)
def test_weights_are_found_in_checkpoints(tmp_path, case, old):
    module, path = mlp(), tmp_path / "epoch.ckpt"
    torch.save(CHECKPOINTS[case](module), path, _use_new_zipfile_serialization=not old)
    reference = Wrapped() if case == "a module within" else module
    model = network_from_torch_weights(path)
    assert_predicts_as(predictions_of(reference), model, inputs(model, 5))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("make", [torch.jit.script, lambda module: torch.jit.trace(module, torch.ones(1, 4))])
def test_weights_are_found_in_torchscript(tmp_path, make):
    module = Wrapped()
    torch.jit.save(make(module), tmp_path / "script.pt")
    model = network_from_torch_weights(tmp_path / "script.pt")
    assert_predicts_as(predictions_of(module), model, inputs(model, 5))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_has_no_weights_is_named(tmp_path):
    path = tmp_path / "file.pt"
    torch.jit.save(torch.jit.freeze(torch.jit.script(mlp().eval())), path)
    with pytest.raises(FormatError, match=r"TorchScript.*frozen.*from_torch\(torch\.jit\.load\(path\)\)"):
        network_from_torch_weights(path)
    torch.export.save(torch.export.export(mlp().eval(), (torch.ones(2, 4),)), tmp_path / "file.pt2")
    (tmp_path / "file.pt2").rename(path)
    with pytest.raises(FormatError, match=r"torch\.export: .*from_torch\(torch\.export\.load\(path\)"):
        network_from_torch_weights(path)


def test_several_state_dicts_are_listed(tmp_path):
    path, actor, critic = tmp_path / "agent.bin", mlp(0), mlp(1)
    torch.save({"actor": actor.state_dict(), "critic": critic.state_dict()}, path)
    with pytest.raises(
        FormatError, match="holds several state dicts: choose one of 'actor', 'critic' with pre"
    ):
        network_from_torch_weights(path)
    model = network_from_torch_weights(path, prefix="critic.")
    assert_predicts_as(predictions_of(critic), model, inputs(model, 5))


def test_a_prefix_chooses_within_a_checkpoint(tmp_path):
    path, agent = tmp_path / "agent.pt", nn.ModuleDict({"actor": mlp(0), "critic": mlp(1)})
    torch.save({"epoch": 1, "state_dict": agent.state_dict()}, path)
    with pytest.raises(FormatError, match="choose one of actor, critic with prefix="):
        network_from_torch_weights(path)
    for prefix in ("critic", "state_dict.critic."):
        model = network_from_torch_weights(path, prefix=prefix)
        assert_predicts_as(predictions_of(agent["critic"]), model, inputs(model, 5))
    with pytest.raises(FormatError, match=r"begins with 'epoch'; they begin with actor\., critic\."):
        network_from_torch_weights(path, prefix="epoch")


def test_a_network_and_its_copy_are_not_one(tmp_path):
    path, nets = tmp_path / "agent.pt", {"q_net": nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))}
    nets["q_net_target"] = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    torch.save(nn.ModuleDict(nets).state_dict(), path)
    with pytest.raises(
        FormatError, match=r"'q_net' and 'q_net_target' hold the same layers: .* with prefix="
    ):
        network_from_torch_weights(path)
    model = network_from_torch_weights(path, prefix="q_net")
    assert_predicts_as(predictions_of(nets["q_net"]), model, inputs(model, 5))


def test_a_filled_model_has_no_place_for_a_batch_normalisation(tmp_path):
    torch.save(NORMS["in a Sequential"]().state_dict(), tmp_path / "state.pt")
    model = fd.Sequential([fd.Input((4,)), fd.Dense(8, "relu"), fd.Dense(3)], seed=0)
    with pytest.raises(
        FormatError, match=r"weights of 3 modules .*network_from_torch_weights makes a network"
    ):
        read_torch_weights(model, tmp_path / "state.pt")


class Normed(nn.Module):
    """Linears and batch normalisations under names of their own, in that order or all Linears first."""

    def __init__(self, width, linears_first):
        super().__init__()
        parts = {"fc1": nn.Linear(4, width), "bn1": normal(width), "fc2": nn.Linear(width, width)}
        parts |= {"bn2": normal(width), "out": nn.Linear(width, 2)}
        for name in sorted(parts, key=lambda name: linears_first and "bn" in name):
            self.add_module(name, parts[name])

    def forward(self, x):
        x = torch.relu(self.bn1(self.fc1(x)))
        return self.out(torch.relu(self.bn2(self.fc2(x))))


NORMS = {
    "in a Sequential": lambda: nn.Sequential(nn.Linear(4, 8), normal(8), nn.ReLU(), nn.Linear(8, 3)),
    "behind the activation": lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), normal(8), nn.Linear(8, 3)),
    "at the entry": lambda: nn.Sequential(normal(4), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)),
    "at the end": lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), normal(3)),
    "without weights": lambda: nn.Sequential(nn.Linear(4, 8), normal(8, False), nn.ReLU(), nn.Linear(8, 3)),
    "by name": lambda: Normed(8, False),
    "all square": lambda: Normed(4, False),
    "defined last": lambda: Normed(8, True),
    "square, defined last": lambda: Normed(4, True),
}


@pytest.mark.parametrize("ending", ["pt", "safetensors"])
@pytest.mark.parametrize("case", NORMS)
def test_batch_normalisations_are_folded(tmp_path, case, ending):
    torch.manual_seed(0)
    module, path = NORMS[case]().eval(), tmp_path / f"state.{ending}"
    if ending == "pt":
        torch.save(module.state_dict(), path)
    else:
        importlib.import_module("safetensors.torch").save_file(module.state_dict(), path)
    where = "behind them" if case == "behind the activation" else "the weights show neither"
    with pytest.warns(FormatWarning, match=f"an epsilon of 1e-05, which is PyTorch's default.*{where}"):
        model = network_from_torch_weights(path)
    assert_predicts_as(in_double(module), model, inputs(model, 20), times=2)


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.parametrizations.weight_norm])
def test_normed_weights_are_computed(tmp_path, norm):
    module = nn.Sequential(norm(nn.Linear(4, 8)), nn.ReLU(), norm(nn.Linear(8, 3)))
    torch.save(module.state_dict(), tmp_path / "state.pt")
    model = network_from_torch_weights(tmp_path / "state.pt")
    assert_predicts_as(predictions_of(module), model, inputs(model, 5), times=2)


def test_the_order_of_the_bytes_is_minded(tmp_path):
    """A file of a machine that keeps the high byte first."""
    path, module = tmp_path / "big.pt", nn.Linear(3, 2)
    torch.save(module.state_dict(), path)
    given = importlib.import_module("tests.formats.test_torch_files")

    def swapped(name, content):
        if name.endswith("byteorder"):
            return name, b"big"
        return name, np.frombuffer(content, ">f4").astype("<f4").tobytes() if "/data/" in name else content

    given.again(path, swapped)
    assert_identical(
        network_from_torch_weights(path).layers[0].kernel, module.weight.detach().numpy().T.copy()
    )
