"""`fastdense export` and `fastdense import`: models to other software and back, from the command line."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from safetensors.numpy import save_file

import fastdense as fd
from tests.cli.test_cli import call, folder, mistake, write  # noqa: F401  (a fixture)
from tests.compare import assert_identical, assert_within

X = np.random.default_rng(0).normal(size=(6, 3)).round(3)


@pytest.fixture
def model(tmp_path):
    """Save a network without a table, and return it."""
    network = fd.Sequential([fd.Input((3,)), fd.Dense(4, "relu"), fd.Dense(2, "sigmoid")], seed=0)
    network.save(tmp_path / "m.safetensors")
    return network


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize(("to", "package"), [("onnx", "onnx"), ("keras", "h5py")])
def test_there_and_back(tmp_path, capsys, model, to, package):
    pytest.importorskip(package)
    assert call(f"export {tmp_path}/m.safetensors --to {to}") == 0
    assert f"Written: {tmp_path}/m.{to}" in capsys.readouterr().out
    assert call(f"import {tmp_path}/m.{to} --out {tmp_path}/back.safetensors") == 0
    assert f"Saved to {tmp_path}/back.safetensors" in capsys.readouterr().out
    assert_identical(fd.load(tmp_path / "back.safetensors").predict(X), model.predict(X))


def test_weights_of_pytorch(tmp_path, capsys, model):
    assert call(f"export {tmp_path}/m.safetensors --to torch") == 0
    out = capsys.readouterr().out
    assert f"Written: {tmp_path}/m.torch.safetensors" in out
    assert "nn.Linear(in_features=3, out_features=4, bias=True),\n    nn.ReLU()," in out
    given = f"{tmp_path}/m.torch.safetensors --activation relu --last sigmoid"
    assert call(f"import {given} --out {tmp_path}/b.safetensors") == 0
    assert_identical(fd.load(tmp_path / "b.safetensors").predict(X), model.predict(X))


def test_the_order_of_pytorchs_weights(tmp_path, capsys):
    """Two layers that fit in either order: which is first, their names do not tell."""
    modules = {"input.weight": np.diag(np.float32([1, 2])), "hidden.weight": np.diag(np.float32([3, 4]))}
    save_file(modules, tmp_path / "w.safetensors")
    given = f"import {tmp_path}/w.safetensors --activation relu --out {tmp_path}/b.safetensors"
    said = mistake(given)
    assert "'hidden' or 'input' comes first" in said
    assert "Give --order, a list of 'hidden', 'input'" in said
    assert "order=" not in said
    assert call(f"{given} --order input,hidden") == 0
    assert_identical(fd.load(tmp_path / "b.safetensors").layers[0].kernel, modules["input.weight"])


def test_an_import_takes_no_models_place_unless_told_to(tmp_path, capsys, model):
    pytest.importorskip("h5py")
    assert call(f"export {tmp_path}/m.safetensors --to keras") == 0
    before = (tmp_path / "m.safetensors").read_bytes()
    assert "m.safetensors: choose where to save it with --out" in mistake(f"import {tmp_path}/m.keras")
    assert (tmp_path / "m.safetensors").read_bytes() == before
    assert call(f"import {tmp_path}/m.keras --out {tmp_path}/m.safetensors") == 0


def test_one_of_several_networks_of_pytorch(tmp_path, capsys):
    shapes = {"actor.0": (8, 4), "actor.2": (2, 8), "critic.0": (8, 4), "critic.2": (1, 8)}
    save_file(
        {f"{name}.weight": np.ones(s, np.float32) for name, s in shapes.items()}, tmp_path / "w.safetensors"
    )
    given = f"import {tmp_path}/w.safetensors --activation relu --out {tmp_path}/b.safetensors"
    said = mistake(given)
    assert "choose one of actor, critic with --prefix" in said
    assert "prefix=" not in said
    assert call(f"{given} --prefix critic") == 0
    assert fd.load(tmp_path / "b.safetensors").output_shape == (None, 1)


@pytest.mark.filterwarnings("always")
def test_notes_name_options(tmp_path, capsys):
    shapes = {"body.0": (8, 4), "body.2": (8, 8), "head.0": (8, 8), "head.2": (1, 8)}
    save_file(
        {f"{name}.weight": np.ones(s, np.float32) for name, s in shapes.items()}, tmp_path / "w.safetensors"
    )
    assert call(f"import {tmp_path}/w.safetensors --activation relu --out {tmp_path}/b.safetensors") == 0
    assert "choose one with --prefix" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--last softmax", "--order a,b", "--prefix a"])
def test_options_that_would_do_nothing_are_refused(tmp_path, model, option):
    assert "are for PyTorch's weights" in mistake(f"import {tmp_path}/m.safetensors {option}")


def test_c(tmp_path, capsys, model):
    assert call(f"export {tmp_path}/m.safetensors --to c --out {tmp_path}/net.c") == 0
    assert f"Written: {tmp_path}/net.c and {tmp_path}/net.h" in capsys.readouterr().out
    assert "net_predict" in (tmp_path / "net.h").read_text()


def test_predicting_with_any_format(tmp_path, capsys, model):
    pytest.importorskip("onnx")
    model.export(tmp_path / "m.onnx")
    write(tmp_path / "rows.csv", {f"x{k}": X[:, k] for k in range(3)})
    for name in ("m.onnx", "m.safetensors"):
        assert call(f"predict {tmp_path}/{name} {tmp_path}/rows.csv --out {tmp_path}/p.csv") == 0
        head, *rows = rows_of(tmp_path / "p.csv")
        assert head == ["output 1", "output 2"]
        assert_within(np.array(rows, np.float32), model.predict(X), 1e-6)
    capsys.readouterr()
    assert call(f"info {tmp_path}/m.onnx") == 0
    assert "Dense" in capsys.readouterr().out


def test_a_table_that_does_not_fit(tmp_path, model):
    write(tmp_path / "rows.csv", {"a": [1, 2], "b": [3, 4]})
    line = mistake(f"predict {tmp_path}/m.safetensors {tmp_path}/rows.csv")
    assert "takes 3 columns of numbers, but the table has 2" in line
    write(tmp_path / "rows.csv", {"a": [1, 2], "b": ["x", "y"], "c": [3, 4]})
    assert "column 'b', row 1: 'x' is not a number" in mistake(
        f"predict {tmp_path}/m.safetensors {tmp_path}/rows.csv"
    )


def test_a_model_with_its_table(folder, tmp_path, capsys):  # noqa: F811
    """Raw rows go into an ONNX file that includes it; such a file is not read back."""
    pytest.importorskip("onnx")
    assert call(f"export {folder}/m.safetensors --to onnx --table --out {tmp_path}/m.onnx") == 0
    assert "Its table stays here" not in capsys.readouterr().out
    said = mistake(f"info {tmp_path}/m.onnx")
    assert "load the model that it was exported from, or export that without the table" in said
    assert call(f"export {folder}/m.safetensors --to onnx --out {tmp_path}/m.onnx") == 0
    assert "Its table stays here" in capsys.readouterr().out


MISTAKES = {
    "export {}/m.safetensors --to onnx --out {}/m.safetensors": "m.safetensors, which the command reads",
    "export {}/m.safetensors --to torch --out {}/m.safetensors": "m.safetensors, which the command reads",
    "export {}/m.safetensors --to c --table": "--table is for --to onnx",
    "export {}/m.safetensors --to c --out {}/m.txt": ".c",
    "export {}/none.onnx --to c": "none.onnx",
    "import {}/m.safetensors": "would take the place of",
    "import {}/m.safetensors --out {}/m.safetensors": "--out is",
    "import {}/w.pt": "--activation relu",
    "import {}/m.pkl": "pickles run code as they are loaded and are not read",
    "import {}/m.txt": "a model's name ends in .safetensors, .onnx, .keras, .h5 or .hdf5",
}


@pytest.mark.parametrize("command", MISTAKES)
def test_mistakes(tmp_path, model, command):
    for name in ("w.pt", "m.pkl", "m.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert MISTAKES[command] in mistake(command.replace("{}", str(tmp_path)))
    assert_identical(fd.load(tmp_path / "m.safetensors").predict(X), model.predict(X))


@pytest.mark.filterwarnings("always")
def test_notes_are_lines(tmp_path, capsys):
    """A warning is shown as a line, and not with the place in the code that gave it."""
    onnx = pytest.importorskip("onnx")
    text = """<ir_version: 9, opset_import: ["" : 20]>
    net (float[m, 2] x) => (int64[m, 1] y) <float[2,2] w = {1, 2, 3, 4}>
    { z = MatMul (x, w) y = ArgMax <axis: int = 1> (z) }"""
    (tmp_path / "m.onnx").write_bytes(onnx.parser.parse_model(text).SerializeToString())
    assert call(f"import {tmp_path}/m.onnx") == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("fastdense: note: ")
    assert line.endswith("the network ends at 'z'; the labels made of it (y) are left out")


def test_one_of_several_outputs(tmp_path, model):
    onnx = pytest.importorskip("onnx")
    model.export(tmp_path / "m.onnx")
    proto = onnx.load(tmp_path / "m.onnx")
    proto.graph.node.add(op_type="Relu", input=["Gemm_0"], output=["the hidden units"])
    proto.graph.output.add(name="the hidden units").type.CopyFrom(proto.graph.output[0].type)
    onnx.save(proto, tmp_path / "m.onnx")
    said = mistake(f"info {tmp_path}/m.onnx")
    assert "has several outputs, 'Y', 'the hidden units'; choose one" in said
    assert "--output on the command line" in said
    assert call(f"import {tmp_path}/m.onnx --output Y --out {tmp_path}/back.safetensors") == 0
    assert_identical(fd.load(tmp_path / "back.safetensors").predict(X), model.predict(X))
    assert "can be chosen of ONNX files only" in mistake(f"info {tmp_path}/m.safetensors --output Y")
    assert "give one of them" in mistake(f"import {tmp_path}/m.pt --activation relu --output Y")
