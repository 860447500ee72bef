"""Damaged ONNX files: refused by a clear error or read, and then to what ONNX Runtime computes from them."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest

import fastdense as fd
from fastdense.core.spec import ACTIVATIONS
from fastdense.errors import FormatError
from fastdense.exchange.onnx.constants import FOLDED
from fastdense.exchange.onnx.curves import OPERATIONS
from fastdense.exchange.onnx.operators import STEPS
from fastdense.formats.onnx import read_onnx, write_onnx
from tests.formats.onnx.test_axes import READ as AXES
from tests.formats.onnx.test_exporters import CLASSIFIERS, MLPClassifier, fitted, to_onnx
from tests.formats.onnx.test_refusals import READ, write
from tests.fuzz import TIMES, fuzz, limited_memory

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

OPERATORS = sorted({*STEPS, *OPERATIONS, *FOLDED, "ArgMax", "Concat", "Split"})
OPTIONS = ort.SessionOptions()
OPTIONS.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
WHOLE = (0, 1, -1, 2, 7, 11, 2**31, 2**62)
NUMBERS = (0.0, -1.0, 1e-7, 1 + 1e-7, 0.01, 0.5, 1e6)
DATA = "m.onnx.data"
PLACES = (DATA, "", "..", "/dev/zero", "../m.onnx", "m.onnx")
REAL = (0.0, -1.0, 0.5, 1e38, float("inf"), float("nan"))


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Return files of every activation, of groups and scalings, and of scikit-learn's with their labels."""
    path, found = tmp_path_factory.mktemp("samples") / "m.onnx", {}
    groups = fd.activations.ActivationFunction("softmax", groups=(2, 1))
    layers = [fd.Dense(3, name) for name in ACTIVATIONS] + [fd.Normalization(mean=1.0, variance=4.0)]
    for i in range(0, len(layers), 3):
        model = fd.Sequential([fd.Input((4,)), *layers[i : i + 3], fd.Dense(3, groups)], seed=0)
        write_onnx(model, path)
        found[f"layers {i}"] = path.read_bytes()
    for name in READ:
        nodes, constants, *_ = READ[name]
        found[name] = write(path, nodes, constants=constants, version=20).read_bytes()
    for name, (inputs, _, nodes, constants) in AXES.items():
        found[name] = write(path, nodes, inputs=inputs, outputs="float y", constants=constants).read_bytes()
    for name, (activation, y) in CLASSIFIERS.items():
        to_onnx(path, fitted(MLPClassifier(hidden_layer_sizes=(3,), activation=activation), y))
        found[name] = path.read_bytes()
    nodes, constants, *_ = READ["a product and a sum"]
    write(path, nodes, constants=constants, version=20)
    onnx.save(onnx.load(path), path, save_as_external_data=True, location=DATA, size_threshold=0)
    found["numbers in another file"] = path.read_bytes()
    return found


@pytest.fixture
def folder(tmp_path, samples):
    """Return a folder that has the numbers of the sample that has them in another file."""
    (tmp_path / DATA).write_bytes(np.float32([1, 2, 3, 4, 0.5, -0.5]).tobytes())
    return tmp_path


def read(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fd.errors.FormatWarning)
        return read_onnx(path)


def test_damaged_files(folder, samples):
    outcomes = fuzz(read, samples, folder / "m.onnx")
    assert min(outcomes["read"], outcomes["refused"]) > 20


def edit(rng, graph):
    """Change one thing about a graph that leaves it a graph."""
    if graph.initializer and rng.random() < 0.3:
        edit_tensor(rng, rng.choice(graph.initializer))
    else:
        edit_node(rng, graph, rng.choice(graph.node))


def edit_tensor(rng, tensor):
    match rng.randrange(3):
        case 0 | 1 if tensor.external_data:
            entry = rng.choice(tensor.external_data)
            entry.value = str(rng.choice(WHOLE)) if entry.key != "location" else rng.choice(PLACES)
        case 0 if tensor.dims:
            tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(WHOLE)
        case 1 if tensor.raw_data:
            tensor.raw_data = np.float32(rng.choice(NUMBERS)).tobytes() + tensor.raw_data[4:]
        case 1 if tensor.float_data:
            tensor.float_data[0] = rng.choice(NUMBERS)
        case _:
            tensor.data_type = rng.choice((1, 6, 7, 8, 9, 10, 11, 16))


def edit_node(rng, graph, node):
    names = [name for one in graph.node for name in (*one.input, *one.output)]
    names += [tensor.name for tensor in graph.initializer] + [""]
    match rng.randrange(7):
        case 0 if node.input:
            node.input[rng.randrange(len(node.input))] = rng.choice(names)
        case 1 if node.input:
            del node.input[rng.randrange(len(node.input))]
        case 2:
            node.input.append(rng.choice(names))
        case 3 if node.attribute:
            attribute = rng.choice(node.attribute)
            attribute.i, attribute.f = rng.choice(WHOLE), rng.choice(REAL)
            attribute.type = rng.choice((attribute.type, rng.randrange(12)))
        case 4 if len(graph.node) > 1:
            graph.node.remove(node)
        case 5 if len(node.output) > 1:
            graph.node.add(op_type="Relu", input=[node.output[-1]], output=["another"])
            graph.output[0].name = "another"
        case _:
            node.op_type, node.domain = rng.choice(OPERATORS), ""


def runs_as(predict, model, path):
    """Return whether ONNX Runtime computes the same, None where it does not take the file or the rows."""
    try:
        session = ort.InferenceSession(path, OPTIONS, providers=["CPUExecutionProvider"])
        given = session.get_inputs()[0]
        shape = [3 if i == 0 and not isinstance(size, int) else size for i, size in enumerate(given.shape)]
        X = np.random.default_rng(0).normal(
            size=shape if len(shape) != 2 else (shape[0], model.input_shape[1])
        )
        outputs = session.run(None, {given.name: X.astype("f8" if "double" in given.type else "f4")})
    except Exception:  # noqa: BLE001  (its errors have no class in common)
        return None
    X = X.reshape(-1, model.input_shape[1])
    arrays = [np.array([list(row.values()) for row in o]) if isinstance(o, list) else o for o in outputs]
    found = predict(X)
    expected = [a if a.shape == found.shape else a.reshape(len(X), -1) for a in arrays if a.dtype.kind == "f"]
    close = [np.allclose(a, found, 1e-4, 1e-4, equal_nan=True) for a in expected if a.shape == found.shape]
    return any(close) or not expected


def test_edited_graphs(folder, samples):
    """Whatever a graph is changed to, it is not read as something else than it says."""
    rng, path = random.Random(0), folder / "m.onnx"
    ort.set_default_logger_severity(4)
    outcomes = {None: 0, True: 0, False: 0, "refused": 0}
    for _ in range(1_000 * TIMES):
        proto = onnx.ModelProto.FromString(rng.choice(sorted(samples.values())))
        for _ in range(rng.choice((1, 1, 2, 3))):
            edit(rng, proto.graph)
        path.write_bytes(proto.SerializeToString())
        try:
            with limited_memory(), warnings.catch_warnings(record=True) as notes:
                warnings.simplefilter("always", fd.errors.FormatWarning)
                model = read_onnx(path)
        except FormatError:
            outcomes["refused"] += 1
            continue
        of_logarithms = any("numpy.log of what it predicts" in str(one.message) for one in notes)
        predict = (lambda X, model=model: np.log(model.predict(X))) if of_logarithms else model.predict
        same = runs_as(predict, model, path)
        assert same is not False, f"{onnx.printer.to_text(proto)}\n{model}"
        outcomes[same] += 1
    assert min(outcomes[True], outcomes["refused"]) > 20
