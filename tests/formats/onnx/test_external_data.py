"""Weights in a file beside the model, as PyTorch exports them: read from there, and from nowhere else."""

from __future__ import annotations

import os

import numpy as np
import pytest

from fastdense.errors import FormatError
from fastdense.formats.onnx import read_onnx
from tests.compare import assert_within
from tests.formats.onnx.test_refusals import B, W, X, b, w, write

onnx = pytest.importorskip("onnx")


@pytest.fixture
def path(tmp_path):
    """Return a model whose weights and bias are in ``m.onnx.data``, one after the other."""
    path = write(tmp_path / "m.onnx", "y = Gemm (x, w, b)", constants=f"{W}, {B}")
    (tmp_path / "m.onnx.data").write_bytes(w.tobytes() + b.tobytes())
    put_outside(
        path, w={"location": "m.onnx.data"}, b={"location": "m.onnx.data", "offset": "16", "length": "8"}
    )
    return path


def put_outside(path, **entries):
    """Say of tensors, by name, where their numbers are."""
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        if tensor.name in entries:
            for field in ("raw_data", "float_data", "external_data"):
                tensor.ClearField(field)
            tensor.data_location = onnx.TensorProto.EXTERNAL
            for key, value in entries[tensor.name].items():
                tensor.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())


def test_weights_beside_the_model(path, monkeypatch):
    assert_within(read_onnx(path).predict(X), X @ w + b, 1e-6)
    monkeypatch.chdir(path.parent)
    assert_within(read_onnx(path.name).predict(X), X @ w + b, 1e-6)


def test_tensors_may_share_bytes(path):
    put_outside(path, b={"location": "m.onnx.data", "offset": "4"})
    assert_within(read_onnx(path).predict(X), X @ w + w.ravel()[1:3], 1e-6)


def test_half_precision_and_whole_numbers(tmp_path):
    path = write(
        tmp_path / "m.onnx",
        "z = MatMul (x, w) y = Add (z, b)",
        constants=f"float16[2,2] w = {{1,2,3,4}}, {B}",
    )
    (tmp_path / "w").write_bytes(w.astype("<f2").tobytes())
    put_outside(path, w={"location": "w"})
    assert_within(read_onnx(path).predict(X), X @ w + b, 1e-6)


def test_a_model_that_is_a_link_has_its_data_beside_the_link(path):
    link = path.parent / "other" / "m.onnx"
    link.parent.mkdir()
    link.symlink_to(path)
    with pytest.raises(FormatError, match="which is not beside the model"):
        read_onnx(link)


LOCATIONS = ["", ".", "..", "/etc/passwd", "../m.onnx.data", "here/w", "..\\w", "C:w", "w\0", "./m.onnx.data"]


@pytest.mark.parametrize("location", LOCATIONS)
def test_places_elsewhere_are_not_opened(path, location):
    put_outside(path, w={"location": location})
    with pytest.raises(FormatError, match=r"tensor 'w': .*only a file beside the model is opened"):
        read_onnx(path)


def a_link(data):
    (data.parent / "real").write_bytes(data.read_bytes())
    data.unlink()
    data.symlink_to("real")


def a_pipe(data):
    data.unlink()
    os.mkfifo(data)


def a_folder(data):
    data.unlink()
    data.mkdir()


PLACES = {
    "which is a link, which is not followed": a_link,
    "which is not a regular file": a_pipe,
    "not a regular file: put": a_folder,
    "which is not beside the model: keep both files": os.unlink,
    "end at byte 16 of 'm.onnx.data', which has 0": lambda data: data.write_bytes(b""),
    "end at byte 24 of 'm.onnx.data', which has 23": lambda data: os.truncate(data, 23),
}


@pytest.mark.parametrize("words", PLACES)
def test_what_is_not_a_whole_file_there(path, words):
    PLACES[words](path.parent / "m.onnx.data")
    with pytest.raises(FormatError, match=words):
        read_onnx(path)


def test_a_device(path):
    put_outside(path, w={"location": "null"})
    (path.parent / "null").symlink_to("/dev/null")
    with pytest.raises(FormatError, match="link"):
        read_onnx(path)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"offset": "9"}, "end at byte 25"),
        ({"offset": str(2**63)}, "end at byte"),
        ({"offset": "-8"}, "the offset of its numbers in another file is '-8'"),
        ({"offset": "1e1"}, "offset"),
        ({"offset": "9" * 5000}, "offset"),
        ({"length": "15"}, "take 16 bytes, but it has 15"),
        ({"length": str(2**62)}, "take 16 bytes"),
    ],
)
def test_stretches_that_are_not_in_the_file(path, entries, words):
    put_outside(path, w={"location": "m.onnx.data", **entries})
    with pytest.raises(FormatError, match=words):
        read_onnx(path)


def test_shapes_that_are_only_claimed(path):
    model = onnx.load(path, load_external_data=False)
    model.graph.initializer[0].dims[:] = [2**30, 2**30]
    path.write_bytes(model.SerializeToString())
    with pytest.raises(FormatError, match="which has 24: the file is cut short"):
        read_onnx(path)


def test_one_file_that_is_said_many_times(path):
    """Overlapping stretches of a file do not add up to more than it holds."""
    numbers = np.ones(2**16, np.float32)
    (path.parent / "big").write_bytes(numbers.tobytes())
    nodes = [onnx.helper.make_node("Add", [f"z{i}", f"c{i}"], [f"z{i + 1}"]) for i in range(60)]
    constants = [onnx.TensorProto(name=f"c{i}", data_type=1, dims=[2**16 - 60]) for i in range(60)]
    for i, constant in enumerate(constants):
        constant.data_location = 1
        constant.external_data.add(key="location", value="big")
        constant.external_data.add(key="offset", value=str(4 * i))
    ends = [onnx.helper.make_tensor_value_info(name, 1, ["m", 2**16 - 60]) for name in ("z0", "z60")]
    graph = onnx.helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    path.write_bytes(onnx.helper.make_model(graph, ir_version=9).SerializeToString())
    with pytest.raises(FormatError, match="many times as large"):
        read_onnx(path)


def test_constants_in_nodes_have_no_other_file(path):
    model = onnx.load(path, load_external_data=False)
    tensor = model.graph.initializer.pop(0)
    model.graph.node.insert(0, onnx.helper.make_node("Constant", [], ["w"]))
    model.graph.node[0].attribute.append(
        onnx.AttributeProto(name="value", type=onnx.AttributeProto.TENSOR, t=tensor)
    )
    path.write_bytes(model.SerializeToString())
    with pytest.raises(FormatError, match="only initialisers may have"):
        read_onnx(path)
